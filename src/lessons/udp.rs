//! Lesson 6: UDP carries each message by itself, and promises nothing.
//!
//! Left out: datagrams too large for the link (lesson 4), multicast, and what programs build on UDP to win back what it
//! leaves out, such as QUIC (RFC 9000).

use super::beat::Answer;
use super::knob::{DELAY, LOSE, LOSS, REORDER, SEED};
use super::picture::{Frame, View};
use super::stage::{Host, Seen, Stage, packet};
use super::words::word;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::layers::transport::{tcp, udp};
use crate::sim::fault::{self, Verdict};
use crate::trace::{Kind, Protocol};

const SENDS: Knob<usize> = Knob::count("sends", "3", 1, 100, "how many datagrams the client sends");

pub(super) const LESSON: Lesson = Lesson {
    id: "udp",
    title: "UDP",
    layer: Layer::Transport,
    minutes: 25,
    misconception: "UDP is always faster",
    words: &[
        ("checksum", "a number made of the bytes, by which damage is noticed"),
        ("handshake", "how TCP opens a connection"),
        ("sequence number", "the number of a byte in TCP's stream"),
        ("loss", "what is sent and never arrives"),
    ],
    cites: &[
        Cite { document: "RFC 768", section: "", what: "all of UDP, on three pages" },
        Cite { document: "RFC 1122", section: "4.1", what: "what a host's UDP must do" },
        Cite { document: "RFC 8085", section: "3.1", what: "why a program must limit its rate" },
        Cite {
            document: "RFC 8085",
            section: "3.3",
            what: "loss, order and duplicates are left to the program",
        },
    ],
    knobs: &[&SENDS, &LOSE, &LOSS, &REORDER, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A program sends three datagrams, and the second is lost on the way. Who notices?",
        choices: &["the sender's UDP", "the receiver's UDP", "both programs", "neither end"],
        surprise: "The race ends in a dead heat, and the class expected UDP to win. Both messages are one frame on the \
                   same wire, and nothing travels faster for having a smaller header. What UDP saves is the handshake \
                   before, and waiting for what was lost.",
    },
    script,
};

const PORT: u16 = 9000;
const MESSAGE: &str = "hello";

fn script(stage: &mut Stage) {
    lossy(stage);
    late(stage);
    race(stage);
    stage.instead(LESSON.misconception,
        "once a TCP connection is open, TCP delivers a message just as soon. UDP saves the handshake, and never makes a \
         new message wait for a lost old one. The price: loss, order and pace are left to the program.",
    );
    stage.try_next(
        "netlayers lesson 6 --lose 0 --reorder 50%",
        "Nothing is lost. Predict what else can happen to three datagrams.",
    );
    stage.try_next(
        "netlayers lesson 6 --sends 100 --lose 0 --loss 5%",
        "Predict how many of a hundred arrive.",
    );
    stage.try_next("netlayers lesson 6 --wire real", "The kernel's UDP; and a read with too little room.");
    stage.try_next("netlayers compare hello --loss 20%", "UDP beside TCP, on a bad link.");
    stage.try_next("netlayers check 6", "Make: decode a UDP header by hand.");
}

/// Datagrams, one of them lost.
fn lossy(stage: &mut Stage) {
    let (sends, lose) = (stage.knob(&SENDS), stage.knob(&LOSE));
    stage.say(
        "UDP, the User Datagram Protocol, adds two ports, a length and a checksum to what a program sends, and hands it \
         to IP. That is all. Each send is one datagram: a message of its own.",
    );
    let lost = match (1..=sends).contains(&lose) {
        true => format!("Number {lose} is lost on the way."),
        false => "No particular one is lost.".into(),
    };
    let datagrams = if sends == 1 { "datagram" } else { "datagrams" };
    let guess = stage.ask_number(
        format!(
            "A client sends {sends} {datagrams}. {lost} How many does the program at the other end receive?"
        ),
        "datagrams",
    );
    let notice = stage.ask_choice(
        "And what does the sender's UDP do about a datagram that is lost?",
        &["it waits for an answer and sends it again", "it tells its program", "nothing: it does not know"],
    );
    stage.scene("lossy", &format!("{sends} {datagrams}"));
    let (client, server) = stage.two_hosts();
    if lose > 0 {
        let rule = fault::nth(format!("loses number {lose}"), lose as u64, packet::is_udp, Verdict::Drop);
        stage.rule(client, server, rule);
    }
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    for number in 1..=sends {
        stage.send_to(socket, server, PORT, word(number));
    }
    stage.run();
    stage.show(
        View::Boxes,
        "Top: what was sent. Bottom: what was received, each with its place in the order.",
    );
    let run = stage.seen();
    let (received, gone) = (run.reads(server).len(), run.lost());
    stage.fact("sent", sends);
    stage.fact("received", received);
    stage.reveal(
        guess,
        |run| run.reads(server).len(),
        match gone {
            0 => "All of them, this time. UDP kept no promise: it gave none.".to_owned(),
            _ => format!(
                "Lost: {gone}. The others do not wait for it, and nothing in them says that one is missing. A program \
                 that wants to know must number its messages itself."
            ),
        },
    );
    stage.reveal(
        notice,
        |run| {
            let again = run.packets().iter().filter(|packet| packet.from == client.id().place()).count() > sends;
            let told = run.count(|kind| matches!(kind, Kind::Note { .. })) > 0;
            Answer::Choice(match (again, told) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            })
        },
        "UDP answers no datagram, so to the sender a lost one looks like one that arrived. It keeps no copy either.",
    );
    stage.show(
        View::Ladder,
        "Everything that was on the wire. Look for an answer from the server: there is none.",
    );
    stage.check("the server's host sends nothing back", |run| {
        run.packets().iter().all(|packet| packet.from == client.id().place())
    });
    stage.check("every datagram received was sent, and is whole", |run| {
        let sent = run.writes(client);
        run.reads(server).iter().all(|read| sent.contains(read))
    });
    stage.show(
        View::Header(Frame::Number(1), Some("UDP")),
        format!(
            "The whole header: {} bytes. TCP's has at least {}. It has no sequence number, so a receiver cannot even \
             tell that the order is wrong.",
            udp::HEADER_LEN,
            tcp::MIN_HEADER_LEN
        ),
    );
}

/// Datagrams that wait for their program.
fn late(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "Three datagrams, \"one\", \"two\" and \"three\", have arrived before the program reads. Its buffer holds 1000 \
         bytes. What does its first receive return?",
        &["\"one\"", "\"onetwothree\"", "\"three\", the newest", "nothing: they came too early"],
    );
    stage.scene("late", "A program that reads late");
    let (client, server) = quiet(stage);
    stage.read_late(server);
    let receiver = stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    for number in 1..=3 {
        stage.send_to(socket, server, PORT, word(number));
    }
    stage.run_for(stage.network_knobs().rtt() + Duration::from_millis(50));
    while stage.receive(receiver).is_some() {}
    stage.show(View::Boxes, "The boundaries stay where the sender put them.");
    stage.reveal(
        guess,
        |run| {
            let first = run.reads(server).first().cloned().unwrap_or_default();
            Answer::Choice(match first.as_ref() {
                b"one" => 0,
                b"three" => 2,
                b"" => 3,
                _ => 1,
            })
        },
        "One receive returns one datagram, however many wait and however large the buffer is. UDP keeps message \
         boundaries; the next lesson shows that TCP does not.",
    );
    stage.check("as many receives as datagrams", |run| run.reads(server) == run.writes(client));
}

/// The same message by UDP, and by TCP with and without its handshake.
fn race(stage: &mut Stage) {
    let guess = stage.ask_choice(
        format!(
            "Now a race. A TCP connection is already open; the same {} bytes go over it, and by UDP. Nothing is lost. \
             Which takes longer from the write to the read?",
            MESSAGE.len()
        ),
        &["TCP, by a round trip or more", "TCP, by less than a millisecond, or not at all", "UDP"],
    );
    stage.scene("race", "The same message three times");
    let (client, server) = quiet(stage);
    let pause = stage.network_knobs().rtt() * 3 + Duration::from_millis(100);
    stage.listen(server, PORT);
    stage.bind(server, PORT);
    let connection = stage.connect(client, server, PORT);
    stage.send(connection, MESSAGE);
    stage.run_for(pause);
    let fresh = stage.seen().first_read(server).map_or(Duration::ZERO, |at| at.since(Instant::ZERO));
    let open_from = stage.now();
    stage.send(connection, MESSAGE);
    stage.run_for(pause);
    let open = took(&stage.seen(), server, open_from, Protocol::Tcp);
    let socket = stage.bind(client, 0);
    let udp_from = stage.now();
    stage.send_to(socket, server, PORT, MESSAGE);
    stage.run_for(pause);
    let udp = took(&stage.seen(), server, udp_from, Protocol::Udp);
    stage.show(View::Ladder, "TCP with its handshake, TCP again, and then UDP.");
    let ms = |time: Duration| format!("{:.3}", time.as_millis_f64());
    stage.table(
        &["by", "ms to the read"],
        vec![
            vec!["TCP, handshake included".into(), ms(fresh)],
            vec!["TCP, already open".into(), ms(open)],
            vec!["UDP".into(), ms(udp)],
        ],
        "From the client's first action until the other program had the message.",
    );
    stage.fact("tcp_fresh_ms", ms(fresh));
    stage.fact("tcp_open_ms", ms(open));
    stage.fact("udp_ms", ms(udp));
    let apart = open.as_nanos().abs_diff(udp.as_nanos());
    stage.reveal(
        guess,
        |_| {
            Answer::Choice(match (apart < 1_000_000, open > udp) {
                (true, _) => 1,
                (false, true) => 0,
                (false, false) => 2,
            })
        },
        format!(
            "One frame each, over the same wire. What costs time is the handshake: {} ms more, once. It buys the \
             knowledge that the other end is there.",
            ms(Duration::from_nanos(fresh.as_nanos().saturating_sub(open.as_nanos())))
        ),
    );
    stage.check("over an open connection, TCP and UDP are less than a millisecond apart", |_| {
        apart < 1_000_000
    });
    let rtt = stage.network_knobs().rtt();
    stage.check("the handshake costs a round trip", |_| fresh.as_nanos() >= open.as_nanos() + rtt.as_nanos());
}

/// Two hosts and a link on which nothing goes wrong.
fn quiet(stage: &mut Stage) -> (Host, Host) {
    let (client, server) = (stage.host("client"), stage.host("server"));
    stage.link_with(client, server, stage.network_knobs().link());
    stage.introduce();
    (client, server)
}

/// How long after `from` a host read something that came by `protocol`.
fn took(run: &Seen, host: Host, from: Instant, protocol: Protocol) -> Duration {
    let read = run.trace().events.iter().find(|event| {
        event.place == host.id().place()
            && event.at >= from
            && matches!(&event.kind, Kind::AppRead { flow, .. } if flow.protocol == protocol)
    });
    read.map_or(Duration::ZERO, |event| event.at.since(from))
}

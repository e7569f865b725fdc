//! Lesson 18: frames that speak about the connection, both ends speaking at once, and how it ends.
//!
//! Left out: what a program does after the end (lesson 21); TCP's own keep-alive, which is off unless a program turns
//! it on (RFC 9293 §3.8.4).

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::picture::View;
use super::stage::{Host, Seen, Socket, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Header as _, Instant, Layer, Writer};
use crate::layers::application::websocket::mask::apply_mask;
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Event, FrameHeader, Keepalive, Opcode, SendError,
};
use crate::layers::stack::StackConfig;
use crate::sim::fault::{self, Verdict};
use crate::trace::Kind;

/// In how many fragments a message is sent.
pub(crate) const FRAGMENTS: Knob<usize> =
    Knob::count("fragments", "3", 2, 20, "in how many fragments a message is sent");
const CODE: Knob<u16> = Knob::count("code", "1000", 0, 65_535, "the code that the client closes with");
const IDLE: Knob<Duration> = Knob::time(
    "idle",
    "30s",
    Duration::from_secs(1),
    Duration::from_secs(120),
    "after how long without a word the server sends a ping",
);

pub(super) const LESSON: Lesson = Lesson {
    id: "control",
    title: "control frames, both ways",
    layer: Layer::Application,
    minutes: 25,
    misconception: "the heartbeat is TCP's job",
    words: &[("control frame", "a frame about the connection: ping, pong or close")],
    cites: &[
        Cite { document: "RFC 6455", section: "5.4", what: "fragments, and what may come between them" },
        Cite { document: "RFC 6455", section: "5.5", what: "control frames: Close, Ping, Pong" },
        Cite { document: "RFC 6455", section: "7.1.1", what: "who closes the TCP connection" },
        Cite { document: "RFC 6455", section: "7.4", what: "close codes, and those that are never sent" },
        Cite { document: "RFC 9293", section: "3.8.4", what: "TCP's keep-alive: off, unless asked for" },
    ],
    knobs: &[&FRAGMENTS, &CODE, &IDLE, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A WebSocket is open and idle. Someone pulls the cable. When does the server's TCP notice?",
        choices: &["at once", "within a minute", "after two hours", "never"],
        surprise: "An idle TCP connection is nothing but state at its two ends. No packet is sent, so none can be \
                   missed. That is a strength, for a cable may be plugged in again; and it is why a program that wants \
                   to know must ask. Two hours is the default of TCP's keep-alive, where a program has turned it on.",
    },
    script,
};

const PORT: u16 = 80;
/// How long the server waits for an answer to its ping.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Between an answer and the next question, where the client must ask.
const PAUSE: Duration = Duration::from_millis(500);

fn script(stage: &mut Stage) {
    between(stage);
    let pushed = both(stage);
    asked(stage, pushed);
    close(stage);
    broken(stage);
    silent(stage);
    heartbeat(stage);
    stage.instead(LESSON.misconception,
        "TCP finds a dead peer only when it has something to send, and takes its time. Whether the peer is alive is a \
         question that the application's protocol must ask, with a timeout: Ping and Pong, which the WebSocket code at \
         both ends exchanges without its programs.",
    );
    stage.try_next("netlayers lesson 18 --code 1006", "A code that is never sent. Predict who says no.");
    stage.try_next(
        "netlayers lesson 18 --idle 5s",
        "A quicker heart. What does it cost when nothing is wrong?",
    );
    stage.try_next("netlayers lesson 18 --fragments 8", "Predict where the pong comes.");
    stage.try_next("netlayers lesson 18 --wire real", "A ping between fragments on the kernel's sockets.");
    stage
        .try_next("netlayers lesson 18 --wire kernel", "The same over our TCP to Linux's, every frame seen.");
    stage.try_next("netlayers check 18", "Make: which close codes may be sent?");
}

/// A ping between the fragments of a message.
fn between(stage: &mut Stage) {
    let fragments = stage.knob(&FRAGMENTS);
    stage.say(
        "A message may be sent in several frames, called fragments, so that a program can begin to send a message before \
         it has all of it. FIN is 1 in the last one. Frames of another kind are about the connection itself: Ping, Pong \
         and Close are its control frames.",
    );
    let guess = stage.ask_choice(
        format!(
            "A client has sent the first of {fragments} fragments. Now it sends a ping, and then the rest. What happens?"
        ),
        &[
            "the connection ends: the message was not finished",
            "the ping becomes a part of the message",
            "the pong comes when the message is whole",
            "the pong comes at once, and the message goes on",
        ],
    );
    let who = stage.ask_choice(
        "And who answers the ping?",
        &["the server's program", "the server's WebSocket code", "the server's TCP"],
    );
    stage.scene("between", &format!("A ping in a message of {}", many(fragments, "fragment")));
    let (client, server) = quick_hosts(stage);
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    wait(stage);
    let begun = stage.now();
    let mut sent = String::new();
    for number in 1..=fragments {
        let part = format!("part {number}. ");
        sent.push_str(&part);
        must(stage.send_fragment(from, &part, number == fragments));
        if number == 1 {
            must(stage.ping(from, "are you there?"));
            wait(stage);
        }
    }
    wait(stage);
    stage.show(View::LadderSince(begun), "The handshake is over. Look at where the pong is.");
    let run = stage.seen();
    let frames = run.websocket_frames(client);
    let rows = frames.iter().zip(1..).map(|(frame, number)| {
        let payload = String::from_utf8_lossy(&frame.payload()).into_owned();
        let fin = u8::from(frame.header.fin).to_string();
        vec![format!("no. {number}"), fin, frame.name().to_owned(), payload]
    });
    stage.table(
        &["frame", "FIN", "opcode", "payload"],
        rows.collect(),
        "The client's frames in order. Every fragment after the first has the opcode continuation.",
    );
    let (pong, whole) = (first(stage, from, is_pong), first(stage, to, is_message));
    stage.reveal(
        guess,
        |_| Answer::Choice(match (pong, whole) {
            (Some(pong), Some(whole)) if pong < whole => 3,
            (Some(_), Some(_)) => 2,
            (None, Some(_)) => 1,
            (_, None) => 0,
        }),
        "A control frame may come between fragments (RFC 6455 §5.4): otherwise a long message would keep an end from \
         asking for a sign of life, or from closing. That is why it must be short, and in one piece.",
    );
    stage.reveal(
        who,
        |run| {
            let by_program = run.count(|kind| matches!(kind, Kind::MessageSent { .. })) > 0;
            let pongs = run.websocket_frames(server).iter().filter(|frame| frame.name() == "pong").count();
            Answer::Choice(if by_program { 0 } else if pongs == 1 { 1 } else { 2 })
        },
        "It is a frame, so TCP knows nothing of it; and the server's program did nothing in this run. The WebSocket code \
         answers on its own, with the payload of the ping (RFC 6455 §5.5.3).",
    );
    let got = stage.messages(to);
    stage.check("the program gets one message, reassembled, without the ping", |_| {
        got.len() == 1 && got[0].1 == sent.as_bytes()
    });
}

/// Both ends speak at the same moment. Gives how long the server's news took, and the bytes of its frame.
fn both(stage: &mut Stage) -> (Duration, usize) {
    let delay = stage.network_knobs().link.delay;
    let guess = stage.ask_number(
        format!(
            "Both programs send a short message at the very same moment. The link takes {delay} one way. After how many \
             milliseconds has each of them got the other's?"
        ),
        "ms",
    );
    stage.scene("both", "Both at once");
    let (client, server) = quick_hosts(stage);
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    wait(stage);
    let begun = stage.now();
    must(stage.send_text(from, "from the client"));
    must(stage.send_text(to, "news"));
    wait(stage);
    stage
        .show(View::LadderSince(begun), "Two arrows leave at the same time. Neither end asked for anything.");
    let came = [from, to].map(|end| stage.messages(end).first().map(|(at, _)| at.since(begun)));
    let later = came.iter().flatten().max().copied().unwrap_or(Duration::ZERO);
    stage.fact("both_ms", format!("{:.1}", later.as_millis_f64()));
    stage.reveal(
        guess,
        |_| later.as_nanos() / 1_000_000,
        "The time of the path, and nothing else: the two directions of a TCP connection do not wait for each other, and \
         WebSocket hands them to both programs as they are. Bidirectional means just that: either end may speak unasked, \
         even while the other speaks.",
    );
    stage.check("both messages were on the wire at the same time", |run| {
        let frames: Vec<_> = run.data_segments().filter(|segment| segment.packet.at >= begun).collect();
        let sides: Vec<Instant> = [client, server]
            .iter()
            .filter_map(|host| frames.iter().find(|s| s.packet.from == host.id().place()))
            .map(|segment| segment.packet.at)
            .collect();
        sides.len() == 2 && sides[0] == sides[1]
    });
    let frame = stage.seen().websocket_frames(server).first().map_or(0, |frame| frame.bytes().len());
    (came[0].unwrap_or(Duration::ZERO), frame)
}

/// The same news, where one end may only answer.
fn asked(stage: &mut Stage, (pushed, frame): (Duration, usize)) {
    let guess = stage.ask_choice(
        format!(
            "Now with HTTP alone: the server may only answer. The client asks again {PAUSE} after each answer, and the \
             news arises just after one has left. When does the client have it?"
        ),
        &["as fast as with WebSocket", "after one more round trip", "after the next question is answered"],
    );
    stage.scene("asked", "The server must wait for a question");
    let (client, server) = quick_hosts(stage);
    stage.listen(server, PORT);
    let from = stage.connect(client, server, PORT);
    stage.run_until_state(from, "ESTABLISHED");
    wait(stage);
    let to = stage.accepted(server)[0];
    let begun = stage.now();
    ask(stage, from);
    stage.send(to, "HTTP/1.1 204 No Content\r\n\r\n");
    // Now the server knows something that the client does not.
    stage.run_for(Duration::from_millis(10));
    let news = stage.now();
    stage.run_for(stage.network_knobs().rtt() + PAUSE);
    ask(stage, from);
    stage.send(to, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnews");
    wait(stage);
    stage.show(
        View::LadderSince(begun),
        "The first answer is empty. The news that arises just after it waits.",
    );
    let run = stage.seen();
    let read = run
        .trace()
        .events
        .iter()
        .rev()
        .find(|event| event.place == client.id().place() && matches!(event.kind, Kind::AppRead { .. }));
    let late = read.map_or(Duration::ZERO, |event| event.at.since(news));
    let bytes: usize =
        run.data_segments().filter(|s| s.packet.at >= news).map(|segment| segment.tcp.len).sum();
    let rtt = stage.network_knobs().rtt();
    stage.table(
        &["news by", "ms until the client has it", "bytes of the program's protocol"],
        vec![
            vec!["WebSocket".into(), format!("{:.1}", pushed.as_millis_f64()), frame.to_string()],
            vec!["HTTP, asking".into(), format!("{:.1}", late.as_millis_f64()), bytes.to_string()],
        ],
        "The same four letters. The HTTP headers are very short here; a browser's are not.",
    );
    stage.fact("asked_ms", format!("{:.1}", late.as_millis_f64()));
    stage.reveal(
        guess,
        |_| Answer::Choice(if late > rtt + PAUSE / 2 { 2 } else if late > rtt { 1 } else { 0 }),
        "It waits for the next question, and the answer takes its time. Asking more often makes it faster and costs more \
         questions for nothing; long-polling, in lesson 19, leaves a question open instead. Where both ends have \
         something to say unasked, a connection that both may use is the right pattern.",
    );
    stage.check("the server never spoke unasked: as many answers as questions", |run| {
        let count = |begin: &str, host: Host| {
            run.writes(host).iter().filter(|bytes| bytes.starts_with(begin.as_bytes())).count()
        };
        count("GET ", client) == 2 && count("HTTP/1.1 ", server) == 2
    });
}

/// The closing handshake (RFC 6455 §7.1.2).
fn close(stage: &mut Stage) {
    let code = CloseCode(stage.knob(&CODE));
    let guess = stage.ask_choice(
        format!("The client sends a Close frame with code {}. What happens?", code.0),
        &[
            "the client ends the TCP connection at once",
            "the server sends a Close frame too, then it closes TCP",
            "nothing, until the server's program closes",
            "the server says that this is an error, and ends the connection",
        ],
    );
    stage.scene("close", &format!("Closed with {}", code.0));
    let (client, server) = quick_hosts(stage);
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    wait(stage);
    let begun = stage.now();
    let reason = CloseReason::new(code, "done");
    if let Err(error) = stage.close_websocket(from, &reason) {
        stage.say(format!(
            "The client's WebSocket code refuses: {error}. So this lesson writes the frame by hand, onto the TCP \
             connection."
        ));
        let payload = [&code.0.to_be_bytes()[..], b"done"].concat();
        let frame = masked(&FrameHeader::new(Opcode::Close, payload.len() as u64), &payload);
        stage.send(from, frame);
    }
    wait(stage);
    stage.show(View::LadderSince(begun), "A Close frame each way, and then TCP's own end.");
    let failed = first(stage, to, |event| matches!(event, Event::Failed(_))).is_some();
    let run = stage.seen();
    let answered = run.websocket_frames(server).iter().find(|frame| frame.name() == "close").map(|frame| {
        let payload = frame.payload();
        payload.first_chunk::<2>().map_or(0, |code| u16::from_be_bytes(*code))
    });
    stage.fact("close_answer", answered.unwrap_or(0));
    stage.reveal(
        guess,
        |run| {
            let fin = |host: Host| run.reached(host, "FIN-WAIT-1");
            Answer::Choice(match (answered, failed) {
                (_, true) => 3,
                (Some(_), false) if fin(server).is_some() => 1,
                (None, _) if fin(client).is_some() => 0,
                _ => 2,
            })
        },
        match failed {
            true => format!(
                "{} must not be on the wire (RFC 6455 §7.4): it has no meaning there, or one only inside a program.",
                code.0
            ),
            false => "Each side says that it is done. The server's answer shows that its WebSocket code has read all that \
                      came before, which an ACK alone does not. The server closes TCP first, so that TIME-WAIT is where \
                      it does no harm (RFC 6455 §7.1.1)."
                .to_owned(),
        },
    );
    stage.check("it is the server that closes TCP first", |run| {
        run.reached(server, "FIN-WAIT-1").is_some() && run.reached(client, "FIN-WAIT-1").is_none()
    });
    let rows = CODES.map(|(code, what)| {
        let sent = if CloseCode(code).is_valid_on_wire() { "yes" } else { "never" };
        vec![code.to_string(), what.to_owned(), sent.to_owned()]
    });
    stage.table(
        &["code", "meaning", "may be sent"],
        rows.to_vec(),
        "Some codes, and what our code says of them (RFC 6455 §7.4).",
    );
}

const CODES: [(u16, &str); 11] = [
    (1000, "done"),
    (1001, "going away: the server stops, the page was left"),
    (1002, "a rule of the protocol was broken"),
    (1005, "for programs: the Close frame had no code"),
    (1006, "for programs: there was no Close frame"),
    (1007, "text that is not UTF-8"),
    (1009, "a message too big"),
    (1011, "the server met a problem of its own"),
    (2999, "kept for the protocol itself"),
    (3000, "for libraries, by registration"),
    (4000, "for programs that have agreed on it"),
];

/// Frames that break a rule.
fn broken(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "A client sends a ping in two fragments. What does the server do?",
        &[
            "it puts them together and answers",
            "it answers the first",
            "it waits",
            "it ends the connection: 1002",
        ],
    );
    stage.scene("broken", "Frames that our own code never writes");
    let (client, server) = quick_hosts(stage);
    let fragment = |opcode, payload: &[u8]| {
        masked(&FrameHeader { fin: false, ..FrameHeader::new(opcode, payload.len() as u64) }, payload)
    };
    let whole = |opcode, payload: &[u8]| masked(&FrameHeader::new(opcode, payload.len() as u64), payload);
    let mut reserved = whole(Opcode::Text, b"");
    reserved[0] = 0x83;
    let frames: [(&str, Vec<u8>); 6] = [
        ("a fragment of a ping", fragment(Opcode::Ping, b"half")),
        ("a ping of 126 bytes", whole(Opcode::Ping, &[b'x'; 126])),
        ("opcode 3, which is reserved", reserved),
        ("a continuation of nothing", whole(Opcode::Continuation, b"more")),
        ("text that is not UTF-8", whole(Opcode::Text, b"\xff")),
        ("a Close with half a code", whole(Opcode::Close, b"\x03")),
    ];
    let (mut rows, mut codes) = (Vec::new(), Vec::new());
    for (port, (what, frame)) in (PORT..).zip(frames) {
        let (from, to) = stage.open_websocket(client, server, port, &Config::default());
        stage.send(from, frame);
        wait(stage);
        let failure = stage.events_of(to).into_iter().find_map(|(_, event)| match event {
            Event::Failed(failure) => Some(failure),
            _ => None,
        });
        let code = failure.as_ref().and_then(|failure| failure.code).map_or(0, |code| code.0);
        let expected = failure.map_or_else(String::new, |failure| failure.error.expected.to_string());
        rows.push(vec![what.to_owned(), code.to_string(), expected]);
        codes.push(code);
    }
    stage.table(
        &["from the client", "closed with", "what was expected"],
        rows,
        "Each on its own connection.",
    );
    stage.reveal(
        guess,
        |_| Answer::Choice(if codes[0] == 1002 { 3 } else { 0 }),
        "Control frames are never fragmented (RFC 6455 §5.5): each can be understood on its own, wherever it comes. A \
         frame that breaks the rule is answered with 1002, and the connection ends: two receivers that guessed what was \
         meant would guess differently.",
    );
    stage.check("each ends the connection: 1007 for invalid text, 1002 for the others", |_| {
        codes.iter().zip(0..).all(|(code, place)| *code == if place == 4 { 1007 } else { 1002 })
    });
}

/// A cable is cut, and neither end asks.
fn silent(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "A WebSocket is open and idle. Then the cable is cut. Which end notices, and when?",
        &["both TCPs, at once", "both TCPs, within a minute", "neither, for as long as neither sends"],
    );
    stage.scene("silent", "Idle, and the cable is cut");
    let (client, server) = quick_hosts(stage);
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    wait(stage);
    let begun = stage.now();
    cut(stage, client, server);
    stage.run_for(Duration::from_secs(60 * 60));
    let after = |run: &Seen| run.packets().iter().filter(|packet| packet.at >= begun).count();
    let states = [from, to].map(|end| stage.state(end));
    let waited = stage.now().since(begun);
    stage.show(View::Ladder, "The opening handshake is all there is: in the hour after it, no arrow.");
    let told = [from, to].map(|end| stage.events_of(end).len());
    stage.reveal(
        guess,
        |run| {
            let known = run.trace().events.iter().find(|event| {
                event.at >= begun && matches!(event.kind, Kind::StateChanged { .. } | Kind::Note { .. })
            });
            Answer::Choice(match known {
                None => 2,
                Some(event) if event.at.since(begun) < Duration::from_secs(1) => 0,
                Some(_) => 1,
            })
        },
        format!(
            "In {waited} after the cut no frame was sent, so nothing was missed. The client's connection is {}, the \
             server's is {}.",
            states[0], states[1]
        ),
    );
    stage.check("an hour later, both ends are ESTABLISHED, and nothing was sent since", |run| {
        states == ["ESTABLISHED"; 2] && after(run) == 0
    });
    stage.check("neither program heard anything but that the connection is open", |_| told == [1, 1]);
}

/// A cable is cut, and one end asks.
fn heartbeat(stage: &mut Stage) {
    let idle = stage.knob(&IDLE);
    let guess = stage.ask_number(
        format!(
            "The same, but the server's WebSocket code sends a ping after {idle} without a word, and waits {TIMEOUT} for \
             any sign of life. How many seconds after the last word does its program know?"
        ),
        "seconds",
    );
    stage.scene("heartbeat", "Idle, the cable is cut, and the server asks");
    let (client, server) = quick_hosts(stage);
    let asks = Config { keepalive: Some(Keepalive { idle, timeout: TIMEOUT }), ..Config::default() };
    let (from, to) = stage.open_websocket_with(client, server, PORT, &Config::default(), &asks);
    must(stage.send_text(from, "the last word"));
    // Long enough to be read and acknowledged, and not for a ping.
    stage.run_for(stage.network_knobs().rtt() + Duration::from_millis(10));
    let heard = first(stage, to, is_message).unwrap_or(stage.now());
    let begun = stage.now();
    cut(stage, client, server);
    stage.run_for(idle + TIMEOUT + Duration::from_secs(1));
    stage.show(
        View::LadderSince(begun),
        "From the cut on: one ping, retransmitted again and again by TCP; and last, the FIN.",
    );
    let known = first(stage, to, |event| matches!(event, Event::Failed(_))).unwrap_or(Instant::ZERO);
    let run = stage.seen();
    let pinged = run.data_segments().find(|s| s.packet.at >= begun).map(|segment| segment.packet.at);
    let again = run
        .trace()
        .events
        .iter()
        .filter(|event| event.at < known && matches!(event.kind, Kind::Retransmitted { .. }))
        .count();
    stage.run();
    let gave_up = stage.seen().reached(server, "CLOSED");
    let clients = stage.state(from);
    let seconds = |at: Option<Instant>| match at {
        Some(at) => format!("{:.1} s", at.since(heard).as_millis_f64() / 1000.0),
        None => "not in an hour".to_owned(),
    };
    let row = |what: &str, when: String| vec![what.to_owned(), when];
    stage.table(
        &["what happens", "after the last word"],
        vec![
            row("the server's WebSocket sends a ping", seconds(pinged)),
            row("in between, its TCP retransmits", format!("{again} times")),
            row("its program learns: no sign of life", seconds(Some(known))),
            row("its TCP gives up on its own", seconds(gave_up)),
            row(&format!("the client, which never asks, is {clients}"), "an hour later".into()),
        ],
        "TCP noticed something only because the ping gave it something to send.",
    );
    stage.fact("known_s", known.since(heard).as_nanos() / 1_000_000_000);
    stage.fact("tcp_gave_up", seconds(gave_up));
    stage.fact("again", again);
    stage.reveal(
        guess,
        |_| (known.since(heard).as_nanos() + 500_000_000) / 1_000_000_000,
        format!("{idle} of silence and {TIMEOUT} of waiting. To know sooner costs more pings."),
    );
    stage.check("the WebSocket's timeout ends it before TCP gives up", |_| {
        known > begun && gave_up.is_none_or(|gave_up| gave_up > known)
    });
    stage.check("the client, which did not ask, knows nothing: ESTABLISHED", |_| clients == "ESTABLISHED");
}

/// Two hosts whose TCP does not hold small segments back, as programs with WebSockets have it.
fn quick_hosts(stage: &mut Stage) -> (Host, Host) {
    let usual = stage.network_knobs().stack();
    let tcp = crate::layers::transport::tcp::Config { nodelay: true, ..usual.tcp };
    let config = StackConfig { tcp, ..usual };
    let (client, server) = (stage.host_with("client", &config), stage.host_with("server", &config));
    stage.link(client, server);
    stage.introduce();
    (client, server)
}

/// From now on nothing arrives.
fn cut(stage: &mut Stage, a: Host, b: Host) {
    for (from, to) in [(a, b), (b, a)] {
        stage.rule(from, to, fault::rule("the cable is cut", |_, _| Verdict::Drop));
    }
}

/// The client asks; time has passed until the server has read it.
fn ask(stage: &mut Stage, from: Socket) {
    stage.send(from, "GET /news HTTP/1.1\r\nHost: server.example\r\n\r\n");
    stage.run_for(stage.network_knobs().rtt() / 2 + Duration::from_millis(2));
}

/// A client's frame, written by hand.
fn masked(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut w = Writer::new();
    FrameHeader { mask: Some(key), ..*header }.emit(&mut w);
    let mut payload = payload.to_vec();
    apply_mask(key, 0, &mut payload);
    [w.as_slice(), &payload].concat()
}

/// Long enough for a message there and an answer back.
fn wait(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 3 + Duration::from_millis(50));
}

/// When a program first got an event of this kind.
fn first(stage: &mut Stage, end: Socket, wanted: fn(&Event) -> bool) -> Option<Instant> {
    stage.events_of(end).iter().find(|(_, event)| wanted(event)).map(|(at, _)| *at)
}

fn is_pong(event: &Event) -> bool {
    matches!(event, Event::Pong(_))
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message(_))
}

/// A command that the machine must take: the connection is open, and nothing else waits.
fn must(done: Result<(), SendError>) {
    done.expect("the script sends on an open connection");
}

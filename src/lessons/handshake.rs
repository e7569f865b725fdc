//! Lesson 8: how two ends agree where to begin to count, and what a lost segment of the handshake does.
//!
//! With `--flood` it goes on: an attacker sends SYNs and answers nothing, and `--syn-cookies` says what the server does.
//!
//! Left out: a SYN that carries data (TCP Fast Open, RFC 7413), simultaneous open.

use super::beat::Answer;
use super::knob::{DELAY, Range, SEED};
use super::picture::{Frame, View};
use super::stage::{Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::stack::StackConfig;
use crate::layers::transport::tcp::{Config, SynCookies};
use crate::sim::fault::{self, Verdict};
use crate::sim::knob::network;
use crate::trace::Kind;

/// A segment of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Nothing,
    Syn,
    SynAck,
    Ack,
}

const DROP: Knob<Lost> = Knob::choice(
    "drop",
    "ack",
    &[("none", Lost::Nothing), ("syn", Lost::Syn), ("syn-ack", Lost::SynAck), ("ack", Lost::Ack)],
    "which segment of the handshake is lost",
);

const FLOOD: Knob<usize> = Knob::count(
    "flood",
    "0",
    0,
    8,
    "SYNs of an attacker that a client meets at the server; 0 for no attacker",
);

const COOKIES: Knob<SynCookies> =
    // A server that always does has no half-open connection to show.
    network::SYN_COOKIES
        .at("off")
        .within(Range::Choice(&[("off", SynCookies::Off), ("on", SynCookies::On)]))
        .told("whether the server answers with SYN cookies when its backlog is full");

/// How many half-open connections the flooded server keeps: as few as a picture has room for.
const BACKLOG: usize = 3;

pub(super) const LESSON: Lesson = Lesson {
    id: "handshake",
    title: "the three-way handshake",
    layer: Layer::Transport,
    minutes: 25,
    misconception: "accept() makes the handshake",
    words: &[("ACK", "a flag of TCP: this segment says what has arrived")],
    cites: &[
        Cite { document: "RFC 9293", section: "3.5", what: "establishing a connection" },
        Cite { document: "RFC 9293", section: "3.3.2", what: "the states of a connection" },
        Cite { document: "RFC 9293", section: "3.4.1", what: "why a sequence does not begin at 0" },
        Cite { document: "RFC 6298", section: "5", what: "when a segment is retransmitted" },
    ],
    knobs: &[&DROP, &FLOOD, &COOKIES, &DELAY, &SEED],
    teacher: Teacher {
        vote: "The last ACK of the handshake is lost, then the client sends data. What does the server do?",
        choices: &["it resets", "it drops the data", "it accepts the data", "it waits forever"],
        surprise: "Every segment after the first carries an acknowledgment. Losing one of them loses nothing that \
                   the next one does not say again.",
    },
    script,
};

const PORT: u16 = 80;
const MESSAGE: &str = "hello";

fn script(stage: &mut Stage) {
    clean(stage);
    lossy(stage);
    closed(stage);
    if stage.knob(&FLOOD) > 0 {
        flooded(stage);
    }
    stage.instead(LESSON.misconception,
        "the two stacks make the handshake on their own. The server's program called `listen()` and nothing more; \
         `accept()` hands over a connection that is already established.",
    );
    stage.try_next(
        "netlayers lesson 8 --drop syn",
        "Predict first: who notices the loss, and after how long?",
    );
    stage.try_next(
        "netlayers lesson 8 --wire real",
        "The kernel's own stack, with a server that never accepts.",
    );
    stage.try_next("netlayers lesson 8 --wire kernel", "Our SYN, the kernel's answer: what does each offer?");
    stage.try_next(
        "netlayers compare hello",
        "What the handshake costs, beside UDP, which has none; and what hosts of today offer in it, where the lessons \
         have a bare TCP.",
    );
}

/// The handshake as it should be.
fn clean(stage: &mut Stage) {
    stage.say(
        "TCP numbers every byte, so each end must know where the other begins to count. A segment with the flag SYN \
         says so, and each SYN must be acknowledged.",
    );
    let guess = stage.ask_number(
        "A client connects and then sends \"hello\". How many segments cross the wire before the one with the data?",
        "segments",
    );
    stage.scene("clean", "A handshake, then \"hello\"");
    let (client, server) = stage.two_hosts();
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    let rtt = stage.network_knobs().rtt();
    // The acknowledgment has time to arrive, so that it does not ride on the data.
    stage.run_for(rtt * 2 + Duration::from_millis(10));
    stage.send(socket, MESSAGE);
    stage.run();
    stage.show(View::Ladder, "Outside the lines: the state of each end. Inside: what is on the wire.");

    let run = stage.seen();
    let before = run.segments().take_while(|segment| segment.tcp.len == 0).count();
    stage.fact("segments", before);
    stage.fact("rtt", rtt);
    stage.reveal(
        guess,
        |run| run.segments().take_while(|segment| segment.tcp.len == 0).count(),
        "SYN: \"I begin at x.\" SYN ACK: \"I got x, and I begin at y.\" ACK: \"I got y.\" The answer to the first \
         SYN and the server's own SYN share one segment; otherwise there would be one more.",
    );
    stage.check("both ends are ESTABLISHED, each by its own path", |run| {
        run.states(client) == ["SYN-SENT", "ESTABLISHED"]
            && run.states(server) == ["SYN-RECEIVED", "ESTABLISHED"]
    });
    stage.check(
        "the client may send one round trip after it began, the server half a round trip later",
        |run| {
            run.reached(client, "ESTABLISHED") < run.reached(server, "ESTABLISHED")
                && run.reached(client, "ESTABLISHED").is_some_and(|at| at.as_nanos() >= rtt.as_nanos())
        },
    );
    stage.check("until then the server's program had no part in it", |run| {
        let established = run.reached(server, "ESTABLISHED");
        run.first_read(server) > established && run.writes(server).is_empty()
    });
    if let Some(syn) = run.segments().find(|segment| segment.tcp.flags.syn) {
        stage.show(
            View::Header(Frame::Number(syn.packet.packet.number), Some("TCP")),
            format!(
                "The SYN. Its sequence number is {}: a clock plus a keyed hash of the connection's addresses and ports, \
                 seeded here. It keeps segments of an old connection apart from the new one, and is hard to guess from \
                 outside. The ladder counts from 0 instead.",
                syn.tcp.seq_raw
            ),
        );
    }
}

/// The handshake with a segment missing.
fn lossy(stage: &mut Stage) {
    let drop = stage.knob(&DROP);
    let (name, question): (_, &str) = match drop {
        Lost::Syn => ("SYN", "The client's SYN is lost. What happens?"),
        Lost::SynAck => ("SYN ACK", "The server's SYN ACK is lost. What happens?"),
        Lost::Ack => ("last ACK", "The last ACK is lost, and then the client sends \"hello\". What happens?"),
        Lost::Nothing => ("nothing", "Nothing is lost this time. What happens?"),
    };
    let guess = stage.ask_choice(
        question,
        &[
            "the server answers the data with a reset: to it there is no connection",
            "a timer expires, a segment is retransmitted, and then \"hello\" arrives",
            "\"hello\" arrives as if nothing had been lost",
            "both wait forever",
        ],
    );
    stage.scene("lossy", &format!("The same; {name} is lost"));
    let (client, server) = stage.two_hosts();
    match drop {
        Lost::Syn => {
            stage.rule(client, server, fault::nth("loses the SYN", 1, packet::is_syn, Verdict::Drop));
        }
        Lost::SynAck => {
            stage.rule(server, client, fault::nth("loses the SYN ACK", 1, packet::is_syn_ack, Verdict::Drop));
        }
        Lost::Ack => {
            stage.rule(client, server, fault::nth("loses the ACK", 1, packet::is_bare_ack, Verdict::Drop));
        }
        Lost::Nothing => {}
    }
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    stage.run_for(Duration::from_millis(10));
    stage.send(socket, MESSAGE);
    stage.run();
    stage.show(View::Ladder, "An arrow that ends in a cross was lost.");

    let run = stage.seen();
    let again = stage.fact("sent_again", run.retransmitted());
    let why = match (again, drop) {
        (0, Lost::Nothing) => "Nothing was lost, so there was nothing to repair.".to_string(),
        (0, _) => {
            "The segment with the data carries the same acknowledgment as the lost ACK: every segment after \
                   the first SYN has one. It moves the server to ESTABLISHED, and its data is accepted at once."
                .to_string()
        }
        (again, _) => {
            let waited = run.trace().events.iter().find_map(|event| match &event.kind {
                Kind::Retransmitted { .. } => Some(event.at),
                _ => None,
            });
            let waited = waited
                .map_or_else(String::new, |at| format!(" {:.0} ms after the start", at.as_millis_f64()));
            format!(
                "The end that waits for an answer has a retransmission timer. It expired{waited}; retransmitted: \
                 {again}. Until a round trip has been measured, the timer is set to one second."
            )
        }
    };
    stage.reveal(
        guess,
        |run| {
            let arrived = run.reads(server).concat() == MESSAGE.as_bytes();
            let reset = run.segments().any(|segment| segment.tcp.flags.rst);
            Answer::Choice(match (arrived, reset, run.retransmitted()) {
                (true, _, 0) => 2,
                (true, _, _) => 1,
                (false, true, _) => 0,
                (false, false, _) => 3,
            })
        },
        why,
    );
    stage.check("the server's program still got \"hello\"", |run| {
        run.reads(server).concat() == MESSAGE.as_bytes()
    });
}

/// A port without a listener.
fn closed(stage: &mut Stage) {
    let guess = stage.ask_words("And if no program listens on the port? What comes back, if anything?");
    stage.scene("closed", "No listener");
    let (client, server) = stage.two_hosts();
    let socket = stage.connect(client, server, PORT);
    stage.run();
    stage.show(View::Ladder, "The answer of a host on which no program listens at that port.");
    let state = stage.state(socket);
    stage.reveal(
        guess,
        |run| match run.segments().nth(1) {
            Some(answer) if answer.tcp.flags.rst => "a reset (RST), from the server's stack",
            Some(_) => "another segment",
            None => "nothing",
        },
        format!(
            "The stack answers on its own: there is no program that could. The client's connection is {state}, and \
             its program gets the error \"connection refused\"."
        ),
    );
    stage.check("the refusal is a reset, and takes one round trip", |run| {
        run.frames() == 2 && run.segments().nth(1).is_some_and(|answer| answer.tcp.flags.rst)
    });
}

/// A server whose backlog an attacker fills.
fn flooded(stage: &mut Stage) {
    let (syns, cookies) = (stage.knob(&FLOOD), stage.knob(&COOKIES));
    stage.say(format!(
        "A SYN costs its sender nothing, and the server memory: it keeps each half-open connection in its backlog until \
         the last ACK comes. Now an attacker sends SYNs ({syns}) from addresses that no host has, so that no answer ever \
         arrives; the server keeps at most {BACKLOG}."
    ));
    let guess = stage.ask_choice(
        match cookies {
            SynCookies::Off => "Then a client connects and sends \"hello\". What happens to it?",
            _ => {
                "Then a client connects and sends \"hello\". The server knows SYN cookies. What happens to the client?"
            }
        },
        &["it is served at once", "its SYN is dropped: it tries again, and waits", "it is reset"],
    );
    stage.scene("flooded", "A flood of SYNs, then a client");
    let plain = stage.network_knobs().stack();
    let with = |tcp: Config| StackConfig { tcp, ..plain.clone() };
    let client = stage.host("client");
    let server = stage
        .host_with("server", &with(Config { backlog: BACKLOG, syn_cookies: cookies, ..plain.tcp.clone() }));
    // Its tool sends each SYN once.
    let once = Config { initial_rto: Duration::from_secs(60), ..plain.tcp.clone() };
    let attacker = stage.host_with("attacker", &with(once));
    stage.link(client, server);
    stage.link(attacker, server);
    stage.introduce();
    stage.rule(server, attacker, fault::rule("no such host", |_, _| Verdict::Drop));
    stage.listen(server, PORT);
    for _ in 0..syns {
        stage.connect(attacker, server, PORT);
    }
    let rtt = stage.network_knobs().rtt();
    stage.run_for(rtt + Duration::from_millis(10));
    let began = stage.now();
    let socket = stage.connect(client, server, PORT);
    stage.send(socket, MESSAGE);
    stage.run_for(Duration::from_millis(1500));
    stage.show(View::Ladder, "What is lost on its way to the attacker was for addresses that no host has.");

    let full = syns >= BACKLOG;
    let served = !full || cookies != SynCookies::Off;
    let why = match (cookies, full) {
        (_, false) => "The backlog still has room for it. One attacker of more patience would change that.",
        (SynCookies::On | SynCookies::Always, true) => {
            "With its backlog full the server keeps nothing more: the number of its SYN ACK is a *cookie*, made of both \
             addresses and ports, the segment size, the time and a secret. The client's ACK brings it back, and only \
             then is there a connection. A cookie has no room for a window scale, so there is none."
        }
        (SynCookies::Off, true) => {
            "The server drops its SYN without a word: the backlog is full of connections that no one will ever complete. \
             The client's timer sends it again, and finds no room either, for three minutes."
        }
    };
    stage.reveal(
        guess,
        |run| {
            let reset = run.segments().any(|segment| segment.tcp.flags.rst);
            Answer::Choice(match (run.reads(server).concat() == MESSAGE.as_bytes(), reset) {
                (true, _) => 0,
                (false, false) => 1,
                (false, true) => 2,
            })
        },
        why,
    );
    stage.check("the client is served exactly if there is room, or need of none", |run| {
        (run.reads(server).concat() == MESSAGE.as_bytes()) == served
            && run.first_read(server).is_none_or(|at| at < began + rtt * 2 + Duration::from_millis(50))
    });
}

//! Lesson 8: how two ends agree where to begin to count, and what a lost segment of the handshake does.
//!
//! Left out: a SYN that carries data (TCP Fast Open, RFC 7413), simultaneous open, SYN cookies.

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::picture::{Frame, View};
use super::stage::{Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::sim::fault::{self, Verdict};
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

/// The lesson.
pub(super) const LESSON: Lesson = Lesson {
    id: "handshake",
    number: 8,
    title: "the three-way handshake",
    layer: Layer::Transport,
    minutes: 25,
    misconception: "accept() makes the handshake",
    cites: &[
        Cite { document: "RFC 9293", section: "3.5", what: "establishing a connection" },
        Cite { document: "RFC 9293", section: "3.3.2", what: "the states of a connection" },
        Cite { document: "RFC 9293", section: "3.4.1", what: "why a sequence does not begin at 0" },
        Cite { document: "RFC 6298", section: "5", what: "when a segment is sent again" },
    ],
    knobs: &[&DROP, &DELAY, &SEED],
    teacher: Teacher {
        vote: "The last ACK of the handshake is lost, then the client sends data. What does the server do?",
        choices: &["it resets", "it drops the data", "it takes the data", "it waits for ever"],
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
    stage.instead(LESSON.misconception,
        "the stacks make the handshake by themselves. The server's program called `listen()` and nothing more; \
         `accept()` hands over a connection that stands already.",
    );
    stage.try_next(
        "netlayers lesson 8 --drop syn",
        "Predict first: who notices the loss, and after how long?",
    );
    stage.try_next(
        "netlayers lesson 8 --wire real",
        "The kernel's own stack, with a server that never accepts.",
    );
    stage.try_next("netlayers compare hello", "What the handshake costs, beside UDP, which has none.");
}

/// The handshake as it should be.
fn clean(stage: &mut Stage) {
    stage.say(
        "TCP numbers every byte, so both ends must know where the other begins to count. They tell each other in \
         segments with the flag SYN, and each SYN must be acknowledged.",
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
    // The acknowledgment is under way long enough to arrive: the data shall not take its place.
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
         SYN and the server's own SYN share one segment; else there would be one more.",
    );
    stage.check("both ends are ESTABLISHED, each by its own path", |run| {
        run.states(client) == ["SYN-SENT", "ESTABLISHED"]
            && run.states(server) == ["SYN-RECEIVED", "ESTABLISHED"]
    });
    stage.check("the client may speak one round trip after it began, the server half a trip later", |run| {
        run.reached(client, "ESTABLISHED") < run.reached(server, "ESTABLISHED")
            && run.reached(client, "ESTABLISHED").is_some_and(|at| at.as_nanos() >= rtt.as_nanos())
    });
    stage.check("until then the server's program was not asked anything", |run| {
        let stood = run.reached(server, "ESTABLISHED");
        run.first_read(server) > stood && run.writes(server).is_empty()
    });
    if let Some(syn) = run.segments().find(|segment| segment.tcp.flags.syn) {
        stage.show(
            View::Header(Frame::Number(syn.packet.packet.number), Some("TCP")),
            format!(
                "The SYN. Its sequence number is {}: chosen at random, so that a stranger cannot guess it. The \
                 ladder counts from 0 instead.",
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
            "a timer runs out, a segment is sent again, and then \"hello\" arrives",
            "\"hello\" arrives as if nothing had been lost",
            "both wait for ever",
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
        (0, Lost::Nothing) => "Nothing was lost, so there was nothing to mend.".to_string(),
        (0, _) => {
            "The segment with the data carries the same acknowledgment as the lost ACK: every segment after \
                   the first SYN has one. It takes the server to ESTABLISHED, and its data count at once."
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
                "Whoever sent the lost segment, or waits for its answer, has a timer. It ran out{waited}; sent \
                 again: {again}. Before a round trip was measured the timer stands at one second."
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
    stage.check("the server's program got \"hello\" all the same", |run| {
        run.reads(server).concat() == MESSAGE.as_bytes()
    });
}

/// A port that nobody listens on.
fn closed(stage: &mut Stage) {
    let guess = stage.ask_words("And if nobody listens on the port? What comes back, if anything?");
    stage.scene("closed", "Nobody listens");
    let (client, server) = stage.two_hosts();
    let socket = stage.connect(client, server, PORT);
    stage.run();
    stage.show(View::Ladder, "The answer of a host that has no such door.");
    let state = stage.state(socket);
    stage.reveal(
        guess,
        |run| match run.segments().nth(1) {
            Some(answer) if answer.tcp.flags.rst => "a reset (RST), from the server's stack",
            Some(_) => "another segment",
            None => "nothing",
        },
        format!(
            "The stack answers by itself: there is no program that could. The client's connection is {state}, and \
             its program is told \"connection refused\"."
        ),
    );
    stage.check("the refusal is a reset, and takes one round trip", |run| {
        run.frames() == 2 && run.segments().nth(1).is_some_and(|answer| answer.tcp.flags.rst)
    });
}

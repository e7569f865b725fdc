//! Lesson 14: how a connection ends: each direction for itself, politely or at once, and what remains of it.
//!
//! Left out: both ends closing at the same moment (RFC 9293 figure 13; turn `--first both`), keep-alive, how TIME-WAIT
//! may be cut short (RFC 6191).

use super::beat::Answer;
use super::knob::{DELAY, SEED};
use super::picture::View;
use super::pinned::{self, MSS, PORT};
use super::stage::{Host, Seen, Socket, Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::sim::fault::{self, Verdict};
use crate::trace::Kind;

/// Which end closes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Client,
    Server,
    Both,
}

const FIRST: Knob<First> = Knob::choice(
    "first",
    "client",
    &[("client", First::Client), ("server", First::Server), ("both", First::Both)],
    "which end closes first",
);
const REPLY: Knob<usize> = Knob::bytes("reply", "3000", 1, 20_000, "bytes that the server still has to say");

pub(super) const LESSON: Lesson = Lesson {
    id: "closing",
    title: "closing",
    layer: Layer::Transport,
    minutes: 20,
    misconception: "after close() the other end has everything",
    words: &[
        ("FIN", "a flag: this is the last; other protocols have one, too"),
        ("half-close", "one direction is closed, the other goes on"),
        ("TIME-WAIT", "the state of a connection that is over, and remembered"),
        ("RST", "a flag of TCP: this connection is over at once"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "3.6", what: "closing a connection" },
        Cite { document: "RFC 9293", section: "3.6.1", what: "half-closed connections, and TIME-WAIT" },
        Cite { document: "RFC 9293", section: "3.3.2", what: "the states of a connection, one by one" },
        Cite { document: "RFC 9293", section: "3.5.2", what: "when a reset is sent" },
        Cite { document: "RFC 2525", section: "2.17", what: "closing with data that was not read" },
    ],
    knobs: &[&FIRST, &REPLY, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A server closes each connection after its answer. Ten thousand clients were served in the last minute. \
               Where are ten thousand connections in TIME-WAIT?",
        choices: &["at the server", "at the clients, one each", "at both", "nowhere: they are closed"],
        surprise: "With --first both there are two of them: both ends say FIN before they hear the other's, pass through \
                   CLOSING, and both wait. When the class asks what TIME-WAIT costs: a little memory, and that the same \
                   pair of addresses and ports stays taken. A listener is not disturbed by it.",
    },
    script,
};

fn script(stage: &mut Stage) {
    polite(stage);
    last_ack(stage);
    half(stage);
    unplugged(stage);
    reset(stage);
    stage.instead(LESSON.misconception,
        "`close()` hands the rest of the work to the stack and returns. It says nothing about the other end. A program that \
         wants to know closes only its own direction, and then reads until the other end closes too; or it waits for an \
         answer in the stream.",
    );
    stage.try_next("netlayers lesson 14 --first server", "As web servers did. Predict where TIME-WAIT is.");
    stage.try_next("netlayers lesson 14 --first both", "Predict the states of both ends.");
    stage.try_next("netlayers lesson 14 --wire real", "The kernel's TCP: its states, as it tells them.");
    stage.try_next("netlayers check states", "Make: the states from ESTABLISHED to CLOSED.");
    stage.try_next("netlayers check half_close", "Make: a server that knows when the question ends.");
}

/// A connection between a client and a server, and the server's socket.
fn open(stage: &mut Stage) -> (Host, Host, Socket, Socket) {
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    let (near, far) = between(stage, client, server);
    (client, server, near, far)
}

fn between(stage: &mut Stage, client: Host, server: Host) -> (Socket, Socket) {
    let near = pinned::connect(stage, client, server);
    let far = stage.accepted(server).first().copied().expect("the server has accepted it");
    (near, far)
}

/// Time for everything to get there and back.
fn pause(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 2 + Duration::from_millis(50));
}

/// Whether a host's connection was in TIME-WAIT.
fn waits(run: &Seen, host: Host) -> bool {
    run.states(host).contains(&"TIME-WAIT")
}

/// One end closes, then the other.
fn polite(stage: &mut Stage) {
    let first = stage.knob(&FIRST);
    stage.say(
        "A connection is two streams, one in each direction. An end that has nothing more to send says so with the flag \
         FIN. It is numbered like a byte, so it comes after all data, is acknowledged, and is sent again when it is lost.",
    );
    let who = match first {
        First::Client => {
            "The client closes; when the server's program reads the end of the stream, it closes too"
        }
        First::Server => {
            "The server closes; when the client's program reads the end of the stream, it closes too"
        }
        First::Both => "Both ends close at the same moment",
    };
    let guess = stage.ask_choice(
        format!("{who}. For a minute after that, one state is left over, TIME-WAIT. Where is it?"),
        &["at the client", "at the server", "at both ends", "at neither: closed is closed"],
    );
    stage.scene("polite", "A connection is closed");
    let (client, server, near, far) = open(stage);
    let began = stage.now();
    let (one, other) = if first == First::Server { (far, near) } else { (near, far) };
    stage.close(one);
    if first != First::Both {
        pause(stage);
    }
    stage.close(other);
    stage.run();
    stage.show(View::LadderSince(began), "Read the states at the outer edges, from top to bottom.");
    let run = stage.seen();
    let lasted = [client, server].into_iter().filter_map(|host| {
        let from = run.reached(host, "TIME-WAIT")?;
        Some(run.reached(host, "CLOSED")?.since(from))
    });
    let lasted = lasted.max().unwrap_or(Duration::ZERO);
    stage.fact("time_wait", lasted);
    stage.reveal(
        guess,
        |run| {
            Answer::Choice(match (waits(run, client), waits(run, server)) {
                (true, false) => 0,
                (false, true) => 1,
                (true, true) => 2,
                (false, false) => 3,
            })
        },
        format!(
            "Always at the end that closed first: it sends the last ACK and cannot know whether that arrived. The other one \
             is done when it has that ACK. TIME-WAIT lasted {lasted} here, twice the time that a segment may live."
        ),
    );
    let fins = if first == First::Both { 2 } else { 1 };
    stage.check("each direction ends with a FIN of its own", |run| {
        run.segments().filter(|segment| segment.tcp.flags.fin).count() == 2
    });
    let ends = [client, server].into_iter().filter(|host| waits(&run, *host)).count();
    stage.check("TIME-WAIT is where a FIN was sent before the other's came", |_| ends == fins);
}

/// What TIME-WAIT is good for.
fn last_ack(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "The client closes first, and its last ACK is lost. The server knows nothing of that, and its timer expires. What \
         happens?",
        &[
            "the server sends its FIN again, and the client acknowledges it again",
            "the server sends its FIN again, and gets a RST: there is no such connection",
            "the server waits in vain until it gives up",
        ],
    );
    stage.scene("last", "The last ACK is lost");
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    let (near, far) = between(stage, client, server);
    let mut after_fin = 0;
    let rule = fault::rule("loses the last ACK", move |frame, _| {
        after_fin += usize::from(packet::is_fin(frame));
        let lose = after_fin == 1 && packet::is_bare_ack(frame);
        after_fin += usize::from(lose);
        if lose { Verdict::Drop } else { Verdict::Pass }
    });
    stage.rule(client, server, rule);
    let began = stage.now();
    stage.close(near);
    pause(stage);
    stage.close(far);
    stage.run();
    stage.show(View::LadderSince(began), "The server's FIN comes twice, and is answered twice.");
    stage.reveal(
        guess,
        |run| {
            let reset = run.segments().any(|segment| segment.tcp.flags.rst);
            let fins = run.segments().filter(|s| s.tcp.flags.fin && s.packet.from == server.id().place()).count();
            Answer::Choice(match (fins, reset) {
                (2.., false) => 0,
                (2.., true) => 1,
                _ => 2,
            })
        },
        "This is what TIME-WAIT is for: somebody must be there to answer. It also keeps the pair of addresses and ports \
         taken until no old segment can turn up in a new connection between the same two.",
    );
    stage.check("both ends come to CLOSED without a reset", |run| {
        run.states(client).last() == Some(&"CLOSED")
            && run.states(server).last() == Some(&"CLOSED")
            && !run.segments().any(|segment| segment.tcp.flags.rst)
    });
}

/// One direction is closed, and the other still in use.
fn half(stage: &mut Stage) {
    let answer = stage.knob(&REPLY);
    let guess = stage.ask_choice(
        format!(
            "A client sends its question and closes its direction at once: FIN. The server has an answer of {answer} bytes. \
             What becomes of it?"
        ),
        &["it arrives", "the server cannot send it: the connection is closed", "it is sent, and answered by a RST"],
    );
    stage.scene("half", "The question ends, then the answer comes");
    let (client, server, near, far) = open(stage);
    let began = stage.now();
    stage.send(near, "what is the time?");
    stage.close(near);
    pause(stage);
    stage.send(far, vec![b'x'; answer]);
    stage.close(far);
    stage.run();
    stage.show(View::LadderSince(began), "Data after a FIN: but in the other direction.");
    stage.reveal(
        guess,
        |run| {
            let got = run.reads(client).concat().len();
            Answer::Choice(if got == answer { 0 } else if run.segments().any(|s| s.tcp.flags.rst) { 2 } else { 1 })
        },
        "A half-close: the client says \"I will send no more\" and not \"I will listen no more\". The server's program reads \
         the end of the stream, and so knows that the question is complete. Programs do it with `shutdown()`.",
    );
    stage.check("the client was in FIN-WAIT-2 while the answer came", |run| {
        run.reached(client, "FIN-WAIT-2") < run.first_read(client)
            && run.first_read(client) < run.reached(client, "TIME-WAIT").or(Some(Instant::NEVER))
            && run.reads(server).concat() == b"what is the time?"
    });
}

/// What `close()` promises.
fn unplugged(stage: &mut Stage) {
    const WRITTEN: usize = 3 * MSS;
    let guess = stage.ask_choice(
        format!(
            "A program writes {WRITTEN} bytes and closes. In this moment the cable is pulled. What do the write and \
             `close()` tell the program?"
        ),
        &["both succeed", "the write succeeds, `close()` fails", "both fail", "`close()` waits until it is plugged in again"],
    );
    stage.scene("unplugged", "The cable is pulled");
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    let (near, _) = between(stage, client, server);
    let began = stage.now();
    let cable = Instant::from_nanos(u64::MAX);
    stage.rule(client, server, fault::outage(began, cable));
    stage.rule(server, client, fault::outage(began, cable));
    let taken = stage.send(near, vec![b'x'; WRITTEN]);
    stage.close(near);
    let returned = stage.now();
    stage.run();
    let run = stage.seen();
    let gave_up = run.reached(client, "CLOSED").map_or(Duration::ZERO, |at| at.since(began));
    let tries = run.data_segments().filter(|segment| segment.tcp.retransmission).count();
    stage.table(
        &["what", "result"],
        vec![
            vec!["bytes that the write took".into(), taken.to_string()],
            vec!["time until `close()` returned".into(), returned.since(began).to_string()],
            vec!["bytes that the server's program read".into(), run.reads(server).concat().len().to_string()],
            vec!["segments that were sent again".into(), tries.to_string()],
            vec!["time until the client's TCP gave up".into(), format!("{:.0} s", gave_up.as_secs_f64())],
        ],
        "What the program was told, and what happened after it.",
    );
    stage.fact("gave_up_s", format!("{:.0}", gave_up.as_secs_f64()));
    stage.reveal(
        guess,
        |run| {
            let arrived = run.reads(server).concat().len();
            Answer::Choice(if taken == WRITTEN && returned == began && arrived == 0 { 0 } else { 3 })
        },
        format!(
            "Both return at once: the bytes are in the send buffer, and the rest is the stack's work. The stack tried for \
             {:.0} s, and when it gave up, the program was long gone. Nothing had arrived.",
            gave_up.as_secs_f64()
        ),
    );
    stage.check("the server's program got nothing", |run| run.reads(server).is_empty());
}

/// An end that closes without having read.
fn reset(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "One more. The client sends bytes; the server's program reads none of them, and ends. What does the server's TCP \
         send?",
        &["a FIN, as always", "a RST", "nothing"],
    );
    stage.scene("reset", "A program ends without reading");
    let (client, server) = pinned::hosts(stage, &pinned::tcp(stage));
    stage.read_late(server);
    let (near, far) = between(stage, client, server);
    let began = stage.now();
    stage.send(near, vec![b'x'; MSS]);
    pause(stage);
    stage.close_both(far);
    pause(stage);
    stage.show(View::LadderSince(began), "The segment was acknowledged, and never read.");
    stage.reveal(
        guess,
        |run| {
            let from_server = |s: &super::stage::Segment<'_>| s.packet.from == server.id().place();
            let reset = run.segments().any(|s| s.tcp.flags.rst && from_server(&s));
            let fin = run.segments().any(|s| s.tcp.flags.fin && from_server(&s));
            Answer::Choice(if reset { 1 } else if fin { 0 } else { 2 })
        },
        "A FIN would say: I have read all, and have nothing more to send. That would be a lie, so the stack says RST: data \
         was lost. The client's program gets an error instead of the end of a stream.",
    );
    stage.check("the client's connection is over without TIME-WAIT", |run| {
        run.states(client).last() == Some(&"CLOSED") && !waits(run, client)
    });
    stage.check("nothing was read", |run| {
        run.count(|kind| matches!(kind, Kind::AppRead { flow, .. } if flow.local().port() == PORT)) == 0
    });
}

//! Lesson 11: a slow reader, and how its TCP keeps a fast writer from sending more than there is room for.
//!
//! Left out: windows beyond 65,535 bytes (RFC 7323 §2), buffers that grow by themselves, a receiver that takes room back.

use super::beat::Answer;
use super::knob::{DELAY, Range, SEED};
use super::picture::View;
use super::pinned::{self, MSS};
use super::stage::{Host, Seen, Socket, Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Instant, Layer};
use crate::layers::transport::tcp::Config;
use crate::sim::fault::{self, Verdict};
use crate::sim::knob::network;
use crate::trace::Kind;

const RECV: Knob<usize> = network::RECV_BUFFER
    .at("4000")
    .within(Range::Bytes(2000, 20_000))
    .told("bytes that the receiver's TCP has room for");
const SEND: Knob<usize> = network::SEND_BUFFER
    .at("4000")
    .within(Range::Bytes(2000, 20_000))
    .told("bytes that the sender's TCP has room for");
const TAKE: Knob<usize> = Knob::bytes("take", "100", 1, 2000, "bytes that each read takes");

pub(super) const LESSON: Lesson = Lesson {
    id: "flow",
    title: "flow control",
    layer: Layer::Transport,
    minutes: 30,
    misconception: "what a write has taken is delivered",
    words: &[
        ("flow control", "how a receiver keeps its sender from sending too much"),
        ("window", "how many more bytes a receiver has room for"),
        ("zero window", "a window of no bytes"),
        ("silly window", "a window of a few bytes"),
        ("back-pressure", "a slow reader slows its writer down"),
    ],
    cites: &[
        Cite { document: "RFC 9293", section: "3.8.6", what: "managing the window" },
        Cite { document: "RFC 9293", section: "3.8.6.1", what: "probing a window of 0" },
        Cite {
            document: "RFC 9293",
            section: "3.8.6.2",
            what: "silly windows, and how both ends avoid them",
        },
        Cite { document: "RFC 9293", section: "3.1", what: "the window in the header" },
    ],
    knobs: &[&RECV, &SEND, &TAKE, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A program sends a large file to a program that has stopped reading. Where are the bytes after a minute?",
        choices: &[
            "all at the receiver",
            "some in each of the two buffers, the rest still in the program",
            "on the wire",
            "lost",
        ],
        surprise: "The class expects an error at the writer. There is none: as long as its probes are answered, TCP waits, \
                   for hours if need be (RFC 9293 §3.8.6.1). A program that wants to give up must say after how long.",
    },
    script,
};

/// How much the client's program wants to write beyond both buffers.
const MORE: usize = 4000;
/// How long the server's program does nothing.
const ASLEEP: Duration = Duration::from_secs(20);

fn script(stage: &mut Stage) {
    stopped(stage);
    lost_update(stage);
    sips(stage);
    stage.instead(LESSON.misconception,
        "a write that returns has put its bytes into a buffer of the writer's own host. From there they go to a buffer of \
         the other host, and some time later a program reads them, or never. That a write has to wait is the only sign of \
         a slow reader, and it comes when two buffers are full.",
    );
    stage.try_next(
        "netlayers lesson 11 --recv-buffer 20000",
        "A larger buffer at the receiver. Predict what the writer notices, and when.",
    );
    stage.try_next("netlayers lesson 11 --take 2000", "Large reads. Predict how often room is announced.");
    stage.try_next(
        "netlayers lesson 11 --wire real",
        "The kernel: how much it takes from a writer without a reader.",
    );
    stage.try_next("netlayers check usable", "Make: how much may be sent now?");
    stage.try_next("netlayers check announce", "Make: when is more room worth an ACK?");
}

/// The client's and the server's TCP.
fn tcp(stage: &Stage) -> (Config, Config) {
    let plain = pinned::tcp(stage);
    let client = Config { send_buffer: stage.knob(&SEND), ..plain };
    (client, Config { recv_buffer: stage.knob(&RECV), ..plain })
}

/// A server whose program does not read, and a connection to it.
fn slow_reader(stage: &mut Stage) -> (Host, Host, Socket) {
    let (near, far) = tcp(stage);
    let (client, server) = pinned::hosts_with(stage, &near, &far);
    stage.read_late(server);
    let socket = pinned::connect(stage, client, server);
    (client, server, socket)
}

/// What the server's segments announce: when each left, its acknowledgment number, its window.
fn announced(run: &Seen, server: Host, since: Instant) -> Vec<(f64, u64, u32)> {
    let from_server = run.segments().filter(|s| s.packet.from == server.id().place() && s.packet.at >= since);
    let told = from_server.map(|s| (s.packet.at.as_millis_f64(), s.tcp.ack.unwrap_or(0), s.tcp.window));
    told.collect()
}

/// A buffer as a bar: `#` for what is in it.
fn bar(used: usize, size: usize) -> String {
    const WIDTH: usize = 12;
    let filled = (used * WIDTH).div_ceil(size.max(1)).min(WIDTH);
    "#".repeat(filled) + &".".repeat(WIDTH - filled)
}

/// The reader stops reading.
fn stopped(stage: &mut Stage) {
    let (room, own) = (stage.knob(&RECV), stage.knob(&SEND));
    let total = room + own + MORE;
    stage.say(
        "In every segment TCP says how many more bytes it has room for: its window. A sender never sends more than that. \
         This is flow control.",
    );
    let taken = stage.ask_number(
        format!(
            "A program wants to write {total} bytes. Its own TCP has a buffer of {own} bytes, the other end's one of \
             {room}, and the program there reads nothing. How many bytes does the writer get rid of?"
        ),
        "bytes",
    );
    let sees = stage.ask_choice(
        "And what does the writer see then?",
        &["an error", "its write waits, or takes nothing", "nothing: it goes on, and the rest is dropped"],
    );
    stage.scene("stopped", "The server's program does not read");
    let (client, server, socket) = slow_reader(stage);
    let began = stage.now();
    stage.send(socket, vec![b'x'; total]);
    stage.run_for(stage.network_knobs().rtt() * 40 + Duration::from_secs(1));
    let run = stage.seen();
    let written = run.writes(client).concat().len();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (at, ack, window) in announced(&run, server, began) {
        let used = room.saturating_sub(window as usize);
        let row = vec![format!("{at:.0}"), (ack - 1).to_string(), window.to_string(), bar(used, room)];
        if rows.last().is_none_or(|last| last[1..] != row[1..]) {
            rows.push(row);
        }
    }
    stage.table(
        &["ms", "bytes taken in", "window", "its buffer"],
        rows,
        "What the server's ACKs say. The buffer fills, and the window closes.",
    );
    stage.fact("taken", written);
    stage.reveal(
        taken,
        |_| written,
        format!(
            "{} bytes are in the server's buffer and {} in the client's own. Not one of them was read by a program, and every \
             write up to there succeeded.",
            room.min(written),
            written.saturating_sub(room)
        ),
    );
    stage.reveal(
        sees,
        |run| {
            let closed = run.states(client).contains(&"CLOSED");
            Answer::Choice(if closed { 0 } else if written < total { 1 } else { 2 })
        },
        "A blocking write waits, and any other says \"would block\". So the program slows down, and may slow down what it \
         gets its bytes from: back-pressure. No byte is lost by it.",
    );
    // A program learns of room again when a third of its buffer is free.
    if room * 3 >= own {
        stage.check("the writer got rid of both buffers' worth", |_| written == room + own);
    }
    stage.check("no byte was read", |run| run.reads(server).is_empty());
    stage.check("no segment went beyond the window", |run| {
        run.data_segments().all(|segment| segment.tcp.seq + segment.tcp.len as u64 <= room as u64 + 2)
    });
}

/// The server reads, and the ACK that says so is lost.
fn lost_update(stage: &mut Stage) {
    let (room, own) = (stage.knob(&RECV), stage.knob(&SEND));
    let total = room + own;
    let guess = stage.ask_choice(
        format!(
            "The window is 0 for {ASLEEP}. Then the server's program reads everything. Its TCP announces the room, and what \
             announces it is lost; an ACK without data is not sent again. What happens?"
        ),
        &[
            "both wait without end, each for the other",
            "the client had been asking all the time, and the answer to its next question says it",
            "the server notices that nothing comes, and says it again",
        ],
    );
    stage.scene("update", "The ACK that opens the window is lost");
    let (client, server, socket) = slow_reader(stage);
    let began = stage.now();
    let moment = began + ASLEEP..began + ASLEEP + Duration::from_millis(10);
    let rule = fault::rule("loses the window update", move |frame, _| {
        let lose = moment.contains(&frame.at) && packet::is_bare_ack(frame);
        if lose { Verdict::Drop } else { Verdict::Pass }
    });
    stage.rule(server, client, rule);
    stage.send(socket, vec![b'x'; total]);
    stage.run_until(began + ASLEEP);
    for socket in stage.accepted(server) {
        stage.read(socket);
    }
    stage.run_for(ASLEEP * 3);
    let run = stage.seen();
    let probes: Vec<f64> = run
        .data_segments()
        .filter(|segment| segment.tcp.probe.is_some() && segment.packet.at < began + ASLEEP)
        .map(|segment| segment.packet.at.as_millis_f64())
        .collect();
    let since = Instant::from_nanos((probes.first().copied().unwrap_or(0.0) * 1e6) as u64);
    stage.show(
        View::LadderSince(since.max(began)),
        "Probes of one byte, each after a longer pause. What is lost, the next probe, and then all the rest.",
    );
    stage.fact("probes", probes.len());
    stage.reveal(
        guess,
        |run| {
            let arrived = run.writes(client).concat().len();
            let through = run.data_segments().filter(|s| s.tcp.seq > room as u64 + 1 && s.tcp.len > 1).count() > 0;
            Answer::Choice(match (arrived == total && through, probes.is_empty()) {
                (true, false) => 1,
                (true, true) => 2,
                (false, _) => 0,
            })
        },
        format!(
            "A sender that has something to say and meets a zero window probes it: {} times before the read, with one byte \
             each, at pauses that double. Each probe must be answered, whatever the window is; the next answer told it.",
            probes.len()
        ),
    );
    stage.check("the pauses between probes double", |_| {
        let waits: Vec<f64> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        waits.len() >= 2 && waits.windows(2).all(|pair| (pair[1] / pair[0] - 2.0).abs() < 0.1)
    });
}

/// A program that reads a little at a time.
fn sips(stage: &mut Stage) {
    let (room, take) = (stage.knob(&RECV), stage.knob(&TAKE));
    let reads = room.div_ceil(take);
    let guess = stage.ask_number(
        format!(
            "The server's buffer is full: {room} bytes, and none are to come. Its program reads {take} at a time, in \
             {reads} reads. A full segment has {MSS} bytes. How often does its TCP announce that there is more room?"
        ),
        "times",
    );
    stage.scene("sips", &format!("Reads of {take} bytes"));
    let (_, server, socket) = slow_reader(stage);
    stage.send(socket, vec![b'x'; room]);
    stage.run_for(stage.network_knobs().rtt() * 40 + Duration::from_secs(1));
    let began = stage.now();
    for socket in stage.accepted(server) {
        for _ in 0..reads {
            stage.read_at_most(socket, take);
            stage.run_for(Duration::from_micros(100));
        }
    }
    stage.run_for(Duration::from_millis(50));
    let run = stage.seen();
    let told = announced(&run, server, began);
    let rows = told.iter().map(|(at, _, window)| {
        vec![format!("{at:.1}"), window.to_string(), bar(room.saturating_sub(*window as usize), room)]
    });
    stage.table(
        &["ms", "window", "what is not announced as free"],
        rows.collect(),
        "The ACKs while the program reads.",
    );
    stage.fact("updates", told.len());
    let worth = MSS.min(room / 2);
    stage.reveal(
        guess,
        |_| told.len(),
        format!(
            "Not before {worth} bytes are free: a full segment, or half of the buffer where that is less. From then on the \
             sender could go on, so the next time is when another half of the buffer is free. Announced at each read, the \
             window would let it send pieces of {take} bytes with 40 bytes of headers each, and it would never get out of \
             that: the silly window syndrome."
        ),
    );
    stage.check("every byte was read", |run| {
        run.count(|kind| matches!(kind, Kind::AppRead { .. })) == reads
            && run.reads(server).concat().len() == room
    });
}

//! Lesson 7: TCP carries one stream of bytes. Writes, segments and reads each have edges of their own.
//!
//! Left out: urgent data, and how a program finds messages in a stream (lesson 15).

use super::beat::Answer;
use super::knob::{DELAY, NO_YES, SEED};
use super::picture::View;
use super::stage::{Host, Socket, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::stack::StackConfig;

/// How many writes the client makes.
pub(crate) const WRITES: Knob<usize> =
    Knob::count("writes", "10", 1, 100, "how many writes the client makes");
/// How much each of them writes.
pub(crate) const EACH: Knob<usize> = Knob::bytes("each", "5", 1, 600, "bytes in each write");
/// Whether the server reads late.
const LATE: Knob<bool> = Knob::choice(
    "read",
    "late",
    &[("late", true), ("eager", false)],
    "whether the server reads when all has come, or at once",
);
const ROOM: Knob<usize> = Knob::bytes("room", "6", 1, 4000, "bytes that one read has room for");
const NODELAY: Knob<bool> =
    Knob::choice("nodelay", "no", NO_YES, "whether small segments are sent at once (TCP_NODELAY)");

pub(super) const LESSON: Lesson = Lesson {
    id: "stream",
    title: "TCP is a stream",
    layer: Layer::Transport,
    minutes: 30,
    misconception: "TCP sends messages",
    words: &[],
    cites: &[
        Cite { document: "RFC 9293", section: "2.2", what: "TCP carries a stream of bytes" },
        Cite { document: "RFC 9293", section: "3.9.1", what: "the calls SEND and RECEIVE" },
        Cite { document: "RFC 9293", section: "3.7.4", what: "Nagle's algorithm: why small writes wait" },
    ],
    knobs: &[&WRITES, &EACH, &LATE, &ROOM, &NODELAY, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A client makes ten writes of five bytes. The server's program reads once, a second later, with much \
               room. What does it get?",
        choices: &["the first write", "the last write", "all fifty bytes", "an error"],
        surprise: "The ten writes became two segments, and the class asks why not one or ten. The first goes at once; \
                   the others wait for its acknowledgment and then go together (Nagle's algorithm). With --nodelay yes \
                   there are more segments, and the one read is the same.",
    },
    script,
};

const PORT: u16 = 80;
/// Reads that are shown one by one in the second run; what is left then is read at once.
const MOST_READS: usize = 40;
/// What the last run writes at once.
const LARGE: usize = 4000;

fn script(stage: &mut Stage) {
    melt(stage);
    small_room(stage);
    one_large(stage);
    stage.instead(LESSON.misconception,
        "TCP carries bytes, each once and in order, and nothing else. Where one write ended and the next began never \
         reaches the other end. A program that wants messages has to mark them in the bytes themselves.",
    );
    stage.try_next(
        "netlayers lesson 7 --nodelay yes",
        "Predict which of the three rows changes: writes, segments, reads.",
    );
    stage.try_next("netlayers lesson 7 --read eager", "The server reads at once. Predict how many reads.");
    stage.try_next("netlayers lesson 7 --wire real", "The kernel: ten small writes, one late read.");
    stage.try_next("netlayers lesson 7 --wire kernel", "Our writes, the kernel's reads: where are the cuts?");
}

/// Small writes, one read.
fn melt(stage: &mut Stage) {
    let (writes, each, late) = (stage.knob(&WRITES), stage.knob(&EACH), stage.knob(&LATE));
    let total = writes * each;
    stage.say(
        "With UDP each send was a message with boundaries of its own. TCP looks the same to a program: a socket, write \
         and read. Is it?",
    );
    let when = if late { "when everything has arrived" } else { "as soon as something is there" };
    let guess = stage.ask_number(
        format!(
            "A client writes {}. The server's program reads {when}, into a large buffer. How many bytes does its first \
             read return?",
            times(writes, each)
        ),
        "bytes",
    );
    stage.scene("melt", &format!("The client writes {}", times(writes, each)));
    let (server, socket) = connected(stage);
    if late {
        stage.read_late(server);
    }
    write_all(stage, socket, writes, each);
    wait(stage);
    if late {
        let accepted = stage.accepted(server);
        accepted.iter().for_each(|socket| drop(stage.read(*socket)));
    }
    stage
        .show(View::Boxes, "The same bytes three times. Look at the edges: no row has the edges of another.");
    let run = stage.seen();
    let (segments, reads) = (run.data_segments().count(), run.reads(server).len());
    stage.fact("segments", segments);
    stage.fact("reads", reads);
    let rows = format!("{}, {}, {}", many(writes, "write"), many(segments, "segment"), many(reads, "read"));
    stage.reveal(
        guess,
        |run| run.reads(server).first().map_or(0, |read| read.len()),
        match late {
            true => format!(
                "Everything that had arrived: {rows}. The receiver's TCP put the bytes one after the other, and kept no \
                 record of how they came."
            ),
            false => format!(
                "What had arrived by then: {rows}. How much that is depends on time and on the network, not on the writes."
            ),
        },
    );
    stage.show(View::Ladder, "Writes made while the first one is in flight share a segment.");
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat() == run.writes(socket.host).concat()
            && run.reads(server).concat().len() == total
    });
    if late {
        stage.check("one read returned everything", |run| run.reads(server).len() == 1);
    }
}

/// A read that has little room.
fn small_room(stage: &mut Stage) {
    let (writes, each, room) = (stage.knob(&WRITES), stage.knob(&EACH), stage.knob(&ROOM));
    let guess = stage.ask_choice(
        format!(
            "Again {}, and again everything has arrived. Now each read has a buffer of {room} only. What does the second \
             read return?",
            times(writes, each)
        ),
        &[
            "the second write, whole",
            "the rest of a write, and the beginning of another",
            "a part of one write",
            "several whole writes",
            "nothing: what did not fit is lost, as with UDP",
            "nothing: there is nothing left to read",
        ],
    );
    stage.scene("room", &format!("Reads into a buffer of {room}"));
    let (server, socket) = connected(stage);
    stage.read_late(server);
    write_all(stage, socket, writes, each);
    wait(stage);
    for socket in stage.accepted(server) {
        for _ in 0..MOST_READS {
            if stage.read_at_most(socket, room).is_empty() {
                break;
            }
        }
        stage.read(socket);
    }
    stage.show(View::Boxes, "A read ends where its buffer is full.");
    let run = stage.seen();
    let second = run.reads(server).get(1).map(|read| String::from_utf8_lossy(read).into_owned());
    let told = match &second {
        Some(text) if text.len() <= 40 => format!("Its second read returned \"{text}\"."),
        Some(text) => format!("Its second read returned {} bytes.", text.len()),
        None => String::new(),
    };
    stage.reveal(
        guess,
        |run| {
            let reads = run.reads(server);
            let start = reads.first().map_or(0, |read| read.len());
            let len = reads.get(1).map_or(0, |read| read.len());
            Answer::Choice(edges(start, len, each))
        },
        match second {
            Some(_) => format!(
                "{told} What did not fit waits for the next read. A read may end anywhere in a message."
            ),
            None => "The first read took everything. On this connection a second one waits until the client writes again \
                     or closes."
                .into(),
        },
    );
    stage.check("nothing is lost by reading little", |run| {
        run.reads(server).concat() == run.writes(socket.host).concat()
    });
}

/// Which of the choices describes a read that returns `len` bytes from offset `start`, of writes of `each` bytes.
fn edges(start: usize, len: usize, each: usize) -> usize {
    let end = start + len;
    match (len, start % each, end % each) {
        (0, ..) => 5,
        (_, 0, 0) if len == each => 0,
        (_, 0, 0) => 3,
        _ if (end - 1) / each == start / each => 2,
        _ => 1,
    }
}

/// One write that is larger than a segment.
fn one_large(stage: &mut Stage) {
    let guess = stage.ask_number(
        format!(
            "The other way round: one write of {LARGE} bytes, and a program that reads as soon as data has arrived. How \
             many reads does it take?"
        ),
        "reads",
    );
    stage.scene("large", &format!("One write of {LARGE} bytes"));
    let (server, socket) = connected(stage);
    stage.send(socket, vec![b'x'; LARGE]);
    wait(stage);
    stage.show(View::Boxes, "One write, and one read for each arrival.");
    let run = stage.seen();
    let largest = run.data_segments().map(|segment| segment.tcp.len).max().unwrap_or(0);
    stage.reveal(
        guess,
        |run| run.reads(server).len(),
        format!(
            "TCP cuts the stream into segments of at most {largest} bytes here, and the program was quick enough to read \
             them one by one. On another day two may have arrived together: never count on it."
        ),
    );
    stage.check("every byte arrives once, in order", |run| {
        run.reads(server).concat().len() == LARGE && run.writes(socket.host).len() == 1
    });
}

/// A server, and an established connection to it.
fn connected(stage: &mut Stage) -> (Host, Socket) {
    let usual = stage.network_knobs().stack();
    let nodelay = stage.knob(&NODELAY);
    let config = StackConfig { tcp: crate::layers::transport::tcp::Config { nodelay, ..usual.tcp }, ..usual };
    let (client, server) = (stage.host_with("client", &config), stage.host_with("server", &config));
    stage.link(client, server);
    stage.introduce();
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    (server, socket)
}

/// Writes `a` several times, then `b`, and so on, so that the bytes of one write can be seen.
fn write_all(stage: &mut Stage, socket: Socket, writes: usize, each: usize) {
    for letter in (b'a'..=b'z').cycle().take(writes) {
        stage.send(socket, vec![letter; each]);
    }
}

/// Long enough for all of it to arrive.
fn wait(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 8 + Duration::from_millis(200));
}

fn times(writes: usize, each: usize) -> String {
    let bytes = many(each, "byte");
    match writes {
        1 => format!("once, {bytes}"),
        _ => format!("{writes} times, {bytes} each time"),
    }
}

//! Lesson 9: TCP cuts its stream so that each segment fits a packet, and numbers the bytes so that they can be joined.
//!
//! Left out: finding out the MTU of a longer path (lesson 4 shows the messages), segments cut by the network card
//! (TSO), the time that congestion control takes (lesson 13).

use super::beat::Answer;
use super::knob::{DELAY, MSS, MTU, Range, SEED};
use super::picture::{Frame, View};
use super::stage::{Host, Socket, Stage, packet};
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::internet::ipv4;
use crate::layers::transport::tcp;
use crate::sim::fault::{self, Verdict};

/// How much the program writes at once.
pub(crate) const SIZE: Knob<usize> = Knob::bytes("size", "4000", 1, 40_000, "bytes that the program sends");
/// The MSS that both ends announce.
pub(crate) const ANNOUNCED: Knob<u16> = MSS.within(Range::Bytes(40, 8960));
const LINK_MTU: Knob<u16> = MTU.within(Range::Bytes(100, 9000));
const WRITES: Knob<usize> = Knob::count("writes", "8", 1, 100, "how many writes the client makes");

pub(super) const LESSON: Lesson = Lesson {
    id: "segmentation",
    title: "segmentation",
    layer: Layer::Transport,
    minutes: 30,
    misconception: "one write is one packet",
    words: &[
        ("MSS", "the most data that an end takes in one segment"),
        ("retransmission", "sending again what was lost"),
        ("Nagle's algorithm", "a rule of TCP about small segments"),
    ],
    cites: &[
        Cite {
            document: "RFC 9293",
            section: "3.7.1",
            what: "the maximum segment size; what the option counts, and what it does not",
        },
        Cite { document: "RFC 9293", section: "3.4", what: "every byte has a sequence number" },
        Cite { document: "RFC 9293", section: "3.7.4", what: "why a small segment may wait" },
    ],
    knobs: &[&SIZE, &ANNOUNCED, &LINK_MTU, &WRITES, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A program writes 4000 bytes to a TCP socket, over Ethernet. How many segments carry them?",
        choices: &["1", "2", "3", "4"],
        surprise: "The last, smaller segment leaves a round trip later than the others. It is not full, so it waits \
                   until what is in flight is acknowledged: Nagle's algorithm (RFC 9293 §3.7.4). Linux waits less often: \
                   only while another small segment is in flight.",
    },
    script,
};

const PORT: u16 = 80;

fn script(stage: &mut Stage) {
    cut(stage);
    numbers(stage);
    overtaken(stage);
    several(stage);
    stage.instead(LESSON.misconception,
        "TCP cuts where a segment is full, wherever the program's writes ended. One write can become many segments, and \
         many writes one. The byte numbers put them together again.",
    );
    stage.try_next(
        "netlayers lesson 9 --mss 536",
        "Predict the number of segments first: 536 is TCP's default without an MSS option.",
    );
    stage.try_next("netlayers lesson 9 --mtu 9000 --mss 8960", "Jumbo frames. Predict again.");
    stage.try_next("netlayers check 9", "Make: put a stream together again from its segments.");
    stage.try_next(
        "netlayers lesson 9 --wire real",
        "The kernel's loopback: 4000 bytes are one segment. Why?",
    );
    stage.try_next(
        "netlayers lesson 9 --wire kernel",
        "The kernel cuts to our MSS. Does its last segment wait?",
    );
}

/// One write that does not fit a segment.
fn cut(stage: &mut Stage) {
    let size = stage.knob(&SIZE);
    let knobs = stage.network_knobs();
    let (mtu, mss) = (knobs.link.mtu, knobs.announced_mss());
    let headers = ipv4::MIN_HEADER_LEN + tcp::MIN_HEADER_LEN;
    stage.say(format!(
        "IP could cut a packet that is too large, but then one lost fragment costs all of it (lesson 4). So TCP cuts its \
         stream itself. In its SYN each end announces its MSS, maximum segment size: the most bytes of data that it \
         accepts in one segment. With an MTU of {mtu} and {headers} bytes of headers that is at most {}; here it is \
         {mss}.",
        usize::from(mtu) - headers
    ));
    let guess = stage.ask_number(
        format!("A program writes {size} bytes, once. How many segments carry them?"),
        "segments",
    );
    stage.scene("cut", &format!("One write of {size} bytes, MSS {mss}"));
    let (client, server) = stage.two_hosts();
    let socket = connect(stage, client, server);
    stage.send(socket, bytes(size));
    stage.run();
    stage.show(View::Cut, "Each row is one segment, drawn where its bytes belong in the stream.");
    let run = stage.seen();
    let segments = stage.fact("segments", run.data_segments().count());
    stage.fact("mss", mss);
    let last = run.data_segments().last().map_or(0, |segment| segment.tcp.len);
    let full = segments - usize::from(last < usize::from(mss));
    let rest = if last < usize::from(mss) { format!(", and the last with {last}") } else { String::new() };
    stage.reveal(
        guess,
        |run| run.data_segments().count(),
        format!("{size} bytes in pieces of at most {mss}: {full} full{rest}. The program had no say in it, and sees none of it."),
    );
    if let Some(wait) = nagle(stage) {
        stage.say(format!(
            "The last segment left {wait:.0} ms after the one before it. It was not full, so it waited for the \
             acknowledgment of the others, in case the program wrote more: Nagle's algorithm."
        ));
    }
    stage.check(format!("no segment carries more than {mss} bytes, and no packet is cut by IP"), |run| {
        run.data_segments().all(|segment| segment.tcp.len <= usize::from(mss))
            && !run.packets().iter().any(is_fragment)
    });
    stage.check("the bytes arrive as they were written", |run| run.reads(server).concat() == bytes(size));
}

/// The number that a segment carries.
fn numbers(stage: &mut Stage) {
    let run = stage.seen();
    let Some((third, number)) = run.data_segments().zip(1..).take(3).last() else { return };
    let guess = stage.ask_number(
        format!(
            "Every byte of the stream has a number; the first one after the SYN is number 1. A segment carries the \
             number of its first byte. Which number does data segment {number} carry?"
        ),
        "",
    );
    let seq = third.tcp.seq;
    stage.show(
        View::Header(Frame::Number(third.packet.packet.number), Some("TCP")),
        format!(
            "Its header. The count began at the initial sequence number in the SYN, so the wire says {}; counted from \
             there it is {seq}.",
            third.tcp.seq_raw
        ),
    );
    stage.reveal(
        guess,
        |run| run.data_segments().nth(number - 1).map_or(0, |segment| segment.tcp.seq),
        format!(
            "{} bytes precede it. Segments have no numbers of their own: bytes are counted, so a retransmission may cut \
             them differently.",
            seq - 1
        ),
    );
    stage.check("each segment begins where the one before it ended", |run| {
        let mut next = 1;
        run.data_segments().all(|segment| {
            let fits = segment.tcp.seq == next;
            next += segment.tcp.len as u64;
            fits
        })
    });
}

/// A segment that is overtaken.
fn overtaken(stage: &mut Stage) {
    let size = stage.knob(&SIZE);
    let guess = stage.ask_choice(
        "The same again, but the first data segment is delayed, and those behind it arrive before it. What does the \
         program read first?",
        &["the bytes that came first", "the bytes that were written first", "nothing: the connection is broken"],
    );
    stage.scene("overtaken", "The first data segment is overtaken");
    let (client, server) = stage.two_hosts();
    // Long enough to be overtaken by one or two, not so long that it counts as lost.
    let held = fault::nth("held back", 1, packet::is_tcp_data, Verdict::Delay(Duration::from_millis(3)));
    stage.rule(client, server, held);
    let socket = connect(stage, client, server);
    stage.send(socket, bytes(size));
    stage.run();
    stage.show(View::Cut, "The rows are in the order of sending; the times show the order of arrival.");
    let run = stage.seen();
    let waited = run.data_segments().count() > 1;
    stage.reveal(
        guess,
        |run| {
            let reads = run.reads(server);
            let first = reads.first().map(|read| bytes(size).starts_with(read));
            Answer::Choice(match first {
                Some(true) => 1,
                Some(false) => 0,
                None => 2,
            })
        },
        match waited {
            true => "The receiver's TCP keeps what came too early, says in each ACK which byte it expects next, and \
                     hands the program only what has no gap before it. The numbers make that easy.",
            false => "There was only one segment, so nothing could overtake it.",
        },
    );
    stage.show(View::Ladder, "An ACK carries the number of the byte that is expected next.");
    stage.check("the program reads every byte once, in order", |run| {
        run.reads(server).concat() == bytes(size)
    });
}

/// The same bytes in several writes.
fn several(stage: &mut Stage) {
    let (size, writes) = (stage.knob(&SIZE), stage.knob(&WRITES));
    let each = size.div_ceil(writes);
    let count = bytes(size).chunks(each).count();
    let guess = stage.ask_number(
        format!("The same {size} bytes once more, in {count} writes of {each}. How many segments now?"),
        "segments",
    );
    stage.scene("several", &format!("{count} writes of {each} bytes"));
    let (client, server) = stage.two_hosts();
    let socket = connect(stage, client, server);
    for piece in bytes(size).chunks(each) {
        stage.send(socket, piece);
    }
    stage.run();
    stage.show(View::Boxes, "Look at the edges of writes and segments.");
    let run = stage.seen();
    let segments = stage.fact("segments_of_several", run.data_segments().count());
    stage.reveal(
        guess,
        |run| run.data_segments().count(),
        match count {
            1 => format!("One write again, and {segments} as before."),
            _ => "The first write leaves at once, for nothing is in flight. The others wait in the send buffer, from \
                 which TCP takes as many bytes as fill a segment."
                .into(),
        },
    );
    stage.check("the bytes arrive as they were written", |run| run.reads(server).concat() == bytes(size));
}

/// Opens a connection, and waits until it is established.
fn connect(stage: &mut Stage, client: Host, server: Host) -> Socket {
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    stage.run_until_state(socket, "ESTABLISHED");
    socket
}

/// How many milliseconds the last data segment left after the one before it, if it is small and had to wait.
fn nagle(stage: &Stage) -> Option<f64> {
    let run = stage.seen();
    let segments: Vec<_> = run.data_segments().collect();
    let [.., before, last] = segments.as_slice() else { return None };
    let waited = last.packet.at.since(before.packet.at).as_millis_f64();
    let half = stage.network_knobs().rtt().as_millis_f64() / 2.0;
    (last.tcp.len < before.tcp.len && waited > half && half > 0.0).then_some(waited)
}

fn is_fragment(packet: &crate::view::dissect::TracedPacket) -> bool {
    matches!(packet.packet.summary.what, crate::view::dissect::What::Fragment { .. })
}

fn bytes(size: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(size).collect()
}

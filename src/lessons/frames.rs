//! Lesson 17: WebSocket puts the edges of messages back into TCP's stream: a header in front of each, and a mask.
//!
//! Left out: TLS, which is what keeps secrets (`wss:`); messages in several frames, and control frames (lesson 18);
//! how compression works inside (RFC 1951).

use super::beat::Answer;
use super::knob::{DELAY, MSS, NO_YES, Range, SEED};
use super::picture::{Frame, View};
use super::stage::{Host, Seen, Socket, Stage};
use super::words::many;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::{Duration, Layer};
use crate::layers::application::websocket::wire::WireFrame;
use crate::layers::application::websocket::{Config, Deflate, Event};
use crate::view::xor::xor;

const SIZE: Knob<usize> = Knob::bytes("size", "126", 0, 70_000, "bytes that the program sends");
/// The text that is sent.
pub(crate) const TEXT: Knob<String> =
    Knob::text("text", "Hello", 40, "the text that is sent, at most 40 bytes");
const DEFLATE: Knob<bool> =
    Knob::choice("deflate", "no", NO_YES, "whether both ends compress (permessage-deflate)");
const ANNOUNCED: Knob<u16> = MSS.within(Range::Bytes(200, 1460));

pub(super) const LESSON: Lesson = Lesson {
    id: "frames",
    title: "WebSocket frames",
    layer: Layer::Application,
    minutes: 35,
    misconception: "masking is encryption, and a frame is a packet",
    words: &[
        ("mask", "four bytes that a client's payload is mixed with"),
        ("proxy", "a program between client and server that forwards"),
    ],
    cites: &[
        Cite { document: "RFC 6455", section: "5.2", what: "the layout of a frame" },
        Cite { document: "RFC 6455", section: "5.1", what: "clients mask, servers do not" },
        Cite { document: "RFC 6455", section: "5.3", what: "how a payload is masked" },
        Cite { document: "RFC 6455", section: "10.3", what: "what the mask protects, and what it does not" },
        Cite { document: "RFC 7692", section: "6", what: "compressed messages: the bit RSV1" },
    ],
    knobs: &[&SIZE, &TEXT, &DEFLATE, &ANNOUNCED, &DELAY, &SEED],
    teacher: Teacher {
        vote: "A client's frames are masked with a random key. Who can read them on the way?",
        choices: &["no one", "the server only", "anyone with the key", "everyone"],
        surprise: "The last two are the same: the key is in the frame, right before what it masks. The class wants to \
                   know what it is good for, then: it keeps a script in a browser from choosing the bytes on the wire, \
                   which an old proxy on the way could take for HTTP (RFC 6455 §10.3). Secrets need TLS.",
    },
    script,
};

const PORT: u16 = 80;
/// Around the two borders of the three ways to write a length.
const SIZES: [usize; 5] = [5, 125, 126, 65_535, 65_536];
/// More than a segment, and then less.
const LARGE: usize = 1800;
const SMALL: usize = 300;
const SMALL_ONES: usize = 3;

fn script(stage: &mut Stage) {
    length(stage);
    sizes(stage);
    mask(stage);
    refused(stage);
    segments(stage);
    stage.instead(LESSON.misconception,
        "the mask is undone with four bytes that the frame carries in the clear: it hides nothing from anyone who sees \
         the frame. And a frame is a piece of TCP's stream like any other: one can be cut into many segments, and many \
         can share one. A reader must count bytes, not packets.",
    );
    stage.try_next(
        "netlayers lesson 17 --size 125",
        "One byte less in the message. Predict how many less on the wire.",
    );
    stage.try_next(
        "netlayers lesson 17 --size 2000 --deflate yes",
        "What changes in the header, and what does not?",
    );
    stage.try_next("netlayers lesson 17 --mss 536", "Predict how many segments the last four frames take.");
    stage.try_next("netlayers lesson 17 --wire real", "Our own frames on the kernel's sockets.");
    stage.try_next("netlayers check 17", "Make: decode a frame's header by hand.");
}

/// The header of one message.
fn length(stage: &mut Stage) {
    let (size, deflate) = (stage.knob(&SIZE), stage.knob(&DEFLATE));
    stage.say(
        "TCP carries a stream and keeps no boundaries (lesson 7). WebSocket puts them back: before each message it \
         writes a header that says what follows, and how many bytes. Two bytes are always there. A length that does not \
         fit their seven bits goes into more bytes after them; and a client adds a key of four bytes.",
    );
    let guess = stage.ask_number(
        format!("A client sends {} as one message. How long is the header before them?", many(size, "byte")),
        "bytes",
    );
    let compressed = if deflate { ", compressed" } else { "" };
    stage.scene("length", &format!("One message of {}{compressed}", many(size, "byte")));
    let (client, server) = stage.two_hosts();
    let wish = deflate.then(Deflate::default);
    let (from, to) =
        stage.open_websocket(client, server, PORT, &Config { deflate: wish, ..Config::default() });
    let text = letters(size);
    say(stage, from, &text);
    wait(stage);
    let run = stage.seen();
    let frames = run.websocket_frames(client);
    let Some(frame) = frames.first() else { return };
    show_header(stage, client, 0, "The frame's header: FIN, the opcode, MASK, and then the length.");
    let extended = frame.head.len().saturating_sub(2 + 4);
    stage.fact("size", size);
    stage.fact("header", frame.head.len());
    stage.fact("payload", frame.wire.len());
    let wire = frame.wire.len();
    let of_what = match wire == size {
        true => format!("{size} bytes"),
        false => format!("the {wire} bytes that compression left of {size}"),
    };
    stage.reveal(
        guess,
        |run| first_header(run, client),
        format!(
            "Two bytes that are always there, {extended} more for the length of {of_what}, and 4 for the key of the \
             mask."
        ),
    );
    if frame.header.rsv1 {
        stage.say(
            "RSV1 is 1: the payload is compressed, as both ends agreed in the handshake (RFC 7692 §6). The length counts \
             what is on the wire.",
        );
    }
    let got = stage.messages(to);
    stage.check("the other program gets one message, byte for byte what was sent", |_| {
        got.len() == 1 && got[0].1 == text.as_bytes()
    });
    stage.check("the header is as short as its length allows", |run| {
        run.websocket_frames(client).iter().all(|frame| frame.head.len() == shortest(frame.wire.len()) + 4)
    });
}

/// Each way to write a length, from both ends.
fn sizes(stage: &mut Stage) {
    stage.scene("sizes", "Around the borders, both ways");
    let (client, server) = stage.two_hosts();
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    for size in SIZES {
        say(stage, from, &letters(size));
        say(stage, to, &letters(size));
        stage.run_for(Duration::from_secs(10));
    }
    let run = stage.seen();
    let (masked, plain) = (run.websocket_frames(client), run.websocket_frames(server));
    let rows = masked.iter().zip(&plain).map(|(masked, plain)| {
        let extended = plain.head.len() - 2;
        let short = plain.head[1] & 0x7f;
        let form = match extended {
            0 => "in the 7 bits".to_owned(),
            _ => format!("{short}, then in {} bits", extended * 8),
        };
        vec![plain.wire.len().to_string(), masked.head.len().to_string(), plain.head.len().to_string(), form]
    });
    stage.table(
        &["payload", "header from client", "header from server", "where the length is"],
        rows.collect(),
        "Bytes, measured on frames of this run. 126 and 127 are not lengths: they say that the length follows.",
    );
    stage.check("a client's header is always four bytes longer: the key", |_| {
        masked.len() == SIZES.len()
            && masked.iter().zip(&plain).all(|(masked, plain)| masked.head.len() == plain.head.len() + 4)
    });
}

/// What the mask does, and what it does not.
fn mask(stage: &mut Stage) {
    let text = stage.knob(&TEXT);
    let guess = stage.ask_choice(
        format!("A client sends \"{text}\", masked. Someone on the path captures the frame. What else do they need to read it?"),
        &[
            "the client's key, which is never sent",
            "the server's key, which is never sent",
            "nothing: the frame is enough",
            "all frames that came before",
        ],
    );
    stage.scene("mask", "The same text, twice");
    let (client, server) = stage.two_hosts();
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    say(stage, from, &text);
    wait(stage);
    say(stage, from, &text);
    wait(stage);
    let run = stage.seen();
    let frames = run.websocket_frames(client);
    let [first, second] = &frames[..] else { return };
    let (payload, key) = (first.payload(), first.header.mask.unwrap_or_default());
    stage.fact("key", hex(&key));
    stage.draw(
        "xor",
        "What was sent, the key repeated, and what was on the wire. XOR twice with the same key changes nothing, so the \
         receiver does the same again.",
        move |look| xor(&payload, key, look),
    );
    show_frame(stage, client, "The whole frame. The key is in the header, right before the payload.");
    stage.reveal(
        guess,
        |run| {
            // Nothing but one packet, as a capture has it.
            let read = captured(run, client).is_some_and(|frame| frame.payload() == text.as_bytes());
            Answer::Choice(if read { 2 } else { 0 })
        },
        format!(
            "The key of this frame is {}, and the frame carries it. This answer was computed from the one captured \
             packet alone. The mask is no secret: it makes the bytes on the wire unpredictable for the script that sends \
             them, so that it cannot write something there which a proxy takes for HTTP (RFC 6455 §10.3).",
            hex(&key)
        ),
    );
    stage.check("the same text sent twice is not the same bytes: each frame has its own key", |_| {
        first.bytes() != second.bytes() && first.payload() == second.payload()
    });
    let got = stage.messages(to);
    stage.check("the other end's WebSocket undid the mask: the program got the text, twice", |_| {
        got.len() == 2 && got.iter().all(|(_, message)| message == text.as_bytes())
    });
}

/// Frames that break a rule of the header.
fn refused(stage: &mut Stage) {
    let guess = stage.ask_choice(
        "A client sends a frame without a mask. The text in it is fine. What does the server do?",
        &[
            "it accepts the text",
            "it accepts the text and warns",
            "it drops the frame",
            "it closes the connection",
        ],
    );
    stage.scene("refused", "Three frames that our own code never writes");
    let (client, server) = stage.two_hosts();
    // Written by hand onto the connection, below the machine.
    let broken: [(&str, bool, &[u8]); 3] = [
        ("from a client, without a mask", true, b"\x81\x05Hello"),
        ("from a client, 5 written in 16 bits", true, b"\x81\xfe\x00\x05\x00\x00\x00\x00Hello"),
        ("from a server, with a mask", false, b"\x81\x85\x00\x00\x00\x00Hello"),
    ];
    let mut rows = Vec::new();
    let mut codes = Vec::new();
    for (port, (what, from_client, bytes)) in (PORT..).zip(broken) {
        let (from, to) = stage.open_websocket(client, server, port, &Config::default());
        let (writer, judge) = if from_client { (from, to) } else { (to, from) };
        stage.send(writer, bytes);
        wait(stage);
        let failure = stage.events_of(judge).into_iter().find_map(|(_, event)| match event {
            Event::Failed(failure) => Some(failure),
            _ => None,
        });
        let code = failure.as_ref().and_then(|failure| failure.code).map(|code| code.0);
        let told = failure.map_or_else(String::new, |failure| format!("expected {}", failure.error.expected));
        rows.push(vec![what.to_owned(), code.map_or("none".into(), |code| code.to_string()), told]);
        codes.push(code);
    }
    stage.table(
        &["the frame", "close code", "what the receiver says"],
        rows,
        "1002 is \"protocol error\". The payload was the same each time, and no program got it.",
    );
    stage.reveal(
        guess,
        |_| Answer::Choice(if codes[0] == Some(1002) { 3 } else { 0 }),
        "A server must close the connection when it gets an unmasked frame (RFC 6455 §5.1). A rule that is not enforced \
         protects no one: the first careless client would leave the mask out. And a length has one valid form, the \
         shortest.",
    );
    stage.check("each of them ends its connection with 1002", |_| codes == [Some(1002); 3]);
}

/// How frames are cut into segments, and segments hold frames.
fn segments(stage: &mut Stage) {
    let mss = stage.network_knobs().announced_mss();
    let guess = stage.ask_number(
        format!(
            "A client sends a message of {LARGE} bytes and right after it {SMALL_ONES} of {SMALL}: {} frames. The MSS is \
             {mss}. How many TCP segments carry them?",
            1 + SMALL_ONES
        ),
        "segments",
    );
    stage.scene("segments", &format!("{} messages at once", 1 + SMALL_ONES));
    let (client, server) = stage.two_hosts();
    let (from, to) = stage.open_websocket(client, server, PORT, &Config::default());
    wait(stage);
    let begun = stage.now();
    let messages: Vec<String> = std::iter::once(LARGE).chain([SMALL; SMALL_ONES]).map(letters).collect();
    for message in &messages {
        say(stage, from, message);
    }
    wait(stage);
    stage.show(View::Frames, "Header plus payload of each frame, above the segments and the reads.");
    let run = stage.seen();
    let in_segments =
        move |run: &Seen| run.data_segments().filter(|segment| segment.packet.at >= begun).count();
    let count = in_segments(&run);
    let frames = run.websocket_frames(client);
    stage.fact("frames", frames.len());
    stage.fact("segments", count);
    stage.reveal(
        guess,
        in_segments,
        format!(
            "TCP fills segments with bytes and knows nothing of frames. The first frame spans several segments, and one \
             segment holds the end of one frame and the beginning of the next. {} written, {} sent.",
            many(frames.len(), "frame"),
            many(count, "segment"),
        ),
    );
    stage.check(
        "a frame spans more than one segment, and a segment has bytes of more than one frame",
        |run| {
            let edges = |sizes: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
                sizes
                    .scan(0, |end, size| {
                        *end += size;
                        Some(*end)
                    })
                    .collect()
            };
            let frames = edges(&mut run.websocket_frames(client).iter().map(|frame| frame.bytes().len()));
            let segments = edges(
                &mut run.data_segments().filter(|s| s.packet.at >= begun).map(|segment| segment.tcp.len),
            );
            let inside = |inner: &[usize], end: usize| inner.iter().any(|edge| *edge < end);
            // An edge of a segment inside the first frame; an edge of a frame inside some segment.
            inside(&segments, frames[0]) && frames.iter().any(|edge| !segments.contains(edge))
        },
    );
    let got = stage.messages(to);
    stage.check("the messages arrive whole, one by one, in order", |_| {
        got.iter()
            .map(|(_, message)| message.to_vec())
            .eq(messages.iter().map(|sent| sent.as_bytes().to_vec()))
    });
}

/// A message of `size` letters.
fn letters(size: usize) -> String {
    ('a'..='z').cycle().take(size).collect()
}

/// Sends a message that the machine must take: the connection is open, and nothing else waits.
fn say(stage: &mut Stage, from: Socket, text: &str) {
    stage.send_text(from, text).expect("the script sends on an open connection");
}

/// Long enough for a message there and an answer back.
fn wait(stage: &mut Stage) {
    stage.run_for(stage.network_knobs().rtt() * 8 + Duration::from_millis(200));
}

/// The length of the shortest header, without a key, for a payload of `len` bytes.
fn shortest(len: usize) -> usize {
    match len {
        0..=125 => 2,
        126..=65_535 => 4,
        _ => 10,
    }
}

fn first_header(run: &Seen, host: Host) -> usize {
    run.websocket_frames(host).first().map_or(0, |frame| frame.head.len())
}

/// The packets of a host that begin a frame.
fn packets(run: &Seen, host: Host) -> impl Iterator<Item = (u64, WireFrame)> {
    run.packets().iter().filter(move |packet| packet.from == host.id().place()).filter_map(|packet| {
        let start = packet.packet.dissection.header("WebSocket")?.range.start;
        let frame = WireFrame::all(packet.bytes.get(start..)?).into_iter().next()?;
        Some((packet.packet.number, frame))
    })
}

/// The first whole frame that a capture sees in one packet.
fn captured(run: &Seen, host: Host) -> Option<WireFrame> {
    packets(run, host).next().map(|(_, frame)| frame)
}

/// The header of the packet that begins the `nth` frame of a host.
fn show_header(stage: &mut Stage, host: Host, nth: usize, caption: &str) {
    let run = stage.seen();
    let mut begins = run.packets().iter().filter(|packet| {
        packet.from == host.id().place() && packet.packet.dissection.header("WebSocket").is_some()
    });
    if let Some(packet) = begins.nth(nth) {
        let number = packet.packet.number;
        stage.show(View::Header(Frame::Number(number), Some("WebSocket")), caption);
    }
}

fn show_frame(stage: &mut Stage, host: Host, caption: &str) {
    let run = stage.seen();
    let number = packets(&run, host).next().map(|(number, _)| number);
    if let Some(number) = number {
        stage.show(View::Hex(Frame::Number(number)), caption);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

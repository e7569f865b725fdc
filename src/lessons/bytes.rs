//! Lesson 1: text becomes bytes, bytes become a number or a level on a wire.
//!
//! Left out: other character encodings, and how code points join into what a reader takes for one character (Unicode
//! UAX #29); noise on the wire, and the codes of fast Ethernets.

use super::knob::SEED;
use super::picture::{Frame, View};
use super::stage::Stage;
use super::{Cite, Knob, Lesson, Teacher};
use crate::base::Layer;
use crate::layers::physical::line::{LineCode, changes, longest_still};
use crate::view::look::escape;
use crate::view::waveform::waveform;

/// The text that is sent.
pub(crate) const TEXT: Knob<String> =
    Knob::text("text", "é😀", 40, "the text that is sent, at most 40 bytes");
/// How its bits become levels on the wire.
const CODE: Knob<LineCode> = Knob::choice(
    "code",
    "manchester",
    &[("manchester", LineCode::Manchester), ("nrz", LineCode::Nrz), ("nrzi", LineCode::Nrzi)],
    "line code: how bits become levels",
);

pub(super) const LESSON: Lesson = Lesson {
    id: "bytes",
    title: "bytes on a wire",
    layer: Layer::Physical,
    minutes: 20,
    misconception: "a character is a byte",
    words: &[
        ("bit", "a choice between two values, 0 and 1"),
        ("byte", "eight bits: a number from 0 to 255"),
        ("hexadecimal", "numbers with the digits 0 to f: two of them are a byte"),
        ("host", "a computer that takes part in a network"),
        ("protocol", "the rules by which two ends talk"),
        ("header", "what a protocol puts in front of the data"),
        ("port", "the number of a program on its host"),
    ],
    cites: &[
        Cite { document: "RFC 3629", section: "3", what: "UTF-8: one to four bytes for a character" },
        Cite { document: "RFC 791", section: "appendix B", what: "the order of bytes in a number" },
        Cite { document: "IEEE 802.3", section: "3.3", what: "each byte's lowest bit is sent first" },
    ],
    knobs: &[&TEXT, &CODE, &SEED],
    teacher: Teacher {
        vote: "A program may store \"at most 10 bytes\". How many emoji fit?",
        choices: &["10", "5", "2", "it depends on the font"],
        surprise: "Ask who has seen a name with an accent come out as two strange characters: a program counted or \
                   read bytes where characters were meant.",
    },
    script,
};

const PORT: u16 = 9000;

fn script(stage: &mut Stage) {
    let text = stage.knob(&TEXT);
    characters(stage, &text);
    numbers(stage);
    levels(stage, &text);
    let (characters, bytes) = (text.chars().count(), text.len());
    stage.instead(LESSON.misconception, format!(
        "a character of UTF-8 is one to four bytes; here {characters} of them are {bytes} bytes. Buffers, length \
         fields and wires count bytes."
    ));
    stage.try_next("netlayers lesson 1 --text 你好", "Predict the bytes first. And for: hello?");
    stage.try_next("netlayers lesson 1 --code nrz", "Where would you lose count of the bits?");
    stage.try_next("netlayers lesson 1 --wire real", "How many bytes does the kernel say it took?");
}

/// A table of the text's characters and their bytes.
fn characters(stage: &mut Stage, text: &str) {
    stage.say(
        "A wire carries no letters. A program turns text into bytes first, by a rule that both ends know. Today that \
         rule is nearly always UTF-8. Bytes are often written in hexadecimal, hex for short: two digits from 0 to f a \
         byte, 16 values each, so ff is 255.",
    );
    let shown = escape(text);
    let guess = stage.ask_number(format!("How many bytes is \"{shown}\"?"), "bytes");
    stage.scene("sent", &format!("\"{shown}\" goes to another host"));
    let (client, server) = stage.two_hosts();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, text);
    stage.run();

    let rows = text.chars().take(12).map(|c| {
        let mut room = [0; 4];
        let bytes = c.encode_utf8(&mut room).as_bytes();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let bits: Vec<String> = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
        vec![escape(c.to_string()), format!("U+{:04X}", u32::from(c)), hex.join(" "), bits.join(" ")]
    });
    stage.table(
        &["character", "code point", "bytes", "the same in bits"],
        rows.collect(),
        "The first bits of a character say how many bytes it takes; each byte after the first begins with 10.",
    );
    let run = stage.seen();
    let bytes = stage.fact("bytes", run.reads(server).concat().len());
    let characters = stage.fact("characters", text.chars().count());
    stage.reveal(
        guess,
        |run| run.reads(server).concat().len(),
        format!(
            "{characters} characters, {bytes} bytes. The 128 characters of ASCII take one byte each, all others two \
             to four."
        ),
    );
    stage.check("the other program gets the same bytes, and the rule gives the text back", |run| {
        String::from_utf8(run.reads(server).concat()).is_ok_and(|read| read == text)
    });
    stage.show(
        View::Hex(Frame::Deepest),
        "Everything that was sent, byte by byte. D marks the text; the next lesson explains the other letters.",
    );
}

/// Bytes as a number.
fn numbers(stage: &mut Stage) {
    let run = stage.seen();
    let port = run.packets().iter().find_map(|packet| {
        let udp = packet.packet.dissection.header("UDP")?;
        // The destination port: the third and fourth byte of the header (RFC 768).
        let at = udp.range.start + 2;
        Some([*packet.bytes.get(at)?, *packet.bytes.get(at + 1)?])
    });
    let Some([first, second]) = port else { return };
    let guess = stage.ask_number(
        format!("Which program is it for? Its port number is the two bytes {first:02x} {second:02x}. Which number is that?"),
        "",
    );
    let (big, little) = (u16::from_be_bytes([first, second]), u16::from_le_bytes([first, second]));
    stage.fact("port", big);
    stage.reveal(
        guess,
        |_| u64::from(big),
        format!(
            "{first} times 256, plus {second}. Internet protocols send the most significant byte first: big-endian. \
             Most processors store it last; a program that forgets to swap the bytes sends to port {little}."
        ),
    );
    stage.check("the header holds the port that the program sent to", |_| big == PORT && little != PORT);
}

/// A picture of the bits as levels on a wire.
fn levels(stage: &mut Stage, text: &str) {
    stage.lead_in(
        "On a wire there are levels, and moments at which they change. NRZ is the simplest code: 1 is high, 0 is low, \
         each held for the time of one bit.",
    );
    let zeros = [0; 2];
    let count = zeros.len() * 8;
    let guess =
        stage.ask_number(format!("{count} zeros are sent in NRZ. How often does the level change?"), "times");
    stage.reveal(
        guess,
        |_| changes(&LineCode::Nrz.encode(&zeros)),
        format!(
            "Nothing moves. The receiver must know by its own clock that these were {count} zeros and not one more. \
             Manchester coding changes in the middle of every bit, and between two equal bits as well: {} times here, \
             counting the first step from the idle line. The price: the wire must be able to change twice as often.",
            changes(&LineCode::Manchester.encode(&zeros))
        ),
    );
    let code = stage.knob(&CODE);
    let first = text.as_bytes()[..text.len().min(2)].to_vec();
    let first = if first.is_empty() { zeros.to_vec() } else { first };
    let caption = format!(
        "The first bytes of it in {}, as on a wire: of each byte, the lowest bit goes first.",
        code.name()
    );
    stage.draw("waveform", caption, move |look| waveform(code, &first, look));

    let rows = LineCode::ALL.map(|code| {
        let levels = code.encode(text.as_bytes());
        let still = longest_still(&levels) as f64 / 2.0;
        let changes = changes(&levels);
        vec![code.name().to_string(), changes.to_string(), format!("{still:.1}")]
    });
    stage.table(
        &["code", "changes", "bits without one, at most"],
        rows.to_vec(),
        "The whole text in each code: the changes are what the receiver sets its clock by.",
    );
    stage.check("each code gives the text back", |_| {
        LineCode::ALL
            .iter()
            .all(|code| code.decode(&code.encode(text.as_bytes())).as_deref() == Some(text.as_bytes()))
    });
    stage.check("Manchester never rests for longer than one bit", |_| {
        longest_still(&LineCode::Manchester.encode(text.as_bytes())) <= 2
    });
}

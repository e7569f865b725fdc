//! Exercise of lesson 19: the packets in one answer.
//!
//! Read first: the Engine.IO protocol, revision 4, "Packet encoding". Left out: binary packets, which long-polling writes
//! as base64 behind a `b`, and what an end does with a packet.

use super::{Case, Exercise, Fact, Program, Shown, Step, answer_to, bytes, hex};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "payload",
    lesson: "polling",
    title: "the packets in one answer",
    task: "By long-polling one HTTP body may carry several packets of Engine.IO, with the byte 1e between them. Each begins \
           with a digit for its kind. Say which packets there are, each as its kind and what is behind the digit, and refuse \
           a body with a packet that has no such digit.",
    hints: &[
        "Cut the body at each byte 1e; what is between is a packet. One packet has no such byte around it, and none at the \
         end.",
        "The first byte of a packet is a digit as text: the byte 30 is 0, so the kind is the byte minus 0x30. The names of \
         the kinds are at the top of the file, from 0 to 6.",
        "What is behind the digit may be empty, and may hold digits: only the first byte is the kind.",
        "Refused is a packet without a byte, also one after a 1e at the end or between two of them, and one whose first byte \
         is none of 0 to 6. Then nothing of the body is taken.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// The names of the kinds, by their digits.
pub const KINDS: [&str; 7] = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];

/// A packet: the digit of its kind, and what is behind it.
pub type Packet = (u8, Vec<u8>);

/// The answer to a line of the check, which is `body` and the body in hexadecimal. `packets` gives nothing for a body that
/// is refused.
pub fn answer(line: &str, packets: impl Fn(&[u8]) -> Option<Vec<Packet>>) -> String {
    answer_to(line, "body 321e346869", |words| {
        let ["body", body] = words else { return None };
        Some(vec![fact(packets(&bytes(body)?))])
    })
}

fn fact(packets: Option<Vec<Packet>>) -> Fact {
    let Some(packets) = packets else { return Fact::new("packets", "refused") };
    let name = |kind: &u8| KINDS.get(usize::from(*kind)).copied().unwrap_or("none");
    let all: Vec<String> =
        packets.iter().map(|(kind, rest)| format!("{}:{}", name(kind), hex(rest))).collect();
    Fact::new("packets", if all.is_empty() { "none".into() } else { all.join("+") })
}

fn cases() -> Vec<Case> {
    const ONE: &str = "One packet: a digit, and the rest of the body (Engine.IO protocol, Packet encoding).";
    const SEVERAL: &str =
        "The byte 1e stands between two packets, and in none (Engine.IO protocol, Packet encoding).";
    const ONLY: &str = "A ping and a noop are a digit and no more.";
    const FIRST: &str = "Only the first byte is the kind: the others belong to the layer above.";
    const NO_DIGIT: &str = "No packet begins so.";
    const EMPTY: &str = "A packet has at least its digit.";
    let case = |hint, title, why, body: &[u8]| Case { title, hint, steps: vec![step(body, why)] };
    vec![
        case(1, "a message", ONE, b"4hi"),
        case(2, "a ping", ONLY, b"2"),
        case(0, "two packets", SEVERAL, b"2\x1e4hi"),
        case(0, "three, of several kinds", SEVERAL, b"40\x1e42[\"say\",\"hi\"]\x1e6"),
        case(2, "digits behind the digit", FIRST, b"4321"),
        case(1, "the opening", ONE, b"0{\"sid\":\"a\"}"),
        case(3, "no digit", NO_DIGIT, b"hello"),
        case(3, "a digit too large", NO_DIGIT, b"7"),
        case(3, "no body", EMPTY, b""),
        case(3, "a separator at the end", EMPTY, b"4hi\x1e"),
        case(3, "one good, one not", NO_DIGIT, b"4hi\x1e?"),
    ]
}

fn step(body: &[u8], why: &'static str) -> Step {
    Step {
        input: format!("body {}", hex(body)),
        told: format!("{} bytes", body.len()),
        shown: Shown::Bytes(body.to_vec()),
        expected: vec![fact(as_we_read_it(body))],
        why,
    }
}

fn as_we_read_it(body: &[u8]) -> Option<Vec<Packet>> {
    let packet = |bytes: &[u8]| match bytes {
        [digit @ b'0'..=b'6', rest @ ..] => Some((digit - b'0', rest.to_vec())),
        _ => None,
    };
    body.split(|byte| *byte == 0x1e).map(packet).collect()
}

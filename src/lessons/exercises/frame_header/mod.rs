//! Exercise of lesson 17: decode a WebSocket frame by hand.
//!
//! Read first: RFC 6455 §5.2, and §5.3 for the mask. Left out: which end must mask, and what a continuation continues;
//! one frame alone does not say.

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, bytes, hex, not_understood};
use crate::base::{Header as _, Layer, Reader, Writer};
use crate::layers::application::websocket::mask::apply_mask;
use crate::layers::application::websocket::{FrameHeader, Opcode};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "frame_header",
    lesson: "frames",
    title: "decode a WebSocket frame by hand",
    task: "You are given the bytes of a WebSocket frame. Say what its header says and what its payload was before it was \
           masked, and refuse what cannot be a frame. The header is drawn at the top of the file (RFC 6455 §5.2).",
    hints: &[
        "One byte has several fields: `first & 0x80` is FIN, the most significant bit, and `first & 0x0f` the opcode. \
         In the second byte, `& 0x80` is MASK and `& 0x7f` the short length.",
        "A short length of 126 is none: the length is the number in the next two bytes. With 127 it is in the next \
         eight. The more significant byte comes first.",
        "After the length come the four bytes of the key, but only if MASK is 1. The payload begins after them: keep \
         count of where you are, in a variable.",
        "Byte i of the payload was XORed with byte i % 4 of the key: `byte ^ key[i % 4]` gives it back.",
        "Malformed are: one of the three bits after FIN; an opcode that is none of 0, 1, 2, 8, 9, 10; a control frame \
         (8, 9, 10) with FIN 0 or a length above 125; a length that would have fitted a shorter form. Incomplete is \
         whatever ends too early. In Rust `bytes.get(a..b).ok_or(Refused::Incomplete)?` says so at once.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Whether it ends its message.
    pub fin: bool,
    /// The number of its kind.
    pub opcode: u8,
    /// The key of the mask, if there is one.
    pub key: Option<[u8; 4]>,
    /// How many bytes the header has, length and key included.
    pub header_len: usize,
    /// The payload as it was before it was masked.
    pub payload: Vec<u8>,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Some of it is missing.
    Incomplete,
    /// It breaks a rule.
    Malformed,
}

/// The answer to a line of the check, which is `decode` and a frame in hexadecimal.
pub fn answer(line: &str, decode: impl Fn(&[u8]) -> Result<Decoded, Refused>) -> String {
    let frame = line.trim().strip_prefix("decode ").and_then(bytes);
    let Some(frame) = frame else { return not_understood("decode 810548656c6c6f") };
    let facts: Vec<String> =
        facts(&decode(&frame)).iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    format!("{ANSWER}{}", facts.join(" "))
}

fn facts(result: &Result<Decoded, Refused>) -> Vec<Fact> {
    match result {
        Ok(decoded) => {
            let header = decoded.header_len;
            let key = decoded.key.map_or(Fact::new("key", "none"), |key| {
                Fact::new("key", hex(&key)).at(header.saturating_sub(4)..header)
            });
            vec![
                Fact::new("fin", u8::from(decoded.fin)).at(0..1),
                Fact::new("opcode", decoded.opcode).at(0..1),
                Fact::new("header", header).at(1..header),
                key,
                Fact::new("payload", hex(&decoded.payload)).at(header..header + decoded.payload.len()),
            ]
        }
        Err(Refused::Incomplete) => vec![Fact::new("refused", "incomplete")],
        Err(Refused::Malformed) => vec![Fact::new("refused", "malformed")],
    }
}

/// The key of the example in RFC 6455 §5.7.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn cases() -> Vec<Case> {
    let case = |hint, title, why, frame: &[u8]| Case { title, hint, steps: vec![step(frame, why)] };
    let masked = |opcode, payload: &[u8]| {
        wire(&FrameHeader { mask: Some(KEY), ..FrameHeader::new(opcode, payload.len() as u64) }, payload)
    };
    let plain = |opcode, payload: &[u8]| wire(&FrameHeader::new(opcode, payload.len() as u64), payload);
    let hello = masked(Opcode::Text, b"Hello");
    vec![
        case(
            0,
            "\"Hello\" from a server",
            "The first example of RFC 6455 §5.7.",
            &plain(Opcode::Text, b"Hello"),
        ),
        case(
            3,
            "\"Hello\" from a client",
            "Four bytes of key, then each byte XORed with one of them in turn (RFC 6455 §5.3).",
            &hello,
        ),
        case(
            0,
            "two frames, one after the other",
            "A frame ends where its length says, not where the bytes end (RFC 6455 §5.2).",
            &[&plain(Opcode::Ping, b"?")[..], &hello].concat(),
        ),
        case(
            0,
            "a fragment",
            "FIN is 0: more of this message follows (RFC 6455 §5.4).",
            &wire(&FrameHeader { fin: false, ..FrameHeader::new(Opcode::Text, 3) }, b"Hel"),
        ),
        case(
            2,
            "no payload",
            "A message may be empty: the header is all there is.",
            &masked(Opcode::Binary, b""),
        ),
        case(
            1,
            "126 bytes, masked",
            "126 in the seven bits is not a length: the length is in the next two bytes (RFC 6455 §5.2).",
            &masked(Opcode::Binary, &[b'a'; 126]),
        ),
        case(
            1,
            "a length in eight bytes, and then the end",
            "127 says that eight bytes of length follow. What they promise is not here.",
            &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0, b'a'],
        ),
        case(4, "one byte", "The shortest header has two.", &[0x81]),
        case(
            4,
            "cut inside the key",
            "MASK says that four bytes of key follow: two of them came.",
            &hello[..4],
        ),
        case(4, "cut inside the payload", "What is missing cannot be made up.", &hello[..hello.len() - 1]),
        case(
            4,
            "5, written in 16 bits",
            "A length has one form only, the shortest (RFC 6455 §5.2).",
            b"\x81\x7e\x00\x05Hello",
        ),
        case(4, "opcode 3", "It is reserved and has no meaning yet (RFC 6455 §5.2).", &[0x83, 0]),
        case(
            4,
            "RSV1 is 1",
            "Those bits are 0 unless an extension was agreed on that uses them (RFC 6455 §5.2).",
            &[0xc1, 0],
        ),
        case(4, "a fragmented ping", "Control frames are never fragmented (RFC 6455 §5.5).", &[0x09, 0]),
        case(
            4,
            "a ping of 126 bytes",
            "A control frame carries at most 125 bytes (RFC 6455 §5.5).",
            &[&[0x89, 126, 0, 126][..], &[b'a'; 126]].concat(),
        ),
    ]
}

/// A frame as it is on the wire.
fn wire(header: &FrameHeader, payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    header.emit(&mut w);
    let mut payload = payload.to_vec();
    if let Some(key) = header.mask {
        apply_mask(key, 0, &mut payload);
    }
    [w.as_slice(), &payload].concat()
}

/// A step whose expected answer is what our own parser makes of the bytes.
fn step(frame: &[u8], why: &'static str) -> Step {
    Step {
        input: format!("decode {}", hex(frame)),
        told: match frame.len() {
            1 => "1 byte".into(),
            many => format!("{many} bytes"),
        },
        shown: Shown::Bytes(frame.to_vec()),
        expected: facts(&as_we_read_it(frame)),
        why,
    }
}

fn as_we_read_it(frame: &[u8]) -> Result<Decoded, Refused> {
    let mut r = Reader::new(Layer::Application, FrameHeader::PROTOCOL, frame);
    let header = FrameHeader::parse(&mut r).map_err(|error| match error.is_incomplete() {
        true => Refused::Incomplete,
        false => Refused::Malformed,
    })?;
    if header.rsv1 || header.rsv2 || header.rsv3 {
        return Err(Refused::Malformed);
    }
    let start = r.position();
    let len = usize::try_from(header.payload_len).map_err(|_| Refused::Incomplete)?;
    let mut payload = frame.get(start..start.saturating_add(len)).ok_or(Refused::Incomplete)?.to_vec();
    if let Some(key) = header.mask {
        apply_mask(key, 0, &mut payload);
    }
    Ok(Decoded {
        fin: header.fin,
        opcode: header.opcode.number(),
        key: header.mask,
        header_len: start,
        payload,
    })
}

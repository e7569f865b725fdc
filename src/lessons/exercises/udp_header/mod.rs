//! Exercise of lesson 6: decode a UDP header by hand.
//!
//! Read first: RFC 768, all of it. Left out: verifying the checksum, which needs the addresses of the IP header.

use crate::layers::internet::prefix::v4;

use bytes::Bytes;

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, bytes, hex, not_understood};
use crate::base::{Header as _, Layer, Reader, Writer};
use crate::layers::transport::udp::{Datagram, HEADER_LEN, UdpHeader};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "udp_header",
    lesson: "udp",
    title: "decode a UDP header by hand",
    task: "You are given the bytes of a UDP datagram. Say what its four fields are and what its payload is, and \
           refuse what cannot be a datagram. The header is drawn at the top of the file (RFC 768).",
    hints: &[
        "All four fields are numbers of two bytes, the more significant one first: bytes 0 and 1 are the source port.",
        "The number of the bytes a and b is a * 256 + b. In Rust u16::from_be_bytes([a, b]) says the same, in Python \
         int.from_bytes(pair, \"big\"), in JavaScript readUInt16BE of a Buffer.",
        "`length` counts the header too: the payload is from byte 8 up to byte `length`, not up to the \
         end of the bytes you were given.",
        "Before you touch byte 7, look whether it is there: fewer than 8 bytes are Incomplete. A length below 8 is \
         Malformed, for the header alone has 8. A length beyond the bytes that came is Incomplete.",
        "In this order: too few bytes for a header; read the four numbers; length below 8; length beyond the end; \
         then the payload is what lies from byte 8 up to byte `length`.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What a datagram says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The port of the program that sent it.
    pub source_port: u16,
    /// The port of the program that it is for.
    pub destination_port: u16,
    /// Bytes of header and payload.
    pub length: u16,
    /// The checksum field; 0 means that none was computed.
    pub checksum: u16,
    /// The message that the datagram carries.
    pub payload: Vec<u8>,
}

/// Why bytes are no datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Some of it is missing.
    Incomplete,
    /// Its fields contradict each other.
    Malformed,
}

/// The answer to a line of the check, which is `decode` and a datagram in hexadecimal.
pub fn answer(line: &str, decode: impl Fn(&[u8]) -> Result<Decoded, Refused>) -> String {
    let datagram = line.trim().strip_prefix("decode ").and_then(bytes);
    let Some(datagram) = datagram else { return not_understood("decode c00000350009a4a441") };
    let facts: Vec<String> =
        facts(&decode(&datagram)).iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    format!("{ANSWER}{}", facts.join(" "))
}

fn facts(result: &Result<Decoded, Refused>) -> Vec<Fact> {
    match result {
        Ok(decoded) => vec![
            Fact::new("source_port", decoded.source_port).at(0..2),
            Fact::new("destination_port", decoded.destination_port).at(2..4),
            Fact::new("length", decoded.length).at(4..6),
            Fact::new("checksum", format!("0x{:04x}", decoded.checksum)).at(6..8),
            Fact::new("payload", hex(&decoded.payload)).at(8..8 + decoded.payload.len()),
        ],
        Err(Refused::Incomplete) => vec![Fact::new("refused", "incomplete")],
        Err(Refused::Malformed) => vec![Fact::new("refused", "malformed")],
    }
}

fn cases() -> Vec<Case> {
    let dns = wire(49_152, 53, b"");
    let hello = wire(49_152, 9001, b"hello");
    let case = |hint, title, why, datagram: &[u8]| Case { title, hint, steps: vec![step(datagram, why)] };
    vec![
        case(
            0,
            "\"hello\" from port 49152 to port 9001",
            "Two bytes a number, the first one counts 256.",
            &hello,
        ),
        case(
            1,
            "from port 258 to port 513",
            "258 is 01 02 and 513 is 02 01: which byte comes first matters (RFC 791, appendix B).",
            &wire(258, 513, b"ports"),
        ),
        case(2, "no payload", "A datagram may be empty: its length is 8, the header alone.", &dns),
        case(
            2,
            "no checksum",
            "0 says that the sender computed none (RFC 768): that is allowed, and the rest still counts.",
            &[&hello[..6], &[0, 0], &hello[8..]].concat(),
        ),
        case(
            2,
            "bytes after the end",
            "Ethernet pads short frames. What follows byte `length` is not part of the datagram.",
            &[&hello[..], &[0; 5]].concat(),
        ),
        case(
            3,
            "cut short",
            "`length` promises more bytes than came: what is missing cannot be made up.",
            &hello[..hello.len() - 2],
        ),
        case(3, "seven bytes", "The header alone has 8 bytes (RFC 768).", &hello[..HEADER_LEN - 1]),
        case(3, "no bytes at all", "There is nothing to read, not even the first port.", &[]),
        case(
            3,
            "a length of 7",
            "`length` counts the header, so less than 8 cannot be.",
            &[&hello[..4], &[0, 7], &hello[6..]].concat(),
        ),
    ]
}

/// A datagram as our stack writes it.
fn wire(source_port: u16, destination_port: u16, payload: &'static [u8]) -> Vec<u8> {
    let mut w = Writer::new();
    let (client, server) = (v4(10, 0, 0, 1), v4(10, 0, 0, 2));
    Datagram::new(source_port, destination_port, Bytes::from_static(payload)).emit(client, server, &mut w);
    w.as_slice().to_vec()
}

/// A step whose expected answer is what our stack makes of the bytes.
fn step(datagram: &[u8], why: &'static str) -> Step {
    Step {
        input: format!("decode {}", hex(datagram)),
        told: match datagram.len() {
            0 => "no bytes".into(),
            1 => "1 byte".into(),
            many => format!("{many} bytes"),
        },
        shown: Shown::Bytes(datagram.to_vec()),
        expected: facts(&as_our_stack_reads_it(datagram)),
        why,
    }
}

fn as_our_stack_reads_it(datagram: &[u8]) -> Result<Decoded, Refused> {
    let mut r = Reader::new(Layer::Transport, UdpHeader::PROTOCOL, datagram);
    let header = UdpHeader::parse(&mut r).map_err(|error| match error.is_incomplete() {
        true => Refused::Incomplete,
        false => Refused::Malformed,
    })?;
    let payload = datagram.get(HEADER_LEN..usize::from(header.length)).ok_or(Refused::Incomplete)?;
    Ok(Decoded {
        source_port: header.source_port,
        destination_port: header.destination_port,
        length: header.length,
        checksum: header.checksum,
        payload: payload.to_vec(),
    })
}

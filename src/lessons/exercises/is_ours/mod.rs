//! Exercise of lesson 3: which frames does an interface take?
//!
//! Read first: RFC 894, and IEEE 802.3 §3.2.3 for the two kinds of addresses. Left out: the check sequence, which the
//! interface has checked and taken off, and tags.

use super::{Case, Exercise, Fact, Program, Shown, Step, answer_to, bytes, hex};
use crate::base::{Header as _, Layer, Reader};
use crate::layers::link::ethernet::{EthernetHeader, HEADER_LEN, MIN_PAYLOAD};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "is_ours",
    lesson: "arp",
    title: "which frames does an interface take?",
    task: "You are the interface with the MAC address that comes first in the line. Say for each frame whether it is for \
           me, for all, for a group or for another, its sender, and the type of what is inside. Refuse what is too short \
           for a frame, and what has a length where the type belongs.",
    hints: &[
        "The first six bytes are the receiver's address, the next six the sender's, the next two the type. `frame[0..6]`, \
         `frame[6..12]`, `frame[12..14]`.",
        "All is ff ff ff ff ff ff. A group has the lowest bit of the first byte set: `frame[0] & 1`. All is a group, too, \
         so look for it first.",
        "A frame has at least 14 + 46 bytes when its check sequence is off; with less it is the rest of a collision, and \
         nothing in it is believed. Look at that before anything else.",
        "The type is one number of two bytes, the more significant first: `first * 256 + second`. Below 0x0600 it is not a \
         type but a length, as IEEE 802.3 first had it.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// Whom a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// This interface.
    Me,
    /// Every interface on the link.
    All,
    /// A group of interfaces.
    Group,
    /// Another interface.
    Another,
}

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Whom it is for.
    pub whom: For,
    /// The address of its sender.
    pub from: [u8; 6],
    /// The number of the protocol inside.
    pub ethertype: u16,
}

/// Why bytes are no frame of Ethernet II.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There are too few of them.
    Short,
    /// They have a length where the type belongs.
    Length,
}

/// The answer to a line of the check, which is `frame`, the interface's own address and the frame, in hexadecimal.
pub fn answer(line: &str, read: impl Fn(&[u8; 6], &[u8]) -> Result<Read, Refused>) -> String {
    answer_to(line, "frame 020000000001 ffffffffffff0200000000020806", |words| {
        let ["frame", own, frame] = words else { return None };
        let own: [u8; 6] = bytes(own)?.try_into().ok()?;
        Some(facts(read(&own, &bytes(frame)?)))
    })
}

fn facts(result: Result<Read, Refused>) -> Vec<Fact> {
    match result {
        Ok(Read { whom, from, ethertype }) => {
            let whom = match whom {
                For::Me => "me",
                For::All => "all",
                For::Group => "group",
                For::Another => "another",
            };
            vec![
                Fact::new("for", whom).at(0..6),
                Fact::new("from", hex(&from)).at(6..12),
                Fact::new("type", format!("{ethertype:04x}")).at(12..14),
            ]
        }
        Err(Refused::Short) => vec![Fact::new("refused", "short")],
        Err(Refused::Length) => vec![Fact::new("refused", "length").at(12..14)],
    }
}

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 2];
const ALL: [u8; 6] = [0xff; 6];
/// The group of all IPv6 hosts on a link (RFC 2464 §7).
const GROUP: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];

fn cases() -> Vec<Case> {
    let case = |hint, title, why, frame: Vec<u8>| Case { title, hint, steps: vec![step(&frame, why)] };
    vec![
        case(
            0,
            "a packet for this interface",
            "The first six bytes are our own address.",
            frame(OWN, 0x0800, 46),
        ),
        case(
            0,
            "a packet for another",
            "The first six bytes are another's address: on a hub one hears it all the same (RFC 894).",
            frame([2, 0, 0, 0, 0, 3], 0x0800, 100),
        ),
        case(
            1,
            "a question of ARP",
            "ff:ff:ff:ff:ff:ff means every interface on the link (RFC 894).",
            frame(ALL, 0x0806, 46),
        ),
        case(
            1,
            "for a group",
            "The lowest bit of the first byte is set: a group of interfaces (IEEE 802.3 §3.2.3).",
            frame(GROUP, 0x86dd, 60),
        ),
        case(
            3,
            "a length in place of a type",
            "38 is less than 0x0600, so it counts bytes and names no protocol (RFC 894, RFC 1042).",
            frame(OWN, 38, 46),
        ),
        case(
            3,
            "the smallest type",
            "From 0x0600 on it is a type (IEEE 802.3 §3.2.6).",
            frame(OWN, 0x0600, 46),
        ),
        case(
            2,
            "one byte too short",
            "59 bytes and 4 of check sequence are less than 64: no whole frame is so short (RFC 894).",
            frame(OWN, 0x0800, 45),
        ),
        case(2, "not even a header", "The rest of a collision.", OWN.to_vec()),
        case(2, "too short, and for another", "What is too short says nothing.", frame(OTHER, 20, 0)),
    ]
}

fn frame(to: [u8; 6], ethertype: u16, payload: usize) -> Vec<u8> {
    [&to[..], &OTHER, &ethertype.to_be_bytes(), &vec![0xab; payload]].concat()
}

/// A step whose expected answer is what our own parser makes of the bytes.
fn step(frame: &[u8], why: &'static str) -> Step {
    Step {
        input: format!("frame {} {}", hex(&OWN), hex(frame)),
        told: format!("{} bytes", frame.len()),
        shown: Shown::Bytes(frame[..frame.len().min(16)].to_vec()),
        expected: facts(as_we_read_it(frame)),
        why,
    }
}

fn as_we_read_it(frame: &[u8]) -> Result<Read, Refused> {
    if frame.len() < HEADER_LEN + MIN_PAYLOAD {
        return Err(Refused::Short);
    }
    let mut r = Reader::new(Layer::Link, EthernetHeader::PROTOCOL, frame);
    let header = EthernetHeader::parse(&mut r).map_err(|_| Refused::Length)?;
    let to = header.destination;
    let whom = match to.0 {
        OWN => For::Me,
        _ if to.is_broadcast() => For::All,
        _ if to.is_group() => For::Group,
        _ => For::Another,
    };
    Ok(Read { whom, from: header.source.0, ethertype: header.ethertype.0 })
}

//! A run as a capture file that Wireshark opens: pcapng (draft-ietf-opsawg-pcapng, "PCAP Next Generation").
//!
//! One section, one interface for each trace, one Enhanced Packet Block for each frame that was sent. What became of a frame
//! is in its comment. Time 0 of the run is written as 1970-01-01: virtual time has no date, and a made-up one would
//! make two equal runs differ.

use crate::base::Instant;
use crate::layers::physical::crc32::{crc32, fcs_bytes};
use crate::trace::{Fate, FrameId, Kind, Trace};

/// Block types (section 11.1 of the draft).
pub(super) mod block {
    pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(crate) const INTERFACE: u32 = 1;
    pub(crate) const SIMPLE_PACKET: u32 = 3;
    pub(crate) const ENHANCED_PACKET: u32 = 6;
    /// The magic number that shows the byte order of a section.
    pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
}

/// Option codes: those of every block, of the section header, of an interface.
pub(super) mod option {
    pub(crate) const END: u16 = 0;
    pub(crate) const COMMENT: u16 = 1;
    pub(crate) const USER_APPLICATION: u16 = 4;
    pub(crate) const IF_NAME: u16 = 2;
    pub(crate) const IF_TSRESOL: u16 = 9;
    pub(crate) const IF_FCSLEN: u16 = 13;
}

/// The link type of Ethernet.
const ETHERNET: u16 = 1;

/// What to write besides the frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PcapngOptions {
    /// Appends the frame check sequence to every frame, as a few capture devices do. Frames are recorded as they were
    /// sent, so it is always right.
    pub fcs: bool,
}

/// Writes one or several traces into one file, merged by time; each is an interface named after its title.
pub fn to_pcapng(traces: &[&Trace], options: PcapngOptions) -> Vec<u8> {
    let mut file = File::default();
    file.section_header();
    for trace in traces {
        file.interface(&trace.title, options.fcs);
    }
    let mut packets = Vec::new();
    for (interface, trace) in (0..).zip(traces) {
        let fates = trace.fates();
        for (at, from, to, frame, bytes) in trace.frames() {
            let mut comment = format!("{} to {}", trace.name(from), trace.name(to));
            for sentence in tell(trace, frame, fates.get(&frame)) {
                comment.push_str("; ");
                comment.push_str(&sentence);
            }
            packets.push((at, interface, bytes, comment));
        }
    }
    // Stable: what happened at the same time stays in the order of the traces.
    packets.sort_by_key(|(at, ..)| *at);
    for (at, interface, bytes, comment) in packets {
        file.packet(interface, at, bytes, &comment, options.fcs);
    }
    file.0
}

/// What became of a frame, in sentences.
fn tell(trace: &Trace, frame: FrameId, fate: Option<&Fate>) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(fate) = fate else { return sentences };
    if let Some(by) = &fate.dropped_by {
        sentences.push(format!("lost on the way: {by}"));
    }
    if let Some(by) = &fate.corrupted_by {
        let offset = trace.events.iter().find_map(|event| match &event.kind {
            Kind::Corrupted { frame: other, offset, .. } if *other == frame => Some(*offset),
            _ => None,
        });
        let place = offset.map_or(String::new(), |offset| format!(" at byte {offset}"));
        sentences.push(format!("bits changed on the way{place}: {by}"));
    }
    if let Some(by) = &fate.duplicated_by {
        sentences.push(format!("doubled on the way: {by}"));
    }
    if let Some(by) = &fate.delayed_by {
        sentences.push(format!("held back on the way: {by}"));
    }
    if let Some(why) = &fate.discarded {
        sentences.push(format!("refused by the receiver: {why}"));
    }
    if let Some(at) = fate.delivered {
        sentences.push(format!("arrived at {at}"));
    }
    sentences
}

/// A file in the making, little-endian.
#[derive(Default)]
struct File(Vec<u8>);

impl File {
    fn section_header(&mut self) {
        let mut body = Vec::new();
        body.extend(block::BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend(1u16.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // The length of the section is not said: it goes on to the end of the file.
        body.extend(u64::MAX.to_le_bytes());
        put_option(&mut body, option::USER_APPLICATION, b"netlayers");
        put_option(&mut body, option::END, b"");
        self.block(block::SECTION_HEADER, &body);
    }

    fn interface(&mut self, name: &str, fcs: bool) {
        let mut body = Vec::new();
        body.extend(ETHERNET.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // No limit on the length of a captured packet.
        body.extend(0u32.to_le_bytes());
        put_option(&mut body, option::IF_NAME, name.as_bytes());
        // Time in units of 10^-9 seconds.
        put_option(&mut body, option::IF_TSRESOL, &[9]);
        if fcs {
            put_option(&mut body, option::IF_FCSLEN, &[4]);
        }
        put_option(&mut body, option::END, b"");
        self.block(block::INTERFACE, &body);
    }

    fn packet(&mut self, interface: u32, at: Instant, frame: &[u8], comment: &str, fcs: bool) {
        let mut bytes = frame.to_vec();
        if fcs {
            bytes.extend(fcs_bytes(crc32(frame)));
        }
        let nanos = at.as_nanos();
        let mut body = Vec::with_capacity(bytes.len() + comment.len() + 64);
        body.extend(interface.to_le_bytes());
        body.extend(((nanos >> 32) as u32).to_le_bytes());
        body.extend((nanos as u32).to_le_bytes());
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        body.extend(len.to_le_bytes());
        body.extend(len.to_le_bytes());
        body.extend(&bytes);
        pad(&mut body);
        put_option(&mut body, option::COMMENT, comment.as_bytes());
        put_option(&mut body, option::END, b"");
        self.block(block::ENHANCED_PACKET, &body);
    }

    /// A block says its length at both ends, so that a file can be read backwards.
    fn block(&mut self, kind: u32, body: &[u8]) {
        let len = u32::try_from(body.len() + 12).unwrap_or(u32::MAX);
        self.0.extend(kind.to_le_bytes());
        self.0.extend(len.to_le_bytes());
        self.0.extend(body);
        self.0.extend(len.to_le_bytes());
    }
}

/// An option: code, length, value, padding to 4 bytes. A value too long for its length field is cut.
fn put_option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

//! A run as a capture file that Wireshark opens: pcapng (draft-ietf-opsawg-pcapng, "PCAP Next Generation").
//!
//! One section, one interface for each trace, one Enhanced Packet Block for each frame that was sent. What became of a frame
//! is in its comment. Time 0 of the run is written as 1970-01-01: virtual time has no date, and a made-up one would
//! make two equal runs differ.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use crate::base::Instant;
use crate::layers::physical::crc32::{crc32, fcs_bytes};
use crate::layers::physical::delay::FCS_LEN;
use crate::trace::{Fate, Trace};

/// Block types (section 11.1 of the draft).
pub(super) mod block {
    pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(crate) const INTERFACE: u32 = 1;
    pub(crate) const OBSOLETE_PACKET: u32 = 2;
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
    pub(crate) const IF_TSOFFSET: u16 = 14;
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

/// Writes one or several traces into one file, merged by time; each is an interface named after its title. Besides
/// the traces and what became of their frames it holds one packet at a time.
///
/// # Errors
/// Those of `out`.
pub fn write_pcapng(traces: &[&Trace], options: PcapngOptions, out: impl Write) -> io::Result<()> {
    let mut file = File { out, body: Vec::new() };
    file.section_header()?;
    for trace in traces {
        file.interface(&trace.title, options.fcs)?;
    }
    let fates: Vec<_> = traces.iter().map(|trace| trace.fates()).collect();
    let mut frames: Vec<_> = traces.iter().map(|trace| trace.frames().peekable()).collect();
    let mut comment = String::new();
    // Of what happened at the same time, the first trace has the first word.
    while let Some((_, interface)) = (0..traces.len())
        .filter_map(|interface| frames[interface].peek().map(|(at, ..)| (*at, interface)))
        .min()
    {
        let Some((at, from, to, frame, bytes)) = frames[interface].next() else { break };
        comment.clear();
        let trace = traces[interface];
        write!(comment, "{} to {}", trace.name(from), trace.name(to)).expect(NEVER_FAILS);
        if let Some(fate) = fates[interface].get(&frame) {
            tell(fate, &mut comment).expect(NEVER_FAILS);
        }
        file.packet(interface as u32, at, bytes, &comment, options.fcs)?;
    }
    Ok(())
}

/// The same file, in memory.
pub fn to_pcapng(traces: &[&Trace], options: PcapngOptions) -> Vec<u8> {
    let mut file = Vec::new();
    write_pcapng(traces, options, &mut file).expect(NEVER_FAILS);
    file
}

const NEVER_FAILS: &str = "memory takes what is written";

/// What became of a frame, in sentences.
fn tell(fate: &Fate<'_>, comment: &mut String) -> fmt::Result {
    if let Some(by) = fate.dropped_by {
        write!(comment, "; lost on the way: {by}")?;
    }
    if let Some(by) = fate.corrupted_by {
        comment.push_str("; bits changed on the way");
        if let Some(offset) = fate.corrupted_at {
            write!(comment, " at byte {offset}")?;
        }
        write!(comment, ": {by}")?;
    }
    if let Some(by) = fate.duplicated_by {
        write!(comment, "; doubled on the way: {by}")?;
    }
    if let Some(by) = fate.delayed_by {
        write!(comment, "; held back on the way: {by}")?;
    }
    if let Some(why) = fate.discarded {
        write!(comment, "; refused by the receiver: {why}")?;
    }
    if let Some(at) = fate.delivered {
        write!(comment, "; arrived at {at}")?;
    }
    Ok(())
}

/// A file in the making, little-endian, and the body of its next block.
struct File<W> {
    out: W,
    body: Vec<u8>,
}

impl<W: Write> File<W> {
    fn section_header(&mut self) -> io::Result<()> {
        let body = &mut self.body;
        body.extend(block::BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend(1u16.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // The length of the section is not said: it goes on to the end of the file.
        body.extend(u64::MAX.to_le_bytes());
        put_option(body, option::USER_APPLICATION, b"netlayers");
        put_option(body, option::END, b"");
        self.block(block::SECTION_HEADER)
    }

    fn interface(&mut self, name: &str, fcs: bool) -> io::Result<()> {
        let body = &mut self.body;
        body.extend(ETHERNET.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // No limit on the length of a captured packet.
        body.extend(0u32.to_le_bytes());
        put_option(body, option::IF_NAME, name.as_bytes());
        // Time in units of 10^-9 seconds.
        put_option(body, option::IF_TSRESOL, &[9]);
        if fcs {
            put_option(body, option::IF_FCSLEN, &[4]);
        }
        put_option(body, option::END, b"");
        self.block(block::INTERFACE)
    }

    fn packet(
        &mut self,
        interface: u32,
        at: Instant,
        frame: &[u8],
        comment: &str,
        fcs: bool,
    ) -> io::Result<()> {
        let nanos = at.as_nanos();
        let len = frame.len() + if fcs { FCS_LEN } else { 0 };
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        let body = &mut self.body;
        body.extend(interface.to_le_bytes());
        body.extend(((nanos >> 32) as u32).to_le_bytes());
        body.extend((nanos as u32).to_le_bytes());
        body.extend(len.to_le_bytes());
        body.extend(len.to_le_bytes());
        body.extend(frame);
        if fcs {
            body.extend(fcs_bytes(crc32(frame)));
        }
        pad(body);
        put_option(body, option::COMMENT, comment.as_bytes());
        put_option(body, option::END, b"");
        self.block(block::ENHANCED_PACKET)
    }

    /// Writes the body as a block, which says its length at both ends, so that a file can be read backwards.
    fn block(&mut self, kind: u32) -> io::Result<()> {
        let len = u32::try_from(self.body.len() + 12).unwrap_or(u32::MAX);
        let len = len.to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&len)?;
        self.out.write_all(&self.body)?;
        self.body.clear();
        self.out.write_all(&len)
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

/// Blocks and options begin at multiples of 4 bytes, and so does the body of a block.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

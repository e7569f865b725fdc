//! Reads capture files: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), of either byte order.
//!
//! Packets are read one at a time, so a file may be larger than memory, and may come through a pipe. A block that is not
//! known is stepped over, as the format asks for; one that says of itself what cannot be is an error with its place in
//! the file. Left out: name resolution, statistics, decryption secrets, and all options but the few that change how a
//! packet is read.
//!
//! | where | what |
//! |---|---|
//! | `blocks` | the blocks of pcapng |
//! | `pcap` | the older format, with its variants |
//! | `source` | the bytes of a file, counted |
//! | [`hexdump`] | bytes that somebody pasted as text |
//! | [`talks`] | who spoke with whom |
//! | [`json`] | the packets for programs |

mod blocks;
pub mod hexdump;
pub mod json;
mod pcap;
mod source;
pub mod talks;

use std::io::{self, Read};

use blocks::{Body, Interface};
use pcap::Pcap;
use source::{Endian, Source};

pub use super::dissect::LinkType;
use super::dissect::{Conversations, Packet, Start};
use super::pcapng::block;

/// The longest block or packet that is read; a longer one is a broken or hostile file. It is as Wireshark has it.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;
/// At most this many interfaces are known in one section; a file with more is refused.
pub const MOST_INTERFACES: usize = 4096;

/// What a pcapng file begins with: the type of a section header block, the same in both byte orders.
const PCAPNG: [u8; 4] = block::SECTION_HEADER.to_be_bytes();

/// Whether these first bytes of a file are those of a capture.
pub fn is_capture(start: &[u8]) -> bool {
    let Some((magic, _)) = start.split_first_chunk::<4>() else { return false };
    *magic == PCAPNG || pcap::is_magic(*magic)
}

/// Why a file could not be read, and where.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is no capture, or a broken one.
    #[error("{what} at byte {offset} of the capture: expected {expected}, got {got}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// Where it begins in the file.
        offset: u64,
        /// What the format asks for.
        expected: String,
        /// What was there in its place.
        got: String,
    },
    /// The file ends in the middle of something.
    #[error(
        "the capture ends at byte {offset}, in the middle of {what}: {wanted} bytes expected, {got} there"
    )]
    CutShort {
        /// What was being read.
        what: &'static str,
        /// Where the file ends.
        offset: u64,
        /// Bytes that were asked for.
        wanted: usize,
        /// Bytes that came before the end.
        got: usize,
    },
    /// The operating system could not read it.
    #[error("reading the capture at byte {offset}: {source}")]
    Io {
        /// How far it was read.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
}

/// One captured packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Nanoseconds since 1970, as far as the file says.
    pub at_nanos: Option<u64>,
    /// Which interface of its section.
    pub interface: usize,
    /// What it begins with.
    pub link: LinkType,
    /// The bytes captured, without frame check sequence.
    pub bytes: Vec<u8>,
    /// How many bytes it had, which may be more than were captured.
    pub original_len: usize,
    /// Comments, as they are in the file: [`escape`](super::look::escape) them before showing.
    pub comments: Vec<String>,
}

impl Captured {
    /// Dissects it in the context of those before.
    pub fn dissect(&self, conversations: &mut Conversations) -> Packet {
        let start = Start { link: self.link, original_len: self.original_len, at_nanos: self.at_nanos };
        conversations.feed_captured(&self.bytes, start)
    }
}

/// A capture file being read: an iterator over its packets. After an error it ends.
#[derive(Debug)]
pub struct Capture<R> {
    source: Source<R>,
    format: Format,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    Pcapng { endian: Endian, interfaces: Vec<Interface> },
}

impl<R: Read> Capture<R> {
    /// Reads the beginning of a file, which shows its format.
    ///
    /// # Errors
    /// When it is neither pcap nor pcapng.
    pub fn open(reader: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(reader);
        let magic: [u8; 4] = source.array("the magic number")?;
        let format = match magic {
            PCAPNG => Format::Pcapng { endian: source.section_header()?, interfaces: Vec::new() },
            _ => Format::Pcap(Pcap::header(&mut source, magic)?),
        };
        Ok(Capture { source, format, ended: false })
    }

    fn read(&mut self) -> Result<Option<Captured>, CaptureError> {
        match &mut self.format {
            Format::Pcap(pcap) => pcap.packet(&mut self.source),
            Format::Pcapng { endian, interfaces } => loop {
                let start = self.source.offset();
                let Some(kind) = self.source.array_or_end::<4>("a block")? else { return Ok(None) };
                if kind == PCAPNG {
                    // Interfaces are numbered from 0 again in each section, and its byte order may be another.
                    *endian = self.source.section_header()?;
                    interfaces.clear();
                    continue;
                }
                let body = self.source.block_body(*endian, start)?;
                let mut body = Body { rest: &body, at: start + 8, endian: *endian };
                match endian.u32(kind) {
                    block::INTERFACE if interfaces.len() >= MOST_INTERFACES => {
                        return Err(body.malformed(
                            "interfaces",
                            format!("at most {MOST_INTERFACES}"),
                            "more",
                        ));
                    }
                    block::INTERFACE => interfaces.push(body.interface()?),
                    block::ENHANCED_PACKET => return body.enhanced_packet(interfaces).map(Some),
                    block::SIMPLE_PACKET => return body.simple_packet(interfaces).map(Some),
                    block::OBSOLETE_PACKET => return body.obsolete_packet(interfaces).map(Some),
                    _ => {}
                }
            },
        }
    }
}

impl<R: Read> Iterator for Capture<R> {
    type Item = Result<Captured, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let packet = self.read().transpose();
        self.ended = !matches!(packet, Some(Ok(_)));
        packet
    }
}

/// A packet whose frame check sequence, if it has one and it was captured, is cut off.
fn captured_packet(
    at_nanos: Option<u64>,
    interface: usize,
    link: LinkType,
    fcs: usize,
    mut bytes: Vec<u8>,
    original: usize,
) -> Captured {
    let data = original.saturating_sub(fcs);
    bytes.truncate(data.max(bytes.len().saturating_sub(fcs)).min(bytes.len()));
    Captured { at_nanos, interface, link, bytes, original_len: data, comments: Vec::new() }
}

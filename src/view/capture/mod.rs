//! Reads capture files: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), of either byte order.
//!
//! Packets are read one at a time, so a file may be larger than memory. A block that is not known is stepped over, as
//! the format asks for; one that says of itself what cannot be is an error with its place in the file. Left out:
//! name resolution, statistics, decryption secrets, and all options but the few that change how a packet is read.

mod blocks;

use std::io::{self, Read};

use blocks::{Body, Interface};

use super::dissect::{Conversations, Packet};
use super::pcapng::block;

/// The longest block or packet that is read; a longer one is a broken or hostile file. It is as Wireshark has it.
pub const MOST_BYTES: usize = 16 * 1024 * 1024;
/// At most this many interfaces are known in one section; a file with more is refused.
pub const MOST_INTERFACES: usize = 4096;

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

/// What the bytes of a packet begin with (the registry of link types at tcpdump.org).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    /// 1: an Ethernet header.
    Ethernet,
    /// 101 and 228 (on some systems 12 and 14): an IP header.
    RawIp,
    /// 0 and 108: four bytes with the number of the address family, then an IP header.
    Loopback,
    /// 113: the 16 bytes that Linux gives when it captures on all interfaces.
    LinuxCooked,
    /// Any other link type, by its number.
    Other(u16),
}

/// One captured packet, of any link type.
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

impl LinkType {
    fn from_number(number: u16) -> Self {
        match number {
            1 => LinkType::Ethernet,
            12 | 14 | 101 | 228 => LinkType::RawIp,
            0 | 108 => LinkType::Loopback,
            113 => LinkType::LinuxCooked,
            other => LinkType::Other(other),
        }
    }
}

impl Captured {
    /// Dissects it in the context of those before. `None` when its link type has no dissector.
    pub fn dissect(&self, conversations: &mut Conversations) -> Option<Packet> {
        match self.link {
            LinkType::Ethernet => Some(conversations.feed(&self.bytes)),
            _ => self.ip_packet().map(|packet| conversations.feed_packet(packet)),
        }
    }

    /// The IP packet, when the link type is one of those with no more than a stub of a link header before it.
    pub fn ip_packet(&self) -> Option<&[u8]> {
        match self.link {
            LinkType::RawIp => Some(&self.bytes),
            // The family is in the byte order of the machine that captured; IPv4 is 2 on all of them.
            LinkType::Loopback => match self.bytes.split_first_chunk::<4>()? {
                ([2, 0, 0, 0] | [0, 0, 0, 2], packet) => Some(packet),
                _ => None,
            },
            LinkType::LinuxCooked => {
                let (header, packet) = self.bytes.split_first_chunk::<16>()?;
                header.ends_with(&[0x08, 0x00]).then_some(packet)
            }
            LinkType::Ethernet | LinkType::Other(_) => None,
        }
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
    Pcap { big_endian: bool, nanos: bool, link: LinkType, fcs: usize },
    Pcapng { big_endian: bool, interfaces: Vec<Interface> },
}

impl<R: Read> Capture<R> {
    /// Reads the beginning of a file, which shows its format.
    ///
    /// # Errors
    /// When it is neither pcap nor pcapng.
    pub fn open(reader: R) -> Result<Self, CaptureError> {
        let mut source = Source { reader, offset: 0 };
        let magic: [u8; 4] = source.array("the magic number")?;
        let format = match magic {
            [0x0a, 0x0d, 0x0d, 0x0a] => {
                let big_endian = source.section_header()?;
                Format::Pcapng { big_endian, interfaces: Vec::new() }
            }
            _ => source.pcap_header(magic)?,
        };
        Ok(Capture { source, format, ended: false })
    }

    fn read(&mut self) -> Result<Option<Captured>, CaptureError> {
        match &mut self.format {
            Format::Pcap { big_endian, nanos, link, fcs } => {
                self.source.pcap_packet(Endian(*big_endian), *nanos, *link, *fcs)
            }
            Format::Pcapng { big_endian, interfaces } => loop {
                let start = self.source.offset;
                let Some(kind) = self.source.array_or_end::<4>("a block")? else { return Ok(None) };
                if kind == block::SECTION_HEADER.to_be_bytes() {
                    // Interfaces are numbered from 0 in each section, and its byte order may be another.
                    *big_endian = self.source.section_header()?;
                    interfaces.clear();
                    continue;
                }
                let endian = Endian(*big_endian);
                let body = self.source.block_body(endian, start)?;
                let mut body = Body { rest: &body, at: start + 8, endian };
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

/// A byte order: true for big-endian.
#[derive(Debug, Clone, Copy)]
struct Endian(bool);

impl Endian {
    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.0 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.0 { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// The file, and how far it was read.
#[derive(Debug)]
struct Source<R> {
    reader: R,
    offset: u64,
}

impl<R: Read> Source<R> {
    /// Exactly `n` bytes; memory is only taken for what really comes.
    fn take(&mut self, n: usize, what: &'static str) -> Result<Vec<u8>, CaptureError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(n as u64).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        match read {
            Err(source) => Err(CaptureError::Io { offset: self.offset, source }),
            Ok(got) if got < n => Err(CaptureError::CutShort { what, offset: self.offset, wanted: n, got }),
            Ok(_) => Ok(bytes),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CaptureError> {
        let mut array = [0; N];
        array.copy_from_slice(&self.take(N, what)?);
        Ok(array)
    }

    /// As [`array`](Source::array), or `None` when the file ends right here.
    fn array_or_end<const N: usize>(&mut self, what: &'static str) -> Result<Option<[u8; N]>, CaptureError> {
        match self.array(what) {
            Err(CaptureError::CutShort { got: 0, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn malformed(
        &self,
        what: &'static str,
        offset: u64,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> CaptureError {
        CaptureError::Malformed { what, offset, expected: expected.into(), got: got.into() }
    }

    /// The rest of a pcap file's header, after its magic number, which shows byte order and unit of time.
    fn pcap_header(&mut self, magic: [u8; 4]) -> Result<Format, CaptureError> {
        let (big_endian, nanos) = match u32::from_be_bytes(magic) {
            0xa1b2_c3d4 => (true, false),
            0xd4c3_b2a1 => (false, false),
            0xa1b2_3c4d => (true, true),
            0x4d3c_b2a1 => (false, true),
            other => {
                let got = format!("0x{other:08x}");
                return Err(self.malformed("magic number", 0, "the one of pcap or pcapng", got));
            }
        };
        let rest: [u8; 20] = self.array("the file header")?;
        let endian = Endian(big_endian);
        let major = endian.u16([rest[0], rest[1]]);
        if major != 2 {
            return Err(self.malformed("version", 4, "2", major.to_string()));
        }
        // The upper bits of the link type say how many 16-bit words of frame check sequence there are, when bit 26 is
        // set.
        let link = endian.u32([rest[16], rest[17], rest[18], rest[19]]);
        let fcs = if link >> 26 & 1 == 1 { (link >> 28) as usize * 2 } else { 0 };
        Ok(Format::Pcap { big_endian, nanos, link: LinkType::from_number(link as u16), fcs })
    }

    fn pcap_packet(
        &mut self,
        endian: Endian,
        nanos: bool,
        link: LinkType,
        fcs: usize,
    ) -> Result<Option<Captured>, CaptureError> {
        let start = self.offset;
        let Some(header) = self.array_or_end::<16>("a packet's header")? else { return Ok(None) };
        let [seconds, fraction, captured, original] =
            [0, 4, 8, 12].map(|at| endian.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        let captured = captured as usize;
        if captured > MOST_BYTES {
            let expected = format!("at most {MOST_BYTES}");
            return Err(self.malformed("captured length", start + 8, expected, captured.to_string()));
        }
        let bytes = self.take(captured, "a packet")?;
        let unit = if nanos { 1 } else { 1_000 };
        let at_nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
        Ok(Some(captured_packet(Some(at_nanos), 0, link, fcs, bytes, original as usize)))
    }

    /// A section header, after its block type. Returns its byte order.
    fn section_header(&mut self) -> Result<bool, CaptureError> {
        let start = self.offset - 4;
        let len: [u8; 4] = self.array("a section header")?;
        let magic: [u8; 4] = self.array("a section header")?;
        let big_endian = match u32::from_be_bytes(magic) {
            block::BYTE_ORDER_MAGIC => true,
            swapped if swapped.swap_bytes() == block::BYTE_ORDER_MAGIC => false,
            other => {
                let got = format!("0x{other:08x}");
                return Err(self.malformed("byte-order magic", start + 8, "1a2b3c4d in either order", got));
            }
        };
        let endian = Endian(big_endian);
        let len = self.block_len(endian.u32(len), start, 28)?;
        let rest = self.take(len - 12, "a section header")?;
        let major = endian.u16([rest[0], rest[1]]);
        if major != 1 {
            return Err(self.malformed("version", start + 12, "1", major.to_string()));
        }
        self.same_len(endian, &rest, len, start)?;
        Ok(big_endian)
    }

    /// The bytes between the length in front and the length at the end.
    fn block_body(&mut self, endian: Endian, start: u64) -> Result<Vec<u8>, CaptureError> {
        let len = endian.u32(self.array("a block")?);
        let len = self.block_len(len, start, 12)?;
        let mut rest = self.take(len - 8, "a block")?;
        self.same_len(endian, &rest, len, start)?;
        rest.truncate(len - 12);
        Ok(rest)
    }

    fn block_len(&self, len: u32, start: u64, least: usize) -> Result<usize, CaptureError> {
        let len = len as usize;
        if !(least..=MOST_BYTES).contains(&len) || !len.is_multiple_of(4) {
            let expected = format!("a multiple of 4, {least} to {MOST_BYTES}");
            return Err(self.malformed("block length", start + 4, expected, len.to_string()));
        }
        Ok(len)
    }

    fn same_len(&self, endian: Endian, rest: &[u8], len: usize, start: u64) -> Result<(), CaptureError> {
        let again = rest.last_chunk::<4>().map_or(0, |again| endian.u32(*again) as usize);
        if again == len {
            return Ok(());
        }
        let at = start + (len as u64).saturating_sub(4);
        Err(self.malformed("block length at its end", at, len.to_string(), again.to_string()))
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

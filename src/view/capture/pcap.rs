//! The older format, pcap (draft-ietf-opsawg-pcap): one header for the file, one for each packet.
//!
//! Its magic number tells the byte order, the unit of time, and which variant it is. The *modified* one was written by
//! patched versions of libpcap around 2000: each packet's header has eight bytes more, of which none is needed here.

use std::io::Read;

use super::source::{Endian, Source};
use super::{CaptureError, Captured, LinkType, MOST_BYTES, captured_packet};

/// How the packets of a file are to be read.
#[derive(Debug)]
pub(super) struct Pcap {
    endian: Endian,
    nanos: bool,
    /// Bytes behind the sixteen that every packet's header has.
    more_header: usize,
    link: LinkType,
    fcs: usize,
}

/// The variants, by their magic number read in the byte order of the file: unit of time, and bytes more in the header
/// of a packet.
const VARIANTS: [(u32, bool, usize); 3] =
    [(0xa1b2_c3d4, false, 0), (0xa1b2_3c4d, true, 0), (0xa1b2_cd34, false, 8)];

/// Other formats that people have, which are better called by their names.
const OTHERS: [(&[u8], &str); 6] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "a file compressed by zstd: decompress it first"),
    (&[0x04, 0x22, 0x4d, 0x18], "a file compressed by lz4: decompress it first"),
    (&[0xfd, b'7', b'z', b'X'], "a file compressed by xz: decompress it first"),
    (b"BZh", "a file compressed by bzip2: decompress it first"),
    (b"snoo", "a capture by snoop: convert it with editcap"),
    (b"GMBU", "a capture by Network Monitor: convert it with editcap"),
];

fn variant(magic: [u8; 4]) -> Option<(Endian, bool, usize)> {
    [true, false].into_iter().map(Endian).find_map(|endian| {
        let (_, nanos, more) = VARIANTS.iter().find(|(number, ..)| *number == endian.u32(magic))?;
        Some((endian, *nanos, *more))
    })
}

/// Whether a file that begins so is a pcap file.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    variant(magic).is_some()
}

impl Pcap {
    /// The rest of a file's header, behind its magic number.
    pub(super) fn header<R: Read>(source: &mut Source<R>, magic: [u8; 4]) -> Result<Pcap, CaptureError> {
        let Some((endian, nanos, more_header)) = variant(magic) else {
            let number = format!("0x{:08x}", u32::from_be_bytes(magic));
            let got = match OTHERS.iter().find(|(start, _)| magic.starts_with(start)) {
                Some((_, name)) => format!("{number}, {name}"),
                None => number,
            };
            return Err(source.malformed("magic number", 0, "the one of pcap or pcapng", got));
        };
        let rest: [u8; 20] = source.array("the file header")?;
        let major = endian.u16([rest[0], rest[1]]);
        if major != 2 {
            return Err(source.malformed("version", 4, "2", major.to_string()));
        }
        // The upper bits of the link type say how many 16-bit words of frame check sequence there are, when bit 26 is set.
        let link = endian.u32([rest[16], rest[17], rest[18], rest[19]]);
        let fcs = if link >> 26 & 1 == 1 { (link >> 28) as usize * 2 } else { 0 };
        let link = LinkType::from_number(link as u16);
        Ok(Pcap { endian, nanos, more_header, link, fcs })
    }

    /// The next packet; `None` at the end of the file.
    pub(super) fn packet<R: Read>(&self, source: &mut Source<R>) -> Result<Option<Captured>, CaptureError> {
        let start = source.offset();
        let Some(header) = source.array_or_end::<16>("a packet's header")? else { return Ok(None) };
        let [seconds, fraction, captured, original] = [0, 4, 8, 12]
            .map(|at| self.endian.u32([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        source.take(self.more_header, "a packet's header")?;
        let captured = captured as usize;
        if captured > MOST_BYTES {
            let expected = format!("at most {MOST_BYTES}");
            return Err(source.malformed("captured length", start + 8, expected, captured.to_string()));
        }
        let bytes = source.take(captured, "a packet")?;
        let unit = if self.nanos { 1 } else { 1_000 };
        let at_nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
        Ok(Some(captured_packet(Some(at_nanos), 0, self.link, self.fcs, bytes, original as usize)))
    }
}

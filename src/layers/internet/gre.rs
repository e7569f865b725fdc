//! GRE: packets of any protocol inside IP packets (RFC 2784 §2, RFC 2890 §2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-----------------+-----+-------------------------------+
//! |C|0|K|S|    reserved     |vers.|           protocol            |
//! +-+-+-+-+-----------------+-----+-------------------------------+
//! |      checksum, with C         |       reserved, with C        |
//! +-------------------------------+-------------------------------+
//! |                          key, with K                          |
//! +---------------------------------------------------------------+
//! |                    sequence number, with S                    |
//! +---------------------------------------------------------------+
//! ```
//!
//! The protocol is an EtherType. Left out: checking the checksum, which hardly anyone sends; source routes, which
//! RFC 2784 took out of the header; and version 1, which is PPTP's (RFC 2637).

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::EtherType;

/// The header of a tunnel: which optional fields follow, and what protocol is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GreHeader {
    /// The protocol of the payload.
    pub protocol: EtherType,
    /// Over header and payload.
    pub checksum: Option<u16>,
    /// Which of several tunnels between two routers.
    pub key: Option<u32>,
    /// Counts the packets.
    pub sequence: Option<u32>,
}

const CITE: &str = "RFC 2784 §2";

impl Header for GreHeader {
    const PROTOCOL: &'static str = "GRE";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("flags", 4, Show::Flags(&["C", "R", "K", "S"]), "RFC 2890 §2"),
        Field::new("reserved", 9, Show::Hex, CITE),
        Field::new("version", 3, Show::Dec, CITE),
        Field::new("protocol", 16, Show::HexNames(EtherType::NAMES), CITE),
        Field::new("checksum", 0, Show::Hex, CITE),
        Field::new("reserved", 0, Show::Hex, CITE),
        Field::new("key", 0, Show::Hex, "RFC 2890 §2.1"),
        Field::new("sequence number", 0, Show::Dec, "RFC 2890 §2.2"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let flags = r.u16("flags")?;
        if flags & 7 != 0 {
            return Err(r.malformed("version", at, "0", (flags & 7).to_string()));
        }
        if flags & 0x4000 != 0 {
            return Err(r.malformed("flags", at, "no source route, as RFC 2784 has none", "one"));
        }
        let protocol = EtherType(r.u16("protocol")?);
        let mut checksum = None;
        if flags & 0x8000 != 0 {
            checksum = Some(r.u16("checksum")?);
            r.u16("reserved")?;
        }
        let key = if flags & 0x2000 != 0 { Some(r.u32("key")?) } else { None };
        let sequence = if flags & 0x1000 != 0 { Some(r.u32("sequence number")?) } else { None };
        Ok(GreHeader { protocol, checksum, key, sequence })
    }

    fn emit(&self, w: &mut Writer) {
        let flag = |there: bool, bit: u16| if there { bit } else { 0 };
        w.u16(
            flag(self.checksum.is_some(), 0x8000)
                | flag(self.key.is_some(), 0x2000)
                | flag(self.sequence.is_some(), 0x1000),
        );
        w.u16(self.protocol.0);
        if let Some(checksum) = self.checksum {
            w.u16(checksum);
            w.u16(0);
        }
        if let Some(key) = self.key {
            w.u32(key);
        }
        if let Some(sequence) = self.sequence {
            w.u32(sequence);
        }
    }

    fn layout(&self) -> Vec<Field> {
        let bits = [
            (4, self.checksum.is_some(), 16),
            (5, self.checksum.is_some(), 16),
            (6, self.key.is_some(), 32),
            (7, self.sequence.is_some(), 32),
        ];
        let there = bits.iter().filter(|(_, there, _)| *there);
        let optional = there.map(|(at, _, bits)| Self::FIELDS[*at].with_bits(*bits));
        Self::FIELDS[..4].iter().copied().chain(optional).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<GreHeader, ParseError> {
        GreHeader::parse(&mut Reader::new(Layer::Internet, "GRE", bytes))
    }

    #[test]
    fn flags_say_what_is_there() {
        let header = read(&[0x30, 0, 8, 0, 0, 0, 0, 7, 0, 0, 0, 1]).unwrap();
        assert_eq!((header.protocol, header.key, header.sequence), (EtherType::IPV4, Some(7), Some(1)));
        assert_eq!(read(&[0x30, 1, 8, 0]).unwrap_err().field, "version");
        assert!(read(&[0x20, 0, 8, 0, 0]).unwrap_err().is_incomplete());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            protocol: u16, checksum: Option<u16>, key: Option<u32>, sequence: Option<u32>,
        ) {
            let header = GreHeader { protocol: EtherType(protocol), checksum, key, sequence };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = read(&bytes);
        }
    }
}

//! QUIC's long header: what can be read of a connection that opens (RFC 9000 §17.2, RFC 8999 §5.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+---+-------+
//! |1|F|typ| bits  |
//! +-+-+---+-------+-----------------------------------------------+
//! |                            version                            |
//! +---------------+-----------------------------------------------+
//! | DCID length   |  destination connection id, 0 to 20 bytes ...
//! +---------------+----------------------------------------------
//! | SCID length   |  source connection id, 0 to 20 bytes ...
//! +---------------+----------------------------------------------
//! ```
//!
//! A transport in user space, on UDP, encrypted but for this. Two bits of the type are protected in most packets, and
//! short headers have nothing to be known by: they are left out.

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// A long header, up to the connection ids.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuicLongHeader {
    /// The first byte without its highest bit: fixed bit, type, and bits of the type.
    pub first: u8,
    /// The version of QUIC; 0 in a version negotiation.
    pub version: u32,
    /// Which connection of the receiver.
    pub destination: Vec<u8>,
    /// Which connection of the sender.
    pub source: Vec<u8>,
}

const VERSION_1: u32 = 1;
/// RFC 9369.
const VERSION_2: u32 = 0x6b33_43cf;
const VERSIONS: &[(u64, &str)] = &[(0, "negotiation"), (1, "1"), (VERSION_2 as u64, "2")];

impl QuicLongHeader {
    /// What the packet is for.
    pub fn kind(&self) -> &'static str {
        let kind = self.first >> 4 & 3;
        // Version 2 counts the types from another beginning, so that nothing comes to rely on them (RFC 9369 §3.2).
        let kind = if self.version == VERSION_2 { kind.wrapping_sub(1) & 3 } else { kind };
        match kind {
            _ if self.version == 0 => "version negotiation",
            0 => "initial",
            1 => "0-RTT",
            2 => "handshake",
            _ => "retry",
        }
    }

    /// A line for it, when it is of a version that is known: anything may begin with a set bit.
    pub fn line(&self) -> Option<String> {
        let draft = self.version >> 8 == 0x00ff_0000;
        let version = match self.version {
            0 => String::new(),
            VERSION_1 => " version 1".into(),
            VERSION_2 => " version 2".into(),
            _ if draft => format!(" draft {}", self.version & 0xff),
            _ => return None,
        };
        let id: String = self.destination.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = if id.is_empty() { String::new() } else { format!(" DCID={id}") };
        Some(format!("{}{version}{id}", self.kind()))
    }
}

impl Header for QuicLongHeader {
    const PROTOCOL: &'static str = "QUIC";
    const LAYER: Layer = Layer::Transport;
    const FIELDS: &'static [Field] = &[
        Field::new("long header", 1, Show::Dec, "RFC 8999 §5.1"),
        Field::new("fixed bit", 1, Show::Dec, "RFC 9000 §17.2"),
        Field::new("type", 2, Show::Dec, "RFC 9000 §17.2"),
        Field::new("type bits", 4, Show::Hex, "RFC 9000 §17.2"),
        Field::new("version", 32, Show::HexNames(VERSIONS), "RFC 8999 §5.1"),
        Field::new("DCID length", 8, Show::Dec, "RFC 8999 §5.1"),
        Field::new("destination connection id", 0, Show::Bytes, "RFC 8999 §5.1"),
        Field::new("SCID length", 8, Show::Dec, "RFC 8999 §5.1"),
        Field::new("source connection id", 0, Show::Bytes, "RFC 8999 §5.1"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let first = r.u8("long header")?;
        if first & 0x80 == 0 {
            return Err(r.malformed("long header", at, "1", "0, a short header"));
        }
        let version = r.u32("version")?;
        let len = r.u8("DCID length")?;
        let destination = r.take(len.into(), "destination connection id")?.to_vec();
        let len = r.u8("SCID length")?;
        let source = r.take(len.into(), "source connection id")?.to_vec();
        Ok(QuicLongHeader { first: first & 0x7f, version, destination, source })
    }

    /// Connection ids beyond 255 bytes are cut: their length has 8 bits.
    fn emit(&self, w: &mut Writer) {
        w.u8(0x80 | self.first);
        w.u32(self.version);
        for id in [&self.destination, &self.source] {
            let id = &id[..id.len().min(255)];
            w.u8(id.len() as u8);
            w.bytes(id);
        }
    }

    fn layout(&self) -> Vec<Field> {
        let ids = [self.destination.len().min(255) * 8, self.source.len().min(255) * 8];
        let mut fields = Self::FIELDS.to_vec();
        fields[6].bits = ids[0];
        fields[8].bits = ids[1];
        fields.retain(|field| field.bits > 0);
        fields
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<QuicLongHeader, ParseError> {
        QuicLongHeader::parse(&mut Reader::new(Layer::Transport, "QUIC", bytes))
    }

    #[test]
    fn an_initial_packet_is_known_in_both_versions() {
        let one = read(&[0xc3, 0, 0, 0, 1, 2, 0xab, 0xcd, 0]).unwrap();
        assert_eq!(one.line().unwrap(), "initial version 1 DCID=abcd");
        let two = read(&[0xd3, 0x6b, 0x33, 0x43, 0xcf, 0, 0]).unwrap();
        assert_eq!(two.line().unwrap(), "initial version 2");
        let retry = read(&[0xc3, 0x6b, 0x33, 0x43, 0xcf, 0, 0]).unwrap();
        assert_eq!(retry.kind(), "retry");
        assert_eq!(read(&[0xff, 0, 0, 0, 0, 0, 0]).unwrap().line().unwrap(), "version negotiation");
        assert_eq!(read(&[0xff, 9, 9, 9, 9, 0, 0]).unwrap().line(), None);
        assert_eq!(read(&[0x43, 0, 0, 0, 1]).unwrap_err().field, "long header");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            first in 0u8..128, version: u32, destination in proptest::collection::vec(any::<u8>(), 0..21),
            source in proptest::collection::vec(any::<u8>(), 0..21),
        ) {
            let header = QuicLongHeader { first, version, destination, source };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(header) = read(&bytes) {
                let _ = header.line();
            }
        }
    }
}

//! IEEE 802.3 frames with LLC: a length where Ethernet II has a type, and the type behind it (IEEE 802.3 §3.2.6,
//! IEEE 802.2 §3, RFC 1042).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+---------------+---------------+
//! |     DSAP      |     SSAP      |    control    |  SNAP: OUI    |
//! +---------------+---------------+---------------+---------------+
//! |           SNAP: OUI           |       SNAP: protocol id       |
//! +-------------------------------+-------------------------------+
//! ```
//!
//! The service access points say which protocol at either end: two equal bytes, mostly. 0xaa says that SNAP follows, and
//! with OUI 0 its protocol id is an EtherType: so RFC 1042 carries IP. Spanning tree (0x42) still travels so on every
//! switched network. Left out: what the control field of 802.2 type 2 counts.

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::{EtherType, MTU, MacAddr};

/// The first 14 bytes of a frame with a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ieee8023Header {
    /// Who it is for.
    pub destination: MacAddr,
    /// Who sent it.
    pub source: MacAddr,
    /// Bytes of payload: at most 1500.
    pub length: u16,
}

impl Header for Ieee8023Header {
    const PROTOCOL: &'static str = "802.3";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("destination", 48, Show::Mac, "IEEE 802.3 §3.2.4"),
        Field::new("source", 48, Show::Mac, "IEEE 802.3 §3.2.5"),
        Field::new("length", 16, Show::Dec, "IEEE 802.3 §3.2.6"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let destination = MacAddr(r.array("destination")?);
        let source = MacAddr(r.array("source")?);
        let length = r.u16("length")?;
        if usize::from(length) > MTU {
            return Err(r.malformed("length", at + 12, "at most 1500 bytes", length.to_string()));
        }
        Ok(Ieee8023Header { destination, source, length })
    }

    fn emit(&self, w: &mut Writer) {
        w.bytes(&self.destination.0);
        w.bytes(&self.source.0);
        w.u16(self.length);
    }
}

/// The header of logical link control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LlcHeader {
    /// Which protocol it is for.
    pub destination: u8,
    /// Which protocol sent it.
    pub source: u8,
    /// What it does.
    pub control: Control,
}

/// What a message of LLC does (IEEE 802.2 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Control {
    /// A message without number, in one byte whose two lowest bits are set: 0x03 for mere data.
    Unnumbered(u8),
    /// One that counts, in two.
    Numbered(u16),
}

/// Service access points worth a name.
const ACCESS_POINTS: &[(u64, &str)] = &[
    (0x06, "IP"),
    (0x42, "spanning tree"),
    (0x98, "ARP"),
    (0xaa, "SNAP"),
    (0xe0, "IPX"),
    (0xf0, "NetBIOS"),
    (0xfe, "OSI network layer"),
    (0xff, "all"),
];

impl LlcHeader {
    /// The access point of SNAP.
    pub const SNAP: u8 = 0xaa;

    /// The name of the protocol that it is for.
    pub fn name(&self) -> Option<&'static str> {
        let found = ACCESS_POINTS.iter().find(|(number, _)| *number == u64::from(self.destination));
        found.map(|(_, name)| *name)
    }
}

impl Header for LlcHeader {
    const PROTOCOL: &'static str = "LLC";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("DSAP", 8, Show::HexNames(ACCESS_POINTS), "IEEE 802.2 §3.3.1"),
        Field::new("SSAP", 8, Show::HexNames(ACCESS_POINTS), "IEEE 802.2 §3.3.1"),
        Field::new("control", 0, Show::Hex, "IEEE 802.2 §5.3"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [destination, source, first] = r.array("header")?;
        let control = match first & 0b11 {
            0b11 => Control::Unnumbered(first),
            _ => Control::Numbered(u16::from(first) << 8 | u16::from(r.u8("control")?)),
        };
        Ok(LlcHeader { destination, source, control })
    }

    fn emit(&self, w: &mut Writer) {
        w.u8(self.destination);
        w.u8(self.source);
        match self.control {
            Control::Unnumbered(control) => w.u8(control),
            Control::Numbered(control) => w.u16(control),
        }
    }

    fn layout(&self) -> Vec<Field> {
        let one = matches!(self.control, Control::Unnumbered(_));
        let [destination, source, control] = [Self::FIELDS[0], Self::FIELDS[1], Self::FIELDS[2]];
        vec![destination, source, control.with_bits(if one { 8 } else { 16 })]
    }
}

/// The Subnetwork Access Protocol: a type after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapHeader {
    /// Whose numbers the protocol id is one of: 24 bits. 0: an EtherType.
    pub oui: u32,
    /// The protocol of the payload.
    pub protocol: EtherType,
}

impl Header for SnapHeader {
    const PROTOCOL: &'static str = "SNAP";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("OUI", 24, Show::Hex, "RFC 1042"),
        Field::new("protocol id", 16, Show::HexNames(EtherType::NAMES), "RFC 1042"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [a, b, c, d, e] = r.array("header")?;
        Ok(SnapHeader {
            oui: u32::from_be_bytes([0, a, b, c]),
            protocol: EtherType(u16::from_be_bytes([d, e])),
        })
    }

    fn emit(&self, w: &mut Writer) {
        w.bytes(&self.oui.to_be_bytes()[1..]);
        w.u16(self.protocol.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<H: Header>(bytes: &[u8]) -> Result<H, ParseError> {
        H::parse(&mut Reader::new(Layer::Link, H::PROTOCOL, bytes))
    }

    fn written(header: &impl Header) -> Vec<u8> {
        let mut w = Writer::new();
        header.emit(&mut w);
        assert_eq!(w.len(), header.header_len());
        w.finish().to_vec()
    }

    #[test]
    fn a_spanning_tree_message_is_named_and_ip_in_snap_has_its_type() {
        assert_eq!(read::<LlcHeader>(&[0x42, 0x42, 0x03]).unwrap().name(), Some("spanning tree"));
        let snap: SnapHeader = read(&[0, 0, 0, 8, 0]).unwrap();
        assert_eq!((snap.oui, snap.protocol), (0, EtherType::IPV4));
    }

    #[test]
    fn a_numbered_message_has_two_bytes_of_control() {
        let llc: LlcHeader = read(&[0xf0, 0xf0, 0x02, 0x01, 9]).unwrap();
        assert_eq!((llc.control, llc.header_len()), (Control::Numbered(0x0201), 4));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            destination: [u8; 6], source: [u8; 6], length in 0u16..=1500, sap: (u8, u8), control: u16, oui in 0u32..1 << 24, id: u16,
        ) {
            let frame = Ieee8023Header { destination: MacAddr(destination), source: MacAddr(source), length };
            prop_assert_eq!(read::<Ieee8023Header>(&written(&frame)).unwrap(), frame);
            let control = match control >> 8 & 3 {
                3 => Control::Unnumbered((control >> 8) as u8),
                _ => Control::Numbered(control),
            };
            let llc = LlcHeader { destination: sap.0, source: sap.1, control };
            prop_assert_eq!(read::<LlcHeader>(&written(&llc)).unwrap(), llc);
            let snap = SnapHeader { oui, protocol: EtherType(id) };
            prop_assert_eq!(read::<SnapHeader>(&written(&snap)).unwrap(), snap);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(read::<LlcHeader>(&bytes).is_ok(), bytes.len() >= 3 && (bytes[2] & 3 == 3 || bytes.len() > 3));
            prop_assert_eq!(read::<SnapHeader>(&bytes).is_ok(), bytes.len() >= 5);
            let _ = read::<Ieee8023Header>(&bytes);
        }
    }
}

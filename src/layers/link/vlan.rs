//! VLAN tags: several networks on one cable (IEEE 802.1Q §9.6), and tags within tags (802.1ad).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-----+-+-----------------------+-------------------------------+
//! | PCP |D|        VLAN id        |           EtherType           |
//! +-----+-+-----------------------+-------------------------------+
//! ```
//!
//! The tag slips in before the EtherType of a frame, which then says "tag" and stands again behind it. PCP is a
//! priority; D, "drop eligible", marks what may go first when a queue is full. VLAN 0 means: only the priority counts.

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::EtherType;

/// A tag, without the EtherType that announces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VlanTag {
    /// The priority code point: 3 bits.
    pub priority: u8,
    /// Whether a switch may drop it first when it has to drop (IEEE 802.1Q, DEI).
    pub drop_eligible: bool,
    /// Which of the networks on the cable: 12 bits.
    pub id: u16,
    /// The protocol of the payload; a number below [`EtherType::FIRST`] is a length.
    pub ethertype: EtherType,
}

impl Header for VlanTag {
    const PROTOCOL: &'static str = "VLAN";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("PCP", 3, Show::Dec, "IEEE 802.1Q §9.6"),
        Field::new("DEI", 1, Show::Dec, "IEEE 802.1Q §9.6"),
        Field::new("VLAN id", 12, Show::Dec, "IEEE 802.1Q §9.6"),
        Field::new("EtherType", 16, Show::HexNames(EtherType::NAMES), "RFC 894"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let tag = r.u16("VLAN id")?;
        let ethertype = EtherType(r.u16("EtherType")?);
        Ok(VlanTag {
            priority: (tag >> 13) as u8,
            drop_eligible: tag & 0x1000 != 0,
            id: tag & 0x0fff,
            ethertype,
        })
    }

    fn emit(&self, w: &mut Writer) {
        let priority = u16::from(self.priority & 7) << 13;
        w.u16(priority | u16::from(self.drop_eligible) << 12 | self.id & 0x0fff);
        w.u16(self.ethertype.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<VlanTag, ParseError> {
        VlanTag::parse(&mut Reader::new(Layer::Link, "VLAN", bytes))
    }

    #[test]
    fn a_tag_is_read_bit_by_bit() {
        let tag = read(&[0xb0, 0x05, 0x08, 0x00]).unwrap();
        assert_eq!((tag.priority, tag.drop_eligible, tag.id), (5, true, 5));
        assert_eq!(tag.ethertype, EtherType::IPV4);
        assert!(read(&[0xb0, 0x05, 0x08]).unwrap_err().is_incomplete());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(priority in 0u8..8, drop_eligible: bool, id in 0u16..4096, ethertype: u16) {
            let tag = VlanTag { priority, drop_eligible, id, ethertype: EtherType(ethertype) };
            let mut w = Writer::new();
            tag.emit(&mut w);
            prop_assert_eq!(w.len(), tag.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), tag);
        }
    }
}

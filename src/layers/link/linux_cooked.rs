//! What Linux puts before a packet when it captures on all interfaces at once (LINKTYPE_LINUX_SLL and
//! LINKTYPE_LINUX_SLL2 of the registry at tcpdump.org).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------------------------------+-------------------------------+
//! |          packet type          |       type of interface       |
//! +-------------------------------+-------------------------------+
//! |       length of address       |          address ...          |   version 1
//! +-------------------------------+-------------------------------+
//! |                   ... up to 8 bytes, with padding             |
//! +                               +-------------------------------+
//! |                               |           protocol            |
//! +-------------------------------+-------------------------------+
//!
//! +-------------------------------+-------------------------------+
//! |           protocol            |           reserved            |
//! +-------------------------------+-------------------------------+
//! |                     number of the interface                   |   version 2
//! +-------------------------------+---------------+---------------+
//! |       type of interface       |  packet type  | len. of addr. |
//! +-------------------------------+---------------+---------------+
//! |                     address: 8 bytes, with padding            |
//! +                                                               +
//! |                                                               |
//! +---------------------------------------------------------------+
//! ```
//!
//! It was never on a wire: the kernel took the real link header off. The protocol is an EtherType; a few small numbers
//! mean something else (1: IEEE 802.3 without LLC, 4: LLC).

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::EtherType;

const CITE: &str = "LINKTYPE_LINUX_SLL";
const CITE_2: &str = "LINKTYPE_LINUX_SLL2";

const PACKET_TYPES: &[(u64, &str)] =
    &[(0, "to us"), (1, "broadcast"), (2, "multicast"), (3, "to another host"), (4, "from us")];

/// The protocol numbers of Linux: EtherTypes, and a few of its own.
const PROTOCOLS: &[(u64, &str)] = EtherType::NAMES;

/// The first version, of 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinuxCooked {
    /// To us, from us, or between others.
    pub packet_type: u16,
    /// The type of the interface: 1 for Ethernet, 772 for loopback.
    pub interface_type: u16,
    /// Bytes of the address that count.
    pub address_len: u16,
    /// The address of the sender on its link.
    pub address: [u8; 8],
    /// The protocol of the payload.
    pub protocol: EtherType,
}

impl Header for LinuxCooked {
    const PROTOCOL: &'static str = "Linux cooked";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("packet type", 16, Show::Names(PACKET_TYPES), CITE),
        Field::new("interface type", 16, Show::Dec, CITE),
        Field::new("address length", 16, Show::Dec, CITE),
        Field::new("address", 64, Show::Bytes, CITE),
        Field::new("protocol", 16, Show::HexNames(PROTOCOLS), CITE),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        Ok(LinuxCooked {
            packet_type: r.u16("packet type")?,
            interface_type: r.u16("interface type")?,
            address_len: r.u16("address length")?,
            address: r.array("address")?,
            protocol: EtherType(r.u16("protocol")?),
        })
    }

    fn emit(&self, w: &mut Writer) {
        w.u16(self.packet_type);
        w.u16(self.interface_type);
        w.u16(self.address_len);
        w.bytes(&self.address);
        w.u16(self.protocol.0);
    }
}

/// The second version, of 20 bytes, which says which interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinuxCooked2 {
    /// The protocol of the payload.
    pub protocol: EtherType,
    /// The interface's number on the machine that captured.
    pub interface: u32,
    /// The type of the interface.
    pub interface_type: u16,
    /// To us, from us, or between others.
    pub packet_type: u8,
    /// Bytes of the address that count.
    pub address_len: u8,
    /// The address of the sender on its link.
    pub address: [u8; 8],
}

impl Header for LinuxCooked2 {
    const PROTOCOL: &'static str = "Linux cooked v2";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("protocol", 16, Show::HexNames(PROTOCOLS), CITE_2),
        Field::new("reserved", 16, Show::Hex, CITE_2),
        Field::new("interface", 32, Show::Dec, CITE_2),
        Field::new("interface type", 16, Show::Dec, CITE_2),
        Field::new("packet type", 8, Show::Names(PACKET_TYPES), CITE_2),
        Field::new("address length", 8, Show::Dec, CITE_2),
        Field::new("address", 64, Show::Bytes, CITE_2),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let protocol = EtherType(r.u16("protocol")?);
        r.u16("reserved")?;
        Ok(LinuxCooked2 {
            protocol,
            interface: r.u32("interface")?,
            interface_type: r.u16("interface type")?,
            packet_type: r.u8("packet type")?,
            address_len: r.u8("address length")?,
            address: r.array("address")?,
        })
    }

    fn emit(&self, w: &mut Writer) {
        w.u16(self.protocol.0);
        w.u16(0);
        w.u32(self.interface);
        w.u16(self.interface_type);
        w.u8(self.packet_type);
        w.u8(self.address_len);
        w.bytes(&self.address);
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
    fn both_versions_have_the_protocol_where_the_registry_says() {
        let first: LinuxCooked = read(&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x86, 0xdd]).unwrap();
        assert_eq!((first.packet_type, first.protocol), (4, EtherType::IPV6));
        let bytes = [8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        let second: LinuxCooked2 = read(&bytes).unwrap();
        assert_eq!((second.protocol, second.interface, second.packet_type), (EtherType::IPV4, 3, 4));
        assert!(read::<LinuxCooked2>(&bytes[..19]).unwrap_err().is_incomplete());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(numbers: (u16, u16, u16, u16, u32), bytes: (u8, u8), address: [u8; 8]) {
            let (packet_type, interface_type, address_len, protocol, interface) = numbers;
            let protocol = EtherType(protocol);
            let first = LinuxCooked { packet_type, interface_type, address_len, address, protocol };
            prop_assert_eq!(read::<LinuxCooked>(&written(&first)).unwrap(), first);
            let (packet_type, address_len) = bytes;
            let second = LinuxCooked2 { protocol, interface, interface_type, packet_type, address_len, address };
            prop_assert_eq!(read::<LinuxCooked2>(&written(&second)).unwrap(), second);
        }
    }
}

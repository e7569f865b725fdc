//! ARP packets: "who has this IPv4 address?" and "I do, here is my Ethernet address" (RFC 826).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------------------------------+-------------------------------+
//! |         hardware type         |         protocol type         |
//! +---------------+---------------+-------------------------------+
//! | hardware len  | protocol len  |           operation           |
//! +---------------+---------------+-------------------------------+
//! |                        sender hardware                        |
//! +-------------------------------+-------------------------------+
//! |        sender hardware        |        sender protocol        |
//! +-------------------------------+-------------------------------+
//! |        sender protocol        |        target hardware        |
//! +-------------------------------+-------------------------------+
//! |                        target hardware                        |
//! +---------------------------------------------------------------+
//! |                        target protocol                        |
//! +---------------------------------------------------------------+
//! ```
//!
//! ARP was made for any pair of address kinds; ours reads the one pair that is still in use, Ethernet and IPv4. What
//! is remembered of the answers is in [`arp_cache`](super::arp_cache). Left out: reverse ARP (RFC 903).

use std::net::Ipv4Addr;

use super::ethernet::{EtherType, MacAddr};
use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// Length of a packet in bytes.
pub const PACKET_LEN: usize = 28;

/// The hardware type of Ethernet.
const ETHERNET: u16 = 1;

/// What a packet asks or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Who has the target's protocol address?
    Request,
    /// The sender has it.
    Reply,
}

impl Operation {
    const fn number(self) -> u16 {
        match self {
            Operation::Request => 1,
            Operation::Reply => 2,
        }
    }
}

/// An ARP packet for IPv4 on Ethernet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ArpPacket {
    /// Whether it is a request or a reply.
    pub operation: Operation,
    /// The Ethernet address of the sender.
    pub sender_mac: MacAddr,
    /// The IPv4 address of the sender.
    pub sender_ip: Ipv4Addr,
    /// In a reply, the receiver's address; in a request, what is asked for, so that its content means nothing.
    pub target_mac: MacAddr,
    /// The IPv4 address that is asked about; in a reply, the asker's.
    pub target_ip: Ipv4Addr,
}

impl ArpPacket {
    /// Asks all stations on the link for the owner of `target_ip`. To be sent to [`MacAddr::BROADCAST`].
    pub const fn request(sender_mac: MacAddr, sender_ip: Ipv4Addr, target_ip: Ipv4Addr) -> Self {
        let target_mac = MacAddr::ZERO;
        ArpPacket { operation: Operation::Request, sender_mac, sender_ip, target_mac, target_ip }
    }

    /// The answer of the station `mac`, which has the address that `self` asks about. To be sent to `target_mac` alone.
    pub const fn reply(&self, mac: MacAddr) -> Self {
        ArpPacket {
            operation: Operation::Reply,
            sender_mac: mac,
            sender_ip: self.target_ip,
            target_mac: self.sender_mac,
            target_ip: self.sender_ip,
        }
    }
}

impl Header for ArpPacket {
    const PROTOCOL: &'static str = "ARP";
    const LAYER: Layer = Layer::Link;
    const FIELDS: &'static [Field] = &[
        Field::new("hardware type", 16, Show::Names(&[(1, "Ethernet")]), "RFC 826"),
        Field::new("protocol type", 16, Show::HexNames(&[(0x0800, "IPv4")]), "RFC 826"),
        Field::new("hardware length", 8, Show::Dec, "RFC 826"),
        Field::new("protocol length", 8, Show::Dec, "RFC 826"),
        Field::new("operation", 16, Show::Names(&[(1, "request"), (2, "reply")]), "RFC 826"),
        Field::new("sender hardware", 48, Show::Mac, "RFC 826"),
        Field::new("sender protocol", 32, Show::Ipv4, "RFC 826"),
        Field::new("target hardware", 48, Show::Mac, "RFC 826"),
        Field::new("target protocol", 32, Show::Ipv4, "RFC 826"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let hardware = r.u16("hardware type")?;
        if hardware != ETHERNET {
            return Err(r.malformed("hardware type", at, "1 (Ethernet)", hardware.to_string()));
        }
        let protocol = r.u16("protocol type")?;
        if protocol != EtherType::IPV4.0 {
            return Err(r.malformed("protocol type", at + 2, "0x0800 (IPv4)", format!("0x{protocol:04x}")));
        }
        let hardware_len = r.u8("hardware length")?;
        if hardware_len != 6 {
            return Err(r.malformed("hardware length", at + 4, "6", hardware_len.to_string()));
        }
        let protocol_len = r.u8("protocol length")?;
        if protocol_len != 4 {
            return Err(r.malformed("protocol length", at + 5, "4", protocol_len.to_string()));
        }
        let operation = match r.u16("operation")? {
            1 => Operation::Request,
            2 => Operation::Reply,
            other => {
                let expected = "1 (request) or 2 (reply)";
                return Err(r.malformed("operation", at + 6, expected, other.to_string()));
            }
        };
        Ok(ArpPacket {
            operation,
            sender_mac: MacAddr(r.array("sender hardware")?),
            sender_ip: Ipv4Addr::from(r.array::<4>("sender protocol")?),
            target_mac: MacAddr(r.array("target hardware")?),
            target_ip: Ipv4Addr::from(r.array::<4>("target protocol")?),
        })
    }

    fn emit(&self, w: &mut Writer) {
        w.u16(ETHERNET);
        w.u16(EtherType::IPV4.0);
        w.u8(6);
        w.u8(4);
        w.u16(self.operation.number());
        w.bytes(&self.sender_mac.0);
        w.bytes(&self.sender_ip.octets());
        w.bytes(&self.target_mac.0);
        w.bytes(&self.target_ip.octets());
    }

    fn header_len(&self) -> usize {
        PACKET_LEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<ArpPacket, ParseError> {
        ArpPacket::parse(&mut Reader::new(Layer::Link, "ARP", bytes))
    }

    fn written(packet: &ArpPacket) -> Vec<u8> {
        let mut w = Writer::new();
        packet.emit(&mut w);
        w.finish().to_vec()
    }

    fn question() -> ArpPacket {
        ArpPacket::request(MacAddr::local(1), Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2))
    }

    #[test]
    fn a_reply_turns_the_question_round() {
        let answer = question().reply(MacAddr::local(2));
        assert_eq!(answer.operation, Operation::Reply);
        assert_eq!((answer.sender_mac, answer.sender_ip), (MacAddr::local(2), Ipv4Addr::new(10, 0, 0, 2)));
        assert_eq!((answer.target_mac, answer.target_ip), (MacAddr::local(1), Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn each_fixed_field_is_checked_and_named_when_it_is_wrong() {
        let good = written(&question());
        let cases = [
            (1, "hardware type", 0),
            (2, "protocol type", 2),
            (4, "hardware length", 4),
            (5, "protocol length", 5),
            (7, "operation", 6),
        ];
        for (byte, field, offset) in cases {
            let mut bad = good.clone();
            bad[byte] = 77;
            let error = read(&bad).unwrap_err();
            assert_eq!((error.field, error.offset, error.is_incomplete()), (field, offset, false));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_written_is_read_back(asks: bool, sm: [u8; 6], si: [u8; 4], tm: [u8; 6], ti: [u8; 4]) {
            let packet = ArpPacket {
                operation: if asks { Operation::Request } else { Operation::Reply },
                sender_mac: MacAddr(sm),
                sender_ip: si.into(),
                target_mac: MacAddr(tm),
                target_ip: ti.into(),
            };
            prop_assert_eq!(written(&packet).len(), PACKET_LEN);
            prop_assert_eq!(read(&written(&packet)).unwrap(), packet);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut framed = written(&question());
            let n = bytes.len().min(framed.len() - 8);
            framed[8..8 + n].copy_from_slice(&bytes[..n]);
            prop_assert!(read(&framed).is_ok());
            prop_assert!(read(&bytes).is_err());
        }
    }
}

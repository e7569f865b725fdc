//! The IPv6 header (RFC 8200 §3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+---------------+---------------------------------------+
//! |version| traffic class |              flow label               |
//! +-------+---------------+-------+---------------+---------------+
//! |        payload length         |  next header  |   hop limit   |
//! +-------------------------------+---------------+---------------+
//! |                                                               |
//! +                    source, 128 bits                           +
//! |                              ...                              |
//! +---------------------------------------------------------------+
//! |                                                               |
//! +                  destination, 128 bits                        +
//! |                              ...                              |
//! +---------------------------------------------------------------+
//! ```
//!
//! Beside IPv4's it is short of things: no checksum, no options, no fragments, always 40 bytes. What is seldom needed
//! is in headers of its own after it: see [`ipv6_extension`](super::ipv6_extension). Our hosts do not speak it: it is read
//! by observers, for half of all captures have it.

use std::net::Ipv6Addr;

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 40;

/// Numbers of what can follow: of extension headers and of protocols. Those of protocols are IPv4's.
pub mod next_header {
    /// Hop-by-hop options (RFC 8200 §4.3).
    pub const HOP_BY_HOP: u8 = 0;
    /// Routing (§4.4).
    pub const ROUTING: u8 = 43;
    /// Fragment (§4.5).
    pub const FRAGMENT: u8 = 44;
    /// Encapsulating Security Payload: nothing behind it can be read (RFC 4303).
    pub const ESP: u8 = 50;
    /// Authentication (RFC 4302).
    pub const AUTHENTICATION: u8 = 51;
    /// ICMPv6 (RFC 4443).
    pub const ICMPV6: u8 = 58;
    /// Nothing follows (§4.7).
    pub const NONE: u8 = 59;
    /// Destination options (§4.6).
    pub const DESTINATION: u8 = 60;
}

/// Names for header boxes.
pub(crate) const NEXT_HEADERS: &[(u64, &str)] = &[
    (0, "hop-by-hop options"),
    (4, "IPv4"),
    (6, "TCP"),
    (17, "UDP"),
    (41, "IPv6"),
    (43, "routing"),
    (44, "fragment"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "authentication"),
    (58, "ICMPv6"),
    (59, "nothing"),
    (60, "destination options"),
    (89, "OSPF"),
    (103, "PIM"),
    (132, "SCTP"),
    (135, "mobility"),
];

/// An IPv6 header. The version is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv6Header {
    /// DSCP and ECN, as IPv4's second byte.
    pub traffic_class: u8,
    /// Packets of one flow have the same label (RFC 6437): 20 bits.
    pub flow_label: u32,
    /// Bytes behind this header, extension headers included. 0 in a jumbogram (RFC 2675).
    pub payload_len: u16,
    /// What follows.
    pub next_header: u8,
    /// How many more routers may forward it.
    pub hop_limit: u8,
    /// The address of the sender.
    pub source: Ipv6Addr,
    /// The address of the receiver.
    pub destination: Ipv6Addr,
}

impl Header for Ipv6Header {
    const PROTOCOL: &'static str = "IPv6";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("version", 4, Show::Dec, "RFC 8200 §3"),
        Field::new("traffic class", 8, Show::Hex, "RFC 8200 §7"),
        Field::new("flow label", 20, Show::Hex, "RFC 6437 §2"),
        Field::new("payload length", 16, Show::Dec, "RFC 8200 §3"),
        Field::new("next header", 8, Show::Names(NEXT_HEADERS), "RFC 8200 §3"),
        Field::new("hop limit", 8, Show::Dec, "RFC 8200 §3"),
        Field::new("source", 128, Show::Ipv6, "RFC 4291 §2"),
        Field::new("destination", 128, Show::Ipv6, "RFC 4291 §2"),
    ];

    /// Reads the fields. That the payload is there is for its reader to find: a jumbogram says 0.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let first = r.u32("version")?;
        if first >> 28 != 6 {
            return Err(r.malformed("version", at, "6", (first >> 28).to_string()));
        }
        Ok(Ipv6Header {
            traffic_class: (first >> 20) as u8,
            flow_label: first & 0x000f_ffff,
            payload_len: r.u16("payload length")?,
            next_header: r.u8("next header")?,
            hop_limit: r.u8("hop limit")?,
            source: Ipv6Addr::from(r.array::<16>("source")?),
            destination: Ipv6Addr::from(r.array::<16>("destination")?),
        })
    }

    fn emit(&self, w: &mut Writer) {
        w.u32(6 << 28 | u32::from(self.traffic_class) << 20 | self.flow_label & 0x000f_ffff);
        w.u16(self.payload_len);
        w.u8(self.next_header);
        w.u8(self.hop_limit);
        w.bytes(&self.source.octets());
        w.bytes(&self.destination.octets());
    }

    fn header_len(&self) -> usize {
        HEADER_LEN
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Ipv6Header, ParseError> {
        Ipv6Header::parse(&mut Reader::new(Layer::Internet, "IPv6", bytes))
    }

    /// The start of a neighbor solicitation as it is on every Ethernet.
    const REAL: [u8; 40] = [
        0x60, 0, 0, 0, 0, 0x20, 0x3a, 0xff, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 2, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 2,
    ];

    #[test]
    fn a_header_is_read_field_by_field() {
        let header = read(&REAL).unwrap();
        assert_eq!(
            (header.payload_len, header.next_header, header.hop_limit),
            (32, next_header::ICMPV6, 255)
        );
        assert_eq!(header.source.to_string(), "fe80::1");
        assert_eq!(Ipv6Header::FIELDS[7].text(&REAL, 24 * 8), "ff02::1:ff00:2");
        assert_eq!(read(&[0x45; 40]).unwrap_err().field, "version");
        assert!(read(&REAL[..39]).unwrap_err().is_incomplete());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            numbers: (u8, u16, u8, u8), flow_label in 0u32..1 << 20, source: [u8; 16], destination: [u8; 16],
        ) {
            let (traffic_class, payload_len, next_header, hop_limit) = numbers;
            let (source, destination) = (source.into(), destination.into());
            let header =
                Ipv6Header { traffic_class, flow_label, payload_len, next_header, hop_limit, source, destination };
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), HEADER_LEN);
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(read(&bytes).is_ok(), bytes.len() >= HEADER_LEN && bytes[0] >> 4 == 6);
        }
    }
}

//! ICMPv6: the errors and `ping` of IPv6 (RFC 4443), and how neighbours find each other (RFC 4861).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! |     type      |     code      |           checksum            |
//! +---------------+---------------+-------------------------------+
//! |  echo: identifier             |  echo: sequence number        |
//! |  packet too big: MTU;  parameter problem: pointer             |
//! |  router advertisement: hop limit, flags, lifetime             |
//! |  neighbor advertisement: flags;  all others: unused           |
//! +---------------------------------------------------------------+
//! |  neighbor solicitation, advertisement, redirect: the target,  |
//! |  128 bits;  redirect: the destination, 128 bits               |
//! |  router advertisement: reachable time, retransmission timer   |
//! +---------------------------------------------------------------+
//! |  errors: the packet that caused it;  neighbours: options ...
//! +-----------------------------
//! ```
//!
//! What ARP is for IPv4 is a part of it here, on top of IP instead of below: the question is sent to a group that only
//! few belong to, instead of to all. Types below 128 are errors. The checksum includes the pseudo header, unlike that of
//! IPv4's ICMP (RFC 4443 §2.3). Left out: answering; multicast listener reports are named, and no more.

use std::net::Ipv6Addr;

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::link::ethernet::MacAddr;

/// The message up to its data, quoted packet or options. The checksum is not kept: it covers those too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Icmpv6Header {
    /// Type 1: could not be delivered (RFC 4443 §3.1).
    Unreachable {
        /// Why.
        code: u8,
    },
    /// Type 2: too large for a link on the way (§3.2).
    PacketTooBig {
        /// What that link can carry.
        mtu: u32,
    },
    /// Type 3: code 0 for the hop limit, 1 for fragments that did not come (§3.3).
    TimeExceeded {
        /// Which of them.
        code: u8,
    },
    /// Type 4: something in a header is wrong (§3.4).
    ParameterProblem {
        /// What kind of thing.
        code: u8,
        /// At which byte of the packet.
        pointer: u32,
    },
    /// Type 128 (§4.1).
    EchoRequest {
        /// Tells one asker from another on the same host.
        identifier: u16,
        /// Tells one question from the next.
        sequence: u16,
    },
    /// Type 129: the answer (§4.2).
    EchoReply {
        /// That of the request.
        identifier: u16,
        /// That of the request.
        sequence: u16,
    },
    /// Type 133: a host asks for routers (RFC 4861 §4.1).
    RouterSolicitation,
    /// Type 134: a router says that it is there (§4.2).
    RouterAdvertisement {
        /// The hop limit to send with; 0 leaves it open.
        hop_limit: u8,
        /// M: addresses by DHCPv6; O: other settings by DHCPv6; and newer ones.
        flags: u8,
        /// Seconds for which it may be the default router.
        lifetime: u16,
        /// Milliseconds for which a neighbour counts as reachable.
        reachable: u32,
        /// Milliseconds between two solicitations.
        retransmission: u32,
    },
    /// Type 135: who has this address? (§4.3)
    NeighborSolicitation {
        /// The address asked for.
        target: Ipv6Addr,
    },
    /// Type 136: the answer (§4.4).
    NeighborAdvertisement {
        /// R: a router; S: solicited; O: overrides what was known.
        flags: u8,
        /// The address that the answer is about.
        target: Ipv6Addr,
    },
    /// Type 137: there is a better first hop (§4.5).
    Redirect {
        /// The better one.
        target: Ipv6Addr,
        /// For packets to this address.
        destination: Ipv6Addr,
    },
    /// Any other message.
    Other {
        /// Type.
        kind: u8,
        /// What kind of this type (RFC 4443 §2.1).
        code: u8,
        /// The four bytes behind the checksum.
        rest: u32,
    },
}

const TYPES: &[(u64, &str)] = &[
    (1, "destination unreachable"),
    (2, "packet too big"),
    (3, "time exceeded"),
    (4, "parameter problem"),
    (128, "echo request"),
    (129, "echo reply"),
    (130, "multicast listener query"),
    (131, "multicast listener report"),
    (132, "multicast listener done"),
    (133, "router solicitation"),
    (134, "router advertisement"),
    (135, "neighbor solicitation"),
    (136, "neighbor advertisement"),
    (137, "redirect"),
    (143, "multicast listener report v2"),
];

const UNREACHABLE_CODES: &[(u64, &str)] = &[
    (0, "no route to destination"),
    (1, "administratively prohibited"),
    (2, "beyond scope of source address"),
    (3, "address unreachable"),
    (4, "port unreachable"),
    (5, "source address failed policy"),
    (6, "reject route to destination"),
];

const TIME_EXCEEDED_CODES: &[(u64, &str)] =
    &[(0, "hop limit exceeded in transit"), (1, "fragment reassembly time exceeded")];

const PARAMETER_CODES: &[(u64, &str)] =
    &[(0, "erroneous header field"), (1, "unrecognized next header"), (2, "unrecognized option")];

impl Icmpv6Header {
    /// Whether it reports an error: then a packet is quoted behind it (RFC 4443 §2.1).
    pub fn is_error(&self) -> bool {
        self.wire().0 < 128
    }

    /// Whether options stand behind it (RFC 4861 §4.6).
    pub fn has_options(&self) -> bool {
        (133..=137).contains(&self.wire().0)
    }

    /// What it says, in words, without its numbers.
    pub fn words(&self) -> &'static str {
        let (kind, code, _) = self.wire();
        let (table, number) = match self {
            Icmpv6Header::Unreachable { .. } => (UNREACHABLE_CODES, code),
            Icmpv6Header::TimeExceeded { .. } => (TIME_EXCEEDED_CODES, code),
            Icmpv6Header::ParameterProblem { .. } => (PARAMETER_CODES, code),
            _ => (TYPES, kind),
        };
        let found = table.iter().find(|(known, _)| *known == u64::from(number));
        found.map_or("a message of an unknown type", |(_, words)| words)
    }

    /// Type, code and the four bytes behind the checksum.
    fn wire(&self) -> (u8, u8, u32) {
        let two = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
        match *self {
            Icmpv6Header::Unreachable { code } => (1, code, 0),
            Icmpv6Header::PacketTooBig { mtu } => (2, 0, mtu),
            Icmpv6Header::TimeExceeded { code } => (3, code, 0),
            Icmpv6Header::ParameterProblem { code, pointer } => (4, code, pointer),
            Icmpv6Header::EchoRequest { identifier, sequence } => (128, 0, two(identifier, sequence)),
            Icmpv6Header::EchoReply { identifier, sequence } => (129, 0, two(identifier, sequence)),
            Icmpv6Header::RouterSolicitation => (133, 0, 0),
            Icmpv6Header::RouterAdvertisement { hop_limit, flags, lifetime, .. } => {
                (134, 0, u32::from_be_bytes([hop_limit, flags, 0, 0]) | u32::from(lifetime))
            }
            Icmpv6Header::NeighborSolicitation { .. } => (135, 0, 0),
            Icmpv6Header::NeighborAdvertisement { flags, .. } => (136, 0, u32::from(flags) << 24),
            Icmpv6Header::Redirect { .. } => (137, 0, 0),
            Icmpv6Header::Other { kind, code, rest } => (kind, code, rest),
        }
    }
}

impl Header for Icmpv6Header {
    const PROTOCOL: &'static str = "ICMPv6";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("type", 8, Show::Names(TYPES), "RFC 4443 §2.1"),
        Field::new("code", 8, Show::Dec, "RFC 4443 §2.1"),
        Field::new("checksum", 16, Show::Hex, "RFC 4443 §2.3"),
        Field::new("rest of header", 32, Show::Hex, "RFC 4443 §2.1"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [kind, code, _, _] = r.array("header")?;
        let bytes: [u8; 4] = r.array("rest of header")?;
        let rest = u32::from_be_bytes(bytes);
        let [a, b, c, d] = bytes;
        let (first, second) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Ok(match (kind, code) {
            (1, code) => Icmpv6Header::Unreachable { code },
            (2, 0) => Icmpv6Header::PacketTooBig { mtu: rest },
            (3, code) => Icmpv6Header::TimeExceeded { code },
            (4, code) => Icmpv6Header::ParameterProblem { code, pointer: rest },
            (128, 0) => Icmpv6Header::EchoRequest { identifier: first, sequence: second },
            (129, 0) => Icmpv6Header::EchoReply { identifier: first, sequence: second },
            (133, 0) => Icmpv6Header::RouterSolicitation,
            (134, 0) => Icmpv6Header::RouterAdvertisement {
                hop_limit: a,
                flags: b,
                lifetime: second,
                reachable: r.u32("reachable time")?,
                retransmission: r.u32("retransmission timer")?,
            },
            (135, 0) => Icmpv6Header::NeighborSolicitation { target: r.array::<16>("target")?.into() },
            (136, 0) => {
                Icmpv6Header::NeighborAdvertisement { flags: a, target: r.array::<16>("target")?.into() }
            }
            (137, 0) => Icmpv6Header::Redirect {
                target: r.array::<16>("target")?.into(),
                destination: r.array::<16>("destination")?.into(),
            },
            (kind, code) => Icmpv6Header::Other { kind, code, rest },
        })
    }

    /// Writes the header with a checksum of zero: it covers what follows, and the addresses, too.
    fn emit(&self, w: &mut Writer) {
        let (kind, code, rest) = self.wire();
        w.u8(kind);
        w.u8(code);
        w.u16(0);
        w.u32(rest);
        match self {
            Icmpv6Header::RouterAdvertisement { reachable, retransmission, .. } => {
                w.u32(*reachable);
                w.u32(*retransmission);
            }
            Icmpv6Header::NeighborSolicitation { target }
            | Icmpv6Header::NeighborAdvertisement { target, .. } => w.bytes(&target.octets()),
            Icmpv6Header::Redirect { target, destination } => {
                w.bytes(&target.octets());
                w.bytes(&destination.octets());
            }
            _ => {}
        }
    }

    fn layout(&self) -> Vec<Field> {
        let [kind, code, checksum, rest] =
            [Self::FIELDS[0], Self::FIELDS[1], Self::FIELDS[2], Self::FIELDS[3]];
        let named = |names| Field { show: Show::Names(names), ..code };
        let dec = |name, bits, cite| Field::new(name, bits, Show::Dec, cite);
        let address = |name, cite| Field::new(name, 128, Show::Ipv6, cite);
        let unused = |bits| Field::new("unused", bits, Show::Hex, "RFC 4443 §2.1");
        let neighbor_flags = Show::Flags(&["R", "S", "O", "", "", "", "", ""]);
        let router_flags = Show::Flags(&["M", "O", "H", "Prf", "Prf", "P", "", ""]);
        let tail = match self {
            Icmpv6Header::Unreachable { .. } => {
                return vec![kind, named(UNREACHABLE_CODES), checksum, unused(32)];
            }
            Icmpv6Header::TimeExceeded { .. } => {
                return vec![kind, named(TIME_EXCEEDED_CODES), checksum, unused(32)];
            }
            Icmpv6Header::ParameterProblem { .. } => {
                return vec![kind, named(PARAMETER_CODES), checksum, dec("pointer", 32, "RFC 4443 §3.4")];
            }
            Icmpv6Header::PacketTooBig { .. } => vec![dec("MTU", 32, "RFC 4443 §3.2")],
            Icmpv6Header::EchoRequest { .. } | Icmpv6Header::EchoReply { .. } => vec![
                Field::new("identifier", 16, Show::Hex, "RFC 4443 §4.1"),
                dec("sequence number", 16, "RFC 4443 §4.1"),
            ],
            Icmpv6Header::RouterSolicitation => vec![unused(32)],
            Icmpv6Header::RouterAdvertisement { .. } => vec![
                dec("hop limit", 8, "RFC 4861 §4.2"),
                Field::new("flags", 8, router_flags, "RFC 4861 §4.2"),
                dec("router lifetime", 16, "RFC 4861 §4.2"),
                dec("reachable time", 32, "RFC 4861 §4.2"),
                dec("retransmission timer", 32, "RFC 4861 §4.2"),
            ],
            Icmpv6Header::NeighborSolicitation { .. } => vec![unused(32), address("target", "RFC 4861 §4.3")],
            Icmpv6Header::NeighborAdvertisement { .. } => vec![
                Field::new("flags", 8, neighbor_flags, "RFC 4861 §4.4"),
                unused(24),
                address("target", "RFC 4861 §4.4"),
            ],
            Icmpv6Header::Redirect { .. } => {
                vec![unused(32), address("target", "RFC 4861 §4.5"), address("destination", "RFC 4861 §4.5")]
            }
            Icmpv6Header::Other { .. } => vec![rest],
        };
        [vec![kind, code, checksum], tail].concat()
    }
}

/// The Ethernet address in the options behind a message, the sender's or the target's (RFC 4861 §4.6.1).
pub fn link_layer_address(mut options: &[u8]) -> Option<MacAddr> {
    while let [kind, words, ..] = options {
        // A length of 0 ends the reading: a receiver must discard such a packet (§4.6).
        let len = usize::from(*words) * 8;
        let (option, rest) = options.split_at_checked(len).filter(|_| len > 0)?;
        if matches!(kind, 1 | 2) && len == 8 {
            return option[2..].try_into().ok().map(MacAddr);
        }
        options = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Icmpv6Header, ParseError> {
        Icmpv6Header::parse(&mut Reader::new(Layer::Internet, "ICMPv6", bytes))
    }

    fn any_header() -> impl Strategy<Value = Icmpv6Header> {
        let address = || any::<[u8; 16]>().prop_map(Ipv6Addr::from);
        prop_oneof![
            any::<u8>().prop_map(|code| Icmpv6Header::Unreachable { code }),
            any::<u32>().prop_map(|mtu| Icmpv6Header::PacketTooBig { mtu }),
            any::<u8>().prop_map(|code| Icmpv6Header::TimeExceeded { code }),
            any::<(u8, u32)>().prop_map(|(code, pointer)| Icmpv6Header::ParameterProblem { code, pointer }),
            any::<(u16, u16)>()
                .prop_map(|(identifier, sequence)| Icmpv6Header::EchoRequest { identifier, sequence }),
            any::<(u16, u16)>()
                .prop_map(|(identifier, sequence)| Icmpv6Header::EchoReply { identifier, sequence }),
            Just(Icmpv6Header::RouterSolicitation),
            any::<(u8, u8, u16, u32, u32)>().prop_map(
                |(hop_limit, flags, lifetime, reachable, retransmission)| {
                    Icmpv6Header::RouterAdvertisement {
                        hop_limit,
                        flags,
                        lifetime,
                        reachable,
                        retransmission,
                    }
                }
            ),
            address().prop_map(|target| Icmpv6Header::NeighborSolicitation { target }),
            (any::<u8>(), address())
                .prop_map(|(flags, target)| Icmpv6Header::NeighborAdvertisement { flags, target }),
            (address(), address())
                .prop_map(|(target, destination)| Icmpv6Header::Redirect { target, destination }),
            (any::<u8>(), any::<u32>()).prop_map(|(code, rest)| Icmpv6Header::Other {
                kind: 143,
                code,
                rest
            }),
        ]
    }

    #[test]
    fn a_solicitation_asks_for_a_target_and_says_who_asks() {
        let mut bytes = vec![135, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend(Ipv6Addr::LOCALHOST.octets());
        bytes.extend([1, 1, 2, 0, 0, 0, 0, 9]);
        let header = read(&bytes).unwrap();
        assert_eq!(header, Icmpv6Header::NeighborSolicitation { target: Ipv6Addr::LOCALHOST });
        assert_eq!(link_layer_address(&bytes[24..]), Some(MacAddr::local(9)));
        assert_eq!(header.words(), "neighbor solicitation");
        assert!(header.has_options() && !header.is_error());
        assert!(read(&bytes[..20]).unwrap_err().is_incomplete());
    }

    #[test]
    fn an_option_of_length_0_ends_the_reading() {
        assert_eq!(link_layer_address(&[5, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9]), None);
        assert_eq!(link_layer_address(&[1, 1, 2, 0, 0, 0, 0]), None);
        assert_eq!(read(&[1, 4, 0, 0, 0, 0, 0, 0]).unwrap().words(), "port unreachable");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(header in any_header()) {
            let mut w = Writer::new();
            header.emit(&mut w);
            prop_assert_eq!(w.len(), header.header_len());
            prop_assert_eq!(read(w.as_slice()).unwrap(), header);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(header) = read(&bytes) {
                prop_assert!(header.header_len() <= bytes.len());
                prop_assert!(!header.words().is_empty());
            }
            let _ = link_layer_address(&bytes);
        }
    }
}

//! ICMP: how hosts and routers report what went wrong, and `ping` (RFC 792, RFC 1122 §3.2.2).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! |     type      |     code      |           checksum            |
//! +---------------+---------------+-------------------------------+
//! |  echo: identifier             |  echo: sequence number        |
//! |  unreachable: unused          |  unreachable: next-hop MTU    |
//! |  time exceeded: unused                                        |
//! |  problem: ptr |  parameter problem: unused                    |
//! +---------------+-----------------------------------------------+
//! |  echo: data to be sent back;  errors: the start of the packet that caused it ...
//! +-----------------------------
//! ```
//!
//! It rides in IPv4 packets like a transport protocol, yet it is a part of IP: every host must have it. When an error
//! may be sent, and what it quotes, is in [`icmp_error`](super::icmp_error). Left out: redirect, timestamp and address
//! mask, and source quench (RFC 6633 took it back). They are read as [`IcmpHeader::Other`].

use bytes::Bytes;

use crate::base::{Checksum, Field, Header, Layer, ParseError, Reader, Show, Writer};

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 8;

/// The first eight bytes of a message. The checksum is not kept: it covers what follows too, see [`IcmpMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IcmpHeader {
    /// Type 0: the answer to an echo request, with the same numbers and data.
    EchoReply {
        /// Distinguishes the programs that ask from one host.
        identifier: u16,
        /// Distinguishes the questions of one program.
        sequence: u16,
    },
    /// Type 3: the packet could not be delivered.
    Unreachable(Unreachable),
    /// Type 8: please send this back.
    EchoRequest {
        /// The identifier of the request.
        identifier: u16,
        /// The sequence number of the request.
        sequence: u16,
    },
    /// Type 11: the packet was on its way for too long.
    TimeExceeded(TimeExceeded),
    /// Type 12, code 0: a field of the packet's header has no sense.
    ParameterProblem {
        /// Bytes from the start of the quoted packet to the field.
        pointer: u8,
    },
    /// A type or code that is not read further. A host discards it in silence (RFC 1122 §3.2.2).
    Other {
        /// The type; with `code`, none of the above.
        kind: u8,
        /// The code, whose meaning depends on the type.
        code: u8,
        /// The four bytes after the checksum.
        rest: u32,
    },
}

/// Why a packet could not be delivered: the code of type 3 (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// 0: no route to the network.
    Net,
    /// 1: the last router gets no answer from the host.
    Host,
    /// 2: the host does not have the protocol.
    Protocol,
    /// 3: no program has the port.
    Port,
    /// 4: the packet is too large for the next link, and has DF set.
    FragmentationNeeded {
        /// The largest packet in bytes that the next link takes; 0 from a router older than RFC 1191.
        next_hop_mtu: u16,
    },
    /// 5: a source route could not be followed.
    SourceRouteFailed,
    /// 6: the network is not known.
    NetUnknown,
    /// 7: the host is not known.
    HostUnknown,
    /// 8: the sender is isolated (obsolete).
    SourceIsolated,
    /// 9: traffic to the network is forbidden by its administrator.
    NetProhibited,
    /// 10: traffic to the host is forbidden by its administrator.
    HostProhibited,
    /// 11: no route to the network for this type of service.
    NetForService,
    /// 12: no route to the host for this type of service.
    HostForService,
    /// 13: a filter forbids the traffic.
    CommunicationProhibited,
    /// 14: the packet's precedence is not permitted.
    HostPrecedence,
    /// 15: the packet's precedence is below the required one.
    PrecedenceCutoff,
}

impl Unreachable {
    fn from_code(code: u8, rest: u32) -> Option<Self> {
        Some(match code {
            0 => Unreachable::Net,
            1 => Unreachable::Host,
            2 => Unreachable::Protocol,
            3 => Unreachable::Port,
            // The upper half is unused (RFC 1191 §4).
            4 => Unreachable::FragmentationNeeded { next_hop_mtu: rest as u16 },
            5 => Unreachable::SourceRouteFailed,
            6 => Unreachable::NetUnknown,
            7 => Unreachable::HostUnknown,
            8 => Unreachable::SourceIsolated,
            9 => Unreachable::NetProhibited,
            10 => Unreachable::HostProhibited,
            11 => Unreachable::NetForService,
            12 => Unreachable::HostForService,
            13 => Unreachable::CommunicationProhibited,
            14 => Unreachable::HostPrecedence,
            15 => Unreachable::PrecedenceCutoff,
            _ => return None,
        })
    }

    /// The code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Unreachable::Net => 0,
            Unreachable::Host => 1,
            Unreachable::Protocol => 2,
            Unreachable::Port => 3,
            Unreachable::FragmentationNeeded { .. } => 4,
            Unreachable::SourceRouteFailed => 5,
            Unreachable::NetUnknown => 6,
            Unreachable::HostUnknown => 7,
            Unreachable::SourceIsolated => 8,
            Unreachable::NetProhibited => 9,
            Unreachable::HostProhibited => 10,
            Unreachable::NetForService => 11,
            Unreachable::HostForService => 12,
            Unreachable::CommunicationProhibited => 13,
            Unreachable::HostPrecedence => 14,
            Unreachable::PrecedenceCutoff => 15,
        }
    }

    /// True when the transport may take it as final for a connection: codes 2 to 4 say so, while a network or host may
    /// come back (RFC 1122 §4.2.3.9). Code 4 is only final for a host that does not know how to send less at a time.
    pub const fn is_hard(self) -> bool {
        matches!(self.code(), 2..=4)
    }
}

/// What took too long: the code of type 11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeExceeded {
    /// 0: the TTL reached zero at a router.
    Ttl,
    /// 1: fragments did not all arrive in time.
    Reassembly,
}

impl IcmpHeader {
    /// True for a report of an error, which must never be answered by another (RFC 1122 §3.2.2).
    ///
    /// Source quench (4) and redirect (5) are errors too, although nothing more is read of them here.
    pub const fn is_error(&self) -> bool {
        matches!(self.wire().0, 3 | 4 | 5 | 11 | 12)
    }

    /// What it says, in words.
    pub fn words(&self) -> &'static str {
        let (kind, code, _) = self.wire();
        let (table, number) = match self {
            IcmpHeader::Unreachable(_) => (UNREACHABLE_CODES, code),
            IcmpHeader::TimeExceeded(_) => (TIME_EXCEEDED_CODES, code),
            _ => (TYPES, kind),
        };
        let found = table.iter().find(|(known, _)| *known == u64::from(number));
        found.map_or("a message of an unknown type", |(_, words)| words)
    }

    fn from_wire(kind: u8, code: u8, rest: u32) -> Self {
        let (identifier, sequence) = ((rest >> 16) as u16, rest as u16);
        let known = match (kind, code) {
            (0, 0) => Some(IcmpHeader::EchoReply { identifier, sequence }),
            (3, code) => Unreachable::from_code(code, rest).map(IcmpHeader::Unreachable),
            (8, 0) => Some(IcmpHeader::EchoRequest { identifier, sequence }),
            (11, 0) => Some(IcmpHeader::TimeExceeded(TimeExceeded::Ttl)),
            (11, 1) => Some(IcmpHeader::TimeExceeded(TimeExceeded::Reassembly)),
            (12, 0) => Some(IcmpHeader::ParameterProblem { pointer: (rest >> 24) as u8 }),
            _ => None,
        };
        known.unwrap_or(IcmpHeader::Other { kind, code, rest })
    }

    /// Type, code and the four bytes after the checksum.
    const fn wire(&self) -> (u8, u8, u32) {
        match *self {
            IcmpHeader::EchoReply { identifier, sequence } => (0, 0, two(identifier, sequence)),
            IcmpHeader::Unreachable(why @ Unreachable::FragmentationNeeded { next_hop_mtu }) => {
                (3, why.code(), two(0, next_hop_mtu))
            }
            IcmpHeader::Unreachable(why) => (3, why.code(), 0),
            IcmpHeader::EchoRequest { identifier, sequence } => (8, 0, two(identifier, sequence)),
            IcmpHeader::TimeExceeded(TimeExceeded::Ttl) => (11, 0, 0),
            IcmpHeader::TimeExceeded(TimeExceeded::Reassembly) => (11, 1, 0),
            IcmpHeader::ParameterProblem { pointer } => (12, 0, (pointer as u32) << 24),
            IcmpHeader::Other { kind, code, rest } => (kind, code, rest),
        }
    }
}

const fn two(high: u16, low: u16) -> u32 {
    (high as u32) << 16 | low as u32
}

const TYPES: &[(u64, &str)] = &[
    (0, "echo reply"),
    (3, "destination unreachable"),
    (4, "source quench"),
    (5, "redirect"),
    (8, "echo request"),
    (11, "time exceeded"),
    (12, "parameter problem"),
    (13, "timestamp"),
    (14, "timestamp reply"),
];

const UNREACHABLE_CODES: &[(u64, &str)] = &[
    (0, "net unreachable"),
    (1, "host unreachable"),
    (2, "protocol unreachable"),
    (3, "port unreachable"),
    (4, "fragmentation needed and DF set"),
    (5, "source route failed"),
    (6, "destination network unknown"),
    (7, "destination host unknown"),
    (8, "source host isolated"),
    (9, "network administratively prohibited"),
    (10, "host administratively prohibited"),
    (11, "network unreachable for type of service"),
    (12, "host unreachable for type of service"),
    (13, "communication administratively prohibited"),
    (14, "host precedence violation"),
    (15, "precedence cutoff in effect"),
];

const TIME_EXCEEDED_CODES: &[(u64, &str)] =
    &[(0, "TTL exceeded in transit"), (1, "fragment reassembly time exceeded")];

impl Header for IcmpHeader {
    const PROTOCOL: &'static str = "ICMP";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("type", 8, Show::Names(TYPES), "RFC 792"),
        Field::new("code", 8, Show::Dec, "RFC 792"),
        Field::new("checksum", 16, Show::Hex, "RFC 792"),
        Field::new("rest of header", 32, Show::Hex, "RFC 792"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [kind, code, _, _, a, b, c, d] = r.array("header")?;
        Ok(IcmpHeader::from_wire(kind, code, u32::from_be_bytes([a, b, c, d])))
    }

    /// Writes the header with a checksum of zero: it covers what follows too, so [`IcmpMessage::emit`] computes it.
    fn emit(&self, w: &mut Writer) {
        let (kind, code, rest) = self.wire();
        w.u8(kind);
        w.u8(code);
        w.u16(0);
        w.u32(rest);
    }

    fn layout(&self) -> Vec<Field> {
        let number = |name, bits| Field::new(name, bits, Show::Dec, "RFC 792");
        let unused = |bits| Field::new("unused", bits, Show::Hex, "RFC 792");
        let [kind, code, checksum, rest] =
            [Self::FIELDS[0], Self::FIELDS[1], Self::FIELDS[2], Self::FIELDS[3]];
        let named = |names| Field { show: Show::Names(names), ..code };
        match self {
            IcmpHeader::EchoReply { .. } | IcmpHeader::EchoRequest { .. } => {
                let identifier = Field::new("identifier", 16, Show::Hex, "RFC 792");
                vec![kind, code, checksum, identifier, number("sequence number", 16)]
            }
            IcmpHeader::Unreachable(Unreachable::FragmentationNeeded { .. }) => {
                let mtu = Field::new("next-hop MTU", 16, Show::Dec, "RFC 1191 §4");
                vec![kind, named(UNREACHABLE_CODES), checksum, unused(16), mtu]
            }
            IcmpHeader::Unreachable(_) => vec![kind, named(UNREACHABLE_CODES), checksum, unused(32)],
            IcmpHeader::TimeExceeded(_) => vec![kind, named(TIME_EXCEEDED_CODES), checksum, unused(32)],
            IcmpHeader::ParameterProblem { .. } => {
                vec![kind, code, checksum, number("pointer", 8), unused(24)]
            }
            IcmpHeader::Other { .. } => vec![kind, code, checksum, rest],
        }
    }

    fn header_len(&self) -> usize {
        HEADER_LEN
    }
}

/// A whole message: the header and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpMessage {
    /// The ICMP header, which says what went wrong.
    pub header: IcmpHeader,
    /// An echo's data, or the packet that an error quotes.
    pub payload: Bytes,
}

impl IcmpMessage {
    /// Reads the payload of an IPv4 packet. `base` says where `bytes` begin in the frame, so that errors point into it.
    /// What follows the header is not copied: it shares the memory of `bytes`.
    ///
    /// # Errors
    /// Incomplete when there are fewer than 8 bytes, malformed when the checksum is wrong.
    pub fn parse(bytes: &Bytes, base: usize) -> Result<Self, ParseError> {
        let mut r = Reader::new(Layer::Internet, IcmpHeader::PROTOCOL, bytes).starting_at(base);
        let header = IcmpHeader::parse(&mut r)?;
        let mut sum = Checksum::new();
        sum.add(bytes);
        if sum.finish() != 0 {
            let mut right = Checksum::new();
            right.add(&bytes[..2]);
            right.add(&bytes[4..]);
            let got = format!("0x{:02x}{:02x}", bytes[2], bytes[3]);
            return Err(r.malformed("checksum", 2, format!("0x{:04x}", right.finish()), got));
        }
        Ok(IcmpMessage { header, payload: bytes.slice(HEADER_LEN..) })
    }

    /// Writes header, checksum and payload.
    pub fn emit(&self, w: &mut Writer) {
        let start = w.len();
        self.header.emit(w);
        w.bytes(&self.payload);
        let mut sum = Checksum::new();
        sum.add(&w.as_slice()[start..]);
        w.patch_u16(start + 2, sum.finish());
    }

    /// Length on the wire in bytes.
    pub fn wire_len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }

    /// The answer to an echo request, with its data (RFC 1122 §3.2.2.6); `None` for any other message.
    pub fn echo_reply(&self) -> Option<IcmpMessage> {
        match self.header {
            IcmpHeader::EchoRequest { identifier, sequence } => Some(IcmpMessage {
                header: IcmpHeader::EchoReply { identifier, sequence },
                payload: self.payload.clone(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "icmp_tests.rs"]
mod tests;

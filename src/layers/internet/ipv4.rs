//! The IPv4 header: where a packet comes from, where it goes, and how far it may (RFC 791 §3.1, RFC 1122 §3.2.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+-------+-----------+---+-------------------------------+
//! |version|  IHL  |   DSCP    |ECN|         total length          |
//! +-------+-------+-----------+---+-----+-------------------------+
//! |        identification         |0|D|M|     fragment offset     |
//! +---------------+---------------+-+-+-+-------------------------+
//! |      TTL      |   protocol    |        header checksum        |
//! +---------------+---------------+-------------------------------+
//! |                            source                             |
//! +---------------------------------------------------------------+
//! |                          destination                          |
//! +---------------------------------------------------------------+
//! |                    options, 0 to 40 bytes ...
//! +-------------------------------
//! ```
//!
//! D is DF, "don't fragment"; M is MF, "more fragments". The second byte was once the Type of Service: RFC 2474 §3 and
//! RFC 3168 §5 gave its bits their present meaning. Options are in [`options`](super::options), fragments in
//! [`fragment`](super::fragment).

use std::net::Ipv4Addr;
use std::ops::Range;

use super::options::Options;
use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer, internet_checksum};

/// Length in bytes of a header without options.
pub const MIN_HEADER_LEN: usize = 20;
/// Length in bytes of the longest header: the IHL counts words of 4 bytes in 4 bits.
pub const MAX_HEADER_LEN: usize = 60;
/// Length in bytes of the longest packet.
pub const MAX_PACKET_LEN: usize = u16::MAX as usize;
/// The TTL to send with, as RFC 1122 §3.2.1.7 leaves to the host and RFC 1700 recommends.
pub const DEFAULT_TTL: u8 = 64;
/// Every link must carry packets of this length in bytes whole (RFC 791 §3.2).
pub const MIN_MTU: usize = 68;

/// Numbers of the protocols that a packet can carry.
pub mod protocol {
    /// The Internet Control Message Protocol (RFC 792).
    pub const ICMP: u8 = 1;
    /// The Transmission Control Protocol (RFC 9293).
    pub const TCP: u8 = 6;
    /// The User Datagram Protocol (RFC 768).
    pub const UDP: u8 = 17;
}

/// Explicit Congestion Notification: what a router that is filling up may say instead of dropping (RFC 3168 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ecn {
    /// 00: the transport does not understand ECN, so the packet can only be dropped.
    #[default]
    NotEct,
    /// 01: an ECN-capable transport.
    Ect1,
    /// 10: an ECN-capable transport; what senders set.
    Ect0,
    /// 11: congestion was experienced on the way.
    Ce,
}

impl Ecn {
    const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0b00 => Ecn::NotEct,
            0b01 => Ecn::Ect1,
            0b10 => Ecn::Ect0,
            _ => Ecn::Ce,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Ecn::NotEct => 0b00,
            Ecn::Ect1 => 0b01,
            Ecn::Ect0 => 0b10,
            Ecn::Ce => 0b11,
        }
    }
}

/// An IPv4 header. Its version, IHL and checksum are not kept: they follow from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ipv4Header {
    /// How routers should treat it (RFC 2474): 6 bits.
    pub dscp: u8,
    /// What routers say about congestion.
    pub ecn: Ecn,
    /// Length of header and payload in bytes. A link may have added padding after it.
    pub total_len: u16,
    /// Identifies, with addresses and protocol, the fragments of one packet.
    pub identification: u16,
    /// Routers must not fragment it: they report that it is too large (RFC 1191).
    pub dont_fragment: bool,
    /// It is a fragment, and not the last one.
    pub more_fragments: bool,
    /// Where in the whole payload this one begins, in units of 8 bytes: 13 bits.
    pub fragment_offset: u16,
    /// How many more routers may forward it. Each takes one off; at zero the packet is dropped.
    pub ttl: u8,
    /// What the payload is: see [`protocol`].
    pub protocol: u8,
    /// The address of the sender.
    pub source: Ipv4Addr,
    /// The address of the receiver.
    pub destination: Ipv4Addr,
    /// The options, usually none.
    pub options: Options,
}

impl Ipv4Header {
    /// The header of a whole packet without options, with a payload of `payload_len` bytes, and fragmentation allowed.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload_len: usize) -> Self {
        Ipv4Header {
            dscp: 0,
            ecn: Ecn::NotEct,
            total_len: 0,
            identification: 0,
            dont_fragment: false,
            more_fragments: false,
            fragment_offset: 0,
            ttl: DEFAULT_TTL,
            protocol,
            source,
            destination,
            options: Options::NONE,
        }
        .with_payload_len(payload_len)
    }

    /// The same header with these options, for the same payload.
    pub fn with_options(self, options: Options) -> Self {
        let payload = self.payload_len();
        Ipv4Header { options, ..self }.with_payload_len(payload)
    }

    /// The same header for a payload of another length.
    ///
    /// The total length stops at 65,535: callers must not have more payload than
    /// [`max_payload`](Ipv4Header::max_payload), and UDP and TCP have lower limits of their own.
    pub fn with_payload_len(self, payload_len: usize) -> Self {
        let total = payload_len.saturating_add(self.header_len()).min(MAX_PACKET_LEN);
        Ipv4Header { total_len: total as u16, ..self }
    }

    /// The most payload in bytes that can follow this header.
    pub fn max_payload(&self) -> usize {
        MAX_PACKET_LEN - self.header_len()
    }

    /// Length of the payload in bytes.
    pub fn payload_len(&self) -> usize {
        usize::from(self.total_len).saturating_sub(self.header_len())
    }

    /// Where the payload lies in a frame that has this header at `start`. Padding of the link is cut off by it.
    ///
    /// After a successful [`parse`](Header::parse) at `start` these bytes exist.
    pub fn payload_range(&self, start: usize) -> Range<usize> {
        let from = start + self.header_len();
        from..from + self.payload_len()
    }

    /// True when it carries only a part of a payload.
    pub const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// Where in the whole payload this part begins, in bytes.
    pub fn fragment_start(&self) -> usize {
        usize::from(self.fragment_offset) * 8
    }

    /// Reads a header that an ICMP error quotes (RFC 792).
    ///
    /// Only the first bytes of that packet are there, so its length proves nothing; and routers may have changed it
    /// on the way, so neither does its checksum.
    ///
    /// # Errors
    /// As [`parse`](Header::parse), but for length and checksum.
    pub fn parse_quoted(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        Self::read(r).map(|(header, _)| header)
    }

    /// Reads a header whose checksum is known to be right.
    ///
    /// # Errors
    /// As [`parse`](Header::parse), but for the checksum.
    pub fn parse_intact(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let (header, _) = Self::read(r)?;
        if r.remaining() < header.payload_len() {
            return Err(r.incomplete("payload", header.payload_len()));
        }
        Ok(header)
    }

    /// Reads all fields and checks what can be checked in each alone. Also gives the checksum that was there.
    fn read(r: &mut Reader<'_>) -> Result<(Self, u16), ParseError> {
        let at = r.position();
        let version_ihl = r.u8("version")?;
        if version_ihl >> 4 != 4 {
            return Err(r.malformed("version", at, "4", (version_ihl >> 4).to_string()));
        }
        let header_len = usize::from(version_ihl & 0xf) * 4;
        if header_len < MIN_HEADER_LEN {
            return Err(r.malformed("IHL", at, "5 or more", (version_ihl & 0xf).to_string()));
        }
        // One look at the length for all fixed fields: this is on the path of every packet.
        let [tos, l0, l1, i0, i1, f0, f1, ttl, protocol, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3] =
            r.array::<19>("rest of the header")?;
        let total_len = u16::from_be_bytes([l0, l1]);
        if usize::from(total_len) < header_len {
            let expected = format!("at least the header's {header_len} bytes");
            return Err(r.malformed("total length", at + 2, expected, total_len.to_string()));
        }
        let raw_options = r.take(header_len - MIN_HEADER_LEN, "options")?;
        let options = Options::new(raw_options).map_err(|bad| {
            r.malformed(
                "options",
                at + MIN_HEADER_LEN + bad.at,
                "an option that ends inside the header",
                bad.got(),
            )
        })?;
        let flags_offset = u16::from_be_bytes([f0, f1]);
        let header = Ipv4Header {
            dscp: tos >> 2,
            ecn: Ecn::from_bits(tos),
            total_len,
            identification: u16::from_be_bytes([i0, i1]),
            // The bit before DF is reserved: sent as zero, ignored when received.
            dont_fragment: flags_offset & 0x4000 != 0,
            more_fragments: flags_offset & 0x2000 != 0,
            fragment_offset: flags_offset & 0x1fff,
            ttl,
            protocol,
            source: Ipv4Addr::new(s0, s1, s2, s3),
            destination: Ipv4Addr::new(d0, d1, d2, d3),
            options,
        };
        Ok((header, u16::from_be_bytes([c0, c1])))
    }
}

/// Names of the protocols worth a name in a header box.
const PROTOCOLS: &[(u64, &str)] =
    &[(1, "ICMP"), (2, "IGMP"), (6, "TCP"), (17, "UDP"), (41, "IPv6"), (47, "GRE")];

const ECN_NAMES: &[(u64, &str)] = &[(0, "Not-ECT"), (1, "ECT(1)"), (2, "ECT(0)"), (3, "CE")];

impl Header for Ipv4Header {
    const PROTOCOL: &'static str = "IPv4";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("version", 4, Show::Dec, "RFC 791 §3.1"),
        Field::new("IHL", 4, Show::Dec, "RFC 791 §3.1"),
        Field::new("DSCP", 6, Show::Dec, "RFC 2474 §3"),
        Field::new("ECN", 2, Show::Names(ECN_NAMES), "RFC 3168 §5"),
        Field::new("total length", 16, Show::Dec, "RFC 791 §3.1"),
        Field::new("identification", 16, Show::Hex, "RFC 6864 §4"),
        Field::new("flags", 3, Show::Flags(&["reserved", "DF", "MF"]), "RFC 791 §3.1"),
        Field::new("fragment offset", 13, Show::Dec, "RFC 791 §3.1"),
        Field::new("TTL", 8, Show::Dec, "RFC 1122 §3.2.1.7"),
        Field::new("protocol", 8, Show::Names(PROTOCOLS), "RFC 791 §3.1"),
        Field::new("header checksum", 16, Show::Hex, "RFC 1071 §1"),
        Field::new("source", 32, Show::Ipv4, "RFC 791 §3.1"),
        Field::new("destination", 32, Show::Ipv4, "RFC 791 §3.1"),
        Field::new("options", 0, Show::Bytes, "RFC 1122 §3.2.1.8"),
    ];

    /// Reads the header and checks it against its checksum and against the bytes that came with it.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let (header, checksum) = Self::read(r)?;
        let bytes = &r.whole()[at..r.position()];
        // RFC 1122 §3.2.1.2: a host must verify it, and discard a wrong one in silence.
        if internet_checksum(bytes) != 0 {
            let mut right = [0; MAX_HEADER_LEN];
            right[..bytes.len()].copy_from_slice(bytes);
            right[10..12].fill(0);
            let right = format!("0x{:04x}", internet_checksum(&right));
            return Err(r.malformed("header checksum", at + 10, right, format!("0x{checksum:04x}")));
        }
        if r.remaining() < header.payload_len() {
            return Err(r.incomplete("payload", header.payload_len()));
        }
        Ok(header)
    }

    fn emit(&self, w: &mut Writer) {
        let len = self.header_len();
        let mut bytes = [0; MAX_HEADER_LEN];
        bytes[0] = 4 << 4 | (len / 4) as u8;
        bytes[1] = self.dscp << 2 | self.ecn.bits();
        bytes[2..4].copy_from_slice(&self.total_len.to_be_bytes());
        bytes[4..6].copy_from_slice(&self.identification.to_be_bytes());
        let flags = u16::from(self.dont_fragment) << 14 | u16::from(self.more_fragments) << 13;
        bytes[6..8].copy_from_slice(&(flags | self.fragment_offset & 0x1fff).to_be_bytes());
        bytes[8] = self.ttl;
        bytes[9] = self.protocol;
        bytes[12..16].copy_from_slice(&self.source.octets());
        bytes[16..20].copy_from_slice(&self.destination.octets());
        bytes[MIN_HEADER_LEN..len].copy_from_slice(self.options.as_bytes());
        let checksum = internet_checksum(&bytes[..len]);
        bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
        w.bytes(&bytes[..len]);
    }

    fn layout(&self) -> Vec<Field> {
        let mut fields = Self::FIELDS.to_vec();
        if let Some(options) = fields.pop().filter(|_| !self.options.is_empty()) {
            fields.push(options.with_bits(self.options.as_bytes().len() * 8));
        }
        fields
    }

    fn header_len(&self) -> usize {
        MIN_HEADER_LEN + self.options.as_bytes().len()
    }
}

#[cfg(test)]
#[path = "ipv4_tests.rs"]
mod tests;

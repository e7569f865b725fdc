//! The TCP header (RFC 9293 §3.1).
//!
//! The checksum is no field of [`TcpHeader`]: it covers the payload and the pseudo header too, so it is checked when a
//! [`Segment`](super::Segment) is parsed and computed when one is emitted. Nor are the reserved bits, which are sent as
//! zero and ignored when they come.

use std::fmt;
use std::ops::BitOr;

use super::options::{self, Options};
use super::seq::SeqNumber;
use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Worded, Writer};

/// The TCP header.
///
/// ```text
///  0             7 8            15 16           23 24           31
/// ├───────────────┴───────────────┼───────────────┴───────────────┤
/// │          Source Port          │       Destination Port        │
/// ├───────────────────────────────┴───────────────────────────────┤
/// │                        Sequence Number                        │
/// ├───────────────────────────────────────────────────────────────┤
/// │                     Acknowledgment Number                     │
/// ├───────┬───────┬───────────────┬───────────────────────────────┤
/// │ Data  │ Reser-│C E U A P R S F│            Window             │
/// │ Offset│ ved   │W C R C S S Y I│                               │
/// │       │       │R E G K H T N N│                               │
/// ├───────┴───────┴───────────────┼───────────────────────────────┤
/// │           Checksum            │        Urgent Pointer         │
/// ├───────────────────────────────┴───────────────────────────────┤
/// │              Options: 0 to 10 words, with padding             │
/// └───────────────────────────────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TcpHeader {
    /// The sending program's port.
    pub source_port: u16,
    /// The receiving program's port.
    pub destination_port: u16,
    /// Of the first byte of payload; with SYN, of the SYN itself.
    pub seq: SeqNumber,
    /// The next byte the sender of this header waits for; meant only when ACK is set.
    pub ack: SeqNumber,
    /// The control bits: SYN, ACK, FIN and the others.
    pub flags: Flags,
    /// How many bytes beyond `ack` the sender of this header has room for, before any window scale.
    pub window: u16,
    /// Where urgent data ends, counted from `seq`: the number of the byte after it (MUST-62); meant only when URG is set.
    pub urgent: u16,
    /// The options, without padding.
    pub options: Options,
}

/// The control bits of a header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

/// The protocol number of TCP in an IPv4 header (IANA).
pub const PROTOCOL_NUMBER: u8 = 6;
/// The header without options: five words.
pub const MIN_HEADER_LEN: usize = 20;

impl Header for TcpHeader {
    const PROTOCOL: &'static str = "TCP";
    const LAYER: Layer = Layer::Transport;
    const FIELDS: &'static [Field] = &[
        Field::new("Source Port", 16, Show::Dec, CITE),
        Field::new("Destination Port", 16, Show::Dec, CITE),
        Field::new("Sequence Number", 32, Show::Dec, CITE),
        Field::new("Acknowledgment Number", 32, Show::Dec, CITE),
        Field::new("Data Offset", 4, Show::Dec, CITE),
        Field::new("Reserved", 4, Show::Dec, CITE),
        Field::new("Flags", 8, Show::Flags(&Flags::NAMES), CITE),
        Field::new("Window", 16, Show::Dec, CITE),
        Field::new("Checksum", 16, Show::Hex, CITE),
        Field::new("Urgent Pointer", 16, Show::Dec, CITE),
        Field::new(options::FIELD, 0, Show::Worded(Worded(options::words)), "RFC 9293 §3.2"),
    ];

    /// # Errors
    /// Incomplete when bytes are missing; malformed when the data offset is below 5 or an option has a length that
    /// cannot be.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let start = r.position();
        // One look at the length for all fixed fields: this is on the path of every segment. The checksum, c, is
        // checked by `Segment::parse`, which has all that it covers.
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, _c0, _c1, u0, u1] =
            r.array::<MIN_HEADER_LEN>("header")?;
        let words = usize::from(offset >> 4);
        let options_len = (words * 4)
            .checked_sub(MIN_HEADER_LEN)
            .ok_or_else(|| r.malformed("Data Offset", start + 12, "5 or more words", words.to_string()))?;
        let fixed = TcpHeader {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            seq: SeqNumber(u32::from_be_bytes([q0, q1, q2, q3])),
            ack: SeqNumber(u32::from_be_bytes([a0, a1, a2, a3])),
            flags: Flags(flags),
            window: u16::from_be_bytes([w0, w1]),
            urgent: u16::from_be_bytes([u0, u1]),
            options: Options::none(),
        };
        if options_len == 0 {
            return Ok(fixed);
        }
        let offset = r.offset();
        let mut within = Reader::new(Self::LAYER, Self::PROTOCOL, r.take(options_len, options::FIELD)?)
            .starting_at(offset);
        let options = Options::parse(&mut within)?;
        Ok(TcpHeader { options, ..fixed })
    }

    /// The checksum is written as 0: [`Segment::emit`](super::Segment::emit) fills it in.
    fn emit(&self, w: &mut Writer) {
        let mut fixed = [0; MIN_HEADER_LEN];
        fixed[0..2].copy_from_slice(&self.source_port.to_be_bytes());
        fixed[2..4].copy_from_slice(&self.destination_port.to_be_bytes());
        fixed[4..8].copy_from_slice(&self.seq.0.to_be_bytes());
        fixed[8..12].copy_from_slice(&self.ack.0.to_be_bytes());
        // `Options` holds at most 40 bytes, so the offset is at most 15 words.
        fixed[12] = ((self.header_len() / 4) as u8) << 4;
        fixed[13] = self.flags.0;
        fixed[14..16].copy_from_slice(&self.window.to_be_bytes());
        fixed[18..20].copy_from_slice(&self.urgent.to_be_bytes());
        w.bytes(&fixed);
        if !self.options.is_empty() {
            self.options.emit(w);
        }
    }

    fn layout(&self) -> Vec<Field> {
        let bits = self.options.len() * 8;
        let fixed = Self::FIELDS.iter().filter(|field| field.bits > 0).copied();
        let options = Self::FIELDS.last().filter(|_| bits > 0).map(|field| field.with_bits(bits));
        fixed.chain(options).collect()
    }

    fn header_len(&self) -> usize {
        MIN_HEADER_LEN + self.options.len()
    }
}

const CITE: &str = "RFC 9293 §3.1";

impl Flags {
    /// No control bit is set.
    pub const NONE: Flags = Flags(0);
    /// The sender has reduced its congestion window (RFC 3168 §6.1).
    pub const CWR: Flags = Flags(0x80);
    /// ECN-Echo: a packet came marked by a router in congestion (RFC 3168 §6.1).
    pub const ECE: Flags = Flags(0x40);
    /// The urgent pointer is meant.
    pub const URG: Flags = Flags(0x20);
    /// The acknowledgment number is meant.
    pub const ACK: Flags = Flags(0x10);
    /// The sender has no more at hand: do not wait to give the program what has come.
    pub const PSH: Flags = Flags(0x08);
    /// Reset: the connection ends at once.
    pub const RST: Flags = Flags(0x04);
    /// Synchronize sequence numbers: the stream begins.
    pub const SYN: Flags = Flags(0x02);
    /// Finished: the stream ends.
    pub const FIN: Flags = Flags(0x01);

    /// The names, the most significant bit first.
    pub const NAMES: [&'static str; 8] = ["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"];

    /// True when all bits of `other` are set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The same flags with those of `other` cleared.
    #[must_use]
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// These flags with `other` set when `on` is true.
    #[must_use]
    pub const fn with_if(self, on: bool, other: Flags) -> Flags {
        if on { Flags(self.0 | other.0) } else { self }
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// As in a ladder: `SYN ACK`, the lowest bits last to first, and `none` for none.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SYN and FIN come first in speech ("SYN ACK"), ACK after them.
        const SPOKEN: [(Flags, &str); 8] = [
            (Flags::SYN, "SYN"),
            (Flags::FIN, "FIN"),
            (Flags::RST, "RST"),
            (Flags::PSH, "PSH"),
            (Flags::ACK, "ACK"),
            (Flags::URG, "URG"),
            (Flags::ECE, "ECE"),
            (Flags::CWR, "CWR"),
        ];
        let set: Vec<_> = SPOKEN.iter().filter(|(flag, _)| self.has(*flag)).map(|(_, name)| *name).collect();
        f.pad(if set.is_empty() { "none".into() } else { set.join(" ") }.as_str())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

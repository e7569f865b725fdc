//! The TCP header, and a segment: a header with its payload (RFC 9293 §3.1).
//!
//! The checksum is no field of [`TcpHeader`]: it covers the payload and the pseudo header too, so it is checked when
//! a [`Segment`] is parsed and computed when one is emitted. Nor are the reserved bits, which are sent as zero and
//! ignored when they come. The urgent pointer is carried but means nothing to our connection.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::BitOr;

use bytes::Bytes;

use super::options::{self, Options};
use super::seq::SeqNumber;
use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::transport::pseudo_header;

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
    /// The control bits.
    pub flags: Flags,
    /// How many bytes beyond `ack` the sender of this header has room for, before any window scale.
    pub window: u16,
    /// Where urgent data ends, counted from `seq`; meant only when URG is set.
    pub urgent: u16,
    /// Options.
    pub options: Options,
}

/// The control bits of a header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(pub u8);

/// A segment: what one TCP hands to the internet layer for another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// The header.
    pub header: TcpHeader,
    /// The bytes of the stream that it carries.
    pub payload: Bytes,
}

/// The protocol number of TCP in an IPv4 header (IANA).
pub const PROTOCOL_NUMBER: u8 = 6;
/// The header without options: five words.
pub const MIN_HEADER_LEN: usize = 20;
/// Where the checksum stands.
const CHECKSUM_AT: usize = 16;

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
        Field::new(options::FIELD, 0, Show::Bytes, "RFC 9293 §3.2"),
    ];

    /// # Errors
    /// Incomplete when bytes are missing; malformed when the data offset is below 5 or an option has a length that
    /// cannot be.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let start = r.position();
        let source_port = r.u16("Source Port")?;
        let destination_port = r.u16("Destination Port")?;
        let seq = SeqNumber(r.u32("Sequence Number")?);
        let ack = SeqNumber(r.u32("Acknowledgment Number")?);
        let at = r.position() - start;
        let words = usize::from(r.u8("Data Offset")? >> 4);
        let options_len = (words * 4)
            .checked_sub(MIN_HEADER_LEN)
            .ok_or_else(|| r.malformed("Data Offset", start + at, "5 or more words", words.to_string()))?;
        let flags = Flags(r.u8("Flags")?);
        let window = r.u16("Window")?;
        // Checked by `Segment::parse`, which has all that it covers.
        let _checksum = r.u16("Checksum")?;
        let urgent = r.u16("Urgent Pointer")?;
        let offset = r.offset();
        let mut within = Reader::new(Self::LAYER, Self::PROTOCOL, r.take(options_len, options::FIELD)?)
            .starting_at(offset);
        let options = Options::parse(&mut within)?;
        Ok(TcpHeader { source_port, destination_port, seq, ack, flags, window, urgent, options })
    }

    /// The checksum is written as 0: [`Segment::emit`] fills it in.
    fn emit(&self, w: &mut Writer) {
        w.u16(self.source_port);
        w.u16(self.destination_port);
        w.u32(self.seq.0);
        w.u32(self.ack.0);
        // `Options` holds at most 40 bytes, so the offset is at most 15 words.
        w.u8(((self.header_len() / 4) as u8) << 4);
        w.u8(self.flags.0);
        w.u16(self.window);
        w.u16(0);
        w.u16(self.urgent);
        self.options.emit(w);
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

impl Segment {
    /// Reads a segment that travelled from `src` to `dst`. The payload refers to `bytes`: nothing is copied.
    ///
    /// `bytes` are all that the internet layer delivered, and begin `base` bytes into the frame.
    ///
    /// # Errors
    /// Incomplete when bytes are missing; malformed when the checksum is wrong or the header breaks a rule. The
    /// checksum is looked at first: of damaged bytes nothing else can be believed.
    pub fn parse(src: Ipv4Addr, dst: Ipv4Addr, bytes: &Bytes, base: usize) -> Result<Self, ParseError> {
        let mut r = Reader::new(TcpHeader::LAYER, TcpHeader::PROTOCOL, bytes).starting_at(base);
        if bytes.len() < MIN_HEADER_LEN {
            return Err(r.incomplete("header", MIN_HEADER_LEN));
        }
        if bytes.len() > usize::from(u16::MAX) {
            return Err(r.malformed("length", 0, "at most 65535 bytes", bytes.len().to_string()));
        }
        let mut sum = pseudo_header(src, dst, PROTOCOL_NUMBER, bytes.len());
        sum.add(bytes);
        if sum.finish() != 0 {
            return Err(wrong_checksum(&r, src, dst, bytes));
        }
        let header = TcpHeader::parse(&mut r)?;
        Ok(Segment { header, payload: bytes.slice(r.position()..) })
    }

    /// Writes header and payload in one pass, then the checksum over both into its place.
    pub fn emit(&self, src: Ipv4Addr, dst: Ipv4Addr, w: &mut Writer) {
        let start = w.len();
        w.reserve(self.len());
        self.header.emit(w);
        w.bytes(&self.payload);
        let mut sum = pseudo_header(src, dst, PROTOCOL_NUMBER, self.len());
        sum.add(&w.as_slice()[start..]);
        w.patch_u16(start + CHECKSUM_AT, sum.finish());
    }

    /// Bytes on the wire, header and payload.
    pub fn len(&self) -> usize {
        self.header.header_len() + self.payload.len()
    }

    /// Never: a segment has at least a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// SEG.LEN, the sequence numbers it takes up: one for each byte of payload, one for SYN, one for FIN
    /// (RFC 9293 §3.4).
    pub fn seq_len(&self) -> u32 {
        let flags = self.header.flags;
        self.payload.len() as u32 + u32::from(flags.has(Flags::SYN)) + u32::from(flags.has(Flags::FIN))
    }
}

/// The error for a wrong checksum, which also says what would have been right.
fn wrong_checksum(r: &Reader<'_>, src: Ipv4Addr, dst: Ipv4Addr, bytes: &[u8]) -> ParseError {
    let mut sum = pseudo_header(src, dst, PROTOCOL_NUMBER, bytes.len());
    sum.add(&bytes[..CHECKSUM_AT]);
    sum.add(&bytes[CHECKSUM_AT + 2..]);
    let got = u16::from_be_bytes([bytes[CHECKSUM_AT], bytes[CHECKSUM_AT + 1]]);
    r.malformed("Checksum", CHECKSUM_AT, format!("{:#06x}", sum.finish()), format!("{got:#06x}"))
}

impl Flags {
    /// No bit set.
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
    /// Reset the connection.
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

#[cfg(test)]
mod tests {
    use super::super::options::tests::any_options;
    use super::*;
    use proptest::prelude::*;

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

    fn emitted(segment: &Segment) -> Bytes {
        let mut w = Writer::new();
        segment.emit(A, B, &mut w);
        w.finish()
    }

    fn any_segment() -> impl Strategy<Value = Segment> {
        let fixed = any::<(u16, u16, u32, u32, u8, u16, u16)>();
        (fixed, any_options(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(
            |((source_port, destination_port, seq, ack, flags, window, urgent), options, payload)| Segment {
                header: TcpHeader {
                    source_port,
                    destination_port,
                    seq: SeqNumber(seq),
                    ack: SeqNumber(ack),
                    flags: Flags(flags),
                    window,
                    urgent,
                    options,
                },
                payload: payload.into(),
            },
        )
    }

    #[test]
    fn a_syn_is_written_byte_for_byte() {
        let mut options = Options::none();
        options.push(super::super::options::TcpOption::MaximumSegmentSize(1460));
        let header = TcpHeader {
            source_port: 49152,
            destination_port: 80,
            seq: SeqNumber(1000),
            flags: Flags::SYN,
            window: 65_535,
            options,
            ..TcpHeader::default()
        };
        let bytes = emitted(&Segment { header, payload: Bytes::new() });
        assert_eq!(bytes[..16], [0xc0, 0, 0, 80, 0, 0, 3, 0xe8, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff]);
        assert_eq!(bytes[18..], [0, 0, 2, 4, 0x05, 0xb4]);
    }

    #[test]
    fn a_wrong_checksum_is_refused_and_the_right_one_named() {
        let good = emitted(&Segment { payload: Bytes::from_static(b"hello"), ..Segment::default() });
        let right = u16::from_be_bytes([good[16], good[17]]);
        let mut bad = good.to_vec();
        bad[16..18].copy_from_slice(&(right ^ 1).to_be_bytes());
        let error = Segment::parse(A, B, &bad.into(), 34).unwrap_err();
        assert_eq!((error.field, error.offset), ("Checksum", 50));
        assert_eq!(error.expected, format!("{right:#06x}"));
    }

    #[test]
    fn a_segment_for_another_address_is_noticed() {
        let bytes = emitted(&Segment::default());
        assert!(Segment::parse(A, B, &bytes, 0).is_ok());
        let error = Segment::parse(A, Ipv4Addr::new(10, 0, 0, 3), &bytes, 0).unwrap_err();
        assert_eq!(error.field, "Checksum");
    }

    #[test]
    fn a_data_offset_below_five_is_refused() {
        let mut bytes = [0; 20];
        bytes[12] = 0x40;
        let error = TcpHeader::parse(&mut Reader::new(Layer::Transport, "TCP", &bytes)).unwrap_err();
        assert_eq!((error.field, error.offset), ("Data Offset", 12));
    }

    #[test]
    fn a_header_cut_short_is_incomplete() {
        let bytes = Bytes::from_static(&[0; 19]);
        assert!(Segment::parse(A, B, &bytes, 0).unwrap_err().is_incomplete());
    }

    #[test]
    fn syn_and_fin_take_a_sequence_number_each() {
        let flags = Flags::SYN | Flags::FIN | Flags::ACK;
        let header = TcpHeader { flags, ..TcpHeader::default() };
        assert_eq!(Segment { header, payload: Bytes::from_static(b"abc") }.seq_len(), 5);
        assert_eq!(flags.to_string(), "SYN FIN ACK");
    }

    proptest! {
        #[test]
        fn a_segment_survives_the_wire(segment in any_segment()) {
            let bytes = emitted(&segment);
            prop_assert_eq!(bytes.len(), segment.len());
            prop_assert_eq!(Segment::parse(A, B, &bytes, 0).unwrap(), segment);
        }

        #[test]
        fn the_layout_is_as_wide_as_the_header(segment in any_segment()) {
            let bits: usize = segment.header.layout().iter().map(|field| field.bits).sum();
            prop_assert_eq!(bits, segment.header.header_len() * 8);
            prop_assert!(segment.header.layout().iter().all(|field| field.bits > 0));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let bytes = Bytes::from(bytes);
            let _ = Segment::parse(A, B, &bytes, 0);
            let mut r = Reader::new(Layer::Transport, "TCP", &bytes);
            if TcpHeader::parse(&mut r).is_ok() {
                prop_assert!(r.position() >= MIN_HEADER_LEN && r.position() <= bytes.len());
            }
        }
    }
}

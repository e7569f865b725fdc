//! A segment: a header with its payload, and the checksum over both (RFC 9293 §3.1).

use std::net::IpAddr;

use bytes::{Buf as _, Bytes};

use super::header::{Flags, MIN_HEADER_LEN, PROTOCOL_NUMBER, TcpHeader};
use crate::base::{Header, ParseError, Reader, Writer};
use crate::layers::transport::pseudo_header;

/// A segment: what one TCP hands to the internet layer for another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segment {
    /// The header, with its options.
    pub header: TcpHeader,
    /// The bytes of the stream that it carries.
    pub payload: Bytes,
}

/// The checksum's offset in the header, in bytes.
const CHECKSUM_AT: usize = 16;

impl Segment {
    /// Reads a segment that travelled from `src` to `dst`. The payload refers to `bytes`: nothing is copied.
    ///
    /// `bytes` are all that the internet layer delivered, and begin `base` bytes into the frame.
    ///
    /// # Errors
    /// Incomplete when bytes are missing; malformed when the checksum is wrong or the header breaks a rule. The
    /// checksum is looked at first: of damaged bytes nothing else can be believed.
    pub fn parse(src: IpAddr, dst: IpAddr, bytes: &Bytes, base: usize) -> Result<Self, ParseError> {
        Segment::verify(src, dst, bytes, base)?;
        Segment::parse_intact(bytes.clone(), base)
    }

    /// Whether the checksum is right.
    ///
    /// # Errors
    /// Incomplete when bytes are missing; malformed when it is wrong, or there are more bytes than a packet has.
    pub fn verify(src: IpAddr, dst: IpAddr, bytes: &[u8], base: usize) -> Result<(), ParseError> {
        let r = Reader::new(TcpHeader::LAYER, TcpHeader::PROTOCOL, bytes).starting_at(base);
        if bytes.len() < MIN_HEADER_LEN {
            return Err(r.incomplete("header", MIN_HEADER_LEN));
        }
        if bytes.len() > usize::from(u16::MAX) {
            return Err(r.malformed("length", 0, "at most 65535 bytes", bytes.len().to_string()));
        }
        let mut sum = pseudo_header(src, dst, PROTOCOL_NUMBER, bytes.len());
        sum.add(bytes);
        if sum.finish() == 0 { Ok(()) } else { Err(wrong_checksum(&r, src, dst, bytes)) }
    }

    /// Reads a segment whose checksum is known to be right.
    ///
    /// # Errors
    /// Incomplete when bytes are missing; malformed when the header breaks a rule.
    pub fn parse_intact(mut bytes: Bytes, base: usize) -> Result<Self, ParseError> {
        let mut r = Reader::new(TcpHeader::LAYER, TcpHeader::PROTOCOL, &bytes).starting_at(base);
        let header = TcpHeader::parse(&mut r)?;
        let len = r.position();
        bytes.advance(len);
        Ok(Segment { header, payload: bytes })
    }

    /// Writes header and payload in one pass, then the checksum over both into its place.
    pub fn emit(&self, src: IpAddr, dst: IpAddr, w: &mut Writer) {
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
fn wrong_checksum(r: &Reader<'_>, src: IpAddr, dst: IpAddr, bytes: &[u8]) -> ParseError {
    let mut sum = pseudo_header(src, dst, PROTOCOL_NUMBER, bytes.len());
    sum.add(&bytes[..CHECKSUM_AT]);
    sum.add(&bytes[CHECKSUM_AT + 2..]);
    let got = u16::from_be_bytes([bytes[CHECKSUM_AT], bytes[CHECKSUM_AT + 1]]);
    r.malformed("Checksum", CHECKSUM_AT, format!("{:#06x}", sum.finish()), format!("{got:#06x}"))
}

#[cfg(test)]
mod tests {
    use super::super::options::{Options, tests::any_options};
    use super::super::seq::SeqNumber;
    use super::*;
    use crate::base::Layer;
    use crate::layers::internet::prefix::v4;
    use proptest::prelude::*;

    const A: IpAddr = v4(10, 0, 0, 1);
    const B: IpAddr = v4(10, 0, 0, 2);

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
        assert_eq!(error.expected.to_string(), format!("{right:#06x}"));
    }

    #[test]
    fn a_segment_for_another_address_is_noticed() {
        let bytes = emitted(&Segment::default());
        assert!(Segment::parse(A, B, &bytes, 0).is_ok());
        let error = Segment::parse(A, v4(10, 0, 0, 3), &bytes, 0).unwrap_err();
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

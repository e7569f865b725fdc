//! The WebSocket frame header (RFC 6455 §5.2): layer 7, right above TCP's stream of bytes.
//!
//! TCP keeps the order of bytes but not where a message ends; this header of 2 to 14 bytes puts the boundaries back.
//! Read §5.2 first, then §5.5 for control frames. This file has the rules that a header must keep *on its own*: known
//! opcodes, lengths in their shortest form, control frames short and whole. The rules that need to know the connection
//! (which end must mask, which reserved bits an extension has claimed, what a continuation continues) are kept in
//! `receiver.rs` and `message.rs`.

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};

/// The header of one frame.
///
/// ```text
///     0               1               2               3
///     7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0
///    +-+-+-+-+-------+-+-------------+-------------------------------+
///    |F|R|R|R| opcode|M| payload len |   extended payload length     |
///    |I|S|S|S|       |A|             |   absent below 126,           |
///    |N|V|V|V|       |S|  0 to 125,  |   16 bits when the 7 bits     |
///    | |1|2|3|       |K|  126 or 127 |   say 126, 64 when 127        |
///    +-+-+-+-+-------+-+-------------+-------------------------------+
///    |   masking key: 32 bits, present when MASK is set              |
///    +---------------------------------------------------------------+
/// ```
///
/// [`emit`](Header::emit) writes the fields as they are, in the shortest form. What [`parse`](Header::parse) would
/// refuse (a control frame of more than 125 bytes, a length of 2^63 or more) is the caller's to avoid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// This is the last fragment of its message.
    pub fin: bool,
    /// Reserved for extensions: permessage-deflate marks compressed messages with it (RFC 7692 §6).
    pub rsv1: bool,
    /// Reserved for extensions; permessage-deflate uses RSV1 only.
    pub rsv2: bool,
    /// Reserved for extensions, like RSV2.
    pub rsv3: bool,
    /// What the payload is.
    pub opcode: Opcode,
    /// The key the payload is masked with (§5.3): present in every frame of a client, in none of a server.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload after this header.
    pub payload_len: u64,
}

/// What the payload of a frame is (§5.2, §11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next fragment of a message that has begun.
    Continuation,
    /// The first fragment of a message of UTF-8 text.
    Text,
    /// The first fragment of a message of bytes.
    Binary,
    /// The end, with an optional code and reason.
    Close,
    /// A question: are you there?
    Ping,
    /// The answer to a ping, or unasked a sign of life.
    Pong,
}

impl Opcode {
    /// Every opcode RFC 6455 defines; the other ten numbers are reserved.
    pub const ALL: [Opcode; 6] =
        [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Close, Opcode::Ping, Opcode::Pong];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xa,
        }
    }

    /// The opcode with this number, if it has been given a meaning.
    pub const fn from_number(number: u8) -> Option<Opcode> {
        Some(match number {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            _ => return None,
        })
    }

    /// Control frames are about the connection and may come between the fragments of a message (§5.5).
    pub const fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// The most payload a control frame may carry (§5.5), which is also the most the short form of the length can say.
pub const MAX_CONTROL_PAYLOAD: usize = 125;

impl FrameHeader {
    /// No header is longer: 2 bytes, 8 of extended length and 4 of masking key.
    pub const MAX_LEN: usize = 14;

    /// An unmasked header without reserved bits, for a whole message or a control frame.
    pub const fn new(opcode: Opcode, payload_len: u64) -> Self {
        FrameHeader { fin: true, rsv1: false, rsv2: false, rsv3: false, opcode, mask: None, payload_len }
    }

    /// The header as bytes, and how many of these there are.
    pub(super) fn encode(&self) -> ([u8; Self::MAX_LEN], usize) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut bytes = [0; Self::MAX_LEN];
        bytes[0] = bit(self.fin, 0x80)
            | bit(self.rsv1, 0x40)
            | bit(self.rsv2, 0x20)
            | bit(self.rsv3, 0x10)
            | self.opcode.number();
        let masked = bit(self.mask.is_some(), 0x80);
        let mut len = match self.extended_bits() {
            0 => {
                bytes[1] = masked | self.payload_len as u8;
                2
            }
            16 => {
                bytes[1] = masked | 126;
                bytes[2..4].copy_from_slice(&(self.payload_len as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = masked | 127;
                bytes[2..10].copy_from_slice(&self.payload_len.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.mask {
            bytes[len..len + 4].copy_from_slice(&key);
            len += 4;
        }
        (bytes, len)
    }

    /// How many bytes a frame that begins with these has, if its header is whole. Nothing is checked: it may be a
    /// frame that breaks a rule.
    pub(super) fn frame_len(bytes: &[u8]) -> Option<u64> {
        let second = *bytes.get(1)?;
        let mask = if second & 0x80 != 0 { 4 } else { 0 };
        Some(match second & 0x7f {
            126 => 4 + mask + u64::from(u16::from_be_bytes(*bytes.get(2..4)?.first_chunk()?)),
            127 => u64::from_be_bytes(*bytes.get(2..10)?.first_chunk()?).saturating_add(10 + mask),
            short => 2 + mask + u64::from(short),
        })
    }

    /// Width in bits of the extended payload length: 0, 16 or 64.
    const fn extended_bits(&self) -> usize {
        match self.payload_len {
            0..=125 => 0,
            126..=0xffff => 16,
            _ => 64,
        }
    }
}

const FIN: Field = Field::new("FIN", 1, Show::Dec, "RFC 6455 §5.2");
const RSV1: Field = Field::new("RSV1", 1, Show::Dec, "RFC 6455 §5.2");
const RSV2: Field = Field::new("RSV2", 1, Show::Dec, "RFC 6455 §5.2");
const RSV3: Field = Field::new("RSV3", 1, Show::Dec, "RFC 6455 §5.2");
const OPCODE: Field = Field::new("opcode", 4, Show::Names(OPCODE_NAMES), "RFC 6455 §5.2");
const MASK: Field = Field::new("MASK", 1, Show::Dec, "RFC 6455 §5.2");
const PAYLOAD_LEN: Field = Field::new("payload length", 7, Show::Names(LENGTH_NAMES), "RFC 6455 §5.2");
const EXTENDED_LEN: Field = Field::new("extended payload length", 0, Show::Dec, "RFC 6455 §5.2");
const MASKING_KEY: Field = Field::new("masking key", 0, Show::Hex, "RFC 6455 §5.3");

const OPCODE_NAMES: &[(u64, &str)] =
    &[(0, "continuation"), (1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")];
const LENGTH_NAMES: &[(u64, &str)] = &[(126, "16 bits follow"), (127, "64 bits follow")];

impl Header for FrameHeader {
    const PROTOCOL: &'static str = "WebSocket";
    const LAYER: Layer = Layer::Application;
    const FIELDS: &'static [Field] =
        &[FIN, RSV1, RSV2, RSV3, OPCODE, MASK, PAYLOAD_LEN, EXTENDED_LEN, MASKING_KEY];

    /// Each rule is checked as soon as the byte that breaks it is there, so that an error is reported before the rest
    /// of the header has come.
    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let start = r.position();
        let first = r.u8("FIN, RSV, opcode")?;
        let fin = first & 0x80 != 0;
        let opcode = Opcode::from_number(first & 0x0f).ok_or_else(|| {
            r.malformed(
                OPCODE.name,
                start,
                "a defined opcode: 0, 1, 2, 8, 9 or 10 (RFC 6455 §5.2)",
                format!("{}", first & 0x0f),
            )
        })?;
        if opcode.is_control() && !fin {
            return Err(r.malformed(
                FIN.name,
                start,
                "1: control frames are never fragmented (RFC 6455 §5.5)",
                "0",
            ));
        }

        let second = r.u8("MASK, payload length")?;
        let short = second & 0x7f;
        if opcode.is_control() && usize::from(short) > MAX_CONTROL_PAYLOAD {
            return Err(r.malformed(
                PAYLOAD_LEN.name,
                start + 1,
                "at most 125 in a control frame (RFC 6455 §5.5)",
                format!("{short}"),
            ));
        }
        let payload_len = match short {
            126 => u64::from(r.u16(EXTENDED_LEN.name)?),
            127 => r.u64(EXTENDED_LEN.name)?,
            _ => u64::from(short),
        };
        if payload_len >> 63 == 1 {
            return Err(r.malformed(
                EXTENDED_LEN.name,
                start + 2,
                "a most significant bit of 0 (RFC 6455 §5.2)",
                format!("{payload_len:#x}"),
            ));
        }
        let header = FrameHeader {
            fin,
            rsv1: first & 0x40 != 0,
            rsv2: first & 0x20 != 0,
            rsv3: first & 0x10 != 0,
            opcode,
            mask: None,
            payload_len,
        };
        // A length may not be padded: the form must be the one that we would have chosen.
        let bits = match short {
            126 => 16,
            127 => 64,
            _ => 0,
        };
        if bits != header.extended_bits() {
            return Err(r.malformed(
                EXTENDED_LEN.name,
                start + 2,
                "the shortest form of the length (RFC 6455 §5.2)",
                format!("{payload_len} in {bits} bits"),
            ));
        }
        let mask = if second & 0x80 != 0 { Some(r.array(MASKING_KEY.name)?) } else { None };
        Ok(FrameHeader { mask, ..header })
    }

    fn emit(&self, w: &mut Writer) {
        let (bytes, len) = self.encode();
        w.bytes(&bytes[..len]);
    }

    fn layout(&self) -> Vec<Field> {
        let mut fields = vec![FIN, RSV1, RSV2, RSV3, OPCODE, MASK, PAYLOAD_LEN];
        if self.extended_bits() > 0 {
            fields.push(EXTENDED_LEN.with_bits(self.extended_bits()));
        }
        if self.mask.is_some() {
            fields.push(MASKING_KEY.with_bits(32));
        }
        fields
    }

    /// The same as the widths of [`layout`](Header::layout) added up, without making a list of them.
    fn header_len(&self) -> usize {
        2 + self.extended_bits() / 8 + if self.mask.is_some() { 4 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<FrameHeader, ParseError> {
        FrameHeader::parse(&mut Reader::new(Layer::Application, "WebSocket", bytes))
    }

    fn emit(header: &FrameHeader) -> Vec<u8> {
        let mut w = Writer::new();
        header.emit(&mut w);
        w.finish().to_vec()
    }

    #[test]
    fn the_frames_of_section_5_7_read_as_the_rfc_says() {
        // A single-frame unmasked text message.
        assert_eq!(parse(&[0x81, 0x05]).unwrap(), FrameHeader::new(Opcode::Text, 5));
        // A single-frame masked text message.
        let masked = parse(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d]).unwrap();
        assert_eq!(masked.mask, Some([0x37, 0xfa, 0x21, 0x3d]));
        // The two fragments of an unmasked text message.
        assert_eq!(
            parse(&[0x01, 0x03]).unwrap(),
            FrameHeader { fin: false, ..FrameHeader::new(Opcode::Text, 3) }
        );
        assert_eq!(parse(&[0x80, 0x02]).unwrap(), FrameHeader::new(Opcode::Continuation, 2));
        // Unmasked ping and masked pong.
        assert_eq!(parse(&[0x89, 0x05]).unwrap(), FrameHeader::new(Opcode::Ping, 5));
        assert_eq!(parse(&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d]).unwrap().opcode, Opcode::Pong);
        // 256 bytes and 64 KiB of binary.
        assert_eq!(parse(&[0x82, 0x7e, 0x01, 0x00]).unwrap(), FrameHeader::new(Opcode::Binary, 256));
        let large = [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0];
        assert_eq!(parse(&large).unwrap(), FrameHeader::new(Opcode::Binary, 65_536));
    }

    #[test]
    fn reserved_opcodes_are_refused_at_the_first_byte() {
        for number in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
            let error = parse(&[0x80 | number]).unwrap_err();
            assert!(!error.is_incomplete());
            assert_eq!((error.field, error.offset), ("opcode", 0));
        }
    }

    #[test]
    fn control_frames_must_be_whole_and_short() {
        for number in [8, 9, 10] {
            assert_eq!(parse(&[number]).unwrap_err().field, "FIN");
            assert_eq!(parse(&[0x80 | number, 126]).unwrap_err().field, "payload length");
            assert_eq!(parse(&[0x80 | number, 127]).unwrap_err().field, "payload length");
            assert_eq!(parse(&[0x80 | number, 125]).unwrap().payload_len, 125);
        }
    }

    #[test]
    fn lengths_must_be_in_their_shortest_form() {
        assert_eq!(parse(&[0x82, 126, 0, 126]).unwrap().payload_len, 126);
        assert_eq!(parse(&[0x82, 126, 0, 125]).unwrap_err().field, "extended payload length");
        let in_64_bits = |n: u64| parse(&[&[0x82, 127][..], &n.to_be_bytes()].concat());
        assert_eq!(in_64_bits(65_536).unwrap().payload_len, 65_536);
        assert!(in_64_bits(65_535).unwrap_err().got.to_string().contains("64 bits"));
        assert!(in_64_bits(0).is_err());
    }

    #[test]
    fn the_top_bit_of_a_64_bit_length_must_be_zero() {
        let with_top = |n: u64| parse(&[&[0x82, 127][..], &n.to_be_bytes()].concat());
        assert_eq!(with_top(u64::MAX >> 1).unwrap().payload_len, u64::MAX >> 1);
        let error = with_top(1 << 63).unwrap_err();
        assert!(error.expected.to_string().contains("most significant bit"));
        assert_eq!(error.offset, 2);
    }

    #[test]
    fn every_prefix_of_a_header_is_incomplete_and_the_reader_stops_before_the_payload() {
        let header = FrameHeader { mask: Some([1, 2, 3, 4]), ..FrameHeader::new(Opcode::Binary, 70_000) };
        let mut bytes = emit(&header);
        assert_eq!(bytes.len(), FrameHeader::MAX_LEN);
        for n in 0..bytes.len() {
            assert!(parse(&bytes[..n]).unwrap_err().is_incomplete(), "{n} bytes");
        }
        bytes.extend([9; 5]);
        let mut r = Reader::new(Layer::Application, "WebSocket", &bytes);
        assert_eq!(FrameHeader::parse(&mut r).unwrap(), header);
        assert_eq!(r.remaining(), 5);
    }

    #[test]
    fn every_field_of_the_table_shows_its_value() {
        let header = FrameHeader { mask: Some([0xa1, 2, 3, 4]), ..FrameHeader::new(Opcode::Text, 300) };
        let bytes = emit(&header);
        let mut at = 0;
        let texts: Vec<String> = header
            .layout()
            .iter()
            .map(|field| {
                at += field.bits;
                format!("{} {}", field.name, field.text(&bytes, at - field.bits))
            })
            .collect();
        let shown = [
            "FIN 1",
            "RSV1 0",
            "RSV2 0",
            "RSV3 0",
            "opcode 1 (text)",
            "MASK 1",
            "payload length 126 (16 bits follow)",
            "extended payload length 300",
            "masking key 0xa1020304",
        ];
        assert_eq!(texts, shown);
    }

    /// Any header that keeps the rules, with lengths around the borders of the three forms.
    fn any_header() -> impl Strategy<Value = FrameHeader> {
        let opcode = proptest::sample::select(Opcode::ALL.to_vec());
        let len = prop_oneof![0..300u64, 65_500..65_600u64, 0..=u64::MAX >> 1];
        (any::<[bool; 4]>(), opcode, any::<Option<[u8; 4]>>(), len).prop_map(|(bits, opcode, mask, len)| {
            let [fin, rsv1, rsv2, rsv3] = bits;
            let control = opcode.is_control();
            let payload_len = if control { len % 126 } else { len };
            FrameHeader { fin: fin || control, rsv1, rsv2, rsv3, opcode, mask, payload_len }
        })
    }

    proptest! {
        #[test]
        fn what_was_emitted_is_parsed_again(header in any_header()) {
            let bytes = emit(&header);
            prop_assert_eq!(parse(&bytes).unwrap(), header);
            prop_assert_eq!(bytes.len(), header.header_len());
            prop_assert_eq!(FrameHeader::frame_len(&bytes), Some(bytes.len() as u64 + header.payload_len));
            prop_assert_eq!(bytes.len() * 8, header.layout().iter().map(|f| f.bits).sum::<usize>());
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused_and_read_ones_are_written_alike(bytes in any::<Vec<u8>>()) {
            if let Ok(header) = parse(&bytes) {
                let emitted = emit(&header);
                prop_assert_eq!(&bytes[..emitted.len()], &emitted[..]);
            }
        }
    }
}

//! The headers between IPv6's own and the one above: what few packets need (RFC 8200 §4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! |  next header  | length: words |   options, or routing: type,  |
//! |               | of 8, less 1  |   segments left, addresses ...|
//! +---------------+---------------+-------------------------------+
//!
//! +---------------+---------------+-------------------------+---+-+
//! |  next header  |   reserved    |     fragment offset     |Res|M|
//! +---------------+---------------+-------------------------+---+-+
//! |                        identification                         |
//! +---------------------------------------------------------------+
//! ```
//!
//! Each says what follows it, so that they form a chain. Only hop-by-hop options are looked at on the way. Authentication
//! counts its length in words of 4, less 2, since it came from IPv4 (RFC 4302 §2.2).

use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::internet::ipv6::{NEXT_HEADERS, next_header};

/// A header of options (hop-by-hop, destination), or of another kind that has their form: mobility, and those to come
/// (RFC 6564 §4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OptionsHeader {
    /// What follows.
    pub next_header: u8,
    /// The options: 6 bytes, or 8 more for each step of the length.
    pub options: Vec<u8>,
}

impl OptionsHeader {
    /// The most bytes of options: the length is 8 bits.
    pub const MAX_OPTIONS: usize = 256 * 8 - 2;

    /// Bytes of options that a header really has when it is to carry `n`.
    fn room(n: usize) -> usize {
        (n.min(Self::MAX_OPTIONS) + 2).next_multiple_of(8) - 2
    }

    /// The payload length of a jumbogram, when it has that option (RFC 2675 §2).
    pub fn jumbo_payload(&self) -> Option<u32> {
        let mut rest = &self.options[..];
        while let [kind, tail @ ..] = rest {
            // Pad1 has no length (RFC 8200 §4.2).
            if *kind == 0 {
                rest = tail;
                continue;
            }
            let (len, data) = tail.split_first()?;
            let (value, behind) = data.split_at_checked(usize::from(*len))?;
            if *kind == 0xc2 {
                return value.try_into().ok().map(u32::from_be_bytes);
            }
            rest = behind;
        }
        None
    }
}

impl Header for OptionsHeader {
    const PROTOCOL: &'static str = "IPv6 options";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("next header", 8, Show::Names(NEXT_HEADERS), "RFC 8200 §4.2"),
        Field::new("length", 8, Show::Dec, "RFC 8200 §4.3"),
        Field::new("options", 0, Show::Bytes, "RFC 8200 §4.2"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [next_header, len] = r.array("header")?;
        let options = r.take(usize::from(len) * 8 + 6, "options")?.to_vec();
        Ok(OptionsHeader { next_header, options })
    }

    /// Options that end inside a word of 8 bytes are filled up with Pad1.
    fn emit(&self, w: &mut Writer) {
        let room = Self::room(self.options.len());
        w.u8(self.next_header);
        w.u8(((room + 2) / 8 - 1) as u8);
        let options = &self.options[..self.options.len().min(room)];
        w.bytes(options);
        w.zeros(room - options.len());
    }

    fn layout(&self) -> Vec<Field> {
        let [next, len, options] = [Self::FIELDS[0], Self::FIELDS[1], Self::FIELDS[2]];
        vec![next, len, options.with_bits(Self::room(self.options.len()) * 8)]
    }
}

/// Which routers to pass by (RFC 8200 §4.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoutingHeader {
    /// What follows.
    pub next_header: u8,
    /// Its type: 2 for mobility, 4 for segments (RFC 8754). Type 0 is forbidden (RFC 5095).
    pub kind: u8,
    /// How many are still to be passed.
    pub segments_left: u8,
    /// What the type makes of it: 4 bytes, or 8 more for each step of the length.
    pub data: Vec<u8>,
}

impl Header for RoutingHeader {
    const PROTOCOL: &'static str = "IPv6 routing";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("next header", 8, Show::Names(NEXT_HEADERS), "RFC 8200 §4.4"),
        Field::new("length", 8, Show::Dec, "RFC 8200 §4.4"),
        Field::new("routing type", 8, Show::Dec, "RFC 8200 §4.4"),
        Field::new("segments left", 8, Show::Dec, "RFC 8200 §4.4"),
        Field::new("type-specific data", 0, Show::Bytes, "RFC 8200 §4.4"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [next_header, len, kind, segments_left] = r.array("header")?;
        let data = r.take(usize::from(len) * 8 + 4, "type-specific data")?.to_vec();
        Ok(RoutingHeader { next_header, kind, segments_left, data })
    }

    fn emit(&self, w: &mut Writer) {
        let room = self.room();
        w.u8(self.next_header);
        w.u8(((room + 4) / 8 - 1) as u8);
        w.u8(self.kind);
        w.u8(self.segments_left);
        let data = &self.data[..self.data.len().min(room)];
        w.bytes(data);
        w.zeros(room - data.len());
    }

    fn layout(&self) -> Vec<Field> {
        let mut fields = Self::FIELDS.to_vec();
        if let Some(data) = fields.last_mut() {
            *data = data.with_bits(self.room() * 8);
        }
        fields
    }
}

impl RoutingHeader {
    fn room(&self) -> usize {
        (self.data.len().min(256 * 8 - 4) + 4).next_multiple_of(8) - 4
    }
}

/// A piece of a packet: only the sender cuts, no router does (RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FragmentHeader {
    /// What follows, in the first piece; in the others, what the whole begins with.
    pub next_header: u8,
    /// Where this piece belongs, in units of 8 bytes: 13 bits.
    pub offset: u16,
    /// Whether pieces follow it.
    pub more: bool,
    /// Which pieces belong together.
    pub identification: u32,
}

impl FragmentHeader {
    /// Where this piece belongs, in bytes.
    pub fn start(&self) -> usize {
        usize::from(self.offset) * 8
    }

    /// False for a packet in one piece that has the header all the same (RFC 6946).
    pub fn is_fragment(&self) -> bool {
        self.more || self.offset > 0
    }
}

impl Header for FragmentHeader {
    const PROTOCOL: &'static str = "IPv6 fragment";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("next header", 8, Show::Names(NEXT_HEADERS), "RFC 8200 §4.5"),
        Field::new("reserved", 8, Show::Hex, "RFC 8200 §4.5"),
        Field::new("fragment offset", 13, Show::Dec, "RFC 8200 §4.5"),
        Field::new("Res", 2, Show::Dec, "RFC 8200 §4.5"),
        Field::new("M", 1, Show::Dec, "RFC 8200 §4.5"),
        Field::new("identification", 32, Show::Hex, "RFC 8200 §4.5"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let [next_header, _, high, low] = r.array("header")?;
        let place = u16::from_be_bytes([high, low]);
        let identification = r.u32("identification")?;
        Ok(FragmentHeader { next_header, offset: place >> 3, more: place & 1 == 1, identification })
    }

    fn emit(&self, w: &mut Writer) {
        w.u8(self.next_header);
        w.u8(0);
        w.u16(self.offset << 3 | u16::from(self.more));
        w.u32(self.identification);
    }
}

/// Proof of who sent the packet (RFC 4302 §2). What is behind it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthenticationHeader {
    /// What follows.
    pub next_header: u8,
    /// Which agreement between the ends it belongs to.
    pub parameters: u32,
    /// Counts the packets.
    pub sequence: u32,
    /// The proof: a multiple of 4 bytes.
    pub check_value: Vec<u8>,
}

impl Header for AuthenticationHeader {
    const PROTOCOL: &'static str = "authentication";
    const LAYER: Layer = Layer::Internet;
    const FIELDS: &'static [Field] = &[
        Field::new("next header", 8, Show::Names(NEXT_HEADERS), "RFC 4302 §2.1"),
        Field::new("length", 8, Show::Dec, "RFC 4302 §2.2"),
        Field::new("reserved", 16, Show::Hex, "RFC 4302 §2.3"),
        Field::new("SPI", 32, Show::Hex, "RFC 4302 §2.4"),
        Field::new("sequence number", 32, Show::Dec, "RFC 4302 §2.5"),
        Field::new("integrity check value", 0, Show::Bytes, "RFC 4302 §2.6"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let [next_header, len, _, _] = r.array("header")?;
        let parameters = r.u32("SPI")?;
        let sequence = r.u32("sequence number")?;
        let Some(words) = len.checked_sub(1) else {
            return Err(r.malformed("length", at + 1, "1 or more words", len.to_string()));
        };
        let check_value = r.take(usize::from(words) * 4, "integrity check value")?.to_vec();
        Ok(AuthenticationHeader { next_header, parameters, sequence, check_value })
    }

    fn emit(&self, w: &mut Writer) {
        let words = self.words();
        w.u8(self.next_header);
        w.u8((words + 1) as u8);
        w.u16(0);
        w.u32(self.parameters);
        w.u32(self.sequence);
        let value = &self.check_value[..self.check_value.len().min(words * 4)];
        w.bytes(value);
        w.zeros(words * 4 - value.len());
    }

    fn layout(&self) -> Vec<Field> {
        let bits = self.words() * 32;
        let fixed = Self::FIELDS.iter().filter(|field| field.bits > 0).copied();
        fixed.chain(Self::FIELDS.last().filter(|_| bits > 0).map(|field| field.with_bits(bits))).collect()
    }
}

impl AuthenticationHeader {
    fn words(&self) -> usize {
        self.check_value.len().div_ceil(4).min(254)
    }
}

/// Whether an extension header of this number has the form of [`OptionsHeader`], and what it is called.
pub fn options_name(number: u8) -> Option<&'static str> {
    Some(match number {
        next_header::HOP_BY_HOP => "IPv6 hop-by-hop options",
        next_header::DESTINATION => "IPv6 destination options",
        135 => "IPv6 mobility",
        139 => "HIP",
        140 => "IPv6 shim6",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<H: Header>(bytes: &[u8]) -> Result<H, ParseError> {
        H::parse(&mut Reader::new(Layer::Internet, H::PROTOCOL, bytes))
    }

    fn written(header: &impl Header) -> Vec<u8> {
        let mut w = Writer::new();
        header.emit(&mut w);
        assert_eq!(w.len(), header.header_len());
        w.finish().to_vec()
    }

    #[test]
    fn a_jumbogram_says_its_length_in_an_option() {
        // PadN with no data, then the jumbo payload option.
        let header: OptionsHeader = read(&[6, 1, 1, 0, 0, 0, 0xc2, 4, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!(header.jumbo_payload(), Some(65_536));
        assert_eq!(OptionsHeader { next_header: 6, options: vec![5, 200] }.jumbo_payload(), None);
    }

    #[test]
    fn a_fragment_says_its_place_in_bytes() {
        let header: FragmentHeader = read(&[17, 0, 0x05, 0xa9, 0, 0, 0, 7]).unwrap();
        assert_eq!((header.start(), header.more, header.identification), (1448, true, 7));
    }

    #[test]
    fn an_extension_that_is_cut_off_is_incomplete() {
        assert!(read::<OptionsHeader>(&[6, 1, 0, 0, 0, 0, 0, 0]).unwrap_err().is_incomplete());
        assert!(read::<RoutingHeader>(&[6, 2, 4, 0]).unwrap_err().is_incomplete());
        assert_eq!(
            read::<AuthenticationHeader>(&[6, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]).unwrap_err().field,
            "length"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_written_is_read_back(
            next_header: u8, words in 0usize..256, numbers: (u8, u8, u32, u32), offset in 0u16..1 << 13, more: bool, fill: u8,
        ) {
            let (kind, segments_left, parameters, sequence) = numbers;
            let options = OptionsHeader { next_header, options: vec![fill; words * 8 + 6] };
            prop_assert_eq!(&read::<OptionsHeader>(&written(&options)).unwrap(), &options);
            let routing = RoutingHeader { next_header, kind, segments_left, data: vec![fill; words * 8 + 4] };
            prop_assert_eq!(&read::<RoutingHeader>(&written(&routing)).unwrap(), &routing);
            let fragment = FragmentHeader { next_header, offset, more, identification: parameters };
            prop_assert_eq!(read::<FragmentHeader>(&written(&fragment)).unwrap(), fragment);
            let check_value = vec![fill; words.min(254) * 4];
            let proof = AuthenticationHeader { next_header, parameters, sequence, check_value };
            prop_assert_eq!(&read::<AuthenticationHeader>(&written(&proof)).unwrap(), &proof);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(header) = read::<OptionsHeader>(&bytes) {
                prop_assert!(header.header_len() <= bytes.len());
                let _ = header.jumbo_payload();
            }
            let _ = (read::<RoutingHeader>(&bytes), read::<FragmentHeader>(&bytes), read::<AuthenticationHeader>(&bytes));
        }
    }
}

//! TCP's options: what two ends tell each other beside the fixed header (RFC 9293 §3.2).
//!
//! Our connection uses the maximum segment size (RFC 9293 §3.7.1), window scale (RFC 7323 §2) and, where they are
//! switched on, selective acknowledgments (RFC 2018) and timestamps (RFC 7323 §3). Any other option is kept by its kind
//! and length, as RFC 9293 §3.1 (MUST-6) asks: an unknown option must not hurt.

use std::fmt;

use super::seq::SeqNumber;
use crate::base::{Layer, ParseError, Reader, Writer};

/// All options of one header, in the order of the wire.
///
/// At most [`Options::MAX_LEN`] bytes: the data offset has no room for more. A header without options, which is
/// nearly every one, costs no allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options(Vec<TcpOption>);

/// One option, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpOption {
    /// Kind 1, one byte that says nothing: it puts the next option on a word boundary.
    NoOperation,
    /// Kind 2, in a SYN only: the largest payload in bytes that the sender of this option can take in.
    MaximumSegmentSize(u16),
    /// Kind 3, in a SYN only: by how many bits the sender of this option will shift its window (RFC 7323 §2.2).
    WindowScale(u8),
    /// Kind 4, in a SYN only: selective acknowledgments would be understood (RFC 2018 §2).
    SackPermitted,
    /// Kind 5: blocks that have arrived beyond the acknowledgment, each from its first number up to the one after its
    /// last (RFC 2018 §3). At most four fit.
    Sack(Vec<(SeqNumber, SeqNumber)>),
    /// Kind 8: the sender's clock, and the peer's clock as last received (RFC 7323 §3.2).
    Timestamps {
        /// TSval: the sender's clock.
        value: u32,
        /// TSecr: the peer's clock, as last received.
        echo: u32,
    },
    /// Any other, kept as it came.
    Unknown {
        /// Its number in IANA's registry.
        kind: u8,
        /// The bytes after its length byte.
        data: Vec<u8>,
    },
}

/// The kinds known here. The first two are the only ones without a length byte.
const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
/// Bytes of a block: two numbers.
const BLOCK: usize = 8;
const TIMESTAMPS: u8 = 8;

/// The name under which errors and the field table speak of options.
pub(super) const FIELD: &str = "Options";

impl Options {
    /// The largest data offset is 15 words, of which the fixed header takes 5.
    pub const MAX_LEN: usize = 40;

    /// No options.
    pub const fn none() -> Self {
        Options(Vec::new())
    }

    /// Adds an option at the end. False, and nothing is added, when the header has no room for it or when it is an
    /// [`Unknown`](TcpOption::Unknown) of a kind that is known.
    pub fn push(&mut self, option: TcpOption) -> bool {
        let honest = match &option {
            TcpOption::Unknown { kind, .. } => {
                !matches!(*kind, END | NOP | MSS | SCALE | SACK_PERMITTED | SACK | TIMESTAMPS)
            }
            _ => true,
        };
        let fits = self.unpadded_len() + option.len() <= Self::MAX_LEN;
        if honest && fits {
            self.0.push(option);
        }
        honest && fits
    }

    /// The options in the order of the wire.
    pub fn iter(&self) -> std::slice::Iter<'_, TcpOption> {
        self.0.iter()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The maximum segment size, if it was said.
    pub fn mss(&self) -> Option<u16> {
        self.iter().find_map(|option| match option {
            TcpOption::MaximumSegmentSize(mss) => Some(*mss),
            _ => None,
        })
    }

    /// The window scale, if it was said. More than 14 counts as 14 (RFC 7323 §2.3).
    pub fn window_scale(&self) -> Option<u8> {
        self.iter().find_map(|option| match option {
            TcpOption::WindowScale(shift) => Some((*shift).min(14)),
            _ => None,
        })
    }

    /// Whether selective acknowledgments would be understood.
    pub fn sack_permitted(&self) -> bool {
        self.iter().any(|option| *option == TcpOption::SackPermitted)
    }

    /// TSval and TSecr, if they are there.
    pub fn timestamps(&self) -> Option<(u32, u32)> {
        self.iter().find_map(|option| match option {
            TcpOption::Timestamps { value, echo } => Some((*value, *echo)),
            _ => None,
        })
    }

    /// The blocks that are acknowledged selectively.
    pub fn sack(&self) -> &[(SeqNumber, SeqNumber)] {
        let blocks = self.iter().find_map(|option| match option {
            TcpOption::Sack(blocks) => Some(blocks.as_slice()),
            _ => None,
        });
        blocks.unwrap_or_default()
    }

    /// Bytes on the wire, padded to whole 32-bit words.
    pub fn len(&self) -> usize {
        self.unpadded_len().next_multiple_of(4)
    }

    fn unpadded_len(&self) -> usize {
        self.iter().map(TcpOption::len).sum()
    }

    /// Reads options until `r` is empty or the list ends. `r` holds the options and nothing else.
    ///
    /// # Errors
    /// Malformed when an option's length is less than 2, or reaches past the header, or is not that of its kind.
    /// RFC 9293 §3.1 (MUST-7) wants such a length to do no harm, and suggests a reset. We drop the segment instead:
    /// a forger should not be able to end a connection with it.
    pub(super) fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let mut options = Options::none();
        while r.remaining() > 0 {
            match r.u8(FIELD)? {
                // What follows the end is padding, whose content is ignored.
                END => break,
                NOP => options.0.push(TcpOption::NoOperation),
                kind => options.0.push(TcpOption::parse(kind, r)?),
            }
        }
        Ok(options)
    }

    /// Writes all options, then zeros up to the next whole word: each of them an end of the list.
    pub(super) fn emit(&self, w: &mut Writer) {
        for option in self {
            option.emit(w);
        }
        w.zeros(self.len() - self.unpadded_len());
    }
}

/// Options as a header box has them: `mss=1460 nop wscale=7`. `None` when they cannot be read.
pub(super) fn words(bytes: &[u8]) -> Option<String> {
    let options = Options::parse(&mut Reader::new(Layer::Transport, "TCP", bytes)).ok()?;
    let words: Vec<String> = options.iter().map(TcpOption::to_string).collect();
    Some(words.join(" "))
}

impl fmt::Display for TcpOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TcpOption::NoOperation => f.write_str("nop"),
            TcpOption::MaximumSegmentSize(mss) => write!(f, "mss={mss}"),
            TcpOption::WindowScale(shift) => write!(f, "wscale={shift}"),
            TcpOption::SackPermitted => f.write_str("sackOK"),
            TcpOption::Sack(blocks) => {
                let blocks: Vec<String> =
                    blocks.iter().map(|(start, end)| format!("{}-{}", start.0, end.0)).collect();
                write!(f, "sack={}", blocks.join(","))
            }
            TcpOption::Timestamps { value, echo } => write!(f, "ts={value}/{echo}"),
            TcpOption::Unknown { kind, data } => write!(f, "kind{kind}[{}]", data.len()),
        }
    }
}

impl TcpOption {
    /// Bytes on the wire.
    fn len(&self) -> usize {
        match self {
            TcpOption::NoOperation => 1,
            TcpOption::MaximumSegmentSize(_) => 4,
            TcpOption::WindowScale(_) => 3,
            TcpOption::SackPermitted => 2,
            TcpOption::Sack(blocks) => 2 + BLOCK * blocks.len(),
            TcpOption::Timestamps { .. } => 10,
            TcpOption::Unknown { data, .. } => 2 + data.len(),
        }
    }

    /// Reads what follows the kind: a length, which counts kind and length too, and the data.
    fn parse(kind: u8, r: &mut Reader<'_>) -> Result<TcpOption, ParseError> {
        let at = r.position() - 1;
        let room = r.remaining() + 1;
        let wrong = |r: &Reader<'_>, expected: String, got: String| r.malformed(FIELD, at, expected, got);
        if room < 2 {
            return Err(wrong(
                r,
                format!("a length after option kind {kind}"),
                "the end of the header".into(),
            ));
        }
        let len = usize::from(r.u8(FIELD)?);
        if len < 2 || len > room {
            let expected = format!("a length of 2 to {room} in option kind {kind}");
            return Err(wrong(r, expected, len.to_string()));
        }
        let data = r.take(len - 2, FIELD)?;
        let exact = match kind {
            MSS => 4,
            SCALE => 3,
            SACK_PERMITTED => 2,
            // One block at least, and no half ones.
            SACK => 2 + (data.len() / BLOCK).max(1) * BLOCK,
            TIMESTAMPS => 10,
            _ => len,
        };
        if len != exact {
            return Err(wrong(r, format!("length {exact} in option kind {kind}"), len.to_string()));
        }
        Ok(match (kind, data) {
            (MSS, &[a, b]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([a, b])),
            (SCALE, &[shift]) => TcpOption::WindowScale(shift),
            (SACK_PERMITTED, _) => TcpOption::SackPermitted,
            (SACK, blocks) => TcpOption::Sack(blocks.chunks_exact(BLOCK).map(block).collect()),
            (TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => TcpOption::Timestamps {
                value: u32::from_be_bytes([a, b, c, d]),
                echo: u32::from_be_bytes([e, f, g, h]),
            },
            _ => TcpOption::Unknown { kind, data: data.to_vec() },
        })
    }

    fn emit(&self, w: &mut Writer) {
        // Every option that fits into a header is far shorter than 256 bytes.
        let len = self.len() as u8;
        match self {
            TcpOption::NoOperation => w.u8(NOP),
            TcpOption::MaximumSegmentSize(mss) => {
                w.bytes(&[MSS, len]);
                w.u16(*mss);
            }
            TcpOption::WindowScale(shift) => w.bytes(&[SCALE, len, *shift]),
            TcpOption::SackPermitted => w.bytes(&[SACK_PERMITTED, len]),
            TcpOption::Sack(blocks) => {
                w.bytes(&[SACK, len]);
                for (start, end) in blocks {
                    w.u32(start.0);
                    w.u32(end.0);
                }
            }
            TcpOption::Timestamps { value, echo } => {
                w.bytes(&[TIMESTAMPS, len]);
                w.u32(*value);
                w.u32(*echo);
            }
            TcpOption::Unknown { kind, data } => {
                w.bytes(&[*kind, len]);
                w.bytes(data);
            }
        }
    }
}

/// A block of eight bytes.
fn block(bytes: &[u8]) -> (SeqNumber, SeqNumber) {
    let number = |at: usize| bytes[at..at + 4].iter().fold(0, |n, byte| n << 8 | u32::from(*byte));
    (SeqNumber(number(0)), SeqNumber(number(4)))
}

impl<'a> IntoIterator for &'a Options {
    type Item = &'a TcpOption;
    type IntoIter = std::slice::Iter<'a, TcpOption>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::Layer;
    use proptest::prelude::*;

    fn parse(bytes: &[u8]) -> Result<Options, ParseError> {
        Options::parse(&mut Reader::new(Layer::Transport, "TCP", bytes).starting_at(20))
    }

    fn any_option() -> impl Strategy<Value = TcpOption> {
        prop_oneof![
            Just(TcpOption::NoOperation),
            any::<u16>().prop_map(TcpOption::MaximumSegmentSize),
            any::<u8>().prop_map(TcpOption::WindowScale),
            Just(TcpOption::SackPermitted),
            prop::collection::vec(any::<(u32, u32)>(), 1..=4).prop_map(|blocks| {
                TcpOption::Sack(blocks.into_iter().map(|(a, b)| (SeqNumber(a), SeqNumber(b))).collect())
            }),
            any::<(u32, u32)>().prop_map(|(value, echo)| TcpOption::Timestamps { value, echo }),
            (9u8.., prop::collection::vec(any::<u8>(), 0..12))
                .prop_map(|(kind, data)| TcpOption::Unknown { kind, data }),
        ]
    }

    /// Any options that fit into a header.
    pub(in super::super) fn any_options() -> impl Strategy<Value = Options> {
        prop::collection::vec(any_option(), 0..8).prop_map(|list| {
            let mut options = Options::none();
            for option in list {
                options.push(option);
            }
            options
        })
    }

    #[test]
    fn the_options_of_a_usual_syn_are_read() {
        let options = parse(&[2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]).unwrap();
        assert_eq!(options.mss(), Some(1460));
        assert_eq!(options.window_scale(), Some(7));
        assert!(options.iter().any(|option| *option == TcpOption::SackPermitted));
        assert_eq!(options.len(), 20);
    }

    #[test]
    fn blocks_are_read_and_half_a_block_is_refused() {
        let options = parse(&[1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 1, 0]).unwrap();
        assert_eq!(options.sack(), [(SeqNumber(9), SeqNumber(256))]);
        assert!(parse(&[5, 2, 0, 0]).is_err());
        assert!(parse(&[5, 6, 0, 0, 0, 9, 0, 0]).is_err());
    }

    #[test]
    fn what_follows_the_end_of_the_list_is_ignored() {
        assert_eq!(parse(&[1, 0, 2, 99]).unwrap().iter().len(), 1);
    }

    #[test]
    fn a_window_scale_above_14_counts_as_14() {
        assert_eq!(parse(&[3, 3, 200, 0]).unwrap().window_scale(), Some(14));
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_with_its_place() {
        for bytes in [&[1, 9, 0, 0][..], &[1, 9, 1, 0], &[1, 9, 40, 0], &[1, 2, 3, 0], &[1, 3, 2, 0]] {
            let error = parse(bytes).unwrap_err();
            assert_eq!(error.offset, 21, "{error}");
            assert!(!error.is_incomplete());
        }
        assert_eq!(parse(&[1, 1, 1, 9]).unwrap_err().offset, 23);
    }

    #[test]
    fn a_full_header_takes_no_more_options() {
        let mut options = Options::none();
        for _ in 0..4 {
            assert!(options.push(TcpOption::Timestamps { value: 1, echo: 2 }));
        }
        assert!(!options.push(TcpOption::NoOperation));
        assert_eq!(options.len(), 40);
    }

    proptest! {
        #[test]
        fn options_survive_the_wire(options in any_options()) {
            let mut w = Writer::new();
            options.emit(&mut w);
            prop_assert_eq!(w.len(), options.len());
            prop_assert_eq!(parse(w.as_slice()).unwrap(), options);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..=40)) {
            if let Ok(options) = parse(&bytes) {
                prop_assert!(options.len() <= bytes.len().next_multiple_of(4));
            }
        }
    }
}

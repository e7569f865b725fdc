//! A header's layout, said once: the hexdump, the header box and the docs are drawn from it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

/// One field of a header: its name, its width, how its value is written for people, and where it is defined.
///
/// Fields follow each other without gaps, most significant bit first, in network order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name the RFC gives it.
    pub name: &'static str,
    /// Width in bits; 0 in a header's static table when it differs from packet to packet
    /// (see [`Header::layout`](super::Header::layout)).
    pub bits: usize,
    /// How a value is written.
    #[serde(skip)]
    pub show: Show,
    /// The RFC section that defines it.
    pub cite: &'static str,
}

/// How the value of a field is written for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// As a decimal number.
    Dec,
    /// As a hexadecimal number with `0x` and all its digits.
    Hex,
    /// As an Ethernet address, `02:00:00:00:00:01`.
    Mac,
    /// As an IPv4 address, `10.0.0.1`.
    Ipv4,
    /// As an IPv6 address, `2001:db8::1`.
    Ipv6,
    /// As the names of the bits that are set, the first name for the most significant bit.
    Flags(&'static [&'static str]),
    /// As a number and its name, where the table has one.
    Names(&'static [(u64, &'static str)]),
    /// As a hexadecimal number and its name, where the table has one: for numbers whose readers know them that way.
    HexNames(&'static [(u64, &'static str)]),
    /// As bytes in hexadecimal, for what is not a number.
    Bytes,
    /// As text, with escapes for what is no plain character.
    Text,
    /// As a character and its name, where the table has one: for digits of protocols of text.
    Chars(&'static [(char, &'static str)]),
    /// In the words of its protocol; as bytes where it has none for them.
    Worded(Worded),
}

/// What a protocol says of the bytes of a field; `None` when they are not what it expects.
#[derive(Debug, Clone, Copy)]
pub struct Worded(pub fn(&[u8]) -> Option<String>);

impl PartialEq for Worded {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Worded {}

impl Field {
    /// A field that is always `bits` wide.
    pub const fn new(name: &'static str, bits: usize, show: Show, cite: &'static str) -> Self {
        Field { name, bits, show, cite }
    }

    /// The same field with another width, for the fields whose width a packet decides.
    pub const fn with_bits(self, bits: usize) -> Self {
        Field { bits, ..self }
    }

    /// The value as a number: `bits` bits of `bytes` from bit `first` on, bits past the end reading as zero.
    ///
    /// Only the last 64 bits of a wider field are kept.
    pub fn raw(&self, bytes: &[u8], first: usize) -> u64 {
        (first..first + self.bits).fold(0, |value, bit| {
            let byte = bytes.get(bit / 8).copied().unwrap_or(0);
            value << 1 | u64::from(byte >> (7 - bit % 8) & 1)
        })
    }

    /// The value as people write it.
    pub fn text(&self, bytes: &[u8], first: usize) -> String {
        let raw = self.raw(bytes, first);
        match self.show {
            Show::Dec => raw.to_string(),
            Show::Hex => self.hex_number(raw),
            Show::Mac => {
                raw.to_be_bytes()[2..].iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
            }
            Show::Ipv4 => Ipv4Addr::from_bits(raw as u32).to_string(),
            Show::Ipv6 => {
                let half = |at| u128::from(self.with_bits(64).raw(bytes, at));
                Ipv6Addr::from_bits(half(first) << 64 | half(first + 64)).to_string()
            }
            Show::Flags(names) => {
                let set: Vec<_> = names
                    .iter()
                    .enumerate()
                    .filter(|(i, name)| raw >> (self.bits - 1 - i) & 1 == 1 && !name.is_empty())
                    .map(|(_, name)| *name)
                    .collect();
                if set.is_empty() { "none".into() } else { set.join(" ") }
            }
            Show::Names(names) => match names.iter().find(|(value, _)| *value == raw) {
                Some((_, name)) => format!("{raw} ({name})"),
                None => raw.to_string(),
            },
            Show::HexNames(names) => {
                let number = self.hex_number(raw);
                match names.iter().find(|(value, _)| *value == raw) {
                    Some((_, name)) => format!("{number} ({name})"),
                    None => number,
                }
            }
            Show::Bytes => self.hex(bytes, first),
            Show::Worded(Worded(words)) => {
                let from = (first / 8).min(bytes.len());
                let to = ((first + self.bits) / 8).min(bytes.len());
                words(&bytes[from..to]).unwrap_or_else(|| self.hex(bytes, first))
            }
            Show::Text => self.characters(bytes, first),
            Show::Chars(names) => {
                let text = self.characters(bytes, first);
                match names.iter().find(|(value, _)| u64::from(*value) == raw) {
                    Some((_, name)) => format!("{text} ({name})"),
                    None => text,
                }
            }
        }
    }

    /// The bytes of the field as text; what a terminal would obey or not show is escaped.
    fn characters(&self, bytes: &[u8], first: usize) -> String {
        let from = (first / 8).min(bytes.len());
        let to = ((first + self.bits) / 8).min(bytes.len());
        let plain = |c: char| {
            if c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ' {
                c.to_string()
            } else {
                c.escape_default().to_string()
            }
        };
        String::from_utf8_lossy(&bytes[from..to]).chars().map(plain).collect()
    }

    /// A number in hexadecimal, with all the digits that the width of the field allows.
    fn hex_number(&self, raw: u64) -> String {
        format!("0x{raw:0width$x}", width = self.bits.div_ceil(4))
    }

    /// The bytes of the field in hexadecimal, at most 16 of them.
    fn hex(&self, bytes: &[u8], first: usize) -> String {
        const MOST: usize = 16;
        let from = (first / 8).min(bytes.len());
        let to = ((first + self.bits) / 8).min(bytes.len());
        let mut text = String::new();
        for byte in &bytes[from..to.min(from + MOST)] {
            let _ = write!(text, "{byte:02x}");
        }
        if to - from > MOST {
            let _ = write!(text, "... ({} bytes)", to - from);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_cut_out_of_the_middle_of_a_byte() {
        let ihl = Field::new("IHL", 4, Show::Dec, "RFC 791 §3.1");
        assert_eq!(ihl.raw(&[0x45], 4), 5);
        assert_eq!(ihl.text(&[0x45], 0), "4");
    }

    #[test]
    fn values_are_written_as_their_readers_expect_them() {
        let of = |bits, show| Field::new("x", bits, show, "");
        assert_eq!(of(16, Show::Hex).text(&[0x0a, 0xbc], 0), "0x0abc");
        assert_eq!(of(48, Show::Mac).text(&[2, 0, 0, 0, 0, 1], 0), "02:00:00:00:00:01");
        assert_eq!(of(32, Show::Ipv4).text(&[10, 0, 0, 1], 0), "10.0.0.1");
        assert_eq!(of(128, Show::Ipv6).text(&[0; 16], 0), "::");
        assert_eq!(of(3, Show::Flags(&["R", "DF", "MF"])).text(&[0b0100_0000], 0), "DF");
        assert_eq!(of(3, Show::Flags(&["R", "DF", "MF"])).text(&[0], 0), "none");
        assert_eq!(of(8, Show::Names(&[(6, "TCP")])).text(&[6], 0), "6 (TCP)");
        assert_eq!(of(16, Show::HexNames(&[(0x800, "IPv4")])).text(&[8, 0], 0), "0x0800 (IPv4)");
        assert_eq!(of(24, Show::Bytes).text(&[1, 2, 3], 0), "010203");
        assert_eq!(of(32, Show::Text).text("a\u{1b}é".as_bytes(), 0), "a\\u{1b}é");
        assert_eq!(of(8, Show::Chars(&[('4', "message")])).text(b"42", 0), "4 (message)");
        assert_eq!(of(8, Show::Chars(&[('4', "message")])).text(b"x", 0), "x");
    }

    #[test]
    fn a_field_past_the_end_reads_as_zero() {
        assert_eq!(Field::new("x", 16, Show::Dec, "").raw(&[1], 8), 0);
        assert_eq!(Field::new("x", 32, Show::Bytes, "").text(&[1], 8), "");
    }
}

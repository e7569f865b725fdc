//! A payload before and after masking, byte by byte (RFC 6455 §5.3): each byte XORed with one of the four of the key.
//!
//! ```text
//!               H  e  l  l  o
//! payload       48 65 6c 6c 6f
//! XOR key       37 fa 21 3d 37
//! on the wire   7f 9f 4d 51 58
//! ```

use super::look::{Look, escape, fit};

/// Columns in front of the bytes.
const LEAD: usize = 14;
/// Bytes in a line, at most.
const PER_LINE: usize = 16;
/// Lines of bytes, at most: the key comes again and again, and so does what there is to see.
const MOST_LINES: usize = 2;

/// Draws a payload, the key over and over, and what goes over the wire; and of the first byte every bit.
pub fn xor(payload: &[u8], key: [u8; 4], look: &Look) -> String {
    let Some(first) = payload.first() else { return "(an empty payload: nothing is masked)\n".into() };
    let per_line = ((look.columns().saturating_sub(LEAD)) / 3).clamp(4, PER_LINE) / 4 * 4;
    let mut text = String::new();
    for chunk in payload.chunks(per_line).take(MOST_LINES) {
        let row = |name: &str, cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<2}")).collect();
            format!("{name:<LEAD$}{}", cells.join(" ")).trim_end().to_owned() + "\n"
        };
        // A line begins with the first byte of the key, for it has a multiple of four bytes.
        let keys: Vec<u8> = key.into_iter().cycle().take(chunk.len()).collect();
        let masked: Vec<u8> = chunk.iter().zip(&keys).map(|(byte, key)| byte ^ key).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&look.faint(&row("", chunk.iter().map(|byte| letter(*byte)).collect())));
        text.push_str(&row("payload", hex(chunk)));
        text.push_str(&row("XOR key", hex(&keys)));
        text.push_str(&row("on the wire", hex(&masked)));
        text.push_str(&look.faint(&row("", masked.iter().map(|byte| letter(*byte)).collect())));
    }
    let shown = per_line * MOST_LINES;
    if payload.len() > shown {
        text.push_str(&look.faint(&format!("{:LEAD$}({} more bytes)\n", "", payload.len() - shown)));
    }
    let bits = |name: &str, byte: u8, what: String| {
        format!("{name:<LEAD$}{byte:08b}  {}\n", fit(&what, look.columns() - LEAD - 10, look).trim_end())
    };
    let name = if look.ascii { "key byte 0" } else { "⊕ key byte 0" };
    text.push_str(&bits("byte 0", *first, format!("{first:02x} {}", escape(letter(*first)))));
    text.push_str(&bits(name, key[0], format!("{:02x}", key[0])));
    let result = if look.ascii { "on the wire" } else { "= on the wire" };
    text + &bits(result, first ^ key[0], format!("{:02x}: 1 where the two differ", first ^ key[0]))
}

/// A byte as a letter, if it is one.
fn letter(byte: u8) -> String {
    match byte {
        byte if byte.is_ascii_graphic() => char::from(byte).to_string(),
        _ => ".".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::look::display_width;

    #[test]
    fn the_hello_of_section_5_7_is_masked_byte_by_byte() {
        insta::assert_snapshot!(xor(b"Hello", [0x37, 0xfa, 0x21, 0x3d], &Look::plain()));
    }

    #[test]
    fn long_and_strange_payloads_keep_to_the_page() {
        for payload in [&[0u8; 0][..], &[0x1b; 70], "\u{4f60}\u{597d}".as_bytes()] {
            for look in [Look::plain(), Look::default(), Look { width: 40, ..Look::default() }] {
                for line in xor(payload, [0, 0xff, 3, 4], &look).lines() {
                    assert!(display_width(line) <= look.columns(), "{line}");
                    assert!(!line.contains('\x1b') && (!look.ascii || line.is_ascii()), "{line}");
                }
            }
        }
    }
}

//! A payload before and after masking, byte by byte (RFC 6455 §5.3): each byte XORed with one of the four of the key.
//!
//! ```text
//!               H  e  l  l  o
//! payload       48 65 6c 6c 6f
//! XOR key       37 fa 21 3d 37
//! on the wire   7f 9f 4d 51 58
//! ```

use super::look::{Look, escape, fit};
use super::sheet::{Line, Sheet, Tone};

/// Columns in front of the bytes.
const LEAD: usize = 14;
/// Bytes in a line, at most.
const PER_LINE: usize = 16;
/// Lines of bytes, at most: the key repeats, and more lines show nothing new.
const MOST_LINES: usize = 2;

/// Draws a payload, the repeated key, and the masked bytes; and the first byte bit by bit.
pub fn xor(payload: &[u8], key: [u8; 4], look: &Look) -> Sheet {
    let Some(first) = payload.first() else {
        return Sheet::of("(an empty payload: nothing is masked)", Tone::Plain);
    };
    let per_line = ((look.columns().saturating_sub(LEAD)) / 3).clamp(4, PER_LINE) / 4 * 4;
    let mut sheet = Sheet::new();
    for chunk in payload.chunks(per_line).take(MOST_LINES) {
        let row = |name: &str, cells: Vec<String>, tone: Tone| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<2}")).collect();
            Line::of(format!("{name:<LEAD$}{}", cells.join(" ")).trim_end(), tone)
        };
        // A line begins with the first byte of the key, for it has a multiple of four bytes.
        let keys: Vec<u8> = key.into_iter().cycle().take(chunk.len()).collect();
        let masked: Vec<u8> = chunk.iter().zip(&keys).map(|(byte, key)| byte ^ key).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters = |bytes: &[u8]| bytes.iter().map(|byte| letter(*byte)).collect();
        sheet.push(row("", letters(chunk), Tone::Faint));
        sheet.push(row("payload", hex(chunk), Tone::Plain));
        sheet.push(row("XOR key", hex(&keys), Tone::Plain));
        sheet.push(row("on the wire", hex(&masked), Tone::Plain));
        sheet.push(row("", letters(&masked), Tone::Faint));
    }
    let shown = per_line * MOST_LINES;
    if payload.len() > shown {
        sheet.push(Line::of(format!("{:LEAD$}({} more bytes)", "", payload.len() - shown), Tone::Faint));
    }
    let bits = |name: &str, byte: u8, what: String| {
        let what = fit(&what, look.columns() - LEAD - 10, look);
        Line::of(format!("{name:<LEAD$}{byte:08b}  {}", what.trim_end()), Tone::Plain)
    };
    let name = if look.ascii { "key byte 0" } else { "⊕ key byte 0" };
    sheet.push(bits("byte 0", *first, format!("{first:02x} {}", escape(letter(*first)))));
    sheet.push(bits(name, key[0], format!("{:02x}", key[0])));
    let result = if look.ascii { "on the wire" } else { "= on the wire" };
    sheet.push(bits(result, first ^ key[0], format!("{:02x}: 1 where the two differ", first ^ key[0])));
    sheet
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

    #[test]
    fn the_hello_of_section_5_7_is_masked_byte_by_byte() {
        insta::assert_snapshot!(xor(b"Hello", [0x37, 0xfa, 0x21, 0x3d], &Look::plain()));
    }

    #[test]
    fn long_and_strange_payloads_keep_to_the_page() {
        for payload in [&[0u8; 0][..], &[0x1b; 70], "\u{4f60}\u{597d}".as_bytes()] {
            for look in [Look::plain(), Look::default(), Look { width: 40, ..Look::default() }] {
                let sheet = xor(payload, [0, 0xff, 3, 4], &look);
                assert!(sheet.width() <= look.columns(), "{sheet}");
                assert!(!look.ascii || sheet.to_string().is_ascii(), "{sheet}");
            }
        }
    }
}

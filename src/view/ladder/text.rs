//! Text measured in terminal cells: the one place that knows wide characters, cutting and the ASCII spelling.
//!
//! A cell is what a monospaced terminal gives an ordinary letter. East Asian wide characters and most emoji take two,
//! combining marks none: [`look::display_width`](crate::view::look::display_width) knows which.

use crate::trace::Place;
use crate::view::look::{self, grouped};

/// What is written under the name of a place: its address, or the first one and how many more it has.
pub(super) fn addresses(place: &Place) -> String {
    match &place.addresses[..] {
        [] => String::new(),
        [only] => only.to_string(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}

/// Cells taken by one character: 0, 1 or 2.
pub(super) fn cells(c: char) -> usize {
    look::display_width(c.encode_utf8(&mut [0; 4]))
}

/// Cells taken by a text.
pub(super) fn width(text: &str) -> usize {
    look::display_width(text)
}

/// The text when it fits into `width` cells; otherwise as much of it as fits, ending in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if self::width(text) <= width {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += cells(c);
        if used > width {
            break;
        }
        kept.push(c);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// The text in lines of at most `width` cells, broken at spaces; a word longer than a line is cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let word = cut(word, width);
        let needs = self::width(&word);
        match lines.last_mut() {
            Some(line) if used + 1 + needs <= width => {
                line.push(' ');
                line.push_str(&word);
                used += 1 + needs;
            }
            _ => {
                used = needs;
                lines.push(word);
            }
        }
    }
    lines
}

/// What stands for a character in a picture of plain ASCII. Every drawing character has a sibling of the same width;
/// what people wrote themselves becomes `?`.
pub(super) fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        '─' | '╴' | '╶' | '—' | '–' => '-',
        '│' | '├' | '┤' | '┼' => '|',
        '►' => '>',
        '◄' => '<',
        '┄' => '.',
        '✗' => 'X',
        '≠' => '#',
        '×' => 'x',
        '┊' => ':',
        '…' => '~',
        '→' => '>',
        'µ' => 'u',
        '·' => '-',
        '’' => '\'',
        '“' | '”' => '"',
        _ => '?',
    }
}

/// A number of things: `1 segment`, `12,040 segments`.
pub(super) fn count(n: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// An amount of bytes: exact while it is short, then in decimal units (1 kB is 1000 B).
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..10_000 => format!("{} B", grouped(n)),
        10_000..100_000_000 => format!("{} kB", grouped((n + 500) / 1000)),
        _ => format!("{} MB", grouped(n / 1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_cells_and_combining_marks_none() {
        assert_eq!(width("ab"), 2);
        assert_eq!(width("网络"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("🦀"), 2);
    }

    #[test]
    fn a_text_is_cut_to_the_cells_it_may_take() {
        assert_eq!(cut("seq=1 len=1460", 14), "seq=1 len=1460");
        assert_eq!(cut("seq=1 len=1460", 8), "seq=1 l…");
        assert_eq!(cut("网络网络", 6), "网络…");
        assert_eq!(cut("abc", 1), "…");
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn long_text_breaks_at_spaces() {
        assert_eq!(wrap("who has 10.0.0.2?  tell me", 12), ["who has", "10.0.0.2?", "tell me"]);
        assert_eq!(wrap("incomprehensibilities", 6), ["incom…"]);
        assert!(wrap("   ", 6).is_empty());
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(grouped(16_777_216), "16,777,216");
        assert_eq!(count(1, "segment"), "1 segment");
        assert_eq!(bytes(1460), "1460 B");
        assert_eq!(bytes(312_440), "312 kB");
        assert_eq!(bytes(1 << 30), "1073 MB");
    }
}

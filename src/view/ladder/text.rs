//! The ladder's own way with text: cutting, amounts, and the ASCII spelling. Widths are those of a
//! [sheet](crate::view::sheet).

use crate::trace::Place;
use crate::view::look::{Look, grouped};
use crate::view::sheet::{self, Line, LongWord, wrap_words};

pub(super) use sheet::{cut, width};

/// What is written under the name of a place: its address, or the first one and how many more it has.
pub(super) fn addresses(place: &Place) -> String {
    match &place.addresses[..] {
        [] => String::new(),
        [only] => only.to_string(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    }
}

/// The text in lines of at most `width` cells, broken at blanks of any kind; a word longer than a line is cut. A text
/// of nothing but blanks has no line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.is_empty() {
        true => Vec::new(),
        false => wrap_words(&words.join(" "), width, width, LongWord::Cut),
    }
}

/// The ASCII spelling of a character. Every drawing character has one of the same width; other text becomes `?`.
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

/// A line as it goes onto the sheet: without blanks at its end, and in the characters that the look allows.
pub(super) fn finished(line: Line, look: &Look) -> Line {
    let line = line.trimmed();
    if look.ascii { line.respelt(ascii) } else { line }
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

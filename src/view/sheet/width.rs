//! Which characters get a cell, and how many cells a text takes: combining marks none, East Asian wide characters and most emoji two (UAX #11).
//!
//! A text is as wide as its characters together. Terminals do not agree on sequences that join several characters into
//! one emoji, and a sum is what the cells of a sheet add up to.

use unicode_width::UnicodeWidthChar as _;

use crate::base::{is_joiner, joins};

/// Cells of one character: 0, 1 or 2. Control characters take none.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cells of a text.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// The characters of a text that may be shown: all but those that could act on a terminal. A joiner between letters that
/// need it ([`joins`]) is one of them.
pub(super) fn shown(text: &str) -> impl Iterator<Item = char> {
    let mut before = None;
    text.char_indices().filter_map(move |(at, c)| {
        let last = before.replace(c);
        let is_needed = || is_joiner(c) && joins(last, text[at + c.len_utf8()..].chars().next());
        (!acts_on_a_terminal(c) || is_needed()).then_some(c)
    })
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and the invisible characters that reorder or
/// hide the text around them (Unicode UAX #9, UTS #39).
pub(crate) fn acts_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

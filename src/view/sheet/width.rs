//! How many cells a text takes: combining marks none, East Asian wide characters and most emoji two (UAX #11).
//!
//! A text is as wide as its characters together. Terminals do not agree on sequences that join several characters into
//! one emoji, and a sum is what the cells of a sheet add up to.

use unicode_width::UnicodeWidthChar as _;

/// Cells of one character: 0, 1 or 2. Control characters take none.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cells of a text.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

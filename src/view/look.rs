//! How pictures look: width, characters and colour, and what may reach a terminal.
//!
//! Colour only ever repeats what letters and words already say. And nothing from the network is shown unescaped: an
//! escape sequence in a payload could rewrite the screen, a bidirectional override could make a line read backwards.
//! [`escape`] prevents both.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::sheet::{Line, Sheet, Tone, acts_on_a_terminal, ansi, char_width, width};
use crate::base::{is_joiner, joins};

/// How a picture is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Only ASCII characters: no arrows, no box drawing.
    pub ascii: bool,
    /// Colour, where a sheet is written. A view draws the same sheet with and without.
    pub colour: bool,
    /// Sequence numbers as on the wire instead of relative ones.
    pub absolute: bool,
}

impl Default for Look {
    /// 80 columns, Unicode, no colour, relative numbers.
    fn default() -> Self {
        Look { width: 80, ascii: false, colour: false, absolute: false }
    }
}

impl Look {
    /// No picture is drawn narrower than this.
    pub const LEAST_WIDTH: usize = 40;

    /// The same look in plain ASCII without colour.
    pub const fn plain() -> Self {
        Look { width: 80, ascii: true, colour: false, absolute: false }
    }

    /// The width to draw for.
    pub fn columns(&self) -> usize {
        self.width.max(Self::LEAST_WIDTH)
    }

    /// Our own prose, its typographic characters as ASCII where no others can be shown.
    pub fn prose(&self, text: &str) -> String {
        if !self.ascii {
            return text.to_owned();
        }
        let plain = [('§', "sec. "), ('→', "->"), ('·', ","), ('×', "x"), ('µ', "u")];
        plain.iter().fold(text.to_owned(), |text, (sign, word)| text.replace(*sign, word))
    }

    /// A sheet as it is to be written: in colour, or as plain text.
    pub fn written(&self, sheet: &Sheet) -> String {
        if self.colour { ansi::to_ansi(sheet) } else { sheet.to_string() }
    }
}

/// Bytes from the network as text that is safe to show: what is not UTF-8 becomes `\xNN`, what could act on a
/// terminal becomes `\u{N}`.
pub fn escape(bytes: impl AsRef<[u8]>) -> String {
    let mut safe = String::new();
    for chunk in bytes.as_ref().utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' => safe.push_str("\\n"),
                '\r' => safe.push_str("\\r"),
                '\t' => safe.push_str("\\t"),
                '\\' => safe.push_str("\\\\"),
                c if acts_on_a_terminal(c) => {
                    let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
                }
                c => safe.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    safe
}

/// Text of several lines that may hold what a peer said, made safe to show: line ends, tabs and backslashes stay, so does
/// a joiner between letters that need it ([`joins`]); what else could act on a terminal becomes `\u{N}`. The command line
/// shows no text but through this or [`escape`].
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| acts_on_a_terminal(c) && !matches!(c, '\n' | '\t')) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut before = None;
    for (at, c) in text.char_indices() {
        let next = || text[at + c.len_utf8()..].chars().next();
        match c {
            '\n' | '\t' => safe.push(c),
            _ if !acts_on_a_terminal(c) || is_joiner(c) && joins(before, next()) => safe.push(c),
            _ => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
        }
        before = Some(c);
    }
    safe.into()
}

impl From<&str> for Sheet {
    /// What a program says: each line as a line, what could act on a terminal made visible ([`harmless`]).
    fn from(text: &str) -> Self {
        let lines = text.split('\n').map(|line| Line::of(harmless(&line.replace('\t', "    ")), Tone::Plain));
        lines.collect()
    }
}

impl From<String> for Sheet {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// A number with its thousands set apart, as `16,777,216`. Four digits are read at a glance as they are.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if digits.len() > 4 && i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `text` filled up with spaces to `columns`, or cut to them with an ellipsis. For text without colour.
pub fn fit(text: &str, columns: usize, look: &Look) -> String {
    let needs = width(text);
    if needs <= columns {
        return format!("{text}{}", " ".repeat(columns - needs));
    }
    let mark = match (look.ascii, columns) {
        (false, 1..) => "\u{2026}",
        (true, 3..) => "...",
        _ => "",
    };
    let mut cut = String::new();
    let mut used = width(mark);
    for c in text.chars() {
        if used + char_width(c) > columns {
            break;
        }
        used += char_width(c);
        cut.push(c);
    }
    cut.push_str(mark);
    cut.push_str(&" ".repeat(columns.saturating_sub(used)));
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_passes() {
        assert_eq!(escape("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(escape(b"\xff\x00ok\r\n"), "\\xff\\u{0}ok\\r\\n");
        assert_eq!(escape("gr\u{fc}n \u{4f60}"), "gr\u{fc}n \u{4f60}");
    }

    #[test]
    fn width_counts_columns_and_not_bytes() {
        assert_eq!(width("gr\u{fc}n"), 4);
        assert_eq!(width("\u{4f60}\u{597d}"), 4);
        assert_eq!(width("e\u{301}"), 1);
    }

    #[test]
    fn a_text_is_cut_with_a_mark() {
        assert_eq!(fit("abcdef", 4, &Look::plain()), "a...");
        assert_eq!(fit("abcdef", 4, &Look::default()), "abc\u{2026}");
        assert_eq!(fit("ab", 4, &Look::plain()), "ab  ");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_shown_without_control_characters(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(!escape(&bytes).chars().any(acts_on_a_terminal));
        }

        #[test]
        fn a_fitted_text_has_the_columns_asked_for(text in "\\PC{0,30}", columns in 0usize..40) {
            let text = escape(&text);
            prop_assert_eq!(width(&fit(&text, columns, &Look::default())), columns);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_the_rest_is_as_it_was() {
        assert_eq!(harmless("\u{1b}]0;owned\u{7}"), "\\u{1b}]0;owned\\u{7}");
        assert_eq!(
            harmless("c1: \u{9b}31m, del: \u{7f}, back\r"),
            "c1: \\u{9b}31m, del: \\u{7f}, back\\u{d}"
        );
        assert_eq!(harmless("turned: \u{202e}\u{2067}"), "turned: \\u{202e}\\u{2067}");
        assert_eq!(harmless("grüße\n\t🦀 \\"), "grüße\n\t🦀 \\");
        assert_eq!(harmless("می\u{200c}خواهم a\u{200d}da"), "می\u{200c}خواهم a\\u{200d}da");
    }
}

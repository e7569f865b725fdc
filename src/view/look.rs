//! How pictures look: width, characters and colour, and what may reach a terminal.
//!
//! Colour only ever repeats what letters and words already say. And nothing that came from the network is shown as it
//! is: an escape sequence in a payload could rewrite the screen, a bidirectional override could make a line read
//! backwards. [`escape`] stands between the two.

use std::borrow::Cow;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::base::Layer;

/// How a picture is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Only ASCII characters: no arrows, no box drawing.
    pub ascii: bool,
    /// Colour, as escape sequences.
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

    /// `text` in a style, or as it is when colour is off.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// `text` in the colour of a layer.
    pub fn layer(&self, layer: Layer, text: &str) -> String {
        self.paint(layer_style(layer), text)
    }

    /// `text` as what went wrong.
    pub fn problem(&self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// `text` as less important than the rest.
    pub fn faint(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// `text` as a heading.
    pub fn bold(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }
}

/// The colour of a layer, the same in every picture.
pub fn layer_style(layer: Layer) -> Style {
    match layer {
        Layer::Physical => AnsiColor::BrightBlack,
        Layer::Link => AnsiColor::Yellow,
        Layer::Internet => AnsiColor::Blue,
        Layer::Transport => AnsiColor::Green,
        Layer::Application => AnsiColor::Magenta,
    }
    .on_default()
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

/// Text of several lines that may hold what a peer said, made safe to show: line ends, tabs and backslashes stay, what
/// could act on a terminal becomes `\u{N}`. The command line shows nothing of the network but through this or
/// [`escape`].
pub fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| acts_on_a_terminal(c) && !matches!(c, '\n' | '\t');
    if !text.contains(harmful) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match harmful(c) {
            true => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            false => safe.push(c),
        }
    }
    safe.into()
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and the invisible characters that reorder or
/// hide what stands around them (Unicode UAX #9, UTS #39).
fn acts_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// How many columns a text takes: escape sequences none, combining marks none, wide East Asian characters two.
///
/// The ranges are the blocks, not the full Unicode table: enough for text that people type, without its size.
pub fn display_width(text: &str) -> usize {
    let mut columns = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' && characters.peek() == Some(&'[') {
            // A colour of our own: ESC [ ... letter.
            characters.next();
            while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
            continue;
        }
        columns += char_width(c);
    }
    columns
}

fn char_width(c: char) -> usize {
    match u32::from(c) {
        0..0x20 | 0x7f..0xa0 => 0,
        0x300..0x370 | 0x483..0x48a | 0x591..0x5be | 0x64b..0x660 | 0x1ab0..0x1b00 | 0x1dc0..0x1e00 => 0,
        0x200b..0x2010 | 0x20d0..0x2100 | 0xfe00..0xfe10 | 0xfe20..0xfe30 | 0xe0100..0xe01f0 => 0,
        0x1100..0x1160 | 0x2e80..0x303f | 0x3041..0x4dc0 | 0x4e00..0xa4d0 | 0xac00..0xd7a4 => 2,
        0xf900..0xfb00 | 0xfe30..0xfe70 | 0xff00..0xff61 | 0xffe0..0xffe7 => 2,
        0x1f300..0x1f650 | 0x1f680..0x1f700 | 0x1f900..0x1fa00 | 0x1fa70..0x1fb00 | 0x20000..0x3fffe => 2,
        _ => 1,
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
    let width = display_width(text);
    if width <= columns {
        return format!("{text}{}", " ".repeat(columns - width));
    }
    let mark = match (look.ascii, columns) {
        (false, 1..) => "\u{2026}",
        (true, 3..) => "...",
        _ => "",
    };
    let mut cut = String::new();
    let mut used = display_width(mark);
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
        assert_eq!(display_width("gr\u{fc}n"), 4);
        assert_eq!(display_width("\u{4f60}\u{597d}"), 4);
        assert_eq!(display_width("e\u{301}"), 1);
        let look = Look { colour: true, ..Look::default() };
        assert_eq!(display_width(&look.layer(Layer::Link, "abc")), 3);
    }

    #[test]
    fn without_colour_there_is_no_escape_sequence() {
        assert_eq!(Look::default().layer(Layer::Transport, "TCP"), "TCP");
        assert!(Look { colour: true, ..Look::default() }.layer(Layer::Transport, "TCP").contains('\u{1b}'));
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
            prop_assert_eq!(display_width(&fit(&text, columns, &Look::default())), columns);
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
    }
}

//! The line that is being typed: keys become text, and the text can be drawn again after something was printed.
//!
//! What a shell's line does, as far as a chat needs it: the cursor, deleting, the lines typed before. The text itself
//! is a [`LineBuffer`], which knows where a letter of several characters begins and ends. A whole line editor with its
//! own prompt would not do: this prompt changes while a line is typed, and messages are printed above it at any time.
//! Bounded: [`LONGEST`] bytes, and [`KEPT`] lines from before.

use rustyline::Word;
use rustyline::line_buffer::{ChangeListener, DeleteListener, Direction, LineBuffer};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// Bytes of a line; more are not taken.
pub(super) const LONGEST: usize = 4000;

/// Lines that can be fetched back.
pub(super) const KEPT: usize = 100;

/// The line, and the cursor in it.
#[derive(Debug)]
pub(super) struct Editor {
    line: LineBuffer,
    /// Bytes of a character, or of a key that sends several, that are not all there.
    pending: Vec<u8>,
    before: Vec<String>,
    /// Which of the lines before is shown.
    shown: Option<usize>,
}

/// What a key does to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Enter was pressed: the whole line.
    Line(String),
    /// The line must be drawn again.
    Changed,
    /// Ctrl-C, or Ctrl-D on an empty line.
    Quit,
    /// Its writer wants the shell for a while (Ctrl-Z).
    Suspend,
    /// The key has no effect.
    Nothing,
}

/// No undo here, so changes are of no interest to anyone.
struct Unheard;

impl DeleteListener for Unheard {
    fn delete(&mut self, _: usize, _: &str, _: Direction) {}
}

impl ChangeListener for Unheard {
    fn insert_char(&mut self, _: usize, _: char) {}

    fn insert_str(&mut self, _: usize, _: &str) {}

    fn replace(&mut self, _: usize, _: &str, _: &str) {}
}

impl Default for Editor {
    fn default() -> Self {
        let line = LineBuffer::with_capacity(LONGEST);
        Editor { line, pending: Vec::new(), before: Vec::new(), shown: None }
    }
}

impl Editor {
    /// Takes the next byte of the keyboard.
    pub(super) fn feed(&mut self, byte: u8) -> Key {
        if !self.pending.is_empty() || byte == 0x1b || byte >= 0x80 {
            self.pending.push(byte);
            return self.longer();
        }
        match byte {
            b'\r' | b'\n' => self.finish(),
            // Ctrl-C, and Ctrl-D where there is nothing to delete.
            0x03 => Key::Quit,
            0x04 if self.line.is_empty() => Key::Quit,
            0x04 => self.delete(),
            0x1a => Key::Suspend,
            0x08 | 0x7f => changed(self.line.backspace(1, &mut Unheard)),
            0x01 => self.home(),
            0x05 => self.end(),
            0x02 => self.left(),
            0x06 => self.right(),
            // Ctrl-U, Ctrl-K, Ctrl-W: to the beginning, to the end, one word.
            0x15 => changed(self.line.discard_line(&mut Unheard)),
            0x0b => changed(self.line.kill_line(&mut Unheard)),
            0x17 => changed(self.line.delete_prev_word(Word::Big, 1, &mut Unheard)),
            0x0c => Key::Changed,
            b'\t' => self.insert(' '),
            0x20..=0x7e => self.insert(char::from(byte)),
            _ => Key::Nothing,
        }
    }

    /// The parts of the line before and after the cursor that are to be drawn in `columns` columns.
    pub(super) fn view(&self, columns: usize) -> (String, String) {
        let columns = columns.max(8);
        let (before, behind) = self.line.as_str().split_at(self.line.pos());
        // The cursor takes a column of its own at the end, and is on a letter elsewhere.
        let under = behind.graphemes(true).next().map_or(1, width).max(1);
        let mut room = columns - under.min(columns);
        let shown: Vec<&str> =
            before.graphemes(true).rev().take_while(|letter| fits(letter, &mut room)).collect();
        let before: String = shown.into_iter().rev().collect();
        let mut room = columns - width(&before);
        let behind = behind.graphemes(true).take_while(|letter| fits(letter, &mut room)).collect();
        (before, behind)
    }

    /// A key or a character of several bytes.
    fn longer(&mut self) -> Key {
        if self.pending[0] == 0x1b {
            let done = match self.pending[..] {
                [_] | [_, b'[' | b'O'] => return Key::Nothing,
                // A control sequence goes on until its final byte (ECMA-48 §5.4).
                [_, b'[' | b'O', .., last] => (0x40..=0x7e).contains(&last) || self.pending.len() > 16,
                _ => true,
            };
            if !done {
                return Key::Nothing;
            }
            let key = std::mem::take(&mut self.pending);
            return match &key[1..] {
                b"[A" | b"OA" => self.older(),
                b"[B" | b"OB" => self.newer(),
                b"[C" | b"OC" => self.right(),
                b"[D" | b"OD" => self.left(),
                b"[H" | b"OH" | b"[1~" => self.home(),
                b"[F" | b"OF" | b"[4~" => self.end(),
                b"[3~" => self.delete(),
                _ => Key::Nothing,
            };
        }
        match std::str::from_utf8(&self.pending) {
            Ok(text) => {
                let character = text.chars().next();
                self.pending.clear();
                character.map_or(Key::Nothing, |c| self.insert(c))
            }
            Err(error) if error.error_len().is_none() => Key::Nothing,
            Err(_) => {
                self.pending.clear();
                Key::Nothing
            }
        }
    }

    /// Inserts a character, unless the terminal on which the line is drawn would obey it.
    fn insert(&mut self, character: char) -> Key {
        let turns_direction = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || turns_direction || self.line.len() + character.len_utf8() > LONGEST {
            return Key::Nothing;
        }
        changed(self.line.insert(character, 1, &mut Unheard).is_some())
    }

    fn delete(&mut self) -> Key {
        changed(self.line.delete(1, &mut Unheard).is_some())
    }

    fn left(&mut self) -> Key {
        changed(self.line.move_backward(1))
    }

    fn right(&mut self) -> Key {
        changed(self.line.move_forward(1))
    }

    fn home(&mut self) -> Key {
        changed(self.line.move_home())
    }

    fn end(&mut self) -> Key {
        changed(self.line.move_end())
    }

    fn finish(&mut self) -> Key {
        let line = self.line.as_str().to_owned();
        self.shown = None;
        self.put("");
        if !line.trim().is_empty() && self.before.last() != Some(&line) {
            self.before.push(line.clone());
            if self.before.len() > KEPT {
                self.before.remove(0);
            }
        }
        Key::Line(line)
    }

    fn older(&mut self) -> Key {
        let shown = self.shown.unwrap_or(self.before.len());
        if shown == 0 {
            return Key::Nothing;
        }
        self.replace(Some(shown - 1))
    }

    fn newer(&mut self) -> Key {
        let Some(shown) = self.shown else { return Key::Nothing };
        self.replace(Some(shown + 1).filter(|next| *next < self.before.len()))
    }

    fn replace(&mut self, with: Option<usize>) -> Key {
        self.shown = with;
        let text = with.and_then(|at| self.before.get(at)).cloned().unwrap_or_default();
        self.put(&text);
        Key::Changed
    }

    /// Another text, with the cursor at its end.
    fn put(&mut self, text: &str) {
        self.line.update(text, text.len(), &mut Unheard);
    }
}

fn changed(it_did: bool) -> Key {
    if it_did { Key::Changed } else { Key::Nothing }
}

/// Whether there is room for a letter, which is then taken.
fn fits(letter: &str, room: &mut usize) -> bool {
    let left = room.checked_sub(width(letter));
    *room = left.unwrap_or(0);
    left.is_some()
}

/// The columns that a letter may take. Terminals differ in how wide they draw several characters that are joined to
/// one; this is the widest of them, so that the line never runs over the edge.
fn width(letter: &str) -> usize {
    letter.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(keys: &str) -> Editor {
        let mut editor = Editor::default();
        keys.bytes().for_each(|byte| {
            editor.feed(byte);
        });
        editor
    }

    fn line(keys: &str) -> Key {
        typed(keys).feed(b'\r')
    }

    fn view(keys: &str, columns: usize) -> (String, String) {
        typed(keys).view(columns)
    }

    fn parts(before: &str, behind: &str) -> (String, String) {
        (before.into(), behind.into())
    }

    #[test]
    fn keys_edit_the_line_as_in_a_shell() {
        assert_eq!(line("helo\x1b[Dl"), Key::Line("hello".into()));
        assert_eq!(line("hellx\x7fo"), Key::Line("hello".into()));
        assert_eq!(line("one two  \x17"), Key::Line("one ".into()));
        assert_eq!(line("gone\x15kept"), Key::Line("kept".into()));
        assert_eq!(line("b\x01a\x05c"), Key::Line("abc".into()));
        assert_eq!(line("abc\x1b[H\x1b[3~"), Key::Line("bc".into()));
        assert_eq!(line("grüße 世界"), Key::Line("grüße 世界".into()));
    }

    #[test]
    fn a_letter_of_several_characters_is_one_for_every_key() {
        assert_eq!(line("a👨‍👩‍👧b\x7f\x7f"), Key::Line("a".into()));
        assert_eq!(line("e\u{301}\x7fx"), Key::Line("x".into()));
        assert_eq!(line("世e\u{301}\x1b[D\x1b[D|"), Key::Line("|世e\u{301}".into()));
    }

    #[test]
    fn lines_before_come_back() {
        let mut editor = typed("one\rtwo\r\x1b[A\x1b[A");
        assert_eq!(editor.feed(b'\r'), Key::Line("one".into()));
        assert_eq!(typed("one\rtwo\r\x1b[A\x1b[A\x1b[B").feed(b'\r'), Key::Line("two".into()));
        assert_eq!(typed("one\r\x1b[A\x1b[B").feed(b'\r'), Key::Line(String::new()));
    }

    #[test]
    fn ctrl_c_leaves_and_ctrl_d_only_where_nothing_is_typed() {
        assert_eq!(typed("x").feed(3), Key::Quit);
        assert_eq!(typed("").feed(4), Key::Quit);
        assert_eq!(typed("x").feed(4), Key::Nothing);
        assert_eq!(typed("x").feed(0x1a), Key::Suspend);
    }

    #[test]
    fn the_view_follows_the_cursor_and_counts_columns() {
        assert_eq!(view("hello", 20), parts("hello", ""));
        assert_eq!(view("hello\x1b[D\x1b[D", 20), parts("hel", "lo"));
        assert_eq!(view("0123456789", 8), parts("3456789", ""));
        assert_eq!(view("0123456789\x01", 8), parts("", "01234567"));
        assert_eq!(view("世界你好", 8), parts("界你好", ""), "two columns each, and one for the cursor");
        assert_eq!(view("世界你好\x01", 8), parts("", "世界你好"));
    }

    #[test]
    fn nothing_is_typed_that_would_turn_the_line_around() {
        assert_eq!(line("a\u{202e}b\u{9b}c\u{2066}d"), Key::Line("abcd".into()));
        assert_eq!(line("می\u{200c}خواهم"), Key::Line("می\u{200c}خواهم".into()), "joiners are letters' own");
    }

    proptest! {
        #[test]
        fn no_keys_make_it_panic_or_put_anything_but_text_on_the_screen(keys in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut editor = Editor::default();
            for key in keys {
                editor.feed(key);
                let (before, behind) = editor.view(20);
                let drawn = before + &behind;
                prop_assert!(drawn.graphemes(true).map(width).sum::<usize>() <= 20);
                prop_assert!(!drawn.chars().any(char::is_control));
            }
        }
    }
}

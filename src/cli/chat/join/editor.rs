//! The line that somebody is typing: keys become text, and the text can be drawn again after something was printed.
//!
//! What a shell's line does, as far as a chat needs it: the cursor, deleting, the lines typed before. Every character
//! is taken to be one column wide; letters that are wider only shift the cursor. Bounded: [`LONGEST`] characters, and
//! [`KEPT`] lines from before.

/// Characters of a line; more are not taken.
pub(super) const LONGEST: usize = 4000;

/// Lines that can be fetched back.
pub(super) const KEPT: usize = 100;

/// The line, and the cursor in it.
#[derive(Debug, Default)]
pub(super) struct Editor {
    text: Vec<char>,
    /// Where the next character goes.
    cursor: usize,
    /// Bytes of a character, or of a key that sends several, that are not all there.
    pending: Vec<u8>,
    before: Vec<String>,
    /// Which of the lines before is shown.
    shown: Option<usize>,
}

/// What a key does to the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// It is finished.
    Line(String),
    /// It looks different.
    Changed,
    /// Its writer wants to leave.
    Quit,
    /// Nothing.
    Nothing,
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
            0x04 if self.text.is_empty() => Key::Quit,
            0x04 => self.delete(),
            0x08 | 0x7f if self.cursor > 0 => {
                self.cursor -= 1;
                self.delete()
            }
            0x01 => self.go(0),
            0x05 => self.go(self.text.len()),
            0x02 => self.go(self.cursor.saturating_sub(1)),
            0x06 => self.go(self.cursor + 1),
            // Ctrl-U, Ctrl-K, Ctrl-W: to the beginning, to the end, one word.
            0x15 => self.cut(0),
            0x0b => {
                self.text.truncate(self.cursor);
                Key::Changed
            }
            0x17 => {
                let before = &self.text[..self.cursor];
                let word = before.iter().rposition(|c| !c.is_whitespace()).unwrap_or(0);
                let start = before[..word].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1);
                self.cut(start)
            }
            0x0c => Key::Changed,
            b'\t' => self.insert(' '),
            0x20..=0x7e => self.insert(char::from(byte)),
            _ => Key::Nothing,
        }
    }

    /// The part of the line to be drawn in so many columns, and how far back from its end the cursor stands.
    pub(super) fn view(&self, columns: usize) -> (String, usize) {
        let columns = columns.max(8);
        let start = (self.cursor + 1).saturating_sub(columns);
        let shown: String = self.text.iter().skip(start).take(columns).collect();
        let len = self.text.len().saturating_sub(start).min(columns);
        (shown, len - (self.cursor - start))
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
                b"[C" | b"OC" => self.go(self.cursor + 1),
                b"[D" | b"OD" => self.go(self.cursor.saturating_sub(1)),
                b"[H" | b"OH" | b"[1~" => self.go(0),
                b"[F" | b"OF" | b"[4~" => self.go(self.text.len()),
                b"[3~" => self.delete(),
                _ => Key::Nothing,
            };
        }
        match std::str::from_utf8(&self.pending) {
            Ok(text) => {
                let character = text.chars().next();
                self.pending.clear();
                character.filter(|c| !c.is_control()).map_or(Key::Nothing, |c| self.insert(c))
            }
            Err(error) if error.error_len().is_none() => Key::Nothing,
            Err(_) => {
                self.pending.clear();
                Key::Nothing
            }
        }
    }

    fn insert(&mut self, character: char) -> Key {
        if self.text.len() >= LONGEST {
            return Key::Nothing;
        }
        self.text.insert(self.cursor, character);
        self.cursor += 1;
        Key::Changed
    }

    fn delete(&mut self) -> Key {
        if self.cursor == self.text.len() {
            return Key::Nothing;
        }
        self.text.remove(self.cursor);
        Key::Changed
    }

    fn go(&mut self, to: usize) -> Key {
        self.cursor = to.min(self.text.len());
        Key::Changed
    }

    fn cut(&mut self, start: usize) -> Key {
        self.text.drain(start..self.cursor);
        self.cursor = start;
        Key::Changed
    }

    fn finish(&mut self) -> Key {
        let line: String = self.text.drain(..).collect();
        (self.cursor, self.shown) = (0, None);
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
        self.text =
            with.and_then(|at| self.before.get(at)).map(|line| line.chars().collect()).unwrap_or_default();
        self.go(self.text.len())
    }
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
    }

    #[test]
    fn the_view_follows_the_cursor() {
        assert_eq!(typed("hello").view(20), ("hello".into(), 0));
        assert_eq!(typed("hello\x1b[D\x1b[D").view(20), ("hello".into(), 2));
        assert_eq!(typed("0123456789").view(8), ("3456789".into(), 0));
        assert_eq!(typed("0123456789\x01").view(8), ("01234567".into(), 8));
    }

    proptest! {
        #[test]
        fn no_keys_make_it_panic_or_put_anything_but_text_on_the_screen(keys in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut editor = Editor::default();
            for key in keys {
                editor.feed(key);
                let (shown, back) = editor.view(20);
                prop_assert!(back <= shown.chars().count() && shown.chars().count() <= 20);
                prop_assert!(!shown.chars().any(char::is_control));
            }
        }
    }
}

//! Where lines come from: keys of a terminal, lines of one that gives no keys, or lines of a pipe.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines, Stdin};

use super::editor::{Editor, Key};
use crate::real::terminal::Keys;

/// Standard input.
pub(super) enum Keyboard {
    /// A terminal, key by key. The line is drawn here, and the terminal is as it was when this is dropped.
    Keys { stdin: Stdin, bytes: VecDeque<u8>, editor: Editor, _keys: Keys },
    /// Line by line.
    Lines { lines: Lines<BufReader<Stdin>>, terminal: bool },
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line.
    Line(String),
    /// Something of a line.
    Changed,
    /// The wish to leave.
    Quit,
    /// There is no more.
    End,
}

impl Keyboard {
    pub(super) fn new() -> Self {
        let terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let stdin = tokio::io::stdin();
        match Keys::of_stdin() {
            Ok(keys) if terminal && !dumb => {
                Keyboard::Keys { stdin, bytes: VecDeque::new(), editor: Editor::default(), _keys: keys }
            }
            _ => Keyboard::Lines { lines: BufReader::new(stdin).lines(), terminal },
        }
    }

    /// Whether there is somebody to see a prompt.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Keyboard::Keys { .. } | Keyboard::Lines { terminal: true, .. })
    }

    /// Whether the terminal itself shows what is typed.
    pub(super) fn has_echo(&self) -> bool {
        matches!(self, Keyboard::Lines { .. })
    }

    /// What is typed, as far as it fits, and how far before its end the cursor is.
    pub(super) fn view(&self, columns: usize) -> (String, usize) {
        match self {
            Keyboard::Keys { editor, .. } => editor.view(columns),
            Keyboard::Lines { .. } => (String::new(), 0),
        }
    }

    /// Waits for the next thing that is typed. May be dropped at any time.
    pub(super) async fn next(&mut self) -> io::Result<Typed> {
        match self {
            Keyboard::Lines { lines, .. } => Ok(lines.next_line().await?.map_or(Typed::End, Typed::Line)),
            Keyboard::Keys { stdin, bytes, editor, .. } => loop {
                while let Some(byte) = bytes.pop_front() {
                    match editor.feed(byte) {
                        Key::Line(line) => return Ok(Typed::Line(line)),
                        // What is pasted is drawn once.
                        Key::Changed if bytes.is_empty() => return Ok(Typed::Changed),
                        Key::Quit => return Ok(Typed::Quit),
                        Key::Changed | Key::Nothing => {}
                    }
                }
                let mut room = [0; 256];
                let read = stdin.read(&mut room).await?;
                if read == 0 {
                    return Ok(Typed::End);
                }
                bytes.extend(&room[..read]);
            },
        }
    }
}

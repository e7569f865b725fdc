//! Where lines come from: keys of a terminal, lines of one that gives no keys, or lines of a pipe.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _};

use tokio::io::{AsyncReadExt as _, Stdin};

use super::editor::{Editor, Key};
use crate::cli::lines::{self, Lines};
use crate::real::terminal::Keys;

/// Standard input, a terminal or not.
pub(super) enum Keyboard {
    /// A terminal, key by key. The line is drawn here, and the terminal is as it was when this is dropped.
    Keys { stdin: Stdin, bytes: VecDeque<u8>, editor: Editor, keys: Keys },
    /// Whole lines, from a pipe, a file, or a terminal without keys.
    Lines { lines: Lines, terminal: bool },
}

/// What was typed since the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// A whole line, without its end.
    Line(String),
    /// A line that cannot be said; why.
    Wrong(String),
    /// Something of a line.
    Changed,
    /// The wish to leave.
    Quit,
    /// The wish for the shell, for a while.
    Suspend,
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
                Keyboard::Keys { stdin, bytes: VecDeque::new(), editor: Editor::default(), keys }
            }
            _ => Keyboard::Lines { lines: Lines::of(stdin), terminal },
        }
    }

    /// Whether a prompt would be seen.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Keyboard::Keys { .. } | Keyboard::Lines { terminal: true, .. })
    }

    /// Whether the terminal itself shows what is typed.
    pub(super) fn has_echo(&self) -> bool {
        matches!(self, Keyboard::Lines { .. })
    }

    /// What is typed before and after the cursor, as far as it fits.
    pub(super) fn view(&self, columns: usize) -> (String, String) {
        match self {
            Keyboard::Keys { editor, .. } => editor.view(columns),
            Keyboard::Lines { .. } => (String::new(), String::new()),
        }
    }

    /// Stops the program as Ctrl-Z does, and goes on when the shell lets it.
    pub(super) fn suspend(&self) -> io::Result<()> {
        match self {
            Keyboard::Keys { keys, .. } => keys.suspend(),
            Keyboard::Lines { .. } => Ok(()),
        }
    }

    /// Waits for the next thing that is typed. May be dropped at any time.
    pub(super) async fn next(&mut self) -> io::Result<Typed> {
        match self {
            Keyboard::Lines { lines, .. } => Ok(match lines.next().await? {
                Some(lines::Line::Text(line)) => Typed::Line(line),
                Some(lines::Line::Wrong(why)) => Typed::Wrong(why),
                None => Typed::End,
            }),
            Keyboard::Keys { stdin, bytes, editor, .. } => loop {
                while let Some(byte) = bytes.pop_front() {
                    match editor.feed(byte) {
                        Key::Line(line) => return Ok(Typed::Line(line)),
                        // What is pasted is drawn once.
                        Key::Changed if bytes.is_empty() => return Ok(Typed::Changed),
                        Key::Quit => return Ok(Typed::Quit),
                        Key::Suspend => return Ok(Typed::Suspend),
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

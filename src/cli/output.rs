//! Where results go, and how they look there.

use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Stdout, Write};

use super::error::CliError;
use super::style::{ColorChoice, Style};
use crate::view::look::Look;
use crate::view::sheet::{Sheet, Tone, ansi};

/// Standard output with a look that fits it.
pub(super) struct Output {
    to: To,
    /// How pictures are drawn.
    pub(super) look: Look,
}

/// Where results go.
enum To {
    Stdout(BufWriter<Stdout>),
    /// Kept, to become something else.
    Kept(Sheet),
}

/// What to do with a picture on a terminal that asked for `--step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// All at once.
    AtOnce,
    /// Line by line: each waits for Enter.
    Step,
}

impl Output {
    pub(super) fn new(style: &Style) -> Self {
        let terminal = io::stdout().is_terminal();
        let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = env("TERM").is_some_and(|term| term == "dumb");
        let colour = match style.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !dumb && env("NO_COLOR").is_none(),
        };
        // Linux's own console has few glyphs; a locale that is not UTF-8 has none of ours.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env(name));
        let no_utf8 = locale.is_some_and(|locale| {
            let name = locale.to_string_lossy().to_ascii_lowercase();
            !name.contains("utf-8") && !name.contains("utf8") && name != "c" && name != "posix"
        });
        let ascii = style.ascii || dumb || (terminal && no_utf8);
        Output {
            to: To::Stdout(BufWriter::new(io::stdout())),
            look: Look { width: width(terminal), ascii, colour, absolute: false },
        }
    }

    /// An output that keeps what is written as a sheet: 80 columns, whatever the terminal is.
    pub(super) fn kept() -> Self {
        Output { to: To::Kept(Sheet::new()), look: Look::default() }
    }

    /// What was written, if it was kept.
    pub(super) fn into_sheet(self) -> Sheet {
        match self.to {
            To::Stdout(_) => Sheet::new(),
            To::Kept(sheet) => sheet,
        }
    }

    /// Writes text as it is. Where it is kept, its last line ends with it.
    pub(super) fn text(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(_) => self.bytes(text.as_ref().as_bytes()),
            To::Kept(sheet) => {
                sheet.say(text, Tone::Plain);
                Ok(())
            }
        }
    }

    /// Writes a line, or several.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        self.text(format!("{}\n", text.as_ref()))
    }

    /// Writes a line, or several, in a tone.
    pub(super) fn toned(&mut self, tone: Tone, text: impl AsRef<str>) -> Result<(), CliError> {
        self.sheet(&Sheet::of(text, tone))
    }

    /// Writes bytes as they are; a kept page has no place for them.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.write_all(bytes).map_err(|e| CliError::io("writing the result", &e)),
            To::Kept(_) => Ok(()),
        }
    }

    /// Writes a sheet, in colour if there is colour.
    pub(super) fn sheet(&mut self, sheet: &Sheet) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(_) => self.text(self.look.written(sheet)),
            To::Kept(kept) => {
                kept.extend(sheet.clone());
                Ok(())
            }
        }
    }

    /// Writes a picture, line by line if that was asked for and there is a terminal to press Enter at.
    pub(super) fn picture(&mut self, picture: &Sheet, pace: Pace) -> Result<(), CliError> {
        if pace == Pace::AtOnce || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return self.sheet(picture);
        }
        let mut input = io::stdin().lock();
        for line in picture.lines() {
            self.text(if self.look.colour { ansi::line_to_ansi(line) } else { line.to_string() })?;
            self.flush()?;
            let mut answer = String::new();
            let read = input.read_line(&mut answer).map_err(|e| CliError::io("reading the keyboard", &e))?;
            if read == 0 {
                // The end of input: no Enter will come, so the rest is shown.
                self.line("")?;
            }
        }
        Ok(())
    }

    /// A separator for lines of facts: `·`, or a comma where that cannot be shown.
    pub(super) fn dot(&self) -> &'static str {
        if self.look.ascii { ", " } else { " · " }
    }

    /// Rows of a page: the terminal's, less one for a prompt; 23 where there is none.
    pub(super) fn rows(&self) -> usize {
        let found = terminal_size::terminal_size().map(|(_, height)| usize::from(height.0));
        found.unwrap_or(24).max(10) - 1
    }

    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.flush().map_err(|e| CliError::io("writing the result", &e)),
            To::Kept(_) => Ok(()),
        }
    }
}

/// Says something that is not a result.
pub(super) fn remark(text: impl std::fmt::Display) {
    // A message that cannot be printed is no reason to stop.
    let _ = writeln!(io::stderr(), "{text}");
}

/// The width to draw for: the terminal's, but at least 40; 80 where there is none. `COLUMNS` has the last word.
fn width(terminal: bool) -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let found = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = asked.or_else(|| if terminal { found() } else { None }).unwrap_or(80);
    width.clamp(Look::LEAST_WIDTH, 160)
}

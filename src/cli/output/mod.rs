//! Where results go, and how they look there.
//!
//! This is the one way to a terminal: `tests/house` says that nothing else prints. And it takes nothing that could act
//! on one: sheets, which have no such characters, and texts, which are made
//! [`harmless`](crate::view::look::harmless) on their way in.

pub(super) mod pager;
pub(super) mod pages;
mod remark;

use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Stdout, Write};

use self::pages::Screen;
pub(super) use self::remark::{error, overwrite, remark, wipe};
use super::error::CliError;
use super::style::{ColorChoice, Style};
use crate::view::look::{Look, grouped, harmless};
use crate::view::plot::Plot;
use crate::view::sheet::{Line, Sheet, Tone, ansi};
use crate::view::svg::terminal::Part;

/// Standard output with a look that fits it.
pub(super) struct Output {
    to: To,
    /// How pictures are drawn.
    pub(super) look: Look,
    /// Where what is typed comes from.
    keyboard: Keyboard,
    /// Whether somebody is there to press Enter when a screen is full.
    pauses: bool,
    /// What will be shown page by page, when it is complete: each sheet by itself.
    kept_for_pages: Option<Kept>,
    /// What is complete of a page that becomes a picture; `None` for all else.
    picture: Option<Vec<Part>>,
}

/// What waits to be shown page by page. Bounded: of more than [`Kept::MOST`] lines the rest is counted, and the last
/// page says how to have it all.
#[derive(Debug, Default)]
struct Kept {
    sheets: Vec<Sheet>,
    lines: usize,
    left_out: usize,
}

impl Kept {
    const MOST: usize = 50_000;

    fn push(&mut self, sheet: &Sheet) {
        let (lines, room) = (sheet.height(), Self::MOST - self.lines);
        let kept = lines.min(room);
        self.left_out += lines - kept;
        self.lines += kept;
        if kept == lines {
            self.sheets.push(sheet.clone());
        } else if kept > 0 {
            self.sheets.push(sheet.lines().iter().take(kept).cloned().collect());
        }
    }

    fn into_sheets(mut self) -> Vec<Sheet> {
        if self.left_out > 0 {
            let more = grouped(self.left_out as u64);
            let text =
                format!("{more} lines more than pages are kept for: `| less` or `> FILE` has them all");
            self.sheets.push(Sheet::of(text, Tone::Faint));
        }
        self.sheets
    }
}

/// Where results go.
enum To {
    Stdout(BufWriter<Stdout>),
    /// Kept, to become something else.
    Kept(Sheet),
}

/// Where what is typed comes from.
enum Keyboard {
    Stdin,
    /// Nobody is there.
    Nobody,
    /// Lines typed beforehand, on a screen of this size; how much had been written when each was read.
    #[cfg(test)]
    Script {
        typed: std::collections::VecDeque<String>,
        screen: Screen,
        read_at: Vec<usize>,
    },
}

/// What to do with a picture on a terminal that asked for `--step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// All at once.
    AtOnce,
    /// Line by line: each waits for Enter.
    Step,
}

/// Lines after the first of a text that is too wide for a terminal begin with `INDENT` blanks more than it.
const INDENT: usize = 2;

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
        let somebody = terminal && io::stdin().is_terminal();
        Output {
            to: To::Stdout(BufWriter::new(io::stdout())),
            look: Look { width: width(terminal), ascii, colour, absolute: false },
            keyboard: if somebody { Keyboard::Stdin } else { Keyboard::Nobody },
            pauses: somebody && !style.no_pause,
            kept_for_pages: None,
            picture: None,
        }
    }

    /// An output that keeps what is written as a sheet: 80 columns, whatever the terminal is.
    pub(super) fn kept() -> Self {
        Output {
            to: To::Kept(Sheet::new()),
            look: Look::default(),
            keyboard: Keyboard::Nobody,
            pauses: false,
            kept_for_pages: None,
            picture: None,
        }
    }

    /// The same for a page that becomes a picture, in which plots are drawn and not written.
    pub(super) fn picture_page() -> Self {
        Output { picture: Some(Vec::new()), ..Self::kept() }
    }

    /// What was written, when it is to become a picture.
    pub(super) fn into_parts(mut self) -> Vec<Part> {
        let mut parts = self.picture.take().unwrap_or_default();
        parts.push(Part::Sheet(self.into_sheet()));
        parts
    }

    /// A terminal of this size with somebody who types these lines, and then ends the input.
    #[cfg(test)]
    pub(super) fn script(screen: Screen, typed: &[&str]) -> Self {
        let typed = typed.iter().map(|line| (*line).to_owned()).collect();
        Output {
            look: Look { width: screen.columns, ..Look::default() },
            keyboard: Keyboard::Script { typed, screen, read_at: Vec::new() },
            pauses: true,
            ..Output::kept()
        }
    }

    /// What was written, if it was kept.
    pub(super) fn into_sheet(self) -> Sheet {
        match self.to {
            To::Stdout(_) => Sheet::new(),
            To::Kept(sheet) => sheet,
        }
    }

    /// What was on the screen each time that a line was typed, and in the end.
    #[cfg(test)]
    pub(super) fn into_screens(self) -> Vec<Sheet> {
        let Keyboard::Script { read_at, .. } = self.keyboard else { return vec![self.into_sheet()] };
        let To::Kept(sheet) = self.to else { return Vec::new() };
        let mut lines = sheet.into_iter();
        let mut from = 0;
        let mut screens: Vec<Sheet> = Vec::new();
        for to in read_at {
            screens.push(lines.by_ref().take(to - from).collect());
            from = to;
        }
        screens.push(lines.collect());
        screens
    }

    /// Whether somebody is there who sees what is written and can answer.
    pub(super) fn has_somebody(&self) -> bool {
        !matches!(self.keyboard, Keyboard::Nobody)
    }

    /// Whether what is written is seen on a screen, and not kept in a file or read by a program.
    pub(super) fn is_screen(&self) -> bool {
        self.has_somebody() || (matches!(self.to, To::Stdout(_)) && io::stdout().is_terminal())
    }

    /// Whether it waits when a screen is full.
    pub(super) fn pauses(&self) -> bool {
        self.pauses
    }

    /// From here to [`finish`](Self::finish), what is written is shown page by page, if somebody is there to turn them.
    pub(super) fn in_pages(&mut self) {
        if self.pauses {
            self.kept_for_pages.get_or_insert_default();
        }
    }

    /// Shows what was kept for pages, and writes what is buffered.
    pub(super) fn finish(&mut self) -> Result<(), CliError> {
        if let Some(kept) = self.kept_for_pages.take() {
            pager::show(&kept.into_sheets(), self)?;
        }
        self.flush()
    }

    /// Writes a line, or several: words, broken between them where a terminal is too narrow.
    pub(super) fn line(&mut self, text: impl Into<Sheet>) -> Result<(), CliError> {
        let sheet = text.into();
        match self.is_screen() {
            true => {
                let columns = self.look.columns();
                let folded = |line: Line| {
                    let blanks = line.cells().iter().take_while(|cell| cell.is_blank()).count();
                    line.folded(columns, blanks + INDENT)
                };
                self.sheet(&sheet.into_iter().flat_map(folded).collect())
            }
            false => self.sheet(&sheet),
        }
    }

    /// Writes a line, or several, in a tone.
    pub(super) fn toned(&mut self, tone: Tone, text: impl AsRef<str>) -> Result<(), CliError> {
        self.line(Sheet::of(harmless(text.as_ref()), tone))
    }

    /// Writes the next command to type, and what it is for.
    pub(super) fn next(&mut self, command: &str, what: &str) -> Result<(), CliError> {
        self.line(next(command, what))
    }

    /// Writes the beginning of a line, at once: a prompt.
    pub(super) fn begin(&mut self, line: Line) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(_) => {
                let text = if self.look.colour { ansi::line_to_ansi(&line) } else { line.to_string() };
                self.bytes(text.as_bytes())?;
                self.flush()
            }
            To::Kept(kept) => {
                kept.push(line);
                Ok(())
            }
        }
    }

    /// Goes back to the beginning of a line, to write it once more.
    pub(super) fn back_to_its_beginning(&mut self) -> Result<(), CliError> {
        self.bytes(b"\r")
    }

    /// Takes away the line that was begun.
    pub(super) fn clear_line(&mut self) -> Result<(), CliError> {
        self.bytes(ansi::CLEAR_LINE.as_bytes())
    }

    /// The next line that is typed; `None` at the end of the input.
    pub(super) fn read_line(&mut self) -> Result<Option<String>, CliError> {
        self.flush()?;
        let typed = match &mut self.keyboard {
            Keyboard::Nobody => None,
            Keyboard::Stdin => {
                let mut typed = String::new();
                let read = io::stdin().lock().read_line(&mut typed);
                let read = read.map_err(|error| CliError::io("reading the keyboard", &error))?;
                (read > 0).then_some(typed)
            }
            #[cfg(test)]
            Keyboard::Script { typed, read_at, .. } => {
                let To::Kept(sheet) = &self.to else { return Ok(None) };
                read_at.push(sheet.height());
                typed.pop_front()
            }
        };
        if typed.is_none() {
            self.line("")?;
        }
        Ok(typed)
    }

    /// Writes a text for programs, its lines whole: a document, source to be copied. Only on a terminal is it made
    /// harmless.
    pub(super) fn document(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        let text = text.as_ref();
        match &mut self.to {
            To::Stdout(_) if io::stdout().is_terminal() => self.bytes(harmless(text).as_bytes()),
            To::Stdout(_) => self.bytes(text.as_bytes()),
            To::Kept(kept) => {
                kept.extend(Sheet::from(text.trim_end_matches('\n')));
                Ok(())
            }
        }
    }

    /// Writes bytes as they are, for programs; a kept page has no place for them.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.stream(|stdout| stdout.write_all(bytes))
    }

    /// The same for bytes that are made while they are written.
    pub(super) fn stream(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(stdout) => write(stdout).map_err(|e| CliError::io("writing the result", &e)),
            To::Kept(_) => Ok(()),
        }
    }

    /// Writes a sheet, in colour if there is colour. What it has beyond the screen's width the screen breaks.
    pub(super) fn sheet(&mut self, sheet: &Sheet) -> Result<(), CliError> {
        if let Some(kept) = &mut self.kept_for_pages {
            kept.push(sheet);
            return Ok(());
        }
        match &mut self.to {
            To::Stdout(_) => self.bytes(self.look.written(sheet).as_bytes()),
            To::Kept(kept) => {
                kept.extend(sheet.clone());
                Ok(())
            }
        }
    }

    /// Shows a plot.
    pub(super) fn plot(&mut self, plot: &Plot) -> Result<(), CliError> {
        match (&mut self.picture, &mut self.to) {
            (Some(parts), To::Kept(kept)) => {
                parts.push(Part::Sheet(std::mem::take(kept)));
                parts.push(Part::Drawn(Box::new(plot.clone())));
                Ok(())
            }
            _ => self.sheet(&plot.draw(&self.look)),
        }
    }

    /// Writes a picture, line by line if that was asked for and there is a terminal to press Enter at.
    pub(super) fn picture(&mut self, picture: &Sheet, pace: Pace) -> Result<(), CliError> {
        if pace == Pace::AtOnce || !self.has_somebody() {
            return self.sheet(picture);
        }
        for line in picture.lines() {
            self.begin(line.clone())?;
            // At the end of input no Enter will come, so the rest is shown.
            self.read_line()?;
        }
        Ok(())
    }

    /// A separator for lines of facts: `·`, or a comma where that cannot be shown.
    pub(super) fn dot(&self) -> &'static str {
        if self.look.ascii { ", " } else { " · " }
    }

    /// The size of the screen now; 80x24 where there is none. What is drawn next is drawn for it.
    pub(super) fn screen(&mut self) -> Screen {
        #[cfg(test)]
        if let Keyboard::Script { screen, .. } = self.keyboard {
            return screen;
        }
        if self.has_somebody() {
            self.look.width = width(true);
        }
        let rows = terminal_size::terminal_size().map_or(24, |(_, height)| usize::from(height.0));
        Screen { rows, columns: self.look.columns() }
    }

    pub(super) fn flush(&mut self) -> Result<(), CliError> {
        match &mut self.to {
            To::Stdout(stdout) => stdout.flush().map_err(|e| CliError::io("writing the result", &e)),
            To::Kept(_) => Ok(()),
        }
    }
}

/// The line that says what to type next.
pub(super) fn next(command: &str, what: &str) -> Line {
    let line = Line::of("next: ", Tone::Plain).with(command, Tone::Strong);
    if what.is_empty() { line } else { line.with(format!("    {what}"), Tone::Plain) }
}

/// The width to draw for: the terminal's, but at least 40; 80 where there is none. `COLUMNS` has the last word.
fn width(terminal: bool) -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let found = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = asked.or_else(|| if terminal { found() } else { None }).unwrap_or(80);
    width.clamp(Look::LEAST_WIDTH, 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_pages_has_a_bound_and_says_what_is_missing() {
        let mut kept = Kept::default();
        let many: Sheet = (0..30_000).map(|n| Line::of(n.to_string(), Tone::Plain)).collect();
        (0..2).for_each(|_| kept.push(&many));
        kept.push(&Sheet::of("the end", Tone::Plain));
        let sheets = kept.into_sheets();
        assert_eq!(sheets.iter().map(Sheet::height).sum::<usize>(), Kept::MOST + 1);
        let last = sheets.last().map(ToString::to_string).unwrap_or_default();
        assert!(last.starts_with("10,001 lines more"), "{last}");
    }
}

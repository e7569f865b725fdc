//! A picture as a value: lines of cells, each with a character, a tone, and what it shows.
//!
//! Every view draws a [`Sheet`]; only a writer knows what becomes of it:
//!
//! | writer | for |
//! |---|---|
//! | [`Sheet`]'s `Display` | plain text: files, pipes, tests, the book |
//! | [`ansi`] | a terminal with colours |
//! | [`svg::terminal`](super::svg::terminal) | an image |
//! | [`html`] | a page |
//! | [`Sheet::window`] | a full-screen program, cell by cell |
//!
//! A cell is what a monospaced terminal gives an ordinary letter. Wide characters take two, of which the second is
//! empty; combining marks share the cell of their letter. Control characters, and all else that could act on a
//! terminal, have no cell: so no writer can let one through.

pub mod ansi;
pub mod html;
mod line;
mod tone;
mod width;
mod wrap;

#[cfg(test)]
mod tests;

use std::fmt;

pub use line::{Cell, Line, Subject};
pub use tone::Tone;
pub(crate) use tone::{COLOURS, Colour};
pub(crate) use width::acts_on_a_terminal;
pub use width::{char_width, width};
pub(crate) use wrap::cut;
pub use wrap::{LongWord, wrap, wrap_parts, wrap_words};

/// Lines of cells, from top to bottom. They may differ in width.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Sheet {
    lines: Vec<Line>,
}

impl Sheet {
    /// A sheet without lines.
    pub fn new() -> Self {
        Sheet::default()
    }

    /// The lines of a text, all in one tone.
    pub fn of(text: impl AsRef<str>, tone: Tone) -> Self {
        text.as_ref().lines().map(|line| Line::of(line, tone)).collect()
    }

    /// Adds a line below the others.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds the lines of a text, in one tone.
    pub fn say(&mut self, text: impl AsRef<str>, tone: Tone) {
        self.extend(Sheet::of(text, tone));
    }

    /// The lines, from the top.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many lines it has.
    pub fn height(&self) -> usize {
        self.lines.len()
    }

    /// The cells of its widest line.
    pub fn width(&self) -> usize {
        self.lines.iter().map(Line::width).max().unwrap_or(0)
    }

    /// The cells that a window of `height` lines and `width` columns shows whose upper left corner is at line `top`,
    /// column `left`: each with its line and column in the window. A wide character comes once, at its first column,
    /// and not at all where the window would cut it in two.
    pub fn window(
        &self,
        (top, left): (usize, usize),
        (height, width): (usize, usize),
    ) -> impl Iterator<Item = (usize, usize, &Cell)> {
        let lines = self.lines.iter().skip(top).take(height).enumerate();
        lines.flat_map(move |(row, line)| {
            let shown = line.cells().iter().enumerate().skip(left).take(width);
            shown
                .filter(move |(at, cell)| !cell.is_taken() && at + cell.width() <= left + width)
                .map(move |(at, cell)| (row, at - left, cell))
        })
    }
}

impl fmt::Display for Sheet {
    /// Plain text: each line with a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl From<Line> for Sheet {
    fn from(line: Line) -> Self {
        Sheet { lines: vec![line] }
    }
}

impl FromIterator<Line> for Sheet {
    fn from_iter<I: IntoIterator<Item = Line>>(lines: I) -> Self {
        Sheet { lines: lines.into_iter().collect() }
    }
}

impl FromIterator<Sheet> for Sheet {
    /// One below the other.
    fn from_iter<I: IntoIterator<Item = Sheet>>(sheets: I) -> Self {
        Sheet { lines: sheets.into_iter().flatten().collect() }
    }
}

impl IntoIterator for Sheet {
    type Item = Line;
    type IntoIter = std::vec::IntoIter<Line>;

    fn into_iter(self) -> Self::IntoIter {
        self.lines.into_iter()
    }
}

impl Extend<Line> for Sheet {
    fn extend<I: IntoIterator<Item = Line>>(&mut self, lines: I) {
        self.lines.extend(lines);
    }
}

//! A line of cells, to add to at its end or to write on where one likes.

use std::fmt;
use std::ops::Range;

use super::Tone;
use super::width::{char_width, shown, width};
use crate::trace::FrameId;

/// One cell: a character, its marks, and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    character: char,
    /// Combining marks on it, in front; the places after them are free.
    marks: [char; MOST_MARKS],
    /// The palette's entry for what it means.
    pub tone: Tone,
    /// What it shows, if it is more than scaffolding.
    pub subject: Option<Subject>,
}

/// What a cell shows: something in what its picture was drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A frame of the trace.
    Frame(FrameId),
    /// An event, by its index in the trace.
    Event(usize),
    /// A part of the dissection, by its index.
    Part(usize),
    /// A field of a header.
    Field {
        /// The header, by its index among the parts of the dissection.
        part: usize,
        /// The field, by its index in the header.
        field: usize,
    },
}

/// The second cell of a wide character.
const TAKEN: char = '\0';
/// A place for a mark that has none.
const FREE: char = '\0';
/// Marks on one character; more are left out. Orthographies need two or three, and the bound keeps a cell small.
const MOST_MARKS: usize = 3;

impl Cell {
    const BLANK: Cell = Cell { character: ' ', marks: [FREE; MOST_MARKS], tone: Tone::Plain, subject: None };

    /// Its character and the marks on it; nothing for the second cell of a wide character.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<> {
        let character = Some(self.character).filter(|c| *c != TAKEN);
        character.into_iter().chain(self.marks.into_iter().take_while(|mark| *mark != FREE))
    }

    /// The columns that its character takes: 0 for the second cell of a wide one.
    pub fn width(&self) -> usize {
        char_width(self.character)
    }

    /// Whether it is the second cell of a wide character.
    pub(super) fn is_taken(&self) -> bool {
        self.character == TAKEN
    }

    /// Whether nothing is to be seen in it.
    pub fn is_blank(&self) -> bool {
        self.character == ' ' && self.marks[0] == FREE
    }
}

/// A line of cells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Line {
    cells: Vec<Cell>,
    /// It belongs to the head of a picture.
    head: bool,
}

impl Line {
    /// A line without cells.
    pub fn new() -> Self {
        Line::default()
    }

    /// A line of `width` blanks, to write on.
    pub fn blank(width: usize) -> Self {
        Line { cells: vec![Cell::BLANK; width], head: false }
    }

    /// A text in one tone.
    pub fn of(text: impl AsRef<str>, tone: Tone) -> Self {
        Line::new().with(text, tone)
    }

    /// The line with a text at its end.
    pub fn with(mut self, text: impl AsRef<str>, tone: Tone) -> Self {
        self.push(text, tone);
        self
    }

    /// The line as one of the head of a picture: names over lifelines, headings over columns. Where the picture goes on
    /// on another page, its head is there again.
    pub fn as_head(mut self) -> Self {
        self.head = true;
        self
    }

    /// Whether it belongs to the head of a picture.
    pub fn is_head(&self) -> bool {
        self.head
    }

    /// Adds a text at the end, and says which cells it takes.
    pub fn push(&mut self, text: impl AsRef<str>, tone: Tone) -> Range<usize> {
        let start = self.cells.len();
        for c in shown(text.as_ref()) {
            match char_width(c) {
                0 => self.mark(self.cells.len(), c),
                wide => {
                    self.cells.push(Cell { character: c, tone, ..Cell::BLANK });
                    self.cells.extend((1..wide).map(|_| Cell { character: TAKEN, tone, ..Cell::BLANK }));
                }
            }
        }
        start..self.cells.len()
    }

    /// Adds blanks at the end until it has `width` cells.
    pub fn pad(&mut self, width: usize) {
        if self.cells.len() < width {
            self.cells.resize(width, Cell::BLANK);
        }
    }

    /// Writes a text from cell `at` on, and says which cells it takes. What is written beyond the end is lost.
    pub fn put(&mut self, at: usize, text: &str, tone: Tone) -> Range<usize> {
        let mut end = at;
        for c in shown(text) {
            let needs = char_width(c);
            match needs {
                0 if end > at => self.mark(end, c),
                0 => {}
                _ if end + needs > self.cells.len() => {}
                _ => {
                    self.set(end, Cell { character: c, tone, ..Cell::BLANK });
                    for taken in end + 1..end + needs {
                        self.set(taken, Cell::BLANK);
                        self.cells[taken] = Cell { character: TAKEN, tone, ..Cell::BLANK };
                    }
                    end += needs;
                }
            }
        }
        at.min(end)..end
    }

    /// Writes a text so that its last cell comes before cell `end`.
    pub fn put_before(&mut self, end: usize, text: &str, tone: Tone) -> Range<usize> {
        self.put(end.saturating_sub(width(text)), text, tone)
    }

    /// Writes a text with its middle at cell `at`, but never beyond the ends.
    pub fn put_around(&mut self, at: usize, text: &str, tone: Tone) -> Range<usize> {
        let width = width(text);
        let start = at.saturating_sub(width / 2).min(self.cells.len().saturating_sub(width));
        self.put(start, text, tone)
    }

    /// Writes the same character into all cells of `range`.
    pub fn fill(&mut self, range: Range<usize>, c: char, tone: Tone) {
        for at in range.start..range.end.min(self.cells.len()) {
            self.set(at, Cell { character: c, tone, ..Cell::BLANK });
        }
    }

    /// Copies another line over this one, from cell `at` on.
    pub fn paste(&mut self, at: usize, other: &Line) {
        for (cell, from) in self.cells.iter_mut().skip(at).zip(&other.cells) {
            *cell = *from;
        }
    }

    /// Marks what the cells of `range` show.
    pub fn about(&mut self, range: Range<usize>, subject: Subject) {
        let end = range.end.min(self.cells.len());
        if let Some(cells) = self.cells.get_mut(range.start..end) {
            cells.iter_mut().for_each(|cell| cell.subject = Some(subject));
        }
    }

    /// The line without blanks at its end.
    pub fn trimmed(mut self) -> Self {
        let used = self.cells.iter().rposition(|cell| !cell.is_blank()).map_or(0, |last| last + 1);
        self.cells.truncate(used);
        self
    }

    /// The line broken between words into lines of at most `columns`, of which those after the first begin with `indent`
    /// blanks; a word that is longer than a line is broken. What fits is as it was.
    pub fn folded(self, columns: usize, indent: usize) -> Vec<Line> {
        let columns = columns.max(1);
        if self.cells.len() <= columns {
            return vec![self];
        }
        let indent = indent.min(columns / 2);
        let (mut lines, mut rest) = (Vec::new(), &self.cells[..]);
        while !rest.is_empty() {
            let indent = if lines.is_empty() { 0 } else { indent };
            let room = (columns - indent).max(2);
            let end = if rest.len() <= room { rest.len() } else { Self::break_before(rest, room) };
            let mut line = Line { head: self.head, ..Line::blank(indent) };
            line.cells.extend_from_slice(&rest[..end]);
            lines.push(line.trimmed());
            rest = &rest[end..];
            rest = &rest[rest.iter().take_while(|cell| cell.is_blank()).count()..];
        }
        lines
    }

    /// Where a line of at most `room` cells ends: at the last blank that has words before it, or in a word.
    fn break_before(cells: &[Cell], room: usize) -> usize {
        let first = cells.iter().take_while(|cell| cell.is_blank()).count();
        match cells[..=room].iter().rposition(Cell::is_blank) {
            Some(blank) if blank > first => blank,
            _ if cells[room].is_taken() => room - 1,
            _ => room,
        }
    }

    /// The line with every character replaced by one that takes a single cell, and without marks.
    pub(crate) fn respelt(mut self, spelling: impl Fn(char) -> char) -> Self {
        for cell in &mut self.cells {
            cell.character = if cell.is_taken() { ' ' } else { spelling(cell.character) };
            cell.marks = [FREE; MOST_MARKS];
        }
        self
    }

    /// The cells of the line, from the left.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// How many cells it has.
    pub fn width(&self) -> usize {
        self.cells.len()
    }

    /// Puts a combining mark on the character that ends before cell `end`.
    fn mark(&mut self, end: usize, mark: char) {
        let letter = self.cells[..end].iter_mut().rev().find(|cell| !cell.is_taken());
        let free = letter.and_then(|cell| cell.marks.iter_mut().find(|place| **place == FREE));
        if let Some(place) = free {
            *place = mark;
        }
    }

    /// Writes one cell. Half of a wide character is no character: its other half becomes a blank.
    fn set(&mut self, at: usize, cell: Cell) {
        if self.cells[at].is_taken() && at > 0 {
            self.cells[at - 1] = Cell::BLANK;
        }
        if self.cells.get(at + 1).is_some_and(Cell::is_taken) {
            self.cells[at + 1] = Cell::BLANK;
        }
        self.cells[at] = cell;
    }
}

impl fmt::Display for Line {
    /// Plain text, without a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.cells.iter().flat_map(Cell::chars).try_for_each(|c| f.write_char(c))
    }
}

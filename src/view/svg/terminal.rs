//! A sheet as a picture, as a terminal would show it.
//!
//! Lines, arrows and the dots of Braille characters are drawn, not written: fonts do not agree on how high they are, and
//! letters that do not touch make no line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{ADVANCE, Alt, Anchor, Canvas, LineStyle, number};
use crate::view::sheet::{Cell, Line, Sheet, Tone};

/// Height of a line.
const ROW: f64 = 15.0;
/// The base line below the top of its line.
const BASE: f64 = 11.0;
/// Empty room around the text.
const EDGE: f64 = 14.0;
/// A picture of narrower text is still this many columns wide.
const LEAST_COLUMNS: usize = 40;
/// What draws itself has at least this width.
const DRAWN_COLUMNS: usize = 80;

/// A part of what a command printed.
#[derive(Debug)]
pub enum Part {
    /// Lines.
    Sheet(Sheet),
    /// What is more than letters: a plot, whose lines are drawn as lines.
    Drawn(Box<dyn Paint>),
}

/// What draws itself on a canvas.
pub trait Paint: std::fmt::Debug {
    /// Draws it with its upper left corner at a place, as wide as it may be. Says how high it is.
    fn paint(&self, canvas: &mut Canvas, at: (f64, f64), width: f64) -> f64;

    /// What it shows, in words.
    fn told(&self) -> String;
}

/// Draws what `command` printed below the command itself, after a prompt.
pub fn to_svg(command: &str, printed: &[Part], alt: Alt<'_>) -> String {
    let mut canvas = Canvas::default();
    let prompt = Line::of("$ ", Tone::Faint).with(command, Tone::Strong);
    let prompt = Part::Sheet(Some(prompt).filter(|_| !command.is_empty()).into_iter().collect());
    let parts: Vec<&Part> = Some(&prompt).into_iter().chain(printed).collect();
    let columns = parts.iter().map(|part| part.columns()).max().unwrap_or(0).max(LEAST_COLUMNS);
    let width = columns as f64 * ADVANCE;
    let mut strokes: BTreeMap<Tone, String> = BTreeMap::new();
    let mut top = EDGE;
    for part in parts {
        match part {
            Part::Sheet(sheet) => {
                for line in sheet.lines() {
                    text(line.cells(), top, &mut canvas);
                    lines_of(line.cells(), top, &mut strokes, &mut canvas);
                    top += ROW;
                }
            }
            Part::Drawn(drawn) => top += drawn.paint(&mut canvas, (EDGE, top), width),
        }
    }
    for (tone, path) in &strokes {
        canvas.path(path, *tone, LineStyle::Solid);
    }
    let size = (2.0 * EDGE + width, EDGE + top);
    canvas.file(size, alt)
}

impl Part {
    /// How wide it wants to be.
    fn columns(&self) -> usize {
        match self {
            Part::Sheet(sheet) => sheet.width(),
            Part::Drawn(_) => DRAWN_COLUMNS,
        }
    }
}

/// Writes the letters of a line, in runs of one colour.
fn text(line: &[Cell], top: f64, canvas: &mut Canvas) {
    let mut at = 0;
    while at < line.len() {
        let tone = line[at].tone;
        let is_letter = |cell: &Cell| cell.tone == tone && !is_drawn(cell) && !cell.is_blank();
        if !is_letter(&line[at]) {
            at += 1;
            continue;
        }
        // A single blank between two words belongs to the run, two begin another one.
        let mut end = at + 1;
        while end < line.len() {
            let bridged = line[end].is_blank() && line.get(end + 1).is_some_and(is_letter);
            if !bridged && !is_letter(&line[end]) {
                break;
            }
            end += 1;
        }
        let run: String = line[at..end].iter().flat_map(Cell::chars).collect();
        let place = (EDGE + at as f64 * ADVANCE, top + BASE);
        match end - at {
            1 => canvas.text(place, Anchor::Start, tone, &run),
            wide => canvas.text_of_width(place, wide as f64 * ADVANCE, tone, &run),
        }
        at = end;
    }
}

/// Whether a cell is drawn instead of written.
fn is_drawn(cell: &Cell) -> bool {
    arms(cell).is_some() || dots(cell).is_some() || matches!(character(cell), Some('►' | '◄'))
}

/// The character of a cell, if it is a bare one.
fn character(cell: &Cell) -> Option<char> {
    let mut characters = cell.chars();
    characters.next().filter(|_| characters.next().is_none())
}

/// The sides to which a box drawing character has lines: up, down, left, right.
fn arms(cell: &Cell) -> Option<[bool; 4]> {
    let arms = match character(cell)? {
        '─' => "lr",
        '│' => "ud",
        '├' => "udr",
        '┤' => "udl",
        '┼' => "udlr",
        '┬' => "dlr",
        '┴' => "ulr",
        '┌' => "dr",
        '┐' => "dl",
        '└' => "ur",
        '┘' => "ul",
        _ => return None,
    };
    Some(['u', 'd', 'l', 'r'].map(|side| arms.contains(side)))
}

/// The dots of a Braille character, as its bits.
fn dots(cell: &Cell) -> Option<u32> {
    u32::from(character(cell)?).checked_sub(0x2800).filter(|bits| *bits <= 0xff)
}

/// The dots of a cell as one path: squares, each as large as its share of the cell, so that those side by side touch.
fn dots_path(bits: u32, left: f64, top: f64) -> String {
    // By rows, and in each from the left; Braille counts the lower two apart from the rest.
    const BITS: [u32; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
    let (width, height) = (ADVANCE / 2.0, ROW / 4.0);
    let mut path = String::new();
    for (n, _) in BITS.iter().enumerate().filter(|(_, bit)| bits & **bit != 0) {
        let (x, y) = (left + (n % 2) as f64 * width, top + (n / 2) as f64 * height);
        let (x, y, right, below) = (number(x), number(y), number(x + width), number(y + height));
        let _ = write!(path, "M{x} {y}H{right}V{below}H{x}Z");
    }
    path
}

fn lines_of(line: &[Cell], top: f64, strokes: &mut BTreeMap<Tone, String>, canvas: &mut Canvas) {
    let middle = number(top + ROW / 2.0);
    for (at, cell) in line.iter().enumerate() {
        let left = EDGE + at as f64 * ADVANCE;
        let (x, right) = (left + ADVANCE / 2.0, left + ADVANCE);
        if let Some(head @ ('►' | '◄')) = character(cell) {
            let (tip, back) = if head == '►' { (right, left) } else { (left, right) };
            let y = top + ROW / 2.0;
            let (back, tip) = (number(back), number(tip));
            let (above, below) = (number(y - 3.6), number(y + 3.6));
            canvas.area(&format!("M{tip} {middle}L{back} {above}L{back} {below}Z"), cell.tone);
            continue;
        }
        if let Some(bits) = dots(cell) {
            canvas.area(&dots_path(bits, left, top), cell.tone);
            continue;
        }
        let Some([up, down, to_left, to_right]) = arms(cell) else { continue };
        let path = strokes.entry(cell.tone).or_default();
        // A run of lines to the right is one line.
        let continues = at > 0
            && line[at - 1].tone == cell.tone
            && arms(&line[at - 1]).is_some_and(|[_, _, _, right]| right);
        if to_left || to_right {
            let from = if to_left { left } else { x };
            let to = if to_right { right } else { x };
            if continues && to_left {
                let _ = write!(path, "H{}", number(to));
            } else {
                let _ = write!(path, "M{} {middle}H{}", number(from), number(to));
            }
        }
        if up || down {
            let from = if up { top } else { top + ROW / 2.0 };
            let to = if down { top + ROW } else { top + ROW / 2.0 };
            // Back to where a line to the right would go on.
            let (x, from, to, right) = (number(x), number(from), number(to), number(right));
            let _ = write!(path, "M{x} {from}V{to}M{right} {middle}");
        }
    }
}

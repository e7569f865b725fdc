//! The text of a terminal as a picture: what a command prints, with its colours.
//!
//! Only the escape sequences that this program writes itself are understood: bold, faint and the eight colours (ECMA-48
//! §8.3.117). Lines and arrows are drawn, not written: fonts do not agree on how high they are, and letters that do not
//! touch make no line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{ADVANCE, Alt, Anchor, Canvas, Line, Paint, number};
use crate::base::Layer;
use crate::view::look::display_width;

/// Height of a line.
const ROW: f64 = 15.0;
/// The base line below the top of its line.
const BASE: f64 = 11.0;
/// Empty room around the text.
const EDGE: f64 = 14.0;
/// Below this much text, the picture still has room for so many columns.
const LEAST_COLUMNS: usize = 40;

/// Draws what `command` printed. `command` stands above it, behind a prompt.
pub fn to_svg(command: &str, printed: &str, alt: Alt<'_>) -> String {
    let mut canvas = Canvas::default();
    let mut lines: Vec<Vec<Cell>> = vec![];
    if !command.is_empty() {
        lines.push(cells(&format!("\u{1b}[2m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m")));
    }
    lines.extend(printed.lines().map(cells));
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0).max(LEAST_COLUMNS);
    let mut strokes: BTreeMap<Paint, String> = BTreeMap::new();
    for (row, line) in lines.iter().enumerate() {
        let top = EDGE + row as f64 * ROW;
        text(line, top, &mut canvas);
        lines_of(line, top, &mut strokes, &mut canvas);
    }
    for (paint, path) in &strokes {
        canvas.path(path, *paint, Line::Solid);
    }
    let size = (2.0 * EDGE + columns as f64 * ADVANCE, 2.0 * EDGE + lines.len() as f64 * ROW);
    canvas.file(size, alt)
}

/// One place of the terminal. A wide character takes two, the second of which is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    text: String,
    paint: Paint,
}

/// A line with its escape sequences taken out.
fn cells(line: &str) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut paint = Paint::Ink;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' {
            if characters.next_if_eq(&'[').is_some() {
                let mut codes = String::new();
                while let Some(digit) = characters.next_if(|c| c.is_ascii_digit() || *c == ';') {
                    codes.push(digit);
                }
                if characters.next() == Some('m') {
                    paint = codes.split(';').fold(paint, painted);
                }
            }
            continue;
        }
        match (display_width(c.encode_utf8(&mut [0; 4])), cells.last_mut()) {
            (0, Some(last)) if !c.is_control() => last.text.push(c),
            (0, _) => {}
            (width, _) => {
                cells.push(Cell { text: c.to_string(), paint });
                cells.extend((1..width).map(|_| Cell { text: String::new(), paint }));
            }
        }
    }
    cells
}

fn painted(before: Paint, code: &str) -> Paint {
    match code {
        "" | "0" => Paint::Ink,
        "1" if before == Paint::Ink => Paint::Strong,
        "2" if before == Paint::Ink => Paint::Faint,
        "31" => Paint::Bad,
        "32" => Paint::Good,
        "33" => Paint::Again,
        "34" => Paint::Of(Layer::Internet),
        "35" => Paint::Of(Layer::Application),
        "90" => Paint::Faint,
        _ => before,
    }
}

/// Writes the letters of a line, in runs of one colour.
fn text(line: &[Cell], top: f64, canvas: &mut Canvas) {
    let mut at = 0;
    while at < line.len() {
        let paint = line[at].paint;
        let is_letter = |cell: &Cell| cell.paint == paint && !is_drawn(&cell.text) && cell.text != " ";
        if !is_letter(&line[at]) {
            at += 1;
            continue;
        }
        // A single blank between two words belongs to the run, two begin another one.
        let mut end = at + 1;
        while end < line.len() {
            let bridged = line[end].text == " " && line.get(end + 1).is_some_and(is_letter);
            if !bridged && !is_letter(&line[end]) {
                break;
            }
            end += 1;
        }
        let run: String = line[at..end].iter().map(|cell| cell.text.as_str()).collect();
        let place = (EDGE + at as f64 * ADVANCE, top + BASE);
        match end - at {
            1 => canvas.text(place, Anchor::Start, paint, &run),
            wide => canvas.text_of_width(place, wide as f64 * ADVANCE, paint, &run),
        }
        at = end;
    }
}

/// What is drawn instead of written.
fn is_drawn(text: &str) -> bool {
    arms(text).is_some() || matches!(text, "►" | "◄")
}

/// To which sides the lines of a box drawing character go: up, down, left, right.
fn arms(text: &str) -> Option<[bool; 4]> {
    let arms = match text {
        "─" => "lr",
        "│" => "ud",
        "├" => "udr",
        "┤" => "udl",
        "┼" => "udlr",
        "┬" => "dlr",
        "┴" => "ulr",
        "┌" => "dr",
        "┐" => "dl",
        "└" => "ur",
        "┘" => "ul",
        _ => return None,
    };
    Some(['u', 'd', 'l', 'r'].map(|side| arms.contains(side)))
}

fn lines_of(line: &[Cell], top: f64, strokes: &mut BTreeMap<Paint, String>, canvas: &mut Canvas) {
    let middle = number(top + ROW / 2.0);
    for (at, cell) in line.iter().enumerate() {
        let left = EDGE + at as f64 * ADVANCE;
        let (x, right) = (left + ADVANCE / 2.0, left + ADVANCE);
        if let "►" | "◄" = cell.text.as_str() {
            let (tip, back) = if cell.text == "►" { (right, left) } else { (left, right) };
            let y = top + ROW / 2.0;
            let (back, tip) = (number(back), number(tip));
            let (above, below) = (number(y - 3.6), number(y + 3.6));
            canvas.area(&format!("M{tip} {middle}L{back} {above}L{back} {below}Z"), cell.paint);
            continue;
        }
        let Some([up, down, to_left, to_right]) = arms(&cell.text) else { continue };
        let path = strokes.entry(cell.paint).or_default();
        // A run of lines to the right is one line.
        let continues = at > 0
            && line[at - 1].paint == cell.paint
            && arms(&line[at - 1].text).is_some_and(|[_, _, _, right]| right);
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

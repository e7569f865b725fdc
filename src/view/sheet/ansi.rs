//! A sheet for a terminal with colours: the only place that writes escape sequences (ECMA-48 §8.3.117).

use super::{Line, Sheet, Tone};

/// The sheet as text with colours. Every line ends in the terminal's own colour.
pub fn to_ansi(sheet: &Sheet) -> String {
    let mut text = String::new();
    for line in sheet.lines() {
        write(line, &mut text);
        text.push('\n');
    }
    text
}

/// One line, without a line end.
pub fn line_to_ansi(line: &Line) -> String {
    let mut text = String::new();
    write(line, &mut text);
    text
}

/// Back to the first column, and the rest of the line erased (ECMA-48 §8.3.41).
pub const CLEAR_LINE: &str = "\r\u{1b}[K";

/// A blank has no colour, so it takes that of the cell before it: fewer sequences, and the same to the eye.
fn write(line: &Line, text: &mut String) {
    let mut style = Tone::Plain.style();
    for cell in line.cells().iter().filter(|cell| !cell.is_taken()) {
        let wanted = cell.tone.style();
        if wanted != style && !cell.is_blank() {
            text.push_str(&format!("{style:#}{wanted}"));
            style = wanted;
        }
        text.extend(cell.chars());
    }
    text.push_str(&format!("{style:#}"));
}

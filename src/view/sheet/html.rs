//! A sheet for a page: a `<pre>` whose spans have the classes of the palette, and name what they show.
//!
//! | attribute | value |
//! |---|---|
//! | `data-frame` | the number of a frame in its trace |
//! | `data-event` | the index of an event in its trace |
//! | `data-part`, `data-field` | the index of a part of a dissection, and of a field in it |
//!
//! Cells side by side with the same tone and subject are one span. Plain ones without a subject need none.

use std::fmt::Write as _;

use super::{COLOURS, Cell, Line, Sheet, Subject, Tone};

/// The sheet as an element. A line end is written as a reference, for an empty line would end an element in Markdown.
pub fn to_html(sheet: &Sheet) -> String {
    let lines: Vec<String> = sheet.lines().iter().map(line_to_html).collect();
    format!("<pre class=\"nl nl-sheet\">{}</pre>", lines.join("&#10;"))
}

/// The style sheet of such elements: the colours of [`svg::style`](crate::view::svg::style), for text.
pub fn style() -> String {
    let mut css = ".nl-sheet .b{font-weight:700}.nl-sheet .w{display:inline-block;width:2ch}".to_owned();
    for colour in COLOURS.iter().filter(|colour| colour.name != "p") {
        let _ = write!(css, ".nl-sheet .{0}{{color:var(--{0})}}", colour.name);
    }
    css
}

fn line_to_html(line: &Line) -> String {
    let mut html = String::new();
    let kind = |cell: &Cell| (cell.tone, cell.subject);
    let cells: Vec<&Cell> = line.cells().iter().filter(|cell| !cell.is_taken()).collect();
    for run in cells.chunk_by(|a, b| kind(a) == kind(b)) {
        let (tone, subject) = kind(run[0]);
        let text: String = run.iter().map(|cell| text(cell)).collect();
        if (tone, subject) == (Tone::Plain, None) {
            html.push_str(&text);
        } else {
            let _ = write!(html, "<span class=\"{}\"{}>{text}</span>", tone.class(), data(subject));
        }
    }
    html
}

/// The characters of a cell. A wide one says how wide it is, for few fonts have it twice as wide as a letter.
fn text(cell: &Cell) -> String {
    let mut safe = String::new();
    for c in cell.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    if cell.width() > 1 { format!("<span class=\"w\">{safe}</span>") } else { safe }
}

fn data(subject: Option<Subject>) -> String {
    match subject {
        None => String::new(),
        Some(Subject::Frame(frame)) => format!(" data-frame=\"{}\"", frame.0),
        Some(Subject::Event(index)) => format!(" data-event=\"{index}\""),
        Some(Subject::Part(part)) => format!(" data-part=\"{part}\""),
        Some(Subject::Field { part, field }) => format!(" data-part=\"{part}\" data-field=\"{field}\""),
    }
}

//! A picture of a lesson as a figure of a page: drawn where lines say more than letters, otherwise as the text that a
//! terminal shows.

use std::fmt::Write as _;

use super::rfc;
use crate::lessons::picture::{Drawing, Picture, View};
use crate::view::columns::Columns;
use crate::view::dissect::{Role, dissect_trace};
use crate::view::ladder::{self, LadderOptions};
use crate::view::look::Look;
use crate::view::plot::Plot;
use crate::view::svg::{self, Alt, escape};

/// The picture with its caption. `id` is unique in the book: the lesson's, and what distinguishes it in the lesson.
pub fn figure(picture: &Picture, id: &str) -> String {
    let drawn = match &picture.drawing {
        Drawing::Run { trace, until, view } => {
            let run = trace.first(*until).untitled();
            let title = format!("{}: ", kind(*view));
            let alt = Alt { id, title: &title, text: &picture.caption };
            match view {
                View::Ladder => vec![ladder::to_svg(run, alt, LadderOptions::default())],
                View::LadderSince(since) => {
                    vec![ladder::to_svg(
                        run,
                        alt,
                        LadderOptions { since: *since, ..LadderOptions::default() },
                    )]
                }
                View::Layers(frame) => {
                    let packets = dissect_trace(run);
                    let found = frame.of(&packets);
                    found
                        .map(|packet| svg::layers::to_svg(&packet.packet.dissection, alt))
                        .into_iter()
                        .collect()
                }
                View::Header(frame, protocol) => {
                    let packets = dissect_trace(run);
                    let parts = frame.of(&packets).map_or(&[][..], |packet| &packet.packet.dissection.parts);
                    let headers = parts.iter().filter(|part| {
                        part.role == Role::Header && protocol.is_none_or(|wanted| wanted == part.protocol)
                    });
                    headers
                        .enumerate()
                        .map(|(i, part)| {
                            let id = if i == 0 { id.to_string() } else { format!("{id}-{}", i + 1) };
                            svg::header::to_svg(part, Alt { id: &id, ..alt })
                        })
                        .collect()
                }
                View::Table | View::Hex(_) | View::Cut | View::Boxes | View::Frames => Vec::new(),
            }
        }
        Drawing::Columns(columns) => vec![table(columns)],
        Drawing::Plot(plot) => {
            let plot = Plot { title: String::new(), ..plot.clone() };
            vec![plot.to_svg(Alt { id, title: "Plot: ", text: &picture.caption }, PLOT)]
        }
        Drawing::Free(_) => Vec::new(),
    };
    let drawn =
        if drawn.is_empty() { text(&picture.draw(&Look::default()).to_string()) } else { drawn.join("") };
    match narrow(picture, id) {
        Some(narrow) => {
            framed(id, &format!("<div class=\"nl-wide\">{drawn}</div>{narrow}"), &picture.caption)
        }
        None => framed(id, &drawn, &picture.caption),
    }
}

/// Width of a plot, and of the same on a telephone.
const PLOT: f64 = 660.0;
const NARROW_PLOT: f64 = 340.0;

/// Columns of text that fit a telephone held upright, inside a fold.
const NARROW: usize = 40;

/// The picture for a narrow screen, as a narrow terminal shows it; `None` when it has no such form: then it scrolls.
fn narrow(picture: &Picture, id: &str) -> Option<String> {
    if let Drawing::Plot(plot) = &picture.drawing {
        let plot = Plot { title: String::new(), ..plot.clone() };
        let id = format!("{id}-narrow");
        let svg = plot.to_svg(Alt { id: &id, title: "Plot: ", text: &picture.caption }, NARROW_PLOT);
        return Some(format!("<div class=\"nl-narrow\">{svg}</div>"));
    }
    if matches!(picture.drawing, Drawing::Columns(_)) {
        // A table of HTML breaks its cells by itself.
        return None;
    }
    let shown = picture.draw(&Look { width: NARROW, ..Look::default() }).to_string();
    let fits = shown.lines().all(|line| line.chars().count() <= NARROW);
    fits.then(|| format!("<div class=\"nl-narrow\">{}</div>", text(&shown)))
}

/// A figure with a caption. What is wide scrolls by itself, also from the keyboard.
pub fn framed(id: &str, drawn: &str, caption: &str) -> String {
    let caption = match caption {
        "" => String::new(),
        caption => format!("<figcaption>{}</figcaption>", inline(caption)),
    };
    format!(
        "<figure class=\"nl-figure\" id=\"{id}\"><div class=\"nl-scroll\" tabindex=\"0\" role=\"group\" \
         aria-label=\"figure\">{drawn}</div>{caption}</figure>\n"
    )
}

/// Text as a terminal shows it. An empty line would end the figure, so line ends are written as references.
pub fn text(shown: &str) -> String {
    let lines: Vec<String> = shown.lines().map(escape).collect();
    format!("<pre class=\"nl-text\">{}</pre>", lines.join("&#10;"))
}

/// Prose in an element: code between backticks, RFCs as links, all else as it is.
pub fn inline(prose: &str) -> String {
    let mut html = String::new();
    for (i, piece) in prose.split('`').enumerate() {
        let _ = match i % 2 {
            0 => html.write_str(&rfc::linked(&escape(piece), |address, words| {
                format!("<a href=\"{address}\">{words}</a>")
            })),
            _ => write!(html, "<code>{}</code>", escape(piece)),
        };
    }
    html
}

fn table(columns: &Columns) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", inline(cell))).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let rows: Vec<String> = columns.rows.iter().map(|cells| row(cells, "td")).collect();
    let head = row(&columns.headings, "th");
    format!("<table><thead>{head}</thead><tbody>{}</tbody></table>", rows.concat())
}

fn kind(view: View) -> &'static str {
    match view {
        View::Ladder | View::LadderSince(_) => "Ladder",
        View::Table => "Packet list",
        View::Hex(_) => "Hexdump",
        View::Header(..) => "Header",
        View::Layers(_) => "Nested boxes",
        View::Cut => "Pieces",
        View::Boxes => "Handed over and received",
        View::Frames => "Frames and segments",
    }
}

//! Pictures as SVG, for the book and for anything that shows images: no script, no embedded font, nothing loaded.
//!
//! | picture | where |
//! |---|---|
//! | the ladder of a run | [`ladder::to_svg`](super::ladder::to_svg) |
//! | a frame as nested boxes | [`layers`] |
//! | a header in rows of 32 bits | [`header`] |
//! | TCP's states | [`states`] |
//! | a [plot](super::plot) | [`Plot::to_svg`](super::plot::Plot::to_svg) |
//! | a [sheet](super::sheet), as on a terminal | [`terminal`] |
//!
//! The palette is in one style sheet, twice, for light and for dark: it follows the reader's system, and inside an
//! mdBook page the theme that was chosen there. A picture of its own carries the style sheet; a page with pictures
//! needs it once. Each picture has a title and a description for readers who cannot see it (SVG 2 §5.8). Letters are
//! taken to be `ADVANCE` wide, as in every common monospaced font; where columns must meet, `textLength` sets the
//! width of a text, so that another font does not break the picture.

pub mod header;
pub mod layers;
pub mod states;
pub mod terminal;

use std::fmt::Write as _;

use super::sheet::{COLOURS, Colour, Tone};

/// Size of the letters.
const FONT: f64 = 12.0;
/// Width of a letter.
pub(crate) const ADVANCE: f64 = 7.25;

/// The text alternative of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alt<'a> {
    /// Names the picture in its page, where no other may have the same; letters, digits and `-`.
    pub id: &'a str,
    /// The title, for readers that cannot see it.
    pub title: &'a str,
    /// What is in it; the picture adds what it knows itself.
    pub text: &'a str,
}

/// Where a text is anchored at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// The style sheet of the pictures. The class of an mdBook theme on the page around it outweighs the reader's system.
pub fn style() -> String {
    let (light, dark) = (variables(|colour| colour.light), variables(|colour| colour.dark));
    let mut css = format!(".nl{{{light}}}@media(prefers-color-scheme:dark){{.nl{{{dark}}}}}");
    let _ = write!(css, ".light .nl,.rust .nl{{{light}}}.coal .nl,.navy .nl,.ayu .nl{{{dark}}}");
    let _ = write!(
        css,
        ".nl text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',\
         monospace;white-space:pre}}.nl .b{{font-weight:700}}.nl .p{{fill:var(--p)}}.nl .n{{fill:none}}\
         .nl .t{{fill-opacity:.09}}.nl .d{{stroke-dasharray:5 4}}.nl .s{{stroke-dasharray:1 5}}"
    );
    for name in COLOURS.iter().map(|colour| colour.name).filter(|name| *name != "p") {
        let _ = write!(
            css,
            ".nl text.{name},.nl .a.{name},.nl .t.{name}{{fill:var(--{name})}}\
             .nl .k.{name},.nl .t.{name}{{stroke:var(--{name})}}"
        );
    }
    css
}

/// The palette as variables, on one kind of paper.
fn variables(value: impl Fn(&Colour) -> &'static str) -> String {
    let variables: Vec<String> =
        COLOURS.iter().map(|colour| format!("--{}:{}", colour.name, value(colour))).collect();
    variables.join(";")
}

/// What is drawn, in the order of drawing. The origin is the upper left corner.
#[derive(Debug, Default)]
pub struct Canvas {
    shapes: String,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStyle {
    /// In one piece.
    Solid,
    /// In dashes.
    Dashed,
    /// In dots.
    Dotted,
}

impl Canvas {
    /// Writes a text whose base line is at `y`.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, tone: Tone, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (class, text) = (tone.class(), escape(text));
        let (x, y) = (number(x), number(y));
        let _ = write!(self.shapes, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>");
    }

    /// Writes a text that is exactly `width` wide, whatever the font.
    pub(crate) fn text_of_width(&mut self, (x, y): (f64, f64), width: f64, tone: Tone, text: &str) {
        let (class, text) = (tone.class(), escape(text));
        let (x, y, width) = (number(x), number(y), number(width));
        let _ = write!(
            self.shapes,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" textLength=\"{width}\" \
             lengthAdjust=\"spacingAndGlyphs\">{text}</text>"
        );
    }

    /// Draws a line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), tone: Tone, line: LineStyle) {
        self.path(
            &format!("M{} {}L{} {}", number(from.0), number(from.1), number(to.0), number(to.1)),
            tone,
            line,
        );
    }

    /// Draws lines along a path (SVG 2 §9.3).
    pub fn path(&mut self, path: &str, tone: Tone, line: LineStyle) {
        let dashes = match line {
            LineStyle::Solid => "",
            LineStyle::Dashed => " d",
            LineStyle::Dotted => " s",
        };
        let class = tone.class();
        let _ = write!(self.shapes, "<path class=\"k n{dashes} {class}\" d=\"{path}\"/>");
    }

    /// Draws a curve of a plot: a line as wide as a projector shows it.
    pub(crate) fn curve(&mut self, path: &str, tone: Tone, line: LineStyle) {
        let dashes = match line {
            LineStyle::Solid => "",
            LineStyle::Dashed => " stroke-dasharray=\"7 3\"",
            LineStyle::Dotted => " stroke-dasharray=\"2 3\"",
        };
        let class = tone.class();
        let _ =
            write!(self.shapes, "<path class=\"k n {class}\" stroke-width=\"1.8\"{dashes} d=\"{path}\"/>");
    }

    /// Fills the area inside a path.
    pub(crate) fn area(&mut self, path: &str, tone: Tone) {
        let _ = write!(self.shapes, "<path class=\"a {}\" d=\"{path}\"/>", tone.class());
    }

    /// Draws a box, lightly filled.
    pub(crate) fn tinted_box(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), tone: Tone) {
        let (x, y, width, height) = (number(x), number(y), number(width), number(height));
        let class = tone.class();
        let _ = write!(
            self.shapes,
            "<rect class=\"t {class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"2\"/>"
        );
    }

    /// The head of an arrow at `tip` that comes from `from`.
    pub fn head(&mut self, from: (f64, f64), tip: (f64, f64), tone: Tone) {
        let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let (bx, by) = (tip.0 - 9.0 * ux, tip.1 - 9.0 * uy);
        let path = format!(
            "M{} {}L{} {}L{} {}Z",
            number(tip.0),
            number(tip.1),
            number(bx - 3.5 * uy),
            number(by + 3.5 * ux),
            number(bx + 3.5 * uy),
            number(by - 3.5 * ux)
        );
        self.area(&path, tone);
    }

    /// The picture for a page that has the [style sheet](style).
    pub fn part_of_page(self, size: (f64, f64), alt: Alt<'_>) -> String {
        self.finish(size, alt, "", "")
    }

    /// The picture as a file of its own: with the style sheet, and with paper under it.
    pub fn file(self, size: (f64, f64), alt: Alt<'_>) -> String {
        let style = format!("<style>{}</style>", style());
        self.finish(size, alt, &style, "<rect class=\"p\" width=\"100%\" height=\"100%\" rx=\"8\"/>")
    }

    fn finish(self, (width, height): (f64, f64), alt: Alt<'_>, style: &str, paper: &str) -> String {
        let (w, h) = (number(width.ceil()), number(height.ceil()));
        let (id, title, text) = (alt.id, escape(alt.title), escape(alt.text));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"nl\" role=\"img\" \
             aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-desc\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\"><title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{text}</desc>{style}{paper}{}</svg>",
            self.shapes
        )
    }
}

/// How wide a text is.
pub fn width_of(text: &str) -> f64 {
    super::sheet::width(text) as f64 * ADVANCE
}

/// How many letters fit into a width.
pub fn letters_in(width: f64) -> usize {
    (width / ADVANCE).max(0.0) as usize
}

/// Text for markup. Line ends become blanks, and what XML 1.0 §2.2 forbids is left out.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\r' | '\t' => safe.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

/// A coordinate with one decimal at most.
pub(crate) fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}{}.{}", if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, rest.abs()),
    }
}

#[cfg(test)]
mod tests;

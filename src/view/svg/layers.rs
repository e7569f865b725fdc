//! A frame as nested boxes: the picture of [`layers`](crate::view::layers), as SVG.

use super::{Alt, Anchor, Canvas, letters_in};
use crate::view::dissect::{Dissection, Part, Role};
use crate::view::layers::{bytes, held, size_of, unit};
use crate::view::look::{Look, fit};
use crate::view::sheet::{Tone, width as cells};

/// Width of the outermost box.
const WIDTH: f64 = 640.0;
/// From the edge of a box to the box inside it.
const INSET: f64 = 12.0;
/// The height of a line of text in a box.
const LINE: f64 = 24.0;

/// Draws the parts of a frame as nested boxes with their lengths in bytes.
pub fn to_svg(dissection: &Dissection, alt: Alt<'_>) -> String {
    let mut boxes = Boxes { canvas: Canvas::default(), told: Vec::new() };
    let bottom = boxes.nest(&dissection.parts, 1.0, 1.0, WIDTH);
    let text = format!("{} {}", alt.text, boxes.told.join("; inside it ")).trim().to_string();
    boxes.canvas.part_of_page((WIDTH + 2.0, bottom + 1.0), Alt { text: &text, ..alt })
}

struct Boxes {
    canvas: Canvas,
    /// The boxes in words.
    told: Vec<String>,
}

impl Boxes {
    /// Draws `parts`, which lie side by side, below each other from `top` on. Returns where the last one ends.
    fn nest(&mut self, parts: &[Part], left: f64, top: f64, width: f64) -> f64 {
        let mut top = top;
        let mut rest = parts;
        while let Some((part, behind)) = rest.split_first() {
            if top > 1.0 && rest.len() < parts.len() {
                top += INSET / 2.0;
            }
            let inside = match part.role {
                Role::Header => &behind[..held(part, behind)],
                Role::Data | Role::Padding => &[],
            };
            top = self.one(part, inside, (left, top), width);
            rest = &behind[inside.len()..];
        }
        top
    }

    fn one(&mut self, part: &Part, inside: &[Part], (left, top): (f64, f64), width: f64) -> f64 {
        let (title, beside) = match part.role {
            Role::Header if inside.is_empty() => {
                (format!("{}, {}", unit(part), size_of(part, inside)), place(part))
            }
            Role::Header => {
                let size = size_of(part, inside);
                (format!("{}, {size}: header {}", unit(part), part.range.len()), place(part))
            }
            Role::Data => (format!("data, {}", bytes(part.range.len())), String::new()),
            Role::Padding => (format!("padding, {}", bytes(part.range.len())), String::new()),
        };
        self.told.push(title.clone());
        let below = top + LINE;
        // What lies inside must be drawn after its box, and decides how high the box is.
        let mut inner = Boxes { canvas: Canvas::default(), told: Vec::new() };
        let bottom = match inside {
            [] => below,
            _ => inner.nest(inside, left + INSET, below, width - 2.0 * INSET) + INSET,
        };
        let tone = match part.role {
            Role::Padding => Tone::Faint,
            Role::Header | Role::Data => Tone::Of(part.layer),
        };
        self.canvas.tinted_box((left, top), (width, bottom - top), tone);
        let room = letters_in(width - 2.0 * INSET).saturating_sub(cells(&beside) + 2);
        let shown = fit(&title, room, &Look::default());
        self.canvas.text((left + INSET, top + 16.0), Anchor::Start, tone, shown.trim_end());
        self.canvas.text((left + width - INSET, top + 16.0), Anchor::End, Tone::Faint, &beside);
        self.canvas.shapes.push_str(&inner.canvas.shapes);
        self.told.append(&mut inner.told);
        bottom
    }
}

/// The names of its layer in both models.
fn place(part: &Part) -> String {
    format!("{}, OSI {}", part.layer, part.layer.osi())
}

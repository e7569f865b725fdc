//! The ladder without a picture: one sentence a row, for screens too narrow for lifelines, or with too many of them.

use super::clock::Clock;
use super::row::{Leg, Step};
use super::strip::{Strip, Tone};
use super::stroke::End;
use super::{text, words};
use crate::trace::Trace;
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};

/// Writes the steps as sentences, each with its time and wrapped to the width.
pub(super) fn draw(
    trace: &Trace,
    title: &str,
    packets: &[Summary],
    steps: &[Step<'_>],
    look: &Look,
    clock: Clock,
) -> String {
    let mut out = String::new();
    let width = look.width.max(12);
    // The time stands before the sentence, or above it where the line is short.
    let indent = if width >= 40 { 12 } else { 2 };
    let mut say = |time: &str, sentence: &str| {
        let mut rows = text::wrap(sentence, width - indent).into_iter();
        let mut strip = Strip::new(width);
        strip.put(0, time, Tone::Faint);
        if text::width(time) < indent {
            rows.next().into_iter().for_each(|row| strip.put(indent, &row, Tone::Plain));
        }
        strip.write(look.ascii, look.colour, &mut out);
        for row in rows {
            let mut strip = Strip::new(width);
            strip.put(indent, &row, Tone::Plain);
            strip.write(look.ascii, look.colour, &mut out);
        }
    };
    if !title.is_empty() {
        say(&text::cut(&look::escape(title), width), "");
    }
    let name = |place| look::escape(trace.name(place));
    for step in steps {
        match step {
            Step::Gap(gap) => {
                let time = format!("{} {}", clock.text(gap.from), clock.unit());
                say(&time, &format!("┊ {}", words::gap(gap, usize::MAX).join(" ")));
            }
            Step::Row(row) => {
                let mut time = format!("{} {}", clock.text(row.at), clock.unit());
                if let Some(arrow) = &row.arrow {
                    let stroke = words::stroke(arrow, packets, look, false);
                    let mut line =
                        format!("{} → {}: {}", name(arrow.from), name(arrow.to), stroke.label.whole());
                    if let Some(mark) = &stroke.mark {
                        line.push_str(&format!(" {} {}", mark.glyph, mark.note));
                    }
                    if stroke.end == End::Open && arrow.leg == Leg::Whole {
                        line.push_str(" …");
                    }
                    say(&time, &line);
                    time.clear();
                }
                for remark in &row.remarks {
                    let (text, _) = words::deed(remark.deed, width.saturating_sub(10));
                    say(&time, &format!("{}: {text}", name(remark.place)));
                    time.clear();
                }
            }
        }
    }
    out
}

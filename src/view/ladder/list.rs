//! The ladder without a picture: one sentence a row, for screens too narrow for lifelines, or with too many of them.

use super::clock::Clock;
use super::row::{DIFFERS, Leg, Step};
use super::stroke::End;
use super::{text, words};
use crate::trace::Past;
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::{Line, Sheet, Subject, Tone};

/// Writes the steps as sentences, each with its time and wrapped to the width.
pub(super) fn draw(
    run: Past<'_>,
    title: &str,
    packets: &[Summary],
    steps: &[Step<'_>],
    look: &Look,
    clock: Clock,
) -> Sheet {
    let mut sheet = Sheet::new();
    let width = look.width.max(12);
    // The time comes before the sentence, or above it where the line is short.
    let indent = if width >= 40 { 12 } else { 2 };
    let mut say = |time: &str, sentence: &str, subject: Option<Subject>| {
        let mut rows = text::wrap(sentence, width - indent).into_iter();
        let write = |line: &mut Line, row: &str| {
            let drawn = line.put(indent, row, Tone::Plain);
            if let Some(subject) = subject {
                line.about(drawn, subject);
            }
        };
        let mut line = Line::blank(width);
        line.put(0, time, Tone::Faint);
        if text::width(time) < indent
            && let Some(row) = rows.next()
        {
            write(&mut line, &row);
        }
        sheet.push(text::finished(line, look));
        for row in rows {
            let mut line = Line::blank(width);
            write(&mut line, &row);
            sheet.push(text::finished(line, look));
        }
    };
    if !title.is_empty() {
        say(&text::cut(&look::escape(title), width), "", None);
    }
    let name = |place| look::escape(run.name(place));
    for step in steps {
        match step {
            Step::Gap(gap) => {
                let time = format!("{} {}", clock.text(gap.from), clock.unit());
                say(&time, &format!("┊ {}", words::gap(gap, usize::MAX).join(" ")), None);
            }
            Step::Row(row) => {
                let mut time = format!("{} {}", clock.text(row.at), clock.unit());
                if let Some(arrow) = &row.arrow {
                    let stroke = words::stroke(arrow, packets, look, false);
                    let sign = sign(arrow.marks.differs);
                    let (from, to) = (name(arrow.from), name(arrow.to));
                    let mut line = format!("{sign}{from} → {to}: {}", stroke.label.whole());
                    if let Some(mark) = &stroke.mark {
                        line.push_str(&format!(" {} {}", mark.glyph, mark.note));
                    }
                    if stroke.end == End::Open && arrow.leg == Leg::Whole {
                        line.push_str(" …");
                    }
                    say(&time, &line, Some(arrow.subject));
                    time.clear();
                }
                for remark in &row.remarks {
                    let (text, _) = words::deed(remark.deed, width.saturating_sub(10));
                    let sentence = format!("{}{}: {text}", sign(remark.differs), name(remark.place));
                    say(&time, &sentence, Some(Subject::Event(remark.event)));
                    time.clear();
                }
            }
        }
    }
    sheet
}

/// What stands before a sentence.
fn sign(differs: bool) -> String {
    if differs { format!("{DIFFERS} ") } else { String::new() }
}

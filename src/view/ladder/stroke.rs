//! One arrow between two lifelines.
//!
//! From sender to receiver: a stub, the label, the line with at most one mark on it, the head. An arrow to the left is
//! the same seen in a mirror, but for its words. A lost frame has no head: its line ends in `✗`.

use super::label::Label;
use super::text;
use crate::view::sheet::{Line, Tone};

/// What happened on the way, drawn on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// One or two cells, such as `✗`.
    pub(super) glyph: &'static str,
    /// The rule that did it, if there is room.
    pub(super) note: String,
}

/// How an arrow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the receiver.
    Head,
    /// Where it was lost: at the mark.
    Lost,
    /// Unknown: the trace ends before.
    Open,
}

/// An arrow without its place.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    /// What is written on it.
    pub(super) label: Label,
    /// Words up to this rank are never left out, but get lines of their own.
    pub(super) spread: Option<u8>,
    /// A remark after the label if there is room, otherwise on the next line.
    pub(super) aside: String,
    /// What happened on the way.
    pub(super) mark: Option<Mark>,
    /// What the line is made of: `─`, or `┄` for a frame that was held back.
    pub(super) line: char,
    /// How it ends.
    pub(super) end: End,
    /// The tone of all but the mark.
    pub(super) tone: Tone,
}

/// Lifelines between which an arrow is drawn, from left to right, and whether it goes to the right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) rightwards: bool,
}

/// The rank of words that are worth more room than the note of a mark.
const CORE: u8 = 1;

impl Stroke {
    /// Draws the arrow. Returns the words that must be read and did not fit, for the lines below.
    /// A mark never stands on one of the lifelines that the arrow passes (`passed`, their cells): nothing happens there.
    pub(super) fn draw(&self, strip: &mut Line, span: Span, passed: &[usize]) -> Vec<String> {
        let room = span.right.saturating_sub(span.left + 1);
        let stub = if room >= 30 { 2 } else { 1 };
        // The stub, one blank at each side of the label, and the head with a little line before it.
        let frame = stub + 2 + if room >= 24 { 2 } else { 1 };
        let head = frame - stub - 2;
        let (mark, over) = self.mark(room, frame);
        let taken = match (&self.mark, self.end) {
            (None, _) => frame,
            (Some(_), End::Lost) => frame - head + stub,
            (Some(_), _) => frame + 2,
        };
        let free = room.saturating_sub(taken + text::width(&mark));
        let mut rest = Vec::new();
        let label = match self.spread {
            Some(rank) if self.label.width(rank) > free => {
                rest = self.label.spread(rank, free, room.saturating_sub(2));
                if rest.is_empty() { String::new() } else { rest.remove(0) }
            }
            _ if self.aside.is_empty() => self.label.fit(free),
            _ => {
                let aside = text::width(&self.aside) + 1;
                match free.checked_sub(aside) {
                    Some(free) if self.label.width(CORE) <= free => {
                        format!("{} {}", self.label.fit(free), self.aside)
                    }
                    _ => {
                        rest.push(self.aside.clone());
                        self.label.fit(free)
                    }
                }
            }
        };
        self.pieces(strip, span, (room, stub, head), (&label, &mark), passed);
        rest.extend(over);
        rest
    }

    fn pieces(
        &self,
        strip: &mut Line,
        span: Span,
        cells: (usize, usize, usize),
        (label, mark): (&str, &str),
        passed: &[usize],
    ) {
        let (room, stub, head) = cells;
        let place = Placing { span, room };
        let label_end = if label.is_empty() { stub } else { stub + 2 + text::width(label) };
        let mark_width = text::width(mark);
        // A loss happens half-way; what else the network does is written near the receiver.
        let mark_at = match self.end {
            _ if mark.is_empty() => room,
            End::Lost => (room / 2).max(label_end + stub).min(room.saturating_sub(mark_width)),
            End::Head | End::Open => room.saturating_sub(mark_width + head).max(label_end + 1),
        };
        let cell = |from_sender: usize| match span.rightwards {
            true => span.left + 1 + from_sender,
            false => span.right.saturating_sub(1 + from_sender),
        };
        let mark_at = match self.end {
            // Shorter by a little, or longer where the label would be in the way.
            End::Lost if !mark.is_empty() && passed.contains(&cell(mark_at)) => {
                match mark_at > label_end + stub {
                    true => mark_at - 1,
                    false => mark_at + 1,
                }
            }
            _ => mark_at,
        };
        let line_end = match self.end {
            End::Lost => mark_at,
            End::Head => room.saturating_sub(1),
            End::Open => label_end.max(room * 3 / 4),
        };
        place.fill(strip, 0, line_end, self.line, self.tone);
        if self.end == End::Head && room > 0 {
            place.put(strip, room - 1, if span.rightwards { "►" } else { "◄" }, self.tone);
        }
        if self.end == End::Open {
            place.put(strip, line_end.min(room.saturating_sub(1)), "…", Tone::Faint);
        }
        if !label.is_empty() {
            place.put(strip, stub, &format!(" {label} "), self.tone);
        }
        if !mark.is_empty() {
            let mark = mark.trim_end();
            let blanks = if self.end == End::Lost { format!("{mark} ") } else { format!(" {mark} ") };
            let at = if self.end == End::Lost { mark_at } else { mark_at.saturating_sub(1) };
            let text = if span.rightwards { blanks } else { mirrored(mark, self.end == End::Lost) };
            place.put(strip, at, &text, Tone::Bad);
        }
        let (start, joint) = if span.rightwards { (span.left, "├") } else { (span.right, "┤") };
        strip.put(start, joint, Tone::Faint);
    }

    /// The mark, with its note if there is room; a note without room.
    fn mark(&self, room: usize, frame: usize) -> (String, Option<String>) {
        let Some(mark) = &self.mark else { return (String::new(), None) };
        if mark.note.is_empty() {
            return (format!("{} ", mark.glyph), None);
        }
        let whole = format!("{} {} ", mark.glyph, mark.note);
        if frame + self.label.width(CORE) + 2 + text::width(&whole) <= room {
            (whole, None)
        } else {
            (format!("{} ", mark.glyph), Some(format!("{} {}", mark.glyph, mark.note)))
        }
    }
}

/// The words of a mark on an arrow to the left: the glyph is at the end of the line.
fn mirrored(mark: &str, lost: bool) -> String {
    let turned = match mark.split_once(' ') {
        Some((glyph, note)) => format!("{note} {glyph}"),
        None => mark.to_owned(),
    };
    if lost { format!(" {turned}") } else { format!(" {turned} ") }
}

/// Places counted from the sender's lifeline.
struct Placing {
    span: Span,
    room: usize,
}

impl Placing {
    fn put(&self, strip: &mut Line, from_sender: usize, text: &str, tone: Tone) {
        match self.span.rightwards {
            true => strip.put(self.span.left + 1 + from_sender, text, tone),
            false => strip.put_before(self.span.right.saturating_sub(from_sender), text, tone),
        };
    }

    fn fill(&self, strip: &mut Line, from: usize, to: usize, c: char, tone: Tone) {
        let (from, to) = (from.min(self.room), to.min(self.room));
        match self.span.rightwards {
            true => strip.fill(self.span.left + 1 + from..self.span.left + 1 + to, c, tone),
            false => strip.fill(self.span.right - to..self.span.right - from, c, tone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(stroke: &Stroke, room: usize, rightwards: bool) -> (String, Vec<String>) {
        let mut strip = Line::blank(room + 2);
        let rest = stroke.draw(&mut strip, Span { left: 0, right: room + 1, rightwards }, &[]);
        (strip.trimmed().to_string(), rest)
    }

    fn data() -> Stroke {
        Stroke {
            label: Label::default().word(0, "seq=1").word(1, "len=9"),
            spread: None,
            aside: String::new(),
            mark: None,
            line: '─',
            end: End::Head,
            tone: Tone::Plain,
        }
    }

    fn lost(note: &str) -> Stroke {
        let mark = Some(Mark { glyph: "✗", note: note.to_owned() });
        Stroke { mark, end: End::Lost, ..data() }
    }

    #[test]
    fn an_arrow_to_the_left_is_the_mirror_of_one_to_the_right() {
        assert_eq!(drawn(&data(), 20, true).0, "├─ seq=1 len=9 ─────►");
        assert_eq!(drawn(&data(), 20, false).0, " ◄───── seq=1 len=9 ─┤");
    }

    #[test]
    fn a_lost_frame_has_no_head_and_names_the_rule() {
        assert_eq!(drawn(&lost("loss"), 34, true).0, "├── seq=1 len=9 ──✗ loss");
        assert_eq!(drawn(&lost("loss"), 34, false).0, "            loss ✗── seq=1 len=9 ──┤");
    }

    #[test]
    fn a_loss_never_stands_on_a_lifeline_that_the_arrow_passes() {
        for passed in 1..35 {
            for rightwards in [true, false] {
                let mut strip = Line::blank(36);
                lost("loss").draw(&mut strip, Span { left: 0, right: 35, rightwards }, &[passed]);
                let at = strip.to_string().chars().position(|c| c == '✗');
                assert!(at.is_some_and(|at| at != passed), "{strip}");
            }
        }
    }

    #[test]
    fn a_rule_with_a_long_name_gets_a_line_of_its_own() {
        let (line, rest) = drawn(&lost("drop the third ACK from the server"), 34, true);
        assert_eq!(line, "├── seq=1 len=9 ──✗");
        assert_eq!(rest, ["✗ drop the third ACK from the server"]);
    }

    #[test]
    fn an_aside_stands_on_the_arrow_if_it_fits() {
        let again = Stroke { aside: "(timeout)".to_owned(), ..data() };
        assert_eq!(drawn(&again, 34, true).0, "├── seq=1 len=9 (timeout) ────────►");
        assert_eq!(drawn(&again, 20, true).1, ["(timeout)"]);
    }

    #[test]
    fn without_room_there_is_still_a_line() {
        for room in 0..12 {
            for rightwards in [true, false] {
                let (line, _) = drawn(&lost("somebody"), room, rightwards);
                assert!(line.chars().count() <= room + 2, "{line}");
            }
        }
    }
}

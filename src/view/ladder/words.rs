//! What is said beside the arrows: the deeds of hosts, and what was left out.

use super::clock;
use super::row::{Arrow, Cargo, Deed, Gap, Leg};
use super::stroke::{End, Mark, Stroke};
use super::strip::Tone;
use super::{caption, label::Label, text};
use crate::view::dissect::TracedPacket;
use crate::view::look::{self, Look};

/// Drawn marks, in the order of the legend, with what they mean.
const LEGEND: [(&str, &str); 5] = [
    ("✗", "lost"),
    ("≠", "bits changed"),
    ("×2", "delivered twice"),
    ("┄", "held back"),
    ("…", "still on its way at the end"),
];

/// The sign of a frame that was sent again.
pub(super) fn again(ascii: bool) -> &'static str {
    if ascii { "[again]" } else { "↻" }
}

/// The arrow with its words.
pub(super) fn stroke(arrow: &Arrow<'_>, packets: &[TracedPacket], look: &Look, compact: bool) -> Stroke {
    let marks = &arrow.marks;
    let mut label = match arrow.cargo {
        Cargo::Frame(index) => match packets.get(index) {
            Some(packet) => caption::label(&packet.packet.summary, look),
            None => Label::default().word(0, "frame"),
        },
        Cargo::Write(bytes, taken) => {
            let label = Label::default().word(0, said(bytes, if compact { 15 } else { 24 }));
            match taken {
                Some(taken) => label.word(1, format!("({})", clock::length(taken))),
                None => label,
            }
        }
    };
    if let Some(why) = marks.again {
        label = label.led_by(0, again(look.ascii));
        if !why.is_empty() && !compact {
            label = label.word(2, format!("({})", look::escape(why)));
        }
    }
    if marks.copy {
        label = label.led_by(0, "copy of");
    }
    let (line, tone) = match (marks.held, marks.lost) {
        _ if marks.lost.is_some() => ('─', Tone::Bad),
        (Some(_), _) => ('┄', Tone::Plain),
        _ if marks.again.is_some() => ('─', Tone::Again),
        _ => ('─', Tone::Plain),
    };
    match (arrow.leg, marks.held) {
        (Leg::Departure, Some((by, extra))) => {
            label = label.word(1, format!("held {}", clock::length(extra)));
            if !compact {
                label = label.word(3, format!("by {}", look::escape(by)));
            }
        }
        (Leg::Arrival, _) => label = label.word(1, "arrives late"),
        _ => {}
    }
    let mark = match arrow.leg {
        Leg::Arrival => None,
        _ => mark(arrow, compact),
    };
    let end = match (marks.lost, marks.open, arrow.leg) {
        (Some(_), ..) => End::Lost,
        (None, true, _) => End::Open,
        (None, false, Leg::Departure) => End::Open,
        (None, false, _) => End::Head,
    };
    let spread = look.absolute.then_some(if compact { 3 } else { 2 });
    Stroke { label, spread, mark, line, end, tone }
}

fn mark(arrow: &Arrow<'_>, compact: bool) -> Option<Mark> {
    let marks = &arrow.marks;
    let (glyph, by) = match (marks.lost, marks.corrupted, marks.doubled) {
        (Some(by), ..) => (LEGEND[0].0, by),
        (None, Some(by), _) => (LEGEND[1].0, by),
        (None, None, Some(by)) => (LEGEND[2].0, by),
        (None, None, None) => return None,
    };
    // In a narrow column the mark must do: the rule is named in the ladder of one run.
    let note = if compact { String::new() } else { look::escape(by) };
    Some(Mark { glyph, note })
}

/// What a host did, in at most `room` cells if it can be said so short; and its tone.
pub(super) fn deed(deed: Deed<'_>, room: usize) -> (String, Tone) {
    match deed {
        Deed::State(state) => (look::escape(state), if state == "ESTABLISHED" { Tone::Good } else { Tone::Plain }),
        Deed::Wrote(bytes) => (format!("write {}", said(bytes, room.saturating_sub(6))), Tone::Plain),
        Deed::Read(bytes) if bytes.is_empty() => ("read: end".to_owned(), Tone::Good),
        Deed::Read(bytes) => (format!("read {}", said(bytes, room.saturating_sub(5))), Tone::Good),
        Deed::MessageSent(len) => (message(len, room), Tone::Plain),
        Deed::MessageReceived(len) => (message(len, room), Tone::Good),
        Deed::Refused(why) => (format!("✗ refused: {}", look::escape(why)), Tone::Bad),
        Deed::Note(text) => (look::escape(text), Tone::Plain),
    }
}

fn message(len: usize, room: usize) -> String {
    let long = format!("message {len} B");
    if text::width(&long) <= room { long } else { format!("msg {len} B") }
}

/// Bytes as what they say, when they are text that fits into `room` cells; otherwise their number.
fn said(bytes: &[u8], room: usize) -> String {
    if !bytes.is_empty() && bytes.len() <= room {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let quoted = format!("\"{text}\"");
            if look::escape(text) == text && text::width(&quoted) <= room {
                return quoted;
            }
        }
    }
    format!("{} B", bytes.len())
}

/// What was left out, in one sentence.
pub(super) fn gap(gap: &Gap) -> String {
    let thing = match gap.frames {
        n if n == gap.segments => "segment",
        n if n == gap.datagrams => "datagram",
        _ => "frame",
    };
    let incidents: Vec<String> = [
        (gap.lost, "lost"),
        (gap.again, "sent again"),
        (gap.corrupted, "corrupted"),
        (gap.doubled, "doubled"),
        (gap.held, "held back"),
        (gap.refused, "refused"),
        (gap.open, "still on the way"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{} {what}", text::grouped(*n)))
    .collect();
    let mut parts: Vec<String> = Vec::new();
    if gap.frames > 0 {
        parts.push(text::count(gap.frames, thing));
        if gap.bytes > 0 {
            parts.push(text::bytes(gap.bytes));
        }
        parts.extend(if incidents.is_empty() { vec!["all delivered".to_owned()] } else { incidents });
    } else {
        if gap.reads > 0 {
            parts.push(text::count(gap.reads, "read"));
        }
        if gap.others > 0 {
            parts.push(text::count(gap.others, "event"));
        }
    }
    let span = gap.until.since(gap.from);
    format!("{} in {}", parts.join(", "), clock::length(span))
}

/// One line that explains the marks used, if any are.
pub(super) fn legend<'a>(arrows: impl Iterator<Item = &'a Arrow<'a>>, ascii: bool) -> Option<String> {
    let (mut used, mut repeated) = ([false; LEGEND.len()], false);
    for arrow in arrows {
        let marks = &arrow.marks;
        repeated |= marks.again.is_some();
        let shown = [
            marks.lost.is_some(),
            marks.corrupted.is_some(),
            marks.doubled.is_some(),
            marks.held.is_some(),
            marks.open,
        ];
        used.iter_mut().zip(shown).for_each(|(used, shown)| *used |= shown);
    }
    let mut parts: Vec<String> =
        LEGEND.iter().zip(used).filter(|(_, used)| *used).map(|((glyph, says), _)| format!("{glyph} {says}")).collect();
    if repeated && !ascii {
        parts.insert(usize::from(used[0]), format!("{} sent again", again(ascii)));
    }
    if parts.is_empty() { None } else { Some(parts.join("   ")) }
}

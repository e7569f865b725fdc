//! The words beside the arrows: what hosts did, and what was left out.

use super::clock;
use super::row::{Arrow, Cargo, Deed, Gap, Leg};
use super::stroke::{End, Mark, Stroke};
use super::{caption, label::Label, text};
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::Tone;

/// Drawn marks, in the order of the legend, with what they mean.
const LEGEND: [(&str, &str); 6] = [
    ("✗", "lost"),
    ("≠", "bits changed"),
    ("×2", "delivered twice"),
    ("┄", "held back on the way"),
    ("…", "on its way as this ends"),
    ("…", "not read by the end"),
];

/// The sign of a frame that was sent again.
pub(super) fn again(ascii: bool) -> &'static str {
    if ascii { "[again]" } else { "↻" }
}

/// The arrow with its words.
pub(super) fn stroke(arrow: &Arrow<'_>, packets: &[Summary], look: &Look, compact: bool) -> Stroke {
    let marks = &arrow.marks;
    let mut label = match arrow.cargo {
        Cargo::Frame(index) => match packets.get(index) {
            Some(packet) => caption::label(packet, look),
            None => Label::default().word(0, "frame"),
        },
        Cargo::Write(bytes, taken) => {
            let label = Label::default().word(0, said(bytes, if compact { 15 } else { 24 }));
            match taken.map(clock::length) {
                Some(taken) => label.word_or(1, format!("read {taken} later"), format!("+{taken}")),
                None => label,
            }
        }
    };
    if marks.again.is_some() {
        label = label.led_by(0, again(look.ascii));
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
        (Leg::Departure | Leg::Whole, Some((by, extra))) => {
            label = label.word(if compact { 2 } else { 1 }, format!("held {}", clock::length(extra)));
            if !compact {
                label = label.word(3, format!("by {}", look::escape(by)));
            }
        }
        (Leg::Arrival, _) => label = label.word_or(2, "arrives late", "late"),
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
    let spread = look.absolute.then_some(3);
    let aside = match marks.again {
        Some(why) if !why.is_empty() && !compact => format!("({})", look::escape(why)),
        _ => String::new(),
    };
    Stroke { label, spread, aside, mark, line, end, tone }
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

/// What a host did, in at most `room` cells if there are words that short; and its tone.
pub(super) fn deed(deed: Deed<'_>, room: usize) -> (String, Tone) {
    match deed {
        Deed::State(state) => {
            (look::escape(state), if state == "ESTABLISHED" { Tone::Good } else { Tone::Plain })
        }
        Deed::Wrote(bytes) => (format!("write {}", said(bytes, room.saturating_sub(6))), Tone::Plain),
        Deed::Read([]) => ("read: end".to_owned(), Tone::Good),
        Deed::Read(bytes) => (format!("read {}", said(bytes, room.saturating_sub(5))), Tone::Good),
        Deed::MessageSent(len) => (message("send", len, room), Tone::Plain),
        Deed::MessageReceived(len) => (message("get", len, room), Tone::Good),
        Deed::Refused(why) => (format!("✗ refused: {}", look::escape(why)), Tone::Bad),
        Deed::TurnedAway(frames, by) => {
            (format!("✗ {} dropped: {}", text::count(frames, "frame"), look::escape(by)), Tone::Bad)
        }
        Deed::Note(text) => (look::escape(text), Tone::Plain),
    }
}

/// A message that a program sent or received: not what it wrote or read, for a stream keeps no message boundaries.
fn message(does: &str, len: usize, room: usize) -> String {
    let len = look::grouped(len as u64);
    let long = format!("{does} message {len} B");
    let short = format!("{does} msg {len} B");
    if text::width(&long) > room && text::width(&short) <= room { short } else { long }
}

/// Bytes as text when they are text that fits into `room` cells; otherwise their number.
fn said(bytes: &[u8], room: usize) -> String {
    // Two quotation marks come with it.
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty() && text.len() + 2 <= room);
    if let Some(text) = text.filter(|text| look::escape(text) == **text) {
        return format!("\"{text}\"");
    }
    format!("{} B", look::grouped(bytes.len() as u64))
}

/// What was left out, in lines of `room` cells. Its duration is given if there is room: the time column has it too.
pub(super) fn gap(gap: &Gap, room: usize) -> Vec<String> {
    let incidents = incidents(gap);
    let mut parts: Vec<String> = Vec::new();
    if gap.frames > 0 {
        let (thing, well) = match gap.frames {
            n if n == gap.writes => ("write", "all read"),
            n if n == gap.segments => ("segment", "all delivered"),
            n if n == gap.datagrams => ("datagram", "all delivered"),
            _ => ("frame", "all delivered"),
        };
        parts.push(text::count(gap.frames, thing));
        if gap.bytes > 0 {
            parts.push(text::bytes(gap.bytes));
        }
        if incidents.is_empty() {
            parts.push(well.to_owned());
        }
    } else {
        if gap.reads > 0 {
            parts.push(text::count(gap.reads, "read"));
        }
        if gap.others > 0 {
            parts.push(text::count(gap.others, "event"));
        }
    }
    // Of a calm stretch the least important parts may go; what went wrong is always said in full.
    let calm = incidents.is_empty();
    parts.extend(incidents);
    if gap.until > gap.from {
        parts.push(clock::length(gap.until.since(gap.from)));
    }
    for kept in (1..=parts.len()).rev() {
        let line = parts[..kept].join(", ");
        if text::width(&line) <= room {
            return vec![line];
        }
        if !calm && kept < parts.len() {
            break;
        }
    }
    if calm {
        parts.truncate(2);
    }
    text::wrap(&parts.join(", "), room)
}

fn incidents(gap: &Gap) -> Vec<String> {
    let counts = [
        (gap.lost, "lost"),
        (gap.again, "sent again"),
        (gap.corrupted, "corrupted"),
        (gap.doubled, "doubled"),
        (gap.held, "held back"),
        (gap.refused, "refused"),
        (gap.open, if gap.writes > 0 { "not read" } else { "still on the way" }),
    ];
    counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", look::grouped(*n))).collect()
}

/// What the marks that were used mean, in lines of `room` cells; nothing when there were none.
pub(super) fn legend<'a>(
    arrows: impl Iterator<Item = &'a Arrow<'a>>,
    ascii: bool,
    room: usize,
) -> Vec<String> {
    let (mut used, mut repeated) = ([false; LEGEND.len()], false);
    for arrow in arrows {
        let marks = &arrow.marks;
        repeated |= marks.again.is_some();
        let shown = [
            marks.lost.is_some(),
            marks.corrupted.is_some(),
            marks.doubled.is_some(),
            marks.held.is_some(),
            marks.open && matches!(arrow.cargo, Cargo::Frame(_)),
            marks.open && matches!(arrow.cargo, Cargo::Write(..)),
        ];
        used.iter_mut().zip(shown).for_each(|(used, shown)| *used |= shown);
    }
    let shown = LEGEND.iter().zip(used).filter(|(_, used)| *used).map(|(entry, _)| *entry);
    // In ASCII the sign of a repetition is a word and needs no explanation.
    let repeated = Some((again(ascii), "sent again")).filter(|_| repeated && !ascii);
    let mut lines: Vec<String> = Vec::new();
    for (glyph, meaning) in shown.chain(repeated) {
        let entry = format!("{glyph} {meaning}");
        match lines.last_mut() {
            Some(line) if text::width(line) + 3 + text::width(&entry) <= room => {
                line.push_str("   ");
                line.push_str(&entry);
            }
            _ => lines.push(text::cut(&entry, room)),
        }
    }
    lines
}

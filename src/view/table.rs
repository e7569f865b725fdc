//! The packet list: one line for each frame, with what became of it.
//!
//! In a narrow terminal the last column says less: what a segment carries comes first, and the ports are left out; in a
//! very narrow one there are fewer columns.

use super::dissect::{TracedPacket, dissect_trace};
use super::look::{Look, escape, fit};
use super::sheet::{Line, Sheet, Subject, Tone, width};
use crate::trace::{Fate, FrameId, Past};

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The frame's number in the run.
    pub frame: FrameId,
    /// The row's number, from 1.
    pub number: u64,
    /// Milliseconds since the start, with three decimals.
    pub time: String,
    /// The host that sent it.
    pub from: String,
    /// The host at the other end of the link.
    pub to: String,
    /// The topmost protocol that was recognised.
    pub protocol: &'static str,
    /// Bytes of the frame.
    pub len: usize,
    /// What became of it and by which rule, when that is worth a word.
    pub fate: Option<String>,
    /// The same without the rules, for a narrow terminal.
    pub brief_fate: Option<String>,
    /// What it says, as in Wireshark's Info column.
    pub info: String,
}

/// The list as rows.
pub fn rows<'a>(run: impl Into<Past<'a>>, look: &Look) -> Vec<Row> {
    let run = run.into();
    let fates = run.fates();
    dissect_trace(run)
        .iter()
        .map(|seen| Row {
            frame: seen.frame,
            number: seen.packet.number,
            time: format!("{:.3}", seen.at.as_millis_f64()),
            from: escape(run.name(seen.from)),
            to: escape(run.name(seen.to)),
            protocol: seen.packet.summary.protocol,
            len: seen.bytes.len(),
            fate: fates.get(&seen.frame).and_then(|known| fate(known, Words::WithRules)),
            brief_fate: fates.get(&seen.frame).and_then(|known| fate(known, Words::Brief)),
            info: info(seen, look),
        })
        .collect()
}

/// The list as a picture.
pub fn table<'a>(run: impl Into<Past<'a>>, look: &Look) -> Sheet {
    let rows = rows(run, look);
    let widest = |heading: &str, of: &dyn Fn(&Row) -> usize| {
        rows.iter().map(of).max().unwrap_or(0).max(width(heading))
    };
    let number = widest("no", &|row| row.number.to_string().len());
    let time = widest("ms", &|row| row.time.len());
    let from = widest("from", &|row| width(&row.from)).min(12);
    let to = widest("to", &|row| width(&row.to)).min(12);
    let protocol = widest("protocol", &|row| row.protocol.len());
    let len = widest("len", &|row| row.len.to_string().len());
    // What is left out first where there is little room: lengths, protocols, the other host.
    let optional = [len + 2, protocol + 2, to + 2];
    let all = number + time + from + to + protocol + len + 12;
    let (mut before, mut left_out) = (all, 0);
    while left_out < optional.len() && look.columns() < before + LEAST_INFO {
        before -= optional[left_out];
        left_out += 1;
    }
    let info = look.columns().saturating_sub(before).max(LEAST_INFO);
    let start = |cells: [&str; 6]| {
        let [no, at, sender, receiver, name, size] = cells;
        let mut line = format!("{no:>number$}  {at:>time$}  {}  ", fit(sender, from, look));
        if left_out < 3 {
            line.push_str(&format!("{}  ", fit(receiver, to, look)));
        }
        if left_out < 2 {
            line.push_str(&format!("{name:protocol$}  "));
        }
        if left_out < 1 {
            line.push_str(&format!("{size:>len$}  "));
        }
        line
    };
    let heading = start(["no", "ms", "from", "to", "protocol", "len"]) + "what";
    let mut sheet = Sheet::from(Line::of(heading, Tone::Strong).as_head());
    for row in &rows {
        let (no, size) = (row.number.to_string(), row.len.to_string());
        let mut line =
            Line::of(start([&no, &row.time, &row.from, &row.to, row.protocol, &size]), Tone::Plain);
        what(row, info, look, &mut line);
        line.about(0..line.width(), Subject::Frame(row.frame));
        sheet.push(line);
    }
    sheet
}

/// The least room for what a frame says.
const LEAST_INFO: usize = 16;

/// Adds fate and info in `columns`. The fate comes first, so that it is never what is cut off; where both have no room,
/// it leaves out which rules acted, for what the frame is must be seen as well.
fn what(row: &Row, columns: usize, look: &Look, line: &mut Line) {
    let Some(full) = &row.fate else {
        line.push(fit(&row.info, columns, look).trim_end(), Tone::Plain);
        return;
    };
    let room = columns.saturating_sub(width(&row.info) + 1);
    let fate = if width(full) <= room { full } else { row.brief_fate.as_ref().unwrap_or(full) };
    let fate = fit(fate, width(fate).min(columns), look);
    let left = columns.saturating_sub(width(&fate) + 1);
    line.push(fate, Tone::Bad);
    line.push(format!(" {}", fit(&row.info, left, look)).trim_end(), Tone::Plain);
}

/// How much is said of a fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    WithRules,
    Brief,
}

/// What is worth saying of a fate: nothing when the frame simply arrived.
fn fate(fate: &Fate<'_>, words: Words) -> Option<String> {
    let told = [
        ("lost", fate.dropped_by),
        ("changed", fate.corrupted_by),
        ("doubled", fate.duplicated_by),
        ("held back", fate.delayed_by),
        ("refused", fate.discarded),
    ];
    let told = told.iter().filter_map(|(verb, by)| {
        by.map(|by| match words {
            Words::WithRules => format!("{verb}: {}", escape(by)),
            Words::Brief => (*verb).to_owned(),
        })
    });
    let separator = if words == Words::Brief { ", " } else { "; " };
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| format!("[{}]", told.join(separator)))
}

/// From this width on there is room for all that Wireshark shows.
const WIDE: usize = 120;

fn info(seen: &TracedPacket, look: &Look) -> String {
    if look.columns() < WIDE {
        seen.packet.summary.brief(look.absolute)
    } else if look.absolute {
        seen.packet.summary.info_absolute()
    } else {
        seen.packet.summary.info()
    }
}

//! An event log: events with their offsets, and how each reader received them.
//!
//! A reader's line runs under the events. Events received live, received later from the log, and never received look
//! different, also without colour.

use super::look::{Look, fit};
use super::sheet::{Line, Sheet, Tone, width};

/// A log and its readers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// The events in order: the offset (none for one that is not kept) and a word.
    pub events: Vec<(Option<u64>, String)>,
    /// The clients whose reading is drawn.
    pub readers: Vec<Reader>,
}

/// One reader of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The client's name.
    pub name: String,
    /// For each event, how this reader received it.
    pub got: Vec<Got>,
}

/// How a reader received an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Got {
    /// As it was sent.
    Live,
    /// From the log, after reconnecting.
    Replayed,
    /// It never arrived at this client.
    Missed,
}

/// Columns of the names at the left.
const NAMES: usize = 14;
/// The least and the most columns of an event.
const CELLS: (usize, usize) = (5, 9);

impl Log {
    /// Draws it. Events that do not fit the width are left out from the left, and counted.
    pub fn draw(&self, look: &Look) -> Sheet {
        let widest = self.events.iter().map(|(_, word)| width(word) + 2).max().unwrap_or(0);
        let cell = widest.clamp(CELLS.0, CELLS.1);
        let fits = (look.columns() - NAMES - 2) / (cell + 1);
        let left_out = self.events.len().saturating_sub(fits);
        let shown = &self.events[left_out..];
        let (corner, line, wall) = if look.ascii { ("+", "-", "|") } else { ("┼", "─", "│") };
        let cells = format!("{}{corner}", line.repeat(cell)).repeat(shown.len());
        let border = Line::of(format!("{}{corner}{cells}", " ".repeat(NAMES)), Tone::Plain);
        let row = |name: &str, cells: Vec<String>| {
            let cells: String =
                cells.iter().map(|text| format!("{}{wall}", centred(text, cell, look))).collect();
            Line::of(format!("{}{wall}{cells}", fit(name, NAMES, look)), Tone::Plain)
        };
        let offsets = shown.iter().map(|(offset, _)| offset.map_or_else(|| "-".into(), |n| n.to_string()));
        let mut drawn = Sheet::from(border.clone());
        drawn.push(row("offset", offsets.collect()));
        drawn.push(row("event", shown.iter().map(|(_, word)| word.clone()).collect()));
        drawn.push(border.clone());
        for reader in &self.readers {
            let got = reader.got.iter().skip(left_out).map(|got| mark(*got, look).to_owned());
            drawn.push(row(&reader.name, got.collect()));
        }
        drawn.push(border);
        let legend = format!(
            "{}{} heard live   {} from the log, later   {} never",
            " ".repeat(NAMES),
            mark(Got::Live, look),
            mark(Got::Replayed, look),
            mark(Got::Missed, look)
        );
        drawn.extend(Line::of(legend, Tone::Faint).folded(look.columns(), 2));
        if left_out > 0 {
            let told = format!("{}({left_out} earlier events are not drawn)", " ".repeat(NAMES));
            drawn.extend(Line::of(told, Tone::Plain).folded(look.columns(), 2));
        }
        drawn
    }
}

fn mark(got: Got, look: &Look) -> &'static str {
    match (got, look.ascii) {
        (Got::Live, false) => "●",
        (Got::Replayed, false) => "○",
        (Got::Missed, false) => "✗",
        (Got::Live, true) => "#",
        (Got::Replayed, true) => "o",
        (Got::Missed, true) => "x",
    }
}

fn centred(text: &str, room: usize, look: &Look) -> String {
    let needs = width(text);
    if needs >= room {
        return fit(text, room, look);
    }
    let before = (room - needs) / 2;
    format!("{}{text}{}", " ".repeat(before), " ".repeat(room - needs - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(events: u64) -> Log {
        let got = (0..events).map(|n| [Got::Live, Got::Replayed, Got::Missed][n as usize % 3]).collect();
        Log {
            events: (1..=events).map(|n| (Some(n), format!("word{n}"))).collect(),
            readers: vec![Reader { name: "bob".into(), got }],
        }
    }

    #[test]
    fn every_event_has_its_offset_above_it_and_each_reader_a_mark_below() {
        let drawn = log(3).draw(&Look::plain()).to_string();
        let rows: Vec<&str> = drawn.lines().collect();
        assert_eq!(rows[1], "offset        |   1   |   2   |   3   |");
        assert_eq!(rows[4], "bob           |   #   |   o   |   x   |");
        assert!(drawn.is_ascii());
    }

    #[test]
    fn what_does_not_fit_is_counted_and_no_line_is_too_wide() {
        let drawn = log(50).draw(&Look::default());
        assert!(drawn.to_string().contains("earlier events are not drawn"), "{drawn}");
        assert!(drawn.width() <= 80, "{drawn}");
        assert!(Log::default().draw(&Look::default()).to_string().contains("offset"));
    }
}

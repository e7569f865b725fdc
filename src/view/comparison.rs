//! The table under the three ladders: the same questions to UDP, TCP and WebSocket.

use super::facts::Facts;
use super::look::{Look, grouped};
use super::sheet::{Line, Sheet, Tone, width, wrap};
use crate::base::Duration;
use crate::trace::{Way, Wire};

/// Draws the table for the runs in `facts`, one column each. `rtt` is the round-trip time of the link, where it is
/// known. Where questions and answers have no room side by side, each question stands above its answers.
pub fn comparison(facts: &[Facts], rtt: Option<Duration>, look: &Look) -> Sheet {
    let names: Vec<String> = facts.iter().map(|facts| name(facts.way).to_owned()).collect();
    let rows: Vec<(&str, Vec<String>)> = QUESTIONS
        .iter()
        .map(|(question, answer)| (*question, facts.iter().map(|facts| answer(facts, rtt)).collect()))
        .filter(|(_, answers): &(_, Vec<String>)| answers.iter().any(|answer| !answer.is_empty()))
        .collect();
    let longest = |column: usize| {
        let answers = rows.iter().filter_map(|(_, answers)| answers.get(column));
        answers.chain(names.get(column)).map(|text| width(text)).max().unwrap_or(0)
    };
    let columns: Vec<usize> = (0..names.len()).map(longest).collect();
    let before = rows.iter().map(|(question, _)| width(question)).max().unwrap_or(0);
    let needs = before + columns.iter().map(|column| column + GAP).sum::<usize>();
    let mut sheet = Sheet::new();
    let rule = |wide: usize| Line::of((if look.ascii { "-" } else { "─" }).repeat(wide), Tone::Plain);
    let mut say = |line: String| sheet.push(Line::of(look.prose(line.trim_end()), Tone::Plain));
    if needs <= look.columns() {
        let row = |question: &str, answers: &[String]| {
            let cells = answers.iter().zip(&columns).map(|(answer, room)| cell(answer, GAP + room));
            format!("{question:<before$}{}", cells.collect::<String>())
        };
        say(row("", &names));
        rows.iter().for_each(|(question, answers)| say(row(question, answers)));
        return headed(sheet, rule(needs));
    }
    let room = look.columns() / names.len().max(1);
    let row = |answers: &[String]| -> Vec<String> {
        let wrapped: Vec<Vec<String>> = answers.iter().map(|answer| wrap(answer, room - GAP)).collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let line =
            |at: usize| wrapped.iter().map(move |lines| cell(lines.get(at).map_or("", |line| line), room));
        (0..height).map(|at| line(at).collect()).collect()
    };
    row(&names).into_iter().for_each(&mut say);
    for (question, answers) in &rows {
        say((*question).to_owned());
        row(answers).into_iter().for_each(&mut say);
    }
    headed(sheet, rule(room * names.len()))
}

/// Blanks before a column.
const GAP: usize = 2;

/// A text at the right end of `room` cells.
fn cell(text: &str, room: usize) -> String {
    format!("{}{text}", " ".repeat(room.saturating_sub(width(text))))
}

/// The table with its first line as head, and a rule under it.
fn headed(table: Sheet, rule: Line) -> Sheet {
    let mut lines = table.into_iter();
    let head = lines.next().into_iter().chain([rule]).map(Line::as_head);
    head.chain(lines).collect()
}

type Answer = fn(&Facts, Option<Duration>) -> String;

/// The rows, in the order in which a reader asks.
const QUESTIONS: &[(&str, Answer)] = &[
    ("the message crosses the network", |f, _| match f.returned {
        Some(_) => "there, and back".into(),
        None => "there".into(),
    }),
    ("first byte read after", |f, _| f.first_byte.map_or("never".into(), short)),
    // A length of time in another unit, and not a count: what TCP waits for its timers is in it.
    ("  in round-trip times", |f, rtt| match rtt.map(|rtt| f.round_trips(rtt)) {
        Some(Some(trips)) => format!("{trips:.1}"),
        Some(None) if f.first_byte.is_none() => "never".into(),
        Some(None) | None => String::new(),
    }),
    ("whole message read after", |f, _| match f.complete {
        Some(d) if f.arrived || (f.way == Way::Udp && f.missing == 0) => short(d),
        _ => "never".into(),
    }),
    ("packets (frames) sent", |f, _| bytes(f, |a| a.frames)),
    ("bytes of all frames", |f, _| bytes(f, |a| a.total())),
    ("  link: Ethernet, padding, FCS", |f, _| bytes(f, |a| a.link)),
    ("  internet: IPv4", |f, _| bytes(f, |a| a.internet)),
    ("  transport: UDP, TCP", |f, _| bytes(f, |a| a.transport)),
    ("  application framing", |f, _| bytes(f, |a| a.framing)),
    ("  payload", |f, _| bytes(f, |a| a.payload)),
    ("overhead", |f, _| f.overhead().map_or(String::new(), |share| format!("{:.1} %", share * 100.0))),
    ("lost or damaged", |f, _| f.lost.map_or(String::new(), |n| n.to_string())),
    ("dropped by a full queue", |f, _| match f.queue_full {
        Some(n) if n > 0 => n.to_string(),
        _ => String::new(),
    }),
    ("retransmitted", |f, _| match (f.way, f.wire) {
        (Way::Udp, _) => "never does".into(),
        (_, Wire::Real | Wire::Captured) => {
            f.retransmitted.map_or("not shown here".into(), |n| n.to_string())
        }
        (_, Wire::Sim | Wire::Kernel) => f.retransmitted.unwrap_or(0).to_string(),
    }),
    ("arrived, byte for byte", |f, _| match (f.arrived, f.returned, f.way) {
        (true, Some(false), _) => "yes, not back".into(),
        (true, Some(true), _) => "yes, and back".into(),
        (true, None, _) => "yes".into(),
        (false, _, Way::Udp) if f.missing > 0 => {
            format!("{} of {}", f.pieces_sent - f.missing, f.pieces_sent)
        }
        (false, _, _) => "no".into(),
    }),
    ("order kept", |f, _| match (f.way, f.late) {
        _ if f.pieces_received == 0 => NOTHING.into(),
        (Way::Udp, 0) if f.pieces_received < 2 => "one datagram".into(),
        (Way::Udp, 0) => "this time".into(),
        (Way::Udp, late) => format!("no, {late} late"),
        (Way::Tcp | Way::WebSocket, _) => "always".into(),
    }),
    ("message boundaries kept", |f, _| {
        match f.way {
            _ if f.pieces_received == 0 => NOTHING,
            Way::Udp | Way::WebSocket => "yes",
            Way::Tcp => "no",
        }
        .into()
    }),
    ("  handed over in", |f, _| match f.way {
        Way::Udp => count(f.pieces_sent, "datagram"),
        Way::Tcp => count(f.pieces_sent, "write"),
        Way::WebSocket => count(f.pieces_sent, "message"),
    }),
    ("  received in", |f, _| match f.way {
        Way::Udp => count(f.pieces_received, "datagram"),
        Way::Tcp => count(f.pieces_received, "read"),
        Way::WebSocket => count(f.pieces_received, "message"),
    }),
    ("who may speak first", |f, _| {
        match f.way {
            Way::Udp => "anyone",
            Way::Tcp => "client opens",
            Way::WebSocket => "client asks",
        }
        .into()
    }),
    ("who may speak then", |f, _| {
        match f.way {
            Way::Udp => "anyone",
            Way::Tcp | Way::WebSocket => "both at once",
        }
        .into()
    }),
];

/// Of what did not come, nothing can be said.
const NOTHING: &str = "nothing came";

fn name(way: Way) -> &'static str {
    match way {
        Way::Udp => "UDP",
        Way::Tcp => "TCP",
        Way::WebSocket => "WebSocket",
    }
}

fn bytes(facts: &Facts, of: fn(&super::dissect::Accounting) -> u64) -> String {
    facts.wire_bytes.as_ref().map_or(String::new(), |account| grouped(of(account)))
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A length of time with three digits: enough to compare, few enough to read.
fn short(d: Duration) -> String {
    let text = match d.as_nanos() {
        0..1_000_000 => format!("{:.1} µs", d.as_nanos() as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", d.as_millis_f64()),
        _ => format!("{:.2} s", d.as_secs_f64()),
    };
    text.replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1234), "1234");
        assert_eq!(grouped(16_777_216), "16,777,216");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(short(Duration::from_millis(20)), "20 ms");
        assert_eq!(short(Duration::from_nanos(20_054_400)), "20.1 ms");
        assert_eq!(short(Duration::from_millis(61_234)), "61.23 s");
        assert_eq!(short(Duration::from_micros(46)), "46 µs");
    }
}

//! What both wires tell in the same words: which ways, the line above a run, what came of the message.

use std::io::IsTerminal as _;

use bytes::Bytes;

use super::args::{CompareArgs, Only, ShowArgs, ViewChoice};
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::output::{Output, Pace, remark};
use crate::trace::{Run, Trace, Way};
use crate::view::facts::Facts;
use crate::view::look;
use crate::view::sheet::{LongWord, Tone, wrap_parts, wrap_words};

/// The ways that are to be shown.
pub(super) fn ways(args: &CompareArgs) -> Vec<Way> {
    match args.only {
        None => Way::ALL.to_vec(),
        Some(Only::Udp) => vec![Way::Udp],
        Some(Only::Tcp) => vec![Way::Tcp],
        Some(Only::Websocket) => vec![Way::WebSocket],
    }
}

/// The traces of runs, with the names of their ways.
pub(super) fn named<'a>(runs: &[&'a Run]) -> Vec<(&'a str, &'a Trace)> {
    runs.iter().map(|run| (run.way.name(), &run.trace)).collect()
}

/// Line by line, if that was asked for and there is a terminal to press Enter at.
pub(in crate::cli) fn pace(show: &ShowArgs) -> Pace {
    if !show.step {
        return Pace::AtOnce;
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        remark("--step waits for Enter only on a terminal: showing everything");
        return Pace::AtOnce;
    }
    Pace::Step
}

/// Page by page, if it is to be read and not watched.
pub(in crate::cli) fn pages(show: &ShowArgs, out: &mut Output) {
    if !show.step && !matches!(show.view, Some(ViewChoice::Json | ViewChoice::Mermaid)) {
        out.in_pages();
    }
}

/// The line that says what is shown, and how to have it again.
pub(super) fn headline(
    message: &Bytes,
    ways: usize,
    wire: &str,
    rest: &[String],
    out: &mut Output,
) -> Result<(), CliError> {
    let ways = if ways == 3 { "one message, three ways" } else { "one message, one way" };
    let mut parts =
        vec![ways.to_string(), format!("{} B", look::grouped(message.len() as u64)), wire.to_string()];
    parts.extend_from_slice(rest);
    out.toned(Tone::Strong, wrap_parts(&parts, out.dot(), out.look.columns()).join("\n"))?;
    out.line("")
}

/// What came of the message, in one sentence for each way. `user_timeout` is how long TCP tried.
pub(super) fn verdicts(
    runs: &[&Run],
    facts: &[Facts],
    user_timeout: Option<Duration>,
    out: &mut Output,
) -> Result<(), CliError> {
    for (run, facts) in runs.iter().zip(facts) {
        let name = run.way.name();
        let verdict = match (facts.arrived, facts.returned) {
            (true, Some(true)) => "the message arrived and came back, byte for byte".into(),
            (true, Some(false)) => "the message arrived byte for byte, but did not come back".into(),
            (true, None) if facts.repeated == 0 && facts.late == 0 => {
                "the message arrived byte for byte".into()
            }
            (_, _) => missed(facts, user_timeout),
        };
        let mark = match (facts.arrived, out.look.ascii) {
            (true, true) => "ok",
            (false, true) => "!!",
            (true, false) => "✔",
            (false, false) => "✗",
        };
        let cause = match facts.queue_full {
            Some(frames) if frames > 0 => format!("; {}", queue_full(frames)),
            _ => String::new(),
        };
        out.line(wrap(&format!("{mark} {name}: {verdict}{cause}."), out.look.columns()))?;
    }
    Ok(())
}

/// A loss that no knob asked for: the sender was faster than its link.
fn queue_full(frames: usize) -> String {
    let those = if frames == 1 { "frame that never" } else { "frames that never" };
    format!(
        "the queue in front of the link was full, and dropped {} {those} left",
        look::grouped(frames as u64)
    )
}

/// What is wrong with what arrived.
fn missed(facts: &Facts, user_timeout: Option<Duration>) -> String {
    let mut parts = Vec::new();
    let piece = |n: usize| match (facts.way, n) {
        (Way::Udp, 1) => "datagram",
        (Way::Udp, _) => "datagrams",
        (_, 1) => "message",
        (_, _) => "messages",
    };
    if facts.missing > 0 && facts.way == Way::Udp {
        parts.push(format!(
            "{} of {} {} ({} bytes) never arrived, and UDP did not notice",
            facts.missing,
            facts.pieces_sent,
            piece(facts.pieces_sent),
            facts.missing_bytes
        ));
    }
    if facts.repeated > 0 {
        parts.push(format!("{} {} arrived twice", facts.repeated, piece(facts.repeated)));
    }
    if facts.late > 0 {
        parts.push(format!("{} arrived after a later one", facts.late));
    }
    if parts.is_empty() {
        let gave_up =
            user_timeout.map(|time| format!(": TCP gave up after {}, and told both programs", minutes(time)));
        parts.push(format!("the message did not arrive whole{}", gave_up.unwrap_or_default()));
    }
    parts.join("; ")
}

/// A length of time as people say it, when it is whole minutes.
fn minutes(time: Duration) -> String {
    const MINUTE: u64 = 60_000_000_000;
    match (time.as_nanos() / MINUTE, time.as_nanos() % MINUTE) {
        (1, 0) => "a minute".into(),
        (n, 0) if n > 0 => format!("{n} minutes"),
        _ => time.to_string(),
    }
}

/// Breaks a sentence into lines that fit, those after the first indented.
pub(super) fn wrap(text: &str, width: usize) -> String {
    wrap_words(text, width, width.saturating_sub(2), LongWord::Kept).join("\n  ")
}

//! `netlayers compare`: one message, three ways.

mod message;
mod pictures;
mod real;
mod sim;
mod svg;

use bytes::Bytes;

use super::args::{CompareArgs, KnobArgs, Only, WireChoice};
use super::error::CliError;
use super::output::{Output, Pace};
use crate::base::Duration;
use crate::layers::internet::ipv4;
use crate::layers::transport::tcp;
use crate::sim::scene::Knobs;
use crate::trace::{Run, Way};
use crate::view::facts::Facts;
use crate::view::look;
use crate::view::sheet::{LongWord, Tone, wrap_words};

/// Runs the command.
pub(super) fn run(args: &CompareArgs, out: &mut Output) -> Result<(), CliError> {
    match &args.show.svg {
        None => shown(args, out),
        Some(path) => {
            let mut page = Output::kept();
            shown(args, &mut page)?;
            svg::write(path, &page.into_sheet())
        }
    }
}

fn shown(args: &CompareArgs, out: &mut Output) -> Result<(), CliError> {
    let knobs = knobs(&args.knobs)?;
    out.look.absolute = args.show.absolute;
    let message = message::read(args)?;
    match args.wire {
        WireChoice::Sim => sim::run(args, &message, &knobs, out),
        WireChoice::Real => real::run(args, &message, &knobs, out),
    }
}

/// The knobs that were turned, on top of those that stand as they are.
fn knobs(args: &KnobArgs) -> Result<Knobs, CliError> {
    let still = Knobs::default();
    let knobs = Knobs {
        loss: args.loss.unwrap_or(still.loss),
        duplicate: args.duplicate.unwrap_or(still.duplicate),
        corrupt: args.corrupt.unwrap_or(still.corrupt),
        reorder: args.reorder.unwrap_or(still.reorder),
        delay: args.delay.unwrap_or(still.delay),
        jitter: args.jitter.unwrap_or(still.jitter),
        rate: args.rate.or(still.rate),
        mtu: args.mtu.unwrap_or(still.mtu),
        mss: args.mss,
        datagram: args.datagram.map(usize::from),
        seed: args.seed.unwrap_or(still.seed),
        ..still
    };
    let most = knobs.mtu - (ipv4::MIN_HEADER_LEN + tcp::MIN_HEADER_LEN) as u16;
    match args.mss {
        Some(mss) if args.mtu.is_some() && mss > most => Err(CliError::Usage(format!(
            "--mss {mss} does not fit --mtu {}: expected at most {most}, the MTU less 40 bytes of headers",
            knobs.mtu
        ))),
        Some(mss) if mss > most => Err(CliError::Usage(format!(
            "--mss {mss} does not fit the MTU of {}: expected at most {most}, or a larger --mtu",
            knobs.mtu
        ))),
        _ => Ok(knobs),
    }
}

/// The ways that are to be shown.
fn ways(args: &CompareArgs) -> Vec<Way> {
    match args.only {
        None => Way::ALL.to_vec(),
        Some(Only::Udp) => vec![Way::Udp],
        Some(Only::Tcp) => vec![Way::Tcp],
        Some(Only::Websocket) => vec![Way::WebSocket],
    }
}

fn pace(args: &CompareArgs) -> Pace {
    if !args.show.step {
        return Pace::AtOnce;
    }
    use std::io::IsTerminal as _;
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        super::output::remark("--step waits for Enter only on a terminal: showing everything");
        return Pace::AtOnce;
    }
    Pace::Step
}

/// What came of the message, in one sentence for each way.
fn verdicts(runs: &[&Run], facts: &[Facts], out: &mut Output) -> Result<(), CliError> {
    for (run, facts) in runs.iter().zip(facts) {
        let name = run.way.name();
        let verdict = match (facts.arrived, facts.returned) {
            (true, Some(true)) => "the message arrived and came back, byte for byte".into(),
            (true, Some(false)) => "the message arrived byte for byte, but did not come back".into(),
            (true, None) if facts.repeated == 0 && facts.late == 0 => {
                "the message arrived byte for byte".into()
            }
            (_, _) => missed(facts),
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
fn missed(facts: &Facts) -> String {
    let mut parts = Vec::new();
    let piece = |n: usize| match (facts.way, n) {
        (Way::Udp, 1) => "datagram",
        (Way::Udp, _) => "datagrams",
        (_, 1) => "message",
        (_, _) => "messages",
    };
    if facts.missing > 0 && facts.way == Way::Udp {
        parts.push(format!(
            "{} of {} {} ({} bytes) never arrived, and UDP told nobody",
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
        parts.push(
            "the message did not arrive whole: TCP gave up after 15 minutes, and told both programs".into(),
        );
    }
    parts.join("; ")
}

/// Breaks a sentence into lines that fit, those after the first indented.
fn wrap(text: &str, width: usize) -> String {
    wrap_words(text, width, width.saturating_sub(2), LongWord::Kept).join("\n  ")
}

/// The round-trip time of an empty link, if it has one.
fn rtt(knobs: &Knobs) -> Option<Duration> {
    Some(knobs.rtt()).filter(|rtt| *rtt > Duration::ZERO)
}

/// The line that says what is shown, and how to have it again.
fn headline(
    message: &Bytes,
    ways: usize,
    wire: &str,
    rest: &[String],
    out: &mut Output,
) -> Result<(), CliError> {
    let dot = out.dot();
    let ways = if ways == 3 { "one message, three ways" } else { "one message, one way" };
    let mut parts =
        vec![ways.to_string(), format!("{} B", look::grouped(message.len() as u64)), wire.to_string()];
    parts.extend_from_slice(rest);
    out.toned(Tone::Strong, wrap(&parts.join(dot), out.look.columns()))?;
    out.line("")
}

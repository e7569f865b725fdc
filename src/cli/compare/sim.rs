//! `compare` on the simulated network.

use bytes::Bytes;

use super::args::{CompareArgs, ViewChoice};
use super::telling::{headline, named, pace, pages, verdicts, ways};
use super::{document, pictures};
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::pcap::{self, Written};
use crate::cli::progress::Progress;
use crate::cli::wire::WireChoice;
use crate::layers::transport::tcp;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::knob::Knobs;
use crate::sim::knob::network::conditions;
use crate::sim::scene;
use crate::trace::{Recorder, Run, Way, Wire};
use crate::view::comparison::comparison;
use crate::view::facts::Facts;
use crate::view::ladder::{self, LadderOptions};
use crate::view::look::escape;
use crate::view::pcapng::PcapngOptions;
use crate::view::sheet::{Tone, wrap};

/// Runs all ways and shows what was asked for.
pub(super) fn run(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut progress = Progress::start();
    let runs = play(&ways(args), message, knobs, &mut progress);
    let refs: Vec<&Run> = runs.iter().collect();
    if let Some(path) = &args.show.pcap {
        let traces: Vec<_> = runs.iter().map(|run| &run.trace).collect();
        if pcap::write(path, &traces, PcapngOptions { fcs: args.show.fcs }, out)? == Written::Stdout {
            return Ok(());
        }
    }
    if args.show.json {
        drop(progress);
        let facts: Vec<Facts> = refs.iter().map(|run| Facts::of(run)).collect();
        return out.document(document::text(WireChoice::Sim, message.len(), knobs, None, &facts)? + "\n");
    }
    pages(&args.show, out);
    match args.show.view {
        None => summary(args, message, knobs, &refs, progress, out),
        Some(ViewChoice::Json) => pictures::json(&named(&refs), out),
        Some(view) => {
            headline(message, runs.len(), "sim", &conditions(knobs), out)?;
            pictures::show(&args.show, view, &named(&refs), out)
        }
    }
}

/// Plays the scene each way.
fn play(ways: &[Way], message: &Bytes, knobs: &Knobs, progress: &mut Progress) -> Vec<Run> {
    ways.iter()
        .map(|way| {
            let recorder = Recorder::on(way.name(), Wire::Sim);
            scene::run_watched(*way, message, knobs, recorder, &mut |now, frames| {
                progress
                    .tell(|| format!("simulating {}: {frames} frames, {now} of virtual time", way.name()));
            })
        })
        .collect()
}

/// The three ladders, the table, what came of it, and what to try next.
fn summary(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    runs: &[&Run],
    mut progress: Progress,
    out: &mut Output,
) -> Result<(), CliError> {
    progress.tell(|| "drawing the ladders".into());
    let columns: Vec<_> = runs.iter().map(|run| (run.way.name(), &run.trace)).collect();
    let options = LadderOptions { whole: args.show.whole, most_rows: 26, ..LadderOptions::default() };
    let picture = ladder::side_by_side_with(&columns, &out.look, options);
    progress.tell(|| "counting the bytes".into());
    let facts: Vec<Facts> = runs.iter().map(|run| Facts::of(run)).collect();
    drop(progress);
    headline(message, runs.len(), "sim", &conditions(knobs), out)?;
    out.picture(&picture, pace(&args.show))?;
    out.line("")?;
    // The round-trip time of an empty link, if it has one.
    let rtt = Some(knobs.rtt()).filter(|rtt| *rtt > Duration::ZERO);
    out.sheet(&comparison(&facts, rtt, &out.look))?;
    out.line("")?;
    verdicts(runs, &facts, knobs.tcp.user_timeout, out)?;
    out.line("")?;
    let told = wrap(&simplified(&knobs.tcp), 80.min(out.look.columns())).join("\n");
    out.toned(Tone::Faint, told)?;
    out.line(next(args, knobs))
}

/// What the model leaves out and a reader of the ladders could miss.
fn simplified(tcp: &tcp::Config) -> String {
    let mut left_out = vec!["ARP caches are warm", "hosts take no time to compute"];
    if tcp.congestion == Algorithm::NONE {
        left_out.push("TCP has no congestion control (RFC 9293 MUST-19) unless --cc names one");
    }
    if tcp.delayed_ack.is_none() {
        left_out.push("each segment is acknowledged at once");
    }
    let last = left_out.pop().unwrap_or_default();
    format!("simplified: {}, and {last}.", left_out.join(", "))
}

/// The next command, chosen by what was just seen.
fn next(args: &CompareArgs, knobs: &Knobs) -> String {
    let shown = match (&args.file, &args.message) {
        (Some(path), _) => format!("--file {} ", quoted(&path.to_string_lossy())),
        (None, Some(message)) => format!("{} ", quoted(message)),
        (None, None) => String::new(),
    };
    let (what, predict) = match knobs.loss > 0.0 {
        true => (format!("{shown}--wire real"), "what this machine's own sockets lose"),
        false => (format!("{shown}--loss 20% --seed 7"), "which column loses data"),
    };
    format!("next: netlayers compare {what}\n      and predict {predict}")
}

/// A word as it must be typed at a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./,:=@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    if !text.contains(['"', '$', '`', '\\', '!']) {
        return format!("\"{}\"", escape(text));
    }
    format!("'{}'", escape(text).replace('\'', r"'\''"))
}

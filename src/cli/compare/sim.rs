//! `compare` on the simulated network.

use std::fs;

use bytes::Bytes;
use serde::Serialize;

use super::{headline, pace, pictures, rtt, verdicts, ways};
use crate::cli::args::{CompareArgs, ViewChoice};
use crate::cli::error::CliError;
use crate::cli::output::{Output, remark};
use crate::cli::progress::Progress;
use crate::sim::scene::{self, Knobs};
use crate::trace::{Recorder, Run, Way, Wire};
use crate::view::comparison::comparison;
use crate::view::facts::Facts;
use crate::view::ladder::{self, LadderOptions};
use crate::view::look::escape;
use crate::view::pcapng::{PcapngOptions, to_pcapng};
use crate::view::sheet::Tone;

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
        let file = to_pcapng(&traces, PcapngOptions { fcs: args.show.fcs });
        fs::write(path, file)
            .map_err(|error| CliError::io(&format!("writing {}", path.display()), &error))?;
        let frames: usize = traces.iter().map(|trace| trace.frames().count()).sum();
        remark(format!("wrote {frames} frames to {0}; look at them with: wireshark {0}", path.display()));
    }
    if args.show.json {
        drop(progress);
        return json(message, knobs, &refs, out);
    }
    match args.show.view {
        None => summary(args, message, knobs, &refs, progress, out),
        Some(ViewChoice::Json) => pictures::json(&refs, out),
        Some(view) => {
            headline(message, runs.len(), "sim", &conditions(knobs), out)?;
            pictures::show(args, view, &refs, out)
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
    out.picture(&picture, pace(args))?;
    out.line("")?;
    out.sheet(&comparison(&facts, rtt(knobs), &out.look))?;
    out.line("")?;
    verdicts(runs, &facts, out)?;
    out.line("")?;
    for line in SIMPLIFIED {
        out.toned(Tone::Faint, line)?;
    }
    out.line(next(args, knobs))
}

/// What the model leaves out and a reader of the ladders could miss.
const SIMPLIFIED: &[&str] = &[
    "simplified: ARP caches are warm, hosts take no time to compute, TCP has no",
    "congestion control yet (RFC 9293 MUST-19) and acknowledges each segment at once.",
];

/// The knobs that shape the run: all one needs to have it again.
fn conditions(knobs: &Knobs) -> Vec<String> {
    let percent = |share: f64| format!("{}%", (share * 1e5).round() / 1e3);
    let mut parts = vec![format!("RTT {}", knobs.rtt())];
    if let Some(rate) = knobs.rate {
        parts.push(rate.to_string());
    }
    if knobs.mtu != Knobs::default().mtu {
        parts.push(format!("MTU {}", knobs.mtu));
    }
    if let Some(mss) = knobs.mss {
        parts.push(format!("MSS {mss}"));
    }
    if let Some(datagram) = knobs.datagram {
        parts.push(format!("datagrams of {datagram}"));
    }
    if knobs.jitter.as_nanos() > 0 {
        parts.push(format!("jitter {}", knobs.jitter));
    }
    parts.push(format!("loss {}", percent(knobs.loss)));
    for (name, share) in
        [("duplicate", knobs.duplicate), ("corrupt", knobs.corrupt), ("reorder", knobs.reorder)]
    {
        if share > 0.0 {
            parts.push(format!("{name} {}", percent(share)));
        }
    }
    parts.push(format!("seed {}", knobs.seed));
    parts
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

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    message_bytes: usize,
    conditions: Conditions,
    ways: &'a [Facts],
}

#[derive(Serialize)]
struct Conditions {
    loss: f64,
    duplicate: f64,
    corrupt: f64,
    reorder: f64,
    delay_ns: u64,
    jitter_ns: u64,
    rate_bits_per_second: Option<u64>,
    mtu: u16,
    mss: u16,
    datagram: usize,
    seed: u64,
}

fn json(message: &Bytes, knobs: &Knobs, runs: &[&Run], out: &mut Output) -> Result<(), CliError> {
    let ways: Vec<Facts> = runs.iter().map(|run| Facts::of(run)).collect();
    let conditions = Conditions {
        loss: knobs.loss,
        duplicate: knobs.duplicate,
        corrupt: knobs.corrupt,
        reorder: knobs.reorder,
        delay_ns: knobs.delay.as_nanos(),
        jitter_ns: knobs.jitter.as_nanos(),
        rate_bits_per_second: knobs.rate.map(|rate| rate.0),
        mtu: knobs.mtu,
        mss: knobs.announced_mss(),
        datagram: knobs.datagram_len(),
        seed: knobs.seed,
    };
    let schema = "netlayers.compare/1";
    let document = Document { schema, message_bytes: message.len(), conditions, ways: &ways };
    let text = serde_json::to_string_pretty(&document)
        .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
    out.line(text)
}

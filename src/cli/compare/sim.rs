//! `compare` on the simulated network.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration as RealDuration, Instant as RealInstant};

use bytes::Bytes;
use serde::Serialize;

use super::{headline, pace, pictures, rtt, verdicts, ways};
use crate::base::Instant;
use crate::cli::args::{CompareArgs, ViewChoice};
use crate::cli::error::CliError;
use crate::cli::output::{Output, remark};
use crate::sim::scene::{self, Knobs};
use crate::trace::{Recorder, Run, Way, Wire};
use crate::view::comparison::comparison;
use crate::view::facts::Facts;
use crate::view::ladder::{self, LadderOptions};
use crate::view::pcapng::{PcapngOptions, to_pcapng};

/// Runs all ways and shows what was asked for.
pub(super) fn run(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    let runs = play(&ways(args), message, knobs);
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
        return json(message, knobs, &refs, out);
    }
    match args.show.view {
        None => summary(args, message, knobs, &refs, out),
        Some(ViewChoice::Json) => pictures::json(&refs, out),
        Some(view) => {
            headline(message, "sim", &conditions(knobs), out)?;
            pictures::show(args, view, &refs, out)
        }
    }
}

/// Plays the scene each way, and says how far it is when that takes longer than a second.
fn play(ways: &[Way], message: &Bytes, knobs: &Knobs) -> Vec<Run> {
    let mut progress = Progress::start();
    let runs = ways
        .iter()
        .map(|way| {
            let recorder = Recorder::on(way.name(), Wire::Sim);
            scene::run_watched(*way, message, knobs, recorder, &mut |now, frames| {
                progress.tell(*way, now, frames)
            })
        })
        .collect();
    progress.end();
    runs
}

/// One line on standard error that is written over and over.
struct Progress {
    next: RealInstant,
    shown: bool,
}

impl Progress {
    #[expect(clippy::disallowed_methods, reason = "how long a person has waited is told by the real clock")]
    fn start() -> Self {
        Progress { next: RealInstant::now() + RealDuration::from_secs(1), shown: false }
    }

    #[expect(clippy::disallowed_methods, reason = "how long a person has waited is told by the real clock")]
    fn tell(&mut self, way: Way, now: Instant, frames: u64) {
        let clock = RealInstant::now();
        if clock >= self.next && io::stderr().is_terminal() {
            self.next = clock + RealDuration::from_millis(200);
            self.shown = true;
            let text = format!("simulating {}: {frames} frames, {now} of virtual time", way.name());
            let _ = write!(io::stderr(), "\r{text:<72}");
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r{:<72}\r", "");
        }
    }
}

/// The three ladders, the table, what came of it, and what to try next.
fn summary(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    runs: &[&Run],
    out: &mut Output,
) -> Result<(), CliError> {
    headline(message, "sim", &conditions(knobs), out)?;
    let columns: Vec<_> = runs.iter().map(|run| (run.way.name(), &run.trace)).collect();
    let options = LadderOptions { whole: args.show.whole, most_rows: 26 };
    let picture = ladder::side_by_side_with(&columns, &out.look, options);
    out.picture(&picture, pace(args))?;
    out.line("")?;
    let facts: Vec<Facts> = runs.iter().map(|run| Facts::of(run)).collect();
    out.text(comparison(&facts, rtt(knobs), &out.look))?;
    out.line("")?;
    verdicts(runs, &facts, out)?;
    out.line("")?;
    for line in SIMPLIFIED {
        out.line(out.look.faint(line))?;
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
    let percent = |share: f64| format!("{} %", (share * 1e5).round() / 1e3);
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
    let what = match &args.file {
        Some(path) => format!("--file {}", path.display()),
        None => format!("{:?}", args.message.as_deref().unwrap_or("hello, layers")),
    };
    if knobs.loss == 0.0 && args.file.is_none() && args.message.as_ref().is_none_or(|text| text.len() < 1000)
    {
        format!(
            "next: netlayers compare --file README.md --loss 20% --seed 7\n      and predict which column loses data"
        )
    } else if knobs.loss == 0.0 {
        format!(
            "next: netlayers compare {what} --loss 20% --seed 7\n      and predict which column loses data"
        )
    } else {
        format!(
            "next: netlayers compare {what} --wire real\n      and predict what this machine's own sockets lose"
        )
    }
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

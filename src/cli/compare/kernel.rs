//! `compare` with our stack at the client's end and Linux's own at the server's, frame by frame.

use bytes::Bytes;

use super::args::{CompareArgs, ViewChoice};
use super::telling::{headline, named, pace, pages, verdicts, ways, wrap};
use super::{document, figures, pictures};
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::kernel::{self, Played};
use crate::cli::output::Output;
use crate::cli::pcap::{self, Written};
use crate::cli::progress::Progress;
use crate::cli::wire::WireChoice;
use crate::sim::knob::Knobs;
use crate::sim::knob::network::conditions;
use crate::trace::{Run, Way};
use crate::view::comparison::comparison;
use crate::view::facts::Facts;
use crate::view::ladder::{self, LadderOptions};
use crate::view::pcapng::PcapngOptions;
use crate::view::sheet::Tone;

/// Runs all ways and shows what was asked for.
pub(super) fn run(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut progress = Progress::start();
    kernel::enter()?;
    let mut played = Vec::new();
    for way in ways(args) {
        progress.tell(|| format!("{} against the kernel, in real time", way.name()));
        played.push(kernel::message(way, message, knobs)?);
    }
    let runs: Vec<&Run> = played.iter().map(|played| &played.run).collect();
    if let Some(path) = &args.show.pcap {
        let traces: Vec<_> = runs.iter().map(|run| &run.trace).collect();
        if pcap::write(path, &traces, PcapngOptions { fcs: args.show.fcs }, out)? == Written::Stdout {
            return Ok(());
        }
    }
    let facts: Vec<Facts> = played.iter().map(facts).collect();
    drop(progress);
    if args.show.json {
        return out.document(document::text(WireChoice::Kernel, message.len(), knobs, None, &facts)? + "\n");
    }
    pages(&args.show, out);
    match args.show.view {
        None => summary(args, message, knobs, &played, &facts, out),
        Some(ViewChoice::Json) => pictures::json(&named(&runs), out),
        Some(view) => {
            headline(message, runs.len(), "kernel", &conditions(knobs), out)?;
            pictures::show(&args.show, view, &named(&runs), out)
        }
    }
}

/// What both ends saw; what the kernel sent again, it counts itself.
fn facts(played: &Played) -> Facts {
    let seen = Facts::of(&played.run);
    let kernels = played.figures.after_close.as_ref().map_or(0, |info| info.total_retrans as usize);
    Facts { retransmitted: seen.retransmitted.map(|ours| ours + kernels), ..seen }
}

/// The ladders, the table, what came of it, and what the kernel says of its end.
fn summary(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    played: &[Played],
    facts: &[Facts],
    out: &mut Output,
) -> Result<(), CliError> {
    let runs: Vec<&Run> = played.iter().map(|played| &played.run).collect();
    headline(message, runs.len(), "kernel", &conditions(knobs), out)?;
    let columns: Vec<_> = runs.iter().map(|run| (run.way.name(), &run.trace)).collect();
    let options = LadderOptions { whole: args.show.whole, most_rows: 26, ..LadderOptions::default() };
    out.picture(&ladder::side_by_side_with(&columns, &out.look, options), pace(&args.show))?;
    out.line("")?;
    let rtt = Some(knobs.rtt()).filter(|rtt| *rtt > Duration::ZERO);
    out.sheet(&comparison(facts, rtt, &out.look))?;
    out.line("")?;
    verdicts(&runs, facts, knobs.tcp.user_timeout, out)?;
    for played in played {
        let rows = played.figures.rows(played.run.way);
        let rows = rows.into_iter().map(|(name, figure)| (name, vec![figure])).collect();
        figures::table(played.run.way, &["server"], rows, out)?;
    }
    let no_room: u64 = played.iter().map(|played| played.no_room).sum();
    if no_room > 0 {
        out.line(wrap(
            &format!(
                "the kernel had no room for {no_room} frames that arrived there: they count as delivered"
            ),
            out.look.columns(),
        ))?;
    }
    out.line("")?;
    let told = "the client is our own stack, the server Linux's, in a network namespace of this process: real \
                time, so no two runs are the same. Our ARP cache is warm, the kernel asks. It delays its ACKs and begins with a window of ten \
                segments; ours does what the knobs say.";
    out.toned(Tone::Faint, wrap(told, out.look.columns().min(80)))?;
    let next = match runs.iter().any(|run| run.way == Way::Tcp) {
        true => {
            "next: netlayers compare --only tcp --wire kernel --sack no --timestamps no\n      \
                 and predict which options the kernel then lists"
        }
        false => {
            "next: netlayers compare --wire kernel --loss 20% --seed 7\n      and predict which way loses data"
        }
    };
    out.line(next)
}

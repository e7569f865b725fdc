//! `compare` on this machine's own sockets, beside the simulation of the same.

use bytes::Bytes;

use super::args::{CompareArgs, ViewChoice};
use super::telling::{headline, named, pace, pages, verdicts, ways, wrap};
use super::{document, figures, pictures};
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::wire::WireChoice;
use crate::real::compare::{RealKnobs, RealRun, run as run_real};
use crate::real::differences::{Difference, RealFacts, SimFacts, differences, first_read, reads};
use crate::sim::knob::Knobs;
use crate::sim::scene;
use crate::trace::{Kind, Recorder, Run, Way, Wire};
use crate::view::comparison::comparison;
use crate::view::facts::Facts;
use crate::view::ladder::{self, LadderOptions};
use crate::view::sheet::Tone;

/// Runs all ways on real sockets and shows what was asked for.
pub(super) fn run(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    refuse_what_loopback_has_not(args)?;
    let real_knobs =
        RealKnobs { datagram: knobs.datagram_len(), mss: knobs.mss, timeout: Duration::from_secs(120) };
    let mut real = Vec::new();
    for way in ways(args) {
        let run = run_real(way, message.clone(), &real_knobs)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        real.push(run);
    }
    let runs: Vec<&Run> = real.iter().map(|real| &real.run).collect();
    let facts: Vec<Facts> = real.iter().map(facts).collect();
    if args.show.json {
        return out.document(document::text(WireChoice::Real, message.len(), knobs, None, &facts)? + "\n");
    }
    pages(&args.show, out);
    match args.show.view {
        Some(ViewChoice::Json) => return pictures::json(&named(&runs), out),
        Some(view) => {
            headline(message, runs.len(), "real sockets", &["loopback".into()], out)?;
            return pictures::show(&args.show, view, &named(&runs), out);
        }
        None => {}
    }
    headline(message, runs.len(), "real sockets", &["127.0.0.1".into(), "times as measured".into()], out)?;
    let columns: Vec<_> = runs.iter().map(|run| (run.way.name(), &run.trace)).collect();
    let options = LadderOptions { whole: args.show.whole, most_rows: 26, ..LadderOptions::default() };
    out.picture(&ladder::side_by_side_with(&columns, &out.look, options), pace(&args.show))?;
    out.line("each arrow is a write() and the read() that got it: a program sees no packets")?;
    out.line("")?;
    out.sheet(&comparison(&facts, None, &out.look))?;
    out.line("")?;
    verdicts(&runs, &facts, None, out)?;
    for real in &real {
        let rows =
            real.kernel.rows().into_iter().map(|row| (row.name, vec![row.client, row.server])).collect();
        figures::table(real.run.way, &["client", "server"], rows, out)?;
    }
    explain(&real, message, knobs, out)?;
    out.line("")?;
    out.line("next: netlayers compare --file README.md --wire real")?;
    out.line("      and predict how many reads the server needs, and how many packets")
}

/// What the programs saw, and of what only the kernel sees the one figure that it counts.
fn facts(real: &RealRun) -> Facts {
    let again = RealFacts::of(real).retransmitted.and_then(|count| usize::try_from(count).ok());
    let seen = Facts::of(&real.run);
    Facts { retransmitted: if seen.way == Way::Udp { None } else { again }, ..seen }
}

/// Knobs of the simulated network mean nothing to the kernel's loopback: better to say so than to ignore them.
fn refuse_what_loopback_has_not(args: &CompareArgs) -> Result<(), CliError> {
    if let Some(knob) = args.knobs.turned().find(|knob| !knob.is_real()) {
        return Err(CliError::Usage(format!(
            "--{} needs --wire sim: the kernel's loopback loses, delays and damages nothing",
            knob.name()
        )));
    }
    match args.show.pcap {
        None => Ok(()),
        Some(_) => Err(CliError::Usage(
            "--pcap needs --wire sim: a program sees no frames on real sockets; \
             capture them with: tcpdump -i lo -w run.pcap"
                .into(),
        )),
    }
}

/// Where the simulation of the same message differs, and why that is to be expected: each reason once.
fn explain(real: &[RealRun], message: &Bytes, knobs: &Knobs, out: &mut Output) -> Result<(), CliError> {
    let mut grouped: Vec<(Difference, Vec<String>)> = Vec::new();
    for run in real {
        let way = run.run.way.name().trim_end_matches(" over TCP");
        for found in differences(&simulated(run.run.way, message, knobs), &RealFacts::of(run)) {
            let values = format!("{way}: simulated {}, real {}", found.sim, found.real);
            let same =
                |known: &&mut (Difference, _)| known.0.what == found.what && known.0.because == found.because;
            match grouped.iter_mut().find(same) {
                Some((_, all)) => all.push(values),
                None => grouped.push((found, vec![values])),
            }
        }
    }
    out.line("")?;
    out.toned(Tone::Strong, "where the simulation differs")?;
    if grouped.is_empty() {
        return out.line("nowhere, in what both can measure");
    }
    for (difference, values) in grouped {
        out.line(difference.what)?;
        for line in values {
            out.line(format!("  {}", out.look.prose(&line)))?;
        }
        let reason = out.look.prose(&format!("expected because {}", difference.because));
        let reason = wrap(&reason, out.look.columns() - 4);
        for line in reason.lines() {
            out.line(format!("  {}", line.trim_start()))?;
        }
    }
    Ok(())
}

/// The figures of the same scene in the simulator.
fn simulated(way: Way, message: &Bytes, knobs: &Knobs) -> SimFacts {
    let sim = scene::run(way, message, knobs, Recorder::on(way.name(), Wire::Sim));
    SimFacts {
        mtu: u32::from(knobs.link.mtu),
        mss: knobs.announced_mss(),
        rtt: knobs.rtt(),
        first_read: first_read(&sim.trace),
        packets: sim.trace.frames().count(),
        lost: sim.trace.count(|kind| matches!(kind, Kind::Dropped { .. } | Kind::Discarded { .. })),
        retransmitted: sim.trace.count(|kind| matches!(kind, Kind::Retransmitted { .. })),
        reads: reads(&sim.trace),
        timestamps: false,
        // Offered with a shift of 0: the buffers are no larger than the window field can say.
        window_scale: true,
    }
}

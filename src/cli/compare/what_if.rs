//! The other futures of `compare`'s scene.

use bytes::Bytes;

use super::args::{CompareArgs, ViewChoice};
use super::telling::{headline, named, pages, ways, wrap};
use super::{document, pictures};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::pcap::{self, Written};
use crate::cli::what_if::{show, title};
use crate::cli::wire::WireChoice;
use crate::sim::fork::{self, Fate, Fork, MOST_LOSSES, NoSuchFrame, Turn, follow};
use crate::sim::knob::Knobs;
use crate::sim::knob::network::conditions;
use crate::sim::scene;
use crate::trace::{Recorder, Run, Way, Wire};
use crate::view::facts::Facts;
use crate::view::fork::Costs;
use crate::view::pcapng::PcapngOptions;

/// Both futures of each way that has the frames.
pub(super) fn forks(
    forks: &[Fork],
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    let ways = ways(args);
    let play = |way: Way| follow(forks, |turns| play(way, message, knobs, turns), |run| &run.trace);
    let played: Vec<(Way, Result<_, NoSuchFrame>)> = ways.iter().map(|way| (*way, play(*way))).collect();
    let runs: Vec<&(Run, Run)> = played.iter().filter_map(|(_, runs)| runs.as_ref().ok()).collect();
    let without: Vec<String> = played
        .iter()
        .filter_map(|(way, runs)| Some(format!("{}: {}", way.name(), runs.as_ref().err()?)))
        .collect();
    if runs.is_empty() {
        return Err(CliError::Usage(without.join("; ")));
    }
    let after: Vec<&Run> = runs.iter().map(|(_, after)| after).collect();
    if let Some(path) = &args.show.pcap {
        let traces: Vec<_> = after.iter().map(|run| &run.trace).collect();
        if pcap::write(path, &traces, PcapngOptions { fcs: args.show.fcs }, out)? == Written::Stdout {
            return Ok(());
        }
    }
    let line = fork::written(forks);
    if args.show.json {
        let facts: Vec<Facts> = after.iter().map(|run| Facts::of(run)).collect();
        let text = document::text(WireChoice::Sim, message.len(), knobs, Some(line), &facts)?;
        return out.document(text + "\n");
    }
    pages(&args.show, out);
    let mut told = conditions(knobs);
    told.push(format!("what-if {line}"));
    match args.show.view {
        Some(ViewChoice::Json) => return pictures::json(&named(&after), out),
        Some(view) => {
            headline(message, ways.len(), "sim", &told, out)?;
            return pictures::show(&args.show, view, &named(&after), out);
        }
        None => headline(message, ways.len(), "sim", &told, out)?,
    }
    for (way, runs) in &played {
        match runs {
            Ok((before, after)) => {
                title(way.name(), out)?;
                show(forks, (&before.trace, &after.trace), args.show.whole, out)?;
            }
            Err(none) => out.line(wrap(&format!("{}: {none}", way.name()), out.look.columns()))?,
        }
        out.line("")?;
    }
    out.line("next: the same with --what-if all\n      and predict which loss costs most")
}

/// Which loss costs most, each way.
pub(super) fn all(
    args: &CompareArgs,
    message: &Bytes,
    knobs: &Knobs,
    out: &mut Output,
) -> Result<(), CliError> {
    if args.show.view.is_some() || args.show.json || args.show.pcap.is_some() {
        return Err(CliError::Usage(
            "--what-if all is a table of many runs: expected no --view, --json or --pcap; one fork has them"
                .into(),
        ));
    }
    let ways = ways(args);
    let mut tables = Vec::new();
    for way in &ways {
        let run = play(*way, message, knobs, &[]);
        let frames = run.trace.frames().count() as u64;
        if frames > MOST_LOSSES {
            return Err(CliError::Usage(format!(
                "{} sends {frames} frames: --what-if all loses at most {MOST_LOSSES}; expected a shorter message",
                way.name()
            )));
        }
        let lost = |frame| {
            let turn = Turn::of(Fork { frame, fate: Fate::Lost }, &run.trace).ok()?;
            Some((frame, play(*way, message, knobs, &[turn]).trace))
        };
        let losses: Vec<_> = (1..=frames).filter_map(lost).collect();
        tables.push((way, Costs::of(&run.trace, losses.iter().map(|(frame, trace)| (*frame, trace)))));
    }
    pages(&args.show, out);
    let mut told = conditions(knobs);
    told.push("what-if all".into());
    headline(message, ways.len(), "sim", &told, out)?;
    for (way, costs) in &tables {
        title(&format!("{}: which loss costs most?", way.name()), out)?;
        out.sheet(&costs.draw(&out.look))?;
        out.line(wrap(&costs.in_words(), out.look.columns()))?;
        out.line("")?;
    }
    out.line("next: the same with --what-if 1=lost\n      and predict what is sent again")
}

fn play(way: Way, message: &Bytes, knobs: &Knobs, turns: &[Turn]) -> Run {
    let recorder = Recorder::on(way.name(), Wire::Sim);
    scene::run_forked(way, message, knobs, recorder, turns, &mut |_, _| ())
}

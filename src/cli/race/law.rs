//! Goodput over loss: each congestion control alone, at one loss after the other, beside the law of 1/sqrt(p).

use super::args::RaceArgs;
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::sim::knob::Knobs;
use crate::sim::knob::network::conditions;
use crate::sim::race::law::{self, LOSSES};
use crate::view::columns::Columns;
use crate::view::plot;
use crate::view::sheet::{Tone, wrap_parts};

/// How often each loss is tried, with a seed of its own each time.
const TRIES: u32 = 3;
/// More columns have no room in a terminal.
const MOST: usize = 4;

pub(super) fn show(
    entrants: &[Algorithm],
    args: &RaceArgs,
    knobs: &Knobs,
    time: Duration,
    out: &mut Output,
) -> Result<(), CliError> {
    if args.track.turns_loss() {
        return Err(CliError::Usage("--view plot:loss turns the loss itself: leave --loss out".into()));
    }
    let mut kinds = entrants.to_vec();
    kinds.dedup();
    if kinds.len() > MOST {
        let given = kinds.len();
        return Err(CliError::Usage(format!("--view plot:loss shows at most {MOST} controls, got {given}")));
    }
    let mut progress = Progress::start();
    let flows: Vec<(&str, [f64; LOSSES.len()])> = kinds
        .iter()
        .map(|kind| {
            let mut tell = |loss: f64| progress.tell(|| format!("{} at {} % loss", kind.name, loss * 100.0));
            (kind.name, law::measured(*kind, knobs, time, TRIES, &mut tell))
        })
        .collect();
    drop(progress);
    out.in_pages();
    let mut parts = vec!["one flow at a time".to_owned(), format!("{TRIES} seeds of {time} each")];
    parts.extend(
        conditions(knobs).into_iter().filter(|part| !part.starts_with("cc ") && !part.starts_with("loss ")),
    );
    out.toned(Tone::Strong, wrap_parts(&parts, out.dot(), out.look.columns()).join("\n"))?;
    out.line("")?;
    out.sheet(&table(&flows, knobs).draw(&out.look))?;
    out.line("")?;
    let points: Vec<_> =
        flows.iter().map(|(name, rates)| (*name, LOSSES.into_iter().zip(*rates).collect())).collect();
    out.plot(&plot::law::over_loss(|loss| law::predicted(knobs, loss), law::limit(knobs), &points))?;
    out.line("")?;
    out.line("next: netlayers race newreno --view plot:loss --delay 40ms\n      and predict what twice the delay does to each row")
}

/// Goodput in Mbit/s, and which part of what the law predicts.
fn table(flows: &[(&str, [f64; LOSSES.len()])], knobs: &Knobs) -> Columns {
    let mut headings = vec!["loss %", "law Mbit/s"];
    headings.extend(flows.iter().map(|(name, _)| *name));
    let rows = LOSSES.iter().enumerate().map(|(at, loss)| {
        let law = law::predicted(knobs, *loss);
        let mut row = vec![format!("{:.2}", loss * 100.0), format!("{:.2}", law / 1e6)];
        row.extend(
            flows
                .iter()
                .map(|(_, rates)| format!("{:.2} ({:.0} %)", rates[at] / 1e6, rates[at] / law * 100.0)),
        );
        row
    });
    Columns::new(&headings, rows.collect())
}

//! Who got how much, and what the link in the middle saw.

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::layers::link::aqm::Aqm;
use crate::layers::physical::delay::Rate;
use crate::sim::knob::Knobs;
use crate::sim::knob::network::conditions;
use crate::sim::race::Race;
use crate::view::columns::Columns;
use crate::view::look::grouped;
use crate::view::sheet::{LongWord, Tone, wrap_parts, wrap_words};

/// Before what goes on in a second line: as wide as the words in front.
const INDENT: &str = "          ";

pub(super) fn show(race: &Race, knobs: &Knobs, out: &mut Output) -> Result<(), CliError> {
    let flows = match race.flows.len() {
        1 => "one flow".to_owned(),
        n => format!("{n} flows, one bottleneck"),
    };
    let mut parts = vec![flows, race.time.to_string()];
    // Whose congestion control it is says the table.
    parts.extend(conditions(knobs).into_iter().filter(|part| !part.starts_with("cc ")));
    let columns = out.look.columns();
    out.toned(Tone::Strong, wrap_parts(&parts, out.dot(), columns).join("\n"))?;
    out.line("")?;
    out.sheet(&flow_table(race).draw(&out.look))?;
    out.line("")?;
    for line in link(race, knobs) {
        out.line(
            wrap_words(&line, columns, columns - INDENT.len(), LongWord::Kept).join(&format!("\n{INDENT}")),
        )?;
    }
    Ok(())
}

fn flow_table(race: &Race) -> Columns {
    let total = race.total();
    let rows = race.flows.iter().enumerate().map(|(number, flow)| {
        let goodput = race.goodput(number);
        let share = if total > 0.0 { goodput / total * 100.0 } else { 0.0 };
        vec![
            (number + 1).to_string(),
            flow.name.clone(),
            format!("{:.3}", goodput / 1e6),
            format!("{share:.1}"),
            grouped(flow.retransmissions),
        ]
    });
    Columns::new(&["flow", "congestion control", "goodput Mbit/s", "share %", "sent again"], rows.collect())
}

fn link(race: &Race, knobs: &Knobs) -> Vec<String> {
    let bottleneck = &race.bottleneck;
    let goodput = Rate((race.total() / 1e3).round() as u64 * 1000);
    let busy = bottleneck.utilisation.map(|share| format!(", busy {:.1} % of the time", share * 100.0));
    let rate = knobs.link.rate.map(|rate| format!(" of {rate}")).unwrap_or_default();
    let longest = bottleneck.longest.iter().max().copied().unwrap_or(0);
    let n = race.flows.len();
    let fairness = match n {
        1 => None,
        _ => Some(format!(
            "fairness  Jain's index {:.3}; 1: equal shares, 1/{n}: one gets everything",
            race.jain()
        )),
    };
    let lines = [
        Some(format!("link      {goodput} of goodput{rate}{}", busy.unwrap_or_default())),
        Some(format!(
            "queue     {:.1} frames on average, {longest} at most, of {}",
            bottleneck.mean, race.queue
        )),
        Some(format!(
            "lost      {} {}, {} on the link{}",
            grouped(bottleneck.turned_away),
            if knobs.link.aqm == Aqm::DropTail { "found the queue full" } else { "at the queue" },
            grouped(bottleneck.lost),
            match bottleneck.marked {
                0 => String::new(),
                marked => format!("; {} marked instead", grouped(marked)),
            }
        )),
        fairness,
    ];
    lines.into_iter().flatten().collect()
}

//! The other pictures of a run, frame by frame.

use super::args::{ShowArgs, ViewChoice};
use super::telling::{pace, wrap};
use crate::cli::error::CliError;
use crate::cli::output::{Output, Pace};
use crate::trace::Trace;
use crate::view::dissect::{Dissection, Role, TracedPacket, dissect_trace};
use crate::view::header_box::header_boxes;
use crate::view::hexdump::hexdump;
use crate::view::json::to_json;
use crate::view::ladder::{self, Ladder, LadderOptions};
use crate::view::layers::layers;
use crate::view::plot;
use crate::view::sheet::Tone;
use crate::view::table::table;

/// How many frames of each way are taken apart unless all were asked for: enough to meet every kind of header.
const MOST_FRAMES: usize = 8;

/// Shows one picture of each run, which has a title.
pub(in crate::cli) fn show(
    show: &ShowArgs,
    view: ViewChoice,
    runs: &[(&str, &Trace)],
    out: &mut Output,
) -> Result<(), CliError> {
    let pace = pace(show);
    let look = out.look;
    let options = LadderOptions { whole: show.whole, ..LadderOptions::default() };
    for &(title, trace) in runs {
        match view {
            ViewChoice::Ladder => out.picture(&ladder::single_with(trace, &look, options), pace)?,
            ViewChoice::Table => {
                headed(title, out)?;
                out.picture(&table(trace, &look), pace)?;
            }
            ViewChoice::Mermaid => {
                out.document(Ladder::of(trace).to_mermaid(look.absolute, options))?;
            }
            ViewChoice::Json => {}
            ViewChoice::PlotCwnd => plot(plot::Kind::Cwnd, trace, pace, out)?,
            ViewChoice::PlotRtt => plot(plot::Kind::Rtt, trace, pace, out)?,
            ViewChoice::PlotSeq => plot(plot::Kind::Seq, trace, pace, out)?,
            ViewChoice::PlotThroughput => plot(plot::Kind::Throughput, trace, pace, out)?,
            ViewChoice::PlotQueue => plot(plot::Kind::Queue, trace, pace, out)?,
            ViewChoice::Hex | ViewChoice::Header | ViewChoice::Layers => {
                headed(title, out)?;
                frames(show, view, trace, out)?;
            }
        }
        out.line("")?;
    }
    Ok(())
}

/// The title of a run, if it has one.
fn headed(title: &str, out: &mut Output) -> Result<(), CliError> {
    if title.is_empty() { Ok(()) } else { out.toned(Tone::Strong, title) }
}

fn plot(kind: plot::Kind, trace: &Trace, pace: Pace, out: &mut Output) -> Result<(), CliError> {
    let plot = kind.of(trace);
    match pace {
        Pace::AtOnce => out.plot(&plot),
        Pace::Step => out.picture(&plot.draw(&out.look), pace),
    }
}

/// All traces as JSON: one document, or one a line when there are several.
pub(in crate::cli) fn json(runs: &[(&str, &Trace)], out: &mut Output) -> Result<(), CliError> {
    let failed = |error: serde_json::Error| CliError::Failed(format!("writing JSON: {error}"));
    let documents: Result<Vec<String>, _> = runs.iter().map(|(_, trace)| to_json(trace)).collect();
    let documents = documents.map_err(failed)?;
    match documents.as_slice() {
        [one] => out.document(format!("{one}\n")),
        several => out.document(format!("[\n{}\n]\n", several.join(",\n"))),
    }
}

fn frames(show: &ShowArgs, view: ViewChoice, trace: &Trace, out: &mut Output) -> Result<(), CliError> {
    let packets = dissect_trace(trace);
    let chosen: Vec<&TracedPacket> = match show.frame {
        Some(number) => {
            let found = packets.iter().find(|packet| packet.packet.number == number);
            let Some(found) = found else {
                return out.line(format!("there is no frame {number}: there are {}", packets.len()));
            };
            vec![found]
        }
        // One look at what is wrapped in what says most where there is most to unwrap.
        None if view == ViewChoice::Layers && !show.whole => {
            packets.iter().max_by_key(|packet| depth(packet)).into_iter().collect()
        }
        None if show.whole => packets.iter().collect(),
        None => packets.iter().take(MOST_FRAMES).collect(),
    };
    for packet in &chosen {
        let dissection = &packet.packet.dissection;
        let summary = &packet.packet.summary;
        let (from, to) = (trace.name(packet.from), trace.name(packet.to));
        let (number, at) = (packet.packet.number, packet.at.as_millis_f64());
        let title = format!("frame {number}, {at:.3} ms, {from} to {to}: {}", summary.info());
        out.line(wrap(&title, out.look.columns()))?;
        picture(view, dissection, &packet.bytes, out)?;
        out.line("")?;
    }
    let left_out = packets.len() - chosen.len();
    if left_out > 0 && show.frame.is_none() {
        let hint = "--whole shows all of them, --frame N one";
        out.line(format!(
            "{left_out} more {} not shown; {hint}",
            if left_out == 1 { "frame" } else { "frames" }
        ))?;
    }
    Ok(())
}

fn picture(
    view: ViewChoice,
    dissection: &Dissection,
    bytes: &[u8],
    out: &mut Output,
) -> Result<(), CliError> {
    let look = out.look;
    match view {
        ViewChoice::Hex => out.sheet(&hexdump(bytes, dissection, &look)),
        ViewChoice::Layers => out.sheet(&layers(dissection, &look)),
        _ => out.sheet(&header_boxes(dissection, &look)),
    }
}

/// How much there is to see in a frame: its parts, and the first of several equals.
fn depth(packet: &TracedPacket) -> (usize, std::cmp::Reverse<u64>) {
    let parts = packet.packet.dissection.parts.iter().filter(|part| part.role != Role::Padding).count();
    (parts, std::cmp::Reverse(packet.packet.number))
}

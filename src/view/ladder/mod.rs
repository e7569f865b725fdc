//! The ladder: hosts as vertical lines, time running down, every frame an arrow. The picture of a protocol.
//!
//! It is drawn in three steps, one after the other:
//!
//! | step | file | what comes out |
//! |---|---|---|
//! | events | `rows`, `real` | rows: what belongs to one moment |
//! | rows | `elide` | steps: the rows worth their room, and gaps that count the others |
//! | steps | `panel` with `stroke`, on `strip`s | lines of cells, then text |
//!
//! `page` and `columns` put panels on the page, and `svg` draws the same steps with lines instead of letters;
//! `caption`, `words` and `label` choose what is said, and what is left unsaid when there is little room. A frame is drawn in the row of its departure; that it took time to
//! arrive shows in the rows that its arrival causes. A trace of real sockets holds no frames: there a write points at
//! the read that took its bytes.

mod caption;
mod clock;
mod columns;
mod elide;
mod label;
mod list;
mod page;
mod panel;
mod real;
mod row;
mod rows;
mod strip;
mod stroke;
mod svg;
mod text;
mod words;

#[cfg(test)]
mod bytes_tests;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::columns::Column;
use self::row::Row;
use super::dissect::{Conversations, Summary};
use super::look::Look;
use super::svg::Alt;
use crate::base::Instant;
use crate::trace::{Kind, LinkId, Trace, Wire};

/// How much of a run is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderOptions {
    /// Every row, however many there are.
    pub whole: bool,
    /// Otherwise at most so many rows (in each column), gaps included. Fewer than 8 tell nothing and count as 8.
    pub most_rows: usize,
    /// What happened before is not drawn, but the frames that are drawn are understood with it.
    pub since: Instant,
}

impl Default for LadderOptions {
    /// At most 40 rows, from the beginning on.
    fn default() -> Self {
        LadderOptions { whole: false, most_rows: 40, since: Instant::ZERO }
    }
}

impl LadderOptions {
    fn limit(self) -> usize {
        if self.whole { usize::MAX } else { self.most_rows }
    }
}

/// The ladder of one run.
pub fn single(trace: &Trace, look: &Look) -> String {
    single_with(trace, look, LadderOptions::default())
}

/// The ladder of one run, as long as asked for.
pub fn single_with(trace: &Trace, look: &Look, options: LadderOptions) -> String {
    one(trace, &trace.title, &summaries(trace), look, options)
}

/// The ladders of several runs in columns with a common time, each under its title.
///
/// On a screen too narrow for columns (less than 60 cells, or too many runs) they stand one under the other.
pub fn side_by_side(runs: &[(&str, &Trace)], look: &Look) -> String {
    side_by_side_with(runs, look, LadderOptions { most_rows: 26, ..LadderOptions::default() })
}

/// The ladders of several runs in columns, as long as asked for.
pub fn side_by_side_with(runs: &[(&str, &Trace)], look: &Look, options: LadderOptions) -> String {
    let packets: Vec<Vec<Summary>> = runs.iter().map(|(_, trace)| summaries(trace)).collect();
    let runs: Vec<Run<'_>> =
        runs.iter().zip(&packets).map(|((title, trace), packets)| Run { title, trace, packets }).collect();
    several(&runs, look, options)
}

/// The ladder of one run as SVG, as long as asked for.
pub fn to_svg(trace: &Trace, alt: Alt<'_>, options: LadderOptions) -> String {
    let packets = summaries(trace);
    let steps = elide::elide(rows_since(trace, &packets, options.since), &packets, options.limit());
    svg::draw(trace, &packets, &steps, alt)
}

/// A run with its frames dissected.
struct Run<'a> {
    title: &'a str,
    trace: &'a Trace,
    packets: &'a [Summary],
}

/// What every frame says, in the order of sending. Each link is followed on its own, as if a capture had run on it: a
/// segment that a router passes on is no repetition. Of a dissection only the summary is kept, for a run may have a
/// hundred thousand frames.
fn summaries(trace: &Trace) -> Vec<Summary> {
    let mut links: BTreeMap<LinkId, Conversations> = BTreeMap::new();
    let sent = trace.events.iter().filter_map(|event| match &event.kind {
        Kind::Sent { link, bytes, .. } => Some((*link, bytes)),
        _ => None,
    });
    sent.map(|(link, bytes)| links.entry(link).or_default().feed(bytes).summary).collect()
}

fn one(trace: &Trace, title: &str, packets: &[Summary], look: &Look, options: LadderOptions) -> String {
    let steps = elide::elide(rows_since(trace, packets, options.since), packets, options.limit());
    page::draw(trace, title, packets, &steps, look)
}

fn several(runs: &[Run<'_>], look: &Look, options: LadderOptions) -> String {
    let columns: Vec<Column<'_>> = runs
        .iter()
        .map(|Run { title, trace, packets }| {
            let rows = columns::condense(rows_since(trace, packets, options.since));
            Column { title, trace, packets, steps: elide::elide(rows, packets, options.limit()) }
        })
        .collect();
    columns::draw(&columns, look).unwrap_or_else(|| {
        let ladder = |run: &Run<'_>| one(run.trace, run.title, run.packets, look, options);
        let ladders: Vec<String> = runs.iter().map(ladder).collect();
        ladders.join("\n")
    })
}

/// The rows to draw.
fn rows_since<'a>(trace: &'a Trace, packets: &[Summary], since: Instant) -> Vec<Row<'a>> {
    let mut rows = rows_of(trace, packets);
    rows.retain(|row| row.at >= since);
    rows
}

fn rows_of<'a>(trace: &'a Trace, packets: &[Summary]) -> Vec<Row<'a>> {
    match trace.wire {
        Wire::Sim => rows::rows(trace, packets),
        Wire::Real => real::rows(trace),
    }
}

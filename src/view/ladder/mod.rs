//! The ladder: hosts as vertical lines, time running down, every frame an arrow. The picture of a protocol.
//!
//! It is drawn in three steps, one after the other:
//!
//! | step | file | what comes out |
//! |---|---|---|
//! | events | `rows`, `real` | rows: what belongs to one moment |
//! | rows | `elide` | steps: the rows worth their room, and gaps that count the others |
//! | steps | `panel` with `stroke` | lines of cells, which `page` and `columns` put on a sheet |
//!
//! `svg` draws the same steps with lines instead of letters, `mermaid` in the words of that language; `caption`, `words` and `label` choose what is said, and
//! what is left unsaid when there is little room. A frame is drawn in the row of its departure; that it took time to
//! arrive shows in the rows that its arrival causes. A trace of real sockets holds no frames: there a write points at
//! the read that took its bytes. Of a capture, `observed` makes a trace in which frames are sent and no more is known.
//!
//! A ladder can be drawn for every moment of a run: [`Ladder`] dissects the frames once, and
//! [`until`](LadderOptions::until) says how many events had happened. What lies ahead leaves no trace in the picture: a
//! frame that will be lost is on its way until it is.

mod caption;
mod clock;
mod columns;
mod elide;
mod label;
mod list;
mod mermaid;
mod observed;
mod page;
mod panel;
mod real;
mod row;
mod rows;
mod stroke;
mod svg;
mod text;
mod words;

#[cfg(test)]
mod bytes_tests;
#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use self::columns::Column;
use self::row::Row;
use super::dissect::{Conversations, Summary};
use super::look::Look;
use super::sheet::{Line, Sheet, Subject, Tone};
use super::svg::Alt;
use crate::base::Instant;
use crate::trace::{Kind, LinkId, Past, Trace, Wire};
pub use observed::Observed;

/// How much of a run is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LadderOptions {
    /// Every row, however many there are.
    pub whole: bool,
    /// Otherwise at most this many rows (in each column), gaps included. Fewer than 8 tell nothing and count as 8.
    pub most_rows: usize,
    /// Nothing before this time is drawn, but it is used to understand the frames that are.
    pub since: Instant,
    /// Only the first events of the run have happened yet: this many.
    pub until: Option<usize>,
}

impl Default for LadderOptions {
    /// At most 40 rows, from the beginning to the end.
    fn default() -> Self {
        LadderOptions { whole: false, most_rows: 40, since: Instant::ZERO, until: None }
    }
}

impl LadderOptions {
    fn limit(self) -> usize {
        if self.whole { usize::MAX } else { self.most_rows }
    }
}

/// A run with its frames dissected, to be drawn for any of its moments.
#[derive(Debug, Clone)]
pub struct Ladder<'a> {
    run: Past<'a>,
    packets: Cow<'a, [Summary]>,
}

impl<'a> Ladder<'a> {
    /// Dissects the frames of a run.
    pub fn of(run: impl Into<Past<'a>>) -> Self {
        let run = run.into();
        Ladder { run, packets: summaries(run).into() }
    }

    /// Draws it.
    pub fn draw(&self, look: &Look, options: LadderOptions) -> Sheet {
        let (run, packets) = self.at(options.until);
        one(run, run.title, packets, look, options)
    }

    /// The same as a sequence diagram of Mermaid, fenced as a block of Markdown.
    pub fn to_mermaid(&self, absolute: bool, options: LadderOptions) -> String {
        let (run, packets) = self.at(options.until);
        let steps = elide::elide(rows_since(run, packets, options.since), packets, options.limit());
        mermaid::draw(run, run.title, packets, &steps, absolute)
    }

    /// The run up to a moment, and the frames that had been sent by then: what a frame says depends only on those
    /// before it.
    fn at(&self, until: Option<usize>) -> (Past<'a>, &[Summary]) {
        let Some(events) = until else { return (self.run, &self.packets) };
        let run = self.run.first(events);
        let frames = run.count(|kind| matches!(kind, Kind::Sent { .. }));
        (run, &self.packets[..frames])
    }
}

/// The ladder of one run.
pub fn single<'a>(run: impl Into<Past<'a>>, look: &Look) -> Sheet {
    single_with(run, look, LadderOptions::default())
}

/// The ladder of one run, as long as asked for.
pub fn single_with<'a>(run: impl Into<Past<'a>>, look: &Look, options: LadderOptions) -> Sheet {
    Ladder::of(run).draw(look, options)
}

/// The ladders of several runs in columns with a common time, each under its title.
///
/// On a screen too narrow for columns (less than 60 cells, or too many runs) they are drawn one below the other.
pub fn side_by_side(runs: &[(&str, &Trace)], look: &Look) -> Sheet {
    side_by_side_with(runs, look, LadderOptions { most_rows: 26, ..LadderOptions::default() })
}

/// The ladders of several runs in columns, as long as asked for.
pub fn side_by_side_with(runs: &[(&str, &Trace)], look: &Look, options: LadderOptions) -> Sheet {
    let ladders: Vec<Ladder<'_>> = runs.iter().map(|(_, trace)| Ladder::of(*trace)).collect();
    let runs: Vec<Run<'_>> = runs
        .iter()
        .zip(&ladders)
        .map(|((title, _), ladder)| {
            let (run, packets) = ladder.at(options.until);
            Run { title, run, packets, differs: None }
        })
        .collect();
    several(&runs, look, options)
}

/// A run with a title, and what of it differs from the run beside it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The title above it.
    pub title: &'a str,
    /// The run.
    pub trace: &'a Trace,
    /// The frames and events that are marked.
    pub differs: &'a BTreeSet<Subject>,
}

/// Two runs of one scene side by side, or one below the other where there is little room, with what differs marked.
pub fn pair(sides: [Side<'_>; 2], look: &Look, options: LadderOptions) -> Sheet {
    let ladders = sides.map(|side| Ladder::of(side.trace));
    let runs: Vec<Run<'_>> = sides
        .iter()
        .zip(&ladders)
        .map(|(side, ladder)| {
            let (run, packets) = ladder.at(options.until);
            Run { title: side.title, run, packets, differs: Some(side.differs) }
        })
        .collect();
    let mut sheet = several(&runs, look, options);
    if sides.iter().any(|side| !side.differs.is_empty()) {
        sheet.push(Line::of("* not so in the other run", Tone::Faint));
    }
    sheet
}

/// The ladder of one run as SVG, as long as asked for.
pub fn to_svg<'a>(run: impl Into<Past<'a>>, alt: Alt<'_>, options: LadderOptions) -> String {
    let ladder = Ladder::of(run);
    let (run, packets) = ladder.at(options.until);
    let steps = elide::elide(rows_since(run, packets, options.since), packets, options.limit());
    svg::draw(run, packets, &steps, alt)
}

/// A run under a title, with its frames dissected.
struct Run<'a> {
    title: &'a str,
    run: Past<'a>,
    packets: &'a [Summary],
    /// What is marked.
    differs: Option<&'a BTreeSet<Subject>>,
}

/// What every frame says, in the order of sending. Each link is followed on its own, as if a capture had run on it: a
/// segment that a router passes on is no repetition. Of a dissection only the summary is kept, for a run may have a
/// hundred thousand frames.
fn summaries(run: Past<'_>) -> Vec<Summary> {
    let mut links: BTreeMap<LinkId, Conversations> = BTreeMap::new();
    let sent = run.events.iter().filter_map(|event| match &event.kind {
        Kind::Sent { link, bytes, .. } => Some((*link, bytes)),
        _ => None,
    });
    sent.map(|(link, bytes)| links.entry(link).or_default().glance(bytes).summary).collect()
}

fn one(run: Past<'_>, title: &str, packets: &[Summary], look: &Look, options: LadderOptions) -> Sheet {
    drawn(&Run { title, run, packets, differs: None }, look, options)
}

fn drawn(run: &Run<'_>, look: &Look, options: LadderOptions) -> Sheet {
    let rows = run.marked(rows_since(run.run, run.packets, options.since));
    let steps = elide::elide(rows, run.packets, options.limit());
    page::draw(run.run, run.title, run.packets, &steps, look)
}

impl Run<'_> {
    /// The rows with what differs from the run beside it.
    fn marked<'b>(&self, mut rows: Vec<Row<'b>>) -> Vec<Row<'b>> {
        let Some(differs) = self.differs else { return rows };
        for row in &mut rows {
            if let Some(arrow) = &mut row.arrow {
                arrow.marks.differs = differs.contains(&arrow.subject);
            }
            for remark in &mut row.remarks {
                remark.differs = differs.contains(&Subject::Event(remark.event));
            }
        }
        rows
    }
}

fn several(runs: &[Run<'_>], look: &Look, options: LadderOptions) -> Sheet {
    let columns: Vec<Column<'_>> = runs
        .iter()
        .map(|whole| {
            let Run { title, run, packets, .. } = whole;
            let rows = columns::condense(whole.marked(rows_since(*run, packets, options.since)));
            Column { title, run: *run, packets, steps: elide::elide(rows, packets, options.limit()) }
        })
        .collect();
    columns::draw(&columns, look).unwrap_or_else(|| {
        let mut sheet = Sheet::new();
        for (number, run) in runs.iter().enumerate() {
            if number > 0 {
                sheet.push(Line::new());
            }
            sheet.extend(drawn(run, look, options));
        }
        sheet
    })
}

/// The rows to draw.
fn rows_since<'a>(run: Past<'a>, packets: &[Summary], since: Instant) -> Vec<Row<'a>> {
    let mut rows = rows_of(run, packets);
    rows.retain(|row| row.at >= since);
    rows
}

fn rows_of<'a>(run: Past<'a>, packets: &[Summary]) -> Vec<Row<'a>> {
    match run.wire {
        Wire::Sim | Wire::Kernel => rows::rows(run, packets),
        Wire::Real => real::rows(run),
        Wire::Captured => observed::rows(run, packets),
    }
}

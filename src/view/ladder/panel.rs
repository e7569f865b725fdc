//! The lifelines of one trace side by side, and how a step looks on them: the one drawing routine of all ladders.

use std::collections::BTreeSet;

use super::row::{Arrow, Deed, Gap, Remark, Row, Step};
use super::stroke::Span;
use super::{text, words};
use crate::trace::{Past, PlaceId};
use crate::view::dissect::Summary;
use crate::view::look::{self, Look};
use crate::view::sheet::{Line, Subject, Tone};

/// The least room between two lifelines in which an arrow says something.
const LEAST_ROOM: usize = 15;

/// Where a trace is drawn: the cells of its lifelines, and the margins outside the first and the last.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    run: Past<'a>,
    packets: &'a [Summary],
    look: &'a Look,
    /// Fewer words, for narrow columns.
    compact: bool,
    width: usize,
    /// Hosts and the cells of their lifelines, from left to right.
    lifelines: Vec<(PlaceId, usize)>,
    /// Cells for states and reads at either side.
    margin: usize,
}

impl<'a> Panel<'a> {
    /// A panel of `width` cells; `None` when they are too few for its hosts.
    pub(super) fn new(
        run: Past<'a>,
        packets: &'a [Summary],
        look: &'a Look,
        (width, margin): (usize, usize),
        compact: bool,
    ) -> Option<Panel<'a>> {
        let places = present(run);
        let gaps = places.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
        let inner = width.checked_sub(2 * margin + 1)?;
        if inner / gaps <= LEAST_ROOM {
            return None;
        }
        let lifelines =
            places.into_iter().enumerate().map(|(i, place)| (place, margin + inner * i / gaps)).collect();
        Some(Panel { run, packets, look, compact, width, lifelines, margin })
    }

    /// Cells across, the frame included.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The names of the hosts over their lifelines, and their addresses if asked for.
    pub(super) fn head(&self, addresses: bool) -> Vec<Line> {
        let mut names = Line::blank(self.width);
        let mut below = Line::blank(self.width);
        let last = self.lifelines.len() - 1;
        for (i, &(place, cell)) in self.lifelines.iter().enumerate() {
            let room = self.width / self.lifelines.len();
            let name = text::cut(&look::escape(self.run.name(place)), room.saturating_sub(1));
            match i {
                0 if self.margin == 0 => names.put(cell, &name, Tone::Strong),
                i if i == last && self.margin == 0 => names.put_before(cell + 1, &name, Tone::Strong),
                _ => names.put_around(cell, &name, Tone::Strong),
            };
            if let Some(place) = self.run.places.get(usize::from(place.0)) {
                below.put_around(cell, &text::addresses(place), Tone::Faint);
            }
        }
        if addresses { vec![names, below] } else { vec![names] }
    }

    /// A line on which nothing happens.
    pub(super) fn idle(&self, in_gap: bool) -> Line {
        let mut strip = Line::blank(self.width);
        for (_, cell) in &self.lifelines {
            strip.put(*cell, if in_gap { "┊" } else { "│" }, Tone::Faint);
        }
        strip
    }

    /// The lines of one step.
    pub(super) fn lines(&self, step: &Step<'_>) -> Vec<Line> {
        match step {
            Step::Row(row) => self.row(row),
            Step::Gap(gap) => self.gap(gap),
        }
    }

    fn gap(&self, gap: &Gap) -> Vec<Line> {
        let (first, last) = (self.lifelines[0].1, self.lifelines[self.lifelines.len() - 1].1);
        words::gap(gap, (last - first).saturating_sub(3))
            .iter()
            .map(|line| {
                let mut strip = self.idle(true);
                let middle = first + (last - first).div_ceil(2);
                let half = text::width(line) / 2;
                strip.fill(middle - half - 1..middle - half + text::width(line) + 1, ' ', Tone::Plain);
                strip.put(middle - half, line, Tone::Faint);
                strip
            })
            .collect()
    }

    fn row(&self, row: &Row<'_>) -> Vec<Line> {
        let mut lines = vec![self.idle(false)];
        if let Some(arrow) = &row.arrow {
            self.arrow(arrow, &mut lines);
        }
        // Remarks in the margins share the line of the arrow; the others need lines of their own. What a program wrote
        // before the arrow left stands above it, as its cause.
        let mut above = Vec::new();
        let mut fresh = row.arrow.is_none();
        for (number, remark) in row.remarks.iter().enumerate() {
            if self.beside(remark, &mut lines[0]) {
                continue;
            }
            let is_cause = matches!(remark.deed, Deed::Wrote(_) | Deed::MessageSent(_));
            if row.arrow.is_some() && number < row.before && is_cause {
                let at = above.len();
                self.between(remark, at, &mut above);
                continue;
            }
            let taken = if fresh { lines.len() - 1 } else { lines.len() };
            self.between(remark, taken, &mut lines);
            fresh = false;
        }
        above.into_iter().chain(lines).collect()
    }

    fn arrow(&self, arrow: &Arrow<'_>, lines: &mut Vec<Line>) {
        let (Some(from), Some(to)) = (self.cell(arrow.from), self.cell(arrow.to)) else { return };
        let stroke = words::stroke(arrow, self.packets, self.look, self.compact);
        let span = Span { left: from.min(to), right: from.max(to), rightwards: from <= to };
        let passed = self
            .lifelines
            .iter()
            .map(|(_, cell)| *cell)
            .filter(|cell| span.left < *cell && *cell < span.right);
        let rest = stroke.draw(&mut lines[0], span, &passed.collect::<Vec<_>>());
        let between = span.left + 1..span.right;
        lines[0].about(between.clone(), arrow.subject);
        let room = (span.right - span.left).saturating_sub(5);
        for line in rest.iter().flat_map(|words| text::wrap(words, room)) {
            let mut strip = self.idle(false);
            match span.rightwards {
                true => strip.put(span.left + 3, &line, Tone::Plain),
                false => strip.put_before(span.right.saturating_sub(2), &line, Tone::Plain),
            };
            strip.about(between.clone(), arrow.subject);
            lines.push(strip);
        }
    }

    /// Writes a short remark into the margin; false if there is none for it.
    fn beside(&self, remark: &Remark<'_>, strip: &mut Line) -> bool {
        let (first, last) = (self.lifelines[0], self.lifelines[self.lifelines.len() - 1]);
        let room = self.margin.saturating_sub(1);
        let (text, tone) = words::deed(remark.deed, room);
        if !remark.deed.is_short() || text::width(&text) > room {
            return false;
        }
        let drawn = if remark.place == first.0 {
            strip.put_before(first.1.saturating_sub(1), &text, tone)
        } else if remark.place == last.0 {
            strip.put(last.1 + 2, &text, tone)
        } else {
            return false;
        };
        strip.about(drawn, Subject::Event(remark.event));
        true
    }

    /// Writes a remark between the lifelines, next to its host's, from line `at` on.
    fn between(&self, remark: &Remark<'_>, at: usize, lines: &mut Vec<Line>) {
        let Some(index) = self.lifelines.iter().position(|(place, _)| *place == remark.place) else { return };
        let cell = self.lifelines[index].1;
        // The last host's words go to the left of its lifeline, all others' to the right.
        let (room, to_left) = match self.lifelines.get(index + 1) {
            Some((_, next)) => (next - cell, false),
            None => (cell - self.lifelines[index - 1].1, true),
        };
        // A short text leaves the other side free, which shows whose it is.
        let (text, tone) = words::deed(remark.deed, room.saturating_sub(6));
        let lines_of_text = match text::width(&text) + 2 <= room {
            true => vec![text],
            false => text::wrap(&text, room.saturating_sub(4)),
        };
        for (i, line) in lines_of_text.iter().enumerate() {
            if lines.len() <= at + i {
                lines.push(self.idle(false));
            }
            let drawn = match to_left {
                true => lines[at + i].put_before(cell - 1, line, tone),
                false => lines[at + i].put(cell + 2, line, tone),
            };
            lines[at + i].about(drawn, Subject::Event(remark.event));
        }
    }

    fn cell(&self, place: PlaceId) -> Option<usize> {
        self.lifelines.iter().find(|(known, _)| *known == place).map(|(_, cell)| *cell)
    }
}

/// The hosts that take part in a run: those with an event, or with a frame sent to them.
pub(super) fn present(run: Past<'_>) -> Vec<PlaceId> {
    let mut places: Vec<PlaceId> = Vec::new();
    let mut add = |place: PlaceId| {
        if let Err(at) = places.binary_search(&place) {
            places.insert(at, place);
        }
    };
    for event in run.events {
        add(event.place);
        if let crate::trace::Kind::Sent { to, .. } = event.kind {
            add(to);
        }
    }
    // A run in which only one host did something is drawn with its possible peers.
    if places.len() < 2 {
        return (0..run.places.len().min(4) as u16).map(PlaceId).collect();
    }
    with_their_server_in_the_middle(run, places)
}

/// Where several hosts speak to one, and to no other (clients to a server), that one is in the middle: fewer arrows pass
/// the lifelines of others. A chain, such as client, router, server, stays as it is.
fn with_their_server_in_the_middle(run: Past<'_>, mut places: Vec<PlaceId>) -> Vec<PlaceId> {
    let links = run.events.iter().filter_map(|event| match event.kind {
        crate::trace::Kind::Sent { to, .. } => Some((event.place, to)),
        _ => None,
    });
    let links: BTreeSet<(PlaceId, PlaceId)> = links.collect();
    let is_hub = |place: &PlaceId| {
        let peers: BTreeSet<PlaceId> =
            links.iter().filter(|(_, to)| to == place).map(|(from, _)| *from).collect();
        peers.len() > 1 && links.iter().all(|(from, to)| from == place || to == place)
    };
    if places.len() > 2
        && let Some(at) = places.iter().position(is_hub)
    {
        let hub = places.remove(at);
        places.insert(places.len() / 2, hub);
    }
    places
}

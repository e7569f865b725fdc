//! What will be recorded when frames that wait begin to leave.
//!
//! It is known when the frame is handed over, and written down in its turn, so that the trace is in the order of time.
//! Nothing is kept when nothing is recorded.

use std::collections::VecDeque;

use super::queue::EventQueue;
use crate::base::Instant;
use crate::trace::{Kind, LinkId, PlaceId};

/// The events of frames that have not begun to leave.
///
/// The frames of a transmitter leave in the order in which they were handed to it. So each has a line of its own, and
/// only the first of each line is in the queue of all: with a thousand frames waiting, a queue of them all would take
/// as long as the rest of what a recorded frame costs.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// By link and side.
    lines: Vec<VecDeque<Departure>>,
    firsts: EventQueue<usize>,
}

#[derive(Debug)]
struct Departure {
    at: Instant,
    /// Its place among all that happens at that time.
    ticket: u64,
    place: PlaceId,
    kind: Kind,
}

impl Departures {
    /// `kind` is to be recorded at the time `at`, which is not before that of the last one of this end of the link.
    pub(super) fn push(&mut self, (link, side): (LinkId, usize), at: Instant, place: PlaceId, kind: Kind) {
        let number = link.index() * 2 + side;
        if number >= self.lines.len() {
            self.lines.resize_with(number + 1, VecDeque::new);
        }
        let (line, ticket) = (&mut self.lines[number], self.firsts.ticket());
        if line.is_empty() {
            self.firsts.push_as(at, ticket, number);
        }
        line.push_back(Departure { at, ticket, place, kind });
    }

    /// The next that is due by `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, PlaceId, Kind)> {
        self.firsts.next_at().filter(|at| *at <= now)?;
        let (_, number) = self.firsts.pop()?;
        let line = &mut self.lines[number];
        let Departure { at, place, kind, .. } = line.pop_front()?;
        if let Some(next) = line.front() {
            self.firsts.push_as(next.at, next.ticket, number);
        }
        Some((at, place, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::FrameId;

    #[test]
    fn events_of_all_lines_come_out_by_time_and_then_by_when_they_went_in() {
        let mut departures = Departures::default();
        let sent = [(0, 1, 5), (1, 0, 3), (0, 1, 5), (1, 0, 5), (2, 0, 4)];
        for (frame, (link, side, at)) in sent.into_iter().enumerate() {
            let kind = Kind::Delivered { frame: FrameId(frame as u64) };
            departures.push((LinkId(link), side), Instant::from_millis(at), PlaceId(0), kind);
        }
        assert_eq!(departures.pop(Instant::from_millis(2)), None);
        let frames = std::iter::from_fn(|| departures.pop(Instant::from_millis(5)));
        let frames: Vec<_> = frames.map(|(_, _, kind)| kind).collect();
        let expected = [1, 4, 0, 2, 3].map(|frame| Kind::Delivered { frame: FrameId(frame) });
        assert_eq!(frames, expected);
    }
}

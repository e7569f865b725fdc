//! From events to rows: which things belong side by side.
//!
//! A frame gets its row at the time of sending, as in the trace; what its arrival causes (a state, a read, an answer)
//! has rows of its own and so shows when it arrived. Only a frame that was held back and overtaken gets a second row,
//! for there the arrival *is* the story. Timers, round-trip samples and congestion windows are left to other pictures:
//! here only their consequences on the wire count.

use std::collections::BTreeMap;

use super::row::{Arrow, Cargo, Deed, Leg, Marks, Remark, Row};
use crate::base::Instant;
use crate::trace::{Event, FrameId, Kind, Past, PlaceId};
use crate::view::dissect::{Summary, What};
use crate::view::sheet::Subject;

/// All rows of a run of frames. `packets` are its frames, dissected, in the order of sending.
pub(super) fn rows<'a>(run: Past<'a>, packets: &[Summary]) -> Vec<Row<'a>> {
    let mut builder = Builder { marks: fates(run), ..Builder::default() };
    for (index, event) in run.events.iter().enumerate() {
        builder.take(index, event, packets);
    }
    builder.rows
}

/// What the network did to each frame; delivered ones have no open end.
fn fates(run: Past<'_>) -> BTreeMap<FrameId, Marks<'_>> {
    let mut fates: BTreeMap<FrameId, Marks<'_>> = BTreeMap::new();
    for Event { kind, .. } in run.events {
        match kind {
            Kind::Sent { frame, .. } => fates.entry(*frame).or_default().open = true,
            Kind::Delivered { frame } => fates.entry(*frame).or_default().open = false,
            // One that was not sent has no arrow: its sender's queue dropped it.
            Kind::Dropped { frame, by } => {
                if let Some(marks) = fates.get_mut(frame) {
                    marks.lost = Some(by);
                    marks.open = false;
                }
            }
            Kind::Discarded { frame, .. } => {
                let marks = fates.entry(*frame).or_default();
                marks.refused = true;
                marks.open = false;
            }
            Kind::Corrupted { frame, by, .. } => fates.entry(*frame).or_default().corrupted = Some(by),
            Kind::Duplicated { frame, copy, by } => {
                fates.entry(*frame).or_default().doubled = Some(by);
                fates.entry(*copy).or_default().copy = true;
            }
            Kind::Delayed { frame, by, extra } => {
                fates.entry(*frame).or_default().held = Some((by, *extra));
            }
            _ => {}
        }
    }
    for frame in overtaken(run) {
        fates.entry(frame).or_default().overtaken = true;
    }
    fates
}

/// The frames that arrived after one sent later on the same way.
fn overtaken(run: Past<'_>) -> Vec<FrameId> {
    let mut arrivals: BTreeMap<FrameId, Instant> = BTreeMap::new();
    for Event { at, kind, .. } in run.events {
        if let Kind::Delivered { frame } = kind {
            arrivals.entry(*frame).or_insert(*at);
        }
    }
    // From the last frame sent to the first: the earliest arrival of later ones, for each direction.
    let mut behind: BTreeMap<(PlaceId, PlaceId), Instant> = BTreeMap::new();
    let mut overtaken = Vec::new();
    for Event { place, kind, .. } in run.events.iter().rev() {
        let Kind::Sent { frame, to, .. } = kind else { continue };
        let Some(arrival) = arrivals.get(frame) else { continue };
        let earliest = behind.entry((*place, *to)).or_insert(*arrival);
        if arrival > earliest {
            overtaken.push(*frame);
        }
        *earliest = (*earliest).min(*arrival);
    }
    overtaken
}

#[derive(Default)]
struct Builder<'a> {
    rows: Vec<Row<'a>>,
    marks: BTreeMap<FrameId, Marks<'a>>,
    /// Frames sent so far.
    sent: usize,
    /// Announced retransmissions, by sender and raw sequence number, until their frame is seen.
    announced: BTreeMap<(PlaceId, u32), &'a str>,
    /// Held-back frames that have not arrived.
    held: BTreeMap<FrameId, Arrow<'a>>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, index: usize, event: &'a Event, packets: &[Summary]) {
        match &event.kind {
            Kind::Sent { frame, to, .. } => self.sent(event, *frame, *to, packets),
            Kind::Delivered { frame } => {
                if let Some(arrow) = self.held.remove(frame) {
                    self.rows.push(Row { at: event.at, arrow: Some(arrow), remarks: Vec::new(), before: 0 });
                }
            }
            Kind::Retransmitted { segment, why, .. } => {
                self.announced.insert((event.place, segment.seq), why);
            }
            Kind::Dropped { frame, by } => {
                if !self.marks.contains_key(frame) {
                    turned_away(&mut self.rows, (index, event), by);
                }
            }
            kind => {
                if let Some(deed) = deed(kind) {
                    remark(&mut self.rows, (index, event), deed);
                }
            }
        }
    }

    fn sent(&mut self, event: &'a Event, frame: FrameId, to: PlaceId, packets: &[Summary]) {
        let index = self.sent;
        self.sent += 1;
        let mut marks = self.marks.get(&frame).cloned().unwrap_or_default();
        if let Some(What::Tcp(tcp)) = packets.get(index).map(|packet| &packet.what) {
            let carries = tcp.len > 0 || tcp.flags.syn || tcp.flags.fin;
            let why = if carries { self.announced.remove(&(event.place, tcp.seq_raw)) } else { None };
            marks.again = why.or(tcp.retransmission.then_some(""));
        }
        let leg = match marks.held {
            Some(_) if marks.overtaken && marks.lost.is_none() => Leg::Departure,
            _ => Leg::Whole,
        };
        let (cargo, subject) = (Cargo::Frame(index), Subject::Frame(frame));
        let arrow = Arrow { from: event.place, to, cargo, subject, leg, marks };
        if leg == Leg::Departure {
            self.held.insert(frame, Arrow { leg: Leg::Arrival, ..arrow.clone() });
        }
        match self.rows.last_mut() {
            Some(row) if row.at == event.at && row.takes_arrow() => {
                row.before = row.remarks.len();
                row.arrow = Some(arrow);
            }
            _ => self.rows.push(Row { at: event.at, arrow: Some(arrow), remarks: Vec::new(), before: 0 }),
        }
    }
}

impl Row<'_> {
    fn takes_arrow(&self) -> bool {
        self.arrow.is_none() && self.remarks.iter().all(|remark| remark.deed.is_short())
    }
}

/// What of an event is said at its host's lifeline; `None` for what the ladder does not show.
pub(super) fn deed(kind: &Kind) -> Option<Deed<'_>> {
    Some(match kind {
        Kind::StateChanged { to, .. } => Deed::State(to),
        Kind::AppWrote { bytes, .. } => Deed::Wrote(bytes),
        Kind::AppRead { bytes, .. } => Deed::Read(bytes),
        Kind::MessageSent { len, .. } => Deed::MessageSent(*len),
        Kind::MessageReceived { len, .. } => Deed::MessageReceived(*len),
        Kind::Discarded { why, .. } => Deed::Refused(why),
        Kind::Note { text } => Deed::Note(text),
        Kind::Marked { by, .. } => Deed::Note(by),
        Kind::Queued { .. }
        | Kind::Sent { .. }
        | Kind::Delivered { .. }
        | Kind::Dropped { .. }
        | Kind::Corrupted { .. }
        | Kind::Duplicated { .. }
        | Kind::Delayed { .. }
        | Kind::Retransmitted { .. }
        | Kind::TimerSet { .. }
        | Kind::TimerFired { .. }
        | Kind::RttMeasured { .. }
        | Kind::CwndChanged { .. } => return None,
    })
}

/// A host's queue was full: what a burst loses at one moment is said in one row.
fn turned_away<'a>(rows: &mut Vec<Row<'a>>, (index, event): (usize, &Event), by: &'a str) {
    for remark in rows.iter_mut().rev().take_while(|row| row.at == event.at).flat_map(|row| &mut row.remarks)
    {
        if let Deed::TurnedAway(frames, before) = &mut remark.deed
            && (remark.place, *before) == (event.place, by)
        {
            *frames += 1;
            return;
        }
    }
    remark(rows, (index, event), Deed::TurnedAway(1, by));
}

/// Says something at a host, beside what happened there or elsewhere at the same moment if there is room.
pub(super) fn remark<'a>(rows: &mut Vec<Row<'a>>, (index, event): (usize, &Event), deed: Deed<'a>) {
    let remark = Remark { place: event.place, deed, event: index, differs: false };
    let last = rows.last_mut().filter(|row| row.at == event.at);
    match last {
        // A message of as many bytes as were just read or written is no news.
        Some(row)
            if row.remarks.iter().any(|before| before.place == event.place && tells(before.deed, deed)) => {}
        Some(row) if row.takes(&remark) => row.remarks.push(remark),
        _ => rows.push(Row { at: event.at, arrow: None, remarks: vec![remark], before: 0 }),
    }
}

impl Row<'_> {
    fn takes(&self, remark: &Remark<'_>) -> bool {
        remark.deed.is_short()
            && self.remarks.iter().all(|other| other.place != remark.place && other.deed.is_short())
    }
}

fn tells(before: Deed<'_>, now: Deed<'_>) -> bool {
    match (before, now) {
        (Deed::Wrote(bytes), Deed::MessageSent(len)) | (Deed::Read(bytes), Deed::MessageReceived(len)) => {
            bytes.len() == len
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Fate, Story, at, tcp};
    use super::*;
    use crate::trace::Wire;

    #[test]
    fn what_happens_at_one_moment_shares_a_row() {
        let mut story = Story::new("", Wire::Sim);
        story.state(0, 1, "LISTEN").state(0, 0, "SYN-SENT");
        story.segment(0, 0, tcp("S", 0, None, 0), Fate::Arrives(20));
        let rows = rows(story.trace.whole(), &story.packets());
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].remarks.len(), 2);
        assert!(rows[0].arrow.is_some());
    }

    #[test]
    fn two_things_at_one_host_need_two_rows() {
        let mut story = Story::new("", Wire::Sim);
        story.state(0, 0, "SYN-SENT").state(0, 0, "ESTABLISHED");
        assert_eq!(rows(story.trace.whole(), &story.packets()).len(), 2);
    }

    #[test]
    fn a_message_of_as_many_bytes_as_were_read_is_said_once() {
        let mut story = Story::new("", Wire::Sim);
        let message = |len| Kind::MessageReceived { flow: Story::flow(1), len };
        story.read(5, 1, b"hello").event(5, 1, message(5)).event(5, 1, message(4));
        let rows = rows(story.trace.whole(), &story.packets());
        let deeds: Vec<Deed<'_>> =
            rows.iter().flat_map(|row| &row.remarks).map(|remark| remark.deed).collect();
        assert_eq!(deeds, [Deed::Read(b"hello"), Deed::MessageReceived(4)]);
    }

    #[test]
    fn a_frame_that_was_overtaken_has_a_row_for_its_arrival() {
        let mut story = Story::new("", Wire::Sim);
        story.segment(0, 0, tcp("", 1, Some(1), 9), Fate::Held("hold", 50));
        story.segment(1, 0, tcp("", 10, Some(1), 9), Fate::Arrives(21));
        story.segment(60, 0, tcp("", 19, Some(1), 9), Fate::Held("hold", 99));
        let legs: Vec<_> = rows(story.trace.whole(), &story.packets())
            .iter()
            .map(|row| (row.at, row.arrow.as_ref().map(|arrow| arrow.leg)))
            .collect();
        let expected = [(0, Leg::Departure), (1, Leg::Whole), (50, Leg::Arrival), (60, Leg::Whole)];
        assert_eq!(legs, expected.map(|(micros, leg)| (at(micros), Some(leg))));
    }

    #[test]
    fn the_reason_of_a_repetition_is_found_by_its_sequence_number() {
        let mut story = Story::new("", Wire::Sim);
        story.again(0, 0, 1, "timeout");
        story.segment(0, 0, tcp("", 1, Some(1), 9), Fate::Arrives(20));
        story.segment(1, 0, tcp("", 10, Some(1), 9), Fate::Arrives(21));
        let rows = rows(story.trace.whole(), &story.packets());
        let again: Vec<_> = rows.iter().filter_map(|row| row.arrow.as_ref()).map(|a| a.marks.again).collect();
        assert_eq!(again, [Some("timeout"), None]);
    }
}

//! What was sent and is not acknowledged: the sender's memory, a list of ranges of the stream.
//!
//! Every sequence number from `snd_una` to `snd_nxt` lies in exactly one range, in order. A range remembers when its
//! numbers were last sent, how often, and what is thought of them: still on their way, or lost. What goes out again is
//! asked of this list. RFC 6675 §3 calls such a list the scoreboard; what its IsLost, SetPipe and NextSeg compute are
//! here [`Sent::find_losses`], the sums kept beside the list, and [`Sent::first_lost`].
//!
//! Neighbours with the same memories are one range, so a burst that leaves in one instant costs one entry. Bounded by
//! [`LIMIT`]: beyond it, what is sent joins the last range, and both are remembered by the later of their times. A loss
//! in there is noticed later than it could be; nothing else changes.

use std::collections::VecDeque;

use super::rack::Rack;
use crate::base::{Duration, Instant};

/// The most ranges kept for what is sent: some 160 KiB for a connection.
const LIMIT: usize = 4096;

/// The ranges in flight, in order.
#[derive(Debug, Default)]
pub(in super::super) struct Sent {
    ranges: VecDeque<Range>,
    /// Sequence numbers marked as lost.
    lost: u64,
    /// Sequence numbers marked as arrived.
    sacked: u64,
    /// What RACK knows, where losses are judged by time.
    rack: Option<Box<Rack>>,
    /// Sequence numbers that were ever marked as lost.
    lost_in_all: u64,
    /// When that was sent which was sent last of all that has arrived since this was last asked; and whether it was a
    /// repetition.
    newest: Option<(Instant, bool)>,
}

/// A range of the stream whose numbers share their fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: u64,
    end: u64,
    /// When they were last sent.
    sent_at: Instant,
    /// How often they were sent.
    transmissions: u32,
    mark: Mark,
}

/// What is thought of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    InFlight,
    /// Arrived, as the peer says in a selective acknowledgment. It may yet change its mind (RFC 2018 §8), so the bytes
    /// are kept.
    Sacked,
    /// No longer in the network, as far as anyone can tell, and to be sent again.
    Lost(Resend),
}

/// Why something is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Resend {
    Timeout,
    PartialAck,
    DuplicateAcks,
    Restart,
    Hole,
    Overdue,
    TailProbe,
    SmallerMtu,
    RepeatedSyn,
    SimultaneousOpen,
}

impl Resend {
    pub(in super::super) const fn why(self) -> &'static str {
        match self {
            Resend::Timeout => "the retransmission timer went off",
            Resend::PartialAck => "an ACK stopped here: the segment may be lost too",
            Resend::DuplicateAcks => "three duplicate ACKs: the segment may be lost",
            Resend::Restart => "three duplicate ACKs: from the lost segment on, all goes again",
            Resend::Hole => "much that was sent later has arrived: it may be lost",
            Resend::Overdue => "something sent later has arrived, and this is overdue",
            Resend::TailProbe => "no ACK came for two round trips: a probe for a lost tail",
            Resend::SmallerMtu => "a router said that it was too big",
            Resend::RepeatedSyn => "a SYN came again",
            Resend::SimultaneousOpen => "both ends opened at once: the SYN goes again, with an ACK",
        }
    }
}

impl Sent {
    /// New numbers from `start` to `end` leave, after all that left before.
    pub(in super::super) fn push(&mut self, start: u64, end: u64, now: Instant) {
        let new = Range { start, end, sent_at: now, transmissions: 1, mark: Mark::InFlight };
        let full = self.ranges.len() >= LIMIT;
        match self.ranges.back_mut() {
            Some(last) if last.has_memories_of(&new) => last.end = end,
            Some(last) if full => {
                let before = *last;
                *last = Range { end, sent_at: now, mark: Mark::InFlight, ..before };
                self.uncount(&before);
            }
            _ => self.ranges.push_back(new),
        }
    }

    /// Numbers from `start` to `end` leave again, as one segment.
    pub(in super::super) fn push_again(&mut self, start: u64, end: u64, now: Instant) {
        let (from, to) = (self.boundary(start), self.boundary(end));
        let mut transmissions = 0;
        for index in from..to {
            let range = self.ranges[index];
            transmissions = transmissions.max(range.transmissions);
            self.uncount(&range);
        }
        if from < to {
            self.ranges.drain(from + 1..to);
            let transmissions = transmissions.saturating_add(1);
            self.ranges[from] = Range { start, end, sent_at: now, transmissions, mark: Mark::InFlight };
        }
    }

    /// Everything before `ack` has arrived. Returns the round trip of what was sent last of it, unless any of it was
    /// sent twice: which of the two was answered is ambiguous (Karn's algorithm, RFC 6298 §3).
    pub(in super::super) fn acknowledge(&mut self, ack: u64, now: Instant) -> Option<Duration> {
        let (mut sent_at, mut repeated) = (None, false);
        while let Some(first) = self.ranges.front_mut().filter(|first| first.start < ack) {
            let here = Range { end: first.end.min(ack), ..*first };
            // What had arrived before says nothing about the round trip of this ACK.
            if here.mark != Mark::Sacked {
                sent_at = sent_at.max(Some(here.sent_at));
                repeated |= here.transmissions > 1;
                self.newest = self.newest.max(Some((here.sent_at, here.transmissions > 1)));
                if let Some(rack) = &mut self.rack {
                    rack.delivered(now, here.sent_at, here.end, here.transmissions > 1);
                }
            }
            if ack < first.end {
                first.start = ack;
            } else {
                self.ranges.pop_front();
            }
            self.uncount(&here);
        }
        sent_at.filter(|_| !repeated).map(|sent_at| now.since(sent_at))
    }

    /// The peer says that offsets from `start` to `end` have arrived. True when that is news. Of a list that is full
    /// only whole ranges are marked: a selective acknowledgment is advice.
    pub(in super::super) fn sack(&mut self, start: u64, end: u64, now: Instant) -> bool {
        let (from, to) = if self.ranges.len() + 2 > LIMIT {
            let from = self.ranges.partition_point(|range| range.start < start);
            (from, self.ranges.partition_point(|range| range.end <= end))
        } else {
            (self.boundary(start), self.boundary(end))
        };
        let mut news = false;
        for index in from..to {
            let range = self.ranges[index];
            if range.mark != Mark::Sacked {
                self.uncount(&range);
                self.newest = self.newest.max(Some((range.sent_at, range.transmissions > 1)));
                self.ranges[index].mark = Mark::Sacked;
                self.sacked += range.len();
                if let Some(rack) = &mut self.rack {
                    rack.delivered(now, range.sent_at, range.end, range.transmissions > 1);
                }
                news = true;
            }
        }
        news
    }

    /// Marks as lost what lies so far below what has arrived that it cannot only be late: three segments, or more
    /// than two segments' bytes (RFC 6675 §4, IsLost). What was sent again since is not judged. True when something is
    /// lost that was not before.
    pub(in super::super) fn find_losses(&mut self, mss: u64) -> bool {
        let (mut pieces, mut bytes, mut in_block, mut news) = (0, 0, false, false);
        let mut newly = 0;
        for range in self.ranges.iter_mut().rev() {
            match range.mark {
                Mark::Sacked => {
                    pieces += u32::from(!in_block);
                    bytes += range.len();
                    in_block = true;
                }
                Mark::InFlight if range.transmissions == 1 && (pieces >= 3 || bytes > 2 * mss) => {
                    range.mark = Mark::Lost(Resend::Hole);
                    newly += range.len();
                    (news, in_block) = (true, false);
                }
                _ => in_block = false,
            }
        }
        self.lost += newly;
        self.lost_in_all += newly;
        news
    }

    /// From now on losses are judged by time, and not by how much has arrived beyond a hole.
    pub(in super::super) fn judge_by_time(&mut self) {
        self.rack = Some(Box::default());
    }

    pub(in super::super) fn judges_by_time(&self) -> bool {
        self.rack.is_some()
    }

    /// Marks as lost what is overdue, also what was sent again (RFC 8985 §6.2, step 5). Says whether there is such, and
    /// when to look again. A repair may be under `way`.
    pub(in super::super) fn find_overdue(
        &mut self,
        now: Instant,
        srtt: Option<Duration>,
        mss: u64,
        way: bool,
    ) -> (bool, Option<Instant>) {
        let Some(rack) = &self.rack else { return (false, None) };
        let arrived = self.ranges.iter().filter(|range| range.mark == Mark::Sacked);
        let window =
            rack.window(srtt, way || arrived.map(|range| range.len().div_ceil(mss)).sum::<u64>() >= 3);
        let (mut newly, mut next) = (0, None);
        for range in self.ranges.iter_mut().filter(|range| range.mark == Mark::InFlight) {
            match rack.deadline(range.sent_at, range.end, window) {
                Some(deadline) if deadline <= now => {
                    range.mark = Mark::Lost(Resend::Overdue);
                    newly += range.len();
                }
                later => next = next.max(later),
            }
        }
        self.lost += newly;
        self.lost_in_all += newly;
        (newly > 0, next)
    }

    /// Where the last segment begins, of at most `len` numbers.
    pub(in super::super) fn last_segment(&self, len: u64) -> Option<u64> {
        self.ranges.back().map(|last| last.start.max(last.end.saturating_sub(len)))
    }

    /// Everything may be lost. What the peer said of arrivals no longer counts: it may have changed its mind (RFC 2018
    /// §5).
    pub(in super::super) fn lose_all(&mut self, why: Resend) {
        (self.lost, self.sacked) = (0, 0);
        for range in &mut self.ranges {
            range.mark = Mark::Lost(why);
            self.lost += range.len();
        }
        self.lost_in_all += self.lost;
    }

    /// Nothing is lost after all. On this path segments overtake each other.
    pub(in super::super) fn lose_none(&mut self) {
        self.lost = 0;
        for range in self.ranges.iter_mut().filter(|range| matches!(range.mark, Mark::Lost(_))) {
            range.mark = Mark::InFlight;
        }
        if let Some(rack) = &mut self.rack {
            rack.see_reordering();
        }
    }

    /// The oldest segment, of at most `len` numbers, may be lost.
    pub(in super::super) fn lose_first(&mut self, len: u64, why: Resend) {
        let Some(first) = self.ranges.front().copied() else { return };
        self.boundary(first.start + len.min(first.len()));
        if let Some(first) = self.ranges.front().copied() {
            self.uncount(&first);
            self.lost += first.len();
            self.lost_in_all += first.len();
            self.ranges[0].mark = Mark::Lost(why);
        }
    }

    /// Where what is lost begins, and why it goes again.
    pub(in super::super) fn first_lost(&self) -> Option<(u64, Resend)> {
        if self.lost == 0 {
            return None;
        }
        self.ranges.iter().find_map(|range| match range.mark {
            Mark::Lost(why) => Some((range.start, why)),
            Mark::InFlight | Mark::Sacked => None,
        })
    }

    /// Whether the oldest range is lost.
    pub(in super::super) fn first_is_lost(&self) -> bool {
        self.ranges.front().is_some_and(|first| matches!(first.mark, Mark::Lost(_)))
    }

    /// When the oldest range was last sent, if that was not the first time.
    pub(in super::super) fn first_repeated_at(&self) -> Option<Instant> {
        self.ranges.front().filter(|first| first.transmissions > 1).map(|first| first.sent_at)
    }

    /// How many sequence numbers are no longer on their way: lost, or arrived.
    pub(in super::super) fn gone(&self) -> u64 {
        self.lost + self.sacked
    }

    /// How many are marked as lost.
    pub(in super::super) fn lost(&self) -> u64 {
        self.lost
    }

    /// How many have arrived although no ACK covers them.
    pub(in super::super) fn sacked(&self) -> u64 {
        self.sacked
    }

    /// Whether the oldest range was sent twice.
    pub(in super::super) fn first_went_twice(&self) -> bool {
        self.ranges.front().is_some_and(|first| first.transmissions == 2)
    }

    /// Whether anything is lost and was not sent again.
    pub(in super::super) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// How many were ever marked as lost.
    pub(in super::super) fn lost_in_all(&self) -> u64 {
        self.lost_in_all
    }

    /// When that was sent which was sent last of all that has arrived since the last call; and whether it was a
    /// repetition.
    pub(in super::super) fn take_newest(&mut self) -> Option<(Instant, bool)> {
        self.newest.take()
    }

    /// Whether what lies from `start` to `end` was sent once only.
    pub(in super::super) fn was_sent_once(&self, start: u64, end: u64) -> bool {
        let from = self.ranges.partition_point(|range| range.end <= start);
        let mut covered = self.ranges.range(from..).take_while(|range| range.start < end).peekable();
        covered.peek().is_some() && covered.all(|range| range.transmissions == 1)
    }

    /// Whether the oldest range was sent only once.
    pub(in super::super) fn first_is_fresh(&self) -> bool {
        self.ranges.front().is_some_and(|first| first.transmissions == 1)
    }

    /// Where the next range that has arrived begins after `offset`: what is sent again stops there.
    pub(in super::super) fn next_sacked(&self, offset: u64) -> Option<u64> {
        if self.sacked == 0 {
            return None;
        }
        let behind = self.ranges.partition_point(|range| range.end <= offset);
        self.ranges.range(behind..).find(|range| range.mark == Mark::Sacked).map(|range| range.start)
    }

    /// Forgets all ranges: the connection is over.
    pub(in super::super) fn clear(&mut self) {
        *self = Sent::default();
    }

    /// A range, or a part of one, is no longer what it was.
    fn uncount(&mut self, range: &Range) {
        match range.mark {
            Mark::InFlight => {}
            Mark::Sacked => self.sacked -= range.len(),
            Mark::Lost(_) => self.lost -= range.len(),
        }
    }

    /// The index of the range that begins at `at`; one that `at` lies within is cut in two.
    fn boundary(&mut self, at: u64) -> usize {
        let index = self.ranges.partition_point(|range| range.end <= at);
        match self.ranges.get_mut(index) {
            Some(range) if range.start < at => {
                let behind = Range { start: at, ..*range };
                range.end = at;
                self.ranges.insert(index + 1, behind);
                index + 1
            }
            _ => index,
        }
    }
}

impl Range {
    fn len(&self) -> u64 {
        self.end - self.start
    }

    fn has_memories_of(&self, other: &Range) -> bool {
        let of = |range: &Range| (range.sent_at, range.transmissions, range.mark);
        of(self) == of(other)
    }
}

#[cfg(test)]
#[path = "sent_tests.rs"]
mod tests;

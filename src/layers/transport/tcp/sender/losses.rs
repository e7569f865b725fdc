//! What ACKs, timers and routers say of losses, and what of it counts: the keeper of the scoreboard (RFC 6675, RFC 8985).
//!
//! The scoreboard itself is [`Sent`](super::Sent), and when a repair begins and ends, `recovery/fast.rs` knows.

use super::super::congestion::Repair;
use super::super::recovery::{Progress, Prr, Resend};
use super::Sender;
use crate::base::{Duration, Instant};

impl Sender {
    /// Takes blocks that have arrived, as offsets, from an ACK that is otherwise a `duplicate` or not. True when they
    /// show that something is lost, and that is news.
    pub(in super::super) fn sacked(&mut self, now: Instant, blocks: &[(i64, i64)], duplicate: bool) -> bool {
        self.sack = true;
        let (una, nxt) = (self.snd_una.cast_signed(), self.snd_nxt.cast_signed());
        let mut news = false;
        for (start, end) in blocks.iter().filter(|(start, end)| una < *start && start < end && *end <= nxt) {
            news |= self.sent.sack(start.cast_unsigned(), end.cast_unsigned(), now);
        }
        let third = news && duplicate && self.fast.is_third_duplicate();
        // What is overdue, is judged when the whole ACK has been taken.
        if !news || self.sent.judges_by_time() {
            return false;
        }
        let mss = self.mss as u64;
        let mut lost = self.sent.find_losses(mss);
        // Three ACKs count, however few bytes they tell of (RFC 6675 §5, step 1).
        if third && self.sent.first_is_fresh() && !self.sent.first_is_lost() {
            self.sent.lose_first(mss, Resend::DuplicateAcks);
            lost = true;
        }
        lost && self.fast.sack_shows_loss(self.snd_una, self.snd_nxt)
    }

    /// Takes an ACK that acknowledges nothing new. True when it shows that something is lost (RFC 5681 §3.2). Without
    /// fast recovery all goes again then, as after a timeout.
    pub(in super::super) fn duplicate_ack(&mut self, repair: Repair) -> bool {
        let reno = repair == Repair::Reno;
        let lost = self.fast.duplicate_ack(self.snd_una, self.snd_nxt, self.mss as u64, reno);
        if lost && repair == Repair::Restart {
            self.sent.lose_all(Resend::Restart);
            self.fast.timed_out(self.snd_nxt);
        }
        if lost {
            self.sent.lose_first(self.mss as u64, Resend::DuplicateAcks);
        }
        lost
    }

    /// From now on losses are judged by time (RFC 8985).
    pub(in super::super) fn judge_by_time(&mut self) {
        self.sent.judge_by_time();
    }

    /// Looks for what is overdue. Says whether it shows a loss, and that is news; and when to look again.
    pub(in super::super) fn judge(
        &mut self,
        now: Instant,
        srtt: Option<Duration>,
    ) -> (bool, Option<Instant>) {
        let repairing = self.fast.is_repairing(self.snd_una);
        let (lost, next) = self.sent.find_overdue(now, srtt, self.mss as u64, repairing);
        (lost && self.fast.sack_shows_loss(self.snd_una, self.snd_nxt), next)
    }

    /// Whether a lost tail may be probed for: something is out, and nothing tells yet what became of it.
    pub(in super::super) fn may_probe(&self) -> bool {
        self.snd_una > 0
            && self.outstanding() > 0
            && self.sent.gone() == 0
            && !self.fast.is_repairing(self.snd_una)
            && self.tail.may_go()
    }

    /// Nothing was lost: all is in flight that is not acknowledged.
    pub(in super::super) fn nothing_was_lost(&mut self) {
        self.sent.lose_none();
        self.fast.needless(self.snd_una);
        self.prr = None;
        self.frto = None;
    }

    /// Whether the oldest segment was sent twice.
    pub(in super::super) fn first_went_twice(&self) -> bool {
        self.sent.first_went_twice()
    }

    /// Whether something waits to be sent again.
    pub(in super::super) fn has_lost(&self) -> bool {
        self.sent.has_lost()
    }

    /// Whether what lies between two offsets was sent once only.
    pub(in super::super) fn was_sent_once(&self, start: u64, end: u64) -> bool {
        self.sent.was_sent_once(start, end)
    }

    /// Whether anything has arrived that is not acknowledged in the ordinary way.
    pub(in super::super) fn has_sacked(&self) -> bool {
        self.sent.sacked() > 0
    }

    /// Bytes that were ever taken for lost.
    pub(in super::super) fn lost_in_all(&self) -> u64 {
        self.sent.lost_in_all()
    }

    /// When the newest of what has arrived since the last call was sent, and whether it was a repetition.
    pub(in super::super) fn take_newest(&mut self) -> Option<(Instant, bool)> {
        self.sent.take_newest()
    }

    /// Bytes that are known to have arrived, counted from the beginning.
    pub(in super::super) fn delivered(&self) -> u64 {
        self.snd_una + self.sent.sacked()
    }

    /// A loss shows: from now on the flight goes down in proportion to what arrives (RFC 6937).
    pub(in super::super) fn begin_reduction(&mut self) {
        self.prr = Some(Box::new(Prr::new(self.outstanding())));
    }

    /// An ACK has been taken, before which `before` was delivered; does it show nothing but progress?
    pub(in super::super) fn reduce(&mut self, before: u64, safe: bool, ssthresh: u64) {
        let (in_flight, mss) = (self.in_flight(), self.mss as u64);
        let delivered = self.delivered().saturating_sub(before);
        if let Some(prr) = &mut self.prr {
            prr.on_ack(Progress { delivered, in_flight, safe }, ssthresh, mss);
        }
    }

    /// What may be in flight while the reduction is under way.
    pub(in super::super) fn reduced_window(&self) -> Option<u64> {
        self.prr.as_ref().map(|prr| prr.window())
    }

    /// When the oldest segment in flight was last sent *again*.
    pub(in super::super) fn repeated_at(&self) -> Option<Instant> {
        self.sent.first_repeated_at()
    }

    /// The path takes only smaller segments: send what is in flight again, cut smaller (RFC 9293 §3.7.2, RFC 1191
    /// §6.4). Not a sign of congestion, so no timer is touched.
    pub(in super::super) fn lose_all_as_too_big(&mut self) {
        // A SYN has no data that could be cut.
        if self.snd_una > 0 && self.outstanding() > 0 {
            self.sent.lose_all(Resend::SmallerMtu);
        }
    }

    /// How many bytes the oldest segment in flight may have.
    pub(in super::super) fn first_len(&self) -> usize {
        let sent = self.buffer.end().min(self.snd_nxt).saturating_sub(self.snd_una.max(1));
        sent.min(self.mss as u64) as usize
    }

    /// Whether the first that is lost lies between two offsets.
    pub(in super::super) fn is_first_lost(&self, start: u64, end: u64) -> bool {
        self.sent.first_lost().is_some_and(|(offset, _)| (start..end).contains(&offset))
    }

    /// Whether nothing else is lost.
    pub(in super::super) fn is_all_that_is_lost(&self, start: u64, end: u64) -> bool {
        self.is_first_lost(start, end) && self.sent.lost() <= end - start
    }

    /// The retransmission timer fired (RFC 6298 §5.4).
    pub(in super::super) fn timed_out(&mut self) {
        self.sent.lose_all(Resend::Timeout);
        self.fast.timed_out(self.snd_nxt);
        self.prr = None;
        self.tail.outstanding = None;
    }
}

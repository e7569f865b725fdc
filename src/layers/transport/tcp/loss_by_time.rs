//! What RACK-TLP does for a connection (RFC 8985): it judges with every ACK what is lost, waits for stragglers, and
//! probes for a lost tail. The judgement itself is in `recovery/rack.rs`.
//!
//! The retransmission timer runs beside the two timers of here, which are never later than it; the RFC stops it
//! meanwhile (§8). What leaves is the same, for each of them restarts it.

use super::connection::Connection;
use super::segment::Segment;
use super::timers::Timer;
use crate::base::{Duration, Instant};

/// How long the peer may hold back the ACK of a single segment. It does not say; Linux assumes this.
const MAX_ACK_DELAY: Duration = Duration::from_millis(200);

/// When to probe before a round trip was measured (RFC 8985 §7.2).
const UNMEASURED_PTO: Duration = Duration::from_secs(1);

impl Connection {
    /// Whether losses are judged by time: asked for, and selective acknowledgment is there (§4).
    pub(super) fn judges_by_time(&self) -> bool {
        self.config.rack && self.repairs_by_sack()
    }

    /// Looks for what is overdue (§6.2, step 5). True when it shows a loss, and that is news.
    pub(super) fn judge(&mut self, now: Instant) -> bool {
        if !self.judges_by_time() {
            return false;
        }
        let flight = self.sender.flight_size();
        let (lost, due) = self.sender.judge(now, self.rtt.srtt());
        match due {
            Some(due) => self.set_timer(Timer::Reordering, due),
            None => self.timers.stop(Timer::Reordering),
        }
        if lost {
            self.loss_shows(now, flight, "something is overdue that was sent before what has arrived");
        }
        lost
    }

    /// The reordering timer went off: no straggler came.
    pub(super) fn judge_again(&mut self, now: Instant) {
        if self.judge(now) {
            self.reduce(self.sender.delivered(), false);
        }
    }

    /// Sets the probe timer after new data has left or was acknowledged (§7.2), unless losses are being repaired or what
    /// has arrived already tells of them.
    pub(super) fn schedule_probe(&mut self, now: Instant) {
        if !self.judges_by_time() {
            return;
        }
        if !self.sender.may_probe() {
            self.timers.stop(Timer::TailProbe);
            return;
        }
        let one_segment = self.sender.outstanding() <= self.sender.mss as u64;
        let pto = match self.rtt.srtt() {
            Some(srtt) if one_segment => srtt * 2 + MAX_ACK_DELAY,
            Some(srtt) => srtt * 2,
            None => UNMEASURED_PTO,
        };
        let due = (now + pto).min(self.timers.due(Timer::Retransmission));
        self.set_timer(Timer::TailProbe, due);
    }

    /// The probe timer went off (§7.3).
    pub(super) fn probe_tail(&mut self, now: Instant) {
        self.sender.tail.wanted = self.sender.may_probe();
        if self.sender.outstanding() > 0 {
            self.set_timer(Timer::Retransmission, now + self.rtt.rto());
        }
    }

    /// An ACK arrives while a probe may be out (§7.4.2); `second` when it says nothing new.
    pub(super) fn probe_answered(&mut self, now: Instant, segment: &Segment, second: bool) {
        let una = self.sender.snd_una;
        // A block below the acknowledgment reports what came twice (RFC 2883 §4).
        let blocks = segment.header.options.sack();
        let twice =
            blocks.first().is_some_and(|(_, end)| end.to_offset(self.sender.isn, una) <= una.cast_signed());
        if self.sender.tail.answered(una, twice || (second && blocks.is_empty() && segment.seq_len() == 0)) {
            self.congestion.on_loss(now, self.sender.flight_size());
            self.tell_cwnd("the loss probe has repaired a loss");
        }
    }
}

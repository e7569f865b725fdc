//! RACK-TLP: losses are judged by time, and a probe asks for the ACK that a lost tail owes (RFC 8985).
//!
//! RACK: of two segments the later one has arrived. Then the earlier one is late, and if it is late by more than
//! segments overtake each other on this path, it is lost. Unlike three duplicate ACKs this also finds what was lost
//! when only one segment came after it, and it finds what was sent again and lost again. How long to wait for
//! stragglers is the *reordering window*: nothing on a path where nothing has overtaken so far, once three segments
//! have arrived beyond the hole; otherwise a quarter of the shortest round trip.
//!
//! TLP: after the last segment of a flight nothing comes that could show its loss. When no ACK has come for two round
//! trips, the next segment goes as a probe, or else the last one again; its ACK shows RACK what is missing.
//!
//! Left out: a wider window after duplicates that the peer reports (§6.2, step 4), the shortest round trip of the
//! last minutes only (step 1), and that a timeout spares what was sent just before it (§6.3). A repetition that is lost
//! within a repair does not lower the window a second time.

use crate::base::{Duration, Instant};

/// Which is the latest segment that has arrived, and how much they overtake each other (RFC 8985 §5.3).
#[derive(Debug, Default)]
pub(in super::super) struct Rack {
    min_rtt: Option<Duration>,
    /// RACK.xmit_ts and RACK.end_seq of what was sent last of all that has arrived.
    newest: Option<(Instant, u64)>,
    /// Its round trip.
    rtt: Duration,
    /// RACK.fack: the end of all that has arrived.
    fack: u64,
    reordering_seen: bool,
}

impl Rack {
    /// What was sent at `sent_at` and ends at `end` has arrived (§6.2, steps 1 to 3).
    pub(in super::super) fn delivered(&mut self, now: Instant, sent_at: Instant, end: u64, repeated: bool) {
        let rtt = now.since(sent_at);
        self.reordering_seen |= end < self.fack && !repeated;
        self.fack = self.fack.max(end);
        if !repeated {
            self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
        } else if self.min_rtt.is_none_or(|min| rtt < min) {
            // Too soon for an answer to the repetition.
            return;
        }
        if self.newest < Some((sent_at, end)) {
            (self.newest, self.rtt) = (Some((sent_at, end)), rtt);
        }
    }

    /// What counted as lost was only late.
    pub(in super::super) fn see_reordering(&mut self) {
        self.reordering_seen = true;
    }

    /// RACK.reo_wnd (§6.2, step 4): how long what is late may still be on its way. `sure` when a repair is under way,
    /// or three segments have arrived beyond a hole.
    pub(in super::super) fn window(&self, srtt: Option<Duration>, sure: bool) -> Duration {
        match self.min_rtt {
            Some(_) if sure && !self.reordering_seen => Duration::ZERO,
            Some(min) => (min / 4).min(srtt.unwrap_or(min)),
            None => Duration::ZERO,
        }
    }

    /// When a segment counts as lost, if something sent after it has arrived (§6.2, step 5).
    pub(in super::super) fn deadline(&self, sent_at: Instant, end: u64, window: Duration) -> Option<Instant> {
        let newest = self.newest.filter(|newest| *newest > (sent_at, end));
        newest.map(|_| sent_at + self.rtt + window)
    }
}

/// The loss probe (RFC 8985 §7).
#[derive(Debug, Default)]
pub(in super::super) struct Tail {
    /// The probe timer went off, and the probe is to go.
    pub(in super::super) wanted: bool,
    /// TLP.end_seq: the end of all that was sent when the probe left; and whether it was a repetition.
    pub(in super::super) outstanding: Option<(u64, bool)>,
    /// A round trip was measured since the last probe.
    pub(in super::super) measured: bool,
}

impl Tail {
    /// One probe at a time, and none before the path has been measured again (§7.3).
    pub(in super::super) fn may_go(&self) -> bool {
        self.measured && self.outstanding.is_none()
    }

    /// An ACK of all before `ack` arrives. True when a probe that was a repetition has repaired a loss (§7.4.2): its ACK
    /// is no proof that the first transmission was lost, but nothing says that it was not, no ACK a `second` time and
    /// no report of a duplicate.
    pub(in super::super) fn answered(&mut self, ack: u64, second: bool) -> bool {
        let Some((end, repetition)) = self.outstanding.filter(|(end, _)| *end <= ack) else { return false };
        let unnecessary = !repetition || second;
        if unnecessary || ack > end {
            self.outstanding = None;
        }
        !unnecessary && ack > end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_was_sent_before_the_newest_arrival_is_lost_a_round_trip_and_a_window_after_it_was_sent() {
        let mut rack = Rack::default();
        assert_eq!(rack.deadline(at(0), 100, ms(5)), None);
        rack.delivered(at(110), at(10), 300, false);
        assert_eq!(rack.deadline(at(9), 900, ms(5)), Some(at(114)));
        // Of one instant, the earlier in the stream.
        assert_eq!(rack.deadline(at(10), 200, ms(5)), Some(at(115)));
        assert_eq!(rack.deadline(at(10), 400, ms(5)), None);
    }

    #[test]
    fn an_answer_that_comes_too_soon_was_to_the_first_transmission() {
        let mut rack = Rack::default();
        rack.delivered(at(100), at(0), 100, false);
        rack.delivered(at(150), at(60), 200, true);
        assert_eq!(rack.deadline(at(50), 900, ms(0)), None);
        rack.delivered(at(160), at(60), 200, true);
        assert_eq!(rack.deadline(at(50), 900, ms(0)), Some(at(150)));
    }

    #[test]
    fn the_window_is_nothing_until_something_overtakes() {
        let mut rack = Rack::default();
        rack.delivered(at(40), at(0), 200, false);
        assert_eq!((rack.window(None, true), rack.window(None, false)), (ms(0), ms(10)));
        rack.delivered(at(41), at(0), 100, true);
        assert_eq!(rack.window(None, true), ms(0), "it was sent again");
        rack.delivered(at(41), at(0), 100, false);
        assert_eq!((rack.window(None, true), rack.window(Some(ms(4)), true)), (ms(10), ms(4)));
    }

    #[test]
    fn a_probe_that_was_a_repetition_repairs_a_loss_unless_its_segment_came_twice() {
        let probe = |repetition| Tail { outstanding: Some((100, repetition)), ..Tail::default() };
        let mut new = probe(false);
        assert!(!new.answered(99, false) && new.outstanding.is_some());
        assert!(!new.answered(100, false) && new.outstanding.is_none());
        let mut needed = probe(true);
        assert!(!needed.answered(100, false) && needed.answered(101, false) && needed.outstanding.is_none());
        let mut in_vain = probe(true);
        assert!(
            !in_vain.answered(100, false) && !in_vain.answered(100, true) && !in_vain.answered(101, false)
        );
    }
}

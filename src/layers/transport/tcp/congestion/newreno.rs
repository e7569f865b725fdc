//! NewReno: slow start, congestion avoidance, and half the window after a loss (RFC 5681, RFC 6582).
//!
//! The window grows by a segment with every ACK until it reaches ssthresh (it doubles in a round trip), from there on
//! by a segment in a round trip. A loss that ACKs show halves it; a timeout brings it down to one segment.
//! What is sent again when, `recovery/fast.rs` knows.
//!
//! Its elders, Reno and Tahoe, have the same window and repair losses in their own ways: `reno.rs`, `tahoe.rs`.

use super::{Ack, CongestionControl, Repair};
use crate::base::Instant;

/// Slow start, congestion avoidance, and RFC 6582's recovery.
#[derive(Debug, Clone, Copy)]
pub struct NewReno {
    mss: u64,
    cwnd: u64,
    ssthresh: u64,
    /// Bytes acknowledged since the window last grew in congestion avoidance (RFC 5681 §3.1: the recommended way, by
    /// bytes, so that a receiver cannot make the window grow by cutting its ACKs).
    acked: u64,
    /// Window and threshold before the last loss, in case that it was none.
    before: (u64, u64),
    repair: Repair,
}

impl NewReno {
    /// For segments of at most `mss` bytes.
    pub fn new(mss: u64) -> Self {
        NewReno::repairing(Repair::NewReno, mss)
    }

    /// The same window with another way to repair losses.
    pub(super) fn repairing(repair: Repair, mss: u64) -> Self {
        NewReno { mss, cwnd: initial_window(mss), ssthresh: u64::MAX, acked: 0, before: (0, 0), repair }
    }

    /// What ssthresh is after a loss (RFC 5681 §3.1, equation 4).
    fn half(&self, in_flight: u64) -> u64 {
        (in_flight / 2).max(2 * self.mss)
    }
}

/// Ten segments, or less when they are large (RFC 6928 §2).
pub(super) fn initial_window(mss: u64) -> u64 {
    (10 * mss).min((2 * mss).max(14_600))
}

impl CongestionControl for NewReno {
    fn window(&self) -> u64 {
        self.cwnd
    }

    fn ssthresh(&self) -> u64 {
        self.ssthresh
    }

    fn repair(&self) -> Repair {
        self.repair
    }

    fn reduces_in_proportion(&self) -> bool {
        self.repair == Repair::NewReno
    }

    fn on_ack(&mut self, ack: &Ack) {
        if ack.app_limited || ack.recovering {
            return;
        }
        if self.cwnd < self.ssthresh {
            // RFC 5681 §3.1, equation 2.
            self.cwnd += ack.bytes.min(self.mss);
        } else {
            self.acked += ack.bytes;
            if self.acked >= self.cwnd {
                self.acked -= self.cwnd;
                self.cwnd += self.mss;
            }
        }
    }

    fn on_loss(&mut self, _now: Instant, in_flight: u64) {
        self.before = (self.cwnd, self.ssthresh);
        self.ssthresh = self.half(in_flight);
        // From the lost segment on everything goes again: in slow start.
        self.cwnd = if self.repair == Repair::Restart { self.mss } else { self.ssthresh };
        self.acked = 0;
    }

    fn on_rto(&mut self, _now: Instant, in_flight: u64) {
        // The timer goes off again for what was sent again: the threshold stays (RFC 5681 §3.1).
        if self.cwnd > self.mss {
            self.before = (self.cwnd, self.ssthresh);
            self.ssthresh = self.half(in_flight);
        }
        // The loss window, LW (§3.1).
        self.cwnd = self.mss;
        self.acked = 0;
    }

    fn undo(&mut self, _now: Instant, _in_flight: u64) {
        // What is in flight has been there all along, so that no burst follows: back at once, as RFC 9438 §4.9 has it. By
        // RFC 4015 §3.1, step 9, it would go back by slow start.
        let (cwnd, ssthresh) = std::mem::take(&mut self.before);
        (self.cwnd, self.ssthresh) = (self.cwnd.max(cwnd), self.ssthresh.max(ssthresh));
        self.acked = 0;
    }

    fn on_idle(&mut self) {
        // The restart window (RFC 5681 §4.1).
        self.cwnd = self.cwnd.min(initial_window(self.mss));
    }

    fn on_mss(&mut self, mss: u64) {
        self.mss = mss;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(bytes: u64) -> Ack {
        Ack {
            now: Instant::ZERO,
            bytes,
            rtt: None,
            srtt: None,
            in_flight: 0,
            app_limited: false,
            recovering: false,
        }
    }

    #[test]
    fn the_window_doubles_in_a_round_trip_and_then_grows_by_a_segment() {
        let mut reno = NewReno::new(1_000);
        assert_eq!(reno.window(), 10_000);
        (0..10).for_each(|_| reno.on_ack(&ack(1_000)));
        assert_eq!(reno.window(), 20_000);
        reno.on_loss(Instant::ZERO, 20_000);
        assert_eq!((reno.window(), reno.ssthresh()), (10_000, 10_000));
        (0..10).for_each(|_| reno.on_ack(&ack(1_000)));
        assert_eq!(reno.window(), 11_000);
        (0..11).for_each(|_| reno.on_ack(&ack(1_000)));
        assert_eq!(reno.window(), 12_000);
    }

    #[test]
    fn a_timeout_leaves_one_segment_and_a_second_one_keeps_the_threshold() {
        let mut reno = NewReno::new(1_000);
        reno.on_rto(Instant::ZERO, 10_000);
        assert_eq!((reno.window(), reno.ssthresh()), (1_000, 5_000));
        reno.on_rto(Instant::ZERO, 1_000);
        assert_eq!((reno.window(), reno.ssthresh()), (1_000, 5_000));
    }

    #[test]
    fn a_window_that_was_not_used_up_does_not_grow() {
        let mut reno = NewReno::new(1_000);
        reno.on_ack(&Ack { app_limited: true, ..ack(1_000) });
        reno.on_ack(&Ack { recovering: true, ..ack(1_000) });
        assert_eq!(reno.window(), 10_000);
        // One ACK for many bytes opens it by a segment in slow start.
        reno.on_ack(&ack(9_000));
        assert_eq!(reno.window(), 11_000);
    }

    #[test]
    fn a_loss_that_was_none_leaves_the_window_as_it_was_and_only_once() {
        let mut reno = NewReno::new(1_000);
        reno.on_rto(Instant::ZERO, 10_000);
        reno.on_rto(Instant::ZERO, 1_000);
        reno.undo(Instant::ZERO, 9_000);
        assert_eq!((reno.window(), reno.ssthresh()), (10_000, u64::MAX));
        reno.on_loss(Instant::ZERO, 10_000);
        reno.undo(Instant::ZERO, 9_000);
        reno.undo(Instant::ZERO, 9_000);
        assert_eq!((reno.window(), reno.ssthresh()), (10_000, u64::MAX));
    }

    #[test]
    fn the_initial_window_is_ten_segments_of_usual_size() {
        assert_eq!([536, 1_460, 9_000, 60_000].map(initial_window), [5_360, 14_600, 18_000, 120_000]);
    }
}

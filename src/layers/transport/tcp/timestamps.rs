//! Timestamps: every segment carries its sender's clock, and the peer's clock as last received (RFC 7323 §3 to §5).
//!
//! They serve two purposes. The echo gives the round trip of every ACK, even of what was sent twice: it names the
//! transmission that it answers (§4). And a segment with an older clock than the last is a leftover of the same
//! connection, however well its sequence number fits after 4 GiB (PAWS, §5).
//!
//! The clock ticks once a millisecond. Left out: a random offset of its own for each connection (§5.4), which would
//! hide how long the host has been up: here time begins with the run.

use std::cmp::Ordering;

use crate::base::{Duration, Instant};

/// A clock that was received this long ago may have wrapped: it proves nothing any more (RFC 7323 §5.5).
const OUTDATED: Duration = Duration::from_secs(24 * 24 * 60 * 60);

/// Nanoseconds in a tick.
const TICK: u64 = 1_000_000;

/// What one end knows of the other's clock.
#[derive(Debug)]
pub(super) struct Timestamps {
    /// TS.Recent, which is echoed, and when it was received.
    recent: Option<(u32, Instant)>,
    /// Last.ACK.sent, as an offset.
    last_ack: u64,
}

impl Timestamps {
    pub(super) fn new() -> Self {
        Timestamps { recent: None, last_ack: 0 }
    }

    /// TSval and TSecr of a segment that leaves now.
    pub(super) fn stamp(&self, now: Instant) -> (u32, u32) {
        (clock(now), self.recent.map_or(0, |(value, _)| value))
    }

    /// A segment that acknowledges all before `ack` leaves.
    pub(super) fn acknowledged(&mut self, ack: u64) {
        self.last_ack = ack;
    }

    /// Whether a segment's clock says that it is not older than what has come before (RFC 7323 §5.3, R1).
    pub(super) fn is_in_order(&self, now: Instant, value: u32) -> bool {
        let old = |(recent, at): (u32, Instant)| is_before(value, recent) && now.since(at) < OUTDATED;
        !self.recent.is_some_and(old)
    }

    /// How a clock compares with the last one that was heard.
    pub(super) fn moved(&self, value: u32) -> Option<Ordering> {
        let (recent, _) = self.recent?;
        Some(recent.wrapping_sub(value).cast_signed().cmp(&0).reverse())
    }

    /// Takes the clock of an acceptable segment at offset `start`, if it is the one to be echoed: that of the segment
    /// that made the last ACK go on, so that a delayed ACK counts in the round trip (RFC 7323 §4.3).
    pub(super) fn heard(&mut self, now: Instant, value: u32, start: i64) {
        let newer = self.recent.is_none_or(|(recent, _)| !is_before(value, recent));
        let outdated = self.recent.is_some_and(|(_, at)| now.since(at) >= OUTDATED);
        if (newer || outdated) && start <= self.last_ack.cast_signed() {
            self.recent = Some((value, now));
        }
    }

    /// The round trip that an echo gives.
    pub(super) fn round_trip(now: Instant, echo: u32) -> Option<Duration> {
        // An echo from the future is none of ours.
        let ticks = clock(now).wrapping_sub(echo);
        (ticks < u32::MAX / 2).then(|| Duration::from_nanos(u64::from(ticks) * TICK))
    }
}

fn clock(now: Instant) -> u32 {
    // Modulo 2^32, as clocks of this kind go (RFC 7323 §5.4).
    (now.as_nanos() / TICK) as u32
}

/// Modulo 2^32, on the shorter way around.
fn is_before(a: u32, b: u32) -> bool {
    b.wrapping_sub(a).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn an_older_clock_is_out_of_order_until_it_may_have_gone_round() {
        let mut stamps = Timestamps::new();
        assert!(stamps.is_in_order(at(0), 5));
        stamps.heard(at(0), 100, 0);
        assert!(stamps.is_in_order(at(1), 100) && stamps.is_in_order(at(1), 101));
        assert!(!stamps.is_in_order(at(1), 99));
        assert!(stamps.is_in_order(at(0) + OUTDATED, 99));
        stamps.heard(at(1), u32::MAX - 1, 0);
        assert!(!stamps.is_in_order(at(1), 99), "it was older, and not taken");
    }

    #[test]
    fn the_echo_is_that_of_the_segment_that_made_the_ack_go_on() {
        let mut stamps = Timestamps::new();
        stamps.heard(at(0), 10, 0);
        stamps.acknowledged(100);
        assert_eq!(stamps.stamp(at(7)), (7, 10));
        // One beyond what was acknowledged: there is a hole before it.
        stamps.heard(at(8), 12, 200);
        assert_eq!(stamps.stamp(at(9)), (9, 10));
        // Of two that are acknowledged together, the first: the second begins after the last ACK.
        stamps.heard(at(9), 13, 100);
        stamps.heard(at(9), 14, 150);
        assert_eq!(stamps.stamp(at(10)), (10, 13));
    }

    #[test]
    fn a_round_trip_is_counted_in_milliseconds_and_past_the_end_of_the_clock() {
        assert_eq!(Timestamps::round_trip(at(47), 7), Some(Duration::from_millis(40)));
        assert_eq!(Timestamps::round_trip(at(3), u32::MAX), Some(Duration::from_millis(4)));
        assert_eq!(Timestamps::round_trip(at(3), 4), None);
    }
}

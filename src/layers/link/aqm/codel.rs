//! CoDel, controlled delay: it looks at how long frames wait, not at how many do (RFC 8289).
//!
//! A queue that is good for something, one that takes in a burst, is empty again within a round trip. So when every
//! frame of 100 ms has waited 5 ms or more, the queue is a *standing* one: it delays all and helps nobody. Then one
//! frame is dropped as it leaves, and another one after 100 ms, and so on in intervals that shrink with the square root
//! of the count, until a frame has waited less: TCP's rate goes with one over the root of its losses.
//!
//! There is nothing to configure, for what a queue of 5 ms is does not depend on the rate.
//!
//! Here a frame is judged when it is taken in, for when it will leave is known then (see `sim/link.rs`). What comes
//! behind it is not, so that the RFC's exception for a queue of less than a frame (§5.6) is for what it finds before it.

use super::{Found, Judgement};
use crate::base::{Duration, Instant};

/// How long a frame may wait (RFC 8289 §4.3), and for how long all of them have to wait longer (§4.2).
const TARGET: Duration = Duration::from_millis(5);
const INTERVAL: Duration = Duration::from_millis(100);

/// The state of one queue, by the names of §5.
#[derive(Debug, Default)]
pub struct CoDel {
    /// When the frames will have waited too long for a whole interval.
    first_above_time: Option<Instant>,
    dropping: bool,
    drop_next: Instant,
    count: u32,
    lastcount: u32,
}

impl CoDel {
    /// A frame leaves the queue (§5.5, and dodequeue of §5.6).
    pub(super) fn judge(&mut self, found: &Found) -> Judgement {
        let now = found.leaves;
        let ok_to_drop = self.is_standing(found);
        if self.dropping && !ok_to_drop {
            self.dropping = false;
        } else if self.dropping && now >= self.drop_next {
            self.count = self.count.saturating_add(1);
            self.drop_next = control_law(self.drop_next, self.count);
            return Judgement::Speak("CoDel: the queue is still a standing one");
        } else if !self.dropping && ok_to_drop {
            self.dropping = true;
            // Where it left off, if that was not long ago.
            let recent = now.since(self.drop_next) < INTERVAL * 16;
            let delta = self.count - self.lastcount;
            self.count = if recent && delta > 1 { delta } else { 1 };
            self.lastcount = self.count;
            self.drop_next = control_law(now, self.count);
            return Judgement::Speak("CoDel: all have waited 5 ms for 100 ms");
        }
        Judgement::Pass
    }

    fn is_standing(&mut self, found: &Found) -> bool {
        let waited = found.leaves.since(found.now);
        if waited < TARGET || found.bytes <= found.full_frame {
            self.first_above_time = None;
            return false;
        }
        match self.first_above_time {
            None => {
                self.first_above_time = Some(found.leaves + INTERVAL);
                false
            }
            Some(since) => found.leaves >= since,
        }
    }
}

/// §5.6. A square root is exact to the last bit on every machine (IEEE 754).
fn control_law(at: Instant, count: u32) -> Instant {
    at + Duration::from_nanos((INTERVAL.as_nanos() as f64 / f64::from(count).sqrt()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that leave one a millisecond, each having waited for `waited` ms: when one is dropped, in ms.
    fn drops(waited: impl Fn(u64) -> u64, until: u64) -> Vec<u64> {
        let mut codel = CoDel::default();
        let dropped = |ms: &u64| {
            let leaves = Instant::from_millis(1_000 + ms);
            let now = Instant::from_millis(1_000 + ms - waited(*ms));
            let frame_time = Duration::from_millis(1);
            let found = Found {
                now,
                leaves,
                frames: 9,
                bytes: 9_000,
                idle_since: now,
                frame_time,
                full_frame: 1_500,
            };
            codel.judge(&found) != Judgement::Pass
        };
        (0..until).filter(dropped).collect()
    }

    #[test]
    fn a_standing_queue_is_dropped_from_at_shrinking_intervals() {
        // 100, 100 + 100, + 100/sqrt 2, + 100/sqrt 3, + 100/2.
        assert_eq!(drops(|_| 20, 380), [100, 200, 271, 329, 379]);
    }

    #[test]
    fn a_burst_that_drains_within_the_interval_is_left_alone() {
        assert!(drops(|ms| 50u64.saturating_sub(ms % 100), 2_000).is_empty());
        assert!(drops(|_| 4, 2_000).is_empty());
    }

    #[test]
    fn it_goes_on_where_it_left_off_when_the_queue_is_back_soon() {
        // Dropping until 700 ms, then all is well for 20 ms.
        let all = drops(|ms| if (700..720).contains(&ms) { 1 } else { 20 }, 900);
        let after: Vec<u64> = all.iter().copied().filter(|ms| *ms > 720).collect();
        assert_eq!(after[0], 820, "an interval after the queue came back");
        assert!(after[1] - after[0] < 50, "{after:?}");
    }
}

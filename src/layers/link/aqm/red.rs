//! RED, random early detection: the longer the queue is on average, the likelier a frame is dropped or marked (Floyd
//! and Jacobson, "Random Early Detection Gateways for Congestion Avoidance", 1993).
//!
//! The average moves slowly, so that a burst passes. While it is below the lower threshold nothing happens; above the
//! upper one everything is dropped. Between them the probability grows to [`MAX_P`], and a count since the last one
//! spreads them evenly: a flow loses in proportion to what it sends, and not all flows at once, as they do when a queue
//! overflows.
//!
//! The thresholds follow the rule of thumb of the paper's second half and of Floyd's later notes: the upper is three
//! times the lower, which is a twelfth of the queue here, but at least five frames.

use super::{Found, Judgement};
use crate::base::Rng;

/// How much one frame's finding counts in the average, w_q.
const WEIGHT: f64 = 0.002;

/// The probability at the upper threshold.
const MAX_P: f64 = 0.1;

/// The state of one queue.
#[derive(Debug)]
pub struct Red {
    low: f64,
    high: f64,
    /// avg, in frames.
    average: f64,
    /// Frames since the last that was dropped or marked; none while the average is below the lower threshold.
    count: Option<u32>,
}

impl Red {
    /// For a queue of this many frames.
    pub fn new(room: usize) -> Self {
        let low = (room as f64 / 12.0).max(5.0);
        Red { low, high: 3.0 * low, average: 0.0, count: None }
    }

    pub(super) fn judge(&mut self, found: &Found, rng: &mut Rng) -> Judgement {
        if found.frames > 0 {
            self.average += WEIGHT * (found.frames as f64 - self.average);
        } else {
            // As if frames had found it empty all the while.
            let idle = found.now.since(found.idle_since).as_nanos();
            let missed = idle / found.frame_time.as_nanos().max(1);
            self.average *= power(1.0 - WEIGHT, missed);
        }
        if self.average < self.low {
            self.count = None;
            return Judgement::Pass;
        }
        if self.average >= self.high {
            self.count = Some(0);
            return Judgement::Drop("RED: the queue is too long on average");
        }
        let count = self.count.map_or(0, |count| count.saturating_add(1));
        let p = MAX_P * (self.average - self.low) / (self.high - self.low);
        // Evenly spread: p / (1 - count p).
        let spread = p / (1.0 - f64::from(count) * p).max(p);
        if rng.chance(spread) {
            self.count = Some(0);
            return Judgement::Speak("RED: the queue grows long on average");
        }
        self.count = Some(count);
        Judgement::Pass
    }
}

/// By multiplications only, which give the same bits on every machine.
fn power(base: f64, mut exponent: u64) -> f64 {
    let (mut result, mut square) = (1.0, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result *= square;
        }
        square *= square;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Duration, Instant};

    fn found(frames: usize) -> Found {
        let ms = Duration::from_millis(1);
        let now = Instant::from_millis(1_000);
        Found { now, leaves: now, frames, bytes: 0, idle_since: now, frame_time: ms, full_frame: 1_500 }
    }

    fn spoken(red: &mut Red, frames: usize, times: usize) -> usize {
        let mut rng = Rng::new(1);
        (0..times).filter(|_| red.judge(&found(frames), &mut rng) != Judgement::Pass).count()
    }

    #[test]
    fn a_burst_passes_and_a_queue_that_stays_long_is_spoken_for() {
        let mut red = Red::new(120);
        assert_eq!(spoken(&mut red, 100, 50), 0, "an average of 9.5 frames after fifty");
        let mut red = Red::new(120);
        // Half way between 10 and 30: one in twenty.
        red.average = 20.0;
        let spoken = spoken(&mut red, 20, 10_000);
        assert!((600..=1_100).contains(&spoken), "{spoken}: spread evenly, one in 10 to 1 in 20");
    }

    #[test]
    fn above_the_upper_threshold_all_is_dropped() {
        let mut red = Red::new(120);
        red.average = 31.0;
        assert!(matches!(red.judge(&found(40), &mut Rng::new(1)), Judgement::Drop(_)));
    }

    #[test]
    fn an_idle_queue_forgets() {
        let mut red = Red::new(120);
        red.average = 25.0;
        let idle = Found { now: Instant::from_millis(2_000), ..found(0) };
        assert_eq!(red.judge(&idle, &mut Rng::new(1)), Judgement::Pass);
        // A thousand frames' time: 25 (1 - 0.002)^1000 = 3.38.
        assert!((red.average - 3.377).abs() < 0.01, "{}", red.average);
    }
}

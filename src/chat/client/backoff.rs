//! How long to wait before the next attempt to connect.
//!
//! Exponential, so that a server that is down is not asked a thousand times; bounded, so that no wait grows without
//! end; and scattered, because a server that ends loses all of its clients at the same moment, and they must not all
//! reconnect at the same moment.

use crate::base::Duration;

/// The waits between tries. The defaults are those of socket.io-client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The first wait, before it is scattered (default: 1 s).
    pub first: Duration,
    /// No wait is longer (default: 5 s).
    pub most: Duration,
    /// The factor between one wait and the next (default: 2).
    pub factor: u32,
    /// Each wait is scattered by up to this part of itself, to either side (default: 0.5).
    pub scatter: f64,
    /// How many attempts may fail before it gives up; `None` for no limit (the default), 0 for a client that does not
    /// reconnect by itself.
    pub tries: Option<u32>,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff {
            first: Duration::from_secs(1),
            most: Duration::from_secs(5),
            factor: 2,
            scatter: 0.5,
            tries: None,
        }
    }
}

impl Backoff {
    /// The wait before try number `attempt`, counted from 1. `chance` is any 64 random bits.
    pub fn wait(&self, attempt: u32, chance: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(63);
        let grown = self.first * self.factor.saturating_pow(doublings);
        let grown = grown.min(self.most).as_nanos();
        // 53 bits of it as a number from 0 to 1, then from -scatter to +scatter.
        let unit = (chance >> 11) as f64 / (1u64 << 53) as f64;
        let scattered = grown as f64 * (1.0 + self.scatter.clamp(0.0, 1.0) * (2.0 * unit - 1.0));
        Duration::from_nanos(scattered as u64).min(self.most)
    }

    /// Whether this try, counted from 1, is still to be made.
    pub fn goes_on(&self, attempt: u32) -> bool {
        self.tries.is_none_or(|tries| attempt <= tries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn waits_double_from_one_second_to_five() {
        let plain = Backoff { scatter: 0.0, ..Backoff::default() };
        let seconds: Vec<f64> = (1..=5).map(|attempt| plain.wait(attempt, 0).as_secs_f64()).collect();
        assert_eq!(seconds, [1.0, 2.0, 4.0, 5.0, 5.0]);
        assert_eq!(plain.wait(u32::MAX, u64::MAX), Duration::from_secs(5));
    }

    #[test]
    fn waits_are_scattered_by_half_to_either_side_and_never_longer_than_the_longest() {
        let (backoff, mut rng) = (Backoff::default(), Rng::new(1));
        let waits: Vec<f64> = (0..1000).map(|_| backoff.wait(1, rng.next_u64()).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (0.5..1.5).contains(wait)));
        let mean = waits.iter().sum::<f64>() / 1000.0;
        assert!((0.97..1.03).contains(&mean), "{mean}");
        assert!((0..1000).all(|_| backoff.wait(9, rng.next_u64()) <= Duration::from_secs(5)));
    }

    #[test]
    fn it_gives_up_when_it_was_told_to() {
        assert!(Backoff::default().goes_on(u32::MAX));
        let three = Backoff { tries: Some(3), ..Backoff::default() };
        assert!(three.goes_on(3) && !three.goes_on(4));
    }
}

//! The one place that reads the system clock.
//!
//! Everything else counts time from the start of a run, so a run on real sockets has the same kind of times as a
//! simulated one. The clock is monotonic: setting the wall clock during a run moves nothing. It is the system's as
//! tokio reads it, so that a test may hold it still or move it, together with tokio's timers.

use crate::base::Instant;

/// The time since a run began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    /// Begins a run: from here [`now`](Clock::now) counts.
    pub fn start() -> Self {
        Clock { start: tokio::time::Instant::now() }
    }

    /// Nanoseconds since the start of the run.
    pub fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Milliseconds since 1970, for what is kept beyond a run. This clock may be set while the program runs.
#[expect(clippy::disallowed_methods, reason = "real sockets live in real time; this is where it comes in")]
pub fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The standard library's form of a length of time, for tokio's timers.
pub(crate) fn std_duration(length: crate::base::Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(length.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let clock = Clock::start();
        let times: Vec<Instant> = (0..1000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
    }

    #[tokio::test(start_paused = true)]
    async fn a_test_that_holds_tokios_time_holds_this_clock_too() {
        let clock = Clock::start();
        let before = clock.now();
        assert_eq!(clock.now(), before);
        tokio::time::advance(std_duration(crate::base::Duration::from_secs(5))).await;
        assert_eq!(clock.now().since(before), crate::base::Duration::from_secs(5));
    }
}

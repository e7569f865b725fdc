//! The time column: one unit and one number of decimals for a whole ladder.

use crate::base::{Duration, Instant};

/// How the times of a ladder are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Nanoseconds in the unit.
    unit: u64,
    decimals: usize,
}

impl Clock {
    /// Chosen for the times to be written: microseconds for a run of a few milliseconds, seconds for one of many
    /// minutes, else milliseconds. Decimals are given when the run is short and has times between whole units.
    pub(super) fn for_times(times: impl Iterator<Item = Instant>, may_have_decimals: bool) -> Clock {
        let (mut end, mut whole) = (0, true);
        for time in times {
            end = end.max(time.as_nanos());
            whole &= time.as_nanos().is_multiple_of(1_000_000);
        }
        match end {
            // Six columns: from here on a decimal would not fit.
            9_999_000_000_000.. => Clock { unit: 1_000_000_000, decimals: 0 },
            1_000_000_000_000.. => Clock { unit: 1_000_000_000, decimals: 1 },
            _ if whole => Clock { unit: 1_000_000, decimals: 0 },
            20_000_000..1_000_000_000 if may_have_decimals => Clock { unit: 1_000_000, decimals: 1 },
            20_000_000.. => Clock { unit: 1_000_000, decimals: 0 },
            2_000_000.. => Clock { unit: 1_000_000, decimals: 2 },
            _ => Clock { unit: 1_000, decimals: if end < 100_000 { 1 } else { 0 } },
        }
    }

    /// The name of the unit.
    pub(super) fn unit(self) -> &'static str {
        match self.unit {
            1_000 => "µs",
            1_000_000 => "ms",
            _ => "s",
        }
    }

    /// A time in that unit.
    pub(super) fn text(self, time: Instant) -> String {
        self.text_of_tick(self.tick(time))
    }

    /// The time of a tick.
    pub(super) fn text_of_tick(self, tick: u64) -> String {
        format!("{:.*}", self.decimals, tick as f64 / 10f64.powi(self.decimals as i32))
    }

    /// The time as a whole number of the smallest steps that the column can show: times with the same tick look alike.
    pub(super) fn tick(self, time: Instant) -> u64 {
        let step = self.unit / 10u64.pow(self.decimals as u32);
        time.as_nanos().saturating_add(step / 2) / step
    }
}

/// A length of time with three digits at most, as people say it: `43.2 ms`.
pub(super) fn length(time: Duration) -> String {
    let step = match time.as_nanos() {
        0..1_000 => 1,
        n => 10u64.pow(n.ilog10().saturating_sub(2)),
    };
    let rounded = time.as_nanos().saturating_add(step / 2) / step * step;
    Duration::from_nanos(rounded).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(nanos: &[u64]) -> Clock {
        Clock::for_times(nanos.iter().map(|n| Instant::from_nanos(*n)), true)
    }

    #[test]
    fn a_run_of_whole_milliseconds_has_no_decimals() {
        let clock = clock(&[0, 20_000_000, 1_000_000]);
        assert_eq!((clock.text(Instant::from_millis(20)).as_str(), clock.unit()), ("20", "ms"));
    }

    #[test]
    fn short_runs_show_finer_steps() {
        assert_eq!(clock(&[100_043_200]).text(Instant::from_nanos(20_043_200)), "20.0");
        assert_eq!(clock(&[5_043_200]).text(Instant::from_nanos(5_043_200)), "5.04");
        let micros = clock(&[250_900]);
        assert_eq!((micros.text(Instant::from_nanos(50_900)).as_str(), micros.unit()), ("51", "µs"));
    }

    #[test]
    fn a_run_of_an_hour_counts_seconds() {
        let clock = clock(&[3_600_000_000_000]);
        assert_eq!((clock.text(Instant::from_millis(1500)).as_str(), clock.unit()), ("1.5", "s"));
        assert!(!clock.text(Instant::NEVER).is_empty());
    }

    #[test]
    fn lengths_have_three_digits() {
        assert_eq!(length(Duration::from_nanos(43_217_000)), "43.2 ms");
        assert_eq!(length(Duration::from_nanos(35_400)), "35.4 µs");
        assert_eq!(length(Duration::from_nanos(999_999)), "1 ms");
        assert_eq!(length(Duration::MAX).split(' ').count(), 2);
    }
}

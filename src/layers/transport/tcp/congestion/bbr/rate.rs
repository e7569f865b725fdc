//! How fast the network delivers: one sample for each ACK (draft-ietf-ccwg-bbr-06 §4.1).
//!
//! Whatever leaves takes with it what had been delivered by then. When it is acknowledged, the difference is what was
//! delivered meanwhile, and the time it took is that between the two ACKs, or between the two departures if that is
//! longer: ACKs that were held up somewhere come in a bunch, and would seem to say that the network is faster than it
//! can be.

use std::collections::VecDeque;

use crate::base::{Duration, Instant};

/// The most departures that are remembered. Beyond it the oldest are forgotten, and give no sample.
const LIMIT: usize = 4096;

/// What was known when something left.
#[derive(Debug, Clone, Copy)]
struct Departure {
    at: Instant,
    delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    lost: u64,
    in_flight: u64,
    app_limited: bool,
}

/// Counts what is delivered.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// C.delivered: bytes that have arrived, since the beginning.
    pub(super) delivered: u64,
    delivered_at: Instant,
    first_sent_at: Instant,
    lost: u64,
    /// C.app_limited: until as much is delivered, samples say what the program wrote and not what the network takes.
    app_limited: Option<u64>,
    departures: VecDeque<Departure>,
}

/// A sample (RS).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    /// Bytes in a second; 0 where the ACK says nothing of it.
    pub(super) rate: f64,
    /// What was delivered while the newest of what is acknowledged was on its way.
    pub(super) delivered: u64,
    /// What had been delivered when that left.
    pub(super) prior_delivered: u64,
    /// What was in flight then, itself included.
    pub(super) in_flight: u64,
    /// What was lost since then.
    pub(super) lost: u64,
    pub(super) app_limited: bool,
}

impl Meter {
    /// Something leaves; `in_flight` counts it.
    pub(super) fn sent(&mut self, now: Instant, bytes: u64, in_flight: u64) {
        if in_flight <= bytes {
            (self.first_sent_at, self.delivered_at) = (now, now);
        }
        let departure = Departure {
            at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            lost: self.lost,
            in_flight,
            app_limited: self.app_limited.is_some(),
        };
        match self.departures.back_mut() {
            Some(last) if last.at == now => *last = departure,
            _ => self.departures.push_back(departure),
        }
        if self.departures.len() > LIMIT {
            self.departures.pop_front();
        }
    }

    /// `bytes` are known to have arrived, and `lost` to be lost, that were not before; what was sent last of those that
    /// have arrived had left at `sent_at`.
    pub(super) fn delivered(
        &mut self,
        now: Instant,
        bytes: u64,
        lost: u64,
        sent_at: Option<Instant>,
        min_rtt: Option<Duration>,
    ) -> Option<Sample> {
        self.lost += lost;
        if bytes == 0 {
            return None;
        }
        self.delivered += bytes;
        self.delivered_at = now;
        self.app_limited = self.app_limited.filter(|end| self.delivered <= *end);
        let sent_at = sent_at?;
        let newest = self.departures.partition_point(|departure| departure.at < sent_at);
        self.departures.drain(..newest.min(self.departures.len()));
        let departure = *self.departures.front().filter(|departure| departure.at == sent_at)?;
        self.first_sent_at = sent_at;
        let interval = sent_at.since(departure.first_sent_at).max(now.since(departure.delivered_at));
        let delivered = self.delivered - departure.delivered;
        // An ACK that comes sooner than any round trip was to the first transmission of what was sent again.
        let plausible = interval > Duration::ZERO && min_rtt.is_none_or(|min| interval >= min);
        let rate = if plausible { delivered as f64 / interval.as_secs_f64() } else { 0.0 };
        Some(Sample {
            rate,
            delivered,
            prior_delivered: departure.delivered,
            in_flight: departure.in_flight,
            lost: self.lost - departure.lost,
            app_limited: departure.app_limited,
        })
    }

    /// The program, or the algorithm itself, holds back: the samples of what is in flight are too low.
    pub(super) fn hold_back(&mut self, in_flight: u64) {
        self.app_limited = Some((self.delivered + in_flight).max(1));
    }

    /// Whether it does.
    pub(super) fn is_held_back(&self) -> bool {
        self.app_limited.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn ten_segments_in_a_round_trip_of_100_ms_are_100_segments_a_second() {
        let mut meter = Meter::default();
        for sent in 1..=10 {
            meter.sent(at(0), 1_000, sent * 1_000);
        }
        let sample = meter.delivered(at(100), 10_000, 0, Some(at(0)), None).unwrap();
        assert_eq!((sample.rate, sample.delivered, sample.in_flight), (100_000.0, 10_000, 10_000));
    }

    #[test]
    fn acks_in_a_bunch_say_no_more_than_the_departures() {
        // A segment each 10 ms; the ACKs of ten come together.
        let mut meter = Meter::default();
        for n in 0..15 {
            if n >= 10 {
                meter.delivered(at(10 * n), 1_000, 0, Some(at(10 * (n - 10))), None);
            }
            meter.sent(at(10 * n), 1_000, 1_000 * (n + 1).min(10));
        }
        // The last was sent at 140 ms, and the ACKs of ten come together 60 ms later.
        let sample = meter.delivered(at(200), 10_000, 0, Some(at(140)), None).unwrap();
        assert_eq!((sample.delivered, sample.rate), (10_000, 100_000.0), "in 100 ms, as they were sent");
    }

    #[test]
    fn what_the_program_holds_back_marks_the_samples_of_a_flight() {
        let mut meter = Meter::default();
        meter.hold_back(0);
        meter.sent(at(0), 1_000, 1_000);
        let sample = meter.delivered(at(100), 1_000, 0, Some(at(0)), None).unwrap();
        assert!(sample.app_limited && !meter.is_held_back());
        meter.sent(at(100), 1_000, 1_000);
        assert!(!meter.delivered(at(200), 1_000, 0, Some(at(100)), None).unwrap().app_limited);
    }

    #[test]
    fn an_answer_that_comes_too_soon_gives_no_rate() {
        let mut meter = Meter::default();
        meter.sent(at(0), 1_000, 1_000);
        let sample = meter.delivered(at(10), 1_000, 0, Some(at(0)), Some(Duration::from_millis(40))).unwrap();
        assert_eq!(sample.rate, 0.0);
    }
}

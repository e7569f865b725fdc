//! HyStart++: leave slow start when the round trip grows, before a queue overflows (RFC 9406).
//!
//! Slow start sends twice as much in each round trip, and finds the end of the path's queue by losing half a window
//! there. But before a queue overflows it fills, and what waits in it takes longer. So the shortest round trip of each
//! round is compared with that of the round before. When it has grown by an eighth (by 4 ms at least, by 16 ms in any
//! case), slow start turns *conservative*: it goes on at a quarter of its pace. If the round trip then gets shorter
//! again, it was jitter, and slow start goes on as before; if not, it is over after five rounds.
//!
//! Only the first slow start of a connection is watched: later ones have a threshold from experience (§4.3).

use super::Ack;
use crate::base::Duration;

/// The constants of RFC 9406 §4.3, by its names.
const MIN_RTT_THRESH: Duration = Duration::from_millis(4);
const MAX_RTT_THRESH: Duration = Duration::from_millis(16);
const MIN_RTT_DIVISOR: u32 = 8;
const N_RTT_SAMPLE: u32 = 8;
const CSS_GROWTH_DIVISOR: f64 = 4.0;
const CSS_ROUNDS: u32 = 5;

/// How many segments of one ACK count, in a sender that does not pace what it sends (§4.3, L).
const LIMIT: f64 = 8.0;

/// What is known of the rounds of a slow start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HyStart {
    /// Bytes acknowledged so far, and how many there will be when the round ends: all that was in flight when it began.
    acked: u64,
    window_end: u64,
    last_round_min_rtt: Option<Duration>,
    current_round_min_rtt: Option<Duration>,
    rtt_samples: u32,
    css: Option<Css>,
    over: bool,
}

/// Conservative slow start.
#[derive(Debug, Clone, Copy)]
struct Css {
    /// The shortest round trip when it began.
    baseline: Duration,
    rounds: u32,
}

impl HyStart {
    /// By how much the window opens for an ACK of `segments` (§4.2).
    pub(super) fn growth(&self, segments: f64) -> f64 {
        let segments = segments.min(LIMIT);
        if self.css.is_some() { segments / CSS_GROWTH_DIVISOR } else { segments }
    }

    /// Whether slow start has ended.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// What the trace says of it.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self.css {
            _ if self.over => Some("the round trip stayed longer for five rounds: slow start ends"),
            Some(_) => Some("the round trip has grown: slow start goes on at a quarter of its pace"),
            None => None,
        }
    }

    /// An ACK arrives in slow start (§4.2).
    pub(super) fn on_ack(&mut self, ack: &Ack) {
        self.acked += ack.bytes;
        if let Some(rtt) = ack.rtt {
            self.current_round_min_rtt = Some(self.current_round_min_rtt.map_or(rtt, |min| min.min(rtt)));
            self.rtt_samples += 1;
        }
        if self.rtt_samples >= N_RTT_SAMPLE
            && let Some(current) = self.current_round_min_rtt
        {
            self.compare(current);
        }
        if self.acked >= self.window_end {
            self.end_round(ack.in_flight);
        }
    }

    fn compare(&mut self, current: Duration) {
        match (self.css, self.last_round_min_rtt) {
            (Some(css), _) if current < css.baseline => self.css = None,
            (None, Some(last)) => {
                let thresh = (last / MIN_RTT_DIVISOR).clamp(MIN_RTT_THRESH, MAX_RTT_THRESH);
                if current >= last + thresh {
                    self.css = Some(Css { baseline: current, rounds: 0 });
                }
            }
            _ => {}
        }
    }

    fn end_round(&mut self, in_flight: u64) {
        if let Some(css) = &mut self.css {
            // The round in which it began counts, although it is no whole one.
            css.rounds += 1;
            self.over = css.rounds >= CSS_ROUNDS;
        }
        self.window_end = self.acked + in_flight;
        self.last_round_min_rtt = self.current_round_min_rtt.take();
        self.rtt_samples = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Instant;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn ack(rtt: Duration, in_flight: u64) -> Ack {
        let rtt = Some(rtt);
        let now = Instant::ZERO;
        Ack { now, bytes: 1_000, rtt, srtt: rtt, in_flight, app_limited: false, recovering: false }
    }

    /// A round of ten segments whose round trips are all the same.
    fn round(hystart: &mut HyStart, rtt: Duration) {
        (0..10).for_each(|_| hystart.on_ack(&ack(rtt, 10_000)));
    }

    /// After two rounds of these round trips, is slow start conservative?
    fn slows_down(first: Duration, second: Duration) -> bool {
        let mut hystart = HyStart::default();
        // The very first ACK ends a round of nothing.
        hystart.on_ack(&ack(first, 10_000));
        round(&mut hystart, first);
        round(&mut hystart, second);
        hystart.growth(4.0) < 4.0
    }

    #[test]
    fn a_round_trip_that_grows_by_an_eighth_slows_it_down_between_4_and_16_ms() {
        assert!(slows_down(ms(80), ms(90)) && !slows_down(ms(80), ms(89)));
        assert!(slows_down(ms(8), ms(12)) && !slows_down(ms(8), ms(11)));
        assert!(slows_down(ms(400), ms(416)) && !slows_down(ms(400), ms(415)));
    }

    #[test]
    fn fewer_than_eight_measurements_say_nothing() {
        let mut hystart = HyStart::default();
        hystart.on_ack(&ack(ms(80), 10_000));
        round(&mut hystart, ms(80));
        (0..7).for_each(|_| hystart.on_ack(&ack(ms(200), 10_000)));
        assert_eq!(hystart.growth(4.0), 4.0);
        hystart.on_ack(&ack(ms(200), 10_000));
        assert_eq!(hystart.growth(4.0), 1.0);
    }

    #[test]
    fn it_is_over_after_five_rounds_unless_the_round_trip_was_only_jitter() {
        for (then, over) in [(ms(100), true), (ms(89), false)] {
            let mut hystart = HyStart::default();
            hystart.on_ack(&ack(ms(80), 10_000));
            round(&mut hystart, ms(80));
            round(&mut hystart, ms(90));
            assert!(hystart.reason().is_some() && !hystart.is_over());
            (0..4).for_each(|_| round(&mut hystart, then));
            assert_eq!(hystart.is_over(), over);
            assert_eq!(hystart.growth(1.0) < 1.0, over);
        }
    }

    #[test]
    fn of_an_ack_for_many_segments_eight_count() {
        assert_eq!(HyStart::default().growth(30.0), 8.0);
    }

    proptest! {
        #[test]
        fn a_round_trip_that_never_grows_by_4_ms_never_slows_it_down(
            rtts in prop::collection::vec(50_000u64..53_999, 1..300),
        ) {
            let mut hystart = HyStart::default();
            for micros in rtts {
                hystart.on_ack(&ack(Duration::from_micros(micros), 10_000));
                prop_assert!(!hystart.is_over() && hystart.growth(1.0) == 1.0);
            }
        }
    }
}

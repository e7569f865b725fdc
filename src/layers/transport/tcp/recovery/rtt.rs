//! How long to wait for an ACK: the round-trip time and the retransmission timeout (RFC 6298).
//!
//! One round trip is measured at a time (RFC 6298 §3 allows it), and never one of a segment that was sent twice:
//! which of the two the ACK answers is ambiguous. That is Karn's algorithm (RFC 6298 §3).
//!
//! With timestamps every ACK is a measurement, also of what was sent twice (RFC 7323 §4).

use crate::base::{Duration, Instant};

/// The clock granularity G of RFC 6298: our clock is exact, but a real system's timers tick about once a
/// millisecond, and a timeout with no margin at all would fire on a path whose delay never varies.
const GRANULARITY: Duration = Duration::from_millis(1);

/// What the timeout restarts from when the SYN itself was lost (RFC 6298 §5.7): the path may be a slow one.
const AFTER_LOST_SYN: Duration = Duration::from_secs(3);

/// The estimate and the timeout computed from it.
#[derive(Debug)]
pub(in super::super) struct Rtt {
    srtt: Option<Duration>,
    rttvar: Duration,
    rto: Duration,
    min_rto: Duration,
    max_rto: Duration,
    /// The measurement in progress: the offset whose ACK ends it, and when it began.
    timing: Option<(u64, Instant)>,
    /// The timer fired while the SYN waited for its ACK.
    syn_timed_out: bool,
}

impl Rtt {
    /// Before the first measurement the timeout is `initial` (RFC 6298 §2.1).
    pub(in super::super) fn new(initial: Duration, min_rto: Duration, max_rto: Duration) -> Self {
        // A timeout of zero would send the same segment without end in the same instant.
        let min_rto = min_rto.max(GRANULARITY);
        let max_rto = max_rto.max(min_rto);
        let rto = initial.clamp(min_rto, max_rto);
        Rtt { srtt: None, rttvar: Duration::ZERO, rto, min_rto, max_rto, timing: None, syn_timed_out: false }
    }

    pub(in super::super) fn srtt(&self) -> Option<Duration> {
        self.srtt
    }

    pub(in super::super) fn rttvar(&self) -> Duration {
        self.rttvar
    }

    pub(in super::super) fn rto(&self) -> Duration {
        self.rto
    }

    /// The time after `backoffs` fruitless tries, each twice as long as the one before, up to the maximum.
    pub(in super::super) fn backed_off(&self, backoffs: u32) -> Duration {
        (self.rto * 2u32.saturating_pow(backoffs)).min(self.max_rto)
    }

    /// New sequence numbers up to `end` are being sent.
    pub(in super::super) fn sent(&mut self, end: u64, now: Instant) {
        self.timing.get_or_insert((end, now));
    }

    /// Something is being sent again. The measurement under way is given up even when it times a later segment:
    /// the ACK for that one now waits for the hole to be filled.
    pub(in super::super) fn retransmitted(&mut self) {
        self.timing = None;
    }

    /// Everything before `ack` has arrived. Returns the round trip if that ends the measurement.
    pub(in super::super) fn acked(&mut self, ack: u64, now: Instant) -> Option<Duration> {
        let (_, since) = self.timing.take_if(|(end, _)| *end <= ack)?;
        let sample = now.since(since);
        self.update(sample);
        Some(sample)
    }

    /// An echo of our clock gives the round trip, as `expected` ACKs in each round trip do. Returns it.
    pub(in super::super) fn measured(&mut self, sample: Duration, expected: u64) -> Duration {
        self.timing = None;
        self.update_by(sample, expected.max(1));
        sample
    }

    /// The timer fired: the next wait is twice as long (RFC 6298 §5.5). It stays so until a new measurement.
    pub(in super::super) fn back_off(&mut self, in_handshake: bool) {
        self.rto = (self.rto * 2).min(self.max_rto);
        self.syn_timed_out |= in_handshake;
    }

    /// The handshake is done. If its SYN had to be sent more than once, start from a wider guess (RFC 6298 §5.7).
    pub(in super::super) fn handshake_done(&mut self) {
        if self.syn_timed_out && self.srtt.is_none() {
            self.rto = AFTER_LOST_SYN.clamp(self.min_rto, self.max_rto);
        }
    }

    /// RFC 6298 §2.2 and §2.3, with alpha = 1/8 and beta = 1/4.
    fn update(&mut self, sample: Duration) {
        self.update_by(sample, 1);
    }

    /// The same where `expected` samples come in one round trip: each of them moves the estimates by less, or they
    /// would remember a fraction of a round trip only (RFC 7323 appendix G).
    fn update_by(&mut self, sample: Duration, expected: u64) {
        let srtt = match self.srtt {
            None => {
                self.rttvar = sample / 2;
                sample
            }
            Some(srtt) => {
                // RTTVAR is computed from the SRTT of before this sample.
                let error = srtt.max(sample) - srtt.min(sample);
                let (alpha, beta) = (8 * expected, 4 * expected);
                self.rttvar = Duration::from_nanos(moved(self.rttvar, error, beta));
                Duration::from_nanos(moved(srtt, sample, alpha))
            }
        };
        self.srtt = Some(srtt);
        self.rto = (srtt + GRANULARITY.max(self.rttvar * 4)).clamp(self.min_rto, self.max_rto);
    }
}

/// An average, in nanoseconds, after a sample that counts for one part in `parts`.
fn moved(average: Duration, sample: Duration, parts: u64) -> u64 {
    let sum = u128::from(average.as_nanos()) * u128::from(parts - 1) + u128::from(sample.as_nanos());
    u64::try_from(sum / u128::from(parts)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn rtt() -> Rtt {
        Rtt::new(ms(1_000), ms(1), ms(60_000))
    }

    #[test]
    fn the_first_measurement_sets_both_estimates() {
        let mut rtt = rtt();
        rtt.sent(1, at(0));
        assert_eq!(rtt.acked(1, at(100)), Some(ms(100)));
        assert_eq!((rtt.srtt(), rtt.rttvar(), rtt.rto()), (Some(ms(100)), ms(50), ms(300)));
    }

    #[test]
    fn a_later_measurement_moves_them_by_an_eighth_and_a_quarter() {
        let mut rtt = rtt();
        rtt.update(ms(100));
        rtt.update(ms(180));
        assert_eq!((rtt.srtt(), rtt.rttvar()), (Some(ms(110)), Duration::from_micros(57_500)));
        assert_eq!(rtt.rto(), ms(110) + ms(230));
    }

    #[test]
    fn a_path_that_never_varies_keeps_a_margin_of_one_tick() {
        let mut rtt = rtt();
        (0..100).for_each(|_| rtt.update(ms(40)));
        assert_eq!(rtt.rto(), ms(41));
    }

    #[test]
    fn what_was_sent_twice_is_not_measured() {
        let mut rtt = rtt();
        rtt.sent(1, at(0));
        rtt.retransmitted();
        assert_eq!(rtt.acked(1, at(100)), None);
        assert_eq!(rtt.srtt(), None);
    }

    #[test]
    fn the_timeout_doubles_up_to_its_maximum_and_a_measurement_ends_that() {
        let mut rtt = rtt();
        (0..3).for_each(|_| rtt.back_off(false));
        assert_eq!(rtt.rto(), ms(8_000));
        (0..9).for_each(|_| rtt.back_off(false));
        assert_eq!(rtt.rto(), ms(60_000));
        rtt.update(ms(100));
        assert_eq!(rtt.rto(), ms(300));
    }

    #[test]
    fn the_timeout_is_never_below_its_minimum_and_three_seconds_after_a_lost_syn() {
        let mut rtt = Rtt::new(ms(1_000), ms(1_000), ms(60_000));
        rtt.back_off(true);
        rtt.handshake_done();
        assert_eq!(rtt.rto(), ms(3_000));
        rtt.update(ms(10));
        assert_eq!(rtt.rto(), ms(1_000));
    }

    #[test]
    fn many_samples_in_a_round_trip_count_for_less_each() {
        let mut rtt = rtt();
        rtt.update(ms(100));
        assert!((0..10).all(|_| rtt.measured(ms(200), 10) == ms(200)));
        let srtt = rtt.srtt().map(Duration::as_nanos).unwrap_or_default();
        // Ten of them move it about as far as one that counts for all: to 112.5 ms.
        assert!((111_000_000..113_000_000).contains(&srtt), "{srtt}");
    }
}

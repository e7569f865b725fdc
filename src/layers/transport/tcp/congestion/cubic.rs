//! CUBIC: after a loss the window returns along a cubic curve to where the loss happened, lingers there, and then
//! probes beyond (RFC 9438).
//!
//! The curve depends on the time since the loss and not on the round trip, so that a long path gets its share sooner
//! than with NewReno. Where NewReno would be faster, on short paths, CUBIC does what it would do.
//!
//! ```text
//!  W_max ┼ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─╭───────╯ ─ ─ ─ ─
//!        │                   ╭──────╯
//!        │             ╭─────╯
//!        │         ╭───╯
//!        │       ╭─╯            W(t) = C (t - K)³ + W_max
//!  cwnd  ┼──────╯
//!        └──────┴────────────────────┴──────────────── t
//!             loss                   K
//! ```
//!
//! All arithmetic is addition, multiplication and division of IEEE 754 doubles, which give the same bits on every
//! machine; a library's cube root need not.
//!
//! Its first slow start ends before it overflows a queue: `hystart.rs`.

use super::hystart::HyStart;
use super::newreno::initial_window;
use super::{Ack, CongestionControl};
use crate::base::{Duration, Instant};

/// C, in segments per second cubed (RFC 9438 §5.1).
const C: f64 = 0.4;

/// What is left of the window after a loss (§4.6).
const BETA: f64 = 0.7;

/// How fast Reno with [`BETA`] grows to have the same average window as Reno itself (§4.3).
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// The controller. Its windows are in segments, as in the RFC.
#[derive(Debug, Clone, Copy)]
pub struct Cubic {
    mss: f64,
    cwnd: f64,
    ssthresh: f64,
    /// Where the last loss happened, or a little below it.
    w_max: f64,
    /// The window at the last loss.
    cwnd_prior: f64,
    /// The window that Reno would have.
    w_est: f64,
    /// The congestion avoidance under way.
    epoch: Option<Epoch>,
    /// Since when the window was not used up.
    limited_since: Option<Instant>,
    hystart: HyStart,
    /// All that a decrease changes, as it was before the last one (§4.9).
    before: Option<Before>,
}

#[derive(Debug, Clone, Copy)]
struct Before {
    cwnd: f64,
    ssthresh: f64,
    w_max: f64,
    cwnd_prior: f64,
    w_est: f64,
    epoch: Option<Epoch>,
}

#[derive(Debug, Clone, Copy)]
struct Epoch {
    start: Instant,
    /// Seconds until the curve reaches `w_max`.
    k: f64,
}

impl Cubic {
    /// For segments of at most `mss` bytes.
    pub fn new(mss: u64) -> Self {
        let mss = mss.max(1);
        Cubic {
            mss: mss as f64,
            cwnd: initial_window(mss) as f64 / mss as f64,
            ssthresh: f64::INFINITY,
            w_max: 0.0,
            cwnd_prior: 0.0,
            w_est: 0.0,
            epoch: None,
            limited_since: None,
            hystart: HyStart::default(),
            before: None,
        }
    }

    /// Slow start (§4.10). The first one is watched (RFC 9406 §4.2).
    fn slow_start(&mut self, ack: &Ack, segments: f64) {
        if self.ssthresh.is_finite() {
            self.cwnd += segments.min(1.0);
            return;
        }
        self.cwnd += self.hystart.growth(segments);
        self.hystart.on_ack(ack);
        if self.hystart.is_over() {
            self.ssthresh = self.cwnd;
        }
    }

    /// Congestion avoidance (§4.2 to §4.5).
    fn avoid(&mut self, ack: &Ack) {
        let epoch = match self.epoch {
            Some(epoch) => epoch,
            None => self.begin(ack.now),
        };
        let segments = ack.bytes as f64 / self.mss;
        let alpha = if self.w_est >= self.cwnd_prior { 1.0 } else { ALPHA };
        self.w_est += alpha * segments / self.cwnd;
        let t = seconds(ack.now.since(epoch.start));
        if self.curve(epoch, t) < self.w_est {
            self.cwnd = self.cwnd.max(self.w_est);
        } else {
            let rtt = ack.srtt.or(ack.rtt).map_or(0.0, seconds);
            let target = self.curve(epoch, t + rtt).clamp(self.cwnd, 1.5 * self.cwnd);
            self.cwnd += (target - self.cwnd) / self.cwnd * segments;
        }
    }

    /// The first ACK in congestion avoidance since a loss.
    fn begin(&mut self, now: Instant) -> Epoch {
        // After a timeout, and when slow start has ended without a loss, the curve begins at its plateau (§4.8, §4.10).
        self.w_max = self.w_max.max(self.cwnd);
        self.w_est = self.cwnd;
        let epoch = Epoch { start: now, k: cube_root((self.w_max - self.cwnd) / C) };
        self.epoch = Some(epoch);
        epoch
    }

    /// W_cubic(t), figure 1 of §4.2.
    fn curve(&self, epoch: Epoch, t: f64) -> f64 {
        let x = t - epoch.k;
        C * x * x * x + self.w_max
    }

    /// Less after a loss, and the memory of where it was (§4.6).
    fn decrease(&mut self, in_flight: u64) {
        let Cubic { cwnd, ssthresh, w_max, cwnd_prior, w_est, epoch, .. } = *self;
        self.before = Some(Before { cwnd, ssthresh, w_max, cwnd_prior, w_est, epoch });
        // Fast convergence: a window that lost before it was back makes room for others (§4.7).
        self.w_max = if self.cwnd < self.w_max { self.cwnd * (1.0 + BETA) / 2.0 } else { self.cwnd };
        self.cwnd_prior = self.cwnd;
        // What has arrived beyond a hole still counts in FlightSize, and may be more than the window: a loss makes no
        // window larger (§4.6 allows either).
        self.ssthresh = ((in_flight as f64 / self.mss).min(self.cwnd_prior) * BETA).max(2.0);
        self.cwnd = self.ssthresh;
        self.epoch = None;
    }
}

impl CongestionControl for Cubic {
    fn window(&self) -> u64 {
        (self.cwnd * self.mss) as u64
    }

    fn ssthresh(&self) -> u64 {
        // No threshold yet is infinite, and the largest number there is.
        (self.ssthresh * self.mss) as u64
    }

    fn reduces_in_proportion(&self) -> bool {
        true
    }

    fn reason(&self) -> Option<&'static str> {
        let just_over = self.epoch.is_none() && self.cwnd == self.ssthresh && self.w_max == 0.0;
        self.hystart.reason().filter(|_| self.ssthresh.is_infinite() || just_over)
    }

    fn on_ack(&mut self, ack: &Ack) {
        if ack.recovering {
            return;
        }
        if ack.app_limited {
            self.limited_since.get_or_insert(ack.now);
            // It says nothing about a larger window, and yet how long the round trip is.
            self.slow_start(ack, 0.0);
            return;
        }
        // The time in which the window was not used up does not count (§5.8).
        if let (Some(since), Some(epoch)) = (self.limited_since.take(), &mut self.epoch) {
            epoch.start += ack.now.since(since);
        }
        if self.cwnd < self.ssthresh {
            self.slow_start(ack, ack.bytes as f64 / self.mss);
        } else {
            self.avoid(ack);
        }
    }

    fn on_loss(&mut self, _now: Instant, in_flight: u64) {
        self.decrease(in_flight);
    }

    fn on_rto(&mut self, _now: Instant, in_flight: u64) {
        // The timer goes off again for what was sent again: the threshold stays (RFC 5681 §3.1).
        if self.cwnd > 1.0 {
            self.decrease(in_flight);
        }
        (self.cwnd, self.w_max) = (1.0, 0.0);
    }

    fn undo(&mut self, _now: Instant, _in_flight: u64) {
        // Not when the window has grown beyond where it was since (§4.9.1).
        if let Some(before) = self.before.take().filter(|before| self.cwnd < before.cwnd) {
            let Before { cwnd, ssthresh, w_max, cwnd_prior, w_est, epoch } = before;
            *self = Cubic { cwnd, ssthresh, w_max, cwnd_prior, w_est, epoch, ..*self };
        }
    }

    fn on_idle(&mut self) {
        self.cwnd = self.cwnd.min(initial_window(self.mss as u64) as f64 / self.mss);
        self.epoch = None;
    }

    fn on_mss(&mut self, mss: u64) {
        // The windows stay what they are in bytes.
        let factor = self.mss / mss.max(1) as f64;
        for window in
            [&mut self.cwnd, &mut self.ssthresh, &mut self.w_max, &mut self.cwnd_prior, &mut self.w_est]
        {
            *window *= factor;
        }
        self.mss = mss.max(1) as f64;
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e9
}

/// By Newton's method. From above it comes down by a third at least in each step until it is near.
fn cube_root(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    (0..100).fold(value.max(1.0), |x, _| (2.0 * x + value / (x * x)) / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u64 = 1_000;
    const RTT: Duration = Duration::from_millis(100);

    fn ack(now: Instant, bytes: u64) -> Ack {
        let rtt = Some(RTT);
        Ack { now, bytes, rtt, srtt: rtt, in_flight: 20 * MSS, app_limited: false, recovering: false }
    }

    /// One round trip in which every segment of the window is acknowledged.
    fn round_trip(cubic: &mut Cubic, now: Instant) {
        let segments = (cubic.window() / MSS) as u32;
        for i in 0..segments {
            cubic.on_ack(&ack(now + RTT * (i + 1) / segments, MSS));
        }
    }

    #[test]
    fn a_cube_root_is_one() {
        for value in [1e-9, 0.5, 1.0, 27.0, 75.0, 1e12] {
            let root = cube_root(value);
            assert!((root * root * root / value - 1.0).abs() < 1e-9, "{value}: {root}");
        }
        assert_eq!(cube_root(0.0), 0.0);
    }

    #[test]
    fn after_a_loss_the_window_follows_the_curve() {
        let mut cubic = Cubic::new(MSS);
        cubic.cwnd = 1_000.0;
        let mut now = Instant::ZERO;
        cubic.on_loss(now, 1_000 * MSS);
        assert_eq!((cubic.window(), cubic.ssthresh()), (700 * MSS, 700 * MSS));
        // K = cbrt(300 / 0.4) = 9.0856 s.
        for step in 1..=150 {
            round_trip(&mut cubic, now);
            now += RTT;
            let t = f64::from(step) / 10.0;
            let expected = 0.4 * (t - 9.085_6) * (t - 9.085_6) * (t - 9.085_6) + 1_000.0;
            let got = cubic.window() as f64 / MSS as f64;
            assert!((got / expected - 1.0).abs() < 0.05, "{got} instead of {expected} after {t} s");
        }
    }

    #[test]
    fn on_a_short_path_it_grows_no_slower_than_reno() {
        let mut cubic = Cubic::new(MSS);
        cubic.cwnd = 20.0;
        cubic.on_loss(Instant::ZERO, 20 * MSS);
        assert_eq!(cubic.window(), 14 * MSS);
        let short = Duration::from_millis(1);
        let mut now = Instant::ZERO;
        for _ in 0..50 {
            for _ in 0..cubic.window() / MSS {
                cubic.on_ack(&Ack { rtt: Some(short), srtt: Some(short), ..ack(now, MSS) });
            }
            now += short;
        }
        // Reno: 0.53 segments a round trip up to 20, then one. The curve would have grown by a hundredth.
        assert!((50 * MSS..60 * MSS).contains(&cubic.window()), "{}", cubic.window());
    }

    #[test]
    fn a_loss_before_the_plateau_lowers_it_and_a_timeout_forgets_it() {
        let mut cubic = Cubic::new(MSS);
        cubic.cwnd = 100.0;
        cubic.on_loss(Instant::ZERO, 100 * MSS);
        assert_eq!(cubic.w_max, 100.0);
        cubic.on_loss(Instant::ZERO, 70 * MSS);
        assert!((cubic.w_max - 59.5).abs() < 1e-9, "{}", cubic.w_max);
        cubic.on_rto(Instant::ZERO, 49 * MSS);
        assert_eq!(cubic.window(), MSS);
        let threshold = cubic.ssthresh();
        cubic.on_rto(Instant::ZERO, MSS);
        assert_eq!((cubic.window(), cubic.ssthresh()), (MSS, threshold));
    }

    #[test]
    fn a_loss_that_was_none_leaves_the_curve_as_it_was() {
        let mut cubic = Cubic::new(MSS);
        cubic.cwnd = 100.0;
        cubic.on_loss(Instant::ZERO, 100 * MSS);
        round_trip(&mut cubic, Instant::ZERO);
        let (cwnd, w_max, epoch) = (cubic.cwnd, cubic.w_max, cubic.epoch.map(|epoch| epoch.k));
        cubic.on_rto(Instant::ZERO + RTT, 70 * MSS);
        cubic.on_rto(Instant::ZERO + RTT * 10, MSS);
        cubic.undo(Instant::ZERO + RTT * 11, 69 * MSS);
        assert_eq!((cubic.cwnd, cubic.w_max, cubic.epoch.map(|epoch| epoch.k)), (cwnd, w_max, epoch));
    }

    #[test]
    fn the_first_slow_start_ends_when_the_round_trip_grows_and_later_ones_at_the_threshold() {
        let mut cubic = Cubic::new(MSS);
        let mut round = |millis: u64| {
            let rtt = Some(Duration::from_millis(millis));
            let of_10 =
                |_| cubic.on_ack(&Ack { rtt, srtt: rtt, in_flight: 10 * MSS, ..ack(Instant::ZERO, MSS) });
            (0..10).for_each(of_10);
            (cubic.window() / MSS, cubic.reason().is_some())
        };
        assert_eq!([round(100), round(100)], [(20, false), (30, false)]);
        // The eighth longer round trip of a round tells: what comes after it counts for a quarter.
        let slower = round(130);
        assert!(slower.1 && slower.0 < 40, "{slower:?}");
        let last = (0..10).map(|_| round(130)).last();
        assert_eq!(last.map(|(_, says)| says), Some(false));
        assert!(cubic.ssthresh() < 60 * MSS, "{}", cubic.ssthresh());
        cubic.on_rto(Instant::ZERO, 20 * MSS);
        let threshold = cubic.ssthresh();
        cubic.on_ack(&ack(Instant::ZERO, 9 * MSS));
        assert_eq!((cubic.window(), cubic.ssthresh()), (2 * MSS, threshold));
    }

    #[test]
    fn time_in_which_the_window_is_not_used_up_does_not_count() {
        let mut cubic = Cubic::new(MSS);
        cubic.cwnd = 1_000.0;
        cubic.on_loss(Instant::ZERO, 1_000 * MSS);
        round_trip(&mut cubic, Instant::ZERO);
        let before = cubic.window();
        let later = Instant::from_millis(60_100);
        cubic.on_ack(&Ack { app_limited: true, ..ack(Instant::from_millis(100), MSS) });
        cubic.on_ack(&ack(later, MSS));
        assert!(cubic.window() - before < 10 * MSS, "{} to {}", before, cubic.window());
    }
}

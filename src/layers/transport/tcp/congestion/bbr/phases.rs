//! What BBR does about what it has learned: the phases that it goes through (§5.3 of the draft).

use super::Bbr;
use super::model::{Shortest, State, UNBOUNDED};
use super::rate::Sample;
use super::{BETA, Delivery, PROBE_RTT_GAIN};
use crate::base::{Duration, Instant};

/// Losses in a round trip that are too many (§2.8).
const LOSS_THRESH: f64 = 0.02;

/// §2.16: how long the shortest round trip is believed, how often it is measured, and for how long.
const MIN_RTT_AGE: Duration = Duration::from_secs(10);
const PROBE_RTT_INTERVAL: Duration = Duration::from_secs(5);
const PROBE_RTT_TIME: Duration = Duration::from_millis(200);

/// Losses in a round trip of STARTUP that end it (§5.3.1.3), in segments.
const FULL_LOSS_COUNT: f64 = 6.0;

impl Bbr {
    pub(super) fn step(&mut self, delivery: &Delivery, sample: Sample) {
        let in_flight = delivery.in_flight as f64;
        match self.state {
            State::Startup => {
                let many = self.loss_round.lost as f64 >= FULL_LOSS_COUNT * self.mss;
                if self.recovering && self.round.start && many && self.loses_too_much(sample) {
                    self.remember(State::Startup);
                    self.full.reached = true;
                    self.long = self.bdp(1.0).max(self.loss_round.inflight);
                }
                if self.full.reached {
                    self.state = State::Drain;
                    self.drained_from = self.round.count;
                }
                if self.round.start {
                    self.loss_round.lost = 0;
                }
            }
            State::Drain if in_flight <= self.inflight(1.0) || self.round.count > self.drained_from + 3 => {
                self.go_down(delivery.now);
            }
            State::Drain | State::ProbeRtt => {}
            _ => self.probe_bw(delivery, sample),
        }
    }

    pub(super) fn probe_bw(&mut self, delivery: &Delivery, sample: Sample) {
        let (now, in_flight) = (delivery.now, delivery.in_flight as f64);
        if self.cycle.stopping && self.round.start {
            (self.cycle.stopping, self.cycle.probing) = (false, false);
            if !sample.app_limited {
                self.max_bw = [self.max_bw[1], 0.0];
            }
        }
        if self.loses_too_much(sample) {
            if self.cycle.probing {
                self.cycle.probing = false;
                if !sample.app_limited {
                    let least = self.bdp(1.0).min(self.cwnd) * BETA;
                    self.remember(self.state);
                    self.long = least.max(sample.in_flight as f64);
                }
                if self.state == State::Up {
                    return self.go_down(now);
                }
            }
        } else if self.long.is_finite() {
            self.long = self.long.max(sample.in_flight as f64);
            if self.state == State::Up {
                self.raise_long(delivery.bytes as f64);
            }
        }
        match self.state {
            State::Down | State::Cruise if self.is_time_to_probe(now) => {
                self.short = UNBOUNDED;
                (self.cycle.up_rounds, self.cycle.up_acked) = (0, 0.0);
                self.start_round();
                self.state = State::Refill;
            }
            State::Down if in_flight <= self.with_headroom() && in_flight <= self.inflight(1.0) => {
                self.state = State::Cruise;
            }
            State::Refill if self.round.start => {
                self.cycle.probing = true;
                self.start_round();
                self.restart_full_pipe(sample.rate);
                self.state = State::Up;
                self.steeper();
            }
            State::Up => {
                if self.cwnd_limited && self.cwnd >= self.long {
                    self.restart_full_pipe(sample.rate);
                } else if self.full.now {
                    self.go_down(now);
                }
            }
            _ => {}
        }
    }

    /// §5.3.3.9, StartProbeBW_DOWN.
    pub(super) fn go_down(&mut self, now: Instant) {
        (self.loss_round.any, self.loss_round.bw, self.loss_round.inflight) = (false, 0.0, 0.0);
        self.cycle.up_step = f64::INFINITY;
        // Two to three seconds, and a round trip more or less: what stands for chance.
        let drawn = self.meter.delivered.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.cycle.wait = Duration::from_millis(2_000 + (drawn >> 33) % 1_001);
        self.cycle.rounds = drawn >> 63;
        self.cycle.since = now;
        self.cycle.stopping = true;
        self.start_round();
        self.state = State::Down;
    }

    /// After two to three seconds, or as many round trips as NewReno would take to come back (§5.3.3.8).
    pub(super) fn is_time_to_probe(&self, now: Instant) -> bool {
        let reno = (self.bdp(1.0).min(self.cwnd) / self.mss).min(63.0);
        now > self.cycle.since + self.cycle.wait || self.cycle.rounds as f64 >= reno
    }

    /// The loss rate of a round trip exceeds what a probe may cost (§5.5.10.2).
    pub(super) fn loses_too_much(&self, sample: Sample) -> bool {
        sample.lost as f64 > sample.in_flight as f64 * LOSS_THRESH
    }

    /// The bound on what is in flight grows by a segment in the first round trip, by two in the next, then four (§5.3.3.5).
    pub(super) fn raise_long(&mut self, newly: f64) {
        if !self.cwnd_limited || self.cwnd < self.long {
            return;
        }
        self.cycle.up_acked += newly;
        let steps = (self.cycle.up_acked / self.cycle.up_step).floor();
        if steps >= 1.0 {
            self.cycle.up_acked -= steps * self.cycle.up_step;
            self.long += steps * self.mss;
        }
        if self.round.start {
            self.steeper();
        }
    }

    pub(super) fn steeper(&mut self) {
        let growth = f64::from(1u32 << self.cycle.up_rounds);
        self.cycle.up_rounds = (self.cycle.up_rounds + 1).min(30);
        self.cycle.up_step = (self.cwnd / growth).max(self.mss);
    }

    /// §5.3.4.
    pub(super) fn check_rtt(&mut self, delivery: &Delivery) {
        let now = delivery.now;
        let expired = now > self.probe_rtt.at + PROBE_RTT_INTERVAL;
        if let Some(rtt) = delivery.rtt
            && (rtt < self.probe_rtt.rtt || expired)
        {
            self.probe_rtt = Shortest { rtt, at: now };
        }
        if self.probe_rtt.rtt < self.min_rtt.rtt || now > self.min_rtt.at + MIN_RTT_AGE {
            self.min_rtt = self.probe_rtt;
        }
        if self.state != State::ProbeRtt && expired && !self.idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe_rtt_until = None;
            self.cycle.stopping = true;
            self.start_round();
        }
        if self.state == State::ProbeRtt {
            self.meter.hold_back(delivery.in_flight);
            match self.probe_rtt_until {
                None if delivery.in_flight as f64 <= self.probe_rtt_cwnd() => {
                    self.probe_rtt_until = Some(now + PROBE_RTT_TIME.max(self.min_rtt.rtt));
                }
                Some(until) if now > until => self.end_probe_rtt(now),
                _ => {}
            }
        }
        self.idle_restart = false;
    }

    pub(super) fn probe_rtt_cwnd(&self) -> f64 {
        self.bdp(PROBE_RTT_GAIN).max(self.least_cwnd())
    }

    pub(super) fn end_probe_rtt(&mut self, now: Instant) {
        self.probe_rtt.at = now;
        self.cwnd = self.cwnd.max(self.prior_cwnd);
        self.short = UNBOUNDED;
        self.state = State::Startup;
        if self.full.reached {
            self.go_down(now);
            self.state = State::Cruise;
        }
    }
}

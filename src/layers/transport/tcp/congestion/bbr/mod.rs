//! BBR, version 3: a model of the path, bandwidth times round trip, in place of losses (draft-ietf-ccwg-bbr-06).
//!
//! A sender that doubles until something is lost fills every queue on its way. This one measures the two numbers that
//! a path has: how much it delivers at most ([`rate`]) and how long it takes at least. Their product is what has to be
//! in flight; more only waits. It sends at the measured rate, by a clock of its own (pacing), and every few seconds a
//! little faster for a round trip, to see whether there is more, then a little slower, to drain what that has queued.
//!
//! ```text
//!  STARTUP ──► DRAIN ──► DOWN ──► CRUISE ──► REFILL ──► UP ─┐     PROBE RTT: every 5 s without a shorter
//!    2.77       0.5      0.9 ◄─┐    1.0        1.0     1.25 │     round trip, half the flight for 200 ms
//!                              └───────────────────────────┘
//! ```
//!
//! Losses count when they are more than 2 % of a round trip, and then they lower the bounds `long` (what may be in
//! flight at all) and `short` (until the next probe). Sections are those of the draft.
//!
//! | file | concept |
//! |---|---|
//! | `rate.rs` | what is delivered in a second |
//! | `model.rs` | what is remembered |
//! | `learn.rs` | what each delivery teaches |
//! | `phases.rs` | the phases, and what leads from one to the next |
//! | here | window and pacing rate, which follow |
//!
//! Left out, and what follows:
//! - chance: where the draft draws a number, the count of delivered bytes stands for it, so that a run is repeatable;
//! - where in a flight the losses became too many (§5.5.10.2, InflightAtLoss): the whole flight is taken;
//! - precautionary probes (§5.3.3.6): a probe after one that lost too much is like any other;
//! - send quanta (§5.6.3): pacing is by single segments, as there is no offloading here;
//! - ECN, of which the draft says nothing: a mark counts as a loss that begins a repair.

mod learn;
mod model;
mod phases;
mod rate;

use self::model::{Bounds, Cycle, ExtraAcked, FullPipe, LossRound, Round, Shortest, State, UNBOUNDED, Undo};
use self::rate::Meter;
use super::newreno::initial_window;
use super::{Ack, CongestionControl, Delivery};
use crate::base::{Duration, Instant};

const STARTUP_GAIN: f64 = 2.77;
const DRAIN_GAIN: f64 = 0.5;
const CWND_GAIN: f64 = 2.0;
const UP_CWND_GAIN: f64 = 2.25;
const PROBE_RTT_GAIN: f64 = 0.5;

/// §2.8: what is left of a bound after too many losses, what is left free for others, and by how much pacing stays below
/// the bandwidth.
const BETA: f64 = 0.7;
const HEADROOM: f64 = 0.15;
const MARGIN: f64 = 0.99;

/// The controller. Sizes are in bytes, rates in bytes a second.
#[derive(Debug)]
pub struct Bbr {
    mss: f64,
    cwnd: f64,
    pacing_rate: f64,
    state: State,
    meter: Meter,
    /// The bandwidth of this cycle of probes and of the one before.
    max_bw: [f64; 2],
    /// The bounds on bandwidth and flight that losses have set until the next probe.
    short: Bounds,
    /// What may be in flight at all, as far as losses have shown.
    long: f64,
    min_rtt: Shortest,
    probe_rtt: Shortest,
    /// When PROBE RTT is over, once the flight is small enough.
    probe_rtt_until: Option<Instant>,
    round: Round,
    loss_round: LossRound,
    full: FullPipe,
    /// Since when the present phase lasts, how long it does at most, and the round trips since the last probe.
    cycle: Cycle,
    /// What is acknowledged beyond what the bandwidth explains: ACKs come in bunches (§5.5.9).
    extra: ExtraAcked,
    /// The window before a repair, or before PROBE RTT.
    prior_cwnd: f64,
    recovering: bool,
    /// The window was used up in this round trip.
    cwnd_limited: bool,
    idle_restart: bool,
    undo: Option<Undo>,
    /// The round trip in which DRAIN began.
    drained_from: u64,
}

impl Bbr {
    /// For segments of at most `mss` bytes.
    pub fn new(mss: u64) -> Self {
        let mss = mss.max(1);
        let cwnd = initial_window(mss) as f64;
        let unknown = Shortest { rtt: Duration::MAX, at: Instant::ZERO };
        Bbr {
            mss: mss as f64,
            cwnd,
            // No round trip is known: as if it were a millisecond (§5.6.2).
            pacing_rate: STARTUP_GAIN * cwnd / 0.001,
            state: State::Startup,
            meter: Meter::default(),
            max_bw: [0.0; 2],
            short: UNBOUNDED,
            long: f64::INFINITY,
            min_rtt: unknown,
            probe_rtt: unknown,
            probe_rtt_until: None,
            round: Round::default(),
            loss_round: LossRound::default(),
            full: FullPipe::default(),
            cycle: Cycle {
                since: Instant::ZERO,
                wait: Duration::ZERO,
                rounds: 0,
                probing: false,
                stopping: false,
                up_rounds: 0,
                up_acked: 0.0,
                up_step: f64::INFINITY,
            },
            extra: ExtraAcked::default(),
            prior_cwnd: 0.0,
            recovering: false,
            cwnd_limited: false,
            idle_restart: false,
            undo: None,
            drained_from: 0,
        }
    }

    fn bandwidth(&self) -> f64 {
        self.max_bw[0].max(self.max_bw[1])
    }

    /// BBR.bw (§5.5.10.3, BoundBWForModel).
    fn bw(&self) -> f64 {
        self.bandwidth().min(self.short.bw)
    }

    /// This multiple of what has to be in flight (§5.6.4.2).
    fn bdp(&self, gain: f64) -> f64 {
        match self.min_rtt.rtt {
            Duration::MAX => initial_window(self.mss as u64) as f64,
            rtt => gain * self.bw() * rtt.as_secs_f64(),
        }
    }

    /// The same with room for delayed ACKs: three quanta of two segments.
    fn inflight(&self, gain: f64) -> f64 {
        self.budget(self.bdp(gain))
    }

    fn budget(&self, inflight: f64) -> f64 {
        let more = if self.state == State::Up { 2.0 * self.mss } else { 0.0 };
        inflight.max(6.0 * self.mss) + more
    }

    fn least_cwnd(&self) -> f64 {
        4.0 * self.mss
    }

    fn with_headroom(&self) -> f64 {
        if self.long.is_infinite() {
            return f64::INFINITY;
        }
        (self.long - self.mss.max(HEADROOM * self.long)).max(self.least_cwnd())
    }

    fn is_probing_bw(&self) -> bool {
        matches!(self.state, State::Down | State::Cruise | State::Refill | State::Up)
    }

    fn gains(&self) -> (f64, f64) {
        match self.state {
            State::Startup => (STARTUP_GAIN, CWND_GAIN),
            State::Drain => (DRAIN_GAIN, CWND_GAIN),
            State::Down => (0.9, CWND_GAIN),
            State::Cruise | State::Refill => (1.0, CWND_GAIN),
            State::Up => (1.25, UP_CWND_GAIN),
            State::ProbeRtt => (1.0, PROBE_RTT_GAIN),
        }
    }

    // What follows for the sender (§5.6).

    fn control(&mut self, newly: f64) {
        let (pacing_gain, cwnd_gain) = self.gains();
        let rate = pacing_gain * self.bw() * MARGIN;
        if self.full.reached || rate > self.pacing_rate {
            self.pacing_rate = rate;
        }
        let extra = self.extra.most[0].max(self.extra.most[1]);
        let most = self.budget(self.bdp(cwnd_gain) + extra);
        if self.full.reached {
            self.cwnd = (self.cwnd + newly).min(most);
        } else if self.cwnd < most || self.meter.delivered < initial_window(self.mss as u64) {
            self.cwnd += newly;
        }
        self.cwnd = self.cwnd.max(self.least_cwnd());
        if self.state == State::ProbeRtt {
            self.cwnd = self.cwnd.min(self.probe_rtt_cwnd());
        }
        let cap = match self.state {
            State::Down | State::Refill | State::Up => self.long,
            State::Cruise | State::ProbeRtt => self.with_headroom(),
            State::Startup | State::Drain => f64::INFINITY,
        };
        self.cwnd = self.cwnd.min(cap.min(self.short.inflight).max(self.least_cwnd()));
    }

    fn save_cwnd(&mut self) {
        let first = !self.recovering && self.state != State::ProbeRtt;
        self.prior_cwnd = if first { self.cwnd } else { self.prior_cwnd.max(self.cwnd) };
    }

    fn remember(&mut self, state: State) {
        if let Some(undo) = &mut self.undo {
            undo.state = state;
        }
    }

    fn begin_repair(&mut self) {
        self.save_cwnd();
        self.recovering = true;
        self.undo = Some(Undo { state: self.state, short: self.short, long: self.long });
    }
}

impl CongestionControl for Bbr {
    fn window(&self) -> u64 {
        self.cwnd as u64
    }

    fn pacing_rate(&self) -> Option<u64> {
        Some((self.pacing_rate as u64).max(1))
    }

    fn on_sent(&mut self, now: Instant, bytes: u64, in_flight: u64) {
        if in_flight <= bytes && self.meter.is_held_back() {
            self.idle_restart = true;
            self.extra.since = now;
            if self.is_probing_bw() {
                self.pacing_rate = self.bw() * MARGIN;
            } else if self.state == State::ProbeRtt && self.probe_rtt_until.is_some_and(|until| now > until) {
                self.end_probe_rtt(now);
            }
        }
        self.meter.sent(now, bytes, in_flight);
        self.cwnd_limited |= in_flight as f64 + self.mss > self.cwnd;
    }

    fn on_sent_again(&mut self, now: Instant, bytes: u64, in_flight: u64) {
        self.on_sent(now, bytes, in_flight);
    }

    fn on_ack(&mut self, ack: &Ack) {
        // The handshake gives the first round trip (§5.6.2, InitPacingRate).
        if let Some(rtt) = ack.rtt.filter(|_| self.min_rtt.rtt == Duration::MAX) {
            let first = Shortest { rtt, at: ack.now };
            (self.min_rtt, self.probe_rtt) = (first, first);
            self.pacing_rate = STARTUP_GAIN * self.cwnd / rtt.as_secs_f64().max(1e-6);
        }
    }

    fn on_delivery(&mut self, delivery: &Delivery) {
        if delivery.lost > 0 && !self.loss_round.any {
            self.loss_round.any = true;
            self.loss_round.next_delivered = self.meter.delivered;
        }
        self.loss_round.lost += delivery.lost;
        let min_rtt = Some(self.min_rtt.rtt).filter(|rtt| *rtt < Duration::MAX);
        let sample =
            self.meter.delivered(delivery.now, delivery.bytes, delivery.lost, delivery.sent_at, min_rtt);
        if delivery.app_limited {
            self.meter.hold_back(delivery.in_flight);
        }
        if self.recovering && !delivery.recovering {
            self.recovering = false;
            self.cwnd = self.cwnd.max(self.prior_cwnd);
        }
        let Some(sample) = sample else { return };
        self.learn(delivery, sample);
        self.look_for_full_pipe(sample);
        self.step(delivery, sample);
        self.check_rtt(delivery);
        if self.loss_round.start {
            (self.loss_round.bw, self.loss_round.inflight) = (sample.rate, sample.delivered as f64);
        }
        self.control(delivery.bytes as f64);
        if self.round.start {
            self.cwnd_limited = false;
        }
    }

    fn on_loss(&mut self, _now: Instant, _in_flight: u64) {
        self.begin_repair();
    }

    fn on_rto(&mut self, _now: Instant, _in_flight: u64) {
        self.begin_repair();
        self.cwnd = self.mss;
    }

    fn undo(&mut self, now: Instant, _in_flight: u64) {
        let Some(undo) = self.undo.take() else { return };
        self.recovering = false;
        self.cwnd = self.cwnd.max(self.prior_cwnd);
        self.loss_round.any = false;
        self.restart_full_pipe(0.0);
        self.short.bw = self.short.bw.max(undo.short.bw);
        self.short.inflight = self.short.inflight.max(undo.short.inflight);
        self.long = self.long.max(undo.long);
        match undo.state {
            State::Startup if self.state != State::Startup && self.state != State::ProbeRtt => {
                self.full.reached = false;
                self.state = State::Startup;
            }
            State::Up if self.is_probing_bw() && self.state != State::Up => {
                self.cycle.since = now;
                self.start_round();
                self.state = State::Refill;
            }
            _ => {}
        }
    }

    fn reason(&self) -> Option<&'static str> {
        Some(match self.state {
            State::Startup => "BBR: twice as fast each round trip, until the bandwidth no longer grows",
            State::Drain => "BBR: slower than the bandwidth, until the queue is gone",
            State::Down => "BBR: a little slower than the bandwidth",
            State::Cruise => "BBR: as fast as the bandwidth",
            State::Refill => "BBR: as fast as the bandwidth, before a probe for more",
            State::Up => "BBR: a probe for more bandwidth",
            State::ProbeRtt => "BBR: half the flight, to measure the round trip of an empty path",
        })
    }

    fn on_mss(&mut self, mss: u64) {
        self.mss = mss.max(1) as f64;
    }
}

#[cfg(test)]
mod tests;

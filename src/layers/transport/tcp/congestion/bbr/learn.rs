//! What BBR's model learns from each delivery: bandwidth, round trips, and whether the pipe is full (§5.5 of the draft).

use super::Bbr;
use super::model::{Bounds, FullPipe, State};
use super::rate::Sample;
use super::{BETA, Delivery};
use crate::base::Instant;

impl Bbr {
    pub(super) fn learn(&mut self, delivery: &Delivery, sample: Sample) {
        self.loss_round.bw = self.loss_round.bw.max(sample.rate);
        self.loss_round.inflight = self.loss_round.inflight.max(sample.delivered as f64);
        self.loss_round.start = sample.prior_delivered >= self.loss_round.next_delivered;
        if self.loss_round.start {
            self.loss_round.next_delivered = self.meter.delivered;
        }
        self.round.start = sample.prior_delivered >= self.round.next_delivered;
        if self.round.start {
            self.start_round();
            self.round.count += 1;
            self.cycle.rounds += 1;
        }
        if sample.rate > 0.0 && (sample.rate >= self.bandwidth() || !sample.app_limited) {
            self.max_bw[1] = self.max_bw[1].max(sample.rate);
        }
        if self.loss_round.start {
            // Once a round trip, when not looking for more: down to what was delivered, but not too far.
            let looking = matches!(self.state, State::Startup | State::Refill | State::Up);
            if self.loss_round.any && !looking {
                let Bounds { bw, inflight } = self.short;
                let (bw, inflight) = (bw.min(self.bandwidth()), inflight.min(self.cwnd));
                self.short = Bounds {
                    bw: self.loss_round.bw.max(BETA * bw),
                    inflight: self.loss_round.inflight.max(BETA * inflight),
                };
            }
            self.loss_round.any = false;
        }
        self.count_extra(delivery.now, delivery.bytes as f64);
    }

    pub(super) fn start_round(&mut self) {
        self.round.next_delivered = self.meter.delivered;
    }

    /// §5.5.9.
    pub(super) fn count_extra(&mut self, now: Instant, newly: f64) {
        let extra = &mut self.extra;
        let mut expected =
            self.max_bw[0].max(self.max_bw[1]).min(self.short.bw) * now.since(extra.since).as_secs_f64();
        if extra.delivered <= expected {
            (extra.delivered, extra.since, expected) = (0.0, now, 0.0);
        }
        extra.delivered += newly;
        let window = if self.full.reached { 5 } else { 1 };
        if self.round.count >= extra.turned + window {
            extra.most = [extra.most[1], 0.0];
            extra.turned = self.round.count;
        }
        extra.most[1] = extra.most[1].max((extra.delivered - expected).min(self.cwnd));
    }

    /// §5.3.1.2.
    pub(super) fn look_for_full_pipe(&mut self, sample: Sample) {
        if self.full.now || !self.round.start || sample.app_limited {
            return;
        }
        if sample.rate >= self.full.bw * 1.25 {
            self.restart_full_pipe(sample.rate);
            return;
        }
        self.full.rounds += 1;
        self.full.now = self.full.rounds >= 3;
        self.full.reached |= self.full.now;
    }

    pub(super) fn restart_full_pipe(&mut self, bw: f64) {
        self.full = FullPipe { bw, rounds: 0, now: false, reached: self.full.reached };
    }
}

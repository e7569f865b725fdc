//! What an acknowledgment means to a connection: the round trip, the timer, the congestion window, and what is lost
//! (RFC 9293 §3.10.7.4, fifth; RFC 6298 §5; RFC 5681 §3.2; RFC 6675 §5).
//!
//! Which acknowledgments are believed at all, `arrival` says.

use super::congestion::{Ack, Delivery, Repair};
use super::connection::Connection;
use super::segment::Segment;
use super::seq::SeqNumber;
use super::timers::Timer;
use super::timestamps::Timestamps;
use crate::base::Instant;
use crate::trace;

/// TSecr of a segment.
pub(super) fn echo_of(segment: &Segment) -> Option<u32> {
    segment.header.options.timestamps().map(|(_, echo)| echo)
}

impl Connection {
    /// Takes an ACK that advances, and sets the retransmission timer by it (RFC 6298 §5.2 and §5.3).
    pub(super) fn take_ack(&mut self, now: Instant, ack: u64, echo: Option<u32>) {
        let bytes = ack - self.sender.snd_una;
        let (before, mss) = (self.sender.in_flight(), self.sender.mss as u64);
        let app_limited = before + mss <= self.cwnd();
        // The ACK that ends a repair leaves the window at ssthresh (RFC 5681 §3.2, step 6).
        let recovering = self.sender.fast.is_recovering() || self.hears_of_marks();
        let rtt = self.sender.acked(now, ack);
        self.settle_by_echo(now, echo);
        let told =
            echo.filter(|_| self.timestamps.is_some()).and_then(|echo| Timestamps::round_trip(now, echo));
        let sample = match told {
            // An echo measures with every ACK, so each of them counts for less (RFC 7323 appendix G).
            Some(sample) => Some(self.rtt.measured(sample, before.div_ceil(2 * mss))),
            None => self.rtt.acked(ack, now),
        };
        if let Some(sample) = sample {
            self.sender.tail.measured = true;
            let (srtt, rto) = (self.rtt.srtt().unwrap_or(sample), self.rtt.rto());
            self.trace(|flow| trace::Kind::RttMeasured { flow, sample, srtt, rto });
        }
        let in_flight = self.sender.in_flight();
        let srtt = self.rtt.srtt();
        self.congestion.on_ack(&Ack {
            now,
            bytes,
            rtt: rtt.or(told),
            srtt,
            in_flight,
            app_limited,
            recovering,
        });
        self.tell_cwnd(self.congestion.reason().unwrap_or("an ACK arrived"));
        if self.sender.outstanding() > 0 {
            if self.permits_sack || !self.sender.fast.keeps_timer() {
                self.set_timer(Timer::Retransmission, now + self.rtt.rto());
            }
        } else {
            self.timers.stop(Timer::Retransmission);
        }
        self.probes = 0;
        self.timeouts = 0;
        self.path_answers(now);
        self.heard_from_peer(now);
    }

    /// Takes a duplicate ACK: one without data that says neither a new number nor a new window while something is
    /// outstanding (RFC 5681 §2).
    pub(super) fn take_duplicate_ack(&mut self, now: Instant) {
        if self.sender.outstanding() == 0 || self.congestion.repair() == Repair::Timer {
            return;
        }
        let flight = self.sender.flight_size();
        if self.sender.duplicate_ack(self.congestion.repair()) && !self.only_a_probe_is_lost(now) {
            self.doubt_loss();
            self.congestion.on_loss(now, flight);
            self.tell_cwnd("three duplicate ACKs arrived");
        }
    }

    /// Whether losses are found and repaired by selective acknowledgments.
    pub(super) fn repairs_by_sack(&self) -> bool {
        self.permits_sack && self.congestion.repair() == Repair::NewReno
    }

    /// What may be in flight: what congestion control says, but for the time in which a loss is being repaired.
    pub(super) fn cwnd(&self) -> u64 {
        self.sender.reduced_window().unwrap_or_else(|| self.congestion.window())
    }

    /// An ACK has been taken, before which `delivered` bytes had arrived: how much does it let go while a loss is being
    /// repaired (RFC 6937 §3)?
    pub(super) fn reduce(&mut self, delivered: u64, safe: bool) {
        if self.sender.reduced_window().is_some() {
            // A controller without a threshold says by its window what it comes down to.
            let target = self.congestion.ssthresh().min(self.congestion.window());
            self.sender.reduce(delivered, safe, target);
            self.tell_cwnd("a loss is being repaired: less goes than arrives");
        }
    }

    /// Takes the blocks of a selective acknowledgment (RFC 6675 §5). One without new blocks counts for nothing. True
    /// when they show a loss.
    pub(super) fn take_sack(&mut self, now: Instant, segment: &Segment, duplicate: bool) -> bool {
        let offset = |number: SeqNumber| number.to_offset(self.sender.isn, self.sender.snd_una);
        let blocks: Vec<(i64, i64)> =
            segment.header.options.sack().iter().map(|(start, end)| (offset(*start), offset(*end))).collect();
        let flight = self.sender.flight_size();
        let lost = self.sender.sacked(now, &blocks, duplicate);
        if lost {
            self.loss_shows(now, flight, "blocks beyond a hole have arrived");
        }
        lost
    }

    /// An ACK has been taken, before which `before` bytes had arrived and `lost` were lost: tells congestion control.
    pub(super) fn tell_delivery(&mut self, now: Instant, before: u64, lost: u64) {
        let newest = self.sender.take_newest();
        let in_flight = self.sender.in_flight();
        self.congestion.on_delivery(&Delivery {
            now,
            bytes: self.sender.delivered().saturating_sub(before),
            lost: self.sender.lost_in_all() - lost,
            in_flight,
            sent_at: newest.map(|(at, _)| at),
            rtt: newest.filter(|(_, repeated)| !repeated).map(|(at, _)| now.since(at)),
            app_limited: self.sender.unsent() == 0 && in_flight < self.congestion.window(),
            recovering: self.sender.fast.is_repairing(self.sender.snd_una),
        });
        self.tell_cwnd(self.congestion.reason().unwrap_or("an ACK arrived"));
    }

    /// A repair with selective acknowledgment begins, when `flight` bytes were in flight.
    pub(super) fn loss_shows(&mut self, now: Instant, flight: u64, why: &'static str) {
        if self.only_a_probe_is_lost(now) {
            return;
        }
        self.doubt_loss();
        self.congestion.on_loss(now, flight);
        self.tell_cwnd(why);
        if self.congestion.reduces_in_proportion() {
            self.sender.begin_reduction();
        }
    }
}

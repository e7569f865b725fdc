//! Pacing: segments leave one after the other, at a rate, and not all that the window allows at once.
//!
//! A burst fills a queue and waits there. A congestion control may name a rate (BBR does); for others
//! [`Config::pacing`](super::Config::pacing) makes one of the window and the round trip, as Linux does: twice the window
//! in a round trip while it doubles, and a fifth more than the window afterwards, so that the pace is never what limits.
//!
//! What is paced is data, new or again. ACKs, SYN, FIN alone and probes go at once.

use super::connection::Connection;
use super::timers::Timer;
use crate::base::{Duration, Instant};

/// How much more than the window leaves in a round trip, in percent: in slow start, and in congestion avoidance.
const IN_SLOW_START: u64 = 200;
const AFTERWARDS: u64 = 120;

impl Connection {
    /// Bytes in a second, if there is a limit.
    fn pace(&self) -> Option<u64> {
        if let Some(rate) = self.congestion.pacing_rate() {
            return Some(rate);
        }
        let (cwnd, srtt) = (self.congestion.window(), self.rtt.srtt()?.as_nanos().max(1));
        if !self.config.pacing || cwnd == u64::MAX {
            return None;
        }
        let percent = if cwnd < self.congestion.ssthresh() { IN_SLOW_START } else { AFTERWARDS };
        let rate = u128::from(cwnd) * u128::from(percent) * 10_000_000 / u128::from(srtt);
        Some(u64::try_from(rate).unwrap_or(u64::MAX).max(1))
    }

    /// Whether data has to wait for its turn. The timer says when it comes.
    pub(super) fn waits_for_pace(&mut self, now: Instant) -> bool {
        let waits = now < self.next_send;
        if waits && (self.sender.unsent() > 0 || self.sender.has_lost()) {
            self.timers.set(Timer::Pacing, self.next_send);
        }
        waits
    }

    /// `bytes` of data leave.
    pub(super) fn count_pace(&mut self, now: Instant, bytes: u64) {
        if bytes > 0
            && let Some(rate) = self.pace()
        {
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
            let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            self.next_send = self.next_send.max(now) + takes;
        }
    }
}

//! Keep-alives: is the peer of an idle connection still there? (RFC 9293 §3.8.4)
//!
//! Off by default (MUST-25). After [`Config::keep_alive_idle`](super::Config::keep_alive_idle) in which nothing came, an
//! empty segment with a number that the peer has acknowledged already makes it answer. No single answer that fails to
//! come means anything (MUST-29); after nine, 75 seconds apart as in BSD and Linux, the peer is given up.

use std::sync::Arc;

use super::connection::Connection;
use super::interface::Reason;
use super::state::{Cause, State};
use super::timers::Timer;
use crate::base::{Duration, Instant};

/// How long a connection is idle before it is probed, by default: the least that RFC 9293 allows (MUST-28).
pub const KEEP_ALIVE_IDLE: Duration = Duration::from_secs(2 * 60 * 60);

/// The time between two probes, and after how many without an answer the peer is given up.
const INTERVAL: Duration = Duration::from_secs(75);
const PROBES: u32 = 9;

/// What keep-alives know of an idle connection.
#[derive(Debug, Default)]
pub(super) struct KeepAlive {
    /// When the peer was last heard.
    heard: Instant,
    /// Probes without an answer since.
    probes: u32,
}

impl Connection {
    /// Switches keep-alives on, or off again (MUST-24). The idle time counts from now.
    pub fn set_keep_alive(&mut self, now: Instant, on: bool) {
        Arc::make_mut(&mut self.config).keep_alive = on;
        self.timers.stop(Timer::KeepAlive);
        self.quiet = false;
        self.watch_idleness(now);
    }

    /// Starts the timer of an open connection, if keep-alives are wanted.
    pub(super) fn watch_idleness(&mut self, now: Instant) {
        if self.config.keep_alive && self.may_be_idle() {
            self.keep_alive = KeepAlive { heard: now, probes: 0 };
            self.set_timer(Timer::KeepAlive, now + self.config.keep_alive_idle);
        }
    }

    /// Something came from the peer. The timer is not moved with each segment: when it goes off, it looks.
    pub(super) fn heard_of_life(&mut self, now: Instant) {
        if self.config.keep_alive {
            self.keep_alive = KeepAlive { heard: now, probes: 0 };
        }
    }

    /// The timer went off: probe, unless something came or is on its way (MUST-26).
    pub(super) fn probe_idleness(&mut self, now: Instant) {
        if !self.config.keep_alive || !self.may_be_idle() {
            return;
        }
        let due = self.keep_alive.heard + self.config.keep_alive_idle;
        if now < due {
            self.set_timer(Timer::KeepAlive, due);
        } else if self.sender.outstanding() > 0 || self.sender.is_stuck() {
            // Other timers watch over what is sent, and over what waits.
            self.watch_idleness(now);
        } else if self.keep_alive.probes == PROBES {
            self.finish(now, Cause::GiveUp, Reason::TimedOut);
        } else {
            self.keep_alive.probes += 1;
            let probe = self.empty_segment(now, self.sender.snd_nxt - 1);
            self.send(probe);
            self.set_timer(Timer::KeepAlive, now + INTERVAL);
        }
    }

    /// Whether all that this end has to say may be said, while the peer owes something.
    fn may_be_idle(&self) -> bool {
        matches!(self.state, State::Established | State::FinWait2 | State::CloseWait)
    }
}

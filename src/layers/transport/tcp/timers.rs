//! The timers of a connection (RFC 9293 §3.8, §3.10.8): one deadline each, all in one small array.

use crate::base::Instant;

/// What a connection may be waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Something sent is not yet acknowledged: send the earliest of it again (RFC 6298 §5). Runs exactly while
    /// something is unacknowledged.
    Retransmission,
    /// All sent is acknowledged and the window lets no more go: probe it (RFC 9293 §3.8.6.1). So this one and
    /// [`Retransmission`](Timer::Retransmission) never run together.
    Persist,
    /// Something came in that may be acknowledged later, together with data or more ACKs (§3.8.6.3).
    DelayedAck,
    /// Something that was sent later has arrived: wait for stragglers (RFC 8985 §6.2, step 5).
    Reordering,
    /// The next segment's turn comes: see `pacing`. Not in the trace, as it goes off for each segment.
    Pacing,
    /// No ACK comes: probe for a lost tail (RFC 8985 §7.2).
    TailProbe,
    /// The state TIME-WAIT is over (§3.6.1).
    TimeWait,
    /// Nothing has come for long: see `keep_alive` (§3.8.4).
    KeepAlive,
    /// The program has closed for good, and the peer does not: FIN-WAIT-2 is given up.
    FinWait2,
    /// The peer has acknowledged nothing for too long: give up (§3.8.3's R2; §3.10.8). Covers the handshake too.
    UserTimeout,
}

impl Timer {
    /// All timers, in the order in which they are served when several are due.
    pub const ALL: [Timer; 10] = [
        Timer::UserTimeout,
        Timer::TimeWait,
        Timer::FinWait2,
        // Before the retransmission timer, which they restart.
        Timer::Reordering,
        Timer::TailProbe,
        Timer::Retransmission,
        Timer::Persist,
        Timer::Pacing,
        Timer::DelayedAck,
        Timer::KeepAlive,
    ];

    /// The name a trace gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Timer::Retransmission => "retransmission",
            Timer::Persist => "persist",
            Timer::DelayedAck => "delayed ACK",
            Timer::Reordering => "reordering",
            Timer::Pacing => "pacing",
            Timer::TailProbe => "loss probe",
            Timer::TimeWait => "TIME-WAIT",
            Timer::KeepAlive => "keep-alive",
            Timer::FinWait2 => "FIN-WAIT-2",
            Timer::UserTimeout => "user timeout",
        }
    }
}

/// The deadline of each timer; [`Instant::NEVER`] for one that does not run.
#[derive(Debug)]
pub(super) struct Timers([Instant; Timer::ALL.len()]);

impl Default for Timers {
    fn default() -> Self {
        Timers([Instant::NEVER; Timer::ALL.len()])
    }
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, due: Instant) {
        self.0[timer as usize] = due;
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = Instant::NEVER;
    }

    pub(super) fn stop_all(&mut self) {
        *self = Timers::default();
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize] < Instant::NEVER
    }

    /// When it goes off; [`Instant::NEVER`] when it does not run.
    pub(super) fn due(&self, timer: Timer) -> Instant {
        self.0[timer as usize]
    }

    /// A timer that is due. It is stopped by this.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let is_due = |timer: &Timer| self.is_set(*timer) && self.0[*timer as usize] <= now;
        let due = Timer::ALL.into_iter().find(is_due)?;
        self.stop(due);
        Some(due)
    }

    /// When the first of them will go off.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.0.into_iter().min().filter(|due| *due < Instant::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_go_off_once_and_not_before_their_time() {
        let mut timers = Timers::default();
        timers.set(Timer::Persist, Instant::from_millis(5));
        timers.set(Timer::Retransmission, Instant::from_millis(3));
        assert_eq!(timers.earliest(), Some(Instant::from_millis(3)));
        assert_eq!(timers.take_due(Instant::from_millis(2)), None);
        assert_eq!(timers.take_due(Instant::from_millis(9)), Some(Timer::Retransmission));
        assert_eq!(timers.take_due(Instant::from_millis(9)), Some(Timer::Persist));
        assert_eq!(timers.take_due(Instant::from_millis(9)), None);
    }
}

//! Whether the client still lives: a ping now and then, and a pong in time.
//!
//! In version 4 the server pings, for the timers of a browser's page in the background cannot be relied upon.

use super::Config;
use crate::base::{Duration, Instant};

/// The beat of one session.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    next: Beat,
    /// It was asked whether the client lives, and the awaited pong could be an old one.
    ping_again: bool,
    /// How long the last pong took.
    round_trip: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    PingAt(Instant),
    PongUntil(Instant),
}

/// What a pong says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pong {
    /// No ping asked for it.
    Unasked,
    /// The client lives, which was asked.
    Alive,
    /// It lived when the pong was sent, which may have been before the question: another ping is to be sent.
    MaybeOld,
}

impl Heartbeat {
    /// The first ping is due in one interval.
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        let (interval, timeout) = (config.ping_interval, config.ping_timeout);
        Heartbeat {
            interval,
            timeout,
            next: Beat::PingAt(now + interval),
            ping_again: false,
            round_trip: Duration::ZERO,
        }
    }

    /// When to act next: to ping, or to give up.
    pub(super) fn due(&self) -> Instant {
        let (Beat::PingAt(due) | Beat::PongUntil(due)) = self.next;
        due
    }

    /// Asks for a sign of life now. True when a ping is to be sent at once; otherwise a pong is awaited already.
    pub(super) fn ask(&mut self, now: Instant) -> bool {
        let is_free = matches!(self.next, Beat::PingAt(_));
        if is_free {
            self.next = Beat::PongUntil(now + self.timeout);
        } else {
            self.ping_again = true;
        }
        is_free
    }

    /// How long the client took to answer the last ping; zero before the first.
    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// A pong came from the client.
    pub(super) fn pong(&mut self, now: Instant) -> Pong {
        let Beat::PongUntil(until) = self.next else { return Pong::Unasked };
        self.round_trip = (now + self.timeout).since(until);
        if std::mem::take(&mut self.ping_again) {
            self.next = Beat::PongUntil(now + self.timeout);
            return Pong::MaybeOld;
        }
        self.next = Beat::PingAt(now + self.interval);
        Pong::Alive
    }

    /// Whether a ping is to be sent, once.
    pub(super) fn ping_is_due(&mut self, now: Instant) -> bool {
        let Beat::PingAt(at) = self.next else { return false };
        if now < at {
            return false;
        }
        // A little late is the timer's doing and not counted; much too late is ours, and the client gets its time.
        let grace = Duration::from_nanos(self.timeout.as_nanos() / 20);
        let from = if now.since(at) <= grace { at } else { now };
        self.next = Beat::PongUntil(from + self.timeout);
        true
    }

    /// Whether a pong should have come by now.
    pub(super) fn pong_is_overdue(&self, now: Instant) -> bool {
        matches!(self.next, Beat::PongUntil(until) if until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Pings each second, and waits 200 ms.
    fn heartbeat() -> Heartbeat {
        let (ping_interval, ping_timeout) = (Duration::from_millis(1000), Duration::from_millis(200));
        Heartbeat::new(at(0), &Config { ping_interval, ping_timeout, ..Config::default() })
    }

    #[test]
    fn one_interval_after_a_pong_the_next_ping_is_due() {
        let mut heartbeat = heartbeat();
        assert!(!heartbeat.ping_is_due(at(999)));
        assert!(heartbeat.ping_is_due(at(1000)));
        assert!(!heartbeat.ping_is_due(at(1000)), "once");
        assert_eq!(
            (heartbeat.due(), heartbeat.pong(at(1100)), heartbeat.due()),
            (at(1200), Pong::Alive, at(2100))
        );
        assert_eq!(heartbeat.pong(at(1101)), Pong::Unasked);
    }

    #[test]
    fn the_pong_of_a_ping_that_was_sent_much_too_late_has_its_time_all_the_same() {
        let [mut late, mut much_too_late] = [heartbeat(), heartbeat()];
        assert!(late.ping_is_due(at(1010)) && much_too_late.ping_is_due(at(1011)));
        assert_eq!((late.due(), much_too_late.due()), (at(1200), at(1211)));
        assert!(late.pong_is_overdue(at(1200)) && !much_too_late.pong_is_overdue(at(1210)));
    }

    #[test]
    fn a_pong_that_may_be_old_answers_no_question() {
        let mut heartbeat = heartbeat();
        assert!(heartbeat.ask(at(10)), "nothing is on its way");
        assert!(!heartbeat.ask(at(20)), "its pong may be on its way already");
        assert_eq!(heartbeat.pong(at(30)), Pong::MaybeOld);
        assert_eq!((heartbeat.due(), heartbeat.pong(at(40))), (at(230), Pong::Alive));
    }
}

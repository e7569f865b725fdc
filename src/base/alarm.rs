//! The wake-up call of a machine: said when it is news, and not before.

use super::Instant;

/// What a machine asked its driver for last.
///
/// The last thing that a machine's [`poll`](super::Machine::poll) says is when it wants to be woken: the earliest of
/// all its timers. Most inputs do not change that, and the driver keeps the last call that it was given; so the machine
/// asks for a time once, and again when the time is another one.
///
/// ```text
///   machine                  alarm                    driver
///      |-- poll(10 s) ------> | -- Some(10 s) --------> | sets its timer
///      |-- poll(10 s) ------> | -- None                 |
///      |-- poll( 4 s) ------> | -- Some(4 s) ---------> | sets it again
///      | <------------------------------ Wake at 4 s -- |
///      |-- rang() ----------> |                         | has none now
///      |-- poll(10 s) ------> | -- Some(10 s) --------> | sets its timer
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// [`Instant::NEVER`] when nothing is asked for.
    set_to: Instant,
}

impl Alarm {
    /// Nothing is asked for yet.
    pub const fn new() -> Self {
        Alarm { set_to: Instant::NEVER }
    }

    /// What to ask the driver for, now that the machine is due then: `None` when it was asked for that already.
    ///
    /// A machine that is not due at all leaves the driver's call in place: one wake-up too many does no harm. One that
    /// wants it cancelled returns [`Instant::NEVER`].
    pub fn poll(&mut self, due: Option<Instant>) -> Option<Instant> {
        let due = due.filter(|due| *due != self.set_to)?;
        self.set_to = due;
        Some(due)
    }

    /// The same for timers that move on with every packet: only an earlier time is news. To be woken too early, and to
    /// ask again then, costs less than to ask with every packet.
    pub fn poll_earlier(&mut self, due: Option<Instant>) -> Option<Instant> {
        let set_to = self.set_to;
        self.poll(due.filter(|due| *due < set_to))
    }

    /// The driver made its call, in time or too early: it has no call pending, and asks again.
    pub fn rang(&mut self) {
        self.set_to = Instant::NEVER;
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Alarm::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Option<Instant> {
        Some(Instant::from_millis(secs * 1000))
    }

    #[test]
    fn a_time_is_asked_for_once() {
        let mut alarm = Alarm::new();
        assert_eq!(alarm.poll(None), None);
        assert_eq!(alarm.poll(at(10)), at(10));
        assert_eq!(alarm.poll(at(10)), None);
        assert_eq!(alarm.poll(at(4)), at(4));
        assert_eq!(alarm.poll(at(10)), at(10), "a later time replaces an earlier one");
    }

    #[test]
    fn a_machine_that_was_woken_too_early_asks_for_the_same_time_again() {
        let mut alarm = Alarm::new();
        assert_eq!(alarm.poll(at(10)), at(10));
        alarm.rang();
        assert_eq!(alarm.poll(at(10)), at(10));
    }

    #[test]
    fn the_driver_keeps_its_call_until_it_is_taken_back() {
        let mut alarm = Alarm::new();
        assert_eq!(alarm.poll(Some(Instant::NEVER)), None, "there is nothing to take back");
        assert_eq!(alarm.poll(at(10)), at(10));
        assert_eq!(alarm.poll(None), None);
        assert_eq!(alarm.poll(at(10)), None);
        assert_eq!(alarm.poll(Some(Instant::NEVER)), Some(Instant::NEVER));
        assert_eq!(alarm.poll(at(10)), at(10));
    }

    #[test]
    fn timers_that_only_move_on_cost_one_call() {
        let mut alarm = Alarm::new();
        assert_eq!(alarm.poll_earlier(at(10)), at(10));
        assert_eq!(alarm.poll_earlier(at(11)), None);
        assert_eq!(alarm.poll_earlier(at(9)), at(9));
        alarm.rang();
        assert_eq!(alarm.poll_earlier(at(11)), at(11));
        assert_eq!(alarm.poll_earlier(None), None);
    }
}

//! The one contract that every protocol with a state keeps.

use super::Instant;

/// A protocol as a pure state machine: bytes and times in, bytes and events out.
///
/// It has no clock, no socket and no randomness of its own. Its driver (the simulator, real sockets, a test)
/// gives it an input, then drains [`poll`](Machine::poll) until it answers `None`. An output is something to send,
/// something for the user above, or the next time it wants to be woken.
///
/// Besides these two, a machine may have *getters*, which change nothing, and *commands*, by which the user above
/// asks for something (open, write, close) and learns at once whether it was accepted.
pub trait Machine {
    /// What can happen to it.
    type Input;
    /// What it asks for.
    type Output;

    /// Takes one input. Nothing is sent from here: the consequences wait in [`poll`](Machine::poll).
    fn handle(&mut self, now: Instant, input: Self::Input);

    /// The next consequence, or `None` when there is nothing to do until the next input.
    fn poll(&mut self, now: Instant) -> Option<Self::Output>;
}

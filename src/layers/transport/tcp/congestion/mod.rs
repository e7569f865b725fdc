//! Congestion control: how much the *network* can take, where the window says how much the *peer* can.
//!
//! RFC 9293 §3.8.2 (MUST-19) demands slow start, congestion avoidance and an exponential back-off of the
//! retransmission timer (RFC 5681, RFC 6298). The back-off is there, in [`rtt`](super). The other two are **not**:
//! the only controller so far is [`Unlimited`], which never holds the sender back. A sender of that kind is unfit
//! for a shared network. This module is the place where the missing half goes.

use std::fmt::Debug;

/// Decides how many bytes may be in flight, from what it is told of the sender's fortunes.
pub trait CongestionControl: Debug + Send {
    /// Bytes that may be unacknowledged at one time (cwnd).
    fn window(&self) -> u64;
    /// `bytes` were newly acknowledged, and `in_flight` are still out.
    fn on_ack(&mut self, bytes: u64, in_flight: u64);
    /// The retransmission timer fired with `in_flight` bytes out.
    fn on_timeout(&mut self, in_flight: u64);
}

/// No control at all: the peer's window is the only limit. See the module's warning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl CongestionControl for Unlimited {
    fn window(&self) -> u64 {
        u64::MAX
    }
    fn on_ack(&mut self, _bytes: u64, _in_flight: u64) {}
    fn on_timeout(&mut self, _in_flight: u64) {}
}

//! Congestion control: how much the *network* can take, where the window says how much the *peer* can.
//!
//! RFC 9293 §3.8.2 (MUST-19) demands slow start, congestion avoidance and an exponential back-off of the retransmission
//! timer (RFC 5681, RFC 6298). The back-off is in [`recovery`](super), the other two are in [`Tahoe`], [`NewReno`] and [`Cubic`].
//! The default is CUBIC, as in most systems. [`Unlimited`] never holds the sender back: a ladder of a few segments is
//! easier to read without, and what becomes of a network of such senders is worth seeing. It is unfit for a shared one.
//!
//! A controller learns what happens to what was sent, and answers with two numbers, cwnd and ssthresh. Whenever one
//! of them has changed, the connection records it in the trace.

mod cubic;
mod hystart;
mod newreno;
mod tahoe;

pub use cubic::Cubic;
pub use newreno::NewReno;
pub use tahoe::Tahoe;

use std::fmt;

use crate::base::{Duration, Instant};

/// Decides how many bytes may be in flight, from what the sender reports to it. All sizes are in bytes.
///
/// Events that a controller does not need, it need not implement.
pub trait CongestionControl: fmt::Debug + Send {
    /// Bytes that may be in flight at one time (cwnd).
    fn window(&self) -> u64;

    /// Below it the window opens by slow start, from it on by congestion avoidance (RFC 5681 §3.1).
    fn ssthresh(&self) -> u64 {
        u64::MAX
    }

    /// Something leaves that was not sent before; `in_flight` counts it.
    fn on_sent(&mut self, now: Instant, bytes: u64, in_flight: u64) {
        let _ = (now, bytes, in_flight);
    }

    /// An ACK arrives for something new.
    fn on_ack(&mut self, ack: &Ack) {
        let _ = ack;
    }

    /// ACKs show that something was lost; at most once for each window sent (RFC 5681 §4.3). `in_flight` was in
    /// flight before that.
    fn on_loss(&mut self, now: Instant, in_flight: u64) {
        let _ = (now, in_flight);
    }

    /// Nothing was sent for longer than a retransmission timeout, and now something is about to be: the ACKs that gave
    /// the pace are long gone (RFC 5681 §4.1).
    fn on_idle(&mut self) {}

    /// Whether three duplicate ACKs mean a loss (RFC 5681 §3.2), or only the timer does.
    fn fast_retransmit(&self) -> bool {
        true
    }

    /// Whether a loss that ACKs show leaves the rest of the flight as it is: fast recovery (RFC 5681 §3.2). Without it,
    /// all that is in flight goes again.
    fn fast_recovery(&self) -> bool {
        true
    }

    /// Whether the flight goes down to [`ssthresh`](Self::ssthresh) little by little while a loss is being repaired, as
    /// selective acknowledgments say what has arrived (RFC 6937), and not at one stroke.
    fn reduces_in_proportion(&self) -> bool {
        false
    }

    /// Why the last ACK has changed the window, where that it arrived does not say it.
    fn reason(&self) -> Option<&'static str> {
        None
    }

    /// The retransmission timer goes off: all that was `in_flight` may be lost.
    fn on_rto(&mut self, now: Instant, in_flight: u64) {
        let _ = (now, in_flight);
    }

    /// Segments carry at most `mss` bytes from now on: the path takes only smaller ones.
    fn on_mss(&mut self, mss: u64) {
        let _ = mss;
    }
}

/// What an ACK for something new says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// When the acknowledgment arrives.
    pub now: Instant,
    /// How much it acknowledges that was not acknowledged before.
    pub bytes: u64,
    /// The round trip of the newest segment among it; none when any of it was sent twice.
    pub rtt: Option<Duration>,
    /// The smoothed round trip.
    pub srtt: Option<Duration>,
    /// What is still in flight after it.
    pub in_flight: u64,
    /// Whether the window was not used up before it, for want of data or of room at the peer: then its arrival says
    /// nothing about a larger one (RFC 7661 §4.4, RFC 9438 §5.8).
    pub app_limited: bool,
    /// Whether losses that ACKs have shown are still being repaired: the window does not open before that is done.
    pub recovering: bool,
}

/// A kind of congestion control, as a connection is configured with.
#[derive(Clone, Copy)]
pub struct Algorithm {
    /// Its name, by which it is chosen and compared.
    pub name: &'static str,
    /// A new controller for a connection with segments of at most `mss` bytes.
    pub start: fn(mss: u64) -> Box<dyn CongestionControl>,
}

impl Algorithm {
    /// No control at all.
    pub const NONE: Algorithm = Algorithm { name: "none", start: |_| Box::new(Unlimited) };

    /// Slow start, congestion avoidance, fast retransmit: see [`Tahoe`].
    pub const TAHOE: Algorithm = Algorithm { name: "tahoe", start: |mss| Box::new(Tahoe::new(mss)) };

    /// Slow start, congestion avoidance, fast retransmit, fast recovery: see [`NewReno`].
    pub const NEWRENO: Algorithm = Algorithm { name: "newreno", start: |mss| Box::new(NewReno::new(mss)) };

    /// The same with a cubic curve in congestion avoidance: see [`Cubic`].
    pub const CUBIC: Algorithm = Algorithm { name: "cubic", start: |mss| Box::new(Cubic::new(mss)) };

    /// All that are here, from the simplest on.
    pub const ALL: [Algorithm; 4] = [Algorithm::NONE, Algorithm::TAHOE, Algorithm::NEWRENO, Algorithm::CUBIC];
}

impl PartialEq for Algorithm {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Algorithm {}

impl fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// No control at all: the peer's window is the only limit. See the module's warning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl CongestionControl for Unlimited {
    fn window(&self) -> u64 {
        u64::MAX
    }

    fn fast_retransmit(&self) -> bool {
        false
    }
}

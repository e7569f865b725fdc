//! Congestion control: how much the *network* can take, where the window says how much the *peer* can.
//!
//! RFC 9293 §3.8.2 (MUST-19) demands slow start, congestion avoidance and an exponential back-off of the retransmission
//! timer (RFC 5681, RFC 6298). The back-off is in [`recovery`](super), the other two are in all but [`Unlimited`]:
//!
//! | name | what it does about a loss | file |
//! |---|---|---|
//! | `none` | nothing: the retransmission timer repairs it | here |
//! | `tahoe` | fast retransmit, and slow start from one segment | `tahoe.rs` |
//! | `reno` | fast recovery, for one loss in a window | `reno.rs` |
//! | `newreno` | fast recovery, for any number | `newreno.rs` |
//! | `cubic` | the same, and back along a cubic curve | `cubic.rs`, `hystart.rs` |
//! | `bbr` | little: it measures bandwidth and round trip | `bbr/` |
//!
//! The default is CUBIC, as in most systems. [`Unlimited`] never holds the sender back: a ladder of a few segments is
//! easier to read without, and what becomes of a network of such senders is worth seeing. It is unfit for a shared one.
//!
//! A controller learns what happens to what was sent, and answers with two numbers, cwnd and ssthresh. Whenever one
//! of them has changed, the connection records it in the trace.

mod bbr;
mod cubic;
mod hystart;
mod newreno;
mod reno;
mod tahoe;

pub use bbr::Bbr;
pub use cubic::Cubic;
pub use newreno::NewReno;
pub use reno::reno;
pub use tahoe::tahoe;

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

    /// Something leaves again; `in_flight` counts it.
    fn on_sent_again(&mut self, now: Instant, bytes: u64, in_flight: u64) {
        let _ = (now, bytes, in_flight);
    }

    /// An ACK arrives for something new.
    fn on_ack(&mut self, ack: &Ack) {
        let _ = ack;
    }

    /// An ACK arrives, for something new or not: what it says of all that was on its way, selective acknowledgments
    /// included. It follows [`on_ack`](Self::on_ack).
    fn on_delivery(&mut self, delivery: &Delivery) {
        let _ = delivery;
    }

    /// ACKs show that something was lost; at most once for each window sent (RFC 5681 §4.3). `in_flight` was in
    /// flight before that.
    fn on_loss(&mut self, now: Instant, in_flight: u64) {
        let _ = (now, in_flight);
    }

    /// Nothing was sent for longer than a retransmission timeout, and now something is about to be: the ACKs that gave
    /// the pace are long gone (RFC 5681 §4.1).
    fn on_idle(&mut self) {}

    /// The last loss was none: what went again had arrived all along (RFC 4015). `in_flight` is still on its way.
    fn undo(&mut self, now: Instant, in_flight: u64) {
        let _ = (now, in_flight);
    }

    /// Bytes in a second at which segments are to leave; `None` when ACKs give the pace.
    fn pacing_rate(&self) -> Option<u64> {
        None
    }

    /// How a loss that ACKs show is repaired.
    fn repair(&self) -> Repair {
        Repair::NewReno
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

/// How a loss is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// When the retransmission timer goes off, and not before.
    Timer,
    /// Fast retransmit: three duplicate ACKs mean a loss, and all that is in flight goes again.
    Restart,
    /// Fast recovery (RFC 5681 §3.2), which the first ACK for something new ends: for one loss in a window.
    Reno,
    /// Fast recovery until all is acknowledged that was sent before it (RFC 6582), with selective acknowledgments where
    /// there are (RFC 6675).
    NewReno,
}

/// What an ACK says of all that was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// When it arrives.
    pub now: Instant,
    /// Bytes that are known to have arrived, and were not before.
    pub bytes: u64,
    /// Bytes that are taken for lost, and were not before.
    pub lost: u64,
    /// What is in flight after it.
    pub in_flight: u64,
    /// When that of them was sent which was sent last.
    pub sent_at: Option<Instant>,
    /// Its round trip; none when it was sent more than once.
    pub rtt: Option<Duration>,
    /// There is nothing to send that was not sent, and room in the window for more.
    pub app_limited: bool,
    /// Losses are being repaired, after a timeout or without.
    pub recovering: bool,
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

    /// Slow start, congestion avoidance, fast retransmit: see [`tahoe`].
    pub const TAHOE: Algorithm = Algorithm { name: "tahoe", start: |mss| Box::new(tahoe(mss)) };

    /// Slow start, congestion avoidance, fast retransmit, fast recovery for one loss: see [`reno`].
    pub const RENO: Algorithm = Algorithm { name: "reno", start: |mss| Box::new(reno(mss)) };

    /// The same for any number of losses in a window: see [`NewReno`].
    pub const NEWRENO: Algorithm = Algorithm { name: "newreno", start: |mss| Box::new(NewReno::new(mss)) };

    /// The same with a cubic curve in congestion avoidance: see [`Cubic`].
    pub const CUBIC: Algorithm = Algorithm { name: "cubic", start: |mss| Box::new(Cubic::new(mss)) };

    /// Bandwidth and round trip, measured: see [`Bbr`].
    pub const BBR: Algorithm = Algorithm { name: "bbr", start: |mss| Box::new(Bbr::new(mss)) };

    /// All that are here, from the simplest on.
    pub const ALL: [Algorithm; 6] = [
        Algorithm::NONE,
        Algorithm::TAHOE,
        Algorithm::RENO,
        Algorithm::NEWRENO,
        Algorithm::CUBIC,
        Algorithm::BBR,
    ];
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

    fn repair(&self) -> Repair {
        Repair::Timer
    }
}

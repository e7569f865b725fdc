//! Reno: Tahoe with fast recovery, as in 4.3BSD-Reno of 1990 (RFC 5681 §3.2).
//!
//! Three duplicate ACKs halve the window, and what is in flight stays in flight: the lost segment goes again, and each
//! further duplicate ACK says that another one has left the network. The first ACK for something new ends it. When two
//! segments of a window are lost, that ACK stops at the second, and nothing says that it does: three more duplicate ACKs
//! have to come, which halve the window once more, or the retransmission timer goes off. That is what
//! [`NewReno`] mends (RFC 6582).
//!
//! It knows no selective acknowledgment, which is six years younger than it.

use super::{Ack, CongestionControl, NewReno, Repair};
use crate::base::Instant;

/// NewReno's window, and a repair of one loss at a time.
#[derive(Debug, Clone, Copy)]
pub struct Reno(NewReno);

impl Reno {
    /// For segments of at most `mss` bytes.
    pub fn new(mss: u64) -> Self {
        Reno(NewReno::new(mss))
    }
}

impl CongestionControl for Reno {
    fn window(&self) -> u64 {
        self.0.window()
    }

    fn ssthresh(&self) -> u64 {
        self.0.ssthresh()
    }

    fn repair(&self) -> Repair {
        Repair::Reno
    }

    fn on_ack(&mut self, ack: &Ack) {
        self.0.on_ack(ack);
    }

    fn on_loss(&mut self, now: Instant, in_flight: u64) {
        self.0.on_loss(now, in_flight);
    }

    fn on_rto(&mut self, now: Instant, in_flight: u64) {
        self.0.on_rto(now, in_flight);
    }

    fn undo(&mut self, now: Instant, in_flight: u64) {
        self.0.undo(now, in_flight);
    }

    fn on_idle(&mut self) {
        self.0.on_idle();
    }

    fn on_mss(&mut self, mss: u64) {
        self.0.on_mss(mss);
    }
}

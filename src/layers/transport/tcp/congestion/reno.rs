//! Reno: Tahoe with fast recovery, as in 4.3BSD-Reno of 1990 (RFC 5681 §3.2).
//!
//! Three duplicate ACKs halve the window, and what is in flight stays in flight: the lost segment goes again, and each
//! further duplicate ACK says that another one has left the network. The first ACK for something new ends it. When two
//! segments of a window are lost, that ACK stops at the second, and nothing says that it does: three more duplicate ACKs
//! have to come, which halve the window once more, or the retransmission timer goes off. That is what
//! [`NewReno`] mends (RFC 6582).
//!
//! It knows no selective acknowledgment, which is six years younger than it.

use super::{NewReno, Repair};

/// NewReno's window, and a repair of one loss at a time, for segments of at most `mss` bytes.
pub fn reno(mss: u64) -> NewReno {
    NewReno::repairing(Repair::Reno, mss)
}

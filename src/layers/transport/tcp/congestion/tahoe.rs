//! Tahoe, the first of them: slow start, congestion avoidance, fast retransmit, and no fast recovery (Jacobson,
//! "Congestion Avoidance and Control", 1988; the fast retransmit came with 4.3BSD-Tahoe).
//!
//! Three duplicate ACKs do to it what a timeout does, only sooner: half of what was in flight becomes the threshold,
//! the window is one segment, and from the lost segment on everything goes again in slow start. What arrived beyond
//! the hole meanwhile need not: the ACK that the repaired segment brings leaps over it. It knows no selective
//! acknowledgment, which is seven years younger than it.
//!
//! It begins with the same window as the others here (RFC 6928), where the original began with one segment.

use super::{NewReno, Repair};

/// NewReno's growth, and a timeout's answer to every loss, for segments of at most `mss` bytes.
pub fn tahoe(mss: u64) -> NewReno {
    NewReno::repairing(Repair::Restart, mss)
}

#[cfg(test)]
mod tests {
    use super::super::CongestionControl as _;
    use super::*;
    use crate::base::Instant;

    #[test]
    fn three_duplicates_leave_one_segment_and_half_of_what_was_in_flight() {
        let mut tahoe = tahoe(1_000);
        tahoe.on_loss(Instant::ZERO, 9_000);
        assert_eq!((tahoe.window(), tahoe.ssthresh()), (1_000, 4_500));
        // The timer goes off for what was sent again.
        tahoe.on_rto(Instant::ZERO, 1_000);
        assert_eq!((tahoe.window(), tahoe.ssthresh()), (1_000, 4_500));
    }
}

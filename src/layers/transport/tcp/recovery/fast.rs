//! Fast retransmit and fast recovery: duplicate ACKs show a loss long before the timer does (RFC 5681 §3.2, RFC 6582).
//!
//! A receiver acknowledges at once what comes out of order, and its ACK says again what it waits for. One or two such
//! ACKs may come from segments that overtook each other; the third means a loss. Each of them also says that some
//! segment has *left* the network. RFC 6582 has cwnd grow by a segment for each of them; here they are taken off what
//! is in flight, which lets the same segments go, and cwnd stays what it is. That the first two ACKs let new segments
//! go is limited transmit (RFC 3042): it keeps the ACKs coming when the window is small.
//!
//! Left out: the heuristics of RFC 6582 §4 that tell a lost retransmission from an unnecessary one.

/// How many duplicate ACKs mean a loss (RFC 5681 §3.2).
const DUPLICATES: u32 = 3;

/// What duplicate ACKs have shown.
#[derive(Debug, Default)]
pub(in super::super) struct FastRecovery {
    duplicates: u32,
    /// Bytes of segments that have left the network although no ACK covers them.
    departed: u64,
    /// Bytes that limited transmit has sent beyond the window.
    limited: u64,
    /// The end of all that had been sent when a loss was last noticed (RFC 6582 §3.2, `recover`).
    recover: u64,
    /// Losses are being repaired until `recover` is acknowledged.
    recovering: bool,
    /// Partial ACKs since the repair began.
    partial_acks: u32,
}

impl FastRecovery {
    /// An ACK says `una` again, and all up to `nxt` was sent. True when it shows a loss. By Reno the repair ends with
    /// the next ACK for something new, as `recover` is not set.
    pub(in super::super) fn duplicate_ack(&mut self, una: u64, nxt: u64, mss: u64, reno: bool) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        // After a timeout all of before counts as lost, and so as departed.
        let beyond = if self.recovering { una } else { una.max(self.recover) };
        self.departed = (self.departed + mss).min(nxt.saturating_sub(beyond));
        // An ACK that does not go beyond `recover` may answer what was sent twice for nothing (RFC 6582 §3.2, step 2).
        let lost = self.duplicates == DUPLICATES && !self.recovering && una > self.recover;
        if lost {
            let recover = if reno { self.recover } else { nxt };
            (self.recovering, self.recover, self.partial_acks) = (true, recover, 0);
        }
        lost
    }

    /// A duplicate ACK reports new arrivals. True for the third.
    pub(in super::super) fn is_third_duplicate(&mut self) -> bool {
        self.duplicates = self.duplicates.saturating_add(1);
        self.duplicates == DUPLICATES
    }

    /// Selective acknowledgments show a loss when all up to `nxt` was sent. True when it is news: one within the window
    /// that is being repaired is not, nor one of what was sent before a timeout (RFC 6675 §5, §5.1).
    pub(in super::super) fn sack_shows_loss(&mut self, una: u64, nxt: u64) -> bool {
        let news = !self.recovering && una >= self.recover;
        if news {
            (self.recovering, self.recover, self.partial_acks) = (true, nxt, 0);
        }
        news
    }

    /// An ACK of `newly` bytes arrives. True when it covers only a part of what is being repaired: then the segment
    /// after it is lost too (RFC 6582 §3.2, step 3).
    pub(in super::super) fn acked(&mut self, ack: u64, newly: u64, mss: u64) -> bool {
        self.duplicates = 0;
        self.limited = 0;
        let partial = self.recovering && ack < self.recover;
        if partial {
            // One segment of what is acknowledged was sent again; the others had been taken for departed.
            self.departed = self.departed.saturating_sub(newly.saturating_sub(mss));
            self.partial_acks = self.partial_acks.saturating_add(1);
        } else {
            self.recovering = false;
            if ack >= self.recover {
                self.departed = 0;
            }
        }
        partial
    }

    /// The retransmission timer went off when all up to `nxt` was sent.
    pub(in super::super) fn timed_out(&mut self, nxt: u64) {
        *self = FastRecovery { recover: nxt, ..FastRecovery::default() };
    }

    /// Nothing was lost. What went again may bring duplicate ACKs: up to `una` they show nothing.
    pub(in super::super) fn needless(&mut self, una: u64) {
        *self = FastRecovery { recover: una, ..FastRecovery::default() };
    }

    /// New data leaves, of `bytes` bytes.
    pub(in super::super) fn sent(&mut self, bytes: u64) {
        if !self.recovering && self.duplicates > 0 {
            self.limited += bytes;
        }
    }

    pub(in super::super) fn departed(&self) -> u64 {
        self.departed
    }

    pub(in super::super) fn limited(&self) -> u64 {
        self.limited
    }

    /// Whether losses are being repaired without a timeout.
    pub(in super::super) fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// Whether losses are being repaired, with a timeout or without.
    pub(in super::super) fn is_repairing(&self, una: u64) -> bool {
        self.recovering || una < self.recover
    }

    /// Whether the timer goes on as it is: of partial ACKs only the first restarts it, so that many losses in one
    /// window end in a timeout and not in a round trip each (RFC 6582 §3.2, step 3).
    pub(in super::super) fn keeps_timer(&self) -> bool {
        self.recovering && self.partial_acks > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_duplicate_shows_a_loss_and_only_it() {
        let mut fast = FastRecovery::default();
        let lost: Vec<bool> = (0..5).map(|_| fast.duplicate_ack(100, 1_100, 100, false)).collect();
        assert_eq!(lost, [false, false, true, false, false]);
        assert_eq!(fast.departed(), 500);
        assert!(fast.is_recovering());
    }

    #[test]
    fn a_partial_ack_goes_on_with_the_repair_and_a_full_one_ends_it() {
        let mut fast = FastRecovery::default();
        assert_eq!((0..5).filter(|_| fast.duplicate_ack(100, 1_100, 100, false)).count(), 1);
        assert!(fast.acked(400, 300, 100));
        // Three hundred are acknowledged, of which the first hundred had been sent again.
        assert_eq!(fast.departed(), 300);
        assert!(fast.acked(600, 200, 100) && fast.keeps_timer());
        assert!(!fast.acked(1_100, 500, 100));
        assert!(!fast.is_recovering() && fast.departed() == 0);
    }

    #[test]
    fn after_a_repair_selective_acknowledgments_show_the_loss_of_the_very_next_segment() {
        let mut fast = FastRecovery::default();
        assert!(fast.sack_shows_loss(100, 1_100) && !fast.sack_shows_loss(100, 1_100));
        fast.acked(1_100, 1_000, 100);
        assert!(fast.sack_shows_loss(1_100, 1_500));
    }

    #[test]
    fn by_reno_the_first_ack_that_advances_ends_the_repair_and_three_duplicates_begin_another() {
        let mut fast = FastRecovery::default();
        assert_eq!((0..5).filter(|_| fast.duplicate_ack(100, 1_100, 100, true)).count(), 1);
        assert!(!fast.acked(400, 300, 100) && !fast.is_recovering());
        assert_eq!((0..5).filter(|_| fast.duplicate_ack(400, 1_100, 100, true)).count(), 1);
    }

    #[test]
    fn after_a_timeout_duplicates_make_no_room_for_more() {
        let mut fast = FastRecovery::default();
        fast.timed_out(1_100);
        assert!((0..5).all(|_| !fast.duplicate_ack(100, 1_100, 100, false)) && fast.departed() == 0);
    }

    #[test]
    fn duplicates_of_what_was_sent_before_a_timeout_show_nothing() {
        let mut fast = FastRecovery::default();
        fast.timed_out(1_100);
        for una in [100, 600, 1_100] {
            fast.acked(una, 100, 100);
            assert!((0..5).all(|_| !fast.duplicate_ack(una, 1_500, 100, false)), "{una}");
        }
        fast.acked(1_200, 100, 100);
        assert_eq!((0..5).filter(|_| fast.duplicate_ack(1_200, 1_500, 100, false)).count(), 1);
    }
}

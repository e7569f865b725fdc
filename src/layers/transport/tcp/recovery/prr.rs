//! Proportional rate reduction: how much each ACK lets go while a loss is being repaired (RFC 6937 §3).
//!
//! A loss makes the window smaller at one stroke, and what is in flight is then more than it allows. A sender that
//! waits until enough ACKs have come is silent for half a round trip and then bursts. This one sends all along, but
//! less than arrives: of a window that is to be halved, one segment for every two that have arrived. So the flight
//! comes down to ssthresh evenly, just when the repair is done.
//!
//! ```text
//!  in flight > ssthresh    in proportion:  ⌈delivered · ssthresh / flight at the loss⌉ - sent
//!  in flight ≤ ssthresh    in slow start:  max(delivered - sent, delivered by this ACK) + MSS, up to ssthresh
//! ```
//!
//! The second line (the slow start reduction bound of §3) is for when more was lost than the window shrinks by. RFC
//! 9937, which has replaced RFC 6937 since, is more careful there: its bound is `delivered - sent` unless an ACK
//! advances and shows no new loss. That much of it is here too.

/// The reduction under way. All sizes are in bytes, and all counts begin with the repair.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Prr {
    /// prr_delivered: what ACKs say has arrived.
    delivered: u64,
    /// prr_out: what was sent, new or again.
    sent: u64,
    /// RecoverFS: what was in flight when the loss showed.
    flight: u64,
    window: u64,
}

/// What an ACK says while a loss is being repaired.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Progress {
    /// What has arrived that was not known to have.
    pub(in super::super) delivered: u64,
    /// What is in flight now (RFC 6675's pipe).
    pub(in super::super) in_flight: u64,
    /// The ACK advances and shows no new loss.
    pub(in super::super) safe: bool,
}

impl Prr {
    /// A loss shows when `flight` is in flight.
    pub(in super::super) fn new(flight: u64) -> Self {
        Prr { delivered: 0, sent: 0, flight: flight.max(1), window: 0 }
    }

    /// What may be in flight until the next ACK.
    pub(in super::super) fn window(&self) -> u64 {
        self.window
    }

    /// Something leaves.
    pub(in super::super) fn sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    /// An ACK arrives; the one that shows the loss is the first.
    pub(in super::super) fn on_ack(&mut self, progress: Progress, ssthresh: u64, mss: u64) {
        let Progress { delivered, in_flight, safe } = progress;
        self.delivered += delivered;
        let may_go = if in_flight > ssthresh {
            let share = (u128::from(self.delivered) * u128::from(ssthresh)).div_ceil(u128::from(self.flight));
            u64::try_from(share).unwrap_or(u64::MAX).saturating_sub(self.sent)
        } else {
            let limit = self.delivered.saturating_sub(self.sent);
            let limit = if safe { limit.max(delivered) + mss } else { limit };
            limit.min(ssthresh - in_flight)
        };
        self.window = in_flight + may_go;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One segment of a flight of 20 is lost; every ACK says that one more has arrived. Returns how many go after each.
    fn one_loss(ssthresh: u64) -> Vec<u64> {
        let mut prr = Prr::new(20);
        let (mut in_flight, mut out) = (20 - 1, Vec::new());
        for _ in 0..19 {
            in_flight -= 1;
            prr.on_ack(Progress { delivered: 1, in_flight, safe: false }, ssthresh, 1);
            let may_go = prr.window() - in_flight;
            prr.sent(may_go);
            in_flight += may_go;
            out.push(may_go);
        }
        out
    }

    #[test]
    fn of_a_window_that_is_halved_every_other_ack_lets_one_go() {
        let half = one_loss(10);
        assert_eq!(half[..8], [1, 0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(half.iter().sum::<u64>(), 10);
        assert_eq!(one_loss(14).iter().sum::<u64>(), 14);
    }

    #[test]
    fn after_many_losses_the_flight_grows_back_by_a_segment_more_than_arrives() {
        // Of 20, 15 are lost: five are in flight, and ten may be.
        let mut prr = Prr::new(20);
        prr.on_ack(Progress { delivered: 1, in_flight: 4, safe: false }, 10, 1);
        assert_eq!(prr.window(), 5);
        prr.sent(1);
        prr.on_ack(Progress { delivered: 1, in_flight: 4, safe: true }, 10, 1);
        assert_eq!(prr.window(), 6);
        prr.sent(2);
        prr.on_ack(Progress { delivered: 3, in_flight: 3, safe: true }, 10, 1);
        assert_eq!(prr.window(), 7);
    }

    proptest! {
        #[test]
        fn the_flight_never_exceeds_what_it_was_and_ends_no_higher_than_the_threshold(
            flight in 2u64..200,
            lost in 1u64..100,
            percent in 10u64..100,
            steps in prop::collection::vec((1u64..4, any::<bool>()), 1..200),
        ) {
            let ssthresh = (flight * percent / 100).max(1);
            let mut prr = Prr::new(flight);
            let mut in_flight = flight.saturating_sub(lost);
            for (delivered, safe) in steps {
                let delivered = delivered.min(in_flight);
                in_flight -= delivered;
                prr.on_ack(Progress { delivered, in_flight, safe }, ssthresh, 1);
                prop_assert!(prr.window() <= flight.max(ssthresh));
                let may_go = prr.window() - in_flight;
                prr.sent(may_go);
                in_flight += may_go;
                prop_assert!(in_flight <= ssthresh.max(in_flight - may_go + delivered));
            }
            // All that was in flight at first has arrived or was counted as lost.
            if prr.delivered >= flight {
                prop_assert!(in_flight <= ssthresh, "{} > {}", in_flight, ssthresh);
            }
        }
    }
}

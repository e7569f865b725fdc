//! Repairs that were not needed: how they show, and what is undone then (RFC 3522, RFC 5682, RFC 3708, RFC 4015).
//!
//! What is late looks like what is lost. It goes again, and the window gets smaller, for nothing. Three signs tell:
//!
//! - *Eifel* (RFC 3522): with timestamps the first ACK that advances after the repetition says which transmission it
//!   answers. A clock of before the repetition means the first one.
//! - *F-RTO* (RFC 5682, `recovery/frto.rs`): after a timeout, without timestamps, two ACKs in a row that advance.
//! - *D-SACK* (RFC 3708): the peer reports as a duplicate the one segment that went again.
//!
//! Then what counted as lost is in flight again and not repeated, the window goes back to what it was, and the path
//! counts as one on which segments overtake each other.
//!
//! Left out: D-SACK for repairs of more than one segment, whose reports would have to be told from those of the repair
//! before (RFC 3708 §3, B); giving it up on a path that makes duplicates of its own (A.4), for what went again is not
//! remembered that long; a longer retransmission timeout afterwards (RFC 4015 §3.1, step 11). With timestamps the late
//! ACK is a measurement, which makes it longer; without, the back-off lasts until the next one.

use super::connection::Connection;
use super::recovery::{Frto, Verdict};
use super::segment::Segment;
use super::seq::SeqNumber;
use crate::base::Instant;

/// A repair that may not have been needed.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// What our clock said when the first segment went again (RetransmitTS of RFC 3522).
    clock: Option<u32>,
    /// Where the first segment begins that went again, and how many did.
    first: u64,
    repeated: u32,
}

impl Connection {
    /// ACKs show a loss, and a repair begins.
    pub(super) fn doubt_loss(&mut self) {
        self.doubt = Some(Doubt::default());
        self.sender.frto = None;
    }

    /// The retransmission timer went off. What was repaired before, F-RTO cannot judge (RFC 5682 §2.1, step 1).
    pub(super) fn doubt_timeout(&mut self, was_repairing: bool) {
        // The same segment timed out again (§3.2).
        let again = self.sender.frto.as_ref().is_some_and(Frto::has_seen_nothing);
        self.doubt_loss();
        let fresh = !was_repairing || again;
        if self.config.frto && fresh && self.timestamps.is_none() && self.sender.snd_una > 0 {
            self.sender.frto = Some(Frto::begin(self.sender.snd_nxt));
        }
    }

    /// A segment leaves again, from `offset` on, as a part of the repair. The first to do so has to be the oldest that is
    /// not acknowledged, and not to have gone again before: only then its ACK tells one from the other (RFC 3522 §3.2).
    pub(super) fn note_repetition(&mut self, now: Instant, offset: u64) {
        let Some(doubt) = &mut self.doubt else { return };
        doubt.repeated += 1;
        if doubt.repeated > 1 {
            return;
        }
        if offset != self.sender.snd_una || !self.sender.first_went_twice() {
            self.doubt = None;
            return;
        }
        doubt.first = offset;
        doubt.clock = self.timestamps.as_ref().map(|timestamps| timestamps.stamp(now).0);
    }

    /// An ACK may report a duplicate: then the repetition has arrived, and the first transmission before it.
    ///
    /// That the echo is old says nothing then: when all ACKs of a flight are lost, the repetition is outside the window
    /// and its timestamp is not taken (RFC 3522 §3.3; step 5 of §3.2).
    pub(super) fn note_duplicate(&mut self, segment: &Segment, ack: i64) {
        let blocks = segment.header.options.sack();
        let Some((start, end)) = blocks.first() else { return };
        let offset = |at: &SeqNumber| at.to_offset(self.sender.isn, self.sender.snd_una);
        if offset(end) > ack {
            return;
        }
        self.reports_duplicates = true;
        // No ACK of the flight came before this one (RFC 3708 §3, A.1): the way back may have lost them all.
        let is_first = offset(start) == self.sender.snd_una.cast_signed() && !self.sender.has_sacked();
        match &mut self.doubt {
            Some(doubt) if !is_first => doubt.clock = None,
            doubt => *doubt = None,
        }
    }

    /// An ACK advances, with this echo of our clock: the first one after a repetition settles the doubt. One that
    /// acknowledges everything may be for the repetition all the same, unless the peer would have said so (RFC 3522
    /// §3.2, step 5).
    pub(super) fn settle_by_echo(&mut self, now: Instant, echo: Option<u32>) {
        let Some((echo, clock)) = echo.zip(self.doubt.as_ref().and_then(|doubt| doubt.clock)) else { return };
        if !self.reports_duplicates && self.sender.outstanding() == 0 {
            // A report of a duplicate may still come.
            if let Some(doubt) = &mut self.doubt {
                doubt.clock = None;
            }
            return;
        }
        self.doubt = None;
        if echo.wrapping_sub(clock).cast_signed() < 0 {
            self.nothing_was_lost(now, "an ACK was for the first transmission: nothing was lost");
        }
    }

    /// An ACK arrives that advances or does not. After a timeout F-RTO may learn from it.
    pub(super) fn settle_by_acks(&mut self, now: Instant, advances: bool, old_arrived: bool) {
        let una = self.sender.snd_una;
        let Some(frto) = &mut self.sender.frto else { return };
        match frto.on_ack(una, advances, old_arrived) {
            Verdict::Open => {}
            Verdict::Needed => self.sender.frto = None,
            Verdict::Spurious => {
                self.doubt = None;
                self.nothing_was_lost(now, "two ACKs advanced after the timeout: nothing was lost");
            }
        }
    }

    /// Whether a selective acknowledgment reports something that was sent before the timeout, and only then.
    pub(super) fn reports_old(&self, segment: &Segment) -> bool {
        self.sender.frto.as_ref().is_some_and(|frto| {
            let offset =
                |at: SeqNumber| at.to_offset(self.sender.isn, self.sender.snd_una).max(0).cast_unsigned();
            segment.header.options.sack().iter().any(|(start, end)| {
                let (start, end) = (offset(*start), offset(*end));
                start > self.sender.snd_una && end <= frto.recover() && self.sender.was_sent_once(start, end)
            })
        })
    }

    /// An ACK may report what has come twice (RFC 2883 §4): a block below the acknowledgment.
    pub(super) fn settle_by_duplicates(&mut self, now: Instant, segment: &Segment) {
        let blocks = segment.header.options.sack();
        let Some(doubt) = &self.doubt else { return };
        let offset = |at: SeqNumber| at.to_offset(self.sender.isn, self.sender.snd_una);
        let una = self.sender.snd_una.cast_signed();
        let Some((start, end)) = blocks.first().map(|(start, end)| (offset(*start), offset(*end))) else {
            return;
        };
        // The duplicate is reported below the acknowledgment, where all that went again was the one segment.
        let twice = end <= una && start <= doubt.first.cast_signed() && doubt.first.cast_signed() < end;
        if twice && doubt.repeated == 1 && !self.sender.fast.is_repairing(self.sender.snd_una) {
            self.doubt = None;
            self.nothing_was_lost(now, "all that went again had arrived before: nothing was lost");
        }
    }

    fn nothing_was_lost(&mut self, now: Instant, why: &'static str) {
        self.sender.nothing_was_lost();
        self.congestion.undo(now, self.sender.in_flight());
        self.tell_cwnd(why);
    }
}

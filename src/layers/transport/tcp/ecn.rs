//! Explicit congestion notification: a router that fills up marks a packet instead of dropping it (RFC 3168 §6.1).
//!
//! Both SYNs say that it is understood (§6.1.1). The receiver of a marked packet sets ECE on all that it sends (§6.1.3),
//! until a CWR says that the sender has heard. The sender takes ECE for a loss, once a window, and sets CWR on the next
//! new data (§6.1.2). Only new data may be marked, neither a bare ACK or a probe nor what is sent again (§6.1.4,
//! §6.1.5).
//!
//! Off by default: [`Config::ecn`](super::Config::ecn).

use super::connection::Connection;
use super::header::Flags;
use super::segment::Segment;
use super::sender::{Piece, PieceKind};
use super::seq::SeqNumber;
use crate::base::Instant;

/// What one end knows of marks.
#[derive(Debug, Default)]
pub(super) struct Ecn {
    /// Both ends understand them.
    agreed: bool,
    /// The segment that is being looked at came marked.
    pub(super) marked: bool,
    /// One came marked, and no CWR since.
    echo: bool,
    /// It has ECE; and what was in flight before its acknowledgment was taken.
    told: Option<u64>,
    /// The window was made smaller, and nothing new was sent since.
    answer: bool,
    /// All that was in flight when it was made smaller ends here.
    reduced: u64,
    /// The number of the new data that was made last.
    fresh: Option<SeqNumber>,
}

impl Ecn {
    /// ECE, as long as there is a mark to tell of.
    pub(super) fn echo(&self) -> Flags {
        Flags::NONE.with_if(self.echo, Flags::ECE)
    }
}

impl Connection {
    /// The peer's first SYN says whether it understands marks: ECE and CWR ask, ECE alone agrees.
    pub(super) fn agree_on_ecn(&mut self, flags: Flags) {
        let says = flags.has(Flags::ECE) && flags.has(Flags::CWR) != flags.has(Flags::ACK);
        self.ecn.agreed = self.config.ecn && says;
    }

    /// The flags of a piece that is about to leave.
    pub(super) fn ecn_flags(&mut self, piece: &Piece) -> Flags {
        if piece.syn {
            let (asks, agrees) = (self.config.ecn && self.receiver.irs.is_none(), self.ecn.agreed);
            return Flags::NONE.with_if(asks, Flags::ECE | Flags::CWR).with_if(agrees, Flags::ECE);
        }
        let new = piece.kind == PieceKind::New && !piece.payload.is_empty();
        self.ecn.fresh = new.then(|| SeqNumber::of_offset(self.sender.isn, piece.offset));
        Flags::NONE.with_if(new && std::mem::take(&mut self.ecn.answer), Flags::CWR)
    }

    /// Whether a router may mark the packet of this segment, which [`poll`](crate::base::Machine::poll) has just given.
    pub fn may_be_marked(&self, segment: &Segment) -> bool {
        self.ecn.agreed && !segment.payload.is_empty() && self.ecn.fresh == Some(segment.header.seq)
    }

    /// Notes whether a segment has ECE, before its acknowledgment is taken.
    pub(super) fn note_echo(&mut self, flags: Flags) {
        let told = self.ecn.agreed && flags.has(Flags::ECE) && !flags.has(Flags::SYN);
        self.ecn.told = told.then(|| self.sender.flight_size());
    }

    /// Whether the segment that is being looked at has ECE: then its acknowledgment opens no window (§6.1.2).
    pub(super) fn hears_of_marks(&self) -> bool {
        self.ecn.told.is_some()
    }

    /// What a segment says of marks, when its acknowledgment was taken.
    pub(super) fn check_marks(&mut self, now: Instant, segment: &Segment) {
        if !self.ecn.agreed {
            return;
        }
        let flags = segment.header.flags;
        if flags.has(Flags::CWR) {
            self.ecn.echo = false;
        }
        if self.ecn.marked && !segment.payload.is_empty() {
            self.ecn.echo = true;
        }
        // Once a window: not again for what was in flight then, nor while a loss of it is being repaired.
        let news = self.sender.snd_una > self.ecn.reduced && !self.sender.fast.is_recovering();
        if let Some(flight) = self.ecn.told.take().filter(|_| news) {
            self.ecn.reduced = self.sender.snd_nxt;
            self.ecn.answer = true;
            self.congestion.on_loss(now, flight);
            self.tell_cwnd("a router has marked a packet");
        }
    }
}

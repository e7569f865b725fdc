//! F-RTO: was the timeout needed? Two ACKs after it tell, without any option (RFC 5682).
//!
//! A timeout may come too soon: the path has become slow, and all that was sent is still on its way. Then the ACK after
//! the first repetition is one for the first transmission, and more of that kind follow. So after the first ACK that
//! advances, the sender sends *new* segments, two at most, and nothing again. If the next ACK advances too, it is for
//! something that went once only: nothing was lost. If it is a duplicate, there is a hole, and all goes again.

/// What an ACK has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Verdict {
    Open,
    /// Something was lost, or nobody can know: the repair goes on as after any timeout.
    Needed,
    /// Nothing was lost.
    Spurious,
}

/// The two ACKs after a timeout.
#[derive(Debug)]
pub(in super::super) struct Frto {
    /// The end of all that was sent before the timeout.
    recover: u64,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The repetition is out, and no ACK has come since.
    First,
    /// This many new segments may go.
    New(u8),
    /// They are out.
    Second,
}

impl Frto {
    /// The timer went off when all up to `recover` was sent (§2.1, step 1).
    pub(in super::super) fn begin(recover: u64) -> Self {
        Frto { recover, step: Step::First }
    }

    /// An ACK arrives that advances up to `una`, or a duplicate, which reports the arrival of what was sent before the
    /// timeout and not again since, or not (§2.1, steps 2 and 3; §3.1 for the last).
    pub(in super::super) fn on_ack(&mut self, una: u64, advances: bool, old_arrived: bool) -> Verdict {
        match self.step {
            Step::First if advances && una < self.recover => {
                self.step = Step::New(2);
                Verdict::Open
            }
            Step::First => Verdict::Needed,
            Step::New(_) | Step::Second if advances || old_arrived => Verdict::Spurious,
            Step::New(_) | Step::Second => Verdict::Needed,
        }
    }

    /// Whether no ACK has come since the timeout.
    pub(in super::super) fn has_seen_nothing(&self) -> bool {
        self.step == Step::First
    }

    /// The end of all that was sent before the timeout.
    pub(in super::super) fn recover(&self) -> u64 {
        self.recover
    }

    /// Whether a new segment is to go.
    pub(in super::super) fn wants_new(&self) -> bool {
        matches!(self.step, Step::New(_))
    }

    /// Whether nothing goes again for now.
    pub(in super::super) fn holds_back(&self) -> bool {
        self.step == Step::Second
    }

    /// A new segment was sent, or there was none. False when there was none at all: then nothing can be found out.
    pub(in super::super) fn sent_new(&mut self, sent: bool) -> bool {
        let (step, goes_on) = match (self.step, sent) {
            (Step::New(2), true) => (Step::New(1), true),
            (Step::New(2), false) => (Step::Second, false),
            _ => (Step::Second, true),
        };
        self.step = step;
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_acks_that_advance_say_that_nothing_was_lost() {
        let mut frto = Frto::begin(1_000);
        assert_eq!(frto.on_ack(100, true, false), Verdict::Open);
        assert!(frto.wants_new() && frto.sent_new(true) && frto.wants_new() && frto.sent_new(true));
        assert!(frto.holds_back());
        assert_eq!(frto.on_ack(200, true, false), Verdict::Spurious);
    }

    #[test]
    fn a_duplicate_or_an_ack_of_all_says_nothing_of_the_kind() {
        assert_eq!(Frto::begin(1_000).on_ack(0, false, false), Verdict::Needed);
        assert_eq!(Frto::begin(1_000).on_ack(1_000, true, false), Verdict::Needed);
        let mut frto = Frto::begin(1_000);
        frto.on_ack(100, true, false);
        assert_eq!(frto.on_ack(100, false, false), Verdict::Needed);
    }

    #[test]
    fn without_anything_new_to_send_nothing_is_found_out() {
        let mut frto = Frto::begin(1_000);
        frto.on_ack(100, true, false);
        assert!(!frto.sent_new(false));
    }
}

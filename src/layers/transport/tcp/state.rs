//! The eleven states of a connection and every transition between them (RFC 9293 §3.3.2, figure 5).
//!
//! All transitions are in one `match`, [`State::after`]. It knows nothing of segments or timers: its caller has
//! already judged that, say, the ACK covers the FIN.
//!
//! One of the figure's arrows is not here. SYN-RECEIVED to FIN-WAIT-1 on CLOSE: ours waits for ESTABLISHED first,
//! as §3.10.4 has it whenever something is still to be sent. FIN-WAIT-1 to TIME-WAIT in one step, which the figure
//! leaves out too (its note 2), takes two steps here: a FIN that acknowledges ours is two events, its ACK first
//! (§3.10.7.4 reads a segment in that order).

use std::fmt;

/// A connection's state, seen from one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No connection at all.
    Closed,
    /// Waiting for anyone's SYN.
    Listen,
    /// Our SYN is sent; waiting for the peer's.
    SynSent,
    /// SYNs are exchanged; waiting for the ACK of ours.
    SynReceived,
    /// Open: data flows both ways.
    Established,
    /// We closed first: our FIN waits for its ACK.
    FinWait1,
    /// Our FIN is acknowledged; the peer may still send.
    FinWait2,
    /// The peer closed first; we may still send.
    CloseWait,
    /// Both closed at the same time; our FIN waits for its ACK.
    Closing,
    /// The peer closed first, then we did; our FIN waits for its ACK.
    LastAck,
    /// All is said; lingering in case the peer missed our last ACK, and until old segments have died out.
    TimeWait,
}

/// What can move a connection from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The program waits for a connection.
    PassiveOpen,
    /// The program opens a connection.
    ActiveOpen,
    /// A SYN came that does not acknowledge ours; in TIME-WAIT, one that begins a new connection.
    Syn,
    /// A SYN came that acknowledges ours.
    SynAck,
    /// The ACK of our SYN came.
    AckOfSyn,
    /// The program has no more to send.
    Close,
    /// The peer's FIN came, and everything before it.
    Fin,
    /// The ACK of our FIN came.
    AckOfFin,
    /// Two maximum segment lifetimes have passed.
    TwoMsl,
    /// A valid RST came.
    Reset,
    /// The program tears the connection down.
    Abort,
    /// Nothing came from the peer for too long, or it cannot be reached.
    GiveUp,
}

impl State {
    /// All states, in the order of a life.
    pub const ALL: [State; 11] = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
    ];

    /// The state that follows, or `None` when `cause` changes nothing here.
    pub const fn after(self, cause: Cause) -> Option<State> {
        use Cause as C;
        use State as S;
        Some(match (self, cause) {
            (S::Closed, C::PassiveOpen) => S::Listen, // RFC 9293 §3.10.1
            (S::Closed | S::Listen, C::ActiveOpen) => S::SynSent, // §3.10.1
            (S::Listen, C::Syn) => S::SynReceived,    // §3.10.7.2, third
            (S::SynSent, C::SynAck) => S::Established, // §3.10.7.3, fourth
            (S::SynSent, C::Syn) => S::SynReceived,   // §3.10.7.3, fourth: both opened at the same time
            (S::SynReceived, C::AckOfSyn) => S::Established, // §3.10.7.4, fifth
            // The program is done sending.
            (S::Listen | S::SynSent, C::Close) => S::Closed, // §3.10.4
            (S::Established, C::Close) => S::FinWait1,       // §3.10.4
            (S::CloseWait, C::Close) => S::LastAck,          // §3.10.4
            // The peer is done sending.
            (S::Established, C::Fin) => S::CloseWait, // §3.10.7.4, eighth
            (S::FinWait1, C::Fin) => S::Closing,      // §3.10.7.4, eighth
            (S::FinWait2, C::Fin) => S::TimeWait,     // §3.10.7.4, eighth
            // The peer knows that we are.
            (S::FinWait1, C::AckOfFin) => S::FinWait2, // §3.10.7.4, fifth
            (S::Closing, C::AckOfFin) => S::TimeWait,  // §3.10.7.4, fifth
            (S::LastAck, C::AckOfFin) => S::Closed,    // §3.10.7.4, fifth
            (S::TimeWait, C::TwoMsl) => S::Closed,     // §3.10.8
            (S::TimeWait, C::Syn) => S::Closed,        // §3.6.1, MAY-2: it makes way for a new connection
            // A listener is not ended by a RST (§3.10.7.2, first). The connection that came out of it in
            // SYN-RECEIVED is: it "returns to LISTEN" (§3.10.7.4, second) in that its listener never stopped.
            (S::Closed | S::Listen, C::Reset) => return None,
            (_, C::Reset) => S::Closed, // §3.10.7.3, second; §3.10.7.4, second
            (S::Closed, C::Abort | C::GiveUp) => return None,
            (_, C::Abort) => S::Closed,  // §3.10.5
            (_, C::GiveUp) => S::Closed, // §3.10.8, user timeout; §3.9.2.2, hard errors
            (_, C::PassiveOpen | C::ActiveOpen | C::Syn | C::SynAck | C::AckOfSyn) => return None,
            (_, C::Close | C::Fin | C::AckOfFin | C::TwoMsl) => return None,
        })
    }

    /// Every arrow of the state diagram: from, cause, to.
    pub fn transitions() -> impl Iterator<Item = (State, Cause, State)> {
        let pairs =
            Self::ALL.into_iter().flat_map(|from| Cause::ALL.into_iter().map(move |cause| (from, cause)));
        pairs.filter_map(|(from, cause)| from.after(cause).map(|to| (from, cause, to)))
    }

    /// The name as the RFC writes it.
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }

    /// True from ESTABLISHED on: both ends know each other's sequence numbers (RFC 9293 §3.5.2, group 3).
    pub const fn is_synchronized(self) -> bool {
        !matches!(self, State::Closed | State::Listen | State::SynSent | State::SynReceived)
    }
}

impl Cause {
    /// All causes, for tests and for the diagram.
    pub const ALL: [Cause; 12] = [
        Cause::PassiveOpen,
        Cause::ActiveOpen,
        Cause::Syn,
        Cause::SynAck,
        Cause::AckOfSyn,
        Cause::Close,
        Cause::Fin,
        Cause::AckOfFin,
        Cause::TwoMsl,
        Cause::Reset,
        Cause::Abort,
        Cause::GiveUp,
    ];

    /// The cause in a few words, as a trace and the state diagram say it.
    pub const fn why(self) -> &'static str {
        match self {
            Cause::PassiveOpen => "the program listens",
            Cause::ActiveOpen => "the program connects",
            Cause::Syn => "SYN received",
            Cause::SynAck => "SYN received with the ACK of our SYN",
            Cause::AckOfSyn => "ACK of our SYN received",
            Cause::Close => "the program closes",
            Cause::Fin => "FIN received",
            Cause::AckOfFin => "ACK of our FIN received",
            Cause::TwoMsl => "2 MSL have passed",
            Cause::Reset => "RST received",
            Cause::Abort => "the program aborts",
            Cause::GiveUp => "gave up on the peer",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_entered_and_left() {
        for state in State::ALL {
            assert!(State::transitions().any(|(_, _, to)| to == state), "{state} is never entered");
            assert!(State::transitions().any(|(from, _, _)| from == state), "{state} is never left");
        }
    }

    #[test]
    fn every_cause_has_an_effect_somewhere() {
        for cause in Cause::ALL {
            assert!(State::transitions().any(|(_, by, _)| by == cause), "{cause:?}");
        }
    }

    #[test]
    fn the_usual_lives_lead_back_to_closed() {
        let live =
            |causes: &[Cause]| causes.iter().try_fold(State::Closed, |state, cause| state.after(*cause));
        use Cause::{AckOfFin, AckOfSyn, ActiveOpen, Close, Fin, PassiveOpen, Syn, SynAck, TwoMsl};
        assert_eq!(live(&[ActiveOpen, SynAck, Close, AckOfFin, Fin, TwoMsl]), Some(State::Closed));
        assert_eq!(live(&[PassiveOpen, Syn, AckOfSyn, Fin, Close, AckOfFin]), Some(State::Closed));
        assert_eq!(live(&[ActiveOpen, Syn, AckOfSyn, Close, Fin, AckOfFin, TwoMsl]), Some(State::Closed));
    }
}

//! The states of a connection and what leads from one to the next (RFC 6455 §4, §7).
//!
//! ```text
//!   CONNECTING --- opened ---> OPEN --- close asked ---> CLOSING
//!       |                       |                           |
//!       |                       +------ Close received -----+---> CLOSED, at a client:
//!       |                       |                           |     the server is to close TCP
//!       |                       |                           |       |
//!       +-- failed, end of -----+---------------------------+-------+---> FINISHED,
//!           stream, timeout                                               at a server on Close received too
//! ```
//!
//! The server closes the TCP connection first (§7.1.1), because the end that does must keep it in TIME-WAIT: a server
//! can take a client's new SYN there, a client could not reuse its port.

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Asked for the connection; masks what it sends.
    Client,
    /// Was asked; never masks.
    Server,
}

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The opening handshake is under way (§4.1).
    Connecting,
    /// Messages go both ways.
    Open,
    /// Our Close frame is sent; the peer's has not come, and what it sent before may still come (§7.1.3).
    Closing,
    /// Both Close frames are exchanged; the client waits for the server to close the TCP connection (§7.1.1).
    Closed,
    /// Nothing more will come from this connection.
    Finished,
}

/// What moves a connection from one phase to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The opening handshake succeeded.
    Opened,
    /// The user above asked to close.
    CloseAsked,
    /// The peer's Close frame came.
    CloseReceived,
    /// The peer broke a rule.
    Failed,
    /// The peer closed its half of the TCP connection.
    EndOfStream,
    /// The peer took too long.
    TimedOut,
}

impl Phase {
    /// All phases, in the order of a life.
    pub const ALL: [Phase; 5] =
        [Phase::Connecting, Phase::Open, Phase::Closing, Phase::Closed, Phase::Finished];

    /// Every transition there is: what changes nothing leads back to the same phase.
    #[must_use]
    pub const fn next(self, role: Role, trigger: Trigger) -> Phase {
        match (self, trigger) {
            // §4.1, §4.2.2: the handshake ends well, or nothing was ever open.
            (Phase::Connecting, Trigger::Opened) => Phase::Open,
            (Phase::Connecting, Trigger::CloseReceived) => Phase::Connecting,
            (Phase::Connecting, _) => Phase::Finished,
            // §7.1.2: we start the closing handshake.
            (Phase::Open, Trigger::CloseAsked) => Phase::Closing,
            // §7.1.1: once both Close frames are out, the server closes TCP and the client waits for that.
            (Phase::Open | Phase::Closing, Trigger::CloseReceived) => match role {
                Role::Server => Phase::Finished,
                Role::Client => Phase::Closed,
            },
            // §7.1.7: fail the connection. §7.1.5: a stream that ends without a Close frame is an abnormal end.
            (Phase::Open | Phase::Closing, Trigger::Failed | Trigger::EndOfStream) => Phase::Finished,
            // §7.1.1: "after a reasonable amount of time" the waiting end may close.
            (Phase::Closing | Phase::Closed, Trigger::TimedOut) => Phase::Finished,
            (Phase::Closed, Trigger::EndOfStream) => Phase::Finished,
            (Phase::Open, Trigger::Opened | Trigger::TimedOut) => Phase::Open,
            (Phase::Closing, Trigger::Opened | Trigger::CloseAsked) => Phase::Closing,
            // After both Close frames nothing the peer sends means anything (§5.5.1).
            (
                Phase::Closed,
                Trigger::Opened | Trigger::CloseAsked | Trigger::CloseReceived | Trigger::Failed,
            ) => Phase::Closed,
            (Phase::Finished, _) => Phase::Finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGERS: [Trigger; 6] = [
        Trigger::Opened,
        Trigger::CloseAsked,
        Trigger::CloseReceived,
        Trigger::Failed,
        Trigger::EndOfStream,
        Trigger::TimedOut,
    ];

    #[test]
    fn a_life_never_goes_back() {
        let age = |phase| Phase::ALL.iter().position(|p| *p == phase).unwrap();
        for phase in Phase::ALL {
            for trigger in TRIGGERS {
                for role in [Role::Client, Role::Server] {
                    assert!(age(phase.next(role, trigger)) >= age(phase), "{phase:?} {trigger:?}");
                }
            }
        }
    }

    #[test]
    fn the_end_of_the_stream_ends_every_phase() {
        for phase in Phase::ALL {
            assert_eq!(phase.next(Role::Client, Trigger::EndOfStream), Phase::Finished);
        }
    }

    #[test]
    fn only_the_client_waits_for_tcp_to_be_closed() {
        assert_eq!(Phase::Closing.next(Role::Client, Trigger::CloseReceived), Phase::Closed);
        assert_eq!(Phase::Closing.next(Role::Server, Trigger::CloseReceived), Phase::Finished);
    }
}

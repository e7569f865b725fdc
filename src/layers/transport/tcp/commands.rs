//! What the program asks of a connection: SEND, RECEIVE, CLOSE and ABORT (RFC 9293 §3.9.1, §3.10.2 to §3.10.5).
//!
//! OPEN is [`Connection::connect`] or a [`Listener`](super::Listener), and STATUS [`Connection::info`]. A command
//! takes effect in the connection; what it makes to be sent waits in [`poll`](crate::base::Machine::poll).

use bytes::Bytes;

use super::connection::Connection;
use super::interface::{Misuse, Reason};
use super::receiver::AckNeed;
use super::state::{Cause, State};
use crate::base::Instant;

impl Connection {
    /// SEND: takes as many bytes as the send buffer has room for and says how many, keeping them by reference. What is
    /// written before the handshake is done waits for it. A short write is followed by
    /// [`Event::Writable`](super::Event::Writable).
    ///
    /// # Errors
    /// When this end has closed, or the connection is gone.
    pub fn write(&mut self, _now: Instant, bytes: Bytes) -> Result<usize, Misuse> {
        self.quiet = false;
        match self.state {
            State::Closed | State::Listen => Err(Misuse::NotConnected),
            _ if self.sender.is_closed() => Err(Misuse::Closing),
            _ => Ok(self.sender.write(bytes)),
        }
    }

    /// RECEIVE: the next bytes in order, at most `max` of them, or `None` when there are none now. One call gives
    /// bytes of one arrived segment at most, by reference: read until `None`. It makes room, which the peer may
    /// have to learn: drain [`poll`](crate::base::Machine::poll).
    pub fn read(&mut self, _now: Instant, max: usize) -> Option<Bytes> {
        // What comes with a SYN waits for ESTABLISHED (RFC 9293 §3.10.7.2, third).
        if self.state == State::SynReceived {
            return None;
        }
        let bytes = self.receiver.read(max);
        if bytes.is_some() && self.state.is_synchronized() && self.receiver.wants_window_update() {
            self.receiver.ack = AckNeed::Now;
            self.quiet = false;
        }
        bytes
    }

    /// CLOSE for sending only: a FIN follows what was written, and reading goes on (a half-close, RFC 9293 §3.6).
    ///
    /// Before the handshake is done, a connection with nothing written is simply forgotten (§3.10.4).
    pub fn shutdown(&mut self, now: Instant) {
        self.quiet = false;
        match self.state {
            State::SynSent if self.sender.unsent() == 0 => self.finish(now, Cause::Close, Reason::Normal),
            // The FIN waits for the handshake, and the change of state for ESTABLISHED.
            State::SynSent | State::SynReceived => self.sender.close(),
            State::Established | State::CloseWait => {
                self.sender.close();
                self.go(now, Cause::Close);
            }
            // Already said.
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck | State::TimeWait => {}
            State::Closed | State::Listen => {}
        }
    }

    /// CLOSE both directions. Bytes that were not read, now or when they come, mean that data is lost: the peer learns
    /// it by a RST (RFC 9293 §3.6.1).
    pub fn close(&mut self, now: Instant) {
        self.read_shut = true;
        if self.receiver.readable() > 0 {
            self.abort(now);
        } else {
            self.shutdown(now);
            if self.state == State::FinWait2 {
                self.wait_for_fin(now);
            }
        }
    }

    /// ABORT: the peer gets a RST, and everything is dropped (RFC 9293 §3.10.5).
    pub fn abort(&mut self, now: Instant) {
        match self.state {
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait => {
                self.send_reset();
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::Closing
            | State::LastAck
            | State::TimeWait => {}
        }
        self.finish(now, Cause::Abort, Reason::Reset);
    }
}

//! A peer that vanished silently is noticed by an unanswered ping (RFC 6455 §5.5.2).
//!
//! TCP itself would never notice: a peer that has lost its power sends nothing, not even a FIN. Any byte counts as a
//! sign of life, not only the pong.

use bytes::Bytes;

use super::super::close::Failure;
use super::super::frame::Opcode;
use super::Connection;
use super::config::Keepalive;
use crate::base::{ErrorKind, Instant, Layer, ParseError};

impl Connection {
    /// It is time to check when the last bytes came from the peer. Only then: bytes that come in move no timer.
    pub(super) fn look_for_life(&mut self, now: Instant, keepalive: Keepalive) {
        let next = match self.pinged {
            Some(pinged) if pinged + keepalive.timeout <= now => {
                return self.fail(now, Failure::untold(silent(keepalive)));
            }
            Some(pinged) => pinged + keepalive.timeout,
            None if self.heard + keepalive.idle <= now => {
                self.sender.control(Opcode::Ping, Bytes::new());
                self.pinged = Some(now);
                // When it answers, the next ping is due so long after the answer.
                now + keepalive.timeout.min(keepalive.idle)
            }
            None => self.heard + keepalive.idle,
        };
        self.deadline = Some(next);
        self.deadline_is_news = true;
    }
}

/// The error for a peer that has gone without a word.
fn silent(keepalive: Keepalive) -> ParseError {
    ParseError {
        kind: ErrorKind::Incomplete,
        layer: Layer::Application,
        protocol: "WebSocket",
        field: "pong",
        offset: 0,
        expected: format!("a sign of life within {} of a ping", keepalive.timeout).into(),
        got: "none".into(),
    }
}

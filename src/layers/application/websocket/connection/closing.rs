//! How a connection ends: asked for, failed, or cut off (RFC 6455 §7.1, §7.2, §7.3).
//!
//! Which phase follows another is in [`phase`](super::super::phase); here is what is sent and reported in between.

use super::super::close::{CloseReason, Failure};
use super::super::frame::Opcode;
use super::super::handshake::awaiting::{Awaiting, Verdict};
use super::super::phase::{Phase, Trigger};
use super::super::sender::SendError;
use super::super::utf8::Utf8Bytes;
use super::opening::too_slow;
use super::{Connection, Event};
use crate::base::{ErrorKind, Instant, ParseError};

impl Connection {
    /// Starts the closing handshake (§7.1.2). Messages that the peer sent before it answers still come. A connection
    /// that is not open yet is given up.
    ///
    /// # Errors
    /// When the connection is closing or closed already, or the reason must not be sent.
    pub fn close(&mut self, now: Instant, reason: &CloseReason) -> Result<(), SendError> {
        let payload = reason.payload().map_err(|error| SendError::BadClose(error.into()))?;
        match self.phase {
            Phase::Connecting => self.events.push_back(Event::Close(CloseReason::abnormal())),
            Phase::Open => self.sender.control(Opcode::Close, payload),
            Phase::Closing | Phase::Closed | Phase::Finished => return Err(SendError::NotOpen),
        }
        self.enter(now, Trigger::CloseAsked);
        Ok(())
    }

    /// The peer's Close frame (§7.1.5).
    pub(super) fn closed_by_peer(&mut self, now: Instant, reason: CloseReason) {
        if self.phase == Phase::Open {
            // §5.5.1: the answer echoes the code.
            let echo = CloseReason::new(reason.code, Utf8Bytes::default());
            self.sender.control(Opcode::Close, echo.payload().unwrap_or_default());
        }
        self.events.push_back(Event::Close(reason));
        self.enter(now, Trigger::CloseReceived);
    }

    /// _Fail the WebSocket Connection_ (§7.1.7): tell the peer why, if the connection still allows it, and close.
    pub(super) fn fail(&mut self, now: Instant, failure: Failure) {
        if let (Phase::Open, Some(code)) = (self.phase, failure.code) {
            let words = if self.config.explain {
                shortened(&failure.error.to_string()).to_owned()
            } else {
                String::new()
            };
            let reason = CloseReason::new(code, words);
            self.sender.control(Opcode::Close, reason.payload().unwrap_or_default());
        }
        self.events.push_back(Event::Failed(failure.into()));
        self.enter(now, Trigger::Failed);
    }

    /// The stream or the peer's time ran out. What it means depends on how far the connection had come.
    pub(super) fn end_abnormally(&mut self, now: Instant, trigger: Trigger) {
        match self.phase {
            Phase::Connecting => {
                let verdict = match (trigger, self.awaiting.cut_short()) {
                    (Trigger::TimedOut, _) | (_, None) => self.give_up_head(too_slow()),
                    (_, Some(error)) => Verdict::Failed { reply: None, error },
                };
                return self.end_handshake(now, verdict);
            }
            Phase::Open | Phase::Closing => self.events.push_back(Event::Close(CloseReason::abnormal())),
            // The user knows already.
            Phase::Closed | Phase::Finished => {}
        }
        self.enter(now, trigger);
    }

    /// Goes to the next phase and does what belongs to being in it.
    pub(super) fn enter(&mut self, now: Instant, trigger: Trigger) {
        let next = self.phase.next(self.role, trigger);
        if next == self.phase {
            return;
        }
        self.phase = next;
        if next != Phase::Connecting {
            self.awaiting = Awaiting::Nothing;
        }
        self.deadline = match next {
            Phase::Open => self.config.keepalive.map(|keepalive| now + keepalive.idle),
            Phase::Connecting | Phase::Finished => None,
            Phase::Closing | Phase::Closed => Some(now + self.config.close_timeout),
        };
        self.deadline_is_news = self.deadline.is_some();
        if matches!(next, Phase::Closed | Phase::Finished) {
            self.receiver.discard();
        }
    }
}

/// There is no key to mask a frame with (§5.3), not even a Close frame: the peer gets none.
pub(super) fn unmasked() -> Failure {
    let expected = "a new one for every frame (RFC 6455 §5.3)";
    let error = Failure::protocol("masking key", 0, expected, "none from the system").error;
    Failure::untold(ParseError { kind: ErrorKind::Misuse, ..error })
}

/// As much of a text as a Close frame has room for, cut between two characters.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(CloseReason::MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

//! The sending half: messages and control frames become bytes for the stream (RFC 6455 §5.3, §5.4, §6.1).

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};

use super::frame::{FrameHeader, MAX_CONTROL_PAYLOAD, Opcode};
use super::mask::apply_mask;
use super::message::MessageKind;
use super::utf8::Utf8Checker;
use crate::base::{Header, Writer};

/// Where a client's masking keys come from: each must be new and not to be guessed (§5.3). The system's randomness on
/// a real network, a seeded one in the simulator.
pub type MaskSource = Box<dyn FnMut() -> [u8; 4] + Send>;

/// Why something was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection is not open yet, or not any more.
    #[error("the connection is not open")]
    NotOpen,
    /// Too much waits to be sent: take it out with `poll` first.
    #[error("{queued} bytes wait to be sent and {limit} are allowed")]
    Full {
        /// Bytes that wait.
        queued: usize,
        /// Bytes that may wait.
        limit: usize,
    },
    /// A fragmented message was begun: only its next fragment can be sent (§5.4).
    #[error("a fragmented message is not finished")]
    InFragments,
    /// The fragment is of another kind than the message it belongs to.
    #[error("the message was begun as another kind")]
    KindChanged,
    /// The text is not UTF-8.
    #[error("text must be UTF-8")]
    NotUtf8,
    /// A control frame carries at most 125 bytes (§5.5).
    #[error("at most 125 bytes fit a control frame, not {0}")]
    ControlTooLong(usize),
    /// The close code or its text must not be sent (§7.4).
    #[error("{0}")]
    BadClose(crate::base::ParseError),
}

/// Writes our frames.
pub(super) struct Sender {
    /// Present at a client.
    masks: Option<MaskSource>,
    writer: Writer,
    queue: VecDeque<Bytes>,
    queued: usize,
    max_queue: usize,
    fragmented: Option<Fragmented>,
}

/// The message that was begun in fragments.
struct Fragmented {
    kind: MessageKind,
    text: Utf8Checker,
}

impl Sender {
    pub(super) fn new(masks: Option<MaskSource>, max_queue: usize) -> Self {
        let queue = VecDeque::new();
        Sender { masks, writer: Writer::new(), queue, queued: 0, max_queue, fragmented: None }
    }

    /// The next bytes for the stream.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let bytes = self.queue.pop_front()?;
        self.queued -= bytes.len();
        Some(bytes)
    }

    /// Bytes that wait to be taken.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Bytes that are no frame: a head of the opening handshake.
    pub(super) fn raw(&mut self, bytes: Bytes) {
        self.queued += bytes.len();
        self.queue.push_back(bytes);
    }

    /// A whole message in one frame.
    pub(super) fn message(&mut self, kind: MessageKind, payload: Bytes) -> Result<(), SendError> {
        if self.fragmented.is_some() {
            return Err(SendError::InFragments);
        }
        self.check_room(payload.len())?;
        self.frame(opcode(kind), true, payload);
        Ok(())
    }

    /// One fragment of a message. Text may be cut anywhere, but must be UTF-8 when it is put together.
    pub(super) fn fragment(
        &mut self,
        kind: MessageKind,
        payload: Bytes,
        last: bool,
    ) -> Result<(), SendError> {
        self.check_room(payload.len())?;
        let (first, mut text) = match &self.fragmented {
            None => (true, Utf8Checker::new()),
            Some(begun) if begun.kind == kind => (false, begun.text.clone()),
            Some(_) => return Err(SendError::KindChanged),
        };
        if kind == MessageKind::Text {
            text.feed(&payload).map_err(|_| SendError::NotUtf8)?;
            if last && !text.is_complete() {
                return Err(SendError::NotUtf8);
            }
        }
        self.fragmented = if last { None } else { Some(Fragmented { kind, text }) };
        self.frame(if first { opcode(kind) } else { Opcode::Continuation }, last, payload);
        Ok(())
    }

    /// A ping that the user above asked for.
    pub(super) fn ping(&mut self, payload: Bytes) -> Result<(), SendError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong(payload.len()));
        }
        self.check_room(payload.len())?;
        self.frame(Opcode::Ping, true, payload);
        Ok(())
    }

    /// A frame that is sent however much waits: the answer to a ping, or a Close frame.
    pub(super) fn control(&mut self, opcode: Opcode, payload: Bytes) {
        self.frame(opcode, true, payload);
    }

    /// A message that is larger than all that may wait is taken when nothing else waits: else it could never be sent.
    fn check_room(&self, bytes: usize) -> Result<(), SendError> {
        let after = self.queued.saturating_add(bytes).saturating_add(FrameHeader::MAX_LEN);
        if self.queued > 0 && after > self.max_queue {
            return Err(SendError::Full { queued: self.queued, limit: self.max_queue });
        }
        Ok(())
    }

    fn frame(&mut self, opcode: Opcode, fin: bool, payload: Bytes) {
        /// Up to here copying costs less than handing the stream a second piece.
        const SMALL: usize = 1024;
        let mask = self.masks.as_mut().map(|next_key| next_key());
        FrameHeader { fin, mask, ..FrameHeader::new(opcode, payload.len() as u64) }.emit(&mut self.writer);
        let payload = match mask {
            None => payload,
            Some(key) => {
                // In place when nobody else has these bytes.
                let mut own = payload.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                apply_mask(key, 0, &mut own);
                own.freeze()
            }
        };
        if payload.len() <= SMALL {
            self.writer.bytes(&payload);
            let frame = self.writer.finish();
            self.raw(frame);
        } else {
            let header = self.writer.finish();
            self.raw(header);
            self.raw(payload);
        }
    }
}

fn opcode(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("queued", &self.queued).finish_non_exhaustive()
    }
}

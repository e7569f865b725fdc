//! The sending half: messages and control frames become bytes for the stream (RFC 6455 §5.3, §5.4, §6.1).
//!
//! Frames are gathered one after the other, so that many of them go to the stream at once. A long payload is not
//! copied: it is a piece of its own between what was gathered before and after it.

use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};

use super::deflate::codec::Compressor;
use super::frame::{FrameHeader, MAX_CONTROL_PAYLOAD, Opcode};
use super::mask::apply_mask;
use super::message::MessageKind;
use super::utf8::Utf8Checker;

/// Where a client's masking keys come from: each must be new and not to be guessed (§5.3). The system's randomness on
/// a real network, a seeded one in the simulator. `None` when there is no such key: then the connection fails.
pub type MaskSource = Box<dyn FnMut() -> Option<[u8; 4]> + Send>;

/// Why something was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection is not open yet, or not any more.
    #[error("the connection is not open")]
    NotOpen,
    /// Too much waits to be sent: take it out with `poll` first.
    #[error("{queued} bytes wait to be sent and {limit} are allowed")]
    Full {
        /// Bytes that wait to be sent.
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
    /// There is no unpredictable masking key, so nothing can be sent any more (§5.3).
    #[error("there is no masking key")]
    NoMask,
    /// The close code or its text must not be sent (§7.4).
    #[error("{0}")]
    BadClose(Box<crate::base::ParseError>),
}

/// Writes our frames, masked or not.
pub(super) struct Sender {
    /// Present at a client.
    masks: Option<MaskSource>,
    /// A frame was not sent for want of a key.
    out_of_masks: bool,
    /// Present when compression was agreed on, with the length from which a message is worth it.
    compressor: Option<(Compressor, usize)>,
    /// What goes before [`gathered`](Sender::gathered).
    queue: VecDeque<Bytes>,
    /// Frames one after the other, for one write.
    gathered: BytesMut,
    /// How much was gathered the last time: as much room is made at once the next time.
    usual: usize,
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
        Sender {
            masks,
            out_of_masks: false,
            compressor: None,
            queue: VecDeque::new(),
            gathered: BytesMut::new(),
            usual: 0,
            queued: 0,
            max_queue,
            fragmented: None,
        }
    }

    /// From now on messages of at least `min_len` bytes are compressed.
    pub(super) fn compress(&mut self, compressor: Compressor, min_len: usize) {
        self.compressor = Some((compressor, min_len.max(1)));
    }

    /// The next bytes for the stream.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let bytes = match self.queue.pop_front() {
            Some(bytes) => bytes,
            None if self.gathered.is_empty() => return None,
            None => {
                self.usual = self.gathered.len();
                std::mem::take(&mut self.gathered).freeze()
            }
        };
        self.queued -= bytes.len();
        Some(bytes)
    }

    /// Gives up memory that is needed only while messages go out.
    pub(super) fn rest(&mut self) {
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        if let Some((compressor, _)) = &mut self.compressor {
            compressor.rest();
        }
    }

    /// Bytes that wait to be taken.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Whether a frame could not be masked: then nothing more can be sent.
    pub(super) fn is_out_of_masks(&self) -> bool {
        self.out_of_masks
    }

    /// Bytes that are no frame: a head of the opening handshake.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.queued += bytes.len();
        self.gathered.extend_from_slice(bytes);
    }

    /// A whole message in one frame.
    pub(super) fn message(&mut self, kind: MessageKind, payload: Bytes) -> Result<(), SendError> {
        if self.fragmented.is_some() {
            return Err(SendError::InFragments);
        }
        self.check_room(payload.len())?;
        if let Some((compressor, min_len)) = &mut self.compressor
            && payload.len() >= *min_len
        {
            let mut compressed = BytesMut::new();
            if compressor.compress(&payload, &mut compressed) {
                // What waits to be sent is counted by its length. So its memory must not be much more than that.
                if compressed.capacity() > 2 * compressed.len() {
                    compressed = BytesMut::from(&compressed[..]);
                }
                let header = FrameHeader { rsv1: true, ..FrameHeader::new(opcode(kind), 0) };
                return self.frame(header, compressed.freeze());
            }
        }
        self.frame(FrameHeader::new(opcode(kind), 0), payload)
    }

    /// One fragment of a message, which is never compressed (RFC 7692 §6 lets the sender choose). Text may be cut
    /// anywhere, but must be UTF-8 when it is put together.
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
        let opcode = if first { opcode(kind) } else { Opcode::Continuation };
        self.frame(FrameHeader { fin: last, ..FrameHeader::new(opcode, 0) }, payload)
    }

    /// A ping that the user above asked for.
    pub(super) fn ping(&mut self, payload: Bytes) -> Result<(), SendError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong(payload.len()));
        }
        self.check_room(payload.len())?;
        self.frame(FrameHeader::new(Opcode::Ping, 0), payload)
    }

    /// A frame that is sent however much waits: the answer to a ping, or a Close frame.
    pub(super) fn control(&mut self, opcode: Opcode, payload: Bytes) {
        // Without a mask it is not sent, and the connection sees to that.
        let _ = self.frame(FrameHeader::new(opcode, 0), payload);
    }

    /// A message that is larger than all that may wait is taken when nothing else waits: else it could never be sent.
    fn check_room(&self, bytes: usize) -> Result<(), SendError> {
        let after = self.queued.saturating_add(bytes).saturating_add(FrameHeader::MAX_LEN);
        if self.queued > 0 && after > self.max_queue {
            return Err(SendError::Full { queued: self.queued, limit: self.max_queue });
        }
        Ok(())
    }

    /// Writes a frame; its length and its mask are filled in here.
    fn frame(&mut self, header: FrameHeader, payload: Bytes) -> Result<(), SendError> {
        /// Up to here copying costs less than handing the stream a second piece.
        const SHORT: usize = 8 << 10;
        let mask = self.masks.as_mut().map(|next_key| next_key());
        let mask = match mask {
            Some(None) => {
                self.out_of_masks = true;
                return Err(SendError::NoMask);
            }
            mask => mask.flatten(),
        };
        let (head, head_len) = FrameHeader { mask, payload_len: payload.len() as u64, ..header }.encode();
        self.queued += head_len + payload.len();
        if self.gathered.is_empty() {
            self.gathered.reserve(self.usual.clamp(head_len, 64 << 10));
        }
        self.gathered.extend_from_slice(&head[..head_len]);
        if payload.len() <= SHORT {
            let start = self.gathered.len();
            self.gathered.extend_from_slice(&payload);
            if let Some(key) = mask {
                apply_mask(key, 0, &mut self.gathered[start..]);
            }
            return Ok(());
        }
        self.queue.push_back(std::mem::take(&mut self.gathered).freeze());
        self.queue.push_back(match mask {
            None => payload,
            Some(key) => {
                // In place when nothing else holds these bytes.
                let mut own = payload.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                apply_mask(key, 0, &mut own);
                own.freeze()
            }
        });
        Ok(())
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

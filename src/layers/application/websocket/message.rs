//! Fragments become messages (RFC 6455 §5.4, §5.6).
//!
//! A message is one frame, or a first one with its type and continuation frames up to one with FIN. What has come of
//! it is kept here and nothing is reserved in advance: a header that promises gigabytes costs its sender gigabytes
//! before it costs us any. Text is checked as it comes in.

use bytes::{Bytes, BytesMut};

use super::close::Failure;
use super::frame::{FrameHeader, Opcode};
use super::utf8::{Utf8Bytes, Utf8Checker};

/// One whole message (§5.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text, checked as it came in.
    Text(Utf8Bytes),
    /// Any bytes.
    Binary(Bytes),
}

impl Message {
    /// The payload, whatever its type.
    pub fn as_bytes(&self) -> &Bytes {
        match self {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Message::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Message::Text(text.into())
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Message::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Message::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Message::Binary(bytes.into())
    }
}

/// The type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8, which is checked.
    Text,
    /// Any bytes, which are not checked.
    Binary,
}

/// What one frame brought of a message (§5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The type of the message.
    pub kind: MessageKind,
    /// Its next bytes. Text may be cut inside a character; it is checked up to here, and the message as a whole at its
    /// end. A compressed message may give them a frame later.
    pub payload: Bytes,
    /// The message ends with them.
    pub is_last: bool,
}

/// Puts one message after the other together.
#[derive(Debug)]
pub(super) struct Assembler {
    /// No message may be longer.
    max_message: usize,
    /// The message that has begun and not ended.
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    payload: BytesMut,
    /// Bytes before those, which were handed out as fragments.
    given: usize,
    /// The check of UTF-8, for a message of text.
    text: Option<Utf8Checker>,
    /// Its first frame had RSV1 set.
    compressed: bool,
}

impl Assembler {
    pub(super) fn new(max_message: usize) -> Self {
        Assembler { max_message, partial: None }
    }

    /// A data frame begins, whose header began `at` bytes into the stream.
    pub(super) fn begin_frame(&mut self, header: &FrameHeader, at: usize) -> Result<(), Failure> {
        let begin =
            |text| Some(Partial { payload: BytesMut::new(), given: 0, text, compressed: header.rsv1 });
        match (&self.partial, header.opcode) {
            (None, Opcode::Text) => self.partial = begin(Some(Utf8Checker::new())),
            (None, Opcode::Binary) => self.partial = begin(None),
            (Some(_), Opcode::Continuation) => {}
            (None, _) => {
                let expected = "text or binary: there is no message to go on with (RFC 6455 §5.4)";
                return Err(Failure::protocol("opcode", at, expected, "continuation"));
            }
            (Some(_), _) => {
                let expected = "continuation: a message is not finished yet (RFC 6455 §5.4)";
                return Err(Failure::protocol("opcode", at, expected, "the start of another message"));
            }
        }
        // What a compressed frame will become is seen when it has become it; the other way round, a few bytes that
        // nothing was gained on come as more than they are.
        if !self.is_compressed() && header.payload_len > self.room() as u64 {
            return Err(Failure::too_big("message", at, self.max_message));
        }
        Ok(())
    }

    /// Bytes of the message that has begun.
    pub(super) fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.payload.len())
    }

    /// Whether no message has begun.
    pub(super) fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// Whether a message of `bytes` bytes may begin.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        bytes <= self.max_message
    }

    /// Whether the message that has begun is compressed (RFC 7692 §6).
    pub(super) fn is_compressed(&self) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.compressed)
    }

    /// How many bytes the message may still grow by.
    fn room(&self) -> usize {
        let come = |partial: &Partial| partial.given.saturating_add(partial.payload.len());
        self.max_message.saturating_sub(self.partial.as_ref().map_or(0, come))
    }

    /// The next bytes of the payload, unmasked; the first of them came `at` bytes into the stream. They are copied.
    pub(super) fn push(&mut self, piece: &[u8], at: usize) -> Result<(), Failure> {
        let partial = self.check(piece, |wrong| at.saturating_add(wrong))?;
        if partial.payload.is_empty() {
            // Exactly what is needed, for most messages are one piece.
            partial.payload = BytesMut::with_capacity(piece.len());
        }
        partial.payload.extend_from_slice(piece);
        Ok(())
    }

    /// As [`push`](Assembler::push), for what came out of a frame that was compressed and began `at` bytes into the
    /// stream. Its bytes have no place in the stream of their own, so what is wrong is wrong with the frame.
    pub(super) fn push_inflated(&mut self, piece: &[u8], at: usize) -> Result<(), Failure> {
        self.check(piece, |_| at)?.payload.extend_from_slice(piece);
        Ok(())
    }

    /// As [`push`](Assembler::push), but the first piece is taken as it is, and pieces that are adjacent in
    /// memory are joined without being copied: a message that came in one piece is handed on in the memory it was
    /// received in.
    pub(super) fn take(&mut self, piece: BytesMut, at: usize) -> Result<(), Failure> {
        self.check(&piece, |wrong| at.saturating_add(wrong))?.payload.unsplit(piece);
        Ok(())
    }

    /// Whether the message may go on with these bytes. `place` says where in the stream a byte of the piece is.
    fn check(&mut self, piece: &[u8], place: impl Fn(usize) -> usize) -> Result<&mut Partial, Failure> {
        let (room, limit) = (self.room(), self.max_message);
        let nothing_begun =
            || Failure::protocol("opcode", place(0), "the start of a message (RFC 6455 §5.4)", "none");
        let partial = self.partial.as_mut().ok_or_else(nothing_begun)?;
        // What there is room for is judged first. So the first byte that is wrong decides, however large the piece is.
        let fits = piece.len().min(room);
        if let Some(text) = &mut partial.text {
            text.feed(&piece[..fits]).map_err(|wrong| Failure::not_utf8("text", place(wrong)))?;
        }
        if fits < piece.len() {
            return Err(Failure::too_big("message", place(fits), limit));
        }
        Ok(partial)
    }

    /// A data frame has ended, `at` bytes into the stream; the message too, when it had FIN.
    pub(super) fn end_frame(&mut self, fin: bool, at: usize) -> Result<Option<Message>, Failure> {
        if !fin {
            return Ok(None);
        }
        let Some(Partial { payload, text, .. }) = self.partial.take() else { return Ok(None) };
        let payload = payload.freeze();
        match text {
            Some(text) if !text.is_complete() => Err(Failure::not_utf8("text", at)),
            Some(_) => Ok(Some(Message::Text(Utf8Bytes::from_checked(payload)))),
            None => Ok(Some(Message::Binary(payload))),
        }
    }

    /// As [`end_frame`](Assembler::end_frame), and hands out what has come since the frame before.
    pub(super) fn end_fragment(&mut self, is_last: bool, at: usize) -> Result<Option<Fragment>, Failure> {
        let Some(partial) = &mut self.partial else { return Ok(None) };
        let payload = std::mem::take(&mut partial.payload).freeze();
        partial.given = partial.given.saturating_add(payload.len());
        let kind = if partial.text.is_some() { MessageKind::Text } else { MessageKind::Binary };
        if is_last {
            let text = self.partial.take().and_then(|partial| partial.text);
            if text.is_some_and(|text| !text.is_complete()) {
                return Err(Failure::not_utf8("text", at));
            }
        }
        Ok(Some(Fragment { kind, payload, is_last }))
    }

    /// Forgets what has come of a message: nothing more will.
    pub(super) fn clear(&mut self) {
        self.partial = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::close::CloseCode;
    use super::*;

    fn header(opcode: Opcode, fin: bool, len: usize) -> FrameHeader {
        FrameHeader { fin, ..FrameHeader::new(opcode, len as u64) }
    }

    fn frame(
        assembler: &mut Assembler,
        opcode: Opcode,
        fin: bool,
        payload: &[u8],
    ) -> Result<Option<Message>, Failure> {
        assembler.begin_frame(&header(opcode, fin, payload.len()), 0)?;
        assembler.push(payload, 0)?;
        assembler.end_frame(fin, 0)
    }

    #[test]
    fn fragments_are_joined_and_a_character_may_be_cut_between_them() {
        let mut assembler = Assembler::new(100);
        let euro = "€".as_bytes();
        assert_eq!(frame(&mut assembler, Opcode::Text, false, &euro[..1]), Ok(None));
        assert_eq!(frame(&mut assembler, Opcode::Continuation, false, b""), Ok(None));
        let message = frame(&mut assembler, Opcode::Continuation, true, &euro[1..]).unwrap();
        assert_eq!(message, Some(Message::Text("€".into())));
        assert_eq!(
            frame(&mut assembler, Opcode::Binary, true, &[0xff]).unwrap(),
            Some(Message::Binary(Bytes::from_static(&[0xff])))
        );
    }

    #[test]
    fn messages_cannot_be_nested_or_begin_in_the_middle() {
        let mut assembler = Assembler::new(100);
        let failure = frame(&mut assembler, Opcode::Continuation, true, b"x").unwrap_err();
        assert_eq!((failure.code, failure.error.field), (Some(CloseCode::PROTOCOL_ERROR), "opcode"));
        assert_eq!(frame(&mut assembler, Opcode::Text, false, b"x"), Ok(None));
        assert!(frame(&mut assembler, Opcode::Binary, true, b"x").is_err());
    }

    #[test]
    fn a_message_that_would_grow_too_big_is_refused_at_the_header() {
        let mut assembler = Assembler::new(10);
        assert_eq!(frame(&mut assembler, Opcode::Binary, false, &[0; 8]), Ok(None));
        assert!(assembler.begin_frame(&header(Opcode::Continuation, false, 2), 0).is_ok());
        let failure = assembler.begin_frame(&header(Opcode::Continuation, true, 3), 0).unwrap_err();
        assert_eq!(failure.code, Some(CloseCode::TOO_BIG));
        let huge = FrameHeader::new(Opcode::Binary, u64::MAX >> 1);
        assert!(Assembler::new(10).begin_frame(&huge, 0).is_err());
    }

    #[test]
    fn text_that_ends_inside_a_character_is_not_text() {
        let failure = frame(&mut Assembler::new(9), Opcode::Text, true, &[0xe2, 0x82]).unwrap_err();
        assert_eq!(failure.code, Some(CloseCode::INVALID_PAYLOAD));
    }

    #[test]
    fn a_message_in_one_piece_is_not_copied() {
        let piece = BytesMut::from(&[7; 64][..]);
        let memory = piece.as_ptr();
        let mut assembler = Assembler::new(100);
        assembler.begin_frame(&header(Opcode::Binary, true, 64), 0).unwrap();
        assembler.take(piece, 0).unwrap();
        let Some(Message::Binary(bytes)) = assembler.end_frame(true, 0).unwrap() else {
            panic!("no message")
        };
        assert_eq!(bytes.as_ptr(), memory);
    }
}

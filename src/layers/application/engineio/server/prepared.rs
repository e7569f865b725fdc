//! A message made ready once for any number of receivers.

use bytes::Bytes;

use crate::base::{Header as _, Writer};
use crate::layers::application::websocket::{FrameHeader, Message, Opcode};

/// Messages in their WebSocket frames, and as they are for polling. A server does not mask (RFC 6455 §5.1), so
/// the same bytes are right for every receiver; clones share them.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// For WebSocket. Small messages are one piece; a large payload is not copied, but follows its header as its own
    /// piece.
    pub(super) frames: Vec<Bytes>,
    /// For polling, whose bodies are encoded per session.
    pub(super) messages: Vec<Message>,
    pub(super) ends_body: bool,
}

impl Prepared {
    /// Up to here copying costs less than handing the stream one more piece.
    const SMALL: usize = 4096;

    /// Makes messages ready. They are sent together and in order.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        let messages: Vec<Message> = messages.into_iter().collect();
        let mut frames = Vec::with_capacity(1);
        let mut writer = Writer::new();
        for message in &messages {
            let (opcode, kind, payload): (_, &[u8], _) = match message {
                Message::Text(text) => (Opcode::Text, b"4", text.as_bytes()),
                Message::Binary(bytes) => (Opcode::Binary, b"", bytes),
            };
            write_frame(opcode, kind, payload, &mut writer, &mut frames);
        }
        if !writer.is_empty() {
            frames.push(writer.finish());
        }
        Prepared { frames, messages, ends_body: false }
    }

    /// What is sent after it comes with another poll: a client has time between two answers, and none within one.
    #[must_use]
    pub fn ending_a_body(self) -> Self {
        Prepared { ends_body: true, ..self }
    }

    /// A message that is not one of the layer above: a ping, the handshake.
    pub(super) fn frame_of(message: &Message, frames: &mut Vec<Bytes>) {
        let (opcode, payload) = match message {
            Message::Text(text) => (Opcode::Text, text.as_bytes()),
            Message::Binary(bytes) => (Opcode::Binary, bytes),
        };
        let mut writer = Writer::new();
        write_frame(opcode, b"", payload, &mut writer, frames);
        if !writer.is_empty() {
            frames.push(writer.finish());
        }
    }
}

fn write_frame(opcode: Opcode, kind: &[u8], payload: &Bytes, writer: &mut Writer, frames: &mut Vec<Bytes>) {
    FrameHeader::new(opcode, (kind.len() + payload.len()) as u64).emit(writer);
    writer.bytes(kind);
    if payload.len() <= Prepared::SMALL {
        writer.bytes(payload);
    } else {
        frames.push(writer.finish());
        frames.push(payload.clone());
    }
}

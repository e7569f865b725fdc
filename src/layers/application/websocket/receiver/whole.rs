//! The short way for what nearly all messages are: short, in one frame, and here as a whole.
//!
//! It finds no fault. What is not as simple as that it leaves where it is, for [`next`](Receiver::next): that knows all
//! rules, and says which was broken and where.

use bytes::{Buf as _, Bytes};

use super::Receiver;
use crate::layers::application::websocket::frame::MAX_CONTROL_PAYLOAD;
use crate::layers::application::websocket::mask::apply_mask;
use crate::layers::application::websocket::message::{Message, MessageKind};
use crate::layers::application::websocket::phase::Role;
use crate::layers::application::websocket::utf8::Utf8Bytes;

/// FIN, nothing reserved, and the opcode (RFC 6455 §5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

impl Receiver {
    /// The next message, if it is of that kind.
    #[inline]
    pub(in super::super) fn whole_message(&mut self) -> Option<Message> {
        if self.frame.is_some() || self.in_fragments || !self.assembler.is_idle() {
            return None;
        }
        let (&[first, second], rest) = self.inbox.split_first_chunk()?;
        let kind = match first {
            TEXT => MessageKind::Text,
            BINARY => MessageKind::Binary,
            _ => return None,
        };
        let (length, rest) = match second & 0x7f {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => return None,
            length => (usize::from(length), rest),
        };
        let in_shortest_form = (length > MAX_CONTROL_PAYLOAD) == (second & 0x7f == 126);
        let is_masked = second & 0x80 != 0;
        if !in_shortest_form
            || is_masked != (self.role == Role::Server)
            || length > Self::SHORT.min(self.max_frame)
            || !self.assembler.has_room_for(length)
        {
            return None;
        }
        let (key, rest) = if is_masked { rest.split_first_chunk()? } else { (&[0; 4], rest) };
        let (payload, rest) = rest.split_at_checked(length)?;
        let mut payload = payload.to_vec();
        if is_masked {
            apply_mask(*key, 0, &mut payload);
        }
        let payload = Bytes::from(payload);
        let message = match kind {
            MessageKind::Text => Message::Text(Utf8Bytes::try_from(payload).ok()?),
            MessageKind::Binary => Message::Binary(payload),
        };
        let taken = self.inbox.len() - rest.len();
        self.inbox.advance(taken);
        self.at = self.at.saturating_add(taken);
        Some(message)
    }
}

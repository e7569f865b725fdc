//! What goes out: packets, as far as the connection takes them.

use super::space::Standing;
use super::{Client, EmitId, Event, NoAnswer, Output, Phase};
use crate::base::Instant;
use crate::layers::application::socketio::Packet;
use crate::layers::application::websocket::Message;

impl Client {
    /// Asks every namespace that is wanted to be let in.
    pub(super) fn knock(&mut self, now: Instant) {
        let until = now + self.config.connect_timeout;
        for at in 0..self.spaces.len() {
            if self.spaces[at].standing == Standing::Wanted {
                let packet = self.spaces[at].connect(until);
                self.send(&packet);
            }
        }
    }

    /// Sends what waits, as far as the network takes it.
    pub(super) fn flush(&mut self, now: Instant) {
        for at in 0..self.spaces.len() {
            while !self.is_full
                && let Some((id, packet)) = self.spaces[at].next(now)
            {
                let longest = packet.attachments.iter().map(|bytes| bytes.len()).max().unwrap_or_default();
                // Engine.IO puts its own type before the text.
                if longest.max(packet.text.as_bytes().len() + 1) > self.max_payload {
                    // The server would close the connection for it, and it would come again with the next one.
                    let known = id.filter(|id| self.spaces[at].settle(*id));
                    self.not_answered(known.into_iter().collect(), NoAnswer::TooLarge);
                    continue;
                }
                self.send_encoded(packet.text.into(), packet.attachments);
            }
        }
    }

    pub(super) fn send(&mut self, packet: &Packet) {
        let encoded = packet.encode();
        self.send_encoded(encoded.text.into(), encoded.attachments);
    }

    pub(super) fn send_encoded(&mut self, text: Message, attachments: Vec<bytes::Bytes>) {
        if let Phase::Online = self.phase {
            let messages = std::iter::once(text).chain(attachments.into_iter().map(Message::Binary));
            self.outputs.extend(messages.map(Output::Send));
        }
    }

    pub(super) fn not_answered(&mut self, ids: Vec<EmitId>, why: NoAnswer) {
        let told = ids.into_iter().map(|id| Output::Event(Event::Answered { id, answer: Err(why) }));
        self.outputs.extend(told);
    }
}

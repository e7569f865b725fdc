//! What comes in: messages of the session, through the decoder to the namespace each packet is for.

use super::space::Standing;
use super::{AckId, Client, EmitId, Event, Heard, NoAnswer, Output};
use crate::base::Instant;
use crate::layers::application::socketio::{Kind, Packet, Value};
use crate::layers::application::websocket::Message;

impl Client {
    pub(super) fn message(&mut self, now: Instant, message: Message) {
        let decoded = match message {
            Message::Text(text) => self.decoder.text(text.as_str()),
            Message::Binary(bytes) => self.decoder.binary(bytes),
        };
        match decoded {
            Ok(None) => {}
            Ok(Some(packet)) => self.packet(now, packet),
            // Where the next packet begins is not known any more.
            Err(error) => self.lost(now, format!("the server sent no packet: {error}").into(), true),
        }
    }

    fn packet(&mut self, now: Instant, packet: Packet) {
        let Some(at) = self.spaces.iter().position(|space| *space.name == *packet.namespace) else { return };
        let space = &mut self.spaces[at];
        let namespace = space.name.clone();
        match (space.standing, packet.kind) {
            (Standing::Asked(_), Kind::Connect(Some(welcome))) => {
                let sid = welcome.get("sid").and_then(Value::as_str).unwrap_or_default().to_owned();
                let was_there = space.has_been_inside;
                let recovered = space.entered(welcome.get("pid").and_then(Value::as_str));
                space.held = self.config.hold_when_new && was_there && !recovered;
                self.attempts = 0;
                self.outputs.push_back(Output::Event(Event::Connected { namespace, sid, recovered }));
                self.flush(now);
            }
            (Standing::Asked(_), Kind::ConnectError(error)) => {
                space.standing = Standing::Outside;
                self.outputs.push_back(Output::Event(Event::Refused { namespace, error }));
                self.rest_if_unwanted();
            }
            (Standing::Inside, Kind::Event { name, mut args, ack }) => {
                // An event that wants an answer is not kept, and carries no offset.
                let offset = if ack.is_none() { space.offset(&mut args) } else { None };
                let connection = self.connection;
                let ack = ack.map(|id| AckId { namespace: namespace.clone(), id, connection });
                let heard = Heard { namespace, name, args, offset, ack };
                self.outputs.push_back(Output::Event(Event::Heard(heard)));
            }
            (Standing::Inside, Kind::Ack { id, args }) => {
                let id = EmitId(id);
                if space.settle(id) {
                    self.outputs.push_back(Output::Event(Event::Answered { id, answer: Ok(args) }));
                    self.flush(now);
                }
            }
            (Standing::Inside, Kind::Disconnect) => {
                let unanswered = space.lost();
                space.standing = Standing::Outside;
                self.not_answered(unanswered, NoAnswer::Disconnected);
                let by_server = true;
                self.outputs.push_back(Output::Event(Event::Disconnected { namespace, by_server }));
                self.rest_if_unwanted();
            }
            // What crossed on the way with what was sent meanwhile.
            _ => {}
        }
    }
}

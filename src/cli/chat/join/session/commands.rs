//! What is typed: commands become events for the server, each with a note of what its answer is awaited for.

use super::super::command::{Command, HELP};
use super::super::words::{Shown, safe, shown_room};
use super::{Asked, Session, Standing};
use crate::base::{Duration, Instant};
use crate::chat::client::{Client, EmitError};
use crate::layers::application::socketio::Value;

/// How often `typing` is sent while someone types; the chat forgets it after six seconds.
const TELL_TYPING: Duration = Duration::from_secs(4);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

impl Session {
    /// Something is being typed: the others are notified, now and then.
    pub(in crate::cli::chat::join) fn typing(&mut self, client: &mut Client, now: Instant) {
        if self.typing_told.is_none_or(|told| now.since(told) >= TELL_TYPING) && !self.here.is_empty() {
            let told = client.volatile(now, "/", "typing", vec![self.here.as_str().into(), true.into()]);
            self.typing_told = if told { Some(now) } else { self.typing_told };
        }
    }

    /// Does what a line asks for.
    pub(in crate::cli::chat::join) fn command(
        &mut self,
        command: Command,
        client: &mut Client,
        now: Instant,
    ) {
        let here = self.here.clone();
        match command {
            Command::Nothing => {}
            Command::Say(text) if here.is_empty() => {
                self.remark(format!("you are in no room: /join one, then say {:?} there", safe(&text)));
            }
            Command::Say(text) => self.say(client, now, "say", &here, text),
            Command::Msg { to, text } => self.say(client, now, "msg", &to, text),
            Command::Join(room) if self.rooms.contains_key(&room) => {
                self.remark(format!("back in {}", shown_room(&room)));
                self.here = room;
            }
            Command::Join(room) => self.join(client, now, room, false),
            Command::Leave(room) => {
                let room = room.unwrap_or(here);
                self.ask(client, now, "leave", vec![room.as_str().into()], Asked::Leave { room });
            }
            Command::Rooms => self.ask(client, now, "rooms", vec![], Asked::Rooms),
            Command::Who(room) => {
                let room = room.unwrap_or(here);
                self.ask(client, now, "who", vec![room.as_str().into()], Asked::Who { room });
            }
            Command::Nick(name) => self.ask(client, now, "nick", vec![name.into()], Asked::Nick),
            Command::History => {
                let oldest = self.rooms.get(&here).and_then(|room| room.oldest);
                let options = oldest.map(|oldest| Value::object([("before", oldest.into())]));
                let args = std::iter::once(Value::from(here.as_str())).chain(options).collect();
                self.ask(client, now, "history", args, Asked::Before { room: here });
            }
            Command::Help => self.lines.push(Shown::Result(HELP.into())),
            Command::Quit => {
                client.close();
                self.standing = Standing::Over(None);
            }
            Command::Wrong(why) => self.remark(why),
        }
    }

    fn say(&mut self, client: &mut Client, now: Instant, event: &str, to: &str, text: String) {
        match client.deliver(now, "/", event, vec![to.into(), text.as_str().into()]) {
            Ok(id) => {
                if self.standing == Standing::Away {
                    self.remark(format!("waits for the connection: {}", safe(&text)));
                }
                let sender_id = client.sender_id(id);
                self.unacknowledged.insert(sender_id.clone(), id);
                self.asked.insert(id, Asked::Said { sender_id, text });
                self.typing_told = None;
            }
            Err(error) => self.not_asked(error),
        }
    }

    pub(super) fn ask(
        &mut self,
        client: &mut Client,
        now: Instant,
        event: &str,
        args: Vec<Value>,
        asked: Asked,
    ) {
        match client.ask(now, "/", event, args, PATIENCE) {
            Ok(id) => {
                self.asked.insert(id, asked);
            }
            Err(error) => self.not_asked(error),
        }
    }

    fn not_asked(&mut self, error: EmitError) {
        self.remark(format!("not sent: {error}"));
    }

    /// Joins a room: again, when it was in it before this client had to start over.
    pub(super) fn join(&mut self, client: &mut Client, now: Instant, room: String, again: bool) {
        let since = self.rooms.get(&room).map_or(0, |room| room.cursor.offset());
        let options = (again && since > 0).then(|| Value::object([("since", since.into())]));
        let args = std::iter::once(Value::from(room.as_str())).chain(options).collect();
        self.ask(client, now, "join", args, Asked::Join { room, again });
    }
}

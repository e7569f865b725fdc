//! What the server answers, by what was asked.

use super::super::words::{Said, Shown, When, count, safe, shown_room};
use super::{Asked, Session};
use crate::base::Instant;
use crate::chat::client::{Client, NoAnswer};
use crate::chat::delivery::Cursor;
use crate::layers::application::socketio::Value;

impl Session {
    pub(super) fn answered(
        &mut self,
        asked: Asked,
        answer: Result<Vec<Value>, NoAnswer>,
        client: &mut Client,
        now: Instant,
        now_ms: u64,
    ) {
        if let Asked::Said { sender_id, .. } = &asked {
            self.unacknowledged.remove(sender_id);
        }
        let answer = match answer {
            Ok(args) => args.into_iter().next().unwrap_or_default(),
            Err(NoAnswer::Left) => return,
            // What it asks for by itself it asks for again when it is back.
            Err(NoAnswer::Disconnected) if asked.is_own() => return,
            Err(why) => return self.failed(asked, &why.to_string(), client, now),
        };
        if answer.get("ok") != Some(&Value::Bool(true)) {
            let words = answer.get("error").and_then(Value::as_str);
            return self.failed(asked, words.unwrap_or("the server does not say why"), client, now);
        }
        match asked {
            Asked::Join { room, again } => self.joined(room, again, &answer, client, now, now_ms),
            Asked::Since { room } => self.paged(room, &answer, "messages", client, now, now_ms),
            Asked::Before { room } => self.older(&room, &answer, now_ms),
            Asked::Leave { room } => {
                self.rooms.remove(&room);
                self.remark(format!("left {}", shown_room(&room)));
                if self.here == room {
                    self.here = self.rooms.keys().next().cloned().unwrap_or_default();
                }
            }
            Asked::Rooms => self.show_rooms(&answer),
            Asked::Who { room } => self.show_who(&room, &answer),
            Asked::Nick => {
                let name = answer.get("name").and_then(Value::as_str).unwrap_or_default();
                self.name = name.to_owned();
                client.set_auth("/", Some(self.auth()));
            }
            // The sender receives its own message as the others do.
            Asked::Said { .. } => {}
            Asked::Replayed => {
                let missed = self.replayed.take().unwrap_or_default();
                self.caught_up(missed);
            }
        }
    }

    fn failed(&mut self, asked: Asked, why: &str, client: &mut Client, now: Instant) {
        let why = safe(why);
        match asked {
            Asked::Said { text, .. } => self.remark(format!("not said: {:?}: {why}", safe(&text))),
            Asked::Join { room, again } => {
                self.remark(format!("not in {}: {why}", shown_room(&room)));
                if again || self.rooms.get(&room).is_some_and(|room| room.oldest.is_none()) {
                    self.rooms.remove(&room);
                }
                if self.here == room {
                    self.here = self.rooms.keys().next().cloned().unwrap_or_default();
                }
                self.go_on(client, now);
            }
            Asked::Since { room } => {
                self.rooms.entry(room).or_default().is_paging = false;
                self.remark(why);
                self.go_on(client, now);
            }
            Asked::Replayed => {
                let missed = self.replayed.take().unwrap_or_default();
                self.caught_up(missed);
            }
            _ => self.remark(why),
        }
    }

    fn joined(
        &mut self,
        room: String,
        again: bool,
        answer: &Value,
        client: &mut Client,
        now: Instant,
        now_ms: u64,
    ) {
        let end = answer.get("end").and_then(Value::as_u64).unwrap_or_default();
        if let Some(known) = self.rooms.get_mut(&room).filter(|known| known.cursor.offset() > end) {
            // The log is another one than before: the server has forgotten everything, and counts from the start.
            known.cursor = Cursor::default();
        }
        if again && self.rooms.get(&room).is_some_and(|room| room.cursor.offset() > 0) {
            return self.paged(room, answer, "history", client, now, now_ms);
        }
        self.rooms.entry(room.clone()).or_default().is_paging = false;
        self.here.clone_from(&room);
        let here = answer.get("here").and_then(Value::as_array).unwrap_or_default();
        let names: Vec<String> = here.iter().filter_map(Value::as_str).map(safe).collect();
        self.remark(format!("in {} with {}", shown_room(&room), names.join(", ")));
        if answer.get("more") == Some(&Value::Bool(true)) {
            self.remark("older messages: /history");
        }
        for value in messages(answer, "history") {
            self.show(&Said::of(value), When::Before, now_ms);
        }
        // What comes later is above the end of the log; also in a room where nothing has been said.
        self.rooms.get_mut(&room).into_iter().for_each(|room| {
            room.cursor.advance(end);
        });
        self.go_on(client, now);
    }

    fn older(&mut self, room: &str, answer: &Value, now_ms: u64) {
        let older: Vec<Said> = messages(answer, "messages").iter().map(Said::of).collect();
        if older.is_empty() {
            return self.remark("there is nothing older");
        }
        let room = self.rooms.entry(room.into()).or_default();
        room.oldest = older.iter().filter_map(|said| said.offset).min().or(room.oldest);
        for said in older {
            self.lines.push(Shown::Result(said.line(When::Before, now_ms, &self.look).into()));
        }
        if answer.get("more") == Some(&Value::Bool(true)) {
            self.remark("more: /history");
        }
    }

    fn show_rooms(&mut self, answer: &Value) {
        let rooms = answer.get("rooms").and_then(Value::as_array).unwrap_or_default();
        if rooms.is_empty() {
            self.remark("there are no rooms yet");
        }
        for room in rooms {
            let name = room.get("room").and_then(Value::as_str).unwrap_or_default();
            let here = room.get("here").and_then(Value::as_u64).unwrap_or_default();
            let people = count(usize::try_from(here).unwrap_or(usize::MAX), "person", "people");
            let mark = if *name == self.here { " (you are here)" } else { "" };
            self.lines.push(Shown::Result(format!("{:<20} {people}{mark}", shown_room(name)).into()));
        }
    }

    fn show_who(&mut self, room: &str, answer: &Value) {
        let here = answer.get("here").and_then(Value::as_array).unwrap_or_default();
        let is = |person: &Value, what: &str| person.get(what) == Some(&Value::Bool(true));
        let names: Vec<String> = here
            .iter()
            .map(|person| {
                let name = person.get("name").and_then(Value::as_str).unwrap_or_default();
                let state = match (is(person, "away"), is(person, "typing")) {
                    (true, _) => " (away)",
                    (false, true) => " (typing)",
                    (false, false) if name == self.name => " (you)",
                    (false, false) => "",
                };
                format!("{}{state}", safe(name))
            })
            .collect();
        self.lines.push(Shown::Result(format!("{}: {}", shown_room(room), names.join(", ")).into()));
    }
}

pub(super) fn messages<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    answer.get(key).and_then(Value::as_array).unwrap_or_default()
}

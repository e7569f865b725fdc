//! What the server sends unasked: messages, each shown once, and arrivals and departures.

use super::super::words::{Said, Shown, When, safe, shown_room};
use super::Session;
use crate::layers::application::socketio::Value;

impl Session {
    pub(super) fn heard(&mut self, event: &str, what: &Value, now_ms: u64) {
        let text = |name: &str| what.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = |key: &str| safe(text(key));
        let room = shown_room(text("room"));
        match event {
            "message" | "private" => {
                let said = Said::of(what);
                // What waited here was not missed here.
                let is_own = said.client_id.as_ref().is_some_and(|id| self.unacknowledged.contains_key(id));
                let when = if self.replayed.is_some() && !is_own { When::Missed } else { When::Now };
                if self.show(&said, when, now_ms) && when == When::Missed {
                    self.replayed = self.replayed.map(|count| count + 1);
                }
            }
            "joined" if text("name") != self.name => self.remark(format!("{room} {} joined", name("name"))),
            "left" => self.remark(format!("{room} {} left", name("name"))),
            "renamed" => {
                let line = format!("{} is now {}", name("from"), name("to"));
                if text("from") == self.name {
                    self.name = text("to").to_owned();
                }
                self.remark(line);
            }
            "away" if text("name") != self.name => {
                let is_away = what.get("on") == Some(&Value::Bool(true));
                let how = if is_away { "lost the connection" } else { "is back" };
                self.remark(format!("{} {how}", name("name")));
            }
            // Typing is shown by `/who` only; an event that this client does not know is ignored.
            _ => {}
        }
    }

    /// Shows a message unless it was shown; true when it was not.
    pub(super) fn show(&mut self, said: &Said, when: When, now_ms: u64) -> bool {
        if let Some(room) = said.room.as_ref().and_then(|room| self.rooms.get_mut(room)) {
            if room.is_paging && when != When::Missed {
                return false;
            }
            if said.offset.is_some_and(|offset| !room.cursor.advance(offset)) {
                return false;
            }
            room.oldest = room.oldest.or(said.offset);
        }
        let line = said.line(when, now_ms, &self.look);
        self.lines.push(Shown::Result(line.into()));
        true
    }
}

//! Back after the connection broke: what was missed is shown first, then what waited to be said goes out.

use super::super::words::{Said, When, count};
use super::answers::messages;
use super::{Asked, Session, Standing};
use crate::base::Instant;
use crate::chat::client::Client;
use crate::layers::application::socketio::Value;

impl Session {
    pub(super) fn connected(&mut self, recovered: bool, client: &mut Client, now: Instant) {
        let was = std::mem::replace(&mut self.standing, Standing::Inside);
        if recovered {
            self.remark("connected again as the one you were; what you missed follows");
            self.replayed = Some(0);
            return self.ask(client, now, "rooms", vec![], Asked::Replayed);
        }
        let again = was == Standing::Away;
        if again {
            self.remark("connected again, as a new client to the server; asking for what you missed");
        }
        let rooms: Vec<String> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.rooms.entry(room.clone()).or_default().is_paging = again;
            self.join(client, now, room, again);
        }
        self.go_on(client, now);
    }

    /// A page of what was missed in a room.
    pub(super) fn paged(
        &mut self,
        room: String,
        answer: &Value,
        key: &str,
        client: &mut Client,
        now: Instant,
        now_ms: u64,
    ) {
        let mut shown = 0;
        for value in messages(answer, key) {
            let said = Said::of(value);
            if let Some(id) = said.client_id.as_ref().and_then(|id| self.unacknowledged.remove(id)) {
                // It had arrived before the connection broke.
                client.withdraw(id);
                self.asked.remove(&id);
            }
            shown += usize::from(self.show(&said, When::Missed, now_ms));
        }
        self.replayed = Some(self.replayed.unwrap_or_default() + shown);
        let next =
            answer.get("next").and_then(Value::as_u64).filter(|_| answer.get("more") == Some(&true.into()));
        if let Some(next) = next {
            let args = vec![room.as_str().into(), Value::object([("since", next.into())])];
            return self.ask(client, now, "history", args, Asked::Since { room });
        }
        self.rooms.entry(room).or_default().is_paging = false;
        self.go_on(client, now);
    }

    /// When every room has caught up, what waited to be said goes out.
    pub(super) fn go_on(&mut self, client: &mut Client, now: Instant) {
        if self.rooms.values().any(|room| room.is_paging) {
            return;
        }
        if let Some(missed) = self.replayed.take() {
            self.caught_up(missed);
        }
        client.resume(now, "/");
    }

    pub(super) fn caught_up(&mut self, missed: usize) {
        match missed {
            0 => self.remark("you missed no message"),
            _ => {
                let messages = count(missed, "message", "messages");
                self.remark(format!("you missed {messages}, marked with + above; live again"));
            }
        }
    }
}

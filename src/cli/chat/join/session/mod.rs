//! One person in the chat: what is asked for becomes events, what comes becomes lines. No network and no terminal.
//!
//! **Nothing is lost, nothing shown twice.** For each room it remembers the offset of the last message it has shown.
//! When it is recovered, the server replays what it missed. When it is a new client to the server,
//! it joins its rooms again "since" that offset, pages on until there is no more, and only then lets out what it had
//! to send itself; of that it withdraws what the pages show to have arrived already.
//!
//! | to learn | see |
//! |---|---|
//! | what becomes of a line that is typed | `commands.rs` |
//! | what the server says of itself, and that nothing is shown twice | `hearing.rs` |
//! | what it answers | `answers.rs` |
//! | how one comes back, and misses nothing | `returning.rs` |

mod answers;
mod commands;
mod hearing;
mod returning;

use std::collections::BTreeMap;

use super::words::{Shown, safe, shown_room};
use crate::base::Instant;
use crate::chat::client::{Client, EmitId, Event};
use crate::chat::delivery::Cursor;
use crate::layers::application::socketio::Value;
use crate::view::look::Look;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Session {
    name: String,
    /// By which the server recognises what is repeated; a secret of this client.
    word: String,
    /// Where things are said.
    here: String,
    rooms: BTreeMap<String, Room>,
    asked: BTreeMap<EmitId, Asked>,
    /// What was said and is not acknowledged, with its id for the server.
    unacknowledged: BTreeMap<String, EmitId>,
    pub(super) standing: Standing,
    /// Messages replayed since it came back; `None` when it has caught up.
    replayed: Option<usize>,
    typing_told: Option<Instant>,
    look: Look,
    lines: Vec<Shown>,
}

/// The state of the connection to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not let in yet.
    Outside,
    /// Let in by the server.
    Inside,
    /// It was in, and is trying to be again.
    Away,
    /// It is over, and this is why; nothing when that was asked for.
    Over(Option<String>),
}

#[derive(Debug, Default)]
struct Room {
    /// The last message shown.
    cursor: Cursor,
    /// The offset of the oldest one shown, to ask for those before it.
    oldest: Option<u64>,
    /// What was missed is being fetched, page by page. What is said meanwhile is on a later page.
    is_paging: bool,
}

/// What an answer is awaited for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Join {
        room: String,
        again: bool,
    },
    Since {
        room: String,
    },
    Before {
        room: String,
    },
    Leave {
        room: String,
    },
    Rooms,
    Who {
        room: String,
    },
    Nick,
    Said {
        sender_id: String,
        text: String,
    },
    /// What was replayed has all come when this is answered.
    Replayed,
}

impl Asked {
    /// Whether the session sent it by itself, not for a typed line.
    fn is_own(&self) -> bool {
        matches!(self, Asked::Join { .. } | Asked::Since { .. } | Asked::Replayed)
    }
}

impl Session {
    /// A session under this name, which will be in this room.
    pub(super) fn new(name: &str, room: &str, word: String, look: Look) -> Self {
        Session {
            name: name.into(),
            word,
            here: room.into(),
            rooms: BTreeMap::from([(room.to_owned(), Room::default())]),
            asked: BTreeMap::new(),
            unacknowledged: BTreeMap::new(),
            standing: Standing::Outside,
            replayed: None,
            typing_told: None,
            look,
            lines: Vec::new(),
        }
    }

    /// The lines since the last call.
    pub(super) fn take(&mut self) -> Vec<Shown> {
        std::mem::take(&mut self.lines)
    }

    /// Whether everything that was asked for has its answer.
    pub(super) fn is_settled(&self) -> bool {
        self.asked.is_empty()
    }

    /// The prompt before what is typed.
    pub(super) fn prompt(&self) -> String {
        let away = if self.standing == Standing::Away { " (away)" } else { "" };
        let room = if self.here.is_empty() { "no room".into() } else { shown_room(&self.here) };
        format!("{room}{away}> ")
    }

    /// Asks to be let in.
    pub(super) fn enter(&self, client: &mut Client, now: Instant) {
        client.join(now, "/", Some(self.auth()));
    }

    fn auth(&self) -> Value {
        Value::object([("name", self.name.as_str().into()), ("client", self.word.as_str().into())])
    }

    /// Handles one event of the client.
    pub(super) fn event(&mut self, event: Event, client: &mut Client, now: Instant, now_ms: u64) {
        match event {
            Event::Connected { recovered, .. } => self.connected(recovered, client, now),
            Event::Refused { error, .. } => self.refused(&error),
            Event::Heard(heard) => {
                let what = heard.args.into_iter().next().unwrap_or_default();
                self.heard(&heard.name, &what, now_ms);
            }
            Event::Answered { id, answer } => {
                if let Some(asked) = self.asked.remove(&id) {
                    self.answered(asked, answer, client, now, now_ms);
                }
            }
            Event::Disconnected { by_server: true, .. } => {
                self.standing = Standing::Over(Some("the server put you out of the chat".into()));
            }
            Event::Disconnected { by_server: false, .. } => self.standing = Standing::Away,
            Event::Retrying { why, .. } if self.standing == Standing::Outside => {
                self.standing = Standing::Over(Some(safe(&why)));
            }
            Event::Retrying { attempt, after, why } => {
                let (wait, why) = (after.as_secs_f64(), safe(&why));
                self.remark(match attempt {
                    1 => format!("connection lost: {why}; try 1 in {wait:.1} s"),
                    _ => format!("try {attempt} in {wait:.1} s ({why})"),
                });
            }
            Event::GaveUp { why } => self.standing = Standing::Over(Some(safe(&why))),
        }
    }

    fn refused(&mut self, error: &Value) {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
        let code = error.get("data").and_then(|data| data.get("code")).and_then(Value::as_str);
        let hint = match code {
            Some("E_TAKEN" | "E_NAME") => "; choose another one with --name",
            _ => "",
        };
        self.standing = Standing::Over(Some(format!("not let in: {}{hint}", safe(message))));
    }

    pub(in crate::cli::chat::join) fn remark(&mut self, text: impl Into<String>) {
        self.lines.push(Shown::Remark(text.into()));
    }
}

#[cfg(test)]
mod tests;

//! One person in the chat: what is asked for becomes events, what comes becomes lines. No network and no terminal.
//!
//! **Nothing is lost, nothing shown twice.** For each room it remembers the offset of the last message it has shown.
//! When it comes back as the one it was, the server replays what it missed. When the server takes it for somebody new,
//! it joins its rooms again "since" that offset, pages on until there is no more, and only then lets out what it had
//! to say itself; of that it withdraws what the pages show to have arrived already.

use std::collections::BTreeMap;

use super::command::{Command, HELP};
use super::words::{Line, Said, When, count, safe, shown_room};
use crate::base::{Duration, Instant};
use crate::chat::client::{Client, EmitError, EmitId, Event, NoAnswer};
use crate::chat::delivery::Cursor;
use crate::layers::application::socketio::Value;
use crate::view::look::Look;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Session {
    name: String,
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
    lines: Vec<Line>,
}

/// Where it stands with the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not let in yet.
    Outside,
    /// In.
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
    /// Nobody typed it.
    fn is_own(&self) -> bool {
        matches!(self, Asked::Join { .. } | Asked::Since { .. } | Asked::Replayed)
    }
}

/// How often the others are told that somebody is typing; the chat forgets it after six seconds.
const TELL_TYPING: Duration = Duration::from_secs(4);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

impl Session {
    /// Somebody with this name, who will be in this room.
    pub(super) fn new(name: &str, room: &str, look: Look) -> Self {
        Session {
            name: name.into(),
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
    pub(super) fn take(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Whether everything that was asked for has its answer.
    pub(super) fn is_settled(&self) -> bool {
        self.asked.is_empty()
    }

    /// What stands before what is typed.
    pub(super) fn prompt(&self) -> String {
        let away = if self.standing == Standing::Away { " (away)" } else { "" };
        let room = if self.here.is_empty() { "no room".into() } else { shown_room(&self.here) };
        format!("{room}{away}> ")
    }

    /// Something is being typed: the others are told, now and then.
    pub(super) fn typing(&mut self, client: &mut Client, now: Instant) {
        if self.typing_told.is_none_or(|told| now.since(told) >= TELL_TYPING) && !self.here.is_empty() {
            let told = client.volatile(now, "/", "typing", vec![self.here.as_str().into(), true.into()]);
            self.typing_told = if told { Some(now) } else { self.typing_told };
        }
    }

    /// Asks to be let in.
    pub(super) fn enter(&self, client: &mut Client, now: Instant) {
        client.join(now, "/", Some(Value::object([("name", self.name.as_str().into())])));
    }

    /// Does what a line asks for.
    pub(super) fn command(&mut self, command: Command, client: &mut Client, now: Instant) {
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
            Command::Help => self.lines.push(Line::Result(HELP.into())),
            Command::Quit => {
                client.close(now);
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

    fn ask(&mut self, client: &mut Client, now: Instant, event: &str, args: Vec<Value>, asked: Asked) {
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

    /// Joins a room: again, when it was in it before this client had to begin anew.
    fn join(&mut self, client: &mut Client, now: Instant, room: String, again: bool) {
        let since = self.rooms.get(&room).map_or(0, |room| room.cursor.offset());
        let options = (again && since > 0).then(|| Value::object([("since", since.into())]));
        let args = std::iter::once(Value::from(room.as_str())).chain(options).collect();
        self.ask(client, now, "join", args, Asked::Join { room, again });
    }

    /// Something happened.
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

    fn connected(&mut self, recovered: bool, client: &mut Client, now: Instant) {
        let was = std::mem::replace(&mut self.standing, Standing::Inside);
        if recovered {
            self.remark("connected again as the one you were; what you missed follows");
            self.replayed = Some(0);
            return self.ask(client, now, "rooms", vec![], Asked::Replayed);
        }
        let again = was == Standing::Away;
        if again {
            self.remark("connected again, as somebody new to the server; asking for what you missed");
        }
        let rooms: Vec<String> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.rooms.entry(room.clone()).or_default().is_paging = again;
            self.join(client, now, room, again);
        }
        self.go_on(client, now);
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

    fn heard(&mut self, event: &str, what: &Value, now_ms: u64) {
        let text = |name: &str| what.get(name).and_then(Value::as_str).unwrap_or_default();
        let name = |key: &str| self.look.bold(&safe(text(key)));
        let room = self.look.faint(&shown_room(text("room")));
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
                self.remark(format!("{room} {} {how}", name("name")));
            }
            // Who is typing is shown when somebody asks who is here; what this client does not know it leaves alone.
            _ => {}
        }
    }

    /// Shows a message unless it was shown; true when it was not.
    fn show(&mut self, said: &Said, when: When, now_ms: u64) -> bool {
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
        self.lines.push(Line::Result(line));
        true
    }

    fn answered(
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
            let error = answer.get("error");
            // A guard of the server says it in an object.
            let words = error.and_then(|error| error.as_str().or_else(|| error.get("message")?.as_str()));
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
                client.set_auth("/", Some(Value::object([("name", name.into())])));
            }
            // Whoever says something hears it as the others do.
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
            // The log is another one than before: the server has forgotten everything, and counts anew.
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

    /// A page of what was missed in a room.
    fn paged(
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
    fn go_on(&mut self, client: &mut Client, now: Instant) {
        if self.rooms.values().any(|room| room.is_paging) {
            return;
        }
        if let Some(missed) = self.replayed.take() {
            self.caught_up(missed);
        }
        client.resume(now, "/");
    }

    fn caught_up(&mut self, missed: usize) {
        match missed {
            0 => self.remark("you missed no message"),
            _ => {
                let messages = count(missed, "message", "messages");
                self.remark(format!("you missed {messages}, marked with + above; live again"));
            }
        }
    }

    fn older(&mut self, room: &str, answer: &Value, now_ms: u64) {
        let older: Vec<Said> = messages(answer, "messages").iter().map(Said::of).collect();
        if older.is_empty() {
            return self.remark("there is nothing older");
        }
        let room = self.rooms.entry(room.into()).or_default();
        room.oldest = older.iter().filter_map(|said| said.offset).min().or(room.oldest);
        for said in older {
            self.lines.push(Line::Result(said.line(When::Before, now_ms, &self.look)));
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
            self.lines.push(Line::Result(format!("{:<20} {people}{mark}", shown_room(name))));
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
                format!("{}{state}", self.look.bold(&safe(name)))
            })
            .collect();
        self.lines.push(Line::Result(format!("{}: {}", shown_room(room), names.join(", "))));
    }

    fn remark(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Remark(text.into()));
    }
}

fn messages<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    answer.get(key).and_then(Value::as_array).unwrap_or_default()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;

//! The chat: rooms, names, who is here, private messages, and history, as a program on a hub's namespace `/`.
//!
//! It is the top of the course: everything below it only carries what is said here. It has no network and no clock of
//! its own ([`open`] puts its functions into a [`Hub`]), so the same chat runs in the simulator, behind real sockets
//! and, with [`Local`](super::Local), in a test.
//!
//! **Coming in.** CONNECT carries `{name, client?}`. A name that cannot be is refused with a CONNECT_ERROR whose data
//! is `{code: "E_NAME"}`, one in use with `{code: "E_TAKEN"}`. Names are compared without regard to case and to blanks
//! around them. A client that returns with its secret (`pid`) keeps the name it had.
//!
//! | a client says | with | and is answered |
//! |---|---|---|
//! | `join` | room, `{since?}` | `{ok, room, here: [name], history: [message], more, next, end}` |
//! | `leave` | room | `{ok}` |
//! | `say` | room, text, clientId? | `{ok, id, offset}` |
//! | `msg` | name, text, clientId? | `{ok, id, offset, away}` |
//! | `who` | room | `{ok, here: [{name, typing, away}], count}` |
//! | `typing` | room, bool | nothing: it is volatile |
//! | `history` | room, `{before or since, limit?}` | `{ok, messages: [message], more, next}` |
//! | `nick` | name | `{ok, name}` |
//! | `rooms` | | `{ok, rooms: [{room, here: number}]}` |
//!
//! What cannot be done is answered with `{ok: false, error, code}`, see [`Trouble`].
//!
//! | a client receives | with | promise |
//! |---|---|---|
//! | `message` | `{room, from, text, id, at, offset, clientId?}` | kept: a socket that was away gets it upon return |
//! | `private` | `{from, to, text, id, at, offset, clientId?}` | kept |
//! | `joined`, `left` | `{room, name}` | kept |
//! | `renamed` | `{from, to}` | kept |
//! | `away` | `{name, on}` | volatile, once to all that share a room with it; `who` shows it too |
//! | `typing` | `{room, name, on}` | volatile; a client drops it after [`Rules::typing`] |
//!
//! - A sender receives its own message as well: it sees what all see, in the same order.
//! - `clientId` makes `say` and `msg` safe to repeat: a second one with the same id from the same client has no effect,
//!   and is answered as the first was. The same client is one that came with the same `client`, a random word that it
//!   keeps to itself for as long as it may repeat anything; without one, the same socket. So a client that came back
//!   too late to be recovered may repeat what it has no answer to, private messages too.
//! - `since` and `next` are offsets. A client remembers the last one it saw, joins with it, and pages on while `more`
//!   is true; `end` is where the log ended, from where on it gets everything live. A page may be empty although there
//!   is more: the room was silent for long.
//! - A member whose connection broke is *away*: still in its rooms, with its name, until the hub gives it up. Then it
//!   has `left`.
//! - A socket that finds its name taken when it comes back too late for recovery gets another, and receives
//!   `renamed` before anything else.
//!
//! **The members of a room** follow from the kept events `joined`, `left` and `renamed`, and from nothing else: several
//! hubs on one log agree about them, each at its place in the log. A name is taken when a socket of this hub has it, or
//! a member of a room anywhere. Being away or typing is known to that socket's hub only.
//!
//! Left out: accounts (a name belongs to its user for as long as they stay), closed rooms, and deleting messages.

mod happening;
mod people;
mod rules;
#[cfg(test)]
mod tests;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::hub::{Ack, Broadcast, Context, Emitted, Entry, Hello, Hub, Past, Reason, Refusal, Span};
use super::log::Stamp;
use crate::layers::application::socketio::Value;

pub use happening::Happening;
pub use rules::{Rules, Trouble};

use people::{People, Renamed};
use rules::{clean, fold, hub_room};
use words::{Answer, message, text_at};

/// The kept events from which the members of a room follow.
const PRESENCE: [&str; 3] = ["joined", "left", "renamed"];

/// Opens the chat on the hub's namespace `/`. `told` is called with everything that happens in it: for a log, or a
/// picture.
pub fn open(hub: &mut Hub, rules: Rules, told: impl FnMut(&Happening<'_>) + Send + 'static) {
    let mut people = People::default();
    hub.of("/");
    // The sockets from before the server ended may be recovered, and keep names and rooms until then.
    for socket in hub.away_sockets("/") {
        if let Some(name) = socket.data.get("name").and_then(Value::as_str) {
            let rooms = socket.rooms.iter().filter_map(|room| room.strip_prefix('#'));
            people.restore(&socket.id, name, rooms);
        }
    }
    // The people of other hubs; of this one's, only those that are away are left.
    if hub.is_shared() {
        hub.kept("/", &PRESENCE).iter().for_each(|event| people.apply(event));
    }
    let lounge =
        Lounge { rules, floor: Arc::new(Mutex::new(Floor { people, told: Box::new(told), said: 0 })) };
    lounge.install(hub);
}

/// One for each function that the hub calls; they share the floor.
#[derive(Clone)]
struct Lounge {
    rules: Rules,
    floor: Arc<Mutex<Floor>>,
}

struct Floor {
    people: People,
    told: Box<dyn FnMut(&Happening<'_>) + Send>,
    /// For the ids of messages that are not kept.
    said: u64,
}

impl Floor {
    fn tell(&mut self, happening: &Happening<'_>) {
        (self.told)(happening);
    }
}

impl Lounge {
    fn install(&self, hub: &mut Hub) {
        let (gate, enter, leave, gone) = (self.clone(), self.clone(), self.clone(), self.clone());
        let (moved, kept) = (self.clone(), self.clone());
        hub.of("/")
            .gate(move |entry| gate.admit(entry))
            .on_connection(move |cx, hello| enter.entered(cx, hello))
            .on_disconnect(move |cx, reason| leave.left(cx, reason))
            .on_gone(move |cx, id| gone.gone(cx, id))
            .on_moved(move |_, id| {
                moved.floor().people.set_here(id, false);
            })
            .on_kept(&PRESENCE, move |_, event| kept.floor().people.apply(event));
        self.on(hub, "leave", Lounge::leave);
        self.on(hub, "who", Lounge::who);
        self.on(hub, "history", Lounge::history);
        self.on(hub, "nick", Lounge::nick);
        self.on(hub, "rooms", Lounge::rooms);
        self.on_said(hub, "join", Lounge::join);
        self.on_said(hub, "say", Lounge::say);
        self.on_said(hub, "msg", Lounge::msg);
        let typing = self.clone();
        hub.of("/").on("typing", move |cx, args, _| typing.typing(cx, args));
    }

    /// An event that is answered once what it says is in the log.
    fn on_said(
        &self,
        hub: &mut Hub,
        event: &str,
        act: fn(&Lounge, &mut Context<'_>, &[Value], &Ack) -> Result<(), Trouble>,
    ) {
        let lounge = self.clone();
        hub.of("/").on(event, move |cx: &mut Context<'_>, args: &[Value], ack: &Ack| {
            if let Err(trouble) = act(&lounge, cx, args, ack) {
                ack.send(cx, vec![trouble.answer()]);
            }
        });
    }

    /// Every other event but `typing` is answered at once: with what was asked for, or with why not.
    fn on(&self, hub: &mut Hub, event: &str, act: fn(&Lounge, &mut Context<'_>, &[Value]) -> Answer) {
        let lounge = self.clone();
        hub.of("/").on(event, move |cx: &mut Context<'_>, args: &[Value], ack: &Ack| {
            let answer = act(&lounge, cx, args).unwrap_or_else(|trouble| trouble.answer());
            ack.send(cx, vec![answer]);
        });
    }

    /// A program that panicked with the floor in hand is no reason for the others to.
    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Coming and going.

    fn admit(&self, entry: &Entry<'_>) -> Result<(), Refusal> {
        let mut floor = self.floor();
        // It keeps the name it had, whatever it says now.
        if entry.returning.is_some_and(|id| floor.people.name(id).is_some()) {
            return Ok(());
        }
        let asked = entry.auth.get("name").and_then(Value::as_str).unwrap_or_default();
        let allowed = self.rules.name(asked).and_then(|name| floor.people.free(name, None));
        allowed.map(|_| ()).map_err(|trouble| {
            floor.tell(&Happening::Refused { code: trouble.code(), name: asked });
            trouble.refusal()
        })
    }

    fn entered(&self, cx: &mut Context<'_>, hello: &Hello) {
        let mut floor = self.floor();
        let id = cx.id();
        if hello.is_recovered && floor.people.set_here(&id, true) {
            let name = floor.people.name(&id).unwrap_or_default();
            self.show_away(cx, &floor.people, &name, false);
            return floor.tell(&Happening::Returned { name: &name });
        }
        let kept = cx.data();
        let asked = [Some(&kept), Some(&hello.auth)]
            .into_iter()
            .flatten()
            .find_map(|from| from.get("name")?.as_str());
        // The gate has let it in for its secret, and its name may not be free.
        let asked = asked.and_then(|name| self.rules.name(name).ok()).unwrap_or("guest").to_owned();
        let name = floor.people.enter(&id, &asked);
        // A socket that was at another hub, and whose rooms the log does not hold any more, is in its rooms
        // nevertheless.
        for room in cx.rooms().iter().filter_map(|room| room.strip_prefix('#')) {
            floor.people.join(&id, room);
        }
        let client = hello.auth.get("client").and_then(Value::as_str).filter(|word| word.len() <= 64);
        keep(cx, &name, client);
        if *name != *asked {
            let renamed = Value::object([("from", asked.into()), ("to", (&*name).into())]);
            cx.emit("renamed", vec![renamed]);
        }
        floor.tell(&Happening::Entered { name: &name });
    }

    fn left(&self, cx: &mut Context<'_>, reason: Reason) {
        let mut floor = self.floor();
        let id = cx.id();
        let Some(name) = floor.people.name(&id) else { return };
        if cx.may_return(reason) {
            floor.people.set_away(&id, true);
            self.show_away(cx, &floor.people, &name, true);
            return floor.tell(&Happening::Away { name: &name, reason });
        }
        show_left(cx, &mut floor.people, &id);
        floor.tell(&Happening::Left { name: &name, reason });
    }

    fn gone(&self, cx: &mut Context<'_>, id: &str) {
        let mut floor = self.floor();
        let Some(name) = floor.people.name(id) else { return };
        show_left(cx, &mut floor.people, id);
        floor.tell(&Happening::Gone { name: &name });
    }

    fn show_away(&self, cx: &mut Context<'_>, people: &People, name: &str, on: bool) {
        let rooms = people.rooms_of(&cx.id());
        if rooms.is_empty() {
            return;
        }
        // Volatile, and once to each that shares several rooms with it: a connection that breaks again and again costs
        // others little.
        let event = Value::object([("name", name.into()), ("on", on.into())]);
        let all = rooms.iter().fold(cx.broadcast(), |all, room| all.to(&hub_room(room)));
        all.volatile().emit("away", vec![event]);
    }

    // Rooms.

    fn join(&self, cx: &mut Context<'_>, args: &[Value], ack: &Ack) -> Result<(), Trouble> {
        let floor = self.floor();
        let room = self.rules.room(text_at(args, 0))?;
        let id = cx.id();
        let name = floor.people.name(&id).ok_or(Trouble::Outside)?;
        let is_new = floor.people.may_join(&id, room, self.rules.rooms_per_person)?;
        if is_new && cx.join(&hub_room(room)).is_err() {
            return Err(Trouble::TooManyRooms(self.rules.rooms_per_person));
        }
        drop(floor);
        // Up to here it reads the past; from here on it receives everything live.
        let end = cx.log_end();
        let since = args.get(1).and_then(|options| options.get("since")?.as_u64());
        let (lounge, ack, room) = (self.clone(), ack.clone(), room.to_owned());
        if !is_new {
            let answer = lounge.joined(cx, &room, end, since);
            ack.send(cx, vec![answer]);
            return Ok(());
        }
        let event = Value::object([("room", room.as_str().into()), ("name", (&*name).into())]);
        let joined = cx.to(&hub_room(&room)).then(move |cx, emitted| {
            let mut floor = lounge.floor();
            if emitted.offset.is_none() {
                // Nothing is kept here, so nothing came back from the log.
                floor.people.join(&id, &room);
            }
            floor.tell(&Happening::Joined { name: &name, room: &room });
            drop(floor);
            let answer = lounge.joined(cx, &room, end, since);
            ack.send(cx, vec![answer]);
        });
        joined.emit("joined", vec![event]);
        Ok(())
    }

    /// The answer to a join, when the log was at `end`.
    fn joined(&self, cx: &mut Context<'_>, room: &str, end: u64, since: Option<u64>) -> Value {
        let span = since.map_or(Span::UpTo(end), Span::After);
        let past = cx.past(&hub_room(room), "message", span, self.rules.page);
        let floor = self.floor();
        let here = floor.people.here(room, self.rules.listed).map(|(name, _)| Value::from(&**name)).collect();
        let Past { more, next, .. } = past;
        Value::object([
            ("ok", true.into()),
            ("room", room.into()),
            ("here", Value::Array(here)),
            ("count", (floor.people.count(room) as u64).into()),
            ("history", messages(past)),
            ("more", more.into()),
            ("next", next.into()),
            ("end", end.into()),
        ])
    }

    fn leave(&self, cx: &mut Context<'_>, args: &[Value]) -> Answer {
        let mut floor = self.floor();
        let room = self.rules.room(text_at(args, 0))?;
        let id = cx.id();
        let name = floor.people.name(&id).ok_or(Trouble::Outside)?;
        if !floor.people.is_in(&id, room) {
            return Err(Trouble::NotInRoom(room.into()));
        }
        cx.leave(&hub_room(room));
        if !cx.keeps_events() {
            floor.people.leave(&id, room);
        }
        let event = Value::object([("room", room.into()), ("name", (&*name).into())]);
        cx.to(&hub_room(room)).emit("left", vec![event]);
        floor.tell(&Happening::LeftRoom { name: &name, room });
        Ok(Value::object([("ok", true.into())]))
    }

    fn who(&self, cx: &mut Context<'_>, args: &[Value]) -> Answer {
        let floor = self.floor();
        let room = self.rules.room(text_at(args, 0))?;
        let now = cx.now();
        let here = floor.people.here(room, self.rules.listed).map(|(name, here)| {
            let typing = ("typing", (here.typing_until > now).into());
            Value::object([("name", (&**name).into()), typing, ("away", here.is_away.into())])
        });
        Ok(Value::object([
            ("ok", true.into()),
            ("here", Value::Array(here.collect())),
            ("count", (floor.people.count(room) as u64).into()),
        ]))
    }

    fn rooms(&self, _: &mut Context<'_>, _: &[Value]) -> Answer {
        let floor = self.floor();
        let rooms = floor.people.rooms().take(self.rules.listed);
        let rooms = rooms
            .map(|(room, here)| Value::object([("room", (&**room).into()), ("here", (here as u64).into())]));
        Ok(Value::object([("ok", true.into()), ("rooms", Value::Array(rooms.collect()))]))
    }

    fn typing(&self, cx: &mut Context<'_>, args: &[Value]) {
        let Ok(room) = self.rules.room(text_at(args, 0)) else { return };
        let on = args.get(1) == Some(&Value::Bool(true));
        let mut floor = self.floor();
        let until = if on { cx.now() + self.rules.typing } else { cx.now() };
        let Some(name) = floor.people.set_typing(&cx.id(), room, until) else { return };
        let event = Value::object([("room", room.into()), ("name", (&*name).into()), ("on", on.into())]);
        cx.to(&hub_room(room)).volatile().emit("typing", vec![event]);
    }

    // What is said.

    fn say(&self, cx: &mut Context<'_>, args: &[Value], ack: &Ack) -> Result<(), Trouble> {
        let mut floor = self.floor();
        let room = self.rules.room(text_at(args, 0))?;
        let text = self.rules.text(text_at(args, 1))?;
        let client_id = self.rules.client_id(args.get(2))?;
        let id = cx.id();
        let now = cx.now();
        let name = floor.people.set_typing(&id, room, now).ok_or_else(|| Trouble::NotInRoom(room.into()))?;
        floor.said += 1;
        let words = Words { event: "message", from: &name, key: "room", value: room, text: &text, client_id };
        let (number, bytes) = (floor.said, text.len());
        drop(floor);
        let (lounge, ack, name, room) = (self.clone(), ack.clone(), name.clone(), room.to_owned());
        words.say(
            cx,
            &[&hub_room(&room)],
            number,
            move |cx, answer, Emitted { offset, is_duplicate, .. }| {
                if !is_duplicate {
                    lounge.floor().tell(&Happening::Said { name: &name, room: &room, bytes, offset });
                }
                ack.send(cx, vec![Value::Object(answer)]);
            },
        );
        Ok(())
    }

    fn msg(&self, cx: &mut Context<'_>, args: &[Value], ack: &Ack) -> Result<(), Trouble> {
        let mut floor = self.floor();
        let text = self.rules.text(text_at(args, 1))?;
        let client_id = self.rules.client_id(args.get(2))?;
        let from = floor.people.name(&cx.id()).ok_or(Trouble::Outside)?;
        let wanted = clean(text_at(args, 0).trim());
        let (to_id, to) = floor.people.find(&fold(&wanted)).ok_or(Trouble::Nobody(wanted))?;
        floor.said += 1;
        let words = Words { event: "private", from: &from, key: "to", value: &to, text: &text, client_id };
        let (number, bytes) = (floor.said, text.len());
        drop(floor);
        let (lounge, ack, from, name) = (self.clone(), ack.clone(), from.clone(), to.clone());
        // Its sender receives it too.
        let (hears, id) = (to_id.clone(), cx.id());
        words.say(cx, &[&hears, &id], number, move |cx, mut answer, Emitted { offset, is_duplicate, .. }| {
            let mut floor = lounge.floor();
            answer.push(("away".into(), floor.people.is_away(&to_id).into()));
            if !is_duplicate {
                floor.tell(&Happening::Whispered { name: &from, to: &name, bytes, offset });
            }
            drop(floor);
            ack.send(cx, vec![Value::Object(answer)]);
        });
        Ok(())
    }

    fn history(&self, cx: &mut Context<'_>, args: &[Value]) -> Answer {
        let floor = self.floor();
        let room = self.rules.room(text_at(args, 0))?;
        if !floor.people.is_in(&cx.id(), room) {
            return Err(Trouble::NotInRoom(room.into()));
        }
        let number = |name| args.get(1).and_then(|options: &Value| options.get(name)?.as_u64());
        let limit = number("limit").map_or(self.rules.page, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, self.rules.page)
        });
        let span = match (number("since"), number("before")) {
            (Some(since), _) => Span::After(since),
            (None, before) => Span::Before(before.unwrap_or(u64::MAX)),
        };
        let past = cx.past(&hub_room(room), "message", span, limit);
        let Past { more, next, .. } = past;
        Ok(Value::object([
            ("ok", true.into()),
            ("messages", messages(past)),
            ("more", more.into()),
            ("next", next.into()),
        ]))
    }

    fn nick(&self, cx: &mut Context<'_>, args: &[Value]) -> Answer {
        let mut floor = self.floor();
        let id = cx.id();
        let name = floor.people.free(self.rules.name(text_at(args, 0))?, Some(&*id))?.to_owned();
        let Renamed { from, to } = floor.people.rename(&id, &name).ok_or(Trouble::Outside)?;
        let kept = cx.data();
        keep(cx, &name, kept.get("client").and_then(Value::as_str));
        if from != to {
            // A socket that shares several rooms with it gets it once; and it gets it itself, wherever it is.
            let event = Value::object([("from", (&*from).into()), ("to", (&*to).into())]);
            let rooms = floor.people.rooms_of(&id);
            let all = rooms.iter().fold(cx.io().to(&id), |all, room| all.to(&hub_room(room)));
            all.emit("renamed", vec![event]);
            floor.tell(&Happening::Renamed { from: &from, to: &to });
        }
        Ok(Value::object([("ok", true.into()), ("name", name.into())]))
    }
}

/// A message, to a room or to a person.
struct Words<'a> {
    event: &'static str,
    from: &'a str,
    /// The room or the person, as people call it, and which of them it is.
    key: &'static str,
    value: &'a str,
    text: &'a str,
    client_id: Option<&'a str>,
}

impl Words<'_> {
    /// Sends it to these rooms, once; `then` is called with the answer to its sender, and what became of it.
    fn say(
        &self,
        cx: &mut Context<'_>,
        to: &[&str],
        number: u64,
        then: impl FnOnce(&mut Context<'_>, Vec<(String, Value)>, Emitted) + Send + 'static,
    ) {
        let (kept, sid) = (cx.data(), cx.id());
        let sender = kept.get("client").and_then(Value::as_str).unwrap_or(&sid);
        // Its place in the log names a message. Where nothing is kept, its sender's name for it has to do.
        let unkept = self.client_id.map_or_else(|| number.to_string(), str::to_owned);
        let said = message(self.key, self.value, self.from, self.text, &unkept, cx.now_ms(), self.client_id);
        let mut broadcast: Broadcast<'_> = to.iter().fold(cx.io(), |all, room| all.to(room));
        broadcast = broadcast.stamp("id", Stamp::Text).stamp("offset", Stamp::Number);
        if let Some(client_id) = self.client_id {
            broadcast = broadcast.sent_as(&format!("{sender} {client_id}"));
        }
        let broadcast = broadcast.then(move |cx, emitted| {
            let id = emitted.offset.map_or(unkept, |offset| offset.to_string());
            let answer = vec![
                ("ok".to_owned(), true.into()),
                ("id".to_owned(), id.into()),
                ("offset".to_owned(), emitted.offset.map_or(Value::Null, Value::from)),
            ];
            then(cx, answer, emitted);
        });
        broadcast.emit(self.event, vec![said]);
    }
}

/// What the hub is to keep with the socket.
fn keep(cx: &mut Context<'_>, name: &str, client: Option<&str>) {
    let client = client.map(|word| ("client".to_owned(), word.into()));
    cx.set_data(Value::Object(std::iter::once(("name".to_owned(), name.into())).chain(client).collect()));
}

/// A socket is out of the chat for good: its rooms are notified.
fn show_left(cx: &mut Context<'_>, people: &mut People, id: &str) {
    let Some((name, rooms)) = people.remove(id) else { return };
    for room in rooms {
        let event = Value::object([("room", (&*room).into()), ("name", (&*name).into())]);
        cx.io().to(&hub_room(&room)).except_socket(id).emit("left", vec![event]);
    }
}

/// The messages of a page, as they were sent.
fn messages(past: Past) -> Value {
    Value::Array(past.events.into_iter().filter_map(|event| event.args.into_iter().next()).collect())
}

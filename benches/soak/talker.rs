//! One client of the soak, as a machine without sockets: it joins, talks, leaves and returns, and tells the checker
//! everything. Whoever drives it moves its bytes and breaks its connections.
//!
//! It remembers what a stock client remembers, its secret and the last string of the last event, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use netlayers::base::{Instant, Machine as _, Rng};
use netlayers::chat::offset_number;
use netlayers::layers::application::engineio::client::{self, Client};
use netlayers::layers::application::socketio::{Decoder, Encoded, Kind, Limits, Packet, Value};
use netlayers::layers::application::websocket::{
    self, CloseCode, CloseReason, Connection, Message, Request, Utf8Bytes,
};

use super::checker::{Checker, Id, Visit};

/// A fault of the observation, to prove that the checker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// One message is not told to the checker.
    Lose,
    /// One is told twice.
    Repeat,
    /// One is told after the next.
    Swap,
    /// One byte of one is changed.
    Corrupt,
    /// A secret is not sent upon return.
    Forget,
    /// A room is left, and the checker is not told that it was joined again.
    Overhear,
}

impl Sabotage {
    #[allow(dead_code, reason = "the test goes through all, the bench takes one by name")]
    pub(crate) const ALL: [(&str, Sabotage); 6] = [
        ("lose", Sabotage::Lose),
        ("repeat", Sabotage::Repeat),
        ("swap", Sabotage::Swap),
        ("corrupt", Sabotage::Corrupt),
        ("forget", Sabotage::Forget),
        ("overhear", Sabotage::Overhear),
    ];
}

/// See the head of this file.
pub(crate) struct Talker {
    number: u32,
    rooms_in_all: u16,
    rng: Rng,
    line: Option<Line>,
    visit: Option<Visit>,
    sid: String,
    pid: String,
    offset: Option<String>,
    rooms: BTreeMap<u16, Place>,
    awaited: BTreeMap<u64, Awaited>,
    next_ack: u64,
    /// It says nothing new any more.
    is_ending: bool,
    sabotage: Option<Sabotage>,
    heard_in_all: u64,
    held: Option<(u64, u16, Id, bool)>,
    /// The last words that it has not heard yet.
    unheard: BTreeSet<Id>,
    /// It has heard something since it last entered or came back.
    pub(crate) has_heard: bool,
    pub(crate) volatile_heard: u64,
}

/// A connection.
struct Line {
    socket: Connection,
    engine: Client,
    decoder: Decoder,
    out: BytesMut,
    has_entered: bool,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Joining,
    In,
    Leaving,
}

#[derive(Debug, Clone, Copy)]
enum Awaited {
    Join(u16),
    Leave(u16),
    Said(Id),
}

impl Talker {
    pub(crate) fn new(number: u32, rooms_in_all: u16, seed: u64) -> Self {
        Talker {
            number,
            rooms_in_all,
            rng: Rng::new(seed).fork(&format!("talker {number}")),
            line: None,
            visit: None,
            sid: String::new(),
            pid: String::new(),
            offset: None,
            rooms: BTreeMap::new(),
            awaited: BTreeMap::new(),
            next_ack: 0,
            is_ending: false,
            sabotage: None,
            heard_in_all: 0,
            held: None,
            unheard: BTreeSet::new(),
            has_heard: false,
            volatile_heard: 0,
        }
    }

    pub(crate) fn sabotage(&mut self, sabotage: Sabotage) {
        self.sabotage = Some(sabotage);
    }

    /// A connection to the server is there: it opens a WebSocket on it.
    pub(crate) fn connected(&mut self, now: Instant) {
        let mut rng = self.rng.fork("line");
        self.rng.next_u64();
        let nonce = u128::from(rng.next_u64()).to_be_bytes();
        let request = Request::new("127.0.0.1", Client::target("/socket.io/"), nonce);
        let config = websocket::Config::default();
        let socket = Connection::client(now, config, request, Box::new(move || rng.next_u32().to_be_bytes()))
            .expect("the request is well-formed");
        self.line = Some(Line {
            socket,
            engine: Client::new(now),
            decoder: Decoder::new(Limits::default()),
            out: BytesMut::new(),
            has_entered: false,
            is_over: false,
        });
        self.pump(now, &mut Checker::default());
    }

    /// Bytes came.
    pub(crate) fn receive(&mut self, now: Instant, bytes: &[u8], checker: &mut Checker) {
        let Some(line) = &mut self.line else { return };
        line.socket.handle(now, websocket::Input::Bytes(Bytes::copy_from_slice(bytes)));
        self.pump(now, checker);
    }

    /// The connection is gone, or given up: what was under way on it is lost.
    pub(crate) fn lost(&mut self) {
        self.line = None;
        self.awaited.clear();
    }

    /// Bytes to be written.
    pub(crate) fn output(&mut self) -> Bytes {
        self.line.as_mut().map_or_else(Bytes::new, |line| line.out.split().freeze())
    }

    /// It has entered, or come back, by this connection.
    pub(crate) fn is_in(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.has_entered && !line.is_over)
    }

    /// The server has ended the connection.
    pub(crate) fn is_over(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.is_over)
    }

    /// Everything it said is acknowledged, and it waits for nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_in() && self.awaited.is_empty() && self.rooms.values().all(|place| *place == Place::In)
    }

    /// Ends the session and the connection with the words that the protocols have for it, as a stock client's
    /// `engine.close()` does: it may come back.
    pub(crate) fn hang_up(&mut self, now: Instant) {
        if let Some(line) = &mut self.line {
            line.engine.close();
        }
        self.pump(now, &mut Checker::default());
    }

    /// Leaves for good.
    pub(crate) fn quit(&mut self, now: Instant, checker: &mut Checker) {
        self.send(Kind::Disconnect);
        self.hang_up(now);
        if let Some(visit) = self.visit.take() {
            checker.quits(visit);
        }
        (self.pid, self.offset) = (String::new(), None);
        self.rooms.clear();
        self.held = None;
    }

    /// From now on it comes back and listens; and says one last word in each of its rooms, by which it is known that it
    /// has heard all before.
    pub(crate) fn last_words(&mut self, now: Instant, checker: &mut Checker) {
        self.is_ending = true;
        self.unheard.clear();
        let Some(visit) = self.visit.filter(|_| self.is_in()) else { return };
        let rooms: Vec<u16> =
            self.rooms.iter().filter(|(_, at)| **at == Place::In).map(|(r, _)| *r).collect();
        for room in rooms {
            let id = checker.says(visit, room, true);
            self.unheard.insert(id);
            self.say("say-all", room, id);
        }
        self.pump(now, checker);
    }

    /// It has heard all of its last words, and so everything before them.
    pub(crate) fn has_heard_itself(&self) -> bool {
        self.unheard.is_empty()
    }

    /// Does one thing, by chance.
    pub(crate) fn turn(&mut self, now: Instant, checker: &mut Checker) {
        let Some(visit) = self.visit.filter(|_| self.is_in() && !self.is_ending) else { return };
        let mine: Vec<u16> = self.rooms.iter().filter(|(_, at)| **at == Place::In).map(|(r, _)| *r).collect();
        let some = mine.get(self.rng.below(mine.len() as u64) as usize).copied();
        match (self.rng.below(100), some) {
            (0..6, Some(room)) if mine.len() > 1 => {
                self.rooms.insert(room, Place::Leaving);
                self.ask("leave", room, Awaited::Leave(room));
            }
            (0..12, _) | (_, None) => self.join_one(visit, checker),
            (12..20, Some(room)) => {
                let said = Value::object([("v", true.into())]);
                self.event("volatile", vec![name(room), said], None);
            }
            (20..35, Some(room)) => {
                let id = checker.says(visit, room, false);
                self.say("say", room, id);
            }
            (_, Some(room)) => {
                let id = checker.says(visit, room, true);
                self.say("say-all", room, id);
            }
        }
        if let Some(line) = &mut self.line {
            line.engine.handle(now, client::Input::Wake);
        }
        self.pump(now, checker);
    }

    fn join_one(&mut self, visit: Visit, checker: &mut Checker) {
        let room = self.rng.below(self.rooms_in_all.into()) as u16;
        if self.rooms.len() < 4 && !self.rooms.contains_key(&room) && checker.may_join(visit, room) {
            self.rooms.insert(room, Place::Joining);
            checker.asks_to_join(visit, room);
            self.ask("join", room, Awaited::Join(room));
        }
    }

    fn say(&mut self, event: &str, room: u16, id: Id) {
        let length = match self.rng.below(100) {
            0 => 20_000,
            1..5 => 1500,
            _ => self.rng.below(160) as usize,
        };
        let load = if self.rng.below(100) < 8 {
            Value::from(pattern(id, length))
        } else {
            String::from_utf8(pattern(id, length).iter().map(|byte| b'a' + byte % 26).collect())
                .expect("letters")
                .into()
        };
        let message = Value::object([("id", id.to_string().into()), ("load", load)]);
        self.await_ack(event, vec![name(room), message], Awaited::Said(id));
    }

    fn ask(&mut self, event: &str, room: u16, awaited: Awaited) {
        self.await_ack(event, vec![name(room)], awaited);
    }

    fn await_ack(&mut self, event: &str, args: Vec<Value>, awaited: Awaited) {
        self.next_ack += 1;
        self.awaited.insert(self.next_ack, awaited);
        self.event(event, args, Some(self.next_ack));
    }

    fn event(&mut self, event: &str, args: Vec<Value>, ack: Option<u64>) {
        self.send(Kind::Event { name: event.into(), args, ack });
    }

    fn send(&mut self, kind: Kind) {
        let Some(line) = &mut self.line else { return };
        let Encoded { text, attachments } = Packet::new("/", kind).encode();
        line.engine.send(Message::Text(text));
        for bytes in attachments {
            line.engine.send(Message::Binary(bytes));
        }
    }

    /// Moves everything on that can move.
    fn pump(&mut self, now: Instant, checker: &mut Checker) {
        loop {
            let Some(line) = &mut self.line else { return };
            let mut messages = Vec::new();
            let mut moved = false;
            while let Some(output) = line.socket.poll(now) {
                moved = true;
                match output {
                    websocket::Output::Send(bytes) => line.out.extend_from_slice(&bytes),
                    websocket::Output::Event(websocket::Event::Message(message)) => {
                        line.engine.handle(now, client::Input::Message(message));
                    }
                    websocket::Output::Event(websocket::Event::Close(_) | websocket::Event::Failed(_)) => {
                        line.is_over = true;
                    }
                    websocket::Output::Finished => line.is_over = true,
                    websocket::Output::Event(_) | websocket::Output::WakeAt(_) => {}
                }
            }
            let mut opened = false;
            while let Some(output) = line.engine.poll(now) {
                match output {
                    client::Output::Send(Message::Text(text)) => drop(line.socket.send_text(text)),
                    client::Output::Send(Message::Binary(bytes)) => {
                        drop(line.socket.send_binary(bytes));
                    }
                    client::Output::Open(_) => opened = true,
                    client::Output::Message(message) => messages.push(message),
                    client::Output::HangUp => {
                        let reason = CloseReason::new(CloseCode::NORMAL, Utf8Bytes::default());
                        let _ = line.socket.close(now, &reason);
                        line.is_over = true;
                    }
                    client::Output::Closed(_) | client::Output::WakeAt(_) => continue,
                }
                moved = true;
            }
            if opened {
                let credentials = self.credentials();
                self.send(Kind::Connect(credentials));
            }
            messages.into_iter().for_each(|message| self.message(message, checker));
            if !moved {
                return;
            }
        }
    }

    /// What a stock client sends to be known again.
    fn credentials(&mut self) -> Option<Value> {
        if self.pid.is_empty() {
            return None;
        }
        let mut pid = self.pid.clone();
        if self.sabotage == Some(Sabotage::Forget) && self.has_heard {
            self.sabotage = None;
            pid.push('x');
        }
        let offset = self.offset.clone().map(|offset| ("offset".to_owned(), offset.into()));
        Some(Value::Object(std::iter::once(("pid".to_owned(), pid.into())).chain(offset).collect()))
    }

    fn message(&mut self, message: Message, checker: &mut Checker) {
        let Some(line) = &mut self.line else { return };
        let packet = match message {
            Message::Text(text) => line.decoder.text(text.as_str()),
            Message::Binary(bytes) => line.decoder.binary(bytes),
        };
        match packet.expect("the server's packets can be read").map(|packet| packet.kind) {
            None => {}
            Some(Kind::Connect(reply)) => self.entered(&reply.unwrap_or_default(), checker),
            Some(Kind::Event { name, args, .. }) => self.heard(&name, &args, checker),
            Some(Kind::Ack { id, args }) => self.answered(id, &args, checker),
            Some(other) => panic!("the server said {other:?}"),
        }
    }

    fn entered(&mut self, reply: &Value, checker: &mut Checker) {
        let text = |name| reply.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (sid, pid) = (text("sid"), text("pid"));
        if let Some(line) = &mut self.line {
            line.has_entered = true;
        }
        self.has_heard = false;
        if let Some(visit) = self.visit {
            let recognised = sid == self.sid && pid == self.pid;
            checker.returns(visit, recognised);
            if recognised {
                // What it asked for last may have been done or not.
                for (room, place) in self.rooms.clone() {
                    match place {
                        Place::Joining => self.ask("join", room, Awaited::Join(room)),
                        Place::Leaving => self.ask("leave", room, Awaited::Leave(room)),
                        Place::In => {}
                    }
                }
                return;
            }
            self.rooms.clear();
        }
        (self.sid, self.pid, self.offset) = (sid, pid, None);
        let visit = checker.enters(self.number);
        self.visit = Some(visit);
        self.join_one(visit, checker);
        self.join_one(visit, checker);
    }

    fn answered(&mut self, id: u64, args: &[Value], checker: &mut Checker) {
        let (Some(awaited), Some(visit)) = (self.awaited.remove(&id), self.visit) else { return };
        let ok = args.first().and_then(|answer| answer.get("ok")) == Some(&Value::Bool(true));
        assert!(ok, "the server refused {awaited:?}: {args:?}");
        match awaited {
            Awaited::Join(room) => {
                self.rooms.insert(room, Place::In);
                // By its own first word the checker knows from where on it is a member.
                let id = checker.says(visit, room, true);
                self.say("say-all", room, id);
            }
            Awaited::Leave(room) => {
                if self.sabotage == Some(Sabotage::Overhear) {
                    // It goes back in, and says nothing of it.
                    self.sabotage = None;
                    self.event("join", vec![name(room)], None);
                }
                self.rooms.remove(&room);
                checker.has_left(visit, room);
            }
            Awaited::Said(id) => checker.acknowledged(visit, id),
        }
    }

    fn heard(&mut self, event: &str, args: &[Value], checker: &mut Checker) {
        let (Some(visit), Some(offset)) = (self.visit, args.last().and_then(Value::as_str)) else { return };
        self.offset = Some(offset.to_owned());
        let offset = offset_number(offset).expect("the server's offsets tell a number");
        let Some(said) = args.first().filter(|_| event == "said") else {
            return checker.hears_other(visit, offset);
        };
        let message = said.get("msg").cloned().unwrap_or_default();
        if message.get("v").is_some() {
            self.volatile_heard += 1;
            return;
        }
        self.has_heard = true;
        let id = message.get("id").and_then(Value::as_str).and_then(|id| id.split_once(':'));
        let id = id.and_then(|(client, number)| {
            Some(Id { client: client.parse().ok()?, number: number.parse().ok()? })
        });
        let room = said
            .get("room")
            .and_then(Value::as_str)
            .and_then(|room| room.strip_prefix("room ")?.parse().ok());
        let (Some(id), Some(room)) = (id, room) else { panic!("no message of this soak: {args:?}") };
        let mut intact = match message.get("load") {
            Some(Value::Binary(bytes)) => *bytes == pattern(id, bytes.len()),
            Some(Value::String(text)) => {
                pattern(id, text.len()).iter().map(|byte| b'a' + byte % 26).eq(text.bytes())
            }
            _ => false,
        };
        let is_own = id.client == self.number;
        self.unheard.remove(&id);
        self.heard_in_all += 1;
        match self.sabotage.filter(|_| self.heard_in_all > 20) {
            Some(Sabotage::Lose) if !is_own => return self.sabotage = None,
            Some(Sabotage::Repeat) => {
                self.sabotage = None;
                checker.hears(visit, offset, room, id, intact);
            }
            Some(Sabotage::Swap) => {
                self.sabotage = None;
                return self.held = Some((offset, room, id, intact));
            }
            Some(Sabotage::Corrupt) => {
                self.sabotage = None;
                intact = false;
            }
            _ => {}
        }
        checker.hears(visit, offset, room, id, intact);
        if let Some((offset, room, id, intact)) = self.held.take() {
            checker.hears(visit, offset, room, id, intact);
        }
    }
}

fn name(room: u16) -> Value {
    format!("room {room}").into()
}

/// Bytes that nobody else's message has.
fn pattern(id: Id, length: usize) -> Bytes {
    let mut rng = Rng::new(u64::from(id.client) << 32 | u64::from(id.number));
    let mut bytes = BytesMut::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.next_u64().to_be_bytes());
    }
    bytes.truncate(length);
    bytes.freeze()
}

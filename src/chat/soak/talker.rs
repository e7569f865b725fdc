//! One client of the soak, as a machine without sockets: it joins, sends, leaves and returns, and reports everything
//! to the checker. Its driver moves its bytes and breaks its connections.
//!
//! Of five clients one polls only, one polls and upgrades, and three begin with WebSocket.
//!
//! It remembers what a stock client remembers, its secret and the last string of the last event, and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{Instant, Machine as _, Rng};
use crate::chat::offset_number;
use crate::layers::application::engineio::poller::{
    Caller, CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Line, Transport,
};
use crate::layers::application::socketio::{Decoder, Encoded, Kind, Limits, Packet, Value};
use crate::layers::application::websocket::Message;
use bytes::{Bytes, BytesMut};

use super::checker::{Checker, Id, Visit};

/// A fault of the observation, to prove that the checker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// One message is not reported to the checker.
    Lose,
    /// One is reported twice.
    Repeat,
    /// One is reported after the next.
    Swap,
    /// One byte of one is changed.
    Corrupt,
    /// A secret is not sent upon return.
    Forget,
    /// A room is left, and the checker does not learn that it was joined again.
    Overhear,
}

impl Sabotage {
    /// All of them, with their names.
    pub const ALL: [(&str, Sabotage); 6] = [
        ("lose", Sabotage::Lose),
        ("repeat", Sabotage::Repeat),
        ("swap", Sabotage::Swap),
        ("corrupt", Sabotage::Corrupt),
        ("forget", Sabotage::Forget),
        ("overhear", Sabotage::Overhear),
    ];
}

/// See the head of this file.
pub struct Talker {
    number: u32,
    rooms_in_all: u16,
    rng: Rng,
    session: Option<Session>,
    visit: Option<Visit>,
    sid: String,
    pid: String,
    offset: Option<String>,
    rooms: BTreeMap<u16, RoomState>,
    awaited: BTreeMap<u64, Awaited>,
    next_ack: u64,
    /// It says nothing new any more.
    is_ending: bool,
    sabotage: Option<Sabotage>,
    heard_in_all: u64,
    held: Option<(u64, u16, Id, bool)>,
    /// The last of its own messages that it has not received yet.
    unheard: BTreeSet<Id>,
    /// It has received something in this session.
    pub has_heard: bool,
    /// Volatile events that it has received.
    pub volatile_heard: u64,
    /// Messages that came by polling.
    pub polled: u64,
}

/// A session, on up to three connections.
struct Session {
    caller: Caller,
    decoder: Decoder,
    /// What is to be done with its connections.
    wishes: VecDeque<Wish>,
    /// Connections that it asked for and did not close.
    lines: BTreeSet<Line>,
    wake_at: Instant,
    has_entered: bool,
    upgrade: Upgrade,
    is_over: bool,
}

/// How far a session that began by polling is with its WebSocket: where it can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Upgrade {
    /// It has no connection.
    None,
    /// A connection is asked for.
    Dialing,
    /// The opening handshake was sent.
    Asked,
    /// The probe was sent.
    Probing,
    /// The probe was answered, and the requests under way were not.
    Pausing,
    /// `5` was sent: the upgrade is complete.
    Moved,
}

impl Upgrade {
    /// From the first to the last.
    pub const STEPS: [Upgrade; 5] =
        [Upgrade::Dialing, Upgrade::Asked, Upgrade::Probing, Upgrade::Pausing, Upgrade::Moved];
}

/// What a client asks of its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Open a connection of this number.
    Connect(Line),
    /// Write these bytes to it.
    Write(Line, Bytes),
    /// Close it, after what was written.
    Close(Line),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoomState {
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
    /// The client of this number, with rooms to choose from; it is as its seed makes it.
    pub fn new(number: u32, rooms_in_all: u16, seed: u64) -> Self {
        Talker {
            number,
            rooms_in_all,
            rng: Rng::new(seed).fork(&format!("talker {number}")),
            session: None,
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
            polled: 0,
        }
    }

    /// Makes it an unreliable witness.
    pub fn sabotage(&mut self, sabotage: Sabotage) {
        self.sabotage = Some(sabotage);
    }

    /// How the client of this number reaches its server.
    pub fn transport(number: u32) -> Transport {
        match number % 5 {
            0 => Transport::Polling,
            1 => Transport::Upgrade,
            _ => Transport::WebSocket,
        }
    }

    /// It opens a session.
    pub fn open(&mut self, now: Instant, checker: &mut Checker) {
        self.has_heard = false;
        let mut rng = self.rng.fork("line");
        self.rng.next_u64();
        let config = CarrierConfig {
            host: "127.0.0.1".into(),
            path: "/socket.io/".into(),
            upgrade: true,
            max_body: 16 << 20,
            nonce: u128::from(rng.next_u64()).to_be_bytes(),
            masks: Box::new(move || Some(rng.next_u32().to_be_bytes())),
        };
        self.session = Some(Session {
            caller: Caller::new(now, Self::transport(self.number), config),
            decoder: Decoder::new(Limits::default()),
            wishes: VecDeque::new(),
            lines: BTreeSet::new(),
            wake_at: Instant::NEVER,
            has_entered: false,
            upgrade: Upgrade::None,
            is_over: false,
        });
        self.pump(now, checker);
    }

    /// Something happened to one of its connections, or its time has come.
    pub fn take(&mut self, now: Instant, input: Input, checker: &mut Checker) {
        let Some(session) = &mut self.session else { return };
        if let Input::Gone(line) = input {
            session.lines.remove(&line);
        }
        let answers_probe = matches!(input, Input::Bytes(Line::Socket, _));
        if answers_probe && session.upgrade == Upgrade::Probing {
            session.upgrade = Upgrade::Pausing;
        }
        if session.wake_at <= now {
            session.wake_at = Instant::NEVER;
            session.caller.handle(now, Input::Wake);
        }
        session.caller.handle(now, input);
        self.pump(now, checker);
    }

    /// The session is gone, or given up: what was under way in it is lost.
    pub fn lost(&mut self) {
        self.session = None;
        self.awaited.clear();
    }

    /// What is to be done with its connections next.
    pub fn wish(&mut self) -> Option<Wish> {
        self.session.as_mut()?.wishes.pop_front()
    }

    /// When it is due next.
    pub fn due(&self) -> Instant {
        self.session.as_ref().map_or(Instant::NEVER, |session| session.wake_at)
    }

    /// It has entered, or come back, in this session.
    pub fn is_in(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_entered && !session.is_over)
    }

    /// How far it is with its upgrade.
    pub fn upgrade(&self) -> Upgrade {
        self.session.as_ref().map_or(Upgrade::None, |session| session.upgrade)
    }

    /// Requests carry its session at the moment.
    pub fn polls(&self) -> bool {
        Self::transport(self.number) != Transport::WebSocket && self.upgrade() != Upgrade::Moved
    }

    /// The session has ended.
    pub fn is_over(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.is_over)
    }

    /// The session has ended, and all its connections with it.
    pub fn has_hung_up(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.is_over && session.lines.is_empty())
    }

    /// Everything it said is acknowledged, and it waits for nothing.
    pub fn is_quiet(&self) -> bool {
        self.is_in() && self.awaited.is_empty() && self.rooms.values().all(|place| *place == RoomState::In)
    }

    /// Ends the session and the connection with the words that the protocols have for it, as a stock client's
    /// `engine.close()` does: it may come back.
    pub fn hang_up(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.caller.close(now);
        }
        self.pump(now, &mut Checker::default());
    }

    /// Says goodbye, and does not return.
    pub fn quit(&mut self, now: Instant, checker: &mut Checker) {
        self.send(now, Kind::Disconnect);
        self.hang_up(now);
        if let Some(visit) = self.visit.take() {
            checker.quits(visit);
        }
        (self.pid, self.offset) = (String::new(), None);
        self.rooms.clear();
        self.held = None;
    }

    /// From now on it reconnects and listens; and sends one last word in each of its rooms, which shows when it
    /// has received everything before.
    pub fn last_words(&mut self, now: Instant, checker: &mut Checker) {
        self.is_ending = true;
        self.unheard.clear();
        let Some(visit) = self.visit.filter(|_| self.is_in()) else { return };
        let rooms: Vec<u16> =
            self.rooms.iter().filter(|(_, at)| **at == RoomState::In).map(|(r, _)| *r).collect();
        for room in rooms {
            let id = checker.says(visit, room, true);
            self.unheard.insert(id);
            self.say(now, "say-all", room, id);
        }
        self.pump(now, checker);
    }

    /// It has received all of its last words, and so everything before them.
    pub fn has_heard_itself(&self) -> bool {
        self.unheard.is_empty()
    }

    /// Does one thing, by chance.
    pub fn turn(&mut self, now: Instant, checker: &mut Checker) {
        let Some(visit) = self.visit.filter(|_| self.is_in() && !self.is_ending) else { return };
        let mine: Vec<u16> =
            self.rooms.iter().filter(|(_, at)| **at == RoomState::In).map(|(r, _)| *r).collect();
        let some = mine.get(self.rng.below(mine.len() as u64) as usize).copied();
        match (self.rng.below(100), some) {
            (0..6, Some(room)) if mine.len() > 1 => {
                self.rooms.insert(room, RoomState::Leaving);
                self.ask(now, "leave", room, Awaited::Leave(room));
            }
            (0..12, _) | (_, None) => self.join_one(now, visit, checker),
            (12..20, Some(room)) => {
                let said = Value::object([("v", true.into())]);
                self.event(now, "volatile", vec![name(room), said], None);
            }
            (20..35, Some(room)) => {
                let id = checker.says(visit, room, false);
                self.say(now, "say", room, id);
            }
            (_, Some(room)) => {
                let id = checker.says(visit, room, true);
                self.say(now, "say-all", room, id);
            }
        }
        self.take(now, Input::Wake, checker);
    }

    fn join_one(&mut self, now: Instant, visit: Visit, checker: &mut Checker) {
        let room = self.rng.below(self.rooms_in_all.into()) as u16;
        if self.rooms.len() < 4 && !self.rooms.contains_key(&room) && checker.may_join(visit, room) {
            self.rooms.insert(room, RoomState::Joining);
            checker.asks_to_join(visit, room);
            self.ask(now, "join", room, Awaited::Join(room));
        }
    }

    fn say(&mut self, now: Instant, event: &str, room: u16, id: Id) {
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
        self.await_ack(now, event, vec![name(room), message], Awaited::Said(id));
    }

    fn ask(&mut self, now: Instant, event: &str, room: u16, awaited: Awaited) {
        self.await_ack(now, event, vec![name(room)], awaited);
    }

    fn await_ack(&mut self, now: Instant, event: &str, args: Vec<Value>, awaited: Awaited) {
        self.next_ack += 1;
        self.awaited.insert(self.next_ack, awaited);
        self.event(now, event, args, Some(self.next_ack));
    }

    fn event(&mut self, now: Instant, event: &str, args: Vec<Value>, ack: Option<u64>) {
        self.send(now, Kind::Event { name: event.into(), args, ack });
    }

    fn send(&mut self, now: Instant, kind: Kind) {
        let Some(session) = &mut self.session else { return };
        let Encoded { text, attachments } = Packet::new("/", kind).encode();
        // What is not taken is lost, as on any connection that breaks.
        let text = std::iter::once(Message::Text(text));
        let _ = text
            .chain(attachments.into_iter().map(Message::Binary))
            .all(|message| session.caller.send(now, message));
    }

    /// Moves everything on that can move.
    fn pump(&mut self, now: Instant, checker: &mut Checker) {
        while let Some(session) = &mut self.session
            && let Some(output) = session.caller.poll(now)
        {
            match output {
                Output::Connect(line) => {
                    if line == Line::Socket {
                        session.upgrade = Upgrade::Dialing;
                    }
                    session.lines.insert(line);
                    session.wishes.push_back(Wish::Connect(line));
                }
                Output::Write(line, bytes) => {
                    session.upgrade = match (line, session.upgrade) {
                        (Line::Socket, Upgrade::Dialing) => Upgrade::Asked,
                        (Line::Socket, Upgrade::Asked) => Upgrade::Probing,
                        (_, upgrade) => upgrade,
                    };
                    session.wishes.push_back(Wish::Write(line, bytes));
                }
                Output::Close(line) => {
                    session.lines.remove(&line);
                    session.wishes.push_back(Wish::Close(line));
                }
                Output::Open(_) => {
                    let credentials = self.credentials();
                    self.send(now, Kind::Connect(credentials));
                }
                Output::Upgraded => session.upgrade = Upgrade::Moved,
                Output::Message(message) => self.message(now, message, checker),
                Output::Closed(_) => session.is_over = true,
                Output::WakeAt(at) => session.wake_at = at,
            }
        }
    }

    /// What a stock client sends to be known again.
    fn credentials(&mut self) -> Option<Value> {
        if self.pid.is_empty() {
            return None;
        }
        let mut pid = self.pid.clone();
        if self.sabotage == Some(Sabotage::Forget) && self.heard_in_all > 0 {
            self.sabotage = None;
            pid.push('x');
        }
        let offset = self.offset.clone().map(|offset| ("offset".to_owned(), offset.into()));
        Some(Value::Object(std::iter::once(("pid".to_owned(), pid.into())).chain(offset).collect()))
    }

    fn message(&mut self, now: Instant, message: Message, checker: &mut Checker) {
        let Some(session) = &mut self.session else { return };
        let packet = match message {
            Message::Text(text) => session.decoder.text(text.as_str()),
            Message::Binary(bytes) => session.decoder.binary(bytes),
        };
        match packet.expect("the server's packets can be read").map(|packet| packet.kind) {
            None => {}
            Some(Kind::Connect(reply)) => self.entered(now, &reply.unwrap_or_default(), checker),
            Some(Kind::Event { name, args, .. }) => self.heard(&name, &args, checker),
            Some(Kind::Ack { id, args }) => self.answered(now, id, &args, checker),
            Some(other) => panic!("the server said {other:?}"),
        }
    }

    fn entered(&mut self, now: Instant, reply: &Value, checker: &mut Checker) {
        let text = |name| reply.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (sid, pid) = (text("sid"), text("pid"));
        if let Some(session) = &mut self.session {
            session.has_entered = true;
        }
        if let Some(visit) = self.visit {
            let recognised = sid == self.sid && pid == self.pid;
            checker.returns(visit, recognised);
            if recognised {
                // What it asked for last may have been done or not.
                for (room, place) in self.rooms.clone() {
                    match place {
                        RoomState::Joining => self.ask(now, "join", room, Awaited::Join(room)),
                        RoomState::Leaving => self.ask(now, "leave", room, Awaited::Leave(room)),
                        RoomState::In => {}
                    }
                }
                return;
            }
            self.rooms.clear();
        }
        (self.sid, self.pid, self.offset) = (sid, pid, None);
        let visit = checker.enters(self.number);
        self.visit = Some(visit);
        self.join_one(now, visit, checker);
        self.join_one(now, visit, checker);
    }

    fn answered(&mut self, now: Instant, id: u64, args: &[Value], checker: &mut Checker) {
        let (Some(awaited), Some(visit)) = (self.awaited.remove(&id), self.visit) else { return };
        let ok = args.first().and_then(|answer| answer.get("ok")) == Some(&Value::Bool(true));
        assert!(ok, "the server refused {awaited:?}: {args:?}");
        match awaited {
            Awaited::Join(room) => {
                self.rooms.insert(room, RoomState::In);
                // By its own first word the checker knows from where on it is a member.
                let id = checker.says(visit, room, true);
                self.say(now, "say-all", room, id);
            }
            Awaited::Leave(room) => {
                if self.sabotage == Some(Sabotage::Overhear) {
                    // It goes back in, and says nothing of it.
                    self.sabotage = None;
                    self.event(now, "join", vec![name(room)], None);
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
        self.polled += u64::from(self.polls());
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

/// Bytes that no other message has.
fn pattern(id: Id, length: usize) -> Bytes {
    let mut rng = Rng::new(u64::from(id.client) << 32 | u64::from(id.number));
    let mut bytes = BytesMut::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.next_u64().to_be_bytes());
    }
    bytes.truncate(length);
    bytes.freeze()
}

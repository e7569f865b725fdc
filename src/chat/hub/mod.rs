//! The hub: the machine in the middle, to which every session of a server is connected.
//!
//! It takes decoded Socket.IO packets and gives encoded ones back; Engine.IO, with its transports and heartbeats,
//! is between it and the network. Read `socket.io-protocol` v5 first, and the guide to Socket.IO's "connection
//! state recovery", of which this is a stricter form.
//!
//! | to learn | see |
//! |---|---|
//! | what a program says | [`Namespace`], [`Context`], [`Broadcast`], [`Ack`] |
//! | the receivers of an event | `rooms.rs`; those it *had* at an offset, `membership.rs` |
//! | how it goes out once for all | `emit.rs` |
//! | questions and answers | `ask.rs` |
//! | how a client comes back | `recovery.rs` |
//! | how one reads what was said before one came | `history.rs` |
//! | what is bounded, and by how much | [`Config`] |
//!
//! Everything happens in one order. What is kept happens in the log's: the hub proposes it, and delivers what the log
//! hands back, its own events and those of other hubs alike (`emit.rs`). A client's packets are dealt with one after
//! the other: the next one waits until what the last one proposed is committed. Encoding and writing to many sockets is
//! the driver's work, and can be spread over threads as long as each session's packets keep their order.

mod ask;
mod away;
mod config;
mod connect;
mod context;
mod emit;
mod handshake;
mod history;
mod key;
mod membership;
mod namespace;
mod origin;
mod promises;
mod recovery;
mod rooms;
mod state;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use slotmap::Key as _;

use super::log::EventLog;
use super::log::SenderIds;
use super::sessions::Sessions;
use crate::base::{Duration, Instant, Machine};
use crate::layers::application::http::Incoming;
use crate::layers::application::socketio::{Encoded, Kind, Packet, Value};

pub use ask::Answers;
pub use config::{Config, Rate, Recovery};
pub use context::{Ack, Broadcast, Context, JoinError, PastEvent};
pub use emit::Emitted;
pub use handshake::handshake;
pub use history::{Past, Span};
pub use namespace::{AwaySocket, Entry, Hello, Namespace, Refusal};

use key::Key;
use promises::{Lent, Promises};
use state::{Core, Later, Session, Space, Timer};

/// Names a session: a number of the driver's choice, which it gives once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Where unguessable numbers come from: the operating system's in `real`, a seed's in the simulator.
pub type Random = Box<dyn FnMut() -> u64 + Send>;

/// What can happen to the hub.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A client has opened a connection.
    Opened(SessionId),
    /// What its client asked for when it opened the connection: for gates and programs to look at.
    Request(SessionId, Arc<Incoming>),
    /// Where it comes from, in any words that are the same for who is to be taken for one: see `origin.rs`.
    Origin(SessionId, Arc<str>),
    /// A packet came from it.
    Packet(SessionId, Packet),
    /// How many bytes of [`Output::Send`] (as [`Encoded::len`] counts them) were handed to the network. Without this
    /// report a session is taken for a slow reader in the end.
    Sent(SessionId, usize),
    /// It answered a ping (Engine.IO's PONG): what was sent to it before that ping has been received.
    Alive(SessionId),
    /// So long it took to answer: the slower it is, the longer it may take to prove that it lives.
    RoundTrip(SessionId, Duration),
    /// Its connection is over.
    Closed(SessionId, Reason),
    /// The server ends: every session is closed in a way that lets it come back to the next run.
    Drain,
    /// The time it asked for has come, or the log has stored or committed something.
    Wake,
}

/// What the hub asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this packet to each of these sessions. It is encoded once; frame it once too.
    Send {
        /// The receiving sessions, each once.
        to: Vec<SessionId>,
        /// The packet, encoded once for all.
        packet: Encoded,
    },
    /// Close this session's connection after what was sent to it. The hub has forgotten it.
    Close {
        /// The session to close.
        session: SessionId,
        /// Why it is closed.
        reason: Reason,
    },
    /// Ping this session now, and report [`Input::Alive`] when it answers: its secret was presented again, or it is to
    /// prove that it received what was sent to it.
    Probe(SessionId),
    /// Wake it at this time; a later one replaces this one. [`Instant::NEVER`] takes it back.
    WakeAt(Instant),
}

/// Why a socket left, or a session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The client left the namespace.
    ClientDisconnected,
    /// The program put it out of the namespace.
    ServerDisconnected,
    /// The connection ended or broke.
    TransportClosed,
    /// The client answered no ping in time.
    PingTimeout,
    /// The program closed the connection.
    ServerClosed,
    /// More waited for it than may.
    SlowReader,
    /// Its client came back through a new connection.
    Superseded,
    /// It sent a packet that makes no sense where it came.
    BadPacket,
    /// It did not enter a namespace in time.
    ConnectTimeout,
    /// The server shuts down.
    Draining,
}

impl Reason {
    /// Whether the socket may come back: neither side said that it should not.
    pub fn is_recoverable(self) -> bool {
        match self {
            Reason::ClientDisconnected | Reason::ServerDisconnected | Reason::BadPacket => false,
            Reason::TransportClosed
            | Reason::PingTimeout
            | Reason::ServerClosed
            | Reason::SlowReader
            | Reason::Superseded
            | Reason::ConnectTimeout
            | Reason::Draining => true,
        }
    }
}

/// Packets of all sessions that may wait for their turn; with more the hub counts as overloaded.
const MAX_BACKLOG: usize = 4096;

/// See the head of this file.
pub struct Hub {
    lent: Lent,
    names: BTreeMap<String, usize>,
    programs: Vec<Namespace>,
    /// When the driver was last asked to wake it; `None` when that time has come.
    wake_told: Option<Instant>,
}

impl Hub {
    /// A hub without namespaces.
    pub fn new(config: Config, random: Random, log: Box<dyn EventLog>) -> Self {
        let lent = Lent { core: Core::new(config, random, log), promises: Promises::default() };
        Hub { lent, names: BTreeMap::new(), programs: Vec::new(), wake_told: None }
    }

    /// Keeps the sockets that may come back elsewhere than beside the log. To be called before the first namespace.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Box<dyn Sessions>) -> Self {
        self.lent.core.recoverable = sessions;
        self
    }

    /// The program of a namespace, which begins to exist with the first call; what the log knows of it comes back:
    /// its events, and the sockets that were connected when the server ended, which are away from now on.
    pub fn of(&mut self, name: &str) -> &mut Namespace {
        let space = match self.names.get(name) {
            Some(&space) => space,
            None => self.open_space(name),
        };
        &mut self.programs[space]
    }

    fn open_space(&mut self, name: &str) -> usize {
        let space = self.lent.core.spaces.len();
        self.names.insert(name.to_owned(), space);
        self.programs.push(Namespace::default());
        let name: Arc<str> = name.into();
        let sender_ids = self.lent.core.config.sender_ids;
        let (end, saved) = match self.lent.core.config.recovery {
            Some(_) => {
                let core = &mut self.lent.core;
                (core.log.open(&name, sender_ids), core.recoverable.open(&name))
            }
            None => (0, Vec::new()),
        };
        self.lent.core.spaces.push(Space {
            name,
            rooms: rooms::Rooms::default(),
            end,
            origins: BTreeMap::new(),
            holders: BTreeMap::new(),
            away: away::AwaySockets::default(),
            unkept_ids: SenderIds::new(sender_ids),
        });
        if self.lent.core.log.horizon(&self.lent.core.spaces[space].name) < end {
            self.lent.core.forget_later();
        }
        let now_ms = self.lent.core.now_ms();
        for mut saved in saved {
            if saved.left_ms.is_none() {
                // Its connection ended with the program. From now on that counts, also after the next restart.
                saved.left_ms = Some(now_ms);
                let name = self.lent.core.spaces[space].name.clone();
                self.lent.core.recoverable.save(&name, saved.clone());
            }
            let data = Value::from_json(&saved.data).unwrap_or_default();
            self.lent.core.put_away(space, &saved, data, Instant::ZERO);
        }
        space
    }

    /// The kept events of these names in a namespace, oldest first: for a program that makes its state of them, with
    /// those that follow ([`Namespace::on_kept`]).
    pub fn kept(&self, name: &str, names: &[&str]) -> Vec<PastEvent> {
        self.names.get(name).map_or_else(Vec::new, |&space| self.lent.core.kept(space, names))
    }

    /// Whether other hubs may be on the same log.
    pub fn is_shared(&self) -> bool {
        self.lent.core.log.is_shared()
    }

    /// Addresses an event to everyone in a namespace, from the program itself. Call [`poll`](Machine::poll) after it.
    pub fn io(&mut self, now: Instant, name: &str, speak: impl FnOnce(&mut Context<'_>)) {
        self.lent.core.now = now;
        if let Some(&space) = self.names.get(name) {
            speak(&mut self.lent.context(Key::null(), space));
            self.settle();
        }
    }

    /// Whether more has been said than the log can store so soon: read nothing more from clients until it is not.
    pub fn is_behind(&self) -> bool {
        self.lent.core.log.is_behind() || self.lent.core.backlog > MAX_BACKLOG
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.lent.core.by_id.len()
    }

    /// How many questions wait for answers.
    pub fn questions(&self) -> usize {
        self.lent.core.asks.len()
    }

    /// How many sockets are in a namespace.
    pub fn sockets(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |&space| self.lent.core.spaces[space].rooms.len())
    }

    /// How many sockets of a namespace are away and may come back.
    pub fn away(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |&space| self.lent.core.spaces[space].away.len())
    }

    /// The sockets of a namespace that are away: after a restart, those that were connected before it.
    pub fn away_sockets(&self, name: &str) -> Vec<AwaySocket> {
        let Some(&space) = self.names.get(name) else { return Vec::new() };
        let away = self.lent.core.spaces[space].away.iter();
        away.map(|away| AwaySocket {
            id: away.id.clone(),
            rooms: away.rooms.current().cloned().collect(),
            data: away.data.clone(),
        })
        .collect()
    }

    fn open(&mut self, id: SessionId) {
        if self.lent.core.by_id.contains_key(&id) {
            return;
        }
        let session = Session {
            id,
            request: None,
            origin: None,
            sockets: Vec::new(),
            left: Vec::new(),
            queued: 0,
            deadline: None,
            spent_until: Instant::ZERO,
            heard_at: Instant::ZERO,
            round_trip: Duration::ZERO,
            pending: Vec::new(),
            proposed: 0,
            backlog: VecDeque::new(),
        };
        let key = self.lent.core.sessions.insert(session);
        let deadline = self.lent.core.now + self.lent.core.config.connect_timeout;
        let timer = self.lent.core.set_timer(deadline, Timer::Connect(key));
        self.lent.core.sessions.get_mut(key).into_iter().for_each(|session| session.deadline = Some(timer));
        self.lent.core.by_id.insert(id, key);
    }

    /// Deals with what came from a session, or lets it wait for its turn.
    fn in_turn(&mut self, session: Key, later: Later) {
        let Some(open) = self.lent.core.sessions.get_mut(session) else { return };
        open.heard_at = self.lent.core.now;
        if open.proposed > 0 {
            open.backlog.push_back(later);
            self.lent.core.backlog += 1;
            return;
        }
        match later {
            Later::Packet(packet) => self.packet(session, packet),
            act => self.lent.core.act(session, &act),
        }
    }

    fn packet(&mut self, session: Key, packet: Packet) {
        let space = self.names.get(&packet.namespace).copied();
        if let Kind::Connect(auth) = packet.kind {
            return self.connect(session, &packet.namespace, space, auth);
        }
        let Some((space, socket)) = space.and_then(|s| Some((s, self.lent.core.socket_in(session, s)?)))
        else {
            let was_put_out = space.is_some_and(|space| {
                self.lent.core.sessions.get(session).is_some_and(|session| session.left.contains(&space))
            });
            if !was_put_out {
                self.lent.core.close(session, Reason::BadPacket);
            }
            return;
        };
        match packet.kind {
            Kind::Event { name, args, ack } => self.event(space, socket, &name, args, ack),
            Kind::Ack { id, args } => self.lent.core.answer(id, socket, args),
            Kind::Disconnect => self.lent.core.leave_space(socket, Reason::ClientDisconnected),
            Kind::Connect(_) | Kind::ConnectError(_) => self.lent.core.close(session, Reason::BadPacket),
        }
    }

    fn event(&mut self, space: usize, socket: Key, name: &str, args: Vec<Value>, ack: Option<u64>) {
        let ack = Ack::new(socket, ack);
        let mut cx = self.lent.context(socket, space);
        let program = &mut self.programs[space];
        let refusal = connect::spend(&mut cx)
            .and_then(|()| origin::spend(&cx))
            .and_then(|()| program.guards.iter_mut().try_for_each(|guard| guard(&mut cx, name, &args)));
        if let Err(refusal) = refusal {
            return ack.send(&mut cx, vec![refusal.to_answer()]);
        }
        program.events.emit(name, &mut self.lent, &namespace::Heard { socket, space, args, ack });
    }

    fn sent(&mut self, key: Key, bytes: usize) {
        let Some(session) = self.lent.core.sessions.get_mut(key) else { return };
        session.queued = session.queued.saturating_sub(bytes);
        // By place, for catching up may close the session: then there is no next one.
        let mut at = 0;
        while let Some(&socket) = self.lent.core.sessions.get(key).and_then(|session| session.sockets.get(at))
        {
            self.lent.core.catch_up(socket);
            at += 1;
        }
    }

    fn drain(&mut self) {
        let sessions: Vec<Key> = self.lent.core.by_id.values().copied().collect();
        sessions.into_iter().for_each(|session| self.lent.core.close(session, Reason::Draining));
    }
}

impl Machine for Hub {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        self.lent.core.now = now;
        if self.wake_told.is_some_and(|at| at <= now) {
            self.wake_told = None;
        }
        self.ring(now);
        self.hear();
        let key = |hub: &Hub, id: SessionId| hub.lent.core.by_id.get(&id).copied();
        match input {
            Input::Opened(id) => self.open(id),
            Input::Request(id, request) => {
                let session = key(self, id).and_then(|session| self.lent.core.sessions.get_mut(session));
                session.into_iter().for_each(|session| session.request = Some(request.clone()));
            }
            Input::Origin(id, origin) => {
                let session = key(self, id).and_then(|session| self.lent.core.sessions.get_mut(session));
                session.into_iter().for_each(|session| session.origin = Some(origin.clone()));
            }
            Input::Packet(id, packet) => {
                if let Some(session) = key(self, id) {
                    self.in_turn(session, Later::Packet(packet));
                }
            }
            Input::Sent(id, bytes) => {
                if let Some(session) = key(self, id) {
                    self.sent(session, bytes);
                }
            }
            Input::Alive(id) => {
                if let Some(session) = key(self, id) {
                    self.alive(session);
                }
            }
            Input::RoundTrip(id, length) => {
                let session = key(self, id).and_then(|session| self.lent.core.sessions.get_mut(session));
                session.into_iter().for_each(|session| session.round_trip = length);
            }
            Input::Closed(id, reason) => {
                if let Some(session) = key(self, id) {
                    self.in_turn(session, Later::Closed(reason));
                }
            }
            Input::Drain => self.drain(),
            Input::Wake => {}
        }
        self.settle();
    }

    fn poll(&mut self, _: Instant) -> Option<Output> {
        let core = &mut self.lent.core;
        if let Some(output) = core.outbox.pop((core.log.stored(), core.recoverable.stored())) {
            return Some(output);
        }
        let next = core.timers.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
        let next = next.min(core.log.due()).min(core.recoverable.due());
        if Some(next) == self.wake_told {
            return None;
        }
        self.wake_told = Some(next);
        Some(Output::WakeAt(next))
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("sessions", &self.sessions()).field("names", &self.names).finish()
    }
}

#[cfg(test)]
mod tests;

//! The hub: the machine in the middle, to which every session of a server is connected.
//!
//! It takes decoded Socket.IO packets and gives encoded ones back; Engine.IO, with its transports and heartbeats,
//! stands between it and the network. Read `socket.io-protocol` v5 first, and the guide to Socket.IO's "connection
//! state recovery", of which this is a stricter form.
//!
//! | to learn | see |
//! |---|---|
//! | what a program says | [`Namespace`], [`Context`], [`Broadcast`], [`Ack`] |
//! | who gets an event | `rooms.rs`; who *was* to get it, `membership.rs` |
//! | how it goes out once for all | `emit.rs` |
//! | questions and answers | `ask.rs` |
//! | how a client comes back | `recovery.rs` |
//! | how one reads what was said before one came | `history.rs` |
//! | what is bounded, and by how much | [`Config`] |
//!
//! Everything happens in one order, the order of the inputs: that order is the log's. Encoding and writing to many
//! sockets is the driver's work, and can be spread over threads as long as each session's packets keep their order.

mod ask;
mod away;
mod config;
mod connect;
mod context;
mod emit;
mod history;
mod key;
mod membership;
mod namespace;
mod recovery;
mod rooms;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::log::EventLog;
use crate::base::{Duration, Instant, Machine};
use crate::layers::application::socketio::{Encoded, Kind, Packet, Value};

pub use ask::Answers;
pub use config::{Config, Rate, Recovery};
pub use context::{Ack, Broadcast, Context, JoinError, PastEvent};
pub use emit::Emitted;
pub use history::{Past, Span};
pub use namespace::{AwaySocket, Entry, Hello, Namespace, Refusal};

use key::Key;
use state::{Core, SenderIds, Session, Space, Timer};

/// Names a session; given by the driver, never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Where unguessable numbers come from: the operating system's in `real`, a seed's in the simulator.
pub type Random = Box<dyn FnMut() -> u64 + Send>;

/// What can happen to the hub.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A client has opened a connection.
    Opened(SessionId),
    /// A packet came from it.
    Packet(SessionId, Packet),
    /// So many bytes of [`Output::Send`] (as [`Encoded::len`] counts them) were handed to the network. Without this
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
    /// The time it asked for has come, or the log has stored something.
    Wake,
}

/// What the hub asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this packet to each of these sessions. It is encoded once; frame it once too.
    Send {
        /// To whom, each once.
        to: Vec<SessionId>,
        /// What.
        packet: Encoded,
    },
    /// Close this session's connection after what was sent to it. The hub has forgotten it.
    Close {
        /// Which.
        session: SessionId,
        /// Why.
        reason: Reason,
    },
    /// Ping this session now, and report [`Input::Alive`] when it answers: somebody came with its secret, or it is to
    /// prove that it got what was sent to it.
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
    /// The heartbeat stopped.
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
    /// The server ends.
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

/// See the head of this file.
pub struct Hub {
    core: Core,
    names: BTreeMap<String, usize>,
    programs: Vec<Namespace>,
    /// When the driver was last asked to wake it; `None` when that time has come.
    wake_told: Option<Instant>,
}

impl Hub {
    /// A hub without namespaces.
    pub fn new(config: Config, random: Random, log: Box<dyn EventLog>) -> Self {
        let core = Core::new(config, random, log);
        Hub { core, names: BTreeMap::new(), programs: Vec::new(), wake_told: None }
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
        let space = self.core.spaces.len();
        self.names.insert(name.to_owned(), space);
        self.programs.push(Namespace::default());
        let name: Arc<str> = name.into();
        let opened = match self.core.config.recovery {
            Some(_) => self.core.log.open(&name),
            None => super::log::Opened::default(),
        };
        let mut sender_ids = SenderIds::default();
        for (id, offset) in opened.sender_ids {
            sender_ids.add(id, offset, self.core.config.sender_ids);
        }
        self.core.spaces.push(Space {
            name,
            rooms: rooms::Rooms::default(),
            end: opened.end,
            holders: BTreeMap::new(),
            away: away::AwaySockets::default(),
            sender_ids,
        });
        if self.core.log.horizon(&self.core.spaces[space].name) < opened.end {
            self.core.forget_later();
        }
        for saved in opened.saved {
            let data = Value::from_json(&saved.data).unwrap_or_default();
            self.core.put_away(space, &saved, data, Instant::ZERO);
        }
        space
    }

    /// Addresses an event to everyone in a namespace, from the program itself. Call [`poll`](Machine::poll) after it.
    pub fn io(&mut self, now: Instant, name: &str, speak: impl FnOnce(&mut Context<'_>)) {
        self.core.now = now;
        if let Some(&space) = self.names.get(name) {
            speak(&mut Context { core: &mut self.core, socket: Key::NOBODY, space });
            self.settle();
        }
    }

    /// Whether more has been said than the log can store so soon: read nothing more from clients until it is not.
    pub fn is_behind(&self) -> bool {
        self.core.log.is_behind()
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.core.by_id.len()
    }

    /// How many sockets are in a namespace.
    pub fn sockets(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |&space| self.core.spaces[space].rooms.len())
    }

    /// How many sockets of a namespace are away and may come back.
    pub fn away(&self, name: &str) -> usize {
        self.names.get(name).map_or(0, |&space| self.core.spaces[space].away.len())
    }

    /// The sockets of a namespace that are away: after a restart, those that were connected before it.
    pub fn away_sockets(&self, name: &str) -> Vec<AwaySocket> {
        let Some(&space) = self.names.get(name) else { return Vec::new() };
        let away = self.core.spaces[space].away.iter();
        away.map(|away| AwaySocket {
            id: away.id.clone(),
            rooms: away.rooms.current().cloned().collect(),
            data: away.data.clone(),
        })
        .collect()
    }

    fn open(&mut self, id: SessionId) {
        if self.core.by_id.contains_key(&id) {
            return;
        }
        let session = Session {
            id,
            sockets: Vec::new(),
            left: Vec::new(),
            queued: 0,
            deadline: None,
            spent_until: Instant::ZERO,
            heard_at: Instant::ZERO,
            round_trip: Duration::ZERO,
            pending: Vec::new(),
        };
        let Some(key) = self.core.sessions.insert(session) else { return };
        let deadline = self.core.now + self.core.config.connect_timeout;
        let timer = self.core.set_timer(deadline, Timer::Connect(key));
        self.core.sessions.get_mut(key).into_iter().for_each(|session| session.deadline = Some(timer));
        self.core.by_id.insert(id, key);
    }

    fn packet(&mut self, session: Key, packet: Packet) {
        let now = self.core.now;
        self.core.sessions.get_mut(session).into_iter().for_each(|session| session.heard_at = now);
        let space = self.names.get(&packet.namespace).copied();
        if let Kind::Connect(auth) = packet.kind {
            return self.connect(session, &packet.namespace, space, auth);
        }
        let Some((space, socket)) = space.and_then(|s| Some((s, self.core.socket_in(session, s)?))) else {
            let was_put_out = space.is_some_and(|space| {
                self.core.sessions.get(session).is_some_and(|session| session.left.contains(&space))
            });
            if !was_put_out {
                self.core.close(session, Reason::BadPacket);
            }
            return;
        };
        match packet.kind {
            Kind::Event { name, args, ack } => self.event(space, socket, &name, args, ack),
            Kind::Ack { id, args } => self.core.answer(id, socket, args),
            Kind::Disconnect => self.core.leave_space(socket, Reason::ClientDisconnected),
            Kind::Connect(_) | Kind::ConnectError(_) => self.core.close(session, Reason::BadPacket),
        }
    }

    fn event(&mut self, space: usize, socket: Key, name: &str, args: Vec<Value>, ack: Option<u64>) {
        let ack = Ack::new(socket, ack);
        let mut cx = Context { core: &mut self.core, socket, space };
        let program = &mut self.programs[space];
        let refusal = connect::spend(&mut cx)
            .and_then(|()| program.guards.iter_mut().try_for_each(|guard| guard(&mut cx, name, &args)));
        if let Err(refusal) = refusal {
            return ack.send(&mut cx, vec![Value::object([("error", refusal.to_value())])]);
        }
        program.events.emit(name, &mut self.core, &namespace::Heard { socket, space, args, ack });
    }

    fn sent(&mut self, key: Key, bytes: usize) {
        let Some(session) = self.core.sessions.get_mut(key) else { return };
        session.queued = session.queued.saturating_sub(bytes);
        // By place, for catching up may close the session: then there is no next one.
        let mut at = 0;
        while let Some(&socket) = self.core.sessions.get(key).and_then(|session| session.sockets.get(at)) {
            self.core.catch_up(socket);
            at += 1;
        }
    }

    fn drain(&mut self) {
        let sessions: Vec<Key> = self.core.by_id.values().copied().collect();
        sessions.into_iter().for_each(|session| self.core.close(session, Reason::Draining));
    }
}

impl Machine for Hub {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        self.core.now = now;
        self.ring(now);
        let key = |hub: &Hub, id: SessionId| hub.core.by_id.get(&id).copied();
        match input {
            Input::Opened(id) => self.open(id),
            Input::Packet(id, packet) => {
                if let Some(session) = key(self, id) {
                    self.packet(session, packet);
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
                let session = key(self, id).and_then(|session| self.core.sessions.get_mut(session));
                session.into_iter().for_each(|session| session.round_trip = length);
            }
            Input::Closed(id, reason) => {
                if let Some(session) = key(self, id) {
                    self.core.end_session(session, reason);
                }
            }
            Input::Drain => self.drain(),
            Input::Wake => {}
        }
        self.settle();
    }

    fn poll(&mut self, _: Instant) -> Option<Output> {
        if let Some(output) = self.core.outbox.pop(self.core.log.stored()) {
            return Some(output);
        }
        let next = self.core.timers.first_key_value().map_or(Instant::NEVER, |((at, _), _)| *at);
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

//! What a program's functions are lent while they run: the socket that the event came from, and the hub around it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::delivery::Delivery;
use super::super::log::{Record, Stamp};
use super::Reason;
use super::ask::Answers;
use super::emit::{Emitted, Event};
use super::handshake::handshake;
use super::key::Key;
use super::namespace::Hello;
use super::promises::{Promises, ThenEmitted};
use super::rooms::{ALONE, Aim, alone};
use super::state::{Call, Core, Later};
use crate::base::{Duration, Instant};
use crate::layers::application::http::Incoming;
use crate::layers::application::socketio::{Decoder, Kind, Limits, Value};

/// The hub, seen from one socket. What is asked of a socket that has left does nothing.
pub struct Context<'a> {
    pub(super) core: &'a mut Core,
    pub(super) promises: &'a mut Promises,
    pub(super) socket: Key,
    pub(super) space: usize,
}

/// A room could not be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The socket is in as many rooms as it may be.
    #[error("no more than {0} rooms at a time")]
    TooMany(usize),
    /// The name is too long.
    #[error("a room's name has at most {0} bytes")]
    NameTooLong(usize),
    /// The names of its rooms are too long together.
    #[error("the names of all rooms together have at most {0} bytes")]
    NamesTooLong(usize),
    /// The name begins with NUL, as the addresses of single sockets do.
    #[error("a room's name does not begin with NUL")]
    Reserved,
}

/// A kept event, read from the log.
#[derive(Debug, Clone, PartialEq)]
pub struct PastEvent {
    /// Its place in the namespace's log.
    pub offset: u64,
    /// When it was said, in milliseconds since 1970.
    pub at_ms: u64,
    /// The event's name.
    pub name: String,
    /// What it carried, without the offset.
    pub args: Vec<Value>,
    /// The rooms it was for; everyone, when there are none.
    pub to: Vec<Arc<str>>,
    /// But not for the members of these.
    pub except: Vec<Arc<str>>,
}

impl PastEvent {
    /// The ids of single sockets that it was not for: the one that caused it, most often.
    pub fn excepted_sockets(&self) -> impl Iterator<Item = &str> {
        self.except.iter().filter_map(|name| name.strip_prefix(ALONE))
    }
}

impl<'a> Context<'a> {
    /// The time of the run.
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.core.now_ms()
    }

    /// The socket's public id, and the name of its own room.
    pub fn id(&self) -> Arc<str> {
        self.core.sockets.get(self.socket).map(|socket| socket.id.clone()).unwrap_or_default()
    }

    /// The request that opened this socket's connection: header fields, cookies, query, address. `None` when the socket
    /// has left, and where the driver has none to show.
    pub fn request(&self) -> Option<Arc<Incoming>> {
        let session = self.core.sockets.get(self.socket)?.session;
        self.core.sessions.get(session)?.request.clone()
    }

    /// That request as Socket.IO's programs know it, with what the client sent to enter: see [`handshake`]. A program
    /// that needs it later keeps it with [`set_data`](Context::set_data).
    pub fn handshake(&self, hello: &Hello) -> Value {
        handshake(self.request().as_deref(), &hello.auth, self.now_ms())
    }

    /// The name of this socket's namespace.
    pub fn namespace(&self) -> Arc<str> {
        self.core.spaces[self.space].name.clone()
    }

    /// Whether the socket is still connected.
    pub fn is_connected(&self) -> bool {
        self.core.socket(self.socket).is_some()
    }

    /// Whether a socket that left for this reason may come back as itself.
    pub fn may_return(&self, reason: Reason) -> bool {
        let has_secret = self.core.sockets.get(self.socket).is_some_and(|socket| !socket.pid.is_empty());
        has_secret && reason.is_recoverable()
    }

    /// What the program keeps with the socket: `null` at first. It comes back with a recovered socket.
    pub fn data(&self) -> Value {
        self.core.sockets.get(self.socket).map(|socket| socket.data.clone()).unwrap_or_default()
    }

    /// Keeps something with the socket.
    pub fn set_data(&mut self, data: Value) {
        if let Some(socket) = self.core.sockets.get_mut(self.socket) {
            socket.data = data;
        }
        self.core.touch(self.socket);
    }

    /// Joins a room; the first member creates it.
    ///
    /// # Errors
    /// [`JoinError`]: too many rooms, or a name that none may have, or names too long together. Joining twice is no
    /// error.
    pub fn join(&mut self, room: &str) -> Result<(), JoinError> {
        let super::Config { rooms_per_socket: limit, room_name: length, room_names: all, .. } =
            self.core.config;
        if room.len() > length {
            return Err(JoinError::NameTooLong(length));
        }
        if room.starts_with(ALONE) {
            return Err(JoinError::Reserved);
        }
        let Some(socket) = self.core.sockets.get_mut(self.socket).filter(|s| !s.gone) else { return Ok(()) };
        if *socket.id == *room || socket.rooms.is_in(room) {
            return Ok(());
        }
        if socket.rooms.len() >= limit {
            return Err(JoinError::TooMany(limit));
        }
        if socket.rooms.bytes().0 + room.len() > all {
            return Err(JoinError::NamesTooLong(all));
        }
        let room: Arc<str> = room.into();
        let space = &mut self.core.spaces[self.space];
        socket.rooms.join(&room, space.end);
        space.rooms.join(&room, self.socket);
        self.core.touch(self.socket);
        Ok(())
    }

    /// Leaves a room. The room of its own id cannot be left.
    pub fn leave(&mut self, room: &str) {
        let super::Config { rooms_per_socket: limit, room_names: bytes, .. } = self.core.config;
        let Some(socket) = self.core.sockets.get_mut(self.socket).filter(|s| !s.gone) else { return };
        let space = &mut self.core.spaces[self.space];
        if socket.rooms.leave(room, space.end) {
            space.rooms.leave(room, self.socket);
            // The past is bounded like the present. What is cut from it could not be replayed.
            if let Some(unknown) = socket.rooms.bound(limit, bytes) {
                socket.confirmed = socket.confirmed.max(unknown);
            }
            self.core.touch(self.socket);
        }
    }

    /// Every room the socket is in, its own first, the others by name. While its leaving is reported: every
    /// room it was in.
    pub fn rooms(&self) -> Vec<Arc<str>> {
        let Some(socket) = self.core.sockets.get(self.socket) else { return Vec::new() };
        std::iter::once(&socket.id).chain(socket.rooms.current()).cloned().collect()
    }

    /// How many sockets are in a room.
    pub fn members(&mut self, room: &str) -> usize {
        self.member_ids(room).len()
    }

    /// The ids of the sockets in a room.
    pub fn member_ids(&mut self, room: &str) -> Vec<Arc<str>> {
        self.with_members(room, |socket| socket.id.clone())
    }

    /// What the program keeps with each socket in a room, with the socket's id.
    pub fn member_data(&mut self, room: &str) -> Vec<(Arc<str>, Value)> {
        self.with_members(room, |socket| (socket.id.clone(), socket.data.clone()))
    }

    fn with_members<T>(&mut self, room: &str, each: impl Fn(&super::state::NamespaceSocket) -> T) -> Vec<T> {
        let core = &mut *self.core;
        core.spaces[self.space].rooms.select(&[room.into()], &[], &mut core.chosen);
        core.chosen.iter().filter_map(|&key| core.sockets.get(key)).map(each).collect()
    }

    /// The rooms of the namespace that have members, by name; the rooms of single sockets not among them.
    pub fn all_rooms(&self) -> Vec<Arc<str>> {
        self.core.spaces[self.space].rooms.names().cloned().collect()
    }

    /// Sends an event to this socket only, not to others that joined the room of its id.
    pub fn emit(&mut self, name: &str, args: Vec<Value>) -> Emitted {
        let id = alone(&self.id());
        self.io().to(&id).emit(name, args)
    }

    /// Sends an event to this socket alone that wants an answer; `then` is called once, with the answer or without.
    pub fn ask(
        &mut self,
        name: &str,
        args: Vec<Value>,
        timeout: Duration,
        then: impl FnOnce(&mut Context<'_>, Answers) + Send + 'static,
    ) {
        let id = alone(&self.id());
        self.io().to(&id).ask(name, args, timeout, then);
    }

    /// The members of a room except this socket; add rooms with [`to`](Broadcast::to).
    pub fn to(&mut self, room: &str) -> Broadcast<'_> {
        self.broadcast().to(room)
    }

    /// Everyone in the namespace except this socket.
    pub fn broadcast(&mut self) -> Broadcast<'_> {
        let id = alone(&self.id());
        self.io().except(&id)
    }

    /// Everyone in the namespace.
    pub fn io(&mut self) -> Broadcast<'_> {
        Broadcast {
            core: self.core,
            promises: self.promises,
            space: self.space,
            asker: self.socket,
            aim: Aim::default(),
            delivery: Delivery::default(),
            sender_id: None,
            stamps: Vec::new(),
            promise: None,
        }
    }

    /// Puts the socket out of this namespace, and says so to the client: when what it was sent before is committed. It
    /// cannot be recovered.
    pub fn disconnect(&mut self) {
        self.do_in_turn(Later::Disconnect(self.space));
    }

    /// Closes the connection below, for all of its namespaces.
    pub fn close(&mut self) {
        self.do_in_turn(Later::Close);
    }

    fn do_in_turn(&mut self, act: Later) {
        let Some(session) = self.core.socket(self.socket).map(|socket| socket.session) else { return };
        let Some(open) = self.core.sessions.get_mut(session) else { return };
        if open.proposed > 0 {
            // Ahead of what its client has sent meanwhile.
            open.backlog.push_front(act);
            self.core.backlog += 1;
        } else {
            self.core.act(session, &act);
        }
    }

    /// Whether events are kept.
    pub fn keeps_events(&self) -> bool {
        self.core.config.recovery.is_some()
    }

    /// Where this hub is in the namespace's log: the offset of the last event that it has delivered.
    pub fn log_end(&self) -> u64 {
        self.core.spaces[self.space].end
    }
}

/// Reads a kept packet.
pub(super) fn past_event(record: &Record) -> Option<PastEvent> {
    // It was written here: no limit is needed.
    let limits = Limits { attachments: usize::MAX, attachment_bytes: usize::MAX, depth: usize::MAX };
    let mut decoder = Decoder::new(limits);
    let mut packet = decoder.text(record.wire.text.as_str()).ok()?;
    for attachment in &record.wire.attachments {
        packet = decoder.binary(attachment.clone()).ok()?;
    }
    let Kind::Event { name, mut args, .. } = packet?.kind else { return None };
    args.pop();
    let Record { offset, at_ms, to, except, .. } = record.clone();
    Some(PastEvent { offset, at_ms, name, args, to, except })
}

/// An event that is being addressed: its receivers, and its promise.
///
/// With no [`to`](Broadcast::to) it is for everyone in the namespace. A socket in several of the rooms gets it once.
/// When more rooms are named than [`Config::rooms_per_event`](super::Config::rooms_per_event) allows, it has no
/// receiver.
pub struct Broadcast<'a> {
    core: &'a mut Core,
    promises: &'a mut Promises,
    space: usize,
    asker: Key,
    aim: Aim,
    delivery: Delivery,
    sender_id: Option<Arc<str>>,
    stamps: Vec<(&'a str, Stamp)>,
    promise: Option<ThenEmitted>,
}

impl<'a> Broadcast<'a> {
    /// To the members of this room too.
    #[must_use]
    pub fn to(mut self, room: &str) -> Self {
        Aim::add(&mut self.aim.to, room, self.core.config.rooms_per_event);
        self
    }

    /// Not to the members of this room.
    #[must_use]
    pub fn except(mut self, room: &str) -> Self {
        Aim::add(&mut self.aim.except, room, self.core.config.rooms_per_event);
        self
    }

    /// Not to the socket with this id; to others that have joined the room of that name it goes.
    #[must_use]
    pub fn except_socket(self, id: &str) -> Self {
        let id = alone(id);
        self.except(&id)
    }

    /// More rooms were named than may be.
    pub fn is_too_wide(&self) -> bool {
        self.aim.to.len().max(self.aim.except.len()) > self.core.config.rooms_per_event
    }

    /// With this promise; [`Delivery::Logged`] when nothing is said.
    #[must_use]
    pub fn with(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Only to connected sockets with an empty queue.
    #[must_use]
    pub fn volatile(self) -> Self {
        self.with(Delivery::Volatile)
    }

    /// With an id that its sender gave it: a second event with the same id, in this namespace, has no effect. Put the
    /// sender's name into the id, so that one sender cannot use up another's.
    #[must_use]
    pub fn sent_as(mut self, id: &str) -> Self {
        self.sender_id = Some(id.into());
        self
    }

    /// Lets the first argument, an object, say the event's offset: it takes the place of what this member holds.
    #[must_use]
    pub fn stamp(mut self, member: &'a str, stamp: Stamp) -> Self {
        self.stamps.push((member, stamp));
        self
    }

    /// Calls `then` when it is known what became of the event: once, when this input has been dealt with or, where the
    /// log takes its time, later.
    #[must_use]
    pub fn then(mut self, then: impl FnOnce(&mut Context<'_>, Emitted) + Send + 'static) -> Self {
        self.promise = Some(Box::new(then));
        self
    }

    /// Sends the event. What is returned is what became of it so far: a program that is to work with any log asks with
    /// [`then`](Broadcast::then).
    pub fn emit(self, name: &str, args: Vec<Value>) -> Emitted {
        let aim = if self.is_too_wide() { None } else { Some(self.aim) };
        let promise = self.promise.map(|then| {
            let number = self.core.number();
            self.promises.emitted.insert(number, then);
            number
        });
        let (space, socket) = (self.space, self.asker);
        match aim {
            Some(aim) => {
                let Broadcast { delivery, sender_id, .. } = self;
                let stamps = &self.stamps[..];
                let event = Event { aim, delivery, sender_id, stamps, name, args, promise };
                self.core.emit(space, socket, event)
            }
            None => {
                let emitted = Emitted::default();
                let calls = promise.map(|promise| Call::Emitted { promise, socket, space, emitted });
                self.core.calls.extend(calls);
                emitted
            }
        }
    }

    /// Sends an event that every receiver is to answer. `then` is called once: when all have answered, after
    /// `timeout`, or when the socket that asks leaves. Such an event is not kept, because no answer to it is awaited
    /// later. How many questions may be open is bounded by [`Config::ask_bytes`](super::Config::ask_bytes).
    pub fn ask(
        self,
        name: &str,
        args: Vec<Value>,
        timeout: Duration,
        then: impl FnOnce(&mut Context<'_>, Answers) + Send + 'static,
    ) {
        let aim = if self.is_too_wide() { Aim::nobody() } else { self.aim };
        let question = self.core.ask(self.space, self.asker, &aim, timeout, name, args);
        self.promises.answers.insert(question, Box::new(then));
    }
}

/// The answer that a client waits for; to be sent now or later, once. When it did not ask for one, nothing is sent.
#[derive(Debug, Clone)]
pub struct Ack(Option<Arc<Wanted>>);

#[derive(Debug)]
struct Wanted {
    socket: Key,
    id: u64,
    is_sent: AtomicBool,
}

impl Ack {
    pub(super) fn new(socket: Key, id: Option<u64>) -> Self {
        Ack(id.map(|id| Arc::new(Wanted { socket, id, is_sent: AtomicBool::new(false) })))
    }

    /// Whether the client asked for an answer, and got none yet.
    pub fn is_wanted(&self) -> bool {
        self.0.as_ref().is_some_and(|wanted| !wanted.is_sent.load(Ordering::Relaxed))
    }

    /// Answers. Only the first answer counts.
    pub fn send(&self, cx: &mut Context<'_>, args: Vec<Value>) {
        let Some(wanted) = &self.0 else { return };
        if wanted.is_sent.swap(true, Ordering::Relaxed) {
            return;
        }
        cx.core.acknowledge(wanted.socket, wanted.id, args);
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("id", &self.id()).field("namespace", &self.namespace()).finish()
    }
}

impl fmt::Debug for Broadcast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("aim", &self.aim).field("delivery", &self.delivery).finish()
    }
}

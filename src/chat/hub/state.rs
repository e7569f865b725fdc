//! What the hub knows: sessions, sockets, namespaces, timers, and what waits to go out.
//!
//! A *session* is one client's connection (Engine.IO's); a *socket* is a session's presence in one namespace. Programs'
//! functions are not here (`promises.rs`): they are lent this state while they run, so whatever would call one (an
//! answer came, a socket left) is put into `calls` and done when the one that runs has returned.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use slotmap::SlotMap;

use super::super::log::{EventLog, Record, SenderIds, Token};
use super::super::offset::Seals;
use super::super::sessions::{Saved, Sessions};
use super::ask::{Ask, Asking};
use super::away::AwaySockets;
use super::config::Config;
use super::emit::{Emitted, Proposal};
use super::key::Key;
use super::membership::Memberships;
use super::origin::Spending;
use super::recovery::{Arriving, Challenge};
use super::rooms::Rooms;
use super::{Output, Random, Reason, Refusal, SessionId};
use crate::base::{Duration, Instant};
use crate::layers::application::http::Incoming;
use crate::layers::application::socketio::{Encoded, Kind, Packet, Value};

/// One client's connection, with its sockets.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    /// What its client asked for, where the driver knows.
    pub(super) request: Option<Arc<Incoming>>,
    /// Where it comes from, when the driver said so.
    pub(super) origin: Option<Arc<str>>,
    /// One for each namespace it has entered.
    pub(super) sockets: Vec<Key>,
    /// Namespaces that the server put it out of: what was under way to them is not an offence.
    pub(super) left: Vec<usize>,
    /// Bytes handed out and not yet reported as sent.
    pub(super) queued: usize,
    /// Until it has entered a namespace.
    pub(super) deadline: Option<TimerId>,
    /// When the rate limit of its sockets that have left is restored: leaving and rejoining does not reset the rate
    /// limit.
    pub(super) spent_until: Instant,
    /// When a packet last came from it, and how long it last took to answer a ping.
    pub(super) heard_at: Instant,
    pub(super) round_trip: Duration,
    /// Its CONNECTs that wait for what becomes of the secret's holder.
    pub(super) pending: Vec<u64>,
    /// Events that it proposed and that are not committed.
    pub(super) proposed: usize,
    /// What waits until they are: a client's packets are dealt with one after the other.
    pub(super) backlog: VecDeque<Later>,
}

/// What a session does, or what is done to it, once what it proposed before is committed.
#[derive(Debug)]
pub(super) enum Later {
    /// A packet came from it.
    Packet(Packet),
    /// The program puts it out of a namespace.
    Disconnect(usize),
    /// The program closes it.
    Close,
    /// Its connection is over.
    Closed(Reason),
}

/// A session's presence in one namespace.
#[derive(Debug)]
pub(super) struct NamespaceSocket {
    pub(super) session: Key,
    pub(super) space: usize,
    pub(super) id: Arc<str>,
    /// Where its client comes from, when that is known.
    pub(super) origin: Option<Arc<str>>,
    /// The secret by which it can be recovered; empty without recovery.
    pub(super) pid: Arc<str>,
    pub(super) rooms: Memberships,
    /// The end of the log when it first connected.
    pub(super) start: u64,
    /// The offset of the last event sent to it.
    pub(super) last_sent: u64,
    /// What the next pongs are to prove that it has got.
    pub(super) mark: Mark,
    /// An offset that it is known to have got.
    pub(super) confirmed: u64,
    /// While it catches up from the log: the offset so far. Events of the log reach it by that way only.
    pub(super) behind: Option<u64>,
    /// Answers that wait until it has caught up with what was in the log when they were given, and their bytes: so the
    /// answer to what a client asks first upon its return tells it that it has all that it missed. Beyond
    /// [`Config::queue_bytes`] it is cut off.
    pub(super) held: VecDeque<(u64, Encoded)>,
    pub(super) held_bytes: usize,
    /// The offset with which its client came back, if it did.
    pub(super) came_with: Option<Option<u64>>,
    /// How many returns in a row with that offset brought it no further, before this one.
    pub(super) in_vain: u32,
    /// Somebody has come with its secret.
    pub(super) challenge: Option<u64>,
    /// Questions it has not answered.
    pub(super) asks: BTreeSet<u64>,
    /// Questions it has put, of which the answers have not all come.
    pub(super) asking: Asking,
    pub(super) data: Value,
    /// Up to when its allowance of events is spent.
    pub(super) spent_until: Instant,
    /// It has left; what is known of it stays until its leaving was reported to the program.
    pub(super) gone: bool,
    /// It waits to be saved.
    pub(super) dirty: bool,
}

/// An offset that a socket was sent. Once this has left the outbox, the pong after the next one proves that it came:
/// the ping of the next may have been ahead of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) offset: u64,
    /// The outbox's [count](Outbox::pushed) when this was set.
    pub(super) pushed: u64,
    /// It had left the outbox when the last pong came.
    pub(super) has_left: bool,
}

/// A namespace, with its program, its sockets and its rooms.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) name: Arc<str>,
    pub(super) rooms: Rooms,
    /// The offset of the last event that the log has handed back: where its sockets are.
    pub(super) end: u64,
    /// How many of its sockets are of each origin.
    pub(super) origins: BTreeMap<Arc<str>, usize>,
    /// The holder of each secret.
    pub(super) holders: BTreeMap<Arc<str>, Key>,
    pub(super) away: AwaySockets,
    /// Ids of events that are kept nowhere; the log knows the others.
    pub(super) unkept_ids: SenderIds,
}

/// A timer: when, and a number that distinguishes timers of the same moment.
pub(super) type TimerId = (Instant, u64);

/// What is due when a timer ends.
#[derive(Debug)]
pub(super) enum Timer {
    /// The session should have entered a namespace.
    Connect(Key),
    /// Answers have been awaited long enough.
    Ask(u64),
    /// The holder of a secret should have shown that it lives.
    Probe(u64),
    /// A socket has been away for too long.
    Away(usize, Arc<str>),
    /// Events may have become too old.
    Forget,
    /// Another hub should have said whether it has a socket.
    Claim(u64),
}

/// A program's function that is to be called.
pub(super) enum Call {
    /// A socket left, for the program to learn.
    Left(Key, Reason),
    /// A socket that was away is given up.
    Gone(usize, Arc<str>),
    /// A socket that was away is another hub's from now on.
    Moved(usize, Arc<str>),
    /// A question is done.
    Answered(u64, Ask),
    /// The outcome of an event is known, and a callback waits for it.
    Emitted { promise: u64, socket: Key, space: usize, emitted: Emitted },
    /// The log has an event.
    Kept(usize, Arc<Record>),
    /// A session may go on: what it proposed is committed.
    Resume(Key),
    /// It is settled whether the holder or the newcomer keeps a secret.
    Settled { challenge: u64, newcomer: bool },
}

/// See the head of this file.
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) now: Instant,
    pub(super) log: Box<dyn EventLog>,
    /// The sockets that may come back, as they outlive this hub.
    pub(super) recoverable: Box<dyn Sessions>,
    /// As many as the driver opens: the server bounds them.
    pub(super) sessions: SlotMap<Key, Session>,
    pub(super) by_id: BTreeMap<SessionId, Key>,
    /// At most one for each session and namespace, and those of which the program has still to hear that they left.
    pub(super) sockets: SlotMap<Key, NamespaceSocket>,
    pub(super) spaces: Vec<Space>,
    pub(super) timers: BTreeMap<TimerId, Timer>,
    pub(super) asks: BTreeMap<u64, Ask>,
    pub(super) challenges: BTreeMap<u64, Challenge>,
    /// CONNECTs with a secret that another hub may have, or whose socket is ahead of this hub.
    pub(super) arriving: BTreeMap<u64, Arriving>,
    /// Events that were proposed and are not committed.
    pub(super) proposals: BTreeMap<Token, Proposal>,
    /// Answers that wait for the last of the events that were proposed before them.
    unanswered: VecDeque<(Token, Key, Encoded)>,
    /// Packets that wait for their session's turn.
    pub(super) backlog: usize,
    /// Sockets that catch up, and wait for the log to fetch what is next.
    pub(super) fetching: Vec<Key>,
    pub(super) calls: VecDeque<Call>,
    pub(super) outbox: Outbox,
    /// Sockets that changed what is saved of them.
    dirty: Vec<Key>,
    random: Random,
    pub(super) seals: Seals,
    /// The next number for a timer, a question or a challenge.
    next: u64,
    /// What each origin has lately added to the log.
    pub(super) spending: Spending,
    /// Space for the receivers of one broadcast.
    pub(super) chosen: Vec<Key>,
    /// The log is looked through for what is too old, at some time to come.
    pub(super) will_forget: bool,
}

impl Core {
    pub(super) fn new(config: Config, mut random: Random, mut log: Box<dyn EventLog>) -> Self {
        let fresh = config.recovery.map(|_| u128::from(random()) << 64 | u128::from(random()));
        let seals = Seals::new(fresh.map_or(0, |fresh| log.key(fresh)));
        let recoverable = log.sessions();
        Core {
            config,
            now: Instant::ZERO,
            log,
            recoverable,
            sessions: SlotMap::with_key(),
            by_id: BTreeMap::new(),
            sockets: SlotMap::with_key(),
            spaces: Vec::new(),
            timers: BTreeMap::new(),
            asks: BTreeMap::new(),
            challenges: BTreeMap::new(),
            arriving: BTreeMap::new(),
            proposals: BTreeMap::new(),
            unanswered: VecDeque::new(),
            backlog: 0,
            fetching: Vec::new(),
            calls: VecDeque::new(),
            outbox: Outbox::default(),
            dirty: Vec::new(),
            random,
            seals,
            next: 0,
            spending: Spending::default(),
            chosen: Vec::new(),
            will_forget: false,
        }
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        self.config.epoch_ms + self.now.as_nanos() / 1_000_000
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// 120 random bits as 20 characters: guessing one is hopeless.
    pub(super) fn token(&mut self) -> Arc<str> {
        let bits = [(self.random)().to_be_bytes(), (self.random)().to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(&bits[..15]).into()
    }

    pub(super) fn set_timer(&mut self, at: Instant, timer: Timer) -> TimerId {
        let id = (at, self.number());
        self.timers.insert(id, timer);
        id
    }

    /// The socket, unless it has left.
    pub(super) fn socket(&self, key: Key) -> Option<&NamespaceSocket> {
        self.sockets.get(key).filter(|socket| !socket.gone)
    }

    /// The session's socket in a namespace.
    pub(super) fn socket_in(&self, session: Key, space: usize) -> Option<Key> {
        let sockets = &self.sessions.get(session)?.sockets;
        sockets.iter().copied().find(|&key| self.sockets.get(key).is_some_and(|s| s.space == space))
    }

    /// Sends one packet to one session; it is cut off when too much waits for it already.
    pub(super) fn send(&mut self, session: Key, namespace: &str, kind: Kind) {
        let packet = Packet::new(namespace, kind).encode();
        self.send_encoded(session, packet);
    }

    pub(super) fn send_encoded(&mut self, key: Key, packet: Encoded) {
        let limit = self.config.queue_bytes;
        let Some(session) = self.sessions.get_mut(key) else { return };
        if session.queued > 0 && session.queued + packet.len() > limit {
            return self.close(key, Reason::SlowReader);
        }
        session.queued += packet.len();
        let to = vec![session.id];
        self.outbox.push(Output::Send { to, packet });
    }

    /// Answers what a socket has asked: when all that was proposed before is committed.
    pub(super) fn acknowledge(&mut self, key: Key, id: u64, args: Vec<Value>) {
        let attachments: usize = args.iter().map(Value::count_binary).sum();
        let args = if attachments > self.config.attachments {
            // Its client would close the connection. So it learns instead that there is no answer for it.
            let data = Value::object([("code", "E_ATTACHMENTS".into())]);
            let refusal = Refusal::new("too many attachments in the answer").with(data);
            vec![Value::object([("error", refusal.to_value())])]
        } else {
            args
        };
        let Some(socket) = self.sockets.get_mut(key).filter(|socket| !socket.gone) else { return };
        let packet = Packet::new(&*self.spaces[socket.space].name, Kind::Ack { id, args }).encode();
        let Some((&newest, _)) = self.proposals.last_key_value() else {
            return self.answer_with(key, packet);
        };
        socket.held_bytes += packet.len();
        let is_too_much = socket.held_bytes > self.config.queue_bytes;
        let session = socket.session;
        self.unanswered.push_back((newest, key, packet));
        if is_too_much {
            self.close(session, Reason::SlowReader);
        }
    }

    /// Sends the answers that waited for what is committed by now.
    pub(super) fn answer_committed(&mut self) {
        let oldest = self.proposals.first_key_value().map(|(token, _)| *token);
        while self.unanswered.front().is_some_and(|(newest, ..)| oldest.is_none_or(|oldest| *newest < oldest))
            && let Some((_, key, packet)) = self.unanswered.pop_front()
        {
            if let Some(socket) = self.sockets.get_mut(key).filter(|socket| !socket.gone) {
                socket.held_bytes -= packet.len();
                self.answer_with(key, packet);
            }
        }
    }

    fn answer_with(&mut self, key: Key, packet: Encoded) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        let session = socket.session;
        if socket.behind.is_none() {
            return self.send_encoded(session, packet);
        }
        socket.held_bytes += packet.len();
        socket.held.push_back((self.spaces[socket.space].end, packet));
        if socket.held_bytes > self.config.queue_bytes {
            self.close(session, Reason::SlowReader);
        }
    }

    /// Sends the answers that were waiting for what has been replayed by now.
    pub(super) fn release_answers(&mut self, key: Key) {
        while let Some(socket) = self.sockets.get_mut(key)
            && let Some((after, _)) = socket.held.front()
            && socket.behind.is_none_or(|behind| behind >= *after)
            && let Some((_, packet)) = socket.held.pop_front()
        {
            socket.held_bytes -= packet.len();
            let session = socket.session;
            self.send_encoded(session, packet);
        }
    }

    /// Closes a session: its sockets leave, and the driver gets [`Output::Close`](super::Output::Close).
    pub(super) fn close(&mut self, key: Key, reason: Reason) {
        let Some(session) = self.sessions.get(key) else { return };
        let output = Output::Close { session: session.id, reason };
        self.end_session(key, reason);
        self.outbox.push(output);
    }

    /// A session is over.
    pub(super) fn end_session(&mut self, key: Key, reason: Reason) {
        let Some(session) = self.sessions.remove(key) else { return };
        self.by_id.remove(&session.id);
        if let Some(deadline) = session.deadline {
            self.timers.remove(&deadline);
        }
        self.backlog -= session.backlog.len();
        for id in session.pending {
            if let Some(arriving) = self.arriving.remove(&id) {
                self.timers.remove(&arriving.timer);
            }
            if let Some(challenge) = self.challenges.remove(&id) {
                self.timers.remove(&challenge.timer);
                if let Some(holder) = self.sockets.get_mut(challenge.holder) {
                    holder.challenge.take_if(|other| *other == id);
                }
            }
        }
        session.sockets.into_iter().for_each(|socket| self.leave_space(socket, reason));
    }

    /// A socket leaves its namespace and all of its rooms. What is known of it stays until the program has seen it
    /// leave.
    pub(super) fn leave_space(&mut self, key: Key, reason: Reason) {
        let Some(socket) = self.sockets.get_mut(key).filter(|socket| !socket.gone) else { return };
        socket.gone = true;
        let space = &mut self.spaces[socket.space];
        if let Some(origin) = &socket.origin
            && let Some(count) = space.origins.get_mut(origin)
        {
            *count -= 1;
            if *count == 0 {
                space.origins.remove(origin);
            }
        }
        socket.rooms.current().for_each(|room| space.rooms.leave(room, key));
        space.rooms.exit(&socket.id, key);
        space.holders.remove(&socket.pid);
        let asks = std::mem::take(&mut socket.asks);
        if let Some(session) = self.sessions.get_mut(socket.session) {
            session.sockets.retain(|&other| other != key);
            session.spent_until = session.spent_until.max(socket.spent_until);
        }
        self.stop_asking(key);
        asks.into_iter().for_each(|id| self.no_answer(id, key));
        self.calls.push_back(Call::Left(key, reason));
    }

    /// The socket will be saved when the present input has been dealt with.
    pub(super) fn touch(&mut self, key: Key) {
        if self.config.recovery.is_some()
            && self.recoverable.is_durable()
            && let Some(socket) = self.sockets.get_mut(key)
            && !socket.dirty
        {
            socket.dirty = true;
            self.dirty.push(key);
        }
    }

    /// The present input has been dealt with: what it changed is saved, and what it said may go out after that.
    pub(super) fn seal(&mut self) {
        for key in std::mem::take(&mut self.dirty) {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            socket.dirty = false;
            let space = &self.spaces[socket.space];
            let saved = socket.saved(space.end);
            self.recoverable.save(&space.name, saved);
        }
        self.outbox.seal((self.log.taken(), self.recoverable.taken()));
    }
}

impl NamespaceSocket {
    /// What is to be remembered of it, when the log is at `end`.
    pub(super) fn saved(&self, end: u64) -> Saved {
        Saved {
            pid: self.pid.clone(),
            sid: self.id.clone(),
            start: self.start,
            confirmed: self.confirmed,
            rooms: self.rooms.saved(),
            data: self.data.to_json(),
            end,
            left_ms: None,
            origin: self.origin.clone(),
        }
    }
}

/// What waits to go out, in order. What one input caused goes out when all that the log and the sockets' store had
/// taken by then is stored: so no answer goes out before it is safe. A log in memory stores at once.
///
/// Bounded by what the sessions' queues may hold.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Output>,
    /// How many entries of the queue may go out, once the log and the sockets' store have stored this much.
    seals: VecDeque<(usize, (u64, u64))>,
    sealed: usize,
    pushed: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
        self.pushed += 1;
    }

    fn seal(&mut self, taken: (u64, u64)) {
        let new = self.queue.len() - self.sealed;
        if new > 0 {
            self.sealed = self.queue.len();
            self.seals.push_back((new, taken));
        }
    }

    pub(super) fn pop(&mut self, stored: (u64, u64)) -> Option<Output> {
        let (count, taken) = self.seals.front_mut()?;
        if taken.0 > stored.0 || taken.1 > stored.1 {
            return None;
        }
        *count -= 1;
        if *count == 0 {
            self.seals.pop_front();
        }
        self.sealed -= 1;
        self.queue.pop_front()
    }

    /// How many have been put in so far.
    pub(super) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// How many of them have been taken out.
    pub(super) fn popped(&self) -> u64 {
        self.pushed - self.queue.len() as u64
    }
}

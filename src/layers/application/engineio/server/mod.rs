//! All of a server's connections and sessions, as one machine: bytes of many connections in, bytes and events out.
//!
//! It reads HTTP, keeps the sessions, speaks WebSocket, and bounds what any client can cost: the size of heads, bodies
//! and messages, the time they may take, how much may wait to be written, and how many connections and sessions there
//! may be. What a client does wrong ends that client's connection and nothing else.
//!
//! A driver calls [`connected`](Server::connected) for each new connection, gives [`Input`]s, and drains
//! [`poll`](Server::poll). Bytes to be written wait in an [`Outbox`] for each connection, so that everything that
//! waits for one receiver can be written at once: the policy for a receiver that does not read is to cut it off when
//! more than [`SessionConfig::max_backlog`] waits.

mod conn;
mod input;
mod prepared;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use bytes::Bytes;

pub use conn::Outbox;
pub use prepared::Prepared;

use self::conn::{Conn, State};
use super::request::{Origins, Refusal};
use super::session::{self, CloseCause, Config as SessionConfig, ConnKey, Session};
use crate::base::{Alarm, Duration, Instant, Machine, Slab, SlabKey};
use crate::layers::application::http::{HeadParser, Headers, Limits, RequestHead};
use crate::layers::application::websocket::Message;

/// A session, by its number; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub u64);

impl SlabKey for SessionKey {
    fn from_bits(bits: u64) -> Self {
        SessionKey(bits)
    }

    fn to_bits(self) -> u64 {
        self.0
    }
}

/// What a server allows, and what it serves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The paths that speak Engine.IO, such as `/socket.io/`; events name them by their place here.
    pub endpoints: Vec<String>,
    /// What each session is allowed.
    pub session: SessionConfig,
    /// Which pages may speak to it.
    pub origins: Origins,
    /// Connections at a time.
    pub max_connections: usize,
    /// Sessions at a time.
    pub max_sessions: usize,
    /// Limits on the heads of requests.
    pub head: Limits,
    /// How long a head may take from its first byte, and a new connection to send one.
    pub head_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// How long the last bytes of a connection may take to be written.
    pub close_timeout: Duration,
    /// Whether GETs of other paths are events, to be answered with [`Server::respond`]; 404 otherwise.
    pub other_requests: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoints: vec!["/socket.io/".into()],
            session: SessionConfig::default(),
            origins: Origins::default(),
            max_connections: 20_000,
            max_sessions: 20_000,
            head: Limits { line: 4096, head: 16 << 10, fields: 64 },
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            other_requests: false,
        }
    }
}

/// What can happen to a server.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Bytes came from a connection, cut anywhere.
    Bytes(ConnKey, &'a [u8]),
    /// The peer sends no more, or the connection failed.
    Gone(ConnKey),
    /// The time it asked for has come.
    Wake,
}

/// What a server asks for.
#[derive(Debug)]
pub enum Output {
    /// Tell the layer above.
    Event(Event),
    /// Bytes wait to be written: see [`Server::outbox`]. Said again only after [`Server::written`].
    Ready(ConnKey),
    /// Close the connection at once: it is forgotten here.
    Close(ConnKey),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// What the layer above learns.
#[derive(Debug)]
pub enum Event {
    /// A session has opened.
    Opened {
        /// Its key.
        session: SessionKey,
        /// The place of its path among [`Config::endpoints`].
        endpoint: usize,
    },
    /// A message has come.
    Message {
        /// Its session.
        session: SessionKey,
        /// What it says.
        message: Message,
    },
    /// A pong has come: what was sent before its ping has arrived.
    Alive {
        /// Its session.
        session: SessionKey,
    },
    /// All that was sent in a session has been handed to the network.
    Drained {
        /// The session.
        session: SessionKey,
    },
    /// A session is over: the last event of it.
    Closed {
        /// Its key.
        session: SessionKey,
        /// Why.
        cause: CloseCause,
    },
    /// A GET or HEAD of a path that is no endpoint.
    Request {
        /// Where to answer, once.
        conn: ConnKey,
        /// What is asked for.
        head: Box<RequestHead>,
    },
}

/// The machine.
pub struct Server {
    config: Config,
    conns: Slab<ConnKey, Conn>,
    sessions: Slab<SessionKey, Entry>,
    by_sid: BTreeMap<String, SessionKey>,
    /// Where new ids come from: they must not be guessable, for who knows one can speak in its session.
    sids: Box<dyn FnMut() -> String + Send>,
    timers: BTreeSet<(Instant, Timer)>,
    alarm: Alarm,
    outputs: VecDeque<Output>,
    /// WebSockets whose machines have something to say.
    stirred: VecDeque<ConnKey>,
}

#[derive(Debug)]
struct Entry {
    session: Session,
    sid: String,
    deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Conn(ConnKey),
    Session(SessionKey),
}

impl Server {
    /// A server without connections.
    pub fn new(config: Config, sids: Box<dyn FnMut() -> String + Send>) -> Self {
        Server {
            config,
            conns: Slab::new(),
            sessions: Slab::new(),
            by_sid: BTreeMap::new(),
            sids,
            timers: BTreeSet::new(),
            alarm: Alarm::new(),
            outputs: VecDeque::new(),
            stirred: VecDeque::new(),
        }
    }

    /// A connection was accepted. `None` when there are too many: close it.
    pub fn connected(&mut self, now: Instant) -> Option<ConnKey> {
        if self.conns.len() >= self.config.max_connections {
            return None;
        }
        let state = State::Head(Box::new(HeadParser::new(self.config.head)));
        let conn = Conn { state, out: Outbox::default(), deadline: None, listed: false };
        let key = self.conns.insert(conn)?;
        self.set_conn_deadline(key, Some(now + self.config.head_timeout));
        Some(key)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// When it wants to be woken, as [`Output::WakeAt`] said.
    pub fn due(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Sends a message in a session. False when the session is over.
    pub fn send(&mut self, now: Instant, session: SessionKey, message: Message) -> bool {
        self.send_prepared(now, session, &Prepared::new([message]))
    }

    /// Sends what was made ready once for many. False when the session is over.
    pub fn send_prepared(&mut self, now: Instant, session: SessionKey, prepared: &Prepared) -> bool {
        let Some(entry) = self.sessions.get_mut(session) else { return false };
        let Some(socket) = entry.session.socket() else {
            let taken = prepared.messages.iter().all(|message| entry.session.send(message.clone()));
            self.pump(now, session);
            return taken;
        };
        let Some(conn) = self.conns.get_mut(socket) else { return false };
        prepared.frames.iter().for_each(|frame| conn.out.push(frame.clone()));
        if conn.out.len() > self.config.session.max_backlog {
            self.cut_off(now, socket, session);
            return false;
        }
        Self::list(conn, socket, &mut self.outputs);
        true
    }

    /// Pings a session's client now, unless a pong is awaited already.
    pub fn ping(&mut self, now: Instant, session: SessionKey) {
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.session.ping(now);
            self.pump(now, session);
        }
    }

    /// How long a session's client took to answer the last ping; zero before the first.
    pub fn round_trip(&self, session: SessionKey) -> Duration {
        self.sessions.get(session).map_or(Duration::ZERO, |entry| entry.session.round_trip())
    }

    /// Ends a session. What was sent before goes out first, if the client takes it.
    pub fn close(&mut self, now: Instant, session: SessionKey) {
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.session.close(now);
            self.pump(now, session);
        }
    }

    /// Ends all sessions, and then takes no new ones.
    pub fn shut_down(&mut self, now: Instant) {
        self.config.max_sessions = 0;
        let keys: Vec<SessionKey> = self.sessions.keys().collect();
        keys.into_iter().for_each(|key| self.close(now, key));
    }

    /// Answers an [`Event::Request`].
    pub fn respond(
        &mut self,
        now: Instant,
        conn: ConnKey,
        status: u16,
        content_type: &str,
        extra: &Headers,
        body: &Bytes,
    ) {
        if let Some(Conn { state: State::Answering { session: None, answering, .. }, .. }) =
            self.conns.get_mut(conn)
        {
            let pieces = answering.write(status, content_type, extra, body);
            self.answer(now, conn, pieces);
        }
    }

    /// What waits to be written to a connection.
    pub fn outbox(&self, conn: ConnKey) -> Option<&Outbox> {
        self.conns.get(conn).map(|conn| &conn.out)
    }

    /// So many bytes of its [`outbox`](Server::outbox) were taken by the connection; when any are left, the driver
    /// writes them when it can.
    pub fn written(&mut self, conn: ConnKey, bytes: usize) {
        let Some(entry) = self.conns.get_mut(conn) else { return };
        entry.out.advance(bytes);
        if entry.out.is_empty() {
            entry.listed = false;
            match entry.state {
                State::Ending => self.forget(conn),
                State::WebSocket { session, .. } => {
                    let entry = self.sessions.get(session);
                    if entry.is_some_and(|entry| entry.session.socket() == Some(conn)) {
                        self.outputs.push_back(Output::Event(Event::Drained { session }));
                    }
                }
                State::Head(_) | State::Body { .. } | State::Answering { .. } => {}
            }
        }
    }

    /// Says once that bytes wait for a connection.
    fn list(conn: &mut Conn, key: ConnKey, outputs: &mut VecDeque<Output>) {
        if !conn.listed && !conn.out.is_empty() {
            conn.listed = true;
            outputs.push_back(Output::Ready(key));
        }
    }

    fn put(&mut self, key: ConnKey, pieces: Vec<Bytes>) {
        if let Some(conn) = self.conns.get_mut(key) {
            pieces.into_iter().for_each(|piece| conn.out.push(piece));
            Self::list(conn, key, &mut self.outputs);
        }
    }

    /// Puts the answer to a request on its connection, which then waits for the next one or ends.
    fn answer(&mut self, now: Instant, key: ConnKey, pieces: Vec<Bytes>) {
        self.put(key, pieces);
        let Some(conn) = self.conns.get_mut(key) else { return };
        let keep_alive = match &conn.state {
            State::Answering { answering, .. } | State::Body { answering, .. } => answering.keep_alive,
            State::Head(_) | State::WebSocket { .. } | State::Ending => false,
        };
        if !keep_alive {
            return self.end(now, key);
        }
        let next = State::Head(Box::new(HeadParser::new(self.config.head)));
        let early = match std::mem::replace(&mut conn.state, next) {
            State::Answering { early, .. } => early,
            _ => return self.set_conn_deadline(key, Some(now + self.config.idle_timeout)),
        };
        self.set_conn_deadline(key, Some(now + self.config.idle_timeout));
        if !early.is_empty() {
            self.bytes(now, key, &early);
        }
    }

    /// Closes a connection when everything is written.
    fn end(&mut self, now: Instant, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        conn.state = State::Ending;
        if conn.out.is_empty() {
            self.forget(key);
        } else {
            self.set_conn_deadline(key, Some(now + self.config.close_timeout));
        }
    }

    /// Closes a connection at once.
    fn forget(&mut self, key: ConnKey) {
        self.set_conn_deadline(key, None);
        if self.conns.remove(key).is_some() {
            self.outputs.push_back(Output::Close(key));
        }
    }

    /// A receiver that does not read: nobody waits for it, and it costs no more memory.
    fn cut_off(&mut self, now: Instant, socket: ConnKey, session: SessionKey) {
        self.forget(socket);
        self.tell(now, session, session::Input::TooSlow);
    }

    /// Gives an input to a session.
    fn tell(&mut self, now: Instant, key: SessionKey, input: session::Input) {
        if let Some(entry) = self.sessions.get_mut(key) {
            entry.session.handle(now, input);
            self.pump(now, key);
        }
    }

    /// Does what a session asks for.
    fn pump(&mut self, now: Instant, key: SessionKey) {
        while let Some(output) = self.sessions.get_mut(key).and_then(|entry| entry.session.poll(now)) {
            match output {
                session::Output::Answer(conn, body) => self.answer_text(now, conn, &body),
                session::Output::Refuse(conn) => self.refuse(now, conn, Refusal::BadRequest),
                session::Output::Send(socket, message) => {
                    let mut frames = Vec::new();
                    Prepared::frame_of(&message, &mut frames);
                    self.put(socket, frames);
                    let waits = self.outbox(socket).map_or(0, Outbox::len);
                    if waits > self.config.session.max_backlog {
                        self.cut_off(now, socket, key);
                    }
                }
                session::Output::HangUp(socket) => self.hang_up(now, socket),
                session::Output::Message(message) => {
                    self.outputs.push_back(Output::Event(Event::Message { session: key, message }));
                }
                session::Output::Alive => {
                    self.outputs.push_back(Output::Event(Event::Alive { session: key }));
                }
                session::Output::Drained => {
                    self.outputs.push_back(Output::Event(Event::Drained { session: key }));
                }
                session::Output::Closed(cause) => {
                    self.outputs.push_back(Output::Event(Event::Closed { session: key, cause }));
                }
                session::Output::WakeAt(at) => self.set_session_deadline(key, Some(at)),
            }
        }
        if self.sessions.get(key).is_some_and(|entry| entry.session.is_closed()) {
            self.set_session_deadline(key, None);
            if let Some(entry) = self.sessions.remove(key) {
                self.by_sid.remove(&entry.sid);
            }
        }
    }

    fn answer_text(&mut self, now: Instant, conn: ConnKey, body: &Bytes) {
        let Some(Conn { state: State::Answering { answering, .. }, .. }) = self.conns.get(conn) else {
            return;
        };
        let pieces = answering.write(200, "text/plain; charset=UTF-8", &Headers::new(), body);
        self.answer(now, conn, pieces);
    }

    fn refuse(&mut self, now: Instant, conn: ConnKey, refusal: Refusal) {
        let Some(Conn { state: State::Answering { answering, .. } | State::Body { answering, .. }, .. }) =
            self.conns.get(conn)
        else {
            return;
        };
        let pieces = answering.refuse(refusal);
        self.answer(now, conn, pieces);
    }

    fn set_conn_deadline(&mut self, key: ConnKey, deadline: Option<Instant>) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let before = std::mem::replace(&mut conn.deadline, deadline);
        self.reset_timer(Timer::Conn(key), before, deadline);
    }

    fn set_session_deadline(&mut self, key: SessionKey, deadline: Option<Instant>) {
        let Some(entry) = self.sessions.get_mut(key) else { return };
        let before = std::mem::replace(&mut entry.deadline, deadline);
        self.reset_timer(Timer::Session(key), before, deadline);
    }

    fn reset_timer(&mut self, timer: Timer, before: Option<Instant>, after: Option<Instant>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, timer));
        }
        if let Some(after) = after {
            self.timers.insert((after, timer));
        }
    }
}

impl Server {
    /// Takes one input; the consequences wait in [`poll`](Server::poll).
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Bytes(conn, bytes) => self.bytes(now, conn, bytes),
            Input::Gone(conn) => self.gone(now, conn),
            Input::Wake => self.wake(now),
        }
    }

    /// The next consequence, or `None` when there is nothing to do until the next input.
    pub fn poll(&mut self, now: Instant) -> Option<Output> {
        while let Some(socket) = self.stirred.pop_front() {
            self.drive_socket(now, socket);
        }
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.alarm.poll(self.due()).map(Output::WakeAt)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("connections", &self.conns.len())
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

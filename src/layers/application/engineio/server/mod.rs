//! All of a server's connections and sessions, as one machine: bytes of many connections in, bytes and events out.
//!
//! It reads HTTP, keeps the sessions, speaks WebSocket, and bounds what any client can cost: the size of heads, bodies
//! and messages, the time they may take, how much may wait to be written, and how many connections and sessions there
//! may be. What a client does wrong ends that client's connection and nothing else.
//!
//! A driver calls [`connected`](Server::connected) for each new connection, gives [`Input`]s, and drains
//! [`poll`](Server::poll). Bytes to be written wait in an [`Outbox`] for each connection, so that everything that
//! waits for one receiver can be written at once: the policy for a receiver that does not read is to cut it off when
//! more than [`SessionConfig::max_backlog`](super::SessionConfig::max_backlog) waits.
//!
//! | concern | where |
//! |---|---|
//! | what goes in, what comes out, what is allowed | `interface.rs` |
//! | one connection, and what waits to be written to it | `conn.rs` |
//! | bytes that come, by what their connection is doing | `input.rs` |
//! | what a request asks for, and what answers it | `route.rs` |
//! | answers, and how a connection ends | `output.rs` |
//! | WebSockets | `socket.rs` |
//! | what has taken too long | `timers.rs` |
//! | what holds too much | `load.rs` |
//! | a message made ready once for many | `prepared.rs` |
//! | the program above, which answers | [`Service`] in `service.rs` |

mod conn;
mod input;
mod interface;
mod load;
mod output;
mod prepared;
mod route;
mod service;
mod socket;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use slotmap::SlotMap;

pub use conn::Outbox;
pub use interface::{Config, Event, Input, Output, SessionKey};
pub use prepared::Prepared;
pub use service::Service;

use self::conn::{Conn, State};
use self::timers::Timer;
use super::PROTOCOL;
use super::request::Refusal;
use super::session::{self, ConnKey, Session};
use crate::base::{Alarm, Duration, Errors, Instant, Layer, Machine};
use crate::layers::application::http::{HeadParser, Headers, Incoming};
use crate::layers::application::websocket::Message;

/// What is wrong with what a client sent.
const ERRORS: Errors = Errors::of(Layer::Application, PROTOCOL);

/// Engine.IO's server, as a machine.
pub struct Server {
    config: Config,
    conns: SlotMap<ConnKey, Conn>,
    sessions: SlotMap<SessionKey, Entry>,
    by_sid: BTreeMap<String, SessionKey>,
    /// The source of new ids: they must not be guessable, because an id is all it takes to send in its session.
    sids: Box<dyn FnMut() -> String + Send>,
    timers: BTreeSet<(Instant, Timer)>,
    alarm: Alarm,
    outputs: VecDeque<Output>,
    /// WebSockets whose machines have outputs to be polled.
    stirred: VecDeque<ConnKey>,
    /// It is about to end, which is said to clients.
    going_away: bool,
}

#[derive(Debug)]
struct Entry {
    session: Session,
    sid: String,
    /// The request that came last: what opened it, or a later one of polling.
    request: Arc<Incoming>,
    /// Where it was opened; its id means nothing elsewhere.
    endpoint: usize,
    deadline: Option<Instant>,
}

impl Server {
    /// A server without connections.
    pub fn new(config: Config, sids: Box<dyn FnMut() -> String + Send>) -> Self {
        Server {
            config,
            conns: SlotMap::with_key(),
            sessions: SlotMap::with_key(),
            by_sid: BTreeMap::new(),
            sids,
            timers: BTreeSet::new(),
            alarm: Alarm::new(),
            outputs: VecDeque::new(),
            stirred: VecDeque::new(),
            going_away: false,
        }
    }

    /// A connection was accepted. `None` when there are too many: close it.
    pub fn connected(&mut self, now: Instant) -> Option<ConnKey> {
        self.connected_from(now, None)
    }

    /// As [`connected`](Server::connected), from this address, for programs that ask.
    pub fn connected_from(&mut self, now: Instant, address: Option<SocketAddr>) -> Option<ConnKey> {
        if self.conns.len() >= self.config.max_connections {
            return None;
        }
        let state = State::Head(Box::new(HeadParser::new(self.config.head)));
        let out = Outbox::default();
        let conn = Conn { state, address, out, deadline: None, listed: false, is_slowed: false };
        let key = self.conns.insert(conn);
        self.set_conn_deadline(key, Some(now + self.config.head_timeout));
        Some(key)
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// When it is due next, as [`Output::WakeAt`] said.
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
            if prepared.ends_body {
                entry.session.end_body();
            }
            self.pump(now, session);
            return taken;
        };
        let Some(conn) = self.conns.get_mut(socket) else { return false };
        conn.out.mark();
        prepared.frames.iter().for_each(|frame| conn.out.push(frame.clone()));
        if conn.out.len() > self.config.session.max_backlog {
            self.cut_off(now, socket, session);
            return false;
        }
        Self::list(conn, socket, &mut self.outputs);
        true
    }

    /// Pings a session's client now; when a pong is awaited already, as soon as that has come.
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

    /// The request that came last in a session: the one that opened it, or by polling the latest poll or post. `None`
    /// when the session is over.
    pub fn request(&self, session: SessionKey) -> Option<Arc<Incoming>> {
        self.sessions.get(session).map(|entry| entry.request.clone())
    }

    /// Ends a session. What was sent before goes out first, if the client takes it.
    pub fn close(&mut self, now: Instant, session: SessionKey) {
        if let Some(entry) = self.sessions.get_mut(session) {
            entry.session.close(now);
            self.pump(now, session);
        }
    }

    /// From here on a WebSocket that is closed gets the code "going away" (1001, RFC 6455 §7.4.1).
    pub fn go_away(&mut self) {
        self.going_away = true;
    }

    /// Ends all sessions, and then takes no new ones.
    pub fn shut_down(&mut self, now: Instant) {
        self.config.max_sessions = 0;
        self.go_away();
        let keys: Vec<SessionKey> = self.sessions.keys().collect();
        keys.into_iter().for_each(|key| self.close(now, key));
    }

    /// Answers an [`Event::Request`] with a response.
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

    /// Whether the backlog of a connection, to be written or to be answered first, is so long that no more should be
    /// read from it, or it was [slowed down](Server::slow_down). It changes when something is written, or with
    /// [`relax`](Server::relax).
    pub fn is_busy(&self, conn: ConnKey) -> bool {
        self.conns.get(conn).is_some_and(|conn| {
            conn.is_slowed || conn.out.len() > Self::ENOUGH || conn.early() > Self::ENOUGH_EARLY
        })
    }

    /// Another thread is going to write the first `bytes` bytes of an [`outbox`](Server::outbox). They stay there, and
    /// are not changed, until [`written`](Server::written) says how many were taken.
    pub fn lend(&mut self, conn: ConnKey, bytes: usize) {
        if let Some(conn) = self.conns.get_mut(conn) {
            conn.out.lend(bytes);
        }
    }

    /// The connection took this many bytes of its [`outbox`](Server::outbox); when any are left, the driver
    /// writes them when it can.
    pub fn written(&mut self, conn: ConnKey, bytes: usize) {
        let Some(entry) = self.conns.get_mut(conn) else { return };
        entry.out.advance(bytes);
        let left = entry.out.len();
        entry.listed = left > 0;
        match entry.state {
            State::WebSocket { session, .. } => {
                let entry = self.sessions.get(session);
                if entry.is_some_and(|entry| entry.session.socket() == Some(conn)) {
                    self.outputs.push_back(Output::Event(Event::Sent { session, left }));
                }
            }
            State::Ending if left == 0 => self.forget(conn),
            State::Ending | State::Head(_) | State::Body { .. } | State::Answering { .. } => {}
        }
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
                session::Output::Answered { left } => {
                    self.outputs.push_back(Output::Event(Event::Sent { session: key, left }));
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
}

impl Machine for Server {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Bytes(conn, bytes) => self.bytes(now, conn, bytes),
            Input::Eof(conn) => self.eof(now, conn),
            Input::Gone(conn) => self.gone(now, conn),
            Input::Wake => self.wake(now),
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
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

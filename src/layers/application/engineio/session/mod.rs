//! One session at the server: which transport it is on, what waits to be sent, and whether the client still lives.
//!
//! ```text
//!   opened by GET ------> POLLING --- "2probe" on a WebSocket, then "5" ---> WEBSOCKET <--- opened by WebSocket
//!                            |                                                  |
//!                            +---- "1", no pong in time, two requests at -------+
//!                            |     once, a packet that is none, its WebSocket   |
//!                            v     closed, closed by us                         v
//!                         DRAINING (the next poll ends), then CLOSED          CLOSED
//! ```
//!
//! | concern | where |
//! |---|---|
//! | what goes in, what comes out, what is allowed | `interface.rs` |
//! | the transport by HTTP: polls, POSTs, what waits for a poll | `polling.rs` |
//! | the move to WebSocket | `upgrade.rs` |
//! | ping and pong | `heartbeat.rs` |
//!
//! Bounds: what waits for a client that does not fetch it is counted, and a session that lets more than
//! [`Config::max_backlog`] pile up is closed.

mod heartbeat;
mod interface;
mod polling;
mod upgrade;

use std::collections::VecDeque;

use bytes::Bytes;

pub use interface::{CloseCause, Config, ConnKey, Input, Output};

use self::heartbeat::{Heartbeat, Pong};
use self::upgrade::Probe;
use super::packet::{Handshake, Packet};
use crate::base::{Alarm, Duration, Instant, Machine};
use crate::layers::application::websocket::{Message, Utf8Bytes};

/// One session, over either transport.
#[derive(Debug)]
pub struct Session {
    config: Config,
    phase: Phase,
    transport: Transport,
    probe: Option<Probe>,
    heartbeat: Heartbeat,
    /// What waits for a poll.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    outputs: VecDeque<Output>,
    alarm: Alarm,
}

/// A packet that waits for a poll, and whether the answer ends with it.
#[derive(Debug)]
struct Waiting {
    packet: Packet,
    ends_body: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Over for the layer above; the client learns it with its next poll, until this time.
    Draining(Instant),
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Polling { poll: Option<ConnKey>, post: Option<ConnKey> },
    WebSocket(ConnKey),
}

impl Session {
    /// A session opened by a GET, which is answered with the handshake.
    pub fn polling(now: Instant, config: Config, sid: &str, get: ConnKey) -> Self {
        let mut session = Session::new(now, config, Transport::Polling { poll: Some(get), post: None });
        session.open(sid, vec!["websocket".into()]);
        session
    }

    /// A session opened by a WebSocket.
    pub fn websocket(now: Instant, config: Config, sid: &str, socket: ConnKey) -> Self {
        let mut session = Session::new(now, config, Transport::WebSocket(socket));
        session.open(sid, Vec::new());
        session
    }

    fn new(now: Instant, config: Config, transport: Transport) -> Self {
        Session {
            phase: Phase::Open,
            transport,
            probe: None,
            heartbeat: Heartbeat::new(now, &config),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            outputs: VecDeque::new(),
            alarm: Alarm::new(),
            config,
        }
    }

    fn open(&mut self, sid: &str, upgrades: Vec<String>) {
        let millis = |duration: Duration| duration.as_nanos() / 1_000_000;
        let handshake = Handshake {
            sid: sid.to_owned(),
            upgrades,
            ping_interval: millis(self.config.ping_interval),
            ping_timeout: millis(self.config.ping_timeout),
            max_payload: self.config.max_payload as u64,
        };
        self.push(Packet::Open(handshake.to_json()));
    }

    /// Sends a message. False when the session is over.
    pub fn send(&mut self, message: Message) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        self.push(Packet::Message(message));
        self.phase == Phase::Open
    }

    /// By polling, what comes after this goes in another answer than what came before.
    pub fn end_body(&mut self) {
        if let Some(last) = self.waiting.back_mut() {
            last.ends_body = true;
        }
    }

    /// Ends the session: what waits is sent first, if the client fetches it.
    pub fn close(&mut self, now: Instant) {
        if self.phase == Phase::Open {
            self.end(now, CloseCause::ByServer);
        }
    }

    /// Pings the client now. When a pong is awaited already, again as soon as that has come, for it may have been on
    /// its way before the question was put: the next [`Output::Alive`] answers this ping or a later one.
    pub fn ping(&mut self, now: Instant) {
        if self.phase == Phase::Open && self.heartbeat.ask(now) {
            self.push_ping();
        }
    }

    /// How long the client took to answer the last ping; zero before the first.
    pub fn round_trip(&self) -> Duration {
        self.heartbeat.round_trip()
    }

    fn push_ping(&mut self) {
        self.push(Packet::Ping(Utf8Bytes::default()));
    }

    /// The WebSocket it is on, when messages may be put on it directly: a broadcast frames them once for all.
    pub fn socket(&self) -> Option<ConnKey> {
        match (self.phase, self.transport) {
            (Phase::Open, Transport::WebSocket(socket)) => Some(socket),
            _ => None,
        }
    }

    /// Whether a GET or POST with its id is in order: not once it has moved to WebSocket.
    pub fn is_polling(&self) -> bool {
        matches!(self.transport, Transport::Polling { .. }) && self.phase != Phase::Closed
    }

    /// Bytes that wait for the next poll.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Nothing will come from it any more.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed && self.outputs.is_empty()
    }

    /// Sends a packet by the transport of the hour, or keeps it for the next poll.
    fn push(&mut self, packet: Packet) {
        match self.transport {
            Transport::WebSocket(socket) => {
                self.outputs.push_back(Output::Send(socket, packet.to_message()));
            }
            Transport::Polling { .. } => {
                self.wait(packet);
                self.flush();
                if self.waiting_bytes > self.config.max_backlog {
                    self.abandon(CloseCause::SlowReader);
                }
            }
        }
    }

    /// A packet of the client, by either transport.
    fn take(&mut self, now: Instant, packet: Packet) {
        match packet {
            Packet::Message(message) => self.outputs.push_back(Output::Message(message)),
            Packet::Pong(_) => match self.heartbeat.pong(now) {
                Pong::Unasked => {}
                Pong::Alive => self.outputs.push_back(Output::Alive),
                Pong::MaybeOld => self.push_ping(),
            },
            Packet::Close => self.end(now, CloseCause::ByClient),
            // Pings go from the server to the client in version 4, and only a server opens.
            Packet::Open(_) | Packet::Ping(_) => self.end(now, CloseCause::BadPacket),
            Packet::Upgrade | Packet::Noop => {}
        }
    }

    fn message(&mut self, now: Instant, socket: ConnKey, message: Message) {
        let packet = Packet::from_message(message).ok();
        if let Some(probe) = self.probe.filter(|probe| probe.socket == socket) {
            self.probed(probe, packet);
        } else if self.phase == Phase::Open && self.transport == Transport::WebSocket(socket) {
            match packet {
                Some(packet) => self.take(now, packet),
                None => self.end(now, CloseCause::BadPacket),
            }
        }
    }

    fn socket_closed(&mut self, now: Instant, socket: ConnKey) {
        if self.probe.is_some_and(|probe| probe.socket == socket) {
            self.probe = None;
        } else if self.transport == Transport::WebSocket(socket) && self.phase == Phase::Open {
            self.end(now, CloseCause::TransportClosed);
        }
    }

    /// Ends the session, and notifies the client as its transport allows.
    fn end(&mut self, now: Instant, cause: CloseCause) {
        self.outputs.push_back(Output::Closed(cause));
        match self.transport {
            Transport::WebSocket(socket) => {
                self.outputs.push_back(Output::HangUp(socket));
                self.finish();
            }
            Transport::Polling { poll, .. } => match (cause, poll) {
                // The client knows: its poll only has to end.
                (CloseCause::ByClient, Some(get)) => {
                    self.outputs.push_back(Output::Answer(get, Bytes::from_static(b"6")));
                    self.finish();
                }
                // The close packet has an answer of its own: a client that finds it after messages may act on it first,
                // drop them, and take for new ones those that a server which recognises it then repeats.
                (CloseCause::ByServer | CloseCause::BadRequest, Some(_)) => {
                    self.phase = Phase::Draining(now + self.config.ping_timeout);
                    self.end_body();
                    self.wait(Packet::Close);
                    self.flush();
                    if self.waiting.is_empty() {
                        self.finish();
                    }
                }
                // A WebSocket that is being probed stays: a client that has stopped polling to move over learns it there.
                (CloseCause::ByServer, None) => {
                    self.phase = Phase::Draining(now + self.config.ping_timeout);
                    self.end_body();
                    self.wait(Packet::Close);
                }
                (_, Some(get)) => {
                    self.outputs.push_back(Output::Refuse(get));
                    self.finish();
                }
                (_, None) => self.finish(),
            },
        }
    }

    /// Ends it without a close packet: the client does not read.
    fn abandon(&mut self, cause: CloseCause) {
        if self.phase == Phase::Open {
            self.outputs.push_back(Output::Closed(cause));
        }
        if let Transport::WebSocket(socket) = self.transport {
            self.outputs.push_back(Output::HangUp(socket));
        }
        self.finish();
    }

    fn finish(&mut self) {
        self.give_up_probe();
        self.phase = Phase::Closed;
        self.waiting = VecDeque::new();
        self.waiting_bytes = 0;
        if let Transport::Polling { poll, .. } = &mut self.transport {
            *poll = None;
        }
    }

    /// Does what is due.
    fn act(&mut self, now: Instant) {
        match self.phase {
            Phase::Draining(until) if until <= now => return self.finish(),
            Phase::Open | Phase::Draining(_) => {}
            Phase::Closed => return,
        }
        if self.probe.is_some_and(|probe| probe.until <= now) {
            self.give_up_probe();
        }
        if self.phase != Phase::Open {
            return;
        }
        if self.heartbeat.ping_is_due(now) {
            self.push_ping();
        }
        if self.phase == Phase::Open && self.heartbeat.pong_is_overdue(now) {
            self.end(now, CloseCause::PingTimeout);
        }
    }

    /// The time to be woken.
    fn due(&self) -> Option<Instant> {
        let until = match self.phase {
            Phase::Closed => return None,
            Phase::Draining(until) => until,
            Phase::Open => self.heartbeat.due(),
        };
        Some(self.probe.map_or(until, |probe| until.min(probe.until)))
    }
}

impl Machine for Session {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        // What should have happened before happens first, however late the driver wakes us.
        self.act(now);
        match input {
            Input::Poll(get) => self.poll_request(now, get),
            Input::PostBegins(conn) => self.post_begins(now, conn),
            Input::Post(conn, body) => self.post(now, conn, &body),
            Input::PostRefused(conn) => self.post_refused(conn),
            Input::NotText if self.phase == Phase::Open => self.end(now, CloseCause::BadRequest),
            Input::NotText => {}
            Input::Gone(conn) => self.gone(now, conn),
            Input::Socket(socket) => self.socket_opened(now, socket),
            Input::Message(socket, message) => self.message(now, socket, message),
            Input::SocketClosed(socket) => self.socket_closed(now, socket),
            Input::TooSlow => self.abandon(CloseCause::SlowReader),
            Input::Wake => self.alarm.rang(),
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.alarm.poll(self.due()).map(Output::WakeAt)
    }
}

#[cfg(test)]
mod tests;

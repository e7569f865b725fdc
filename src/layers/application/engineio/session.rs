//! One session at the server: which transport it is on, what waits to be sent, and whether the client still lives.
//!
//! ```text
//!   opened by GET ------> POLLING --- "2probe" on a WebSocket, then "5" ---> WEBSOCKET <--- opened by WebSocket
//!                            |                                                  |
//!                            +---- "1", no pong in time, two requests at -------+
//!                            |     once, a packet that is none, its WebSocket   |
//!                            v     closed, closed by us                         v
//!                         DRAINING (the next poll is told), then CLOSED       CLOSED
//! ```
//!
//! Bounds: what waits for a client that does not fetch it is counted, and a session that lets more than
//! [`Config::max_backlog`] pile up is closed.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::packet::{Handshake, Packet};
use crate::base::{Alarm, Duration, Instant, Machine, SlabKey};
use crate::layers::application::websocket::{Message, Utf8Bytes};

/// A connection, by the number that its owner gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnKey(pub u64);

impl SlabKey for ConnKey {
    fn from_bits(bits: u64) -> Self {
        ConnKey(bits)
    }

    fn to_bits(self) -> u64 {
        self.0
    }
}

/// What a session allows its client, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From one ping to the next.
    pub ping_interval: Duration,
    /// How long a pong may take.
    pub ping_timeout: Duration,
    /// How long an upgrade may take from the opening of its WebSocket.
    pub upgrade_timeout: Duration,
    /// Bytes of one HTTP body or WebSocket message of the client, as it is told.
    pub max_payload: usize,
    /// Bytes that may wait for the client. What stands above may have a smaller limit of its own, and one message has to
    /// fit in with all of its attachments.
    pub max_backlog: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload: 1_000_000,
            max_backlog: 24 << 20,
        }
    }
}

/// What can happen to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A GET waits for an answer.
    Poll(ConnKey),
    /// The head of a POST has come; its body is being read.
    PostBegins(ConnKey),
    /// The body of that POST.
    Post(ConnKey, Bytes),
    /// A connection with a GET or POST that was not answered is gone.
    Gone(ConnKey),
    /// A WebSocket that named this session is open.
    Socket(ConnKey),
    /// A message came by WebSocket.
    Message(ConnKey, Message),
    /// A WebSocket is closed.
    SocketClosed(ConnKey),
    /// Its client takes too long to read what is sent by WebSocket.
    TooSlow,
    /// The time it asked for has come.
    Wake,
}

/// What a session asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Answer a request with 200 and this text.
    Answer(ConnKey, Bytes),
    /// Answer a request with 400, code 3.
    Refuse(ConnKey),
    /// Send a message by WebSocket.
    Send(ConnKey, Message),
    /// Close a WebSocket.
    HangUp(ConnKey),
    /// Tell the layer above: a message.
    Message(Message),
    /// Tell the layer above: a pong came, so what was sent before its ping has arrived.
    Alive,
    /// Tell the layer above: a poll took all that waited.
    Drained,
    /// Tell the layer above: it is over, once.
    Closed(CloseCause),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCause {
    /// The client said so, in a close packet or a WebSocket's.
    ByClient,
    /// The layer above said so.
    ByServer,
    /// No pong in time.
    PingTimeout,
    /// A packet was none, or one that a client must not send.
    BadPacket,
    /// Two GETs or two POSTs at once, or one that was given up.
    BadRequest,
    /// The WebSocket ended without a word.
    TransportClosed,
    /// Too much waited for it.
    SlowReader,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    phase: Phase,
    transport: Transport,
    probe: Option<Probe>,
    /// When to act next: to ping, or to give up.
    heartbeat: Heartbeat,
    /// Somebody wants to know whether the client lives, and the pong that is awaited could be an old one.
    ping_again: bool,
    /// How long the last pong took.
    round_trip: Duration,
    /// What waits for a poll.
    waiting: VecDeque<Packet>,
    waiting_bytes: usize,
    outputs: VecDeque<Output>,
    alarm: Alarm,
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

/// A WebSocket that may become the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Probe {
    socket: ConnKey,
    /// The probe's ping has been answered.
    answered: bool,
    until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heartbeat {
    PingAt(Instant),
    PongUntil(Instant),
}

impl Session {
    /// Each waiting packet counts for this much beside its bytes.
    const OVERHEAD: usize = 64;

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
            heartbeat: Heartbeat::PingAt(now + config.ping_interval),
            ping_again: false,
            round_trip: Duration::ZERO,
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

    /// Ends the session: what waits is sent first, if the client fetches it.
    pub fn close(&mut self, now: Instant) {
        if self.phase == Phase::Open {
            self.end(now, CloseCause::ByServer);
        }
    }

    /// Pings the client now. When a pong is awaited already, again as soon as that has come, for it may have been on its
    /// way before the question was put: the next [`Output::Alive`] answers this ping or a later one.
    pub fn ping(&mut self, now: Instant) {
        match (self.phase, self.heartbeat) {
            (Phase::Open, Heartbeat::PingAt(_)) => {
                self.heartbeat = Heartbeat::PongUntil(now + self.config.ping_timeout);
                self.push(Packet::Ping(Utf8Bytes::default()));
            }
            (Phase::Open, Heartbeat::PongUntil(_)) => self.ping_again = true,
            (Phase::Draining(_) | Phase::Closed, _) => {}
        }
    }

    /// How long the client took to answer the last ping; zero before the first.
    pub fn round_trip(&self) -> Duration {
        self.round_trip
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
                self.waiting_bytes += packet.payload_len() + Self::OVERHEAD;
                self.waiting.push_back(packet);
                self.flush();
                if self.waiting_bytes > self.config.max_backlog {
                    self.abandon(CloseCause::SlowReader);
                }
            }
        }
    }

    /// Packets in one answer: Python's client takes no more, and ends the session when there are.
    const PACKETS: usize = 16;

    /// Answers the poll that waits, if there is one and something to say. As much as the client may send in one body
    /// is sent in one body, of as many packets as every client takes.
    fn flush(&mut self) {
        let Transport::Polling { poll, .. } = &mut self.transport else { return };
        if self.waiting.is_empty() {
            return;
        }
        let Some(get) = poll.take() else { return };
        let mut body = BytesMut::new();
        for _ in 0..Self::PACKETS {
            let Some(packet) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= packet.payload_len() + Self::OVERHEAD;
            packet.write_payload(&mut body);
            let next = self.waiting.front().map_or(0, Packet::payload_len);
            if body.len() + next > self.config.max_payload {
                break;
            }
        }
        self.outputs.push_back(Output::Answer(get, body.freeze()));
        if self.waiting.is_empty() && self.phase == Phase::Open {
            self.outputs.push_back(Output::Drained);
        }
    }

    /// A packet of the client, by either transport.
    fn take(&mut self, now: Instant, packet: Packet) {
        match packet {
            Packet::Message(message) => self.outputs.push_back(Output::Message(message)),
            Packet::Pong(_) => {
                if let Heartbeat::PongUntil(until) = self.heartbeat {
                    self.round_trip = (now + self.config.ping_timeout).since(until);
                    self.heartbeat = Heartbeat::PingAt(now + self.config.ping_interval);
                    if std::mem::take(&mut self.ping_again) {
                        self.ping(now);
                    } else {
                        self.outputs.push_back(Output::Alive);
                    }
                }
            }
            Packet::Close => self.end(now, CloseCause::ByClient),
            // Pings go from the server to the client in version 4, and only a server opens.
            Packet::Open(_) | Packet::Ping(_) => self.end(now, CloseCause::BadPacket),
            Packet::Upgrade | Packet::Noop => {}
        }
    }

    fn poll_request(&mut self, now: Instant, get: ConnKey) {
        match (self.phase, &mut self.transport) {
            (Phase::Open, Transport::Polling { poll: poll @ None, .. }) => {
                *poll = Some(get);
                self.flush();
                self.release_poll();
            }
            (Phase::Draining(_), Transport::Polling { poll: poll @ None, .. }) => {
                *poll = Some(get);
                self.flush();
                if self.waiting.is_empty() {
                    self.finish();
                }
            }
            (Phase::Open, Transport::Polling { .. }) => {
                self.outputs.push_back(Output::Refuse(get));
                self.end(now, CloseCause::BadRequest);
            }
            _ => self.outputs.push_back(Output::Refuse(get)),
        }
    }

    /// While a WebSocket is being probed no poll is kept waiting: the client ends polling before it moves over.
    fn release_poll(&mut self) {
        if let (Some(Probe { answered: true, .. }), Transport::Polling { poll, .. }) =
            (self.probe, &mut self.transport)
            && let Some(get) = poll.take()
        {
            self.outputs.push_back(Output::Answer(get, Bytes::from_static(b"6")));
        }
    }

    fn post_begins(&mut self, now: Instant, conn: ConnKey) {
        match (self.phase, &mut self.transport) {
            (Phase::Open, Transport::Polling { post: post @ None, .. }) => *post = Some(conn),
            (Phase::Open, Transport::Polling { .. }) => self.end(now, CloseCause::BadRequest),
            _ => {}
        }
    }

    fn post(&mut self, now: Instant, conn: ConnKey, body: &Bytes) {
        let Transport::Polling { post, .. } = &mut self.transport else {
            self.outputs.push_back(Output::Refuse(conn));
            return;
        };
        if *post != Some(conn) || self.phase != Phase::Open {
            self.outputs.push_back(Output::Refuse(conn));
            return;
        }
        *post = None;
        match Packet::from_payload(body) {
            Ok(packets) => {
                for packet in packets {
                    if self.phase == Phase::Open {
                        self.take(now, packet);
                    }
                }
                self.outputs.push_back(Output::Answer(conn, Bytes::from_static(b"ok")));
            }
            Err(_) => {
                self.outputs.push_back(Output::Refuse(conn));
                self.end(now, CloseCause::BadPacket);
            }
        }
    }

    /// A WebSocket named this session: it may try to take over, unless one has already.
    fn socket_opened(&mut self, now: Instant, socket: ConnKey) {
        if self.phase != Phase::Open || self.probe.is_some() || !self.is_polling() {
            self.outputs.push_back(Output::HangUp(socket));
            return;
        }
        self.probe = Some(Probe { socket, answered: false, until: now + self.config.upgrade_timeout });
    }

    fn message(&mut self, now: Instant, socket: ConnKey, message: Message) {
        if self.phase != Phase::Open {
            return;
        }
        let packet = Packet::from_message(message);
        if let Some(probe) = &mut self.probe
            && probe.socket == socket
        {
            match packet {
                Ok(Packet::Ping(text)) if text.as_str() == Packet::PROBE => {
                    probe.answered = true;
                    self.outputs.push_back(Output::Send(socket, Packet::Pong(text).to_message()));
                    self.release_poll();
                }
                Ok(Packet::Upgrade) if probe.answered => self.upgrade(socket),
                _ => self.give_up_probe(),
            }
            return;
        }
        if self.transport != Transport::WebSocket(socket) {
            return;
        }
        match packet {
            Ok(packet) => self.take(now, packet),
            Err(_) => self.end(now, CloseCause::BadPacket),
        }
    }

    fn upgrade(&mut self, socket: ConnKey) {
        if let Transport::Polling { poll: Some(get), .. } = self.transport {
            self.outputs.push_back(Output::Answer(get, Bytes::from_static(b"6")));
        }
        self.probe = None;
        self.transport = Transport::WebSocket(socket);
        self.waiting_bytes = 0;
        for packet in std::mem::take(&mut self.waiting) {
            self.push(packet);
        }
    }

    fn give_up_probe(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.outputs.push_back(Output::HangUp(probe.socket));
        }
    }

    fn gone(&mut self, now: Instant, conn: ConnKey) {
        match &mut self.transport {
            Transport::Polling { poll, post } if *poll == Some(conn) || *post == Some(conn) => {
                if *poll == Some(conn) {
                    *poll = None;
                }
                if *post == Some(conn) {
                    *post = None;
                }
                if self.phase == Phase::Open {
                    self.end(now, CloseCause::BadRequest);
                }
            }
            _ => {}
        }
    }

    fn socket_closed(&mut self, now: Instant, socket: ConnKey) {
        if self.probe.is_some_and(|probe| probe.socket == socket) {
            self.probe = None;
        } else if self.transport == Transport::WebSocket(socket) && self.phase == Phase::Open {
            self.end(now, CloseCause::TransportClosed);
        }
    }

    /// Ends the session, and tells the client as its transport allows.
    fn end(&mut self, now: Instant, cause: CloseCause) {
        self.give_up_probe();
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
                (CloseCause::ByServer | CloseCause::BadRequest, Some(_)) => {
                    self.phase = Phase::Draining(now);
                    self.waiting_bytes += Packet::Close.payload_len() + Self::OVERHEAD;
                    self.waiting.push_back(Packet::Close);
                    self.flush();
                    self.finish();
                }
                (CloseCause::ByServer, None) => {
                    self.phase = Phase::Draining(now + self.config.ping_timeout);
                    self.waiting_bytes += Packet::Close.payload_len() + Self::OVERHEAD;
                    self.waiting.push_back(Packet::Close);
                }
                (_, Some(get)) => {
                    self.outputs.push_back(Output::Refuse(get));
                    self.finish();
                }
                (_, None) => self.finish(),
            },
        }
    }

    /// Ends it without a word to the client, who does not listen.
    fn abandon(&mut self, cause: CloseCause) {
        if self.phase == Phase::Open {
            self.outputs.push_back(Output::Closed(cause));
        }
        self.give_up_probe();
        if let Transport::WebSocket(socket) = self.transport {
            self.outputs.push_back(Output::HangUp(socket));
        }
        self.finish();
    }

    fn finish(&mut self) {
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
            Phase::Open => {}
            Phase::Draining(until) if until <= now => return self.finish(),
            Phase::Draining(_) | Phase::Closed => return,
        }
        if self.probe.is_some_and(|probe| probe.until <= now) {
            self.give_up_probe();
        }
        if let Heartbeat::PingAt(at) = self.heartbeat
            && at <= now
        {
            // A little late is the timer's doing and not counted; much too late is ours, and the client gets its time.
            let late = now.since(at);
            let grace = Duration::from_nanos(self.config.ping_timeout.as_nanos() / 20);
            let from = if late <= grace { at } else { now };
            self.heartbeat = Heartbeat::PongUntil(from + self.config.ping_timeout);
            self.push(Packet::Ping(Utf8Bytes::default()));
        }
        if let Heartbeat::PongUntil(until) = self.heartbeat
            && until <= now
        {
            self.end(now, CloseCause::PingTimeout);
        }
    }

    /// The time to be woken.
    fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Closed => None,
            Phase::Draining(until) => Some(until),
            Phase::Open => {
                let (Heartbeat::PingAt(beat) | Heartbeat::PongUntil(beat)) = self.heartbeat;
                Some(self.probe.map_or(beat, |probe| beat.min(probe.until)))
            }
        }
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
#[path = "session_tests.rs"]
mod tests;

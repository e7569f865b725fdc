//! The bytes under a [`Poller`]: HTTP on two TCP connections that stay open, and a WebSocket on a third.
//!
//! Two, because an HTTP/1.1 connection carries one request at a time (RFC 9112 §9.3.2 leaves pipelining to the brave):
//! while a GET waits on one, a POST needs another. Each is opened when it is first needed, and again when the server
//! has closed it between two requests.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{Input as PollerInput, Output as PollerOutput, Poller, SendError};
use crate::base::{Alarm, Instant, Machine};
use crate::layers::application::engineio::packet::Handshake;
use crate::layers::application::engineio::session::CloseCause;
use crate::layers::application::http::{Headers, Limits, RequestHead, ResponseReader};
use crate::layers::application::websocket::{
    self, CloseCode, CloseReason, Connection, MaskSource, Message, Request,
};

/// One of its TCP connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// On which a GET waits.
    Poll,
    /// For POSTs, which carry the client's packets.
    Post,
    /// For the WebSocket, once the session is upgraded.
    Socket,
}

/// Where a session is to be opened, and how.
pub struct CarrierConfig {
    /// The server's name, and its port when it is not 80.
    pub host: String,
    /// The endpoint's path, such as `/socket.io/`.
    pub path: String,
    /// Whether to move to WebSocket when the server offers it.
    pub upgrade: bool,
    /// Bytes of one answer that are taken.
    pub max_body: usize,
    /// 16 unpredictable bytes for the WebSocket's opening handshake (RFC 6455 §4.1).
    pub nonce: [u8; 16],
    /// Where the WebSocket's masks come from (RFC 6455 §5.3).
    pub masks: MaskSource,
}

/// What can happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A connection that it asked for is established.
    Connected(Line),
    /// Bytes came, cut anywhere.
    Bytes(Line, Bytes),
    /// A connection has ended, or could not be opened.
    Gone(Line),
    /// The time it asked for has come.
    Wake,
}

/// What it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a connection to the server.
    Connect(Line),
    /// Write to a connection.
    Write(Line, Bytes),
    /// Close a connection, after what was written.
    Close(Line),
    /// Tell the layer above: the session is open.
    Open(Handshake),
    /// Tell the layer above: it has moved to WebSocket.
    Upgraded,
    /// Tell the layer above: a message.
    Message(Message),
    /// Tell the layer above: it is over, once.
    Closed(CloseCause),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// A [`Poller`] and the connections under it.
pub struct Carrier {
    config: CarrierConfig,
    poller: Poller,
    poll: HttpConnection,
    post: HttpConnection,
    socket: Option<WebSocketLine>,
    poller_due: Instant,
    alarm: Alarm,
    outputs: VecDeque<Output>,
}

/// An HTTP connection: at most one request is on it.
#[derive(Debug)]
struct HttpConnection {
    state: HttpState,
    reader: ResponseReader,
    /// The request that waits for the connection to be established.
    unsent: Option<Bytes>,
    /// A request is not answered.
    busy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HttpState {
    Closed,
    Connecting,
    Open,
}

/// The WebSocket, while there is one.
#[derive(Debug)]
struct WebSocketLine {
    target: String,
    /// Once TCP is established.
    machine: Option<Connection>,
    due: Instant,
}

impl Carrier {
    /// Opens a session by polling.
    pub fn new(now: Instant, config: CarrierConfig) -> Self {
        let wire = || HttpConnection {
            state: HttpState::Closed,
            reader: ResponseReader::new(Limits::default(), config.max_body),
            unsent: None,
            busy: false,
        };
        let poller = Poller::new(now, &config.path, config.upgrade);
        let (poll, post) = (wire(), wire());
        let mut carrier = Carrier {
            config,
            poller,
            poll,
            post,
            socket: None,
            poller_due: Instant::NEVER,
            alarm: Alarm::new(),
            outputs: VecDeque::new(),
        };
        carrier.drive(now);
        carrier
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`SendError`]: the message was not taken.
    pub fn send(&mut self, now: Instant, message: Message) -> Result<(), SendError> {
        self.poller.send(message)?;
        self.drive(now);
        Ok(())
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self, now: Instant) {
        self.poller.close(now);
        self.drive(now);
    }

    /// Bytes of messages that wait to be posted.
    pub fn waiting(&self) -> usize {
        self.poller.waiting()
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.poller.is_open()
    }

    /// Whether it has moved to WebSocket.
    pub fn is_upgraded(&self) -> bool {
        self.poller.is_upgraded()
    }

    /// Does what the poller asks for.
    fn drive(&mut self, now: Instant) {
        while let Some(output) = self.poller.poll(now) {
            match output {
                PollerOutput::Get(target) => {
                    let request = self.request("GET", &target, None);
                    self.ask(Line::Poll, request);
                }
                PollerOutput::Post(target, body) => {
                    let request = self.request("POST", &target, Some(&body));
                    self.ask(Line::Post, request);
                }
                PollerOutput::OpenSocket(target) => {
                    self.socket = Some(WebSocketLine { target, machine: None, due: Instant::NEVER });
                    self.outputs.push_back(Output::Connect(Line::Socket));
                }
                PollerOutput::Send(message) => self.send_frame(now, message),
                PollerOutput::CloseSocket => self.close_socket(now),
                PollerOutput::Open(handshake) => self.outputs.push_back(Output::Open(handshake)),
                PollerOutput::Upgraded => self.upgraded(),
                PollerOutput::Message(message) => self.outputs.push_back(Output::Message(message)),
                PollerOutput::Closed(cause) => self.outputs.push_back(Output::Closed(cause)),
                PollerOutput::HangUp => {
                    self.close_wires();
                    self.close_socket(now);
                }
                PollerOutput::WakeAt(at) => self.poller_due = at,
            }
        }
    }

    fn request(&self, method: &str, target: &str, body: Option<&Bytes>) -> Bytes {
        let mut headers = Headers::new().with("Host", &self.config.host);
        if let Some(body) = body {
            headers.push("Content-Type", "text/plain;charset=UTF-8");
            headers.push("Content-Length", body.len().to_string());
        }
        // The host is the caller's; an empty request, which no server answers, is what a bad one becomes.
        let head = RequestHead::new(method, target, headers).emit().unwrap_or_default();
        match body {
            None => head,
            Some(body) => {
                // In one write: head and body in two would wait for each other (RFC 9293 §3.7.4).
                let mut whole = BytesMut::with_capacity(head.len() + body.len());
                whole.extend_from_slice(&head);
                whole.extend_from_slice(body);
                whole.freeze()
            }
        }
    }

    fn wire(&mut self, line: Line) -> Option<&mut HttpConnection> {
        match line {
            Line::Poll => Some(&mut self.poll),
            Line::Post => Some(&mut self.post),
            Line::Socket => None,
        }
    }

    /// Puts a request on a line, which is opened if it must be.
    fn ask(&mut self, line: Line, request: Bytes) {
        let Some(wire) = self.wire(line) else { return };
        wire.busy = true;
        match wire.state {
            HttpState::Open => self.outputs.push_back(Output::Write(line, request)),
            HttpState::Connecting => wire.unsent = Some(request),
            HttpState::Closed => {
                wire.unsent = Some(request);
                wire.state = HttpState::Connecting;
                self.outputs.push_back(Output::Connect(line));
            }
        }
    }

    /// Once everything uses the WebSocket, the two others are idle.
    fn upgraded(&mut self) {
        self.outputs.push_back(Output::Upgraded);
        self.close_wires();
    }

    fn close_wires(&mut self) {
        for line in [Line::Poll, Line::Post] {
            let Some(wire) = self.wire(line) else { continue };
            wire.busy = false;
            wire.unsent = None;
            if std::mem::replace(&mut wire.state, HttpState::Closed) != HttpState::Closed {
                self.outputs.push_back(Output::Close(line));
            }
        }
    }

    fn close_socket(&mut self, now: Instant) {
        let Some(socket) = &mut self.socket else { return };
        match &mut socket.machine {
            // It may be closing already, and then there is nothing to say.
            Some(machine) => {
                let _ = machine.close(now, &CloseReason::new(CloseCode::NORMAL, ""));
                self.drive_socket(now);
            }
            None => {
                self.socket = None;
                self.outputs.push_back(Output::Close(Line::Socket));
            }
        }
    }

    fn send_frame(&mut self, now: Instant, message: Message) {
        let Some(machine) = self.socket.as_mut().and_then(|socket| socket.machine.as_mut()) else { return };
        let sent = match message {
            Message::Text(text) => machine.send_text(text),
            Message::Binary(bytes) => machine.send_binary(bytes),
        };
        match sent {
            Ok(()) => self.drive_socket(now),
            // More waits for the network than a WebSocket takes: a message must not be left out in silence.
            Err(_) => self.socket_gone(now),
        }
    }

    fn connected(&mut self, now: Instant, line: Line) {
        if let Some(wire) = self.wire(line) {
            wire.state = HttpState::Open;
            if let Some(request) = wire.unsent.take() {
                self.outputs.push_back(Output::Write(line, request));
            }
            return;
        }
        let (nonce, host) = (self.config.nonce, self.config.host.clone());
        let Some(socket) = &mut self.socket else { return };
        let masks = std::mem::replace(&mut self.config.masks, Box::new(|| None));
        let request = Request::new(host, socket.target.clone(), nonce);
        match Connection::client(now, websocket::Config::default(), request, masks) {
            Ok(machine) => {
                socket.machine = Some(machine);
                self.drive_socket(now);
            }
            Err(_) => self.socket_gone(now),
        }
    }

    fn bytes(&mut self, now: Instant, line: Line, bytes: Bytes) {
        if line == Line::Socket {
            if let Some(machine) = self.socket.as_mut().and_then(|socket| socket.machine.as_mut()) {
                machine.handle(now, websocket::Input::Bytes(bytes));
                self.drive_socket(now);
            }
            return;
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Some(wire) = self.wire(line) else { return };
            let response = match wire.reader.take(&mut rest) {
                Ok(None) => return,
                // An answer without a request is ignored.
                Ok(Some(_)) if !wire.busy => return self.broken(now, line),
                Ok(Some(response)) => response,
                Err(_) => return self.broken(now, line),
            };
            wire.busy = false;
            let closes = response.head.headers.has_token("Connection", "close");
            if closes {
                wire.state = HttpState::Closed;
                self.outputs.push_back(Output::Close(line));
            }
            let answer = match line {
                Line::Poll => PollerInput::Polled(response.head.status, response.body),
                Line::Post | Line::Socket => PollerInput::Posted(response.head.status),
            };
            self.tell(now, answer);
            if closes {
                return;
            }
        }
    }

    /// What comes on a line makes no sense.
    fn broken(&mut self, now: Instant, line: Line) {
        self.outputs.push_back(Output::Close(line));
        self.gone(now, line);
    }

    fn gone(&mut self, now: Instant, line: Line) {
        let limits = self.config.max_body;
        let Some(wire) = self.wire(line) else { return self.socket_gone(now) };
        wire.state = HttpState::Closed;
        wire.unsent = None;
        wire.reader = ResponseReader::new(Limits::default(), limits);
        if std::mem::take(&mut wire.busy) {
            self.tell(now, PollerInput::RequestFailed);
        }
    }

    fn socket_gone(&mut self, now: Instant) {
        if self.socket.take().is_some() {
            self.outputs.push_back(Output::Close(Line::Socket));
            self.tell(now, PollerInput::SocketClosed);
        }
    }

    /// Does what the WebSocket asks for.
    fn drive_socket(&mut self, now: Instant) {
        loop {
            let Some(socket) = &mut self.socket else { return };
            let Some(machine) = &mut socket.machine else { return };
            match machine.poll(now) {
                Some(websocket::Output::Send(bytes)) => {
                    self.outputs.push_back(Output::Write(Line::Socket, bytes));
                }
                Some(websocket::Output::WakeAt(at)) => socket.due = at,
                Some(websocket::Output::Finished) => return self.socket_gone(now),
                Some(websocket::Output::Event(event)) => match event {
                    websocket::Event::Open(_) => self.tell(now, PollerInput::SocketOpen),
                    websocket::Event::Message(message) => self.tell(now, PollerInput::Message(message)),
                    // The TCP connection ends next.
                    websocket::Event::Close(_) | websocket::Event::Failed(_) => {
                        self.tell(now, PollerInput::SocketClosed);
                    }
                    // No fragments are asked for.
                    websocket::Event::Fragment(_) | websocket::Event::Ping(_) | websocket::Event::Pong(_) => {
                    }
                },
                None => return,
            }
        }
    }

    fn tell(&mut self, now: Instant, input: PollerInput) {
        self.poller.handle(now, input);
        self.drive(now);
    }

    fn due(&self) -> Option<Instant> {
        let due = self.socket.as_ref().map_or(self.poller_due, |socket| socket.due.min(self.poller_due));
        Some(due).filter(|due| *due < Instant::NEVER)
    }

    fn wake(&mut self, now: Instant) {
        self.alarm.rang();
        if self.poller_due <= now {
            self.poller_due = Instant::NEVER;
            self.tell(now, PollerInput::Wake);
        }
        if let Some(socket) = self.socket.as_mut().filter(|socket| socket.due <= now) {
            socket.due = Instant::NEVER;
            if let Some(machine) = &mut socket.machine {
                machine.handle(now, websocket::Input::Wake);
                self.drive_socket(now);
            }
        }
    }
}

impl Machine for Carrier {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected(line) => self.connected(now, line),
            Input::Bytes(line, bytes) => self.bytes(now, line, bytes),
            Input::Gone(line) => self.gone(now, line),
            Input::Wake => self.wake(now),
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.alarm.poll(self.due()).map(Output::WakeAt)
    }
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carrier").field("poller", &self.poller).finish_non_exhaustive()
    }
}

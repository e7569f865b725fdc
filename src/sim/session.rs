//! A client's session of Engine.IO on a simulated host: a [`Caller`], which begins by long-polling or by WebSocket, on
//! the TCP connections that it asks for.
//!
//! The caller knows no socket and the socket no session; this carries bytes and times between the two, as
//! [`WebSocketEnd`](super::websocket::WebSocketEnd) does for one WebSocket. A program gives it what happens, takes events
//! until there are none, and then flushes.
//!
//! Bounds: what the caller lets wait, and what its WebSocket does; a program that sends more asks
//! [`waiting`](SessionEnd::waiting) first.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::outgoing::Outgoing;
use super::websocket::secrets;
use super::{Io, SocketEvent, SocketId};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::engineio::poller::{
    Caller, CarrierConfig, CarrierInput as Input, CarrierOutput as Output, Line, Transport,
};
use crate::layers::application::websocket::Message;
use crate::layers::transport::tcp::Reason;
use crate::trace::Kind;

/// The longest HTTP answer that is taken.
const MAX_BODY: usize = 16 << 20;

/// What a session tells its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is open.
    Open {
        /// Bytes of the largest message that the server takes.
        max_payload: u64,
    },
    /// It has moved to WebSocket.
    Upgraded,
    /// A message arrived.
    Message(Message),
    /// It is over, once. Its connections may take longer to close.
    Closed(CloseCause),
}

/// One end of a session: see the head of this file.
#[derive(Debug)]
pub struct SessionEnd {
    to: SocketAddr,
    caller: Caller,
    lines: BTreeMap<Line, Tcp>,
    wake_at: Instant,
    /// Why TCP ended the last connection that it ended.
    reason: Option<Reason>,
}

/// A TCP connection under it, and what its send buffer had no room for.
#[derive(Debug)]
struct Tcp {
    socket: SocketId,
    unsent: Outgoing,
    /// To be closed when everything is written.
    closing: bool,
}

impl SessionEnd {
    /// Opens a session with the endpoint at this path of a server.
    pub fn open(to: SocketAddr, path: &str, transport: Transport, io: &mut Io<'_>) -> Self {
        let (nonce, masks) = secrets(io);
        let upgrade = transport == Transport::Upgrade;
        let (host, path) = (to.to_string(), path.to_owned());
        let config = CarrierConfig { host, path, upgrade, max_body: MAX_BODY, nonce, masks };
        SessionEnd {
            to,
            caller: Caller::new(io.now(), transport, config),
            lines: BTreeMap::new(),
            wake_at: Instant::NEVER,
            reason: None,
        }
    }

    /// Sends a message: false when the session is not open, or does not take it.
    pub fn send(&mut self, message: Message, io: &mut Io<'_>) -> bool {
        self.caller.send(io.now(), message)
    }

    /// Ends the session, with a close packet for the server.
    pub fn close(&mut self, io: &mut Io<'_>) {
        self.caller.close(io.now());
    }

    /// Resets its connections: what waits is not sent any more.
    pub fn abort(self, io: &mut Io<'_>) {
        self.lines.into_values().for_each(|tcp| io.tcp_abort(tcp.socket));
    }

    /// Closes its connections without a close packet, as a host does when a program ends.
    pub fn abandon(self, io: &mut Io<'_>) {
        self.lines.into_values().for_each(|tcp| io.tcp_close(tcp.socket));
    }

    /// Bytes that TCP has not taken, or that wait to be posted.
    pub fn waiting(&self) -> usize {
        self.lines.values().map(|tcp| tcp.unsent.len()).sum::<usize>() + self.caller.waiting()
    }

    /// When it is due next. A program has one alarm only, so it must ask for the earliest of all.
    pub fn wake_at(&self) -> Instant {
        self.wake_at
    }

    /// Why TCP ended the last connection that it ended.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Whether a socket is one of its connections.
    pub fn owns(&self, socket: SocketId) -> bool {
        self.line_of(socket).is_some()
    }

    /// What a socket event means to the session. As long as it is [`Readable`](SocketEvent::Readable) and says something,
    /// there may be more.
    pub fn input(&mut self, event: SocketEvent, io: &mut Io<'_>) -> Option<Input> {
        let line = self.line_of(event.socket())?;
        match event {
            SocketEvent::Connected(_) => Some(Input::Connected(line)),
            SocketEvent::Readable(socket) => {
                io.tcp_read(socket, usize::MAX).map(|bytes| Input::Bytes(line, bytes))
            }
            SocketEvent::PeerClosed(socket) => {
                io.tcp_shutdown(socket);
                self.lines.remove(&line);
                Some(Input::Gone(line))
            }
            SocketEvent::Closed { reason, .. } => {
                self.reason = Some(reason);
                self.lines.remove(&line);
                Some(Input::Gone(line))
            }
            SocketEvent::Writable(_)
            | SocketEvent::Accepted { .. }
            | SocketEvent::Report { .. }
            | SocketEvent::Unreachable { .. } => None,
        }
    }

    /// Gives the session something that happened.
    pub fn give(&mut self, input: Input, io: &mut Io<'_>) {
        if input == Input::Wake {
            self.wake_at = Instant::NEVER;
        }
        self.caller.handle(io.now(), input);
    }

    /// What happened next, for the program.
    pub fn next(&mut self, io: &mut Io<'_>) -> Option<Event> {
        loop {
            match self.caller.poll(io.now())? {
                Output::Connect(line) => self.connect(line, io),
                Output::Write(line, bytes) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.unsent.push(bytes);
                    }
                }
                Output::Close(line) => {
                    if let Some(tcp) = self.lines.get_mut(&line) {
                        tcp.closing = true;
                    }
                }
                Output::Open(handshake) => return Some(Event::Open { max_payload: handshake.max_payload }),
                Output::Upgraded => return Some(Event::Upgraded),
                Output::Message(message) => return Some(Event::Message(message)),
                Output::Closed(cause) => return Some(Event::Closed(cause)),
                Output::WakeAt(at) => self.wake_at = at,
            }
        }
    }

    /// Writes what waits, in one piece on each connection, as far as TCP has room; what is left goes when the socket is
    /// writable again.
    pub fn flush(&mut self, io: &mut Io<'_>) {
        self.lines.values_mut().for_each(|tcp| tcp.flush(io));
        self.lines.retain(|_, tcp| !(tcp.closing && tcp.unsent.is_empty()));
    }

    fn connect(&mut self, line: Line, io: &mut Io<'_>) {
        match io.tcp_connect(self.to) {
            Ok(socket) => {
                self.lines.insert(line, Tcp { socket, unsent: Outgoing::together(), closing: false });
            }
            Err(error) => {
                io.note(|| Kind::Note { text: format!("connect: {error}").into() });
                self.give(Input::Gone(line), io);
            }
        }
    }

    fn line_of(&self, socket: SocketId) -> Option<Line> {
        self.lines.iter().find(|(_, tcp)| tcp.socket == socket).map(|(line, _)| *line)
    }
}

impl Tcp {
    fn flush(&mut self, io: &mut Io<'_>) {
        // When nothing can be sent any more, the socket says so itself.
        let _ = self.unsent.flush(self.socket, io);
        if self.closing && self.unsent.is_empty() {
            io.tcp_shutdown(self.socket);
        }
    }
}

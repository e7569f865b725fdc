//! A message over WebSocket: asked for by HTTP, framed, masked, sent back by the server, and closed by both.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use bytes::Bytes;

use crate::base::{Duration, Machine as _};
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Input, Message, Output, Policy, Request, Utf8Bytes,
};
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// The largest message of a scene in bytes, and so the largest frame.
const MAX_MESSAGE: usize = 64 << 20;

/// Opens a WebSocket, sends one message, waits for it to come back, and closes.
///
/// The message is text when it is UTF-8, and binary when it is not.
#[derive(Debug)]
pub struct Client {
    to: SocketAddrV4,
    message: Bytes,
    socket: Option<Socket>,
    received: Vec<Bytes>,
}

impl Client {
    /// A client that will send `message` to `to`.
    pub fn new(to: SocketAddrV4, message: Bytes) -> Self {
        Client { to, message, socket: None, received: Vec::new() }
    }

    /// The messages that came back.
    pub fn received(&self) -> &[Bytes] {
        &self.received
    }

    fn act(&mut self, io: &mut Io<'_>, input: Option<Input>) {
        let Some(socket) = &mut self.socket else { return };
        socket.give(io, input);
        while let Some(event) = socket.next(io) {
            match event {
                Event::Open(_) => socket.send(io, &self.message),
                Event::Message(message) => {
                    self.received.push(payload(&message));
                    socket.note_received(io, &message);
                    let reason = CloseReason::new(CloseCode::NORMAL, "");
                    if let Err(error) = socket.machine.close(io.now(), &reason) {
                        io.note(|| Kind::Note { text: format!("close: {error}").into() });
                    }
                }
                other => socket.note_end(io, &other),
            }
        }
        socket.flush(io);
    }
}

impl App for Client {
    fn start(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.tcp_connect(self.to) {
            io.note(|| Kind::Note { text: format!("connect: {error}").into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Connected(id) = event {
            let mut nonce = [0; 16];
            nonce.iter_mut().for_each(|byte| *byte = io.rng().next_u32() as u8);
            // Masks come from the run's seed, so that it can be repeated. On real sockets they must not be
            // predictable (RFC 6455 §5.3).
            let mut masks = io.rng().fork("masks");
            let masks = Box::new(move || masks.next_u32().to_be_bytes());
            let request = Request::new(self.to.to_string(), "/", nonce);
            match Connection::client(io.now(), config(), request, masks) {
                Ok(machine) => self.socket = Some(Socket::new(id, machine)),
                Err(error) => io.note(|| Kind::Note { text: error.to_string().into() }),
            }
        }
        let input = self.socket.as_mut().and_then(|socket| socket.input(event, io));
        self.act(io, input);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.act(io, Some(Input::Wake));
    }
}

/// Accepts one WebSocket connection after the other and sends back every message.
#[derive(Debug)]
pub struct EchoServer {
    port: u16,
    socket: Option<Socket>,
    received: Vec<Bytes>,
}

impl EchoServer {
    /// A server on `port`.
    pub fn new(port: u16) -> Self {
        EchoServer { port, socket: None, received: Vec::new() }
    }

    /// The messages that arrived.
    pub fn received(&self) -> &[Bytes] {
        &self.received
    }

    fn act(&mut self, io: &mut Io<'_>, input: Option<Input>) {
        let Some(socket) = &mut self.socket else { return };
        socket.give(io, input);
        while let Some(event) = socket.next(io) {
            match event {
                Event::Open(_) => {}
                Event::Message(message) => {
                    socket.note_received(io, &message);
                    let bytes = payload(&message);
                    self.received.push(bytes.clone());
                    socket.send(io, &bytes);
                }
                other => socket.note_end(io, &other),
            }
        }
        socket.flush(io);
    }
}

impl App for EchoServer {
    fn start(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.tcp_listen(self.port) {
            io.note(|| Kind::Note { text: format!("listen on {}: {error}", self.port).into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Accepted { socket, .. } = event {
            let machine = Connection::server(io.now(), config(), Policy::default());
            self.socket = Some(Socket::new(socket, machine));
        }
        let input = self.socket.as_mut().and_then(|socket| socket.input(event, io));
        self.act(io, input);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.act(io, Some(Input::Wake));
    }
}

/// A WebSocket machine on top of a TCP socket: what either end of the scene needs.
#[derive(Debug)]
struct Socket {
    tcp: SocketId,
    machine: Connection,
    /// What the send buffer of TCP had no room for. Bounded, since the machine bounds what it lets wait and the scene
    /// sends one message.
    unsent: VecDeque<Bytes>,
    finished: bool,
}

impl Socket {
    fn new(tcp: SocketId, machine: Connection) -> Self {
        Socket { tcp, machine, unsent: VecDeque::new(), finished: false }
    }

    /// What a socket event means to the machine.
    fn input(&self, event: SocketEvent, io: &mut Io<'_>) -> Option<Input> {
        match event {
            SocketEvent::Readable(socket) if socket == self.tcp => {
                io.tcp_read(socket, usize::MAX).map(Input::Bytes)
            }
            SocketEvent::PeerClosed(socket) if socket == self.tcp => Some(Input::Eof),
            SocketEvent::Closed { socket, .. } if socket == self.tcp => Some(Input::Eof),
            _ => None,
        }
    }

    fn give(&mut self, io: &mut Io<'_>, input: Option<Input>) {
        if let Some(input) = input {
            self.machine.handle(io.now(), input);
        }
    }

    /// What happened next, for the program. When nothing has, all that could be read was read.
    fn next(&mut self, io: &mut Io<'_>) -> Option<Event> {
        loop {
            match self.machine.poll(io.now()) {
                Some(Output::Event(event)) => return Some(event),
                Some(Output::Send(bytes)) => self.unsent.push_back(bytes),
                Some(Output::WakeAt(at)) => io.wake_at(at),
                Some(Output::Finished) => self.finished = true,
                None => {
                    let bytes = io.tcp_read(self.tcp, usize::MAX)?;
                    self.machine.handle(io.now(), Input::Bytes(bytes));
                }
            }
        }
    }

    /// Writes what waits, as far as TCP has room; what is left goes when the socket is writable again.
    fn flush(&mut self, io: &mut Io<'_>) {
        while let Some(bytes) = self.unsent.front_mut() {
            match io.tcp_write(self.tcp, bytes) {
                Ok(taken) if taken == bytes.len() => {
                    self.unsent.pop_front();
                }
                Ok(taken) => {
                    *bytes = bytes.slice(taken..);
                    return;
                }
                Err(_) => self.unsent.clear(),
            }
        }
        if self.finished {
            io.tcp_shutdown(self.tcp);
        }
    }

    fn send(&mut self, io: &mut Io<'_>, message: &Bytes) {
        let sent = match Utf8Bytes::try_from(message.clone()) {
            Ok(text) => self.machine.send_text(text),
            Err(_) => self.machine.send_binary(message.clone()),
        };
        let (flow, len) = (io.stack().flow(self.tcp), message.len());
        match sent {
            Ok(()) => io.note(|| Kind::MessageSent { flow, len }),
            Err(error) => io.note(|| Kind::Note { text: format!("send: {error}").into() }),
        }
    }

    fn note_received(&self, io: &mut Io<'_>, message: &Message) {
        let (flow, len) = (io.stack().flow(self.tcp), payload(message).len());
        io.note(|| Kind::MessageReceived { flow, len });
    }

    fn note_end(&self, io: &mut Io<'_>, event: &Event) {
        if let Event::Failed(failure) = event {
            io.note(|| Kind::Note { text: failure.error.to_string().into() });
        }
    }
}

fn payload(message: &Message) -> Bytes {
    match message {
        Message::Text(text) => text.as_bytes().clone(),
        Message::Binary(bytes) => bytes.clone(),
    }
}

/// It is TCP that gives up in these scenes, not the WebSocket: its own patience outlasts any of them.
fn config() -> Config {
    let patience = Duration::from_secs(365 * 24 * 60 * 60);
    Config {
        max_frame: MAX_MESSAGE,
        max_message: MAX_MESSAGE,
        max_queue: MAX_MESSAGE,
        handshake_timeout: patience,
        close_timeout: patience,
        ..Config::default()
    }
}

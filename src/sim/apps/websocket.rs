//! A message over WebSocket: asked for by HTTP, framed, masked, sent back by the server, and closed by both.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::Duration;
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Input, Policy,
};
use crate::layers::stack::SocketEvent;
use crate::sim::websocket::{WebSocketEnd, message, payload};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// The largest message of a scene in bytes, and so the largest frame.
const MAX_MESSAGE: usize = 64 << 20;

/// Opens a WebSocket, sends one message, waits for it to come back, and closes.
///
/// The message is text when it is UTF-8, and binary when it is not.
#[derive(Debug)]
pub struct Client {
    to: SocketAddr,
    message: Bytes,
    socket: Option<WebSocketEnd>,
    received: Vec<Bytes>,
}

impl Client {
    /// A client that will send `message` to `to`.
    pub fn new(to: SocketAddr, message: Bytes) -> Self {
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
                Event::Open(_) => send(socket, io, &self.message),
                Event::Message(ref message) => {
                    self.received.push(payload(message));
                    socket.note(io, &event);
                    let reason = CloseReason::new(CloseCode::NORMAL, "");
                    if let Err(error) = socket.machine.close(io.now(), &reason) {
                        io.note(|| Kind::Note { text: format!("close: {error}").into() });
                    }
                }
                other => socket.note(io, &other),
            }
        }
        socket.flush(io);
        if let Some(at) = socket.wake_at() {
            io.wake_at(at);
        }
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
            let (request, masks) = WebSocketEnd::ask(self.to.to_string(), "/", io);
            match Connection::client(io.now(), config(), request, masks) {
                Ok(machine) => self.socket = Some(WebSocketEnd::new(id, machine)),
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
    socket: Option<WebSocketEnd>,
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
                Event::Message(ref message) => {
                    socket.note(io, &event);
                    let bytes = payload(message);
                    self.received.push(bytes.clone());
                    send(socket, io, &bytes);
                }
                other => socket.note(io, &other),
            }
        }
        socket.flush(io);
        if let Some(at) = socket.wake_at() {
            io.wake_at(at);
        }
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
            self.socket = Some(WebSocketEnd::new(socket, machine));
        }
        let input = self.socket.as_mut().and_then(|socket| socket.input(event, io));
        self.act(io, input);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        self.act(io, Some(Input::Wake));
    }
}

fn send(socket: &mut WebSocketEnd, io: &mut Io<'_>, bytes: &Bytes) {
    if let Err(error) = socket.send(io, &message(bytes)) {
        io.note(|| Kind::Note { text: format!("send: {error}").into() });
    }
}

/// In these scenes TCP gives up, not the WebSocket: the WebSocket's timeouts outlast any of them.
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

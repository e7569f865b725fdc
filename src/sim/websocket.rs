//! A WebSocket machine on top of a TCP socket: what any program of a simulated host needs to speak it (RFC 6455).
//!
//! The machine knows no socket and the socket no machine; this carries bytes and times between the two. A program gives
//! it what happens, takes events until there are none, and then flushes: `compare`'s programs and the hosts of lessons do.
//! Engine.IO's clients have a [`SessionEnd`](super::session::SessionEnd), whose machine has a WebSocket within.

use bytes::Bytes;

use super::outgoing::Outgoing;
use super::{Io, SocketEvent, SocketId};
use crate::base::{Instant, Machine as _};
use crate::layers::application::websocket::{
    Connection, Event, Input, MaskSource, Message, Output, Request, SendError, Utf8Bytes,
};
use crate::trace::Kind;

/// One end of a WebSocket connection on a simulated host.
#[derive(Debug)]
pub struct WebSocketEnd {
    tcp: SocketId,
    /// The machine, for its other commands: what they queue goes out with [`flush`](WebSocketEnd::flush).
    pub machine: Connection,
    /// What the send buffer of TCP had no room for. Bounded, since the machine bounds what it lets wait.
    unsent: Outgoing,
    wake_at: Option<Instant>,
    finished: bool,
}

impl WebSocketEnd {
    /// An end that speaks over an established TCP connection.
    pub fn new(tcp: SocketId, machine: Connection) -> Self {
        WebSocketEnd { tcp, machine, unsent: Outgoing::in_pieces(), wake_at: None, finished: false }
    }

    /// A client's request and its masks.
    pub fn ask(host: String, target: &str, io: &mut Io<'_>) -> (Request, MaskSource) {
        let (nonce, masks) = secrets(io);
        (Request::new(host, target, nonce), masks)
    }

    /// The connection that it speaks over.
    pub fn tcp(&self) -> SocketId {
        self.tcp
    }

    /// When the machine is due next. A program has one alarm only, so it must ask for the earliest of all.
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// What a socket event means to the machine.
    pub fn input(&self, event: SocketEvent, io: &mut Io<'_>) -> Option<Input> {
        match event {
            SocketEvent::Readable(socket) if socket == self.tcp => {
                io.tcp_read(socket, usize::MAX).map(Input::Bytes)
            }
            SocketEvent::PeerClosed(socket) if socket == self.tcp => Some(Input::Eof),
            SocketEvent::Closed { socket, .. } if socket == self.tcp => Some(Input::Eof),
            _ => None,
        }
    }

    /// Gives the machine something that happened.
    pub fn give(&mut self, io: &mut Io<'_>, input: Option<Input>) {
        if let Some(input) = input {
            if input == Input::Wake {
                self.wake_at = None;
            }
            self.machine.handle(io.now(), input);
        }
    }

    /// What happened next, for the program. When nothing has, all that could be read was read.
    pub fn next(&mut self, io: &mut Io<'_>) -> Option<Event> {
        loop {
            match self.machine.poll(io.now()) {
                Some(Output::Event(event)) => return Some(event),
                Some(Output::Send(bytes)) => self.unsent.push(bytes),
                Some(Output::WakeAt(at)) => self.wake_at = Some(at),
                Some(Output::Finished) => self.finished = true,
                None => {
                    let bytes = io.tcp_read(self.tcp, usize::MAX)?;
                    self.machine.handle(io.now(), Input::Bytes(bytes));
                }
            }
        }
    }

    /// Writes what waits, as far as TCP has room; what is left goes when the socket is writable again.
    pub fn flush(&mut self, io: &mut Io<'_>) {
        // When nothing can be sent any more, the socket says so itself.
        let _ = self.unsent.flush(self.tcp, io);
        if self.finished && self.unsent.is_empty() {
            io.tcp_shutdown(self.tcp);
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// What the machine says.
    pub fn send(&mut self, io: &mut Io<'_>, message: &Message) -> Result<(), SendError> {
        match message {
            Message::Text(text) => self.machine.send_text(text.clone()),
            Message::Binary(bytes) => self.machine.send_binary(bytes.clone()),
        }?;
        let (flow, len) = (io.stack().flow(self.tcp), message.as_bytes().len());
        io.note(|| Kind::MessageSent { flow, len });
        Ok(())
    }

    /// Writes into the trace what the program learns: a whole message, or why the connection has failed.
    pub fn note(&self, io: &mut Io<'_>, event: &Event) {
        match event {
            Event::Message(message) => {
                let (flow, len) = (io.stack().flow(self.tcp), message.as_bytes().len());
                io.note(|| Kind::MessageReceived { flow, len });
            }
            Event::Failed(failure) => io.note(|| Kind::Note { text: failure.error.to_string().into() }),
            Event::Open(_) | Event::Fragment(_) | Event::Ping(_) | Event::Pong(_) | Event::Close(_) => {}
        }
    }
}

/// What a client draws for a connection, its nonce and its masks: from the run's seed, so that it can be repeated. On
/// real sockets neither may be predictable (RFC 6455 §4.1, §5.3).
pub(super) fn secrets(io: &mut Io<'_>) -> ([u8; 16], MaskSource) {
    let mut nonce = [0; 16];
    nonce.iter_mut().for_each(|byte| *byte = io.rng().next_u32() as u8);
    let mut masks = io.rng().fork("masks");
    (nonce, Box::new(move || Some(masks.next_u32().to_be_bytes())))
}

/// A message of these bytes: text when they are UTF-8, and binary when they are not.
pub fn message(bytes: &Bytes) -> Message {
    match Utf8Bytes::try_from(bytes.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(bytes.clone()),
    }
}

/// The bytes of a message, of either kind.
pub fn payload(message: &Message) -> Bytes {
    match message {
        Message::Text(text) => text.as_bytes().clone(),
        Message::Binary(bytes) => bytes.clone(),
    }
}

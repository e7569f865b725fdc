//! A WebSocket machine on top of a TCP socket: what any program of a simulated host needs to speak it (RFC 6455).
//!
//! The machine knows no socket and the socket no machine; this carries bytes and times between the two. A program gives
//! it what happens, takes events until there are none, and then flushes.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Io, SocketEvent, SocketId};
use crate::base::{Instant, Machine as _};
use crate::layers::application::websocket::{
    Connection, Event, Input, Message, Output, SendError, Utf8Bytes,
};
use crate::trace::Kind;

/// One end of a WebSocket connection on a simulated host.
#[derive(Debug)]
pub struct WebSocketEnd {
    tcp: SocketId,
    /// The machine, for its other commands: what they queue goes out with [`flush`](WebSocketEnd::flush).
    pub machine: Connection,
    /// What the send buffer of TCP had no room for. Bounded, since the machine bounds what it lets wait.
    unsent: VecDeque<Bytes>,
    wake_at: Option<Instant>,
    finished: bool,
}

impl WebSocketEnd {
    /// An end that speaks over a TCP connection which stands.
    pub fn new(tcp: SocketId, machine: Connection) -> Self {
        WebSocketEnd { tcp, machine, unsent: VecDeque::new(), wake_at: None, finished: false }
    }

    /// When the machine wants to be woken. A program has one alarm only, so it must ask for the earliest of all.
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
                Some(Output::Send(bytes)) => self.unsent.push_back(bytes),
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

    /// Sends a message: text when it is UTF-8, and binary when it is not.
    ///
    /// # Errors
    /// What the machine says.
    pub fn send(&mut self, io: &mut Io<'_>, message: &Bytes) -> Result<(), SendError> {
        match Utf8Bytes::try_from(message.clone()) {
            Ok(text) => self.machine.send_text(text),
            Err(_) => self.machine.send_binary(message.clone()),
        }?;
        let (flow, len) = (io.stack().flow(self.tcp), message.len());
        io.note(|| Kind::MessageSent { flow, len });
        Ok(())
    }

    /// Writes into the trace what the program learns: a whole message, or why the connection has failed.
    pub fn note(&self, io: &mut Io<'_>, event: &Event) {
        match event {
            Event::Message(message) => {
                let (flow, len) = (io.stack().flow(self.tcp), payload(message).len());
                io.note(|| Kind::MessageReceived { flow, len });
            }
            Event::Failed(failure) => io.note(|| Kind::Note { text: failure.error.to_string().into() }),
            Event::Open(_) | Event::Ping(_) | Event::Pong(_) | Event::Close(_) => {}
        }
    }
}

/// The bytes of a message, of either kind.
pub fn payload(message: &Message) -> Bytes {
    match message {
        Message::Text(text) => text.as_bytes().clone(),
        Message::Binary(bytes) => bytes.clone(),
    }
}

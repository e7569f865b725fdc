//! A message as a TCP stream: it arrives whole and in order, and nothing in the stream says where it ends but the
//! end of the stream itself.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::Instant;
use crate::layers::stack::{SocketEvent, SocketId};
use crate::layers::transport::tcp::Reason;
use crate::sim::{App, Io};
use crate::trace::Kind;

/// Opens a connection, writes a message, and closes its side.
#[derive(Debug)]
pub struct Sender {
    to: SocketAddr,
    rest: Bytes,
    done: bool,
    ended: Option<Reason>,
}

impl Sender {
    /// A sender of `message` to `to`.
    pub fn new(to: SocketAddr, message: Bytes) -> Self {
        Sender { to, rest: message, done: false, ended: None }
    }

    /// How its connection ended, when it has.
    pub fn ended(&self) -> Option<Reason> {
        self.ended
    }

    fn write(&mut self, socket: SocketId, io: &mut Io<'_>) {
        while !self.rest.is_empty() {
            match io.tcp_write(socket, &self.rest) {
                Ok(0) | Err(_) => return,
                Ok(taken) => self.rest = self.rest.slice(taken..),
            }
        }
        if !std::mem::replace(&mut self.done, true) {
            io.tcp_shutdown(socket);
        }
    }
}

impl App for Sender {
    fn start(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.tcp_connect(self.to) {
            io.note(|| Kind::Note { text: format!("connect: {error}").into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Connected(socket) => {
                let (flow, len) = (io.stack().flow(socket), self.rest.len());
                io.note(|| Kind::MessageSent { flow, len });
                self.write(socket, io);
            }
            SocketEvent::Writable(socket) => self.write(socket, io),
            SocketEvent::Closed { reason, .. } => self.ended = Some(reason),
            _ => {}
        }
    }
}

/// Opens a connection, writes a number of bytes, and closes its side: for measuring. The bytes are one static block
/// over and over, by reference, so that the program itself costs next to nothing.
#[derive(Debug)]
pub struct Source {
    to: SocketAddr,
    rest: u64,
    start_at: Instant,
}

/// One block of a [`Source`]: larger than any segment, so that hardly one spans two blocks.
static BLOCK: [u8; 64 * 1024] = [0x5a; 64 * 1024];

impl Source {
    /// A source of `bytes` bytes for `to`. It opens its connection at `start_at`.
    pub fn new(to: SocketAddr, bytes: u64, start_at: Instant) -> Self {
        Source { to, rest: bytes, start_at }
    }

    fn write(&mut self, socket: SocketId, io: &mut Io<'_>) {
        while self.rest > 0 {
            let len = self.rest.min(BLOCK.len() as u64) as usize;
            match io.tcp_write(socket, &Bytes::from_static(&BLOCK[..len])) {
                Err(_) => return,
                Ok(taken) => {
                    self.rest -= taken as u64;
                    // Cut short: the socket is full, and says when it is not.
                    if taken < len {
                        return;
                    }
                }
            }
        }
        io.tcp_shutdown(socket);
    }
}

impl App for Source {
    fn start(&mut self, io: &mut Io<'_>) {
        io.wake_at(self.start_at);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.tcp_connect(self.to) {
            io.note(|| Kind::Note { text: format!("connect: {error}").into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Connected(socket) | SocketEvent::Writable(socket) = event {
            self.write(socket, io);
        }
    }
}

/// Accepts connections, reads each to its end, then closes.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    pieces: Vec<Bytes>,
    bytes: u64,
    complete: bool,
    keep: bool,
}

impl Receiver {
    /// A receiver on `port` that keeps what it reads.
    pub fn new(port: u16) -> Self {
        Receiver { port, pieces: Vec::new(), bytes: 0, complete: false, keep: true }
    }

    /// A receiver that only counts: for measuring.
    pub fn sink(port: u16) -> Self {
        Receiver { keep: false, ..Receiver::new(port) }
    }

    /// What arrived in the order of the stream, read by read; nothing for a [`sink`](Receiver::sink).
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// How many bytes arrived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the stream came to its end.
    pub fn is_complete(&self) -> bool {
        self.complete
    }
}

impl App for Receiver {
    fn start(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.tcp_listen(self.port) {
            io.note(|| Kind::Note { text: format!("listen on {}: {error}", self.port).into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Readable(socket) => {
                while let Some(bytes) = io.tcp_read(socket, usize::MAX) {
                    self.bytes += bytes.len() as u64;
                    if self.keep {
                        self.pieces.push(bytes);
                    }
                }
            }
            SocketEvent::PeerClosed(socket) => {
                self.complete = true;
                let (flow, len) = (io.stack().flow(socket), self.bytes as usize);
                io.note(|| Kind::MessageReceived { flow, len });
                io.tcp_shutdown(socket);
            }
            _ => {}
        }
    }
}

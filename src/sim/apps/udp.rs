//! A message as UDP datagrams: sent off one after the other, with no answer asked for and none given.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::layers::stack::{SendError, SocketEvent, SocketId};
use crate::sim::{App, Io};
use crate::trace::{Flow, Kind, Protocol};

/// Sends a message in datagrams of at most `datagram` bytes. What does not fit its socket's send buffer waits for
/// room there; what the network loses is lost.
#[derive(Debug)]
pub struct Sender {
    to: SocketAddr,
    rest: Bytes,
    datagram: usize,
    socket: Option<SocketId>,
    sent_nothing_yet: bool,
}

impl Sender {
    /// A sender of `message` to `to`. An empty message is one empty datagram.
    ///
    /// # Panics
    /// When `datagram` is 0.
    pub fn new(to: SocketAddr, message: Bytes, datagram: usize) -> Self {
        assert!(datagram > 0, "a datagram of no bytes never comes to an end");
        Sender { to, rest: message, datagram, socket: None, sent_nothing_yet: true }
    }

    fn send(&mut self, io: &mut Io<'_>) {
        let Some(socket) = self.socket else { return };
        while !self.rest.is_empty() || self.sent_nothing_yet {
            let piece = self.rest.slice(..self.datagram.min(self.rest.len()));
            match io.udp_send(socket, self.to, piece.clone()) {
                Ok(()) => self.rest = self.rest.slice(piece.len()..),
                Err(SendError::WouldBlock) => return,
                // Nothing else can be done about it: the datagram is lost, as a program that ignores errors loses it.
                Err(error) => {
                    io.note(|| Kind::Note { text: format!("send: {error}").into() });
                    return;
                }
            }
            self.sent_nothing_yet = false;
        }
    }
}

impl App for Sender {
    fn start(&mut self, io: &mut Io<'_>) {
        self.socket = io.udp_bind(0).ok();
        let len = self.rest.len();
        if let Some(socket) = self.socket {
            let flow = io.stack().flow_to(socket, self.to);
            io.note(|| Kind::MessageSent { flow, len });
        }
        self.send(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        match event {
            SocketEvent::Writable(_) => self.send(io),
            SocketEvent::Unreachable { to, error, .. } => {
                io.note(|| Kind::Note { text: format!("ICMP about {to}: {}", error.words()).into() });
            }
            _ => {}
        }
    }
}

/// Takes every datagram that arrives.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    datagrams: Vec<Bytes>,
}

impl Receiver {
    /// A receiver on `port`.
    pub fn new(port: u16) -> Self {
        Receiver { port, datagrams: Vec::new() }
    }

    /// What arrived, in the order in which it did.
    pub fn datagrams(&self) -> &[Bytes] {
        &self.datagrams
    }
}

impl App for Receiver {
    fn start(&mut self, io: &mut Io<'_>) {
        if let Err(error) = io.udp_bind(self.port) {
            let local = SocketAddr::new(io.stack().address(), self.port);
            let flow = Flow::new(Protocol::Udp, local, local);
            io.note(|| Kind::Note { text: format!("bind {}: {error}", flow.local()).into() });
        }
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Readable(socket) = event {
            while let Some((from, bytes)) = io.udp_recv(socket) {
                let (flow, len) = (io.stack().flow_to(socket, from), bytes.len());
                io.note(|| Kind::MessageReceived { flow, len });
                self.datagrams.push(bytes);
            }
        }
    }
}

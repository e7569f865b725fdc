//! The program on every host of a lesson: it does what the script says, and little by itself.
//!
//! By itself it takes what arrives at once, unless it reads only when asked, and goes on with a write that
//! found the send buffer full. A connection that speaks WebSocket has a machine on it (`websocket`), which reads and
//! answers by itself as it does in every program.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::base::Instant;
use crate::layers::application::websocket::{Config, Event, Input, Policy, Request};
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::outgoing::Outgoing;
use crate::sim::websocket::WebSocketEnd;
use crate::sim::{App, Io};
use crate::trace::{Kind, Protocol};

/// A program that is led by a script.
#[derive(Debug, Default)]
pub(super) struct Puppet {
    /// Reads only when it is asked to.
    pub(super) reads_late: bool,
    /// Connections that were accepted, the first one first.
    pub(super) accepted: Vec<SocketId>,
    /// What it has read, in order: datagrams, or what one read of a stream gave.
    pub(super) reads: Vec<(SocketId, Bytes)>,
    /// Bytes that did not fit a send buffer yet.
    rest: BTreeMap<SocketId, Outgoing>,
    /// Listeners whose connections are to speak WebSocket.
    pub(super) websocket_ports: BTreeMap<SocketId, (Config, Policy)>,
    /// Connections that will ask for WebSocket once they are established.
    pub(super) websocket_requests: BTreeMap<SocketId, (Config, Request)>,
    /// Connections that speak it.
    pub(super) websockets: BTreeMap<SocketId, WebSocketEnd>,
    /// What their machines reported to the program, in order.
    pub(super) websocket_events: Vec<(SocketId, Instant, Event)>,
}

impl Puppet {
    /// Writes, and keeps for later what finds no room now. Says how many bytes the socket took at once.
    pub(super) fn write(&mut self, socket: SocketId, bytes: Bytes, io: &mut Io<'_>) -> usize {
        let rest = self.rest.entry(socket).or_default();
        rest.push(bytes);
        match rest.flush(socket, io) {
            Ok(taken) => taken,
            Err(error) => {
                io.note(|| Kind::Note { text: format!("write: {error}").into() });
                0
            }
        }
    }

    /// One read with much room: it takes all that has arrived, as read(2) does.
    pub(super) fn read(&mut self, socket: SocketId, max: usize, io: &mut Io<'_>) -> Bytes {
        let now = io.now();
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(bytes) = io.stack().tcp_read(now, socket, max - taken.len())
        {
            taken.extend_from_slice(&bytes);
        }
        let bytes = Bytes::from(taken);
        if !bytes.is_empty() {
            let flow = io.stack().flow(socket);
            io.note(|| Kind::AppRead { flow, bytes: bytes.clone() });
            self.reads.push((socket, bytes.clone()));
        }
        bytes
    }

    /// Takes the next datagram.
    pub(super) fn receive(&mut self, socket: SocketId, io: &mut Io<'_>) -> Option<Bytes> {
        let (_, bytes) = io.udp_recv(socket)?;
        self.reads.push((socket, bytes.clone()));
        Some(bytes)
    }
}

impl App for Puppet {
    fn start(&mut self, _: &mut Io<'_>) {}

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let Some(end) = self.websockets.get(&event.socket()) {
            let input = end.input(event, io);
            return self.act(event.socket(), input, io);
        }
        match event {
            SocketEvent::Accepted { listener, socket } => {
                self.accepted.push(socket);
                self.begin_websocket(socket, Some(listener), io);
            }
            SocketEvent::Connected(socket) => self.begin_websocket(socket, None, io),
            SocketEvent::Readable(socket) if !self.reads_late => match io.stack().flow(socket).protocol {
                Protocol::Udp => while self.receive(socket, io).is_some() {},
                Protocol::Tcp => drop(self.read(socket, usize::MAX, io)),
            },
            SocketEvent::Writable(socket) => {
                self.write(socket, Bytes::new(), io);
            }
            SocketEvent::Unreachable { to, .. } => {
                io.note(|| Kind::Note { text: format!("ICMP: not delivered to {to}").into() });
            }
            _ => {}
        }
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        let due = |end: &WebSocketEnd| end.wake_at().is_some_and(|at| at <= now);
        let sockets: Vec<SocketId> =
            self.websockets.iter().filter(|(_, end)| due(end)).map(|(id, _)| *id).collect();
        for socket in sockets {
            self.act(socket, Some(Input::Wake), io);
        }
        // A connection that is not due yet still needs its wake-up.
        if let Some(at) = self.websockets.values().filter_map(WebSocketEnd::wake_at).min() {
            io.wake_at(at);
        }
    }
}

//! The program on every host of a lesson: it does what the script says, and little by itself.
//!
//! By itself it takes what arrives at once, unless it was told to read only when asked, and goes on with a write that
//! found the send buffer full.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::layers::stack::{SocketEvent, SocketId};
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
    rest: BTreeMap<SocketId, VecDeque<Bytes>>,
}

impl Puppet {
    /// Writes, and keeps for later what finds no room now. Says how many bytes the socket took at once.
    pub(super) fn write(&mut self, socket: SocketId, bytes: Bytes, io: &mut Io<'_>) -> usize {
        let rest = self.rest.entry(socket).or_default();
        rest.push_back(bytes);
        let mut taken = 0;
        while let Some(next) = rest.front_mut() {
            match io.tcp_write(socket, next) {
                Ok(n) => {
                    taken += n;
                    if n == next.len() {
                        rest.pop_front();
                    } else {
                        *next = next.slice(n..);
                        return taken;
                    }
                }
                Err(error) => {
                    rest.clear();
                    io.note(|| Kind::Note { text: format!("write: {error}").into() });
                    return taken;
                }
            }
        }
        taken
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
        match event {
            SocketEvent::Accepted { socket, .. } => self.accepted.push(socket),
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
}

//! Programs on simulated hosts.
//!
//! An app is a machine like every protocol: something happens to it, and it answers with commands to its sockets.
//! It never blocks, and knows the time only from its input.

use std::any::Any;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{Duration, Instant, Rng};
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::stack::{SendError, SocketEvent, SocketId, Stack};
use crate::trace::{Kind, PlaceId, Recorder};

/// A program on a host.
pub trait App: Any {
    /// Called once when the run begins.
    fn start(&mut self, io: &mut Io<'_>);

    /// Something happened to one of its sockets.
    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>);

    /// The time has come that it asked for with [`Io::wake_at`].
    fn wake(&mut self, _io: &mut Io<'_>) {}
}

/// What a program can ask of its host: the socket calls, each noted in the trace as it succeeds.
#[derive(Debug)]
pub struct Io<'a> {
    pub(super) now: Instant,
    pub(super) place: PlaceId,
    pub(super) stack: &'a mut Stack,
    pub(super) recorder: &'a mut Recorder,
    pub(super) rng: &'a mut Rng,
    /// Sockets opened during this call, which the host then assigns to this program.
    pub(super) opened: &'a mut Vec<SocketId>,
    pub(super) wake_at: &'a mut Option<Instant>,
}

impl Io<'_> {
    /// The simulated time of this call.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// This program's own source of chance.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// Opens a UDP socket on `port`; 0 takes any free one.
    ///
    /// # Errors
    /// [`SendError::PortInUse`].
    pub fn udp_bind(&mut self, port: u16) -> Result<SocketId, SendError> {
        let socket = self.stack.udp_bind(port)?;
        self.opened.push(socket);
        Ok(socket)
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// [`SendError::WouldBlock`] when the socket's send buffer is full; `SocketEvent::Writable` follows when there is
    /// room. [`SendError::TooLarge`] for more than UDP can carry.
    pub fn udp_send(&mut self, socket: SocketId, to: SocketAddr, bytes: Bytes) -> Result<(), SendError> {
        self.stack.udp_send(self.now, socket, to, bytes.clone())?;
        self.record(|stack| Kind::AppWrote { flow: stack.flow_to(socket, to), bytes });
        Ok(())
    }

    /// Takes the next datagram that has arrived.
    pub fn udp_recv(&mut self, socket: SocketId) -> Option<(SocketAddr, Bytes)> {
        let (from, bytes) = self.stack.udp_recv(socket)?;
        self.record(|stack| Kind::AppRead { flow: stack.flow_to(socket, from), bytes: bytes.clone() });
        Some((from, bytes))
    }

    /// Listens for TCP connections on `port`.
    ///
    /// # Errors
    /// [`SendError::PortInUse`].
    pub fn tcp_listen(&mut self, port: u16) -> Result<SocketId, SendError> {
        let socket = self.stack.tcp_listen(port)?;
        self.opened.push(socket);
        Ok(socket)
    }

    /// Opens a TCP connection; `SocketEvent::Connected` follows when it is established.
    ///
    /// # Errors
    /// [`SendError::NotOneHost`], [`SendError::NoRoute`], or [`SendError::PortInUse`] when no port is free.
    pub fn tcp_connect(&mut self, to: SocketAddr) -> Result<SocketId, SendError> {
        let socket = self.stack.tcp_connect(self.now, to)?;
        self.opened.push(socket);
        Ok(socket)
    }

    /// The same through the routers of a source route (RFC 9293 §3.9.2.1).
    ///
    /// # Errors
    /// Those of [`tcp_connect`](Io::tcp_connect).
    pub fn tcp_connect_via(&mut self, via: SourceRoute, to: SocketAddr) -> Result<SocketId, SendError> {
        let socket = self.stack.tcp_connect_via(self.now, via, to)?;
        self.opened.push(socket);
        Ok(socket)
    }

    /// Hands bytes to a connection and says how many it took: fewer when its send buffer is full
    /// (`SocketEvent::Writable` follows when there is room).
    ///
    /// # Errors
    /// [`SendError::Closed`] when nothing can be sent any more.
    pub fn tcp_write(&mut self, socket: SocketId, bytes: &Bytes) -> Result<usize, SendError> {
        let taken = self.stack.tcp_write(self.now, socket, bytes.clone())?;
        if taken > 0 {
            self.record(|stack| Kind::AppWrote { flow: stack.flow(socket), bytes: bytes.slice(..taken) });
        }
        Ok(taken)
    }

    /// Takes up to `max` of the bytes that have arrived in order.
    pub fn tcp_read(&mut self, socket: SocketId, max: usize) -> Option<Bytes> {
        let bytes = self.stack.tcp_read(self.now, socket, max)?;
        self.record(|stack| Kind::AppRead { flow: stack.flow(socket), bytes: bytes.clone() });
        Some(bytes)
    }

    /// Sends no more: a FIN follows the last byte. Reading goes on.
    pub fn tcp_shutdown(&mut self, socket: SocketId) {
        self.stack.tcp_shutdown(self.now, socket);
    }

    /// Neither sends nor reads any more: what comes now is answered by a RST. A listener takes no more connections.
    pub fn tcp_close(&mut self, socket: SocketId) {
        self.stack.tcp_close(self.now, socket);
    }

    /// Ends a connection at once, with a RST.
    pub fn tcp_abort(&mut self, socket: SocketId) {
        self.stack.tcp_abort(self.now, socket);
    }

    /// Sends small segments of a connection at once, or gathers them (Nagle's algorithm).
    pub fn tcp_set_nodelay(&mut self, socket: SocketId, nodelay: bool) {
        self.stack.tcp_set_nodelay(self.now, socket, nodelay);
    }

    /// Ends a connection whose peer has acknowledged nothing for `timeout` (RFC 9293 §3.8.3); `None` never does.
    pub fn tcp_set_user_timeout(&mut self, socket: SocketId, timeout: Option<Duration>) {
        self.stack.tcp_set_user_timeout(self.now, socket, timeout);
    }

    /// Asks to be woken at `at`. One wake-up is kept: the latest one asked for.
    pub fn wake_at(&mut self, at: Instant) {
        *self.wake_at = Some(at);
    }

    /// The host's stack, for what has no command of its own here.
    pub fn stack(&mut self) -> &mut Stack {
        self.stack
    }

    /// The same for an event that names a flow, which is only looked up when it is kept.
    fn record(&mut self, kind: impl FnOnce(&Stack) -> Kind) {
        self.recorder.record(self.now, self.place, || kind(self.stack));
    }

    /// Writes an event of this host into the trace.
    pub fn note(&mut self, kind: impl FnOnce() -> Kind) {
        self.recorder.record(self.now, self.place, kind);
    }
}

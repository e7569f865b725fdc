//! A Socket.IO server on a simulated host: the very server that runs on real sockets, [`Server`] and [`Gateway`], over
//! the simulated ones.
//!
//! It serves any number of connections, by polling, by WebSocket, and with upgrade. What the kernel's driver does in
//! tasks is done here in one loop: read, let the machines act, write what each connection waits for in one piece.
//!
//! Bounds: [`engineio::Config::max_connections`]; a connection with much to be written is not read from until it takes
//! some of it; a connection that was closed here may stay for a second, and then its socket is closed in whatever
//! state it is.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};
use slotmap::SecondaryMap;

use crate::base::{Duration, Instant, Machine as _, Rng};
use crate::chat::Gateway;
use crate::chat::hub::{Context, Hub, Random};
use crate::layers::application::engineio::{self, ConnKey, Input, Output, Server, Service as _};
use crate::layers::application::socketio::Limits;
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// Makes the hub and the program on it, from a source of numbers for ids.
type Build = Box<dyn FnMut(Random) -> Hub>;

/// A server, and how to begin it: more than once, for it can crash.
pub struct EventServer {
    port: u16,
    engine: engineio::Config,
    build: Build,
    running: Option<Running>,
}

/// One run of the server: what a crash takes.
struct Running {
    listener: Option<SocketId>,
    server: Server,
    gateway: Gateway,
    /// Both ways between the host's sockets and the machine's connections.
    conns: BTreeMap<SocketId, ConnKey>,
    sockets: SecondaryMap<ConnKey, SocketId>,
    /// Closed here, and until when the peer may take to close too.
    lingering: VecDeque<(Instant, SocketId)>,
    /// Connections with bytes to write.
    ready: VecDeque<ConnKey>,
}

/// Bytes read at a time, and written at a time.
const PIECE: usize = 64 << 10;

/// A connection with more than this to be written is not read from.
const ENOUGH: usize = 256 << 10;

/// How long the last bytes of a connection that was closed have to arrive.
const LINGER: Duration = Duration::from_secs(1);

/// Connections that may linger; one more, and the oldest is closed at once.
const MAX_LINGERING: usize = 1024;

impl EventServer {
    /// A server on `port`. `build` makes its hub, with a log and a program, and is called again after each crash:
    /// what is to outlive one is in a [`SharedLog`](crate::chat::SharedLog) of which it has a clone.
    pub fn new(port: u16, build: impl FnMut(Random) -> Hub + 'static) -> Self {
        EventServer {
            port,
            engine: engineio::Config { max_connections: 1024, ..engineio::Config::default() },
            build: Box::new(build),
            running: None,
        }
    }

    /// With these limits and times of Engine.IO. The first endpoint is the hub's; a second one echoes.
    #[must_use]
    pub fn engine(mut self, config: engineio::Config) -> Self {
        self.engine = config;
        self
    }

    /// The hub, to ask it what it knows; `None` while the server is down.
    pub fn hub(&mut self) -> Option<&mut Hub> {
        self.running.as_mut().map(|running| running.gateway.hub())
    }

    /// Speaks to everyone in a namespace, from the server's own program.
    pub fn speak(&mut self, io: &mut Io<'_>, namespace: &str, speak: impl FnOnce(&mut Context<'_>)) {
        if let Some(running) = &mut self.running {
            running.gateway.hub().io(io.now(), namespace, speak);
            running.gateway.wake(io.now(), &mut running.server);
            running.settle(io);
        }
    }

    /// The program is killed (`kill -9`): all that it had in memory is gone, and its host resets its connections.
    pub fn crash(&mut self, io: &mut Io<'_>) {
        let Some(running) = self.running.take() else { return };
        running.listener.into_iter().for_each(|listener| io.tcp_close(listener));
        let lingering = running.lingering.iter().map(|(_, socket)| socket);
        running.conns.keys().chain(lingering).for_each(|&socket| io.tcp_abort(socket));
    }

    /// The program is started, at first or again; its hub has what its log kept.
    pub fn begin(&mut self, io: &mut Io<'_>) {
        if self.running.is_some() {
            return;
        }
        let listener = match io.tcp_listen(self.port) {
            Ok(listener) => Some(listener),
            Err(error) => {
                io.note(|| Kind::Note { text: format!("listen on {}: {error}", self.port).into() });
                None
            }
        };
        // From the run's seed, so that it can be repeated. On real sockets ids must not be guessable.
        // Asking for the number below gives the next run other ids, as a restarted program has.
        let mut sids = io.rng().fork("sids");
        let mut numbers = Rng::new(io.rng().next_u64());
        let hub = (self.build)(Box::new(move || numbers.next_u64()));
        let sids = Box::new(move || format!("{:016x}", sids.next_u64()));
        let running = self.running.insert(Running {
            listener,
            server: Server::new(self.engine.clone(), sids),
            gateway: Gateway::new(hub, Limits::default(), 0).with_echo(),
            conns: BTreeMap::new(),
            sockets: SecondaryMap::new(),
            lingering: VecDeque::new(),
            ready: VecDeque::new(),
        });
        running.settle(io);
    }
}

impl App for EventServer {
    fn start(&mut self, io: &mut Io<'_>) {
        self.begin(io);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let Some(running) = &mut self.running else { return };
        match event {
            SocketEvent::Accepted { socket, .. } => running.accept(socket, io),
            SocketEvent::Readable(socket) => running.read(socket, io),
            SocketEvent::Writable(socket) => {
                running.ready.extend(running.conns.get(&socket));
                running.settle(io);
                running.read(socket, io);
            }
            SocketEvent::PeerClosed(socket) => {
                running.read(socket, io);
                running.gone(socket, io);
                io.tcp_shutdown(socket);
            }
            SocketEvent::Closed { socket, .. } => {
                running.gone(socket, io);
                running.lingering.retain(|(_, lingering)| *lingering != socket);
            }
            SocketEvent::Connected(_) | SocketEvent::Report { .. } | SocketEvent::Unreachable { .. } => {}
        }
        running.settle(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        let Some(running) = &mut self.running else { return };
        running.server.handle(io.now(), Input::Wake);
        running.gateway.wake(io.now(), &mut running.server);
        while let Some(&(until, socket)) = running.lingering.front()
            && until <= io.now()
        {
            running.lingering.pop_front();
            io.tcp_close(socket);
        }
        running.settle(io);
    }
}

impl Running {
    fn accept(&mut self, socket: SocketId, io: &mut Io<'_>) {
        match self.server.connected(io.now()) {
            Some(key) => {
                self.conns.insert(socket, key);
                self.sockets.insert(key, socket);
            }
            None => io.tcp_abort(socket),
        }
    }

    fn read(&mut self, socket: SocketId, io: &mut Io<'_>) {
        while let Some(&key) = self.conns.get(&socket) {
            let full = self.server.outbox(key).is_some_and(|outbox| outbox.len() > ENOUGH);
            if full {
                return;
            }
            let Some(bytes) = io.tcp_read(socket, PIECE) else { return };
            self.server.handle(io.now(), Input::Bytes(key, bytes));
            self.settle(io);
        }
        // Its bytes are still read and dropped: unread bytes would turn our FIN into a RST.
        while io.tcp_read(socket, PIECE).is_some() {}
    }

    /// The peer sends no more, or the connection is over.
    fn gone(&mut self, socket: SocketId, io: &mut Io<'_>) {
        if let Some(key) = self.conns.remove(&socket) {
            self.sockets.remove(key);
            self.server.handle(io.now(), Input::Gone(key));
        }
    }

    /// Lets the machines act until they have nothing more to do, and writes what they want written.
    fn settle(&mut self, io: &mut Io<'_>) {
        let now = io.now();
        loop {
            match self.server.poll(now) {
                Some(Output::Event(event)) => self.gateway.event(now, event, &mut self.server),
                Some(Output::Ready(key)) => self.ready.push_back(key),
                Some(Output::Close(key)) => self.close(key, io),
                // Asked for below, with the gateway's own.
                Some(Output::WakeAt(_)) => {}
                None => match self.ready.pop_front() {
                    Some(key) => self.write(key, io),
                    None => break,
                },
            }
        }
        let lingers = self.lingering.front().map(|(until, _)| *until);
        if let Some(due) = self.server.due().into_iter().chain(self.gateway.due()).chain(lingers).min() {
            io.wake_at(due);
        }
    }

    /// Gives the host what waits for a connection: all of it at once, as far as there is room.
    fn write(&mut self, key: ConnKey, io: &mut Io<'_>) {
        let Some(&socket) = self.sockets.get(key) else { return };
        while let Some(outbox) = self.server.outbox(key)
            && !outbox.is_empty()
        {
            let mut together = BytesMut::new();
            for piece in outbox.pieces() {
                if together.len() + piece.len() > PIECE && !together.is_empty() {
                    break;
                }
                together.extend_from_slice(piece);
            }
            let together: Bytes = together.freeze();
            let Ok(taken) = io.tcp_write(socket, &together) else { return };
            if taken > 0 {
                self.server.written(key, taken);
            }
            // The host's buffer is full; it says when there is room.
            if taken < together.len() {
                return;
            }
        }
    }

    /// The machine is done with a connection: its last bytes were written.
    fn close(&mut self, key: ConnKey, io: &mut Io<'_>) {
        let Some(socket) = self.sockets.remove(key) else { return };
        self.conns.remove(&socket);
        io.tcp_shutdown(socket);
        self.lingering.push_back((io.now() + LINGER, socket));
        if self.lingering.len() > MAX_LINGERING
            && let Some((_, oldest)) = self.lingering.pop_front()
        {
            io.tcp_close(oldest);
        }
    }
}

impl std::fmt::Debug for EventServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let connections = self.running.as_ref().map(|running| running.conns.len());
        f.debug_struct("EventServer")
            .field("port", &self.port)
            .field("connections", &connections)
            .finish_non_exhaustive()
    }
}

//! An event server on a simulated host: Engine.IO's machine and the hub's, joined by the gateway, on TCP connections.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};

use crate::base::{Duration, Rng};
use crate::chat::Gateway;
use crate::chat::hub::{Context, Hub, Random};
use crate::layers::application::engineio::session::ConnKey;
use crate::layers::application::engineio::{self, Input, Output};
use crate::layers::application::socketio::Limits;
use crate::layers::stack::{SocketEvent, SocketId};
use crate::sim::{App, Io};
use crate::trace::Kind;

/// The heartbeat of a server: how often it asks, and how long it waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// From one ping to the next.
    pub interval: Duration,
    /// How long a pong may take.
    pub timeout: Duration,
}

impl Default for Beat {
    /// What Socket.IO servers have: 25 s and 20 s.
    fn default() -> Self {
        let session = engineio::SessionConfig::default();
        Beat { interval: session.ping_interval, timeout: session.ping_timeout }
    }
}

/// Makes the hub of a server, anew after each crash.
type Build = Box<dyn FnMut(Random) -> Hub>;

/// An event server.
pub struct Server {
    port: u16,
    beat: Beat,
    build: Build,
    /// None while it is crashed.
    running: Option<Running>,
    listening: bool,
}

/// What is lost in a crash.
struct Running {
    engine: engineio::Server,
    gateway: Gateway,
    keys: BTreeMap<SocketId, ConnKey>,
    sockets: BTreeMap<ConnKey, SocketId>,
    /// Connections whose send buffers are full.
    stalled: BTreeSet<ConnKey>,
}

impl Server {
    /// A server on `port` that has not begun. `build` makes its hub and the program on it, from a source of numbers
    /// for ids; it is called again after a crash.
    pub fn new(port: u16, beat: Beat, build: impl FnMut(Random) -> Hub + 'static) -> Self {
        Server { port, beat, build: Box::new(build), running: None, listening: false }
    }

    /// Begins to serve, the first time or after a crash.
    pub fn begin(&mut self, io: &mut Io<'_>) {
        // Ids come from the run's seed, so that it can be repeated. On real sockets nobody may guess them.
        let mut ids = io.rng().fork("sids");
        let mut secrets = Rng::new(io.rng().next_u64());
        let mut config = engineio::Config::default();
        config.session.ping_interval = self.beat.interval;
        config.session.ping_timeout = self.beat.timeout;
        let sids = Box::new(move || format!("{:016x}", ids.next_u64()));
        let hub = (self.build)(Box::new(move || secrets.next_u64()));
        self.running = Some(Running {
            engine: engineio::Server::new(config, sids),
            gateway: Gateway::new(hub, Limits::default(), 0, None),
            keys: BTreeMap::new(),
            sockets: BTreeMap::new(),
            stalled: BTreeSet::new(),
        });
        if !std::mem::replace(&mut self.listening, true)
            && let Err(error) = io.tcp_listen(self.port)
        {
            io.note(|| Kind::Note { text: format!("listen on {}: {error}", self.port).into() });
        }
        self.drive(io);
    }

    /// The program ends at once, as by `kill -9`: its memory is gone, and its host resets every connection. Who
    /// connects before it [begins](Server::begin) again is reset, too.
    pub fn crash(&mut self, io: &mut Io<'_>) {
        if let Some(running) = self.running.take() {
            running.keys.keys().for_each(|socket| io.tcp_abort(*socket));
        }
    }

    /// The program says something by itself, in a namespace.
    pub fn speak(&mut self, namespace: &str, speak: impl FnOnce(&mut Context<'_>), io: &mut Io<'_>) {
        if let Some(Running { engine, gateway, .. }) = &mut self.running {
            gateway.hub().io(io.now(), namespace, speak);
            // What it said goes out with the next wake.
            gateway.wake(io.now(), engine);
        }
        self.drive(io);
    }

    /// The hub, to ask it something.
    pub fn hub(&mut self) -> Option<&mut Hub> {
        self.running.as_mut().map(|running| running.gateway.hub())
    }

    /// Does what the machines ask for, until they have nothing left.
    fn drive(&mut self, io: &mut Io<'_>) {
        let Some(running) = &mut self.running else { return };
        loop {
            // What waits for one receiver is written at once, when all machines have said what they had to say.
            let mut ready = Vec::new();
            while let Some(output) = running.engine.poll(io.now()) {
                match output {
                    Output::Event(event) => running.gateway.event(io.now(), event, &mut running.engine),
                    Output::Ready(conn) => ready.push(conn),
                    Output::Close(conn) => running.close(conn, io),
                    Output::WakeAt(_) => {}
                }
            }
            if ready.is_empty() {
                break;
            }
            ready.into_iter().for_each(|conn| running.write(conn, io));
        }
        if let Some(at) = running.engine.due().into_iter().chain(running.gateway.due()).min() {
            io.wake_at(at);
        }
    }
}

impl Running {
    fn write(&mut self, conn: ConnKey, io: &mut Io<'_>) {
        let (Some(outbox), Some(&socket)) = (self.engine.outbox(conn), self.sockets.get(&conn)) else {
            return;
        };
        let mut whole = BytesMut::with_capacity(outbox.len());
        outbox.pieces().for_each(|piece| whole.extend_from_slice(piece));
        let whole: Bytes = whole.freeze();
        if whole.is_empty() {
            return;
        }
        // A connection that takes nothing any more will be reported as gone.
        let taken = io.tcp_write(socket, &whole).unwrap_or(whole.len());
        self.engine.written(conn, taken);
        match taken < whole.len() {
            true => self.stalled.insert(conn),
            false => self.stalled.remove(&conn),
        };
    }

    fn close(&mut self, conn: ConnKey, io: &mut Io<'_>) {
        self.stalled.remove(&conn);
        if let Some(socket) = self.sockets.remove(&conn) {
            self.keys.remove(&socket);
            io.tcp_shutdown(socket);
        }
    }

    fn gone(&mut self, socket: SocketId, io: &mut Io<'_>) {
        if let Some(conn) = self.keys.remove(&socket) {
            self.sockets.remove(&conn);
            self.stalled.remove(&conn);
            self.engine.handle(io.now(), Input::Gone(conn));
        }
    }
}

impl App for Server {
    fn start(&mut self, _: &mut Io<'_>) {}

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        let Some(running) = &mut self.running else {
            if let SocketEvent::Accepted { socket, .. } = event {
                io.tcp_abort(socket);
            }
            return;
        };
        match event {
            SocketEvent::Accepted { socket, .. } => match running.engine.connected(io.now()) {
                Some(conn) => {
                    running.keys.insert(socket, conn);
                    running.sockets.insert(conn, socket);
                }
                None => io.tcp_abort(socket),
            },
            SocketEvent::Readable(socket) => {
                while let Some(bytes) = io.tcp_read(socket, usize::MAX) {
                    if let Some(&conn) = running.keys.get(&socket) {
                        running.engine.handle(io.now(), Input::Bytes(conn, &bytes));
                    }
                }
            }
            SocketEvent::PeerClosed(socket) => {
                running.gone(socket, io);
                io.tcp_shutdown(socket);
            }
            SocketEvent::Closed { socket, .. } => running.gone(socket, io),
            SocketEvent::Writable(socket) => {
                if let Some(&conn) = running.keys.get(&socket)
                    && running.stalled.contains(&conn)
                {
                    running.write(conn, io);
                }
            }
            _ => {}
        }
        self.drive(io);
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        if let Some(Running { engine, gateway, .. }) = &mut self.running {
            engine.handle(io.now(), Input::Wake);
            gateway.wake(io.now(), engine);
        }
        self.drive(io);
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("port", &self.port).finish_non_exhaustive()
    }
}

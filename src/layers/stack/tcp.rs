//! The table of TCP connections and listeners of one host, and the clock work that wakes them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use slotmap::{SlotMap, new_key_type};

use super::below::{Below, Treatment};
use super::ends::{Ends, Index};
use super::ip::Arrived;
use super::source_routes::SourceRoutes;
use super::{Output, SendError, SocketEvent, StackConfig, tcp_id};
use crate::base::{Instant, Machine as _, Rng};
use crate::layers::internet::ipv4::{self, Ecn};
use crate::layers::internet::prefix::is_limited_broadcast;
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::transport::tcp::{
    Answer, Config, Connection, Event, IcmpError, Info, Input, Listener, MIN_HEADER_LEN, Output as TcpOutput,
    Segment, SeqNumber, State, reply_to_stray,
};
use crate::trace::{Flow, Protocol};

new_key_type! {
    /// Names a connection or a listener of one host.
    ///
    /// Connections come and go, and their slots in the table are used again. A bare index that is kept too long would
    /// then find another connection; a key holds the slot's version too, and once it is out of date it finds nothing.
    pub(super) struct TcpKey;
}

/// Connections by key and by 4-tuple.
///
/// What they want sent goes to the layer [`Below`], which each call is given.
///
/// The tables grow with the connections that the host's own programs open, and with those that listeners accept, up to
/// [`MAX_SOCKETS`]: then a SYN that comes is dropped, and its sender will try again, and a program that opens one more
/// gets an error. Of each listener's connections at most [`BACKLOG`] may be half open, or a SYN is dropped likewise.
#[derive(Debug)]
pub(super) struct TcpSockets {
    config: Arc<Config>,
    /// The key of the function that initial sequence numbers add to the clock (RFC 9293 §3.4.1); here, from the seed.
    secret: [u8; 16],
    sockets: SlotMap<TcpKey, TcpSocket>,
    /// Which connection a segment is for: see [`find`](TcpSockets::find).
    connections: Index,
    routes: SourceRoutes,
    /// Which listener a SYN is for.
    ports: BTreeMap<u16, TcpKey>,
    next_port: u16,
    /// When connections want to be woken, the earliest on top. Entries are not taken back: one that comes too early
    /// is put in again for the time that holds by then. So an ACK, which moves a timer, costs nothing here.
    timers: BinaryHeap<Reverse<(Instant, TcpKey)>>,
    /// Connections to which something has arrived since the last [`pump_all`](TcpSockets::pump_all), each once.
    arrivals: VecDeque<TcpKey>,
}

#[derive(Debug)]
enum TcpSocket {
    Listener {
        port: u16,
        /// The address that connections must be to; `None` for any.
        address: Option<IpAddr>,
        half_open: usize,
    },
    Connection {
        connection: Box<Connection>,
        due: Instant,
        queued: Instant,
        accepted_by: Option<TcpKey>,
        /// Whether it waits in [`TcpSockets::arrivals`].
        arrived: bool,
    },
}

/// How many connections of one listener may be half open: Linux's old default for `net.core.somaxconn`.
const BACKLOG: usize = 128;

/// How many connections and listeners a host may have.
const MAX_SOCKETS: usize = 1 << 20;

/// Where ports for outgoing connections begin (RFC 6335 §6: the dynamic ports).
const FIRST_DYNAMIC_PORT: u16 = 49152;

impl TcpSockets {
    pub(super) fn new(config: &StackConfig, mut rng: Rng) -> Self {
        let next_port = FIRST_DYNAMIC_PORT + rng.below(4096) as u16;
        let secret = (u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).to_be_bytes();
        TcpSockets {
            config: Arc::new(Config { trace: config.trace, ..config.tcp.clone() }),
            secret,
            sockets: SlotMap::with_key(),
            connections: Index::default(),
            routes: SourceRoutes::default(),
            ports: BTreeMap::new(),
            next_port,
            timers: BinaryHeap::new(),
            arrivals: VecDeque::new(),
        }
    }

    pub(super) fn listen(&mut self, port: u16, address: Option<IpAddr>) -> Result<TcpKey, SendError> {
        if port == 0 || self.ports.contains_key(&port) {
            return Err(SendError::PortInUse);
        }
        let key =
            self.insert(TcpSocket::Listener { port, address, half_open: 0 }).ok_or(SendError::PortInUse)?;
        self.ports.insert(port, key);
        Ok(key)
    }

    /// From the address `local`, or the one that IP chooses (RFC 9293 §3.9.1.1, MUST-43 and MUST-44), through the routers of
    /// `via`.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        local: Option<IpAddr>,
        to: SocketAddr,
        via: SourceRoute,
        below: &mut Below<'_>,
    ) -> Result<TcpKey, SendError> {
        let ip = &*below.ip;
        let group = is_limited_broadcast(to.ip()) || to.ip().is_multicast() || to.ip().is_unspecified();
        if group || to.port() == 0 {
            return Err(SendError::NotOneHost);
        }
        if local.is_some_and(|local| !ip.is_own(local) || local.is_ipv4() != to.is_ipv4()) {
            return Err(SendError::NotOwn);
        }
        let first = via.routers().first().map_or(to.ip(), |router| (*router).into());
        let path = ip.path(first).ok_or(SendError::NoRoute)?;
        let source = local.unwrap_or(path.source);
        if let IpAddr::V4(address) = to.ip()
            && ip.is_broadcast(path.interface, address)
        {
            return Err(SendError::NotOneHost);
        }
        let port = self.free_port(source, to)?;
        let local = SocketAddr::new(source, port);
        let isn = SeqNumber::initial(now, local, to, &self.secret);
        let config = self.config_for(Some(path.mtu), via.options_len());
        let connection = Connection::connect(now, local, to, isn, config);
        let key = self.add_connection(Box::new(connection), None).ok_or(SendError::PortInUse)?;
        self.routes.choose(key, via);
        self.pump(now, key, below);
        Ok(key)
    }

    pub(super) fn write(
        &mut self,
        now: Instant,
        key: TcpKey,
        bytes: Bytes,
        below: &mut Below<'_>,
    ) -> Result<usize, SendError> {
        let connection = self.connection(key).ok_or(SendError::Closed)?;
        let taken = connection.write(now, bytes).map_err(|_| SendError::Closed)?;
        self.pump(now, key, below);
        Ok(taken)
    }

    pub(super) fn write_urgent(
        &mut self,
        now: Instant,
        key: TcpKey,
        bytes: Bytes,
        below: &mut Below<'_>,
    ) -> Result<usize, SendError> {
        let connection = self.connection(key).ok_or(SendError::Closed)?;
        let taken = connection.write_urgent(now, bytes).map_err(|_| SendError::Closed)?;
        self.pump(now, key, below);
        Ok(taken)
    }

    pub(super) fn read(
        &mut self,
        now: Instant,
        key: TcpKey,
        max: usize,
        below: &mut Below<'_>,
    ) -> Option<Bytes> {
        let connection = self.connection(key)?;
        let bytes = connection.read(now, max);
        if bytes.is_none() && connection.state() == State::Closed {
            // All is read that outlived the connection.
            self.sockets.remove(key);
        } else if !connection.is_quiet() {
            self.pump(now, key, below);
        }
        bytes
    }

    pub(super) fn shutdown(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
        if let Some(connection) = self.connection(key) {
            connection.shutdown(now);
            self.pump(now, key, below);
        }
    }

    pub(super) fn close(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
        if let Some(TcpSocket::Listener { port, .. }) = self.sockets.get(key) {
            let port = *port;
            return self.stop_listening(now, key, port, below);
        }
        if let Some(connection) = self.connection(key) {
            connection.close(now);
            self.pump(now, key, below);
            self.forget_if_closed(key);
        }
    }

    /// A listener goes: from here on a SYN to its port is answered by a RST (RFC 9293 §3.10.7.1). Connections that are
    /// half open are reset, for nobody will accept them; those that were accepted stay.
    fn stop_listening(&mut self, now: Instant, listener: TcpKey, port: u16, below: &mut Below<'_>) {
        self.ports.remove(&port);
        self.sockets.remove(listener);
        for key in self.connections.keys() {
            if let Some(TcpSocket::Connection { connection, accepted_by, .. }) = self.sockets.get_mut(key)
                && *accepted_by == Some(listener)
            {
                *accepted_by = None;
                connection.abort(now);
                self.pump(now, key, below);
            }
        }
    }

    pub(super) fn abort(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
        if let Some(connection) = self.connection(key) {
            connection.abort(now);
            self.pump(now, key, below);
            self.forget_if_closed(key);
        }
    }

    /// The program wants nothing more of a connection that is gone.
    fn forget_if_closed(&mut self, key: TcpKey) {
        if self.connection(key).is_some_and(|connection| connection.state() == State::Closed) {
            self.sockets.remove(key);
        }
    }

    /// Turns a switch of one connection.
    pub(super) fn with(
        &mut self,
        now: Instant,
        key: TcpKey,
        change: impl FnOnce(&mut Connection),
        below: &mut Below<'_>,
    ) {
        if let Some(connection) = self.connection(key) {
            change(connection);
            self.pump(now, key, below);
        }
    }

    pub(super) fn info(&self, key: TcpKey) -> Option<Info> {
        match self.sockets.get(key)? {
            TcpSocket::Connection { connection, .. } => Some(connection.info()),
            TcpSocket::Listener { .. } => None,
        }
    }

    pub(super) fn flow(&self, key: TcpKey, address: IpAddr) -> Flow {
        match self.sockets.get(key) {
            Some(TcpSocket::Connection { connection, .. }) => connection.flow(),
            listener => {
                let port = if let Some(TcpSocket::Listener { port, .. }) = listener { *port } else { 0 };
                let local = SocketAddr::new(address, port);
                let remote = super::nobody();
                Flow::new(Protocol::Tcp, local, remote)
            }
        }
    }

    /// A segment arrived: for a connection, for a listener, or for neither (RFC 9293 §3.10.7).
    pub(super) fn arrived(&mut self, now: Instant, packet: &mut Arrived, below: &mut Below<'_>) {
        // In silence: all hosts would answer (RFC 9293 §3.9.2.3, MUST-57, which holds for every segment).
        if !packet.is_for_one() {
            return below.discard("a TCP segment that was sent to all hosts".into());
        }
        let (source, destination) = (packet.header.source.into(), packet.header.destination.into());
        let (offset, intact, marked) = (packet.offset, packet.intact, packet.header.ecn == Ecn::Ce);
        let bytes = packet.take_payload();
        let verified = if intact { Ok(()) } else { Segment::verify(source, destination, &bytes, offset) };
        let segment = match verified.and_then(|()| Segment::parse_intact(bytes, offset)) {
            Ok(segment) => segment,
            Err(error) => return below.discard(error.to_string()),
        };
        let remote = SocketAddr::new(source, segment.header.source_port);
        let port = segment.header.destination_port;
        let local = SocketAddr::new(destination, port);
        let secret = self.secret;
        let fresh = || SeqNumber::initial(now, local, remote, &secret);
        let listener = self.listener_at(port, destination);
        let mut isn = None;
        if let Some(key) = self.find(local, remote) {
            let Some(connection) = self.connection(key) else { return };
            isn = listener.and_then(|_| connection.make_way(now, &segment, fresh));
            if isn.is_none() {
                connection.handle(now, if marked { Input::Marked(segment) } else { Input::Segment(segment) });
                self.routes.came(key, &packet.header);
                return self.arrived_at(key);
            }
            // The old connection is gone, and the SYN is for the listener.
            self.pump(now, key, below);
        }
        let back = SourceRoute::back(&packet.header);
        let treatment = Treatment { via: back.as_ref(), ..Treatment::USUAL };
        let Some(listener) = listener else {
            if let Some(reply) = reply_to_stray(&segment) {
                below.segment(now, (destination, source), treatment, &reply);
            }
            return;
        };
        let mtu = below.ip.path(source).map(|path| path.mtu);
        let options = back.as_ref().map_or(0, SourceRoute::options_len);
        let machine = Listener::new(port, self.config_for(mtu, options));
        let Some(TcpSocket::Listener { half_open, .. }) = self.sockets.get_mut(listener) else { return };
        let isn = || isn.unwrap_or_else(fresh);
        match machine.segment_arrives(now, source, destination, &segment, isn) {
            Answer::Ignore => {}
            Answer::Reply(reply) => below.segment(now, (destination, source), treatment, &reply),
            Answer::Open(_) if *half_open >= BACKLOG => {
                below.discard(format!("{BACKLOG} connections to port {port} are half open already"));
            }
            Answer::Open(connection) => {
                let Some(key) = self.add_connection(connection, Some(listener)) else {
                    return below.discard("the table of connections is full".into());
                };
                self.routes.came(key, &packet.header);
                if let Some(TcpSocket::Listener { half_open, .. }) = self.sockets.get_mut(listener) {
                    *half_open += 1;
                }
                self.pump(now, key, below);
            }
        }
    }

    /// Who listens on a port of this address.
    fn listener_at(&self, port: u16, destination: IpAddr) -> Option<TcpKey> {
        let key = *self.ports.get(&port)?;
        match self.sockets.get(key)? {
            TcpSocket::Listener { address, .. } => {
                address.is_none_or(|address| address == destination).then_some(key)
            }
            TcpSocket::Connection { .. } => None,
        }
    }

    /// An ICMP error came back for a segment that was sent from `local` to `remote`.
    pub(super) fn icmp(
        &mut self,
        now: Instant,
        (local, remote): (SocketAddr, SocketAddr),
        (error, seq): (IcmpError, SeqNumber),
        below: &mut Below<'_>,
    ) {
        let Some(key) = self.find(local, remote) else { return };
        if let Some(connection) = self.connection(key) {
            connection.handle(now, Input::Icmp { error, seq });
            self.pump(now, key, below);
        }
    }

    /// When the earliest timer may go off.
    pub(super) fn deadline(&self) -> Instant {
        self.timers.peek().map_or(Instant::NEVER, |Reverse((at, _))| *at)
    }

    /// Wakes every connection that is due.
    pub(super) fn wake(&mut self, now: Instant, below: &mut Below<'_>) {
        while let Some(Reverse((at, key))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let Some(TcpSocket::Connection { connection, due, queued, .. }) = self.sockets.get_mut(key)
            else {
                continue;
            };
            if *queued != at {
                // A later entry than the one that counts.
                continue;
            }
            *queued = Instant::NEVER;
            if *due > now {
                // The timer was moved since: an entry for its new time.
                if *due < Instant::NEVER {
                    *queued = *due;
                    self.timers.push(Reverse((*due, key)));
                }
                continue;
            }
            *due = Instant::NEVER;
            connection.handle(now, Input::Wake);
            self.pump(now, key, below);
        }
    }

    /// What arrived at a connection has its consequences when the stack is polled: several segments that were handed in
    /// before are acknowledged together (RFC 9293 §3.10.7.4, first: MUST-58, MUST-59).
    fn arrived_at(&mut self, key: TcpKey) {
        if let Some(TcpSocket::Connection { arrived, .. }) = self.sockets.get_mut(key)
            && !std::mem::replace(arrived, true)
        {
            self.arrivals.push_back(key);
        }
    }

    /// Carries out what connections ask for after the arrivals since the last time.
    pub(super) fn pump_all(&mut self, now: Instant, below: &mut Below<'_>) {
        while let Some(key) = self.arrivals.pop_front() {
            if let Some(TcpSocket::Connection { arrived, .. }) = self.sockets.get_mut(key) {
                *arrived = false;
            }
            self.pump(now, key, below);
        }
    }

    /// Carries out everything that a connection asks for.
    fn pump(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
        let mut closed = None;
        let Some(TcpSocket::Connection { connection, due, queued, accepted_by, .. }) =
            self.sockets.get_mut(key)
        else {
            return;
        };
        let mut established = None;
        while let Some(output) = connection.poll(now) {
            match output {
                TcpOutput::Send(segment) => {
                    let ends = (connection.local().ip(), connection.remote().ip());
                    let ecn = if connection.may_be_marked(&segment) { Ecn::Ect0 } else { Ecn::NotEct };
                    let treatment = Treatment { dscp: connection.dscp(), ecn, via: self.routes.of(key) };
                    below.segment(now, ends, treatment, &segment);
                }
                TcpOutput::NegativeAdvice => below.ip.doubt(now, connection.remote().ip()),
                TcpOutput::Trace(kind) => below.tell(Output::Trace(kind)),
                TcpOutput::WakeAt(at) => {
                    *due = at;
                    if at < *queued {
                        *queued = at;
                        self.timers.push(Reverse((at, key)));
                    }
                }
                TcpOutput::Event(event) => {
                    let socket = tcp_id(key);
                    below.tell(Output::Event(match event {
                        Event::Connected => match accepted_by.take() {
                            Some(listener) => {
                                established = Some(listener);
                                SocketEvent::Accepted { listener: tcp_id(listener), socket }
                            }
                            None => SocketEvent::Connected(socket),
                        },
                        Event::Readable => SocketEvent::Readable(socket),
                        Event::Writable => SocketEvent::Writable(socket),
                        Event::PeerClosed => SocketEvent::PeerClosed(socket),
                        Event::Report(report) => SocketEvent::Report { socket, report },
                        Event::Closed(reason) => {
                            closed = Some(reason);
                            SocketEvent::Closed { socket, reason }
                        }
                    }));
                }
            }
        }
        if closed.is_some() {
            established = established.or(*accepted_by);
            self.connections.remove(Ends::of(connection), key);
            self.routes.forget(key);
            // What has come in order can still be read (RFC 9293 §3.6: what was sent before the CLOSE is delivered).
            if connection.readable() == 0 {
                self.sockets.remove(key);
            }
        }
        if let Some(listener) = established
            && let Some(TcpSocket::Listener { half_open, .. }) = self.sockets.get_mut(listener)
        {
            *half_open -= 1;
        }
    }

    fn connection(&mut self, key: TcpKey) -> Option<&mut Connection> {
        match self.sockets.get_mut(key)? {
            TcpSocket::Connection { connection, .. } => Some(connection),
            TcpSocket::Listener { .. } => None,
        }
    }

    /// The connection between these two ends.
    fn find(&self, local: SocketAddr, remote: SocketAddr) -> Option<TcpKey> {
        let is_it = |key: &TcpKey| match self.sockets.get(*key) {
            Some(TcpSocket::Connection { connection, .. }) => {
                connection.local() == local && connection.remote() == remote
            }
            _ => false,
        };
        self.connections.alike(Ends::new(local, remote)).find(is_it)
    }

    /// What a connection is like over a path whose first link has this MTU: no segment is larger than what that link
    /// can carry, and no larger one is asked for (RFC 9293 §3.7.1, MUST-16 and MUST-67).
    ///
    /// Where that changes nothing all connections share the one of the host: with 1000 of them it is then always at hand.
    fn config_for(&self, mtu: Option<u16>, ip_options: usize) -> Arc<Config> {
        let headers = (ipv4::MIN_HEADER_LEN + ip_options + MIN_HEADER_LEN) as u16;
        let most = mtu.map_or(u16::MAX, |mtu| mtu.saturating_sub(headers));
        if self.config.mss <= most {
            return Arc::clone(&self.config);
        }
        Arc::new(Config { mss: most, ..Config::clone(&self.config) })
    }

    /// Its key; `None` when the table is full.
    fn insert(&mut self, socket: TcpSocket) -> Option<TcpKey> {
        (self.sockets.len() < MAX_SOCKETS).then(|| self.sockets.insert(socket))
    }

    /// Its key; `None` when the table is full.
    fn add_connection(&mut self, connection: Box<Connection>, accepted_by: Option<TcpKey>) -> Option<TcpKey> {
        let ends = Ends::of(&connection);
        let (due, queued) = (Instant::NEVER, Instant::NEVER);
        let key =
            self.insert(TcpSocket::Connection { connection, due, queued, accepted_by, arrived: false })?;
        self.connections.insert(ends, key);
        Some(key)
    }

    /// A port that makes a 4-tuple of its own: the same port may serve connections to different peers.
    fn free_port(&mut self, from: IpAddr, to: SocketAddr) -> Result<u16, SendError> {
        for _ in FIRST_DYNAMIC_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_DYNAMIC_PORT);
            if self.find(SocketAddr::new(from, port), to).is_none() && !self.ports.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(SendError::PortInUse)
    }
}

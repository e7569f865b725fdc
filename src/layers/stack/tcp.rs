//! The table of TCP connections and listeners of one host, and the clock work that wakes them.
//!
//! What programs ask of it is in `tcp/calls.rs`, and what arrives for it in `tcp/arrival.rs`.

mod arrival;
mod calls;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use slotmap::{SlotMap, new_key_type};

use super::below::{Below, Treatment};
use super::ends::{Ends, Index};
use super::source_routes::SourceRoutes;
use super::{Output, SocketEvent, StackConfig, tcp_id};
use crate::base::{Instant, Machine as _, Rng};
use crate::layers::internet::ipv4::{self, Ecn};
use crate::layers::transport::tcp::{
    Config, Connection, Cookies, Event, Input, MIN_HEADER_LEN, Output as TcpOutput,
};

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
/// gets an error. Of each listener's connections at most [`Config::backlog`] may be half open, or a SYN is answered with a
/// cookie, which takes no place, or dropped likewise: [`Config::syn_cookies`] says which.
#[derive(Debug)]
pub(super) struct TcpSockets {
    config: Arc<Config>,
    /// The key of the function that initial sequence numbers add to the clock (RFC 9293 §3.4.1); here, from the seed.
    secret: [u8; 16],
    /// What half-open connections beyond the backlog are known by.
    cookies: Cookies,
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
            cookies: Cookies::new(secret),
            sockets: SlotMap::with_key(),
            connections: Index::default(),
            routes: SourceRoutes::default(),
            ports: BTreeMap::new(),
            next_port,
            timers: BinaryHeap::new(),
            arrivals: VecDeque::new(),
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
        let (mut established, mut found) = (None, None);
        let remote = connection.remote().ip();
        while let Some(output) = connection.poll(now) {
            match output {
                TcpOutput::Send(segment) => {
                    let ends = (connection.local().ip(), connection.remote().ip());
                    let ecn = if connection.may_be_marked(&segment) { Ecn::Ect0 } else { Ecn::NotEct };
                    let treatment = Treatment { dscp: connection.dscp(), ecn, via: self.routes.of(key) };
                    below.segment(now, ends, treatment, &segment);
                }
                TcpOutput::PathMtu(mtu) => found = Some(mtu),
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
        if let Some(mtu) = found {
            self.learn_path_mtu(now, remote, mtu, below);
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
}

//! All layers joined into one host: frames in, frames out, and sockets for the programs above.
//!
//! | file | concern |
//! |---|---|
//! | `interface.rs` | what goes in and what comes out: frames, socket events, errors |
//! | `nic.rs` | network interfaces and their addresses, and which one a packet is from |
//! | `below.rs` | what a socket wants sent |
//! | `ip.rs` | routes, ARP, fragments: how a packet leaves |
//! | `receive.rs` | how one arrives, and how a router passes it on |
//! | `icmp.rs` | echo, and the errors a host sends and receives (RFC 792, RFC 1122 §3.2.2) |
//! | `udp.rs` | the table of UDP sockets |
//! | `tcp.rs`, `ends.rs` | the table of TCP connections and listeners, and their timers |
//!
//! The stack joins them: it hands what arrives to the layer above, and what a socket wants sent to the layer below. No
//! layer holds another, and what is to leave the host goes into the one outbox of the stack.
//!
//! Like every machine it has no clock and no wire: the simulator, or a real interface, drives it. Interfaces may have
//! addresses of both families; packets are IPv4's only. Left out: loopback (a host cannot talk to itself), multicast,
//! redirects.

mod below;
mod ends;
mod icmp;
mod interface;
mod ip;
mod nic;
mod receive;
mod source_routes;
mod tcp;
mod udp;

#[cfg(test)]
mod tests;

pub use self::interface::{Input, Output, SendError, SocketEvent, SocketId, StackConfig};

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;

use self::below::Below;
use self::interface::SocketKey;
use self::ip::{Ip, Outgoing};
use self::receive::Frame;
use self::tcp::{TcpKey, TcpSockets};
use self::udp::{Received, Sending, UdpKey, UdpSockets};
use super::internet::icmp::{IcmpHeader, Unreachable};
use super::internet::ipv4::{Ecn, MIN_HEADER_LEN, protocol};
use super::internet::prefix::{Cidr, Prefix};
use super::internet::route::Route;
use super::internet::source_route::SourceRoute;
use super::link::ethernet::MacAddr;
use super::transport::tcp as tcp_layer;
use super::transport::udp as udp_layer;
use crate::base::{Alarm, Duration, Instant, Machine, Rng, Writer};
use crate::trace::{Flow, Kind, Protocol};

/// One host's stack: its interfaces, its routes and its sockets.
#[derive(Debug)]
pub struct Stack {
    ip: Ip,
    udp: UdpSockets,
    tcp: TcpSockets,
    out: Outbox,
    alarm: Alarm,
}

/// What waits to be polled. Bounded by what one input can cause: a window of segments for each connection.
type Outbox = VecDeque<Output>;

impl Stack {
    /// A host without an interface yet. `rng` chooses initial sequence numbers and ports.
    pub fn new(config: &StackConfig, rng: &Rng) -> Self {
        Stack {
            ip: Ip::new(config.ttl, config.tcp.mtu_age, rng.fork("ip")),
            udp: UdpSockets::new(config),
            tcp: TcpSockets::new(config, rng.fork("tcp")),
            out: VecDeque::new(),
            alarm: Alarm::new(),
        }
    }

    /// Exchanges the memory in which frames are built for another. Then all hosts can share one block, where each would
    /// come to have one of its own: 64 KiB.
    pub fn swap_writer(&mut self, writer: &mut Writer) {
        std::mem::swap(&mut self.ip.writer, writer);
    }

    /// The host's first address; unspecified while it has none.
    pub fn address(&self) -> IpAddr {
        self.addresses().next().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Cidr::address)
    }

    /// All addresses of the host, interface by interface.
    pub fn addresses(&self) -> impl Iterator<Item = Cidr> {
        self.ip.addresses()
    }

    /// The addresses under which the neighbours on the link of an interface know this host.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn addresses_on(&self, interface: usize) -> impl Iterator<Item = IpAddr> {
        self.ip.addresses_on(interface)
    }

    /// The hardware address of an interface.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn mac(&self, interface: usize) -> MacAddr {
        self.ip.nics[interface].mac
    }

    /// The address under which `neighbour`, on the link of an interface, knows this host: one of that interface's own,
    /// or for an unnumbered one the host's first. `None` while the host has no address of that family.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn address_towards(&self, interface: usize, neighbour: IpAddr) -> Option<IpAddr> {
        self.ip.address_towards(interface, neighbour)
    }

    /// Adds an interface and gives its number.
    pub fn add_interface(&mut self, mac: MacAddr, mtu: u16) -> usize {
        self.ip.add_interface(mac, mtu)
    }

    /// Gives an interface an address; it may have several. The others of its prefix are on the link.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn add_address(&mut self, interface: usize, address: Cidr) {
        self.ip.add_address(interface, address);
    }

    /// Packets for `prefix` leave by `interface`: to the router `via`, or to the destination itself.
    pub fn add_route(&mut self, prefix: Prefix, interface: usize, via: Option<IpAddr>) {
        self.ip.add_route(prefix, interface, via);
    }

    /// The routing table, the longest prefix first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.ip.routes.routes()
    }

    /// Whether the table has a route for exactly this prefix.
    pub fn has_route(&self, prefix: Prefix) -> bool {
        self.ip.routes.get(prefix).is_some()
    }

    /// The interface by which packets for `to` leave.
    pub fn interface_towards(&self, to: IpAddr) -> Option<usize> {
        self.ip.hop(to).map(|hop| hop.interface)
    }

    /// Whether packets for others are passed on (RFC 1812), or discarded (RFC 1122 §3.2.1.3).
    pub fn set_forwarding(&mut self, forwarding: bool) {
        self.ip.forwarding = forwarding;
    }

    /// Makes a neighbour's hardware address known for good, without ARP.
    pub fn learn_neighbour(&mut self, now: Instant, interface: usize, address: IpAddr, mac: MacAddr) {
        self.ip.learn_neighbour(now, interface, address, mac, &mut self.out);
    }

    /// Sends an ICMP echo request: a ping.
    ///
    /// # Errors
    /// [`SendError::NoRoute`].
    pub fn ping(
        &mut self,
        now: Instant,
        to: IpAddr,
        identifier: u16,
        sequence: u16,
        payload: Bytes,
    ) -> Result<(), SendError> {
        let echo = IcmpHeader::EchoRequest { identifier, sequence };
        self.ip.ping(now, to, echo, payload, &mut self.out)
    }

    /// The next reply to a [`ping`](Stack::ping): from whom, its identifier, its sequence number.
    pub fn pong(&mut self) -> Option<(IpAddr, u16, u16)> {
        self.ip.pongs.pop_front()
    }

    /// Opens a UDP socket on `port`; 0 takes any free one.
    ///
    /// # Errors
    /// [`SendError::PortInUse`].
    pub fn udp_bind(&mut self, port: u16) -> Result<SocketId, SendError> {
        self.udp.bind(port).map(udp_id)
    }

    /// Sends one datagram, in fragments if it must.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn udp_send(
        &mut self,
        now: Instant,
        socket: SocketId,
        to: SocketAddr,
        payload: Bytes,
    ) -> Result<(), SendError> {
        let (path, datagram, dont_fragment) = match self.udp.send(socket.udp(), to, payload, &self.ip)? {
            Sending::Send { path, datagram, dont_fragment } => (path, datagram, dont_fragment),
            Sending::Blocked(output) => {
                self.out.push_back(output);
                return Err(SendError::WouldBlock);
            }
        };
        let (source, destination) = (path.source, to.ip());
        let len = udp_layer::HEADER_LEN + datagram.payload.len();
        if dont_fragment
            && let Some((mtu, _)) = self.ip.path_mtus.get(now, destination)
            && MIN_HEADER_LEN + len > usize::from(mtu)
        {
            // As with one that the first link does not take: it never became a frame, and only a note can tell.
            let text =
                format!("{} bytes to {destination} not sent: the path takes {mtu}", MIN_HEADER_LEN + len);
            self.out.push_back(Output::Trace(Kind::Note { text: text.into() }));
            return Ok(());
        }
        let outgoing = Outgoing {
            source,
            destination,
            protocol: protocol::UDP,
            dont_fragment,
            dscp: 0,
            ecn: Ecn::NotEct,
            via: None,
            len,
        };
        self.ip.send(now, outgoing, |w| datagram.emit(source, destination, w), &mut self.out);
        Ok(())
    }

    /// Whether what a UDP socket sends from now on has DF set: a link that it does not fit refuses it instead of
    /// cutting it (RFC 791 §2.3). Linux calls this `IP_MTU_DISCOVER`.
    pub fn udp_set_dont_fragment(&mut self, socket: SocketId, dont_fragment: bool) {
        self.udp.set_dont_fragment(socket.udp(), dont_fragment);
    }

    /// Takes the next datagram that has arrived.
    pub fn udp_recv(&mut self, socket: SocketId) -> Option<(SocketAddr, Bytes)> {
        self.udp.recv(socket.udp())
    }

    /// Listens for TCP connections on `port`.
    ///
    /// # Errors
    /// [`SendError::PortInUse`].
    pub fn tcp_listen(&mut self, port: u16) -> Result<SocketId, SendError> {
        self.tcp.listen(port, None).map(tcp_id)
    }

    /// The same for connections to one of the host's addresses only (RFC 9293 §3.9.1.1: MUST-43).
    ///
    /// # Errors
    /// [`SendError::NotOwn`], [`SendError::PortInUse`].
    pub fn tcp_listen_at(&mut self, local: SocketAddr) -> Result<SocketId, SendError> {
        if !self.ip.is_own(local.ip()) {
            return Err(SendError::NotOwn);
        }
        self.tcp.listen(local.port(), Some(local.ip())).map(tcp_id)
    }

    /// Opens a TCP connection.
    ///
    /// # Errors
    /// [`SendError::NotOneHost`], [`SendError::NoRoute`], or [`SendError::PortInUse`] when no port is free.
    pub fn tcp_connect(&mut self, now: Instant, to: SocketAddr) -> Result<SocketId, SendError> {
        let (tcp, mut below) = self.tcp();
        tcp.connect(now, None, to, SourceRoute::default(), &mut below).map(tcp_id)
    }

    /// The same from one of the host's addresses (RFC 9293 §3.9.1.1: MUST-43). The way is that of
    /// [`tcp_connect`](Stack::tcp_connect).
    ///
    /// # Errors
    /// [`SendError::NotOwn`], and those of [`tcp_connect`](Stack::tcp_connect).
    pub fn tcp_connect_from(
        &mut self,
        now: Instant,
        local: IpAddr,
        to: SocketAddr,
    ) -> Result<SocketId, SendError> {
        let (tcp, mut below) = self.tcp();
        tcp.connect(now, Some(local), to, SourceRoute::default(), &mut below).map(tcp_id)
    }

    /// The same through the routers of a source route, there and back (RFC 9293 §3.9.2.1: MUST-51). What they take to
    /// name in each header is taken off the segments.
    ///
    /// # Errors
    /// Those of [`tcp_connect`](Stack::tcp_connect).
    pub fn tcp_connect_via(
        &mut self,
        now: Instant,
        via: SourceRoute,
        to: SocketAddr,
    ) -> Result<SocketId, SendError> {
        let (tcp, mut below) = self.tcp();
        tcp.connect(now, None, to, via, &mut below).map(tcp_id)
    }

    /// Hands bytes to a connection; says how many it took.
    ///
    /// # Errors
    /// [`SendError::Closed`] when nothing can be sent any more.
    pub fn tcp_write(&mut self, now: Instant, socket: SocketId, bytes: Bytes) -> Result<usize, SendError> {
        let (tcp, mut below) = self.tcp();
        tcp.write(now, socket.tcp(), bytes, &mut below)
    }

    /// Hands bytes to a connection as urgent: see `Connection::write_urgent`.
    ///
    /// # Errors
    /// [`SendError::Closed`] when nothing can be sent any more.
    pub fn tcp_write_urgent(
        &mut self,
        now: Instant,
        socket: SocketId,
        bytes: Bytes,
    ) -> Result<usize, SendError> {
        let (tcp, mut below) = self.tcp();
        tcp.write_urgent(now, socket.tcp(), bytes, &mut below)
    }

    /// Takes up to `max` of the bytes that have arrived in order.
    pub fn tcp_read(&mut self, now: Instant, socket: SocketId, max: usize) -> Option<Bytes> {
        let (tcp, mut below) = self.tcp();
        tcp.read(now, socket.tcp(), max, &mut below)
    }

    /// Sends no more on a connection: a FIN follows the last byte.
    pub fn tcp_shutdown(&mut self, now: Instant, socket: SocketId) {
        let (tcp, mut below) = self.tcp();
        tcp.shutdown(now, socket.tcp(), &mut below);
    }

    /// Neither sends nor reads any more: what comes now is answered by a RST (RFC 9293 §3.6.1). A listener takes no
    /// more connections, and keeps those it took.
    pub fn tcp_close(&mut self, now: Instant, socket: SocketId) {
        let (tcp, mut below) = self.tcp();
        tcp.close(now, socket.tcp(), &mut below);
    }

    /// Ends a connection at once, with a RST.
    pub fn tcp_abort(&mut self, now: Instant, socket: SocketId) {
        let (tcp, mut below) = self.tcp();
        tcp.abort(now, socket.tcp(), &mut below);
    }

    /// Sends small segments of a connection at once, or gathers them (Nagle's algorithm, RFC 9293 §3.7.4: MUST-17).
    /// Connections begin as [`StackConfig::tcp`] says.
    pub fn tcp_set_nodelay(&mut self, now: Instant, socket: SocketId, nodelay: bool) {
        let (tcp, mut below) = self.tcp();
        tcp.with(now, socket.tcp(), |connection| connection.set_nodelay(nodelay), &mut below);
    }

    /// Ends a connection whose peer has acknowledged nothing for `timeout`; `None` never does (RFC 9293 §3.8.3:
    /// MUST-21).
    pub fn tcp_set_user_timeout(&mut self, now: Instant, socket: SocketId, timeout: Option<Duration>) {
        let (tcp, mut below) = self.tcp();
        tcp.with(now, socket.tcp(), |connection| connection.set_user_timeout(now, timeout), &mut below);
    }

    /// Probes a connection that is idle, or no longer (RFC 9293 §3.8.4: MUST-24).
    pub fn tcp_set_keep_alive(&mut self, now: Instant, socket: SocketId, on: bool) {
        let (tcp, mut below) = self.tcp();
        tcp.with(now, socket.tcp(), |connection| connection.set_keep_alive(now, on), &mut below);
    }

    /// The Differentiated Services code point of a connection's packets from now on (RFC 9293 §3.9.1.9: MUST-48).
    pub fn tcp_set_dscp(&mut self, now: Instant, socket: SocketId, dscp: u8) {
        let (tcp, mut below) = self.tcp();
        tcp.with(now, socket.tcp(), |connection| connection.set_dscp(dscp), &mut below);
    }

    /// Whether [`SocketEvent::Report`] is wanted of a connection (RFC 9293 §3.9.1.8: SHLD-20).
    pub fn tcp_set_reports(&mut self, now: Instant, socket: SocketId, on: bool) {
        let (tcp, mut below) = self.tcp();
        tcp.with(now, socket.tcp(), |connection| connection.set_reports(on), &mut below);
    }

    /// What TCP knows about a connection; `None` when it is gone.
    pub fn tcp_info(&self, socket: SocketId) -> Option<tcp_layer::Info> {
        self.tcp.info(socket.tcp())
    }

    /// The 4-tuple of a connection, or a listener's or UDP socket's local end.
    pub fn flow(&self, socket: SocketId) -> Flow {
        match socket.0 {
            SocketKey::Tcp(key) => self.tcp.flow(key, self.address()),
            SocketKey::Udp(_) => self.flow_to(socket, nobody()),
        }
    }

    /// A UDP socket's exchange with one peer.
    pub fn flow_to(&self, socket: SocketId, remote: SocketAddr) -> Flow {
        let port = self.udp.port(socket.udp()).unwrap_or(0);
        let address = self.ip.path(remote.ip()).map_or_else(|| self.address(), |path| path.source);
        Flow::new(Protocol::Udp, SocketAddr::new(address, port), remote)
    }

    /// A packet for this host has arrived whole: up to the layer above.
    fn deliver(&mut self, now: Instant, packet: &mut ip::Arrived) {
        match packet.header.protocol {
            protocol::ICMP => self.icmp_arrived(now, packet),
            protocol::UDP => match self.udp.arrived(packet) {
                Received::Queued(output) => self.out.push_back(output),
                Received::Refused(why) => self.discard(why),
                // RFC 1122 §4.1.3.1: a SHOULD.
                Received::NoPort(port) => {
                    self.discard(format!("no socket is bound to UDP port {port}"));
                    self.ip.refuse(now, packet, Unreachable::Port, &mut self.out);
                }
            },
            protocol::TCP => {
                let (tcp, mut below) = self.tcp();
                tcp.arrived(now, packet, &mut below);
            }
            other => {
                self.discard(format!("no protocol here has the number {other}"));
                self.ip.refuse(now, packet, Unreachable::Protocol, &mut self.out);
            }
        }
    }

    /// The table of TCP, and what is below it.
    fn tcp(&mut self) -> (&mut TcpSockets, Below<'_>) {
        (&mut self.tcp, Below { ip: &mut self.ip, out: &mut self.out })
    }

    /// Says that what came in last was refused.
    fn discard(&mut self, why: String) {
        self.out.push_back(Output::Discarded(why));
    }
}

impl Machine for Stack {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Frame { interface, bytes, intact } => {
                let frame = Frame { interface, bytes, intact };
                if let Some(mut packet) = self.ip.frame_arrived(now, frame, &mut self.out) {
                    self.deliver(now, &mut packet);
                }
            }
            Input::Backlog { interface, bytes } => {
                self.ip.nics[interface].backlog = bytes;
                self.out.extend(self.udp.room(interface, self.ip.waiting(interface)));
            }
            Input::Wake => {
                self.alarm.rang();
                for packet in self.ip.wake(now, &mut self.out) {
                    self.undelivered(now, &packet);
                }
                let (tcp, mut below) = self.tcp();
                tcp.wake(now, &mut below);
            }
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        if self.out.is_empty() {
            let (tcp, mut below) = self.tcp();
            tcp.pump_all(now, &mut below);
        }
        if let Some(output) = self.out.pop_front() {
            if let Output::Frame { interface, bytes } = &output {
                self.ip.nics[*interface].unpolled -= bytes.len();
            }
            return Some(output);
        }
        // Only when all else is done: the earliest time anything in here waits for, if it changed.
        let due = self.ip.deadline().min(self.tcp.deadline());
        let news = self.alarm.poll(Some(due).filter(|due| *due < Instant::NEVER));
        news.map(|due| Output::WakeAt(due.max(now)))
    }
}

/// The other end of a socket that has none.
fn nobody() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0)
}

fn udp_id(key: UdpKey) -> SocketId {
    SocketId(SocketKey::Udp(key))
}

fn tcp_id(key: TcpKey) -> SocketId {
    SocketId(SocketKey::Tcp(key))
}

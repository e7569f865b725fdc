//! All layers joined into one host: frames in, frames out, and sockets for the programs above.
//!
//! | file | concern |
//! |---|---|
//! | `interface.rs` | what goes in and what comes out: frames, socket events, errors |
//! | `ip.rs` | interfaces, routes, ARP, fragments: how a packet leaves |
//! | `receive.rs` | how one arrives, and how a router passes it on |
//! | `icmp.rs` | echo, and the errors a host sends and receives (RFC 792, RFC 1122 §3.2.2) |
//! | `udp.rs` | the table of UDP sockets |
//! | `tcp.rs` | the table of TCP connections and listeners, and their timers |
//!
//! Like every machine it has no clock and no wire: the simulator, or a real interface, drives it. IPv4 only, one
//! address for each host (a "weak host", RFC 1122 §3.3.4.2): packets for it are taken on any interface. Left out:
//! loopback (a host cannot talk to itself), multicast, redirects, and a cache of path MTUs: each connection finds its own.

mod icmp;
mod interface;
mod ip;
mod receive;
mod tcp;
mod udp;

#[cfg(test)]
mod tests;

pub use self::interface::{Input, Output, SendError, SocketEvent, SocketId, StackConfig};

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;

use self::ip::Ip;
use self::tcp::TcpSockets;
use self::udp::UdpSockets;
use super::internet::ipv4::protocol;
use super::internet::route::Prefix;
use super::link::ethernet::MacAddr;
use super::transport::tcp as tcp_layer;
use crate::base::{Alarm, Duration, Instant, Machine, Rng};
use crate::trace::{Flow, Protocol};

/// One host's stack.
#[derive(Debug)]
pub struct Stack {
    ip: Ip,
    udp: UdpSockets,
    tcp: TcpSockets,
    alarm: Alarm,
}

/// What waits to be polled. Bounded by what one input can cause: a window of segments for each connection.
type Outbox = VecDeque<Output>;

impl Stack {
    /// A host with one address and no interface yet. `rng` chooses initial sequence numbers and ports.
    pub fn new(address: Ipv4Addr, config: &StackConfig, rng: &Rng) -> Self {
        Stack {
            ip: Ip::new(address, config.ttl, rng.fork("ip")),
            udp: UdpSockets::new(config),
            tcp: TcpSockets::new(config, rng.fork("tcp")),
            alarm: Alarm::new(),
        }
    }

    /// The host's address.
    pub fn address(&self) -> Ipv4Addr {
        self.ip.address
    }

    /// The hardware address of an interface.
    ///
    /// # Panics
    /// When there is no such interface.
    pub fn mac(&self, interface: usize) -> MacAddr {
        self.ip.interfaces[interface].mac
    }

    /// Adds an interface and gives its number.
    pub fn add_interface(&mut self, mac: MacAddr, mtu: u16) -> usize {
        self.ip.add_interface(mac, mtu)
    }

    /// Packets for `prefix` leave by `interface`: to the router `via`, or to the destination itself.
    pub fn add_route(&mut self, prefix: Prefix, interface: usize, via: Option<Ipv4Addr>) {
        self.ip.add_route(prefix, interface, via);
    }

    /// Whether packets for others are passed on (RFC 1812), or discarded (RFC 1122 §3.2.1.3).
    pub fn set_forwarding(&mut self, forwarding: bool) {
        self.ip.forwarding = forwarding;
    }

    /// Makes a neighbour's hardware address known for good, without ARP.
    pub fn learn_neighbour(&mut self, now: Instant, interface: usize, address: Ipv4Addr, mac: MacAddr) {
        self.ip.learn_neighbour(now, interface, address, mac);
    }

    /// Sends an ICMP echo request: a ping.
    ///
    /// # Errors
    /// [`SendError::NoRoute`].
    pub fn ping(
        &mut self,
        now: Instant,
        to: Ipv4Addr,
        identifier: u16,
        sequence: u16,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.ip.ping(now, to, identifier, sequence, payload)
    }

    /// The next reply to a [`ping`](Stack::ping): from whom, its identifier, its sequence number.
    pub fn pong(&mut self) -> Option<(Ipv4Addr, u16, u16)> {
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
        to: SocketAddrV4,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.udp.send(now, socket.number, to, payload, &mut self.ip)
    }

    /// Whether what a UDP socket sends from now on has DF set: a link that it does not fit refuses it instead of
    /// cutting it (RFC 791 §2.3). Linux calls this `IP_MTU_DISCOVER`.
    pub fn udp_set_dont_fragment(&mut self, socket: SocketId, dont_fragment: bool) {
        self.udp.set_dont_fragment(socket.number, dont_fragment);
    }

    /// Takes the next datagram that has arrived.
    pub fn udp_recv(&mut self, socket: SocketId) -> Option<(SocketAddrV4, Bytes)> {
        self.udp.recv(socket.number)
    }

    /// Listens for TCP connections on `port`.
    ///
    /// # Errors
    /// [`SendError::PortInUse`].
    pub fn tcp_listen(&mut self, port: u16) -> Result<SocketId, SendError> {
        self.tcp.listen(port).map(tcp_id)
    }

    /// Opens a TCP connection.
    ///
    /// # Errors
    /// [`SendError::NotOneHost`], [`SendError::NoRoute`], or [`SendError::PortInUse`] when no port is free.
    pub fn tcp_connect(&mut self, now: Instant, to: SocketAddrV4) -> Result<SocketId, SendError> {
        self.tcp.connect(now, to, &mut self.ip).map(tcp_id)
    }

    /// Hands bytes to a connection; says how many it took.
    ///
    /// # Errors
    /// [`SendError::Closed`] when nothing can be sent any more.
    pub fn tcp_write(&mut self, now: Instant, socket: SocketId, bytes: Bytes) -> Result<usize, SendError> {
        self.tcp.write(now, socket.number, bytes, &mut self.ip)
    }

    /// Takes up to `max` of the bytes that have arrived in order.
    pub fn tcp_read(&mut self, now: Instant, socket: SocketId, max: usize) -> Option<Bytes> {
        self.tcp.read(now, socket.number, max, &mut self.ip)
    }

    /// Sends no more on a connection: a FIN follows the last byte.
    pub fn tcp_shutdown(&mut self, now: Instant, socket: SocketId) {
        self.tcp.shutdown(now, socket.number, &mut self.ip);
    }

    /// Neither sends nor reads any more: what comes now is answered by a RST (RFC 9293 §3.6.1). A listener takes no more
    /// connections, and keeps those it took.
    pub fn tcp_close(&mut self, now: Instant, socket: SocketId) {
        self.tcp.close(now, socket.number, &mut self.ip);
    }

    /// Ends a connection at once, with a RST.
    pub fn tcp_abort(&mut self, now: Instant, socket: SocketId) {
        self.tcp.abort(now, socket.number, &mut self.ip);
    }

    /// Sends small segments of a connection at once, or gathers them (Nagle's algorithm, RFC 9293 §3.7.4: MUST-17).
    /// Connections begin as [`StackConfig::tcp`] says.
    pub fn tcp_set_nodelay(&mut self, now: Instant, socket: SocketId, nodelay: bool) {
        self.tcp.set_nodelay(now, socket.number, nodelay, &mut self.ip);
    }

    /// Ends a connection whose peer has acknowledged nothing for so long; `None` never does (RFC 9293 §3.8.3: MUST-21).
    pub fn tcp_set_user_timeout(&mut self, now: Instant, socket: SocketId, timeout: Option<Duration>) {
        self.tcp.set_user_timeout(now, socket.number, timeout, &mut self.ip);
    }

    /// What TCP knows about a connection; `None` when it is gone.
    pub fn tcp_info(&self, socket: SocketId) -> Option<tcp_layer::Info> {
        self.tcp.info(socket.number)
    }

    /// The 4-tuple of a connection, or a listener's or UDP socket's local end.
    pub fn flow(&self, socket: SocketId) -> Flow {
        match socket.protocol {
            Protocol::Tcp => self.tcp.flow(socket.number, self.ip.address),
            Protocol::Udp => self.flow_to(socket, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
        }
    }

    /// A UDP socket's exchange with one peer.
    pub fn flow_to(&self, socket: SocketId, remote: SocketAddrV4) -> Flow {
        let port = self.udp.port(socket.number).unwrap_or(0);
        Flow { protocol: Protocol::Udp, local: SocketAddrV4::new(self.ip.address, port), remote }
    }

    /// A packet for this host has arrived whole: up to the layer above.
    fn deliver(&mut self, now: Instant, packet: &ip::Arrived) {
        match packet.header.protocol {
            protocol::ICMP => self.icmp_arrived(now, packet),
            protocol::UDP => self.udp.arrived(now, packet, &mut self.ip),
            protocol::TCP => self.tcp.arrived(now, packet, &mut self.ip),
            _ => self.ip.refuse_protocol(now, packet),
        }
    }
}

impl Machine for Stack {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Frame { interface, bytes } => {
                if let Some(packet) = self.ip.frame_arrived(now, interface, &bytes) {
                    self.deliver(now, &packet);
                }
            }
            Input::Backlog { interface, bytes } => {
                self.ip.interfaces[interface].backlog = bytes;
                self.udp.room(interface, &mut self.ip);
            }
            Input::Wake => {
                self.alarm.rang();
                for packet in self.ip.wake(now) {
                    self.undelivered(now, &packet);
                }
                self.tcp.wake(now, &mut self.ip);
            }
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Output> {
        if self.ip.out.is_empty() {
            self.tcp.pump_all(now, &mut self.ip);
        }
        if let Some(output) = self.ip.out.pop_front() {
            if let Output::Frame { interface, bytes } = &output {
                self.ip.interfaces[*interface].unpolled -= bytes.len();
            }
            return Some(output);
        }
        // Only when all else is done: the earliest time anything in here waits for, if it changed.
        let due = self.ip.deadline().min(self.tcp.deadline());
        let news = self.alarm.poll(Some(due).filter(|due| *due < Instant::NEVER));
        news.map(|due| Output::WakeAt(due.max(now)))
    }
}

fn udp_id(number: u32) -> SocketId {
    SocketId { protocol: Protocol::Udp, number }
}

fn tcp_id(number: u32) -> SocketId {
    SocketId { protocol: Protocol::Tcp, number }
}

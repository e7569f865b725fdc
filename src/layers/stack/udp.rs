//! The table of UDP sockets of one host.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use slotmap::{SlotMap, new_key_type};

use super::ip::{Arrived, Ip};
use super::nic::Path;
use super::{Output, SendError, SocketEvent, StackConfig, udp_id};
use crate::layers::internet::icmp::IcmpHeader;
use crate::layers::transport::udp::{self, Datagram};

new_key_type! {
    /// Names a UDP socket of one host.
    pub(super) struct UdpKey;
}

/// Sockets by key and by port. There are as many as ports at most.
#[derive(Debug)]
pub(super) struct UdpSockets {
    recv_buffer: usize,
    send_buffer: usize,
    sockets: SlotMap<UdpKey, UdpSocket>,
    ports: BTreeMap<u16, UdpKey>,
    next_port: u16,
    /// How many sockets wait for an interface: nearly always none, and then there is nothing to search.
    blocked: usize,
}

/// What came of a datagram that arrived.
pub(super) enum Received {
    /// It waits for the program.
    Queued(Output),
    /// No socket has that port.
    NoPort(u16),
    /// The datagram was refused, for this reason.
    Refused(String),
}

/// What came of a datagram to be sent.
pub(super) enum Sending {
    /// It is for the layer below.
    Send { path: Path, datagram: Datagram, dont_fragment: bool },
    /// The interface has too much waiting: the socket waits for this.
    Blocked(Output),
}

#[derive(Debug)]
struct UdpSocket {
    port: u16,
    /// Whether what it sends may be cut on the way.
    dont_fragment: bool,
    /// Datagrams for the program, at most `recv_buffer` bytes of payload: one that does not fit is dropped, so that
    /// a program that does not read costs a bounded amount (and UDP reports no loss).
    received: VecDeque<(SocketAddr, Bytes)>,
    received_bytes: usize,
    /// The interface whose backlog made it wait.
    blocked_on: Option<usize>,
}

const FIRST_DYNAMIC_PORT: u16 = 49152;

impl UdpSockets {
    pub(super) fn new(config: &StackConfig) -> Self {
        UdpSockets {
            recv_buffer: config.udp_recv_buffer,
            send_buffer: config.udp_send_buffer,
            sockets: SlotMap::with_key(),
            ports: BTreeMap::new(),
            next_port: FIRST_DYNAMIC_PORT,
            blocked: 0,
        }
    }

    pub(super) fn bind(&mut self, port: u16) -> Result<UdpKey, SendError> {
        let port = if port == 0 { self.free_port()? } else { port };
        if self.ports.contains_key(&port) {
            return Err(SendError::PortInUse);
        }
        // Most programs take each datagram before the next one comes.
        let (received, received_bytes, blocked_on) = (VecDeque::with_capacity(1), 0, None);
        let socket = UdpSocket { port, dont_fragment: false, received, received_bytes, blocked_on };
        let key = self.sockets.insert(socket);
        self.ports.insert(port, key);
        Ok(key)
    }

    pub(super) fn port(&self, key: UdpKey) -> Option<u16> {
        self.sockets.get(key).map(|socket| socket.port)
    }

    pub(super) fn set_dont_fragment(&mut self, key: UdpKey, dont_fragment: bool) {
        if let Some(socket) = self.sockets.get_mut(key) {
            socket.dont_fragment = dont_fragment;
        }
    }

    pub(super) fn send(
        &mut self,
        key: UdpKey,
        to: SocketAddr,
        payload: Bytes,
        ip: &Ip,
    ) -> Result<Sending, SendError> {
        let socket = self.sockets.get_mut(key).ok_or(SendError::Closed)?;
        if payload.len() > udp::MAX_PAYLOAD {
            return Err(SendError::TooLarge);
        }
        let path = ip.path(to.ip()).ok_or(SendError::NoRoute)?;
        let (interface, waiting) = (path.interface, ip.waiting(path.interface));
        // A datagram larger than the whole buffer may still go when nothing else waits.
        if waiting > 0 && waiting + payload.len() > self.send_buffer {
            self.blocked += usize::from(socket.blocked_on.is_none());
            socket.blocked_on = Some(interface);
            let until_backlog = self.send_buffer / 2;
            return Ok(Sending::Blocked(Output::Blocked { interface, until_backlog }));
        }
        let dont_fragment = socket.dont_fragment;
        Ok(Sending::Send { path, datagram: Datagram::new(socket.port, to.port(), payload), dont_fragment })
    }

    pub(super) fn recv(&mut self, key: UdpKey) -> Option<(SocketAddr, Bytes)> {
        let socket = self.sockets.get_mut(key)?;
        let (from, bytes) = socket.received.pop_front()?;
        socket.received_bytes -= bytes.len();
        Some((from, bytes))
    }

    /// A datagram arrived: into the socket's buffer.
    pub(super) fn arrived(&mut self, packet: &Arrived) -> Received {
        let (source, destination) = (packet.header.source.into(), packet.header.destination.into());
        let (bytes, offset) = (packet.shared_payload(), packet.offset);
        let verified =
            if packet.intact { Ok(()) } else { Datagram::verify(source, destination, &bytes, offset) };
        let Datagram { header, payload } = match verified.and_then(|()| Datagram::parse_intact(bytes, offset))
        {
            Ok(datagram) => datagram,
            Err(error) => return Received::Refused(error.to_string()),
        };
        let found = self.ports.get(&header.destination_port).copied();
        let Some((key, socket)) = found.and_then(|key| Some((key, self.sockets.get_mut(key)?))) else {
            return Received::NoPort(header.destination_port);
        };
        if socket.received_bytes + payload.len() > self.recv_buffer && !socket.received.is_empty() {
            return Received::Refused(format!("the receive buffer of UDP port {} is full", socket.port));
        }
        socket.received_bytes += payload.len();
        socket.received.push_back((SocketAddr::new(source, header.source_port), payload));
        Received::Queued(Output::Event(SocketEvent::Readable(udp_id(key))))
    }

    /// An ICMP error came back for a datagram that was sent from `local_port` to `remote`. The program learns of each
    /// (RFC 1122 §4.1.3.3).
    pub(super) fn unreachable(
        &self,
        local_port: u16,
        remote: SocketAddr,
        error: IcmpHeader,
    ) -> Option<Output> {
        let socket = udp_id(*self.ports.get(&local_port)?);
        Some(Output::Event(SocketEvent::Unreachable { socket, to: remote, error }))
    }

    /// The backlog of an interface is `waiting` bytes now: sockets that waited for less may write again.
    pub(super) fn room(&mut self, interface: usize, waiting: usize) -> impl Iterator<Item = Output> {
        let any = self.blocked > 0 && waiting <= self.send_buffer / 2;
        let blocked = &mut self.blocked;
        self.sockets.iter_mut().take(if any { usize::MAX } else { 0 }).filter_map(move |(key, socket)| {
            if socket.blocked_on != Some(interface) {
                return None;
            }
            socket.blocked_on = None;
            *blocked -= 1;
            Some(Output::Event(SocketEvent::Writable(udp_id(key))))
        })
    }

    fn free_port(&mut self) -> Result<u16, SendError> {
        for _ in FIRST_DYNAMIC_PORT..=u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_DYNAMIC_PORT);
            if !self.ports.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(SendError::PortInUse)
    }
}

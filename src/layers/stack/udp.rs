//! The table of UDP sockets of one host.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV4;

use bytes::Bytes;

use super::ip::{Arrived, Ip, Outgoing};
use super::{Output, SendError, SocketEvent, StackConfig, udp_id};
use crate::base::Instant;
use crate::layers::internet::icmp::{IcmpHeader, Unreachable};
use crate::layers::internet::ipv4::protocol;
use crate::layers::transport::udp::{self, Datagram};

/// Sockets by number and by port.
#[derive(Debug)]
pub(super) struct UdpSockets {
    recv_buffer: usize,
    send_buffer: usize,
    sockets: BTreeMap<u32, UdpSocket>,
    ports: BTreeMap<u16, u32>,
    opened: u32,
    next_port: u16,
}

#[derive(Debug)]
struct UdpSocket {
    port: u16,
    /// Whether what it sends may be cut on the way.
    dont_fragment: bool,
    /// Datagrams for the program, at most `recv_buffer` bytes of payload: one that does not fit is dropped, so that
    /// a program that does not read costs a bounded amount (and UDP tells nobody).
    received: VecDeque<(SocketAddrV4, Bytes)>,
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
            sockets: BTreeMap::new(),
            ports: BTreeMap::new(),
            opened: 0,
            next_port: FIRST_DYNAMIC_PORT,
        }
    }

    pub(super) fn bind(&mut self, port: u16) -> Result<u32, SendError> {
        let port = if port == 0 { self.free_port()? } else { port };
        if self.ports.contains_key(&port) {
            return Err(SendError::PortInUse);
        }
        self.opened += 1;
        let (received, received_bytes, blocked_on) = (VecDeque::new(), 0, None);
        let socket = UdpSocket { port, dont_fragment: false, received, received_bytes, blocked_on };
        self.sockets.insert(self.opened, socket);
        self.ports.insert(port, self.opened);
        Ok(self.opened)
    }

    pub(super) fn port(&self, number: u32) -> Option<u16> {
        self.sockets.get(&number).map(|socket| socket.port)
    }

    pub(super) fn set_dont_fragment(&mut self, number: u32, dont_fragment: bool) {
        if let Some(socket) = self.sockets.get_mut(&number) {
            socket.dont_fragment = dont_fragment;
        }
    }

    pub(super) fn send(
        &mut self,
        now: Instant,
        number: u32,
        to: SocketAddrV4,
        payload: Bytes,
        ip: &mut Ip,
    ) -> Result<(), SendError> {
        let socket = self.sockets.get_mut(&number).ok_or(SendError::Closed)?;
        if payload.len() > udp::MAX_PAYLOAD {
            return Err(SendError::TooLarge);
        }
        let interface = ip.interface_towards(*to.ip()).ok_or(SendError::NoRoute)?;
        let waiting = ip.waiting(interface);
        // A datagram larger than the whole buffer may still go when nothing else waits.
        if waiting > 0 && waiting + payload.len() > self.send_buffer {
            socket.blocked_on = Some(interface);
            let until_backlog = self.send_buffer / 2;
            ip.out.push_back(Output::Blocked { interface, until_backlog });
            return Err(SendError::WouldBlock);
        }
        let (source, port, dont_fragment) = (ip.address, socket.port, socket.dont_fragment);
        let len = udp::HEADER_LEN + payload.len();
        let datagram = Datagram::new(port, to.port(), payload);
        let outgoing = Outgoing { destination: *to.ip(), protocol: protocol::UDP, dont_fragment, len };
        ip.send(now, outgoing, |w| datagram.emit(source, *to.ip(), w));
        Ok(())
    }

    pub(super) fn recv(&mut self, number: u32) -> Option<(SocketAddrV4, Bytes)> {
        let socket = self.sockets.get_mut(&number)?;
        let (from, bytes) = socket.received.pop_front()?;
        socket.received_bytes -= bytes.len();
        Some((from, bytes))
    }

    /// A datagram arrived: into the socket's buffer, or an ICMP port unreachable back (RFC 1122 §4.1.3.1).
    pub(super) fn arrived(&mut self, now: Instant, packet: &Arrived, ip: &mut Ip) {
        let (source, destination) = (packet.header.source, packet.header.destination);
        let Datagram { header, payload } =
            match Datagram::parse(source, destination, &packet.payload, packet.offset) {
                Ok(datagram) => datagram,
                Err(error) => return ip.discard(error.to_string()),
            };
        let Some(number) = self.ports.get(&header.destination_port).copied() else {
            ip.discard(format!("nobody listens on UDP port {}", header.destination_port));
            return ip.refuse(now, packet, Unreachable::Port);
        };
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        if socket.received_bytes + payload.len() > self.recv_buffer && !socket.received.is_empty() {
            return ip.discard(format!("the receive buffer of UDP port {} is full", socket.port));
        }
        socket.received_bytes += payload.len();
        socket.received.push_back((SocketAddrV4::new(source, header.source_port), payload));
        ip.out.push_back(Output::Event(SocketEvent::Readable(udp_id(number))));
    }

    /// An ICMP error came back for a datagram that was sent from `local_port` to `remote`. The program learns of each
    /// (RFC 1122 §4.1.3.3).
    pub(super) fn unreachable(
        &mut self,
        local_port: u16,
        remote: SocketAddrV4,
        error: IcmpHeader,
        ip: &mut Ip,
    ) {
        if let Some(number) = self.ports.get(&local_port) {
            let socket = udp_id(*number);
            ip.out.push_back(Output::Event(SocketEvent::Unreachable { socket, to: remote, error }));
        }
    }

    /// The backlog of an interface shrank: sockets that waited for that may write again.
    pub(super) fn room(&mut self, interface: usize, ip: &mut Ip) {
        if ip.waiting(interface) > self.send_buffer / 2 {
            return;
        }
        for (number, socket) in &mut self.sockets {
            if socket.blocked_on == Some(interface) {
                socket.blocked_on = None;
                ip.out.push_back(Output::Event(SocketEvent::Writable(udp_id(*number))));
            }
        }
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

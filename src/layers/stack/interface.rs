//! What goes into a host's stack and what comes out of it, as plain data.

use std::net::SocketAddr;

use bytes::Bytes;
use slotmap::{Key as _, KeyData};

use super::tcp::TcpKey;
use super::udp::UdpKey;
use crate::base::Instant;
use crate::layers::internet::icmp::IcmpHeader;
use crate::layers::transport::tcp as tcp_layer;
use crate::trace::Kind;

/// What a host is like.
#[derive(Debug, Clone)]
pub struct StackConfig {
    /// What new TCP connections are like.
    pub tcp: tcp_layer::Config,
    /// Bytes of payload a UDP socket holds for its program. A datagram that does not fit is dropped, as the newest.
    pub udp_recv_buffer: usize,
    /// Bytes that may wait on an interface before a UDP socket gets [`SendError::WouldBlock`].
    pub udp_send_buffer: usize,
    /// TTL of the packets sent. RFC 1700 recommends 64.
    pub ttl: u8,
    /// Whether [`Output::Trace`] is wanted.
    pub trace: bool,
}

impl Default for StackConfig {
    /// Linux's default buffer sizes for UDP, 212,992 bytes each way.
    fn default() -> Self {
        StackConfig {
            tcp: tcp_layer::Config::default(),
            udp_recv_buffer: 212_992,
            udp_send_buffer: 212_992,
            ttl: 64,
            trace: false,
        }
    }
}

/// A socket of one host. The id of one that is gone finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub(super) SocketKey);

/// Where a socket is found: each protocol has a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SocketKey {
    Udp(UdpKey),
    Tcp(TcpKey),
}

impl SocketId {
    /// A small number that no other open socket of its host has: for tables of what belongs to a socket. One that is
    /// opened later may get it again.
    pub fn slot(self) -> usize {
        // A key is the number of a slot in its lower half, and in its upper one how often it was used.
        let slot = |key: KeyData| (key.as_ffi() & 0xffff_ffff) as usize;
        match self.0 {
            SocketKey::Udp(key) => 2 * slot(key.data()),
            SocketKey::Tcp(key) => 2 * slot(key.data()) + 1,
        }
    }

    /// Its key in TCP's table; that of a UDP socket finds nothing there.
    pub(super) fn tcp(self) -> TcpKey {
        match self.0 {
            SocketKey::Tcp(key) => key,
            SocketKey::Udp(_) => TcpKey::null(),
        }
    }

    /// Its key in UDP's table; that of a TCP socket finds nothing there.
    pub(super) fn udp(self) -> UdpKey {
        match self.0 {
            SocketKey::Udp(key) => key,
            SocketKey::Tcp(_) => UdpKey::null(),
        }
    }
}

/// What can happen to a host.
#[derive(Debug)]
pub enum Input {
    /// A frame arrived on an interface, its frame check sequence checked and taken off.
    Frame {
        /// The index of the interface it arrived on.
        interface: usize,
        /// The whole frame, as it was on the wire.
        bytes: Bytes,
        /// The checksums in it are known to be right, as where a network card has verified them (checksum offload).
        intact: bool,
    },
    /// The backlog of an interface, as its driver sees it.
    Backlog {
        /// The index of the interface.
        interface: usize,
        /// Bytes waiting to leave it.
        bytes: usize,
    },
    /// A time asked for by [`Output::WakeAt`] has come.
    Wake,
}

/// What a host asks for.
#[derive(Debug)]
pub enum Output {
    /// Send a frame.
    Frame {
        /// The index of the interface to send it on.
        interface: usize,
        /// The frame, padded to Ethernet's minimum, without its frame check sequence.
        bytes: Bytes,
    },
    /// Tell the program that owns the socket.
    Event(SocketEvent),
    /// The frame that came in last was refused, wholly or in part.
    Discarded(String),
    /// A UDP socket waits for room: report [`Input::Backlog`] when at most `bytes` wait.
    Blocked {
        /// The index of the interface.
        interface: usize,
        /// Bytes that may still wait.
        until_backlog: usize,
    },
    /// An event for the trace.
    Trace(Kind),
    /// Wake me at this time, if not before.
    WakeAt(Instant),
}

/// What a program learns about its sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketEvent {
    /// The connection that the program opened is established.
    Connected(SocketId),
    /// A listener has accepted a connection: it is established.
    Accepted {
        /// The listener that accepted it.
        listener: SocketId,
        /// The new connection's socket.
        socket: SocketId,
    },
    /// There is something to read.
    Readable(SocketId),
    /// There is room to write again.
    Writable(SocketId),
    /// The peer sends no more (a FIN came): what has arrived can still be read.
    PeerClosed(SocketId),
    /// The connection is over, and the socket gone as soon as all that had arrived is read.
    Closed {
        /// The socket whose connection ended.
        socket: SocketId,
        /// Why it ended.
        reason: tcp_layer::Reason,
    },
    /// Something that a connection's program may want to know, and that does not end it.
    Report {
        /// The socket of the connection.
        socket: SocketId,
        /// What it is.
        report: tcp_layer::Report,
    },
    /// Something that a UDP socket sent could not be delivered.
    Unreachable {
        /// The socket that sent the packet.
        socket: SocketId,
        /// Where it was to go.
        to: SocketAddr,
        /// The ICMP error that reports it; "host unreachable" when ARP got no answer.
        error: IcmpHeader,
    },
}

impl SocketEvent {
    /// The socket that it is about; the listener, for one that was accepted.
    pub fn socket(&self) -> SocketId {
        match *self {
            SocketEvent::Connected(socket)
            | SocketEvent::Readable(socket)
            | SocketEvent::Writable(socket)
            | SocketEvent::PeerClosed(socket)
            | SocketEvent::Closed { socket, .. }
            | SocketEvent::Report { socket, .. }
            | SocketEvent::Unreachable { socket, .. }
            | SocketEvent::Accepted { listener: socket, .. } => socket,
        }
    }
}

/// Why a command to a socket was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The send buffer is full for now.
    #[error("the send buffer is full: wait until the socket is writable")]
    WouldBlock,
    /// More than fits a datagram.
    #[error("a UDP datagram carries at most 65507 bytes")]
    TooLarge,
    /// No route leads there, or it is this host itself: there is no loopback here.
    #[error("no route to that host")]
    NoRoute,
    /// A TCP connection has one host at its other end (RFC 9293 §3.9.1.1, MUST-46).
    #[error("a connection needs the address of one host, and a port")]
    NotOneHost,
    /// A socket was to have a local address that none of the interfaces has.
    #[error("that address is none of this host's: name one of its own, or none")]
    NotOwn,
    /// The port is taken, or none is free.
    #[error("the port is in use")]
    PortInUse,
    /// The socket is closed, or was never open.
    #[error("the socket is closed")]
    Closed,
}

//! What programs ask of the table: to listen, to connect, to write and read, to close (RFC 9293 §3.9.1).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::super::below::Below;
use super::super::{SendError, nobody};
use super::{FIRST_DYNAMIC_PORT, TcpKey, TcpSocket, TcpSockets};
use crate::base::Instant;
use crate::layers::internet::prefix::is_limited_broadcast;
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::transport::tcp::{Connection, Info, SeqNumber, State};
use crate::trace::{Flow, Protocol};

impl TcpSockets {
    pub(in super::super) fn listen(
        &mut self,
        port: u16,
        address: Option<IpAddr>,
    ) -> Result<TcpKey, SendError> {
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
    pub(in super::super) fn connect(
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
        let mut connection = Connection::connect(now, local, to, isn, config);
        if let Some((mtu, until)) = ip.path_mtus.get(now, first) {
            connection.know_path(mtu, until);
        }
        let key = self.add_connection(Box::new(connection), None).ok_or(SendError::PortInUse)?;
        self.routes.choose(key, via);
        self.pump(now, key, below);
        Ok(key)
    }

    pub(in super::super) fn write(
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

    pub(in super::super) fn write_urgent(
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

    pub(in super::super) fn read(
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

    pub(in super::super) fn shutdown(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
        if let Some(connection) = self.connection(key) {
            connection.shutdown(now);
            self.pump(now, key, below);
        }
    }

    pub(in super::super) fn close(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
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
    /// half open are reset, for no program will accept them; those that were accepted stay.
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

    pub(in super::super) fn abort(&mut self, now: Instant, key: TcpKey, below: &mut Below<'_>) {
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
    pub(in super::super) fn with(
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

    pub(in super::super) fn info(&self, key: TcpKey) -> Option<Info> {
        match self.sockets.get(key)? {
            TcpSocket::Connection { connection, .. } => Some(connection.info()),
            TcpSocket::Listener { .. } => None,
        }
    }

    pub(in super::super) fn flow(&self, key: TcpKey, address: IpAddr) -> Flow {
        match self.sockets.get(key) {
            Some(TcpSocket::Connection { connection, .. }) => connection.flow(),
            listener => {
                let port = if let Some(TcpSocket::Listener { port, .. }) = listener { *port } else { 0 };
                let local = SocketAddr::new(address, port);
                let remote = nobody();
                Flow::new(Protocol::Tcp, local, remote)
            }
        }
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

//! What arrives for the table: segments, ICMP errors, and what is known of a path (RFC 9293 §3.10.7).

use std::net::{IpAddr, SocketAddr};

use super::super::below::{Below, Treatment};
use super::super::ip::Arrived;
use super::{TcpKey, TcpSocket, TcpSockets};
use crate::base::{Instant, Machine as _};
use crate::layers::internet::ipv4::{Ecn, Ipv4Header};
use crate::layers::internet::source_route::SourceRoute;
use crate::layers::transport::tcp::{
    Answer, Connection, IcmpError, Input, Listener, Segment, SeqNumber, SynCookies, reply_to_stray,
};

impl TcpSockets {
    /// A segment arrived: for a connection, for a listener, or for neither (RFC 9293 §3.10.7).
    pub(in super::super) fn arrived(&mut self, now: Instant, packet: &mut Arrived, below: &mut Below<'_>) {
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
        let ends = (source, destination);
        if self.config.syn_cookies != SynCookies::Off
            && let Some(mut connection) = self.cookies.redeem(now, &machine, ends, &segment)
        {
            connection.handle(now, Input::Segment(segment));
            return self.take_in(now, connection, listener, &packet.header, below);
        }
        let Some(TcpSocket::Listener { half_open, .. }) = self.sockets.get(listener) else { return };
        let full = *half_open >= self.config.backlog;
        let isn = || isn.unwrap_or_else(fresh);
        match (machine.segment_arrives(now, source, destination, &segment, isn), self.config.syn_cookies) {
            (Answer::Ignore, _) => {}
            (Answer::Reply(reply), _) => below.segment(now, (destination, source), treatment, &reply),
            (Answer::Open(_), cookies)
                if cookies == SynCookies::Always || (full && cookies == SynCookies::On) =>
            {
                if let Some(reply) = self.cookies.answer(now, &machine, ends, &segment) {
                    below.segment(now, (destination, source), treatment, &reply);
                }
            }
            (Answer::Open(_), _) if full => {
                let backlog = self.config.backlog;
                below.discard(format!("{backlog} connections to port {port} are half open already"));
            }
            (Answer::Open(connection), _) => {
                self.take_in(now, connection, listener, &packet.header, below);
            }
        }
    }

    /// A connection that a segment to a listener has made.
    fn take_in(
        &mut self,
        now: Instant,
        mut connection: Box<Connection>,
        listener: TcpKey,
        header: &Ipv4Header,
        below: &mut Below<'_>,
    ) {
        if let Some((mtu, until)) = below.ip.path_mtus.get(now, connection.remote().ip()) {
            connection.know_path(mtu, until);
        }
        let Some(key) = self.add_connection(connection, Some(listener)) else {
            return below.discard("the table of connections is full".into());
        };
        self.routes.came(key, header);
        if let Some(TcpSocket::Listener { half_open, .. }) = self.sockets.get_mut(listener) {
            *half_open += 1;
        }
        self.pump(now, key, below);
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
    pub(in super::super) fn icmp(
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

    /// Who goes to `remote` learns that the path takes packets of `mtu` bytes; the connection that found it out tells IP.
    pub(in super::super) fn learn_path_mtu(
        &mut self,
        now: Instant,
        remote: IpAddr,
        mtu: u16,
        below: &mut Below<'_>,
    ) {
        if !below.ip.learn_path_mtu(now, remote, mtu) {
            return;
        }
        let Some((mtu, until)) = below.ip.path_mtus.get(now, remote) else { return };
        for key in self.connections.keys() {
            if let Some(connection) =
                self.connection(key).filter(|connection| connection.remote().ip() == remote)
            {
                connection.know_path(mtu, until);
            }
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
}

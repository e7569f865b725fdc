//! What answers a segment that belongs to no connection: a listener (RFC 9293 §3.10.7.2), or none (§3.10.7.1).
//!
//! A listener has no state of its own. Each SYN it accepts becomes a [`Connection`] in SYN-RECEIVED, whose owner must
//! bound how many of those wait (a backlog): a SYN costs its sender nothing.
//!
//! Also here: how TIME-WAIT makes way for a SYN that a listener should have.
//!
//! When the backlog is full, `syn_cookies` can do without it. Left out: a connection that is opened from LISTEN by a
//! program's SEND.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::connection::Connection;
use super::header::{Flags, TcpHeader};
use super::interface::{Config, Reason};
use super::segment::Segment;
use super::seq::SeqNumber;
use super::state::{Cause, State};
use crate::base::Instant;
use crate::layers::internet::prefix::is_limited_broadcast;

/// A port that waits for connections.
#[derive(Debug, Clone)]
pub struct Listener {
    port: u16,
    config: Arc<Config>,
}

/// What a listener makes of a segment.
#[derive(Debug)]
pub enum Answer {
    /// Drop the segment without an answer.
    Ignore,
    /// Send this RST back to where the segment came from.
    Reply(Segment),
    /// A connection in SYN-RECEIVED, whose SYN-ACK waits in its `poll`.
    Open(Box<Connection>),
}

impl Listener {
    /// Listens on `port`; its connections are made with `config`.
    pub fn new(port: u16, config: impl Into<Arc<Config>>) -> Self {
        Listener { port, config: config.into() }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What its connections are made with.
    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Takes a segment from `source` to this port at `destination` that belongs to no connection. `isn` is asked for
    /// an initial sequence number (see [`SeqNumber::initial`]) only if a connection opens.
    pub fn segment_arrives(
        &self,
        now: Instant,
        source: IpAddr,
        destination: IpAddr,
        segment: &Segment,
        isn: impl FnOnce() -> SeqNumber,
    ) -> Answer {
        let flags = segment.header.flags;
        // First, a RST: it cannot be about anything that exists.
        if flags.has(Flags::RST) {
            return Answer::Ignore;
        }
        // Second, an ACK: of nothing that was ever sent from here.
        if flags.has(Flags::ACK) {
            return reply_to_stray(segment).map_or(Answer::Ignore, Answer::Reply);
        }
        // Third, a SYN. One from or to a group of hosts must be dropped in silence (§3.9.2.3, MUST-57).
        let to_one = |address: IpAddr| !address.is_multicast() && !is_limited_broadcast(address);
        if !flags.has(Flags::SYN) || !to_one(source) || !to_one(destination) {
            return Answer::Ignore;
        }
        let local = SocketAddr::new(destination, self.port);
        let remote = SocketAddr::new(source, segment.header.source_port);
        let mut connection = Connection::new(local, remote, isn(), Arc::clone(&self.config));
        connection.open_passively(now, segment);
        Answer::Open(Box::new(connection))
    }
}

impl Connection {
    /// From LISTEN to SYN-RECEIVED by the SYN that came.
    fn open_passively(&mut self, now: Instant, syn: &Segment) {
        self.passive = true;
        self.segments_in = 1;
        // The listener was in LISTEN long before this connection was.
        self.state = State::Listen;
        self.learn_from_syn(now, syn);
        self.go(now, Cause::Syn);
        self.take_text(now, syn, 1);
    }
}

impl Connection {
    /// TIME-WAIT gives way to a SYN that opens the same connection again (RFC 9293 §3.6.1, MAY-2): the peer has taken
    /// the same port again, and should not have to wait for us. The answer is the initial sequence number for the new
    /// connection; this one is closed then. `None`: the segment is for this connection.
    ///
    /// An old SYN must not do that, so only one beyond all that was received counts; where both have timestamps, their
    /// clock tells old from new (§3.6.1, SHLD-4, by RFC 6191), and the numbers only when it has not moved. And the new
    /// numbers must begin beyond all that were sent, so when the clock's (`fresh`) do not, they begin just there. The
    /// RFC also asks to return to TIME-WAIT if the SYN proves to be an old one after all. That is left out, as in
    /// Linux: the new connection then dies of the peer's RST.
    pub fn make_way(
        &mut self,
        now: Instant,
        segment: &Segment,
        fresh: impl FnOnce() -> SeqNumber,
    ) -> Option<SeqNumber> {
        let header = &segment.header;
        let asks =
            header.flags.has(Flags::SYN) && !header.flags.has(Flags::ACK) && !header.flags.has(Flags::RST);
        if self.state != State::TimeWait || !asks {
            return None;
        }
        let (rcv_nxt, snd_nxt) = (self.receiver.rcv_nxt, self.sender.snd_nxt);
        let beyond = header.seq.to_offset(self.receiver.irs?, rcv_nxt) > rcv_nxt.cast_signed();
        let clocks = self.timestamps.as_ref().zip(header.options.timestamps());
        let new = match clocks.and_then(|(timestamps, (value, _))| timestamps.moved(value)) {
            Some(Ordering::Greater) => true,
            Some(Ordering::Less) => false,
            Some(Ordering::Equal) | None => beyond,
        };
        if !new {
            return None;
        }
        let fresh = fresh();
        let later = fresh.to_offset(self.sender.isn, snd_nxt) > snd_nxt.cast_signed();
        let isn = if later { fresh } else { SeqNumber::of_offset(self.sender.isn, snd_nxt + 1) };
        self.finish(now, Cause::Syn, Reason::Normal);
        Some(isn)
    }
}

/// CLOSED: the RST that answers a segment for which there is neither connection nor listener; none for a RST
/// (RFC 9293 §3.10.7.1).
///
/// Its sequence number is made so that the sender of the segment will find it acceptable.
pub fn reply_to_stray(segment: &Segment) -> Option<Segment> {
    let stray = &segment.header;
    if stray.flags.has(Flags::RST) {
        return None;
    }
    let reply = TcpHeader {
        source_port: stray.destination_port,
        destination_port: stray.source_port,
        ..TcpHeader::default()
    };
    let header = if stray.flags.has(Flags::ACK) {
        TcpHeader { seq: stray.ack, flags: Flags::RST, ..reply }
    } else {
        TcpHeader { ack: stray.seq + segment.seq_len(), flags: Flags::RST | Flags::ACK, ..reply }
    };
    Some(Segment { header, ..Segment::default() })
}

//! Joins the event hub to Engine.IO: messages become packets on their way up, packets become frames on their way down.
//!
//! Two machines that know nothing of each other meet here, [`Hub`] and Engine.IO's [`Server`]; this is
//! the whole of a Socket.IO server except its sockets. `real` drives it over the kernel's, `sim` over simulated ones.
//!
//! A packet for many is framed once; every receiver gets the same bytes. What a client sends that is no packet ends
//! that client's session. Besides, other paths may simply echo, which is all that Engine.IO's own test suite asks for.
//!
//! **What is bounded.** No client can make a server grow beyond these, and the offender alone meets the consequence:
//!
//! | what | by default | setting | beyond it |
//! |---|---|---|---|
//! | connections, sessions | 20,000 each | [`engineio::Config`] | closed; 503 |
//! | a request's lines, head, fields | 8 KiB, 32 KiB, 100 | the same, `head` | 414, 431 |
//! | time for a head, for a body, between two requests | 10 s, 30 s, 60 s | the same | 408, closed |
//! | the request that opened a session, which is kept as long | that head | | |
//! | a body, a WebSocket frame, a message | 1 MB | [`SessionConfig::max_payload`] | 413 before it is read; 1009 |
//! | bytes to be written to a connection | 256 KiB | | not read from until fewer |
//! | bytes that wait in Engine.IO | 24 MiB | [`SessionConfig::max_backlog`] | cut off |
//! | web pages | this host, loopback | [`Origins`] | 403 |
//! | nesting, attachments, their bytes | 100, 10, 16 MiB | [`Limits`] | closed |
//! | attachments of an event or answer that is sent | 10, as many as stock clients take | [`hub::Config`] | not delivered; an error |
//! | what one origin adds to a log while others are there | 32 MiB, again in 3 min | the same, `origin_bytes` | refused |
//! | returns in a row that bring a client no further | 10 | [`hub::Recovery`] | gets a new socket |
//! | attachments of all unfinished packets together | 256 MiB | [`Gateway::with_attachments_in_all`] | who adds to them closed |
//! | time until a namespace is entered | 45 s | [`hub::Config`] | closed |
//! | namespaces of a session, sockets in a namespace | 16; 100,000 | the same | CONNECT_ERROR |
//! | sockets that are away: their bytes in a namespace | 128 MiB | the same, `away_bytes` | the same |
//! | rooms of a socket, bytes of a room's name, of all | 256, 256, 16 KiB | the same | the program gets an error |
//! | bytes that wait for a session | 4 MiB | the same, `queue_bytes` | cut off; resumes from the log |
//! | and where a volatile event still goes | 4 KiB | the same | dropped |
//! | open questions of a socket, the answers to them | 4 MiB, 16 MiB | the same | count as missing |
//! | rooms that an event names | 1024 | the same | is delivered to no socket |
//! | ids of senders | 100,000 of 64 B | the same | the oldest forgotten |
//! | how fast a socket may send | no limit | the same, `rate` | refused, with the time to wait |
//! | sockets that are away, and for how long | 100,000, 120 s | [`hub::Recovery`] | evicted: those with nothing to miss, then of the origin with most the longest away |
//! | a namespace's log: age, bytes, events | 1 h, 64 MiB, 1 million | [`Retention`] | the oldest go |
//!
//! [`engineio::Config`]: crate::layers::application::engineio::Config
//! [`SessionConfig::max_payload`]: crate::layers::application::engineio::SessionConfig::max_payload
//! [`SessionConfig::max_backlog`]: crate::layers::application::engineio::SessionConfig::max_backlog
//! [`Origins`]: crate::layers::application::engineio::Origins
//! [`hub::Config`]: super::hub::Config
//! [`hub::Recovery`]: super::hub::Recovery
//! [`Retention`]: super::Retention

mod settling;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use slotmap::{Key as _, KeyData, SecondaryMap};

use super::hub::{Hub, Input, Output, Reason, SessionId};
use crate::base::{Instant, Machine as _};
use crate::layers::application::engineio::{CloseCause, Event, Server, Service, SessionKey};
use crate::layers::application::http::Headers;
use crate::layers::application::socketio::{Decoder, Limits};
use crate::layers::application::websocket::Message;
use settling::Settling;

/// A hub, and the sessions that speak to it.
#[derive(Debug)]
pub struct Gateway {
    hub: Hub,
    limits: Limits,
    endpoint: usize,
    /// Whether the sessions of all other endpoints get back what they say.
    echoes: bool,
    peers: SecondaryMap<SessionKey, Peer>,
    /// When the hub is due next.
    wake_at: Instant,
    /// Namespaces that were just entered, and when what came after that goes out.
    settling: VecDeque<(Instant, SessionKey, String)>,
    /// Bytes of attachments, of all sessions, that wait for the rest of their packets; and how many that may be.
    attached: usize,
    max_attached: usize,
}

/// A session that speaks Socket.IO.
#[derive(Debug)]
struct Peer {
    decoder: Decoder,
    /// Bytes sent, as the hub counts them, and not yet reported to it as written.
    unreported: usize,
    /// The namespaces it has just entered: few, and each for a moment.
    settling: Vec<Settling>,
    /// A ping waits for that moment too: its pong is to prove that what the hub sent before it has come.
    ping_waits: bool,
}

impl Gateway {
    /// A hub for the sessions of one endpoint, by its place in the server's list.
    pub fn new(hub: Hub, limits: Limits, endpoint: usize) -> Self {
        Gateway {
            hub,
            limits,
            endpoint,
            echoes: false,
            peers: SecondaryMap::new(),
            wake_at: Instant::NEVER,
            settling: VecDeque::new(),
            attached: 0,
            max_attached: 256 << 20,
        }
    }

    /// Sends back what the sessions of all other endpoints say.
    #[must_use]
    pub fn with_echo(self) -> Self {
        Gateway { echoes: true, ..self }
    }

    /// Bounds the attachments of all packets that are not whole yet to this many bytes together, instead of 256 MiB.
    #[must_use]
    pub fn with_attachments_in_all(self, bytes: usize) -> Self {
        Gateway { max_attached: bytes, ..self }
    }

    /// The hub, to speak from the program itself. What it has to say goes out with the next event or wake.
    pub fn hub(&mut self) -> &mut Hub {
        &mut self.hub
    }

    fn forget(&mut self, session: SessionKey) {
        if let Some(peer) = self.peers.remove(session) {
            self.attached -= peer.decoder.waiting();
        }
    }

    fn message(&mut self, now: Instant, session: SessionKey, message: Message, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session) else {
            if self.echoes {
                server.send(now, session, message);
            }
            return;
        };
        let before = peer.decoder.waiting();
        let decoded = match message {
            Message::Text(text) => peer.decoder.text(text.as_str()),
            Message::Binary(bytes) => peer.decoder.binary(bytes),
        };
        let after = peer.decoder.waiting();
        self.attached = self.attached - before + after;
        let is_too_much = after > before && self.attached > self.max_attached;
        match decoded {
            Ok(None) if is_too_much => self.refuse(now, session, server),
            Ok(None) => {}
            Ok(Some(packet)) => self.tell(now, Input::Packet(id(session), packet), server),
            Err(_) => self.refuse(now, session, server),
        }
    }

    /// Ends a session whose client broke the protocol.
    fn refuse(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        self.forget(session);
        server.close(now, session);
        self.tell(now, Input::Closed(id(session), Reason::BadPacket), server);
    }

    /// Gives the hub an input, and does what it asks for.
    fn tell(&mut self, now: Instant, input: Input, server: &mut Server) {
        self.hub.handle(now, input);
        while let Some(output) = self.hub.poll(now) {
            match output {
                Output::Send { to, packet } => self.send(now, &to, &packet, server),
                Output::Close { session, .. } => {
                    let session = key(session);
                    self.release_all(now, session, server);
                    self.forget(session);
                    server.close(now, session);
                }
                Output::Probe(session) => {
                    let session = key(session);
                    self.peers.get_mut(session).into_iter().for_each(|peer| peer.ping_waits = true);
                    self.ping(now, session, server);
                }
                Output::WakeAt(at) => self.wake_at = at,
            }
        }
    }
}

/// A Socket.IO server, but for its sockets.
impl Service for Gateway {
    fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Opened { session, endpoint, request } if endpoint == self.endpoint => {
                let decoder = Decoder::new(self.limits);
                let peer = Peer { decoder, unreported: 0, settling: Vec::new(), ping_waits: false };
                self.peers.insert(session, peer);
                let address = request.address;
                self.hub.handle(now, Input::Opened(id(session)));
                self.hub.handle(now, Input::Request(id(session), request));
                let origin = address.map(|address| Input::Origin(id(session), origin(address.ip())));
                self.tell(now, origin.unwrap_or(Input::Wake), server);
            }
            Event::Message { session, message } => self.message(now, session, message, server),
            Event::Sent { session, left } => {
                let Some(peer) = self.peers.get_mut(session) else { return };
                // What is left has headers too, which the hub does not count: so at least this much has gone out.
                let bytes = peer.unreported.saturating_sub(left);
                peer.unreported -= bytes;
                if bytes > 0 {
                    self.tell(now, Input::Sent(id(session), bytes), server);
                }
            }
            Event::Alive { session } if self.peers.contains_key(session) => {
                let length = server.round_trip(session);
                self.hub.handle(now, Input::RoundTrip(id(session), length));
                self.tell(now, Input::Alive(id(session)), server);
            }
            Event::Closed { session, cause } if self.peers.contains_key(session) => {
                self.forget(session);
                self.tell(now, Input::Closed(id(session), reason(cause)), server);
            }
            Event::Opened { .. } | Event::Alive { .. } | Event::Closed { .. } => {}
            Event::Request { conn, .. } => {
                let words = bytes::Bytes::from_static(b"not found\n");
                server.respond(now, conn, 404, "text/plain; charset=UTF-8", &Headers::new(), &words);
            }
        }
    }

    fn wake(&mut self, now: Instant, server: &mut Server) {
        self.release_settled(now, server);
        self.tell(now, Input::Wake, server);
    }

    /// Every client is let go in a way that lets it come back.
    fn stop(&mut self, now: Instant, server: &mut Server) {
        self.tell(now, Input::Drain, server);
    }

    fn due(&self) -> Option<Instant> {
        let settled = self.settling.front().map_or(Instant::NEVER, |(at, ..)| *at);
        Some(self.wake_at.min(settled)).filter(|at| *at < Instant::NEVER)
    }

    fn held(&self, session: SessionKey) -> usize {
        self.peers.get(session).map_or(0, |peer| {
            let settling = peer.settling.iter().flat_map(|settling| &settling.held);
            peer.decoder.waiting() + settling.map(|(packet, _)| packet.len()).sum::<usize>()
        })
    }

    /// See [`Hub::is_behind`].
    fn is_behind(&self) -> bool {
        self.hub.is_behind()
    }
}

/// The hub names a session by the number that its key in the server is.
fn id(session: SessionKey) -> SessionId {
    SessionId(session.data().as_ffi())
}

/// Who is taken for one: an IPv4 address, or the /64 network that one subscriber of IPv6 has at least.
fn origin(address: IpAddr) -> Arc<str> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string().into(),
        IpAddr::V6(address) => IpAddr::from((address.to_bits() >> 64 << 64).to_be_bytes()).to_string().into(),
    }
}

/// The key of which [`id`] made this.
fn key(session: SessionId) -> SessionKey {
    KeyData::from_ffi(session.0).into()
}

fn reason(cause: CloseCause) -> Reason {
    match cause {
        CloseCause::PingTimeout => Reason::PingTimeout,
        CloseCause::BadPacket => Reason::BadPacket,
        CloseCause::SlowReader => Reason::SlowReader,
        CloseCause::ByServer => Reason::ServerClosed,
        CloseCause::ByClient | CloseCause::BadRequest | CloseCause::TransportClosed => {
            Reason::TransportClosed
        }
    }
}

#[cfg(test)]
mod tests;

//! Joins the event hub to Engine.IO: messages become packets on their way up, packets become frames on their way down.
//!
//! Two machines that know nothing of each other stand side by side here, [`Hub`] and Engine.IO's [`Server`]; this is
//! the whole of a Socket.IO server except its sockets. `real` drives it over the kernel's, `sim` over simulated ones.
//!
//! A packet for many is framed once; every receiver gets the same bytes. What a client sends that is no packet ends
//! that client's session. Besides, a path may simply echo, which is all that Engine.IO's own test suite asks for.
//!
//! **What is bounded.** No client can make a server grow beyond these, and the offender alone meets the consequence:
//!
//! | what | by default | setting | beyond it |
//! |---|---|---|---|
//! | connections, sessions | 20,000 each | [`engineio::Config`] | closed; 503 |
//! | a request's lines, head, fields | 4 KiB, 16 KiB, 64 | the same, `head` | 414, 431 |
//! | time for a head, for a body, between two requests | 10 s, 30 s, 60 s | the same | 408, closed |
//! | a body, a WebSocket frame, a message | 1 MB | [`SessionConfig::max_payload`] | 413 before it is read; 1009 |
//! | bytes that wait in Engine.IO | 24 MiB | [`SessionConfig::max_backlog`] | cut off |
//! | web pages | this host, loopback | [`Origins`] | 403 |
//! | nesting, attachments, their bytes, a namespace's name | 100, 100, 16 MiB, 256 B | [`Limits`] | closed |
//! | attachments of all unfinished packets together | 256 MiB | [`Gateway::with_attachments_in_all`] | who adds to them closed |
//! | time until a namespace is entered | 45 s | [`hub::Config`] | closed |
//! | namespaces of a session, sockets in a namespace | 16; 100,000 | the same | CONNECT_ERROR |
//! | sockets that are away: their bytes in a namespace | 128 MiB | the same, `away_bytes` | the same |
//! | rooms of a socket, bytes of a room's name, of all | 256, 256, 16 KiB | the same | the program is told |
//! | bytes that wait for a session | 4 MiB | the same, `queue_bytes` | cut off; resumes from the log |
//! | and where a volatile event still goes | 4 KiB | the same | dropped |
//! | unanswered questions of a socket, bytes of the answers to one | 64, 16 MiB | the same | count as missing |
//! | ids of senders | 100,000 of 64 B | the same | the oldest forgotten |
//! | how fast a socket may speak | as it likes | the same, `rate` | refused, with the time to wait |
//! | sockets that are away, and for how long | 100,000, 120 s | [`hub::Recovery`] | who has nothing to miss is given up, then the longest away |
//! | a namespace's log: age, bytes, events | 1 h, 64 MiB, 1 million | [`Retention`] | the oldest go |
//!
//! [`engineio::Config`]: crate::layers::application::engineio::Config
//! [`SessionConfig::max_payload`]: crate::layers::application::engineio::SessionConfig::max_payload
//! [`SessionConfig::max_backlog`]: crate::layers::application::engineio::SessionConfig::max_backlog
//! [`Origins`]: crate::layers::application::engineio::Origins
//! [`hub::Config`]: super::hub::Config
//! [`hub::Recovery`]: super::hub::Recovery
//! [`Retention`]: super::Retention

use std::collections::VecDeque;

use super::hub::{Hub, Input, Output, Reason, SessionId};
use crate::base::{Duration, Instant, Machine as _, SecondaryMap};
use crate::layers::application::engineio::{CloseCause, Event, Prepared, Server, SessionKey};
use crate::layers::application::http::Headers;
use crate::layers::application::socketio::{Decoder, Encoded, Limits};
use crate::layers::application::websocket::Message;

/// A hub, and the sessions that speak to it.
#[derive(Debug)]
pub struct Gateway {
    hub: Hub,
    limits: Limits,
    endpoint: usize,
    echo: Option<usize>,
    /// By the place that a session's key names.
    peers: SecondaryMap<SessionKey, Peer>,
    /// When the hub wants to be woken.
    wake_at: Instant,
    /// Sessions that were just let in, and when they get what came after that.
    settling: VecDeque<(Instant, SessionKey)>,
    /// Bytes of attachments, of all sessions, that wait for the rest of their packets; and how many that may be.
    attached: usize,
    max_attached: usize,
}

/// A session that speaks Socket.IO.
#[derive(Debug)]
struct Peer {
    decoder: Decoder,
    /// Bytes sent, as the hub counts them, of which it has not heard that they have gone out.
    unreported: usize,
    /// What came after a CONNECT, held back for a moment.
    held: Option<Vec<(usize, Prepared)>>,
    /// A ping waits for the same moment: its pong is to prove that what the hub has sent before it has come.
    ping_held: bool,
}

/// How long the events after a CONNECT are held back, so that they come in a read of their own.
///
/// Many programs wait for one message and listen for the next when they have it: with a bare WebSocket, or by awaiting
/// a stock client's connect event, whose promise goes on only when all that came in the same read has been handed out.
/// An event in that read is heard by nobody. Nothing in the protocol forbids it; other servers are spared because they
/// write each packet by itself. What a client that comes back has missed waits for the same moment, in its order.
const SETTLE: Duration = Duration::from_millis(4);

impl Gateway {
    /// A hub for the sessions of one endpoint (by its place in the server's list), and an echo for those of another.
    pub fn new(hub: Hub, limits: Limits, endpoint: usize, echo: Option<usize>) -> Self {
        Gateway {
            hub,
            limits,
            endpoint,
            echo,
            peers: SecondaryMap::new(),
            wake_at: Instant::NEVER,
            settling: VecDeque::new(),
            attached: 0,
            max_attached: 256 << 20,
        }
    }

    /// Lets the attachments of all packets that are not whole yet take so many bytes together, instead of 256 MiB.
    #[must_use]
    pub fn with_attachments_in_all(self, bytes: usize) -> Self {
        Gateway { max_attached: bytes, ..self }
    }

    /// The hub, to speak from the program itself. What it has to say goes out with the next event or wake.
    pub fn hub(&mut self) -> &mut Hub {
        &mut self.hub
    }

    /// Engine.IO tells of a session, a message, or the end of one.
    pub fn event(&mut self, now: Instant, event: Event, server: &mut Server) {
        match event {
            Event::Opened { session, endpoint } if endpoint == self.endpoint => {
                let decoder = Decoder::new(self.limits);
                self.peers.insert(session, Peer { decoder, unreported: 0, held: None, ping_held: false });
                self.tell(now, Input::Opened(SessionId(session.0)), server);
            }
            Event::Message { session, message } => self.message(now, session, message, server),
            Event::Drained { session } => {
                let Some(peer) = self.peers.get_mut(session) else { return };
                let bytes = std::mem::take(&mut peer.unreported);
                if bytes > 0 {
                    self.tell(now, Input::Sent(SessionId(session.0), bytes), server);
                }
            }
            Event::Alive { session } if self.peers.get(session).is_some() => {
                let length = server.round_trip(session);
                self.hub.handle(now, Input::RoundTrip(SessionId(session.0), length));
                self.tell(now, Input::Alive(SessionId(session.0)), server);
            }
            Event::Closed { session, cause } if self.peers.get(session).is_some() => {
                self.forget(session);
                self.tell(now, Input::Closed(SessionId(session.0), reason(cause)), server);
            }
            Event::Opened { .. } | Event::Alive { .. } | Event::Closed { .. } => {}
            Event::Request { conn, .. } => {
                let words = bytes::Bytes::from_static(b"not found\n");
                server.respond(now, conn, 404, "text/plain; charset=UTF-8", &Headers::new(), &words);
            }
        }
    }

    /// The time it asked for has come, or the hub's log has stored something.
    pub fn wake(&mut self, now: Instant, server: &mut Server) {
        while let Some(&(at, session)) = self.settling.front()
            && at <= now
        {
            self.settling.pop_front();
            self.release(now, session, server);
        }
        self.tell(now, Input::Wake, server);
    }

    /// The server is about to end: every client is let go in a way that lets it come back.
    pub fn stop(&mut self, now: Instant, server: &mut Server) {
        self.tell(now, Input::Drain, server);
    }

    /// When it wants to be woken.
    pub fn due(&self) -> Option<Instant> {
        let settled = self.settling.front().map_or(Instant::NEVER, |(at, _)| *at);
        Some(self.wake_at.min(settled)).filter(|at| *at < Instant::NEVER)
    }

    fn forget(&mut self, session: SessionKey) {
        if let Some(peer) = self.peers.remove(session) {
            self.attached -= peer.decoder.waiting();
        }
    }

    fn message(&mut self, now: Instant, session: SessionKey, message: Message, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session) else {
            if self.echo.is_some() {
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
            Ok(Some(packet)) => self.tell(now, Input::Packet(SessionId(session.0), packet), server),
            Err(_) => self.refuse(now, session, server),
        }
    }

    /// Ends a session whose client has sent what it may not.
    fn refuse(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        self.forget(session);
        server.close(now, session);
        self.tell(now, Input::Closed(SessionId(session.0), Reason::BadPacket), server);
    }

    /// Gives the hub an input, and does what it asks for.
    fn tell(&mut self, now: Instant, input: Input, server: &mut Server) {
        self.hub.handle(now, input);
        while let Some(output) = self.hub.poll(now) {
            match output {
                Output::Send { to, packet } => self.send(now, &to, &packet, server),
                Output::Close { session, .. } => {
                    let session = SessionKey(session.0);
                    self.release(now, session, server);
                    self.forget(session);
                    server.close(now, session);
                }
                Output::Probe(session) => self.ping(now, SessionKey(session.0), server),
                Output::WakeAt(at) => self.wake_at = at,
            }
        }
    }

    fn send(&mut self, now: Instant, to: &[SessionId], packet: &Encoded, server: &mut Server) {
        let prepared = prepare(packet);
        let is_connect = packet.text.as_bytes().first() == Some(&b'0');
        for session in to {
            let session = SessionKey(session.0);
            let Some(peer) = self.peers.get_mut(session) else { continue };
            if let Some(held) = &mut peer.held {
                held.push((packet.len(), prepared.clone()));
                continue;
            }
            peer.unreported += packet.len();
            if is_connect {
                peer.held = Some(Vec::new());
                self.settling.push_back((now + SETTLE, session));
            }
            server.send_prepared(now, session, &prepared);
        }
    }

    fn ping(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        match self.peers.get_mut(session).filter(|peer| peer.held.is_some()) {
            Some(peer) => peer.ping_held = true,
            None => server.ping(now, session),
        }
    }

    /// Sends what was held back.
    fn release(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session) else { return };
        for (bytes, prepared) in peer.held.take().unwrap_or_default() {
            peer.unreported += bytes;
            server.send_prepared(now, session, &prepared);
        }
        if std::mem::take(&mut peer.ping_held) {
            server.ping(now, session);
        }
    }
}

/// A packet as Engine.IO's messages: the text, then one for each attachment.
fn prepare(packet: &Encoded) -> Prepared {
    let attachments = packet.attachments.iter().cloned().map(Message::Binary);
    Prepared::new(std::iter::once(Message::Text(packet.text.clone())).chain(attachments))
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
mod tests {
    use super::*;
    use crate::chat::{Config, MemoryLog};
    use crate::layers::application::engineio;

    #[test]
    fn attachments_of_all_unfinished_packets_are_bounded_together() {
        let mut server = Server::new(engineio::Config::default(), Box::new(String::new));
        let hub = Hub::new(Config::default(), Box::new(|| 7), Box::new(MemoryLog::default()));
        let mut gateway = Gateway::new(hub, Limits::default(), 0, None).with_attachments_in_all(100);
        let mut say = |gateway: &mut Gateway, session: u64, message: Message| {
            let event = Event::Message { session: SessionKey(session), message };
            gateway.event(Instant::ZERO, event, &mut server);
            gateway.hub().sessions()
        };
        for session in 0..4 {
            let event = Event::Opened { session: SessionKey(session), endpoint: 0 };
            gateway.event(Instant::ZERO, event, &mut Server::new(Default::default(), Box::new(String::new)));
            assert_eq!(say(&mut gateway, session, Message::from(r#"52-["e"]"#)), session as usize + 1);
        }
        let forty = || Message::from(vec![0; 40]);
        assert_eq!(say(&mut gateway, 0, forty()), 4);
        assert_eq!(say(&mut gateway, 1, forty()), 4);
        assert_eq!((say(&mut gateway, 2, forty()), gateway.attached), (3, 80), "that one was too much");
        // Somebody leaves, and there is room again.
        let closed = Event::Closed { session: SessionKey(0), cause: CloseCause::TransportClosed };
        gateway.event(Instant::ZERO, closed, &mut Server::new(Default::default(), Box::new(String::new)));
        assert_eq!((say(&mut gateway, 3, forty()), gateway.attached), (2, 80));
    }
}

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

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use slotmap::{Key as _, KeyData, SecondaryMap};

use super::hub::{Hub, Input, Output, Reason, SessionId};
use crate::base::{Duration, Instant, Machine as _};
use crate::layers::application::engineio::{CloseCause, Event, Prepared, Server, Service, SessionKey};
use crate::layers::application::http::Headers;
use crate::layers::application::socketio::{Decoder, Encoded, Limits};
use crate::layers::application::websocket::Message;

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

/// A namespace that was just entered.
#[derive(Debug)]
struct Settling {
    namespace: String,
    /// What came in it after its CONNECT. Bounded like all that waits for the session, by the hub's `queue_bytes`.
    held: VecDeque<(Encoded, Prepared)>,
}

/// How long what follows a CONNECT in the same namespace is held back, so that it comes in a read of its own.
///
/// Many programs wait for one message and listen for the next when they have it: with a bare WebSocket, or by awaiting
/// a stock client's connect event, whose promise goes on only when all that came in the same read has been handed out.
/// An event in that read is lost to the program. Nothing in the protocol forbids it, and other servers do it: of twenty
/// clients of Socket.IO's own server that listen when they are connected, most miss what it sends at once.
///
/// Nothing else waits. Other namespaces of the session go on, their CONNECTs too; within one namespace the order stays.
/// By polling, where a read is an answer, time alone would not do it: a CONNECT is the last of the answer it is in.
const SETTLE: Duration = Duration::from_millis(4);

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

    fn send(&mut self, now: Instant, to: &[SessionId], packet: &Encoded, server: &mut Server) {
        let prepared = prepare(packet);
        for session in to.iter().copied().map(key) {
            let Some(peer) = self.peers.get_mut(session) else { continue };
            match peer.settling.iter_mut().find(|settling| settling.namespace == packet.namespace()) {
                Some(settling) => settling.held.push_back((packet.clone(), prepared.clone())),
                None => self.put(now, session, packet, &prepared, server),
            }
        }
    }

    /// Pings, when a ping waits and nothing else does.
    fn ping(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session).filter(|peer| peer.settling.is_empty()) else { return };
        if std::mem::take(&mut peer.ping_waits) {
            server.ping(now, session);
        }
    }

    /// Hands a packet on. After a CONNECT its namespace settles.
    fn put(
        &mut self,
        now: Instant,
        session: SessionKey,
        packet: &Encoded,
        prepared: &Prepared,
        server: &mut Server,
    ) {
        let Some(peer) = self.peers.get_mut(session) else { return };
        peer.unreported += packet.len();
        if packet.is_connect() {
            let namespace = packet.namespace().to_owned();
            peer.settling.push(Settling { namespace: namespace.clone(), held: VecDeque::new() });
            self.settling.push_back((now + SETTLE, session, namespace));
        }
        server.send_prepared(now, session, prepared);
    }

    /// Sends what was held back in a namespace; up to the next CONNECT, when it was left and entered again meanwhile.
    fn release(&mut self, now: Instant, session: SessionKey, namespace: &str, server: &mut Server) {
        let Some(peer) = self.peers.get_mut(session) else { return };
        let Some(at) = peer.settling.iter().position(|settling| settling.namespace == namespace) else {
            return;
        };
        let mut held = peer.settling.swap_remove(at).held;
        while let Some((packet, prepared)) = held.pop_front() {
            self.put(now, session, &packet, &prepared, server);
            let Some(peer) = self.peers.get_mut(session) else { return };
            if let Some(again) = peer.settling.iter_mut().find(|settling| settling.namespace == namespace) {
                again.held = held;
                return;
            }
        }
    }

    /// Sends all that was held back, with no moment between: the session ends.
    fn release_all(&mut self, now: Instant, session: SessionKey, server: &mut Server) {
        while let Some(settling) = self.peers.get_mut(session).and_then(|peer| peer.settling.pop()) {
            for (packet, prepared) in settling.held {
                let Some(peer) = self.peers.get_mut(session) else { return };
                peer.unreported += packet.len();
                server.send_prepared(now, session, &prepared);
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
        while self.settling.front().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, session, namespace)) = self.settling.pop_front()
        {
            self.release(now, session, &namespace, server);
            self.ping(now, session, server);
        }
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

/// A packet as Engine.IO's messages: the text, then one for each attachment.
fn prepare(packet: &Encoded) -> Prepared {
    let attachments = packet.attachments.iter().cloned().map(Message::Binary);
    let prepared = Prepared::new(std::iter::once(Message::Text(packet.text.clone())).chain(attachments));
    if packet.is_connect() { prepared.ending_a_body() } else { prepared }
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
    use std::sync::Arc;

    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn an_address_or_the_network_of_a_subscriber_is_one_origin() {
        let of = |text: &str| origin(text.parse().expect("an address"));
        assert_eq!((&*of("192.0.2.7"), of("::ffff:192.0.2.7")), ("192.0.2.7", of("192.0.2.7")));
        assert_eq!(
            (&*of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9")),
            ("2001:db8:1:2::", of("2001:db8:1:2::"))
        );
    }

    use crate::chat::{Config, MemoryLog};
    use crate::layers::application::engineio;
    use crate::layers::application::http::{Incoming, RequestHead};
    use crate::layers::application::socketio::Value;

    /// A server of three namespaces that greet, and one client by WebSocket or by polling.
    struct Bench {
        server: Server,
        gateway: Gateway,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let mut hub = Hub::new(Config::default(), Box::new(|| 7), Box::new(MemoryLog::default()));
            for name in ["/", "/a", "/b"] {
                hub.of(name)
                    .on_connection(|cx, _| {
                        cx.emit("auth", vec![]);
                    })
                    .on("message", |cx, _, _| {
                        cx.emit("back", vec![]);
                    })
                    .on("leave", |cx, _, _| cx.disconnect());
            }
            let server = Server::new(engineio::Config::default(), Box::new(|| "sid".into()));
            Bench { server, gateway: Gateway::new(hub, Limits::default(), 0), now: Instant::ZERO }
        }

        /// Gives bytes to a connection. What all connections get: the packets, as `type namespace`, where events are
        /// called by their names.
        fn give(&mut self, conn: engineio::ConnKey, bytes: &[u8]) -> String {
            self.server.handle(self.now, engineio::Input::Bytes(conn, bytes::Bytes::copy_from_slice(bytes)));
            self.run()
        }

        fn wait(&mut self, millis: u64) -> String {
            self.now += Duration::from_millis(millis);
            self.gateway.wake(self.now, &mut self.server);
            self.run()
        }

        fn run(&mut self) -> String {
            let mut written = Vec::new();
            while let Some(output) = self.server.poll(self.now) {
                match output {
                    engineio::Output::Event(event) => self.gateway.event(self.now, event, &mut self.server),
                    engineio::Output::Ready(conn) => {
                        let Some(outbox) = self.server.outbox(conn) else { continue };
                        let bytes: Vec<u8> = outbox.pieces().flatten().copied().collect();
                        self.server.written(conn, bytes.len());
                        written.extend(bytes);
                    }
                    engineio::Output::Close(_) | engineio::Output::WakeAt(_) => {}
                }
            }
            let written = String::from_utf8_lossy(&written);
            let words = [
                "40{",
                "40/a,{",
                "40/b,{",
                "42[\"auth\"",
                "42/a,[\"auth\"",
                "42/b,[\"auth\"",
                "back",
                "41/a",
            ];
            let mut found: Vec<_> = words.iter().flat_map(|word| written.match_indices(word)).collect();
            found.sort_unstable();
            found.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ")
        }

        fn websocket(&mut self) -> engineio::ConnKey {
            let conn = self.server.connected(self.now).expect("room");
            let head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
            self.give(conn, head.as_bytes());
            conn
        }

        fn say(&mut self, conn: engineio::ConnKey, packets: &[&str]) -> String {
            let frames = packets.iter().flat_map(|packet| {
                [&[0x81, 0x80 | packet.len() as u8, 0, 0, 0, 0], packet.as_bytes()].concat()
            });
            self.give(conn, &frames.collect::<Vec<u8>>())
        }

        fn request(&mut self, method: &str, body: &str) -> String {
            let conn = self.server.connected(self.now).expect("room");
            let (sid, length) = (if method == "OPEN" { "" } else { "sid" }, body.len());
            let method = method.replace("OPEN", "GET");
            let head = format!(
                "{method} /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            self.give(conn, head.as_bytes())
        }
    }

    #[test]
    fn what_follows_a_connect_comes_a_moment_later_in_every_namespace_and_nothing_else_waits() {
        let mut bench = Bench::new();
        let conn = bench.websocket();
        assert_eq!(bench.say(conn, &["40", "40/a,"]), "40{ 40/a,{");
        assert_eq!(bench.wait(2), "");
        assert_eq!(bench.say(conn, &["40/b,"]), "40/b,{", "a CONNECT waits for no other namespace");
        assert_eq!(bench.wait(2), "42[\"auth\" 42/a,[\"auth\"");
        assert_eq!(
            bench.say(conn, &["42[\"message\"]", "42/b,[\"message\"]"]),
            "back",
            "nor what was settled"
        );
        assert_eq!(bench.wait(2), "42/b,[\"auth\" back", "in their order");
    }

    #[test]
    fn gates_and_programs_see_the_request_its_query_cookies_fields_and_address() {
        let mut bench = Bench::new();
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (at_gate, inside) = (seen.clone(), seen.clone());
        bench
            .gateway
            .hub()
            .of("/a")
            .gate(move |entry| {
                let words = [entry.parameter("q").as_deref(), entry.cookie("c"), entry.header("x-one")]
                    .map(Option::unwrap_or_default)
                    .join(" ");
                at_gate.lock().unwrap().push(words);
                Ok(())
            })
            .on_connection(move |cx, hello| {
                let handshake = cx.handshake(hello);
                let part = |name| handshake.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                inside.lock().unwrap().push(format!("{} {}", part("address"), part("url")));
            });
        let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5000));
        let conn = bench.server.connected_from(bench.now, Some(address)).expect("room");
        let head = "GET /socket.io/?EIO=4&transport=websocket&q=%26 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nCookie: c=2\r\nX-One: three\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        bench.give(conn, head.as_bytes());
        assert_eq!(bench.say(conn, &["40/a,"]), "40/a,{");
        let url = "/socket.io/?EIO=4&transport=websocket&q=%26";
        assert_eq!(*seen.lock().unwrap(), ["& 2 three".to_owned(), format!("192.0.2.1 {url}")]);
    }

    #[test]
    fn who_leaves_and_enters_again_at_once_is_told_in_this_order() {
        let mut bench = Bench::new();
        let conn = bench.websocket();
        assert_eq!(bench.say(conn, &["40/a,", "42/a,[\"leave\"]", "40/a,"]), "40/a,{");
        assert_eq!(bench.wait(4), "42/a,[\"auth\" 41/a 40/a,{");
        assert_eq!(bench.wait(4), "42/a,[\"auth\"");
    }

    #[test]
    fn by_polling_a_connect_is_the_last_of_its_answer_however_late_the_poll() {
        let mut bench = Bench::new();
        bench.request("OPEN", "");
        bench.request("POST", "40\u{1e}40/a,");
        bench.wait(100);
        assert_eq!(bench.request("GET", ""), "40{");
        assert_eq!(bench.request("GET", ""), "40/a,{");
        assert_eq!(bench.request("GET", ""), "42[\"auth\" 42/a,[\"auth\"");
    }

    #[test]
    fn attachments_of_all_unfinished_packets_are_bounded_together() {
        let mut server = Server::new(engineio::Config::default(), Box::new(String::new));
        let hub = Hub::new(Config::default(), Box::new(|| 7), Box::new(MemoryLog::default()));
        let mut gateway = Gateway::new(hub, Limits::default(), 0).with_attachments_in_all(100);
        let mut keys = SlotMap::<SessionKey, ()>::with_key();
        let sessions: Vec<SessionKey> = (0..4).map(|_| keys.insert(())).collect();
        let mut say = |gateway: &mut Gateway, session: usize, message: Message| {
            let event = Event::Message { session: sessions[session], message };
            gateway.event(Instant::ZERO, event, &mut server);
            gateway.hub().sessions()
        };
        for (number, session) in sessions.iter().copied().enumerate() {
            let head = RequestHead::new("GET", "/", Headers::new());
            let event = Event::Opened { session, endpoint: 0, request: Arc::new(Incoming::new(head)) };
            gateway.event(Instant::ZERO, event, &mut Server::new(Default::default(), Box::new(String::new)));
            assert_eq!(say(&mut gateway, number, Message::from(r#"52-["e"]"#)), number + 1);
        }
        let forty = || Message::from(vec![0; 40]);
        assert_eq!(say(&mut gateway, 0, forty()), 4);
        assert_eq!(say(&mut gateway, 1, forty()), 4);
        assert_eq!((say(&mut gateway, 2, forty()), gateway.attached), (3, 80), "that one was too much");
        // One leaves, and there is room again.
        let closed = Event::Closed { session: sessions[0], cause: CloseCause::TransportClosed };
        gateway.event(Instant::ZERO, closed, &mut Server::new(Default::default(), Box::new(String::new)));
        assert_eq!((say(&mut gateway, 3, forty()), gateway.attached), (2, 80));
    }
}

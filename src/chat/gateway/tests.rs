//! Packets of clients in, packets to clients out, with an Engine.IO server between.

use slotmap::SlotMap;

use super::*;
use crate::base::Duration;
use crate::chat::{Config, MemoryLog};
use crate::layers::application::engineio;
use crate::layers::application::http::{Incoming, RequestHead};
use crate::layers::application::socketio::Value;

#[test]
fn an_address_or_the_network_of_a_subscriber_is_one_origin() {
    let of = |text: &str| origin(text.parse().expect("an address"));
    assert_eq!((&*of("192.0.2.7"), of("::ffff:192.0.2.7")), ("192.0.2.7", of("192.0.2.7")));
    assert_eq!(
        (&*of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9")),
        ("2001:db8:1:2::", of("2001:db8:1:2::"))
    );
}

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
        let words =
            ["40{", "40/a,{", "40/b,{", "42[\"auth\"", "42/a,[\"auth\"", "42/b,[\"auth\"", "back", "41/a"];
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
        let frames = packets
            .iter()
            .flat_map(|packet| [&[0x81, 0x80 | packet.len() as u8, 0, 0, 0, 0], packet.as_bytes()].concat());
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
    assert_eq!(bench.say(conn, &["42[\"message\"]", "42/b,[\"message\"]"]), "back", "nor what was settled");
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

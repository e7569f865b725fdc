//! The whole server without a network: bytes of connections in, bytes out.

use super::*;
use crate::base::Duration;
use crate::layers::application::engineio::CloseCause;
use crate::layers::application::http::{Gate, Rejection, ResponseHead};
use crate::layers::application::websocket;

const HANDSHAKE: &str = "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A server that echoes what each session says, and everything it has written so far.
struct Bench {
    server: Server,
    now: Instant,
    written: BTreeMap<ConnKey, Vec<u8>>,
    closed: Vec<ConnKey>,
    ended: Vec<CloseCause>,
    /// Connections that read nothing.
    deaf: Vec<ConnKey>,
}

impl Bench {
    fn new() -> Self {
        Bench::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { endpoints: vec!["/engine.io/".into()], ..Config::default() };
        config.session.ping_interval = Duration::from_millis(300);
        config.session.ping_timeout = Duration::from_millis(200);
        config.session.max_payload = 1000;
        config.session.max_backlog = 100_000;
        change(&mut config);
        let mut count = 0;
        let sids = Box::new(move || {
            count += 1;
            format!("sid{count}")
        });
        Bench {
            server: Server::new(config, sids),
            now: Instant::ZERO,
            written: BTreeMap::new(),
            closed: Vec::new(),
            ended: Vec::new(),
            deaf: Vec::new(),
        }
    }

    fn settle(&mut self) {
        while let Some(output) = self.server.poll(self.now) {
            match output {
                Output::Event(Event::Message { session, message }) => {
                    self.server.send(self.now, session, message);
                }
                Output::Event(Event::Closed { cause, .. }) => self.ended.push(cause),
                Output::Event(Event::Request { conn, head }) => {
                    let body = Bytes::from(head.target);
                    self.server.respond(self.now, conn, 200, "text/html", &Headers::new(), &body);
                }
                Output::Ready(conn) if self.deaf.contains(&conn) => {}
                Output::Ready(conn) => {
                    let Some(outbox) = self.server.outbox(conn) else { continue };
                    let bytes: Vec<u8> = outbox.pieces().flatten().copied().collect();
                    self.server.written(conn, bytes.len());
                    self.written.entry(conn).or_default().extend(bytes);
                }
                Output::Close(conn) => self.closed.push(conn),
                Output::Event(Event::Opened { .. } | Event::Alive { .. } | Event::Sent { .. })
                | Output::WakeAt(_) => {}
            }
        }
    }

    fn connect(&mut self) -> ConnKey {
        self.server.connected(self.now).expect("room for one more")
    }

    fn give(&mut self, conn: ConnKey, bytes: &[u8]) -> String {
        self.server.handle(self.now, Input::Bytes(conn, Bytes::copy_from_slice(bytes)));
        self.settle();
        self.take(conn)
    }

    fn take(&mut self, conn: ConnKey) -> String {
        String::from_utf8_lossy(&self.written.remove(&conn).unwrap_or_default()).into_owned()
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.server.handle(self.now, Input::Wake);
        self.settle();
    }

    fn get(&mut self, conn: ConnKey, query: &str) -> (u16, String) {
        let answer =
            self.give(conn, format!("GET /engine.io/?{query} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        parse(&answer)
    }

    fn post(&mut self, conn: ConnKey, sid: &str, body: &str) -> (u16, String) {
        let head = format!(
            "POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        parse(&self.give(conn, head.as_bytes()))
    }

    fn websocket(&mut self, query: &str) -> ConnKey {
        let conn = self.connect();
        let head = format!("GET /engine.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\n{HANDSHAKE}");
        let answer = self.give(conn, head.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
        self.written
            .insert(conn, answer.split_once("\r\n\r\n").map(|(_, rest)| rest.into()).unwrap_or_default());
        conn
    }
}

/// Status and body of an answer; 0 when there is none.
fn parse(answer: &str) -> (u16, String) {
    if answer.is_empty() {
        return (0, String::new());
    }
    let (head, len) = ResponseHead::parse(answer.as_bytes()).expect("an answer");
    let length = head.headers.get("Content-Length").map_or(0, |length| length.parse().unwrap());
    assert_eq!(answer.len() - len, length, "{answer}");
    (head.status, answer[len..].into())
}

/// A frame as a client sends it, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let mut writer = crate::base::Writer::new();
    let header = websocket::FrameHeader {
        mask: Some([0; 4]),
        ..websocket::FrameHeader::new(websocket::Opcode::Text, text.len() as u64)
    };
    crate::base::Header::emit(&header, &mut writer);
    writer.bytes(text.as_bytes());
    writer.finish().into()
}

#[test]
fn a_session_by_polling_on_one_connection() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let (status, open) = bench.get(conn, "EIO=4&transport=polling");
    assert_eq!(status, 200);
    assert!(open.starts_with(r#"0{"sid":"sid1","upgrades":["websocket"]"#), "{open}");
    assert_eq!(bench.post(conn, "sid1", "4hello\x1ebAQIDBA=="), (200, "ok".into()));
    assert_eq!(bench.get(conn, "EIO=4&transport=polling&sid=sid1"), (200, "4hello\x1ebAQIDBA==".into()));
    assert_eq!(bench.get(conn, "EIO=4&transport=polling&sid=sid1"), (0, String::new()));
    bench.wait(300);
    assert_eq!(parse(&bench.take(conn)), (200, "2".into()));
    bench.wait(200);
    assert_eq!(bench.ended, [CloseCause::PingTimeout]);
    let gone = (400, r#"{"code":1,"message":"Session ID unknown"}"#.into());
    assert_eq!(bench.get(conn, "EIO=4&transport=polling&sid=sid1"), gone);
    assert_eq!(bench.server.sessions(), 0);
}

#[test]
fn requests_may_come_byte_by_byte_or_several_at_once() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let two = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n\
               POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
               3\r\n4he\r\n3\r\nllo\r\n0\r\n\r\n\
               GET /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\n\r\n";
    let whole = bench.give(conn, two.as_bytes());
    assert!(whole.ends_with("4hello"), "{whole}");
    let other = bench.connect();
    let mut piecewise = String::new();
    for byte in two.replace("sid1", "sid2").bytes() {
        piecewise.push_str(&bench.give(other, &[byte]));
    }
    assert_eq!(piecewise, whole.replace("sid1", "sid2"));
}

#[test]
fn a_declared_body_over_the_limit_is_refused_before_it_is_read() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    let head = "POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n";
    let answer = bench.give(conn, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(bench.closed, [conn]);
    assert_eq!(bench.server.sessions(), 1);
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_session_lives_declared_or_not() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let opened = bench.get(conn, "EIO=4&transport=polling");
    assert_eq!(opened.0, 200);
    for length in ["Content-Length: 1001", "Transfer-Encoding: chunked"] {
        let post = bench.connect();
        let head = format!(
            "POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\n{length}\r\n\r\n3e9\r\n"
        );
        assert_eq!(parse(&bench.give(post, head.as_bytes())).0, 413, "{length}");
        let post = bench.connect();
        assert_eq!(bench.post(post, "sid1", "4still here"), (200, "ok".into()), "{length}");
        assert_eq!(bench.get(conn, "EIO=4&transport=polling&sid=sid1"), (200, "4still here".into()));
    }
}

#[test]
fn of_two_posts_at_once_both_are_bad_requests() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    let slow = bench.connect();
    let head =
        "POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n4";
    assert_eq!(bench.give(slow, head.as_bytes()), "");
    let bad = (400, r#"{"code":3,"message":"Bad request"}"#.to_owned());
    assert_eq!(bench.post(conn, "sid1", "4b"), bad);
    assert_eq!(parse(&bench.give(slow, b"a")), bad);
    assert_eq!(bench.ended, [CloseCause::BadRequest]);
}

#[test]
fn a_body_that_is_no_text_ends_the_session() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    let post = bench.connect();
    let head = "POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\
                Content-Type: application/octet-stream\r\n\r\n4a";
    let bad = (400, r#"{"code":3,"message":"Bad request"}"#.to_owned());
    assert_eq!(parse(&bench.give(post, head.as_bytes())), bad);
    assert_eq!(bench.ended, [CloseCause::BadRequest]);
}

#[test]
fn a_session_is_unknown_at_another_endpoint() {
    let mut bench = Bench::with(|config| config.endpoints = vec!["/a/".into(), "/engine.io/".into()]);
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    let unknown = (400, r#"{"code":1,"message":"Session ID unknown"}"#.to_owned());
    for transport in ["polling", "websocket"] {
        let head = format!("GET /a/?EIO=4&transport={transport}&sid=sid1 HTTP/1.1\r\n{HANDSHAKE}");
        assert_eq!(parse(&bench.give(conn, head.as_bytes())), unknown, "{transport}");
    }
    assert_eq!(bench.post(conn, "sid1", "4a"), (200, "ok".into()), "at its own it is known");
}

#[test]
fn what_browsers_and_old_programs_send_before_a_request_is_taken() {
    let mut bench = Bench::new();
    let target = "/engine.io/?EIO=4&transport=polling";
    let long = "x".repeat(7000);
    let fields = (0..80).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    for head in [
        format!("GET {target}&token={long} HTTP/1.1\r\nHost: h\r\n\r\n"),
        format!("GET {target} HTTP/1.1\r\nHost: h\r\nCookie: {long}\r\n\r\n"),
        format!("GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n"),
        // Host is a field of HTTP/1.1 (RFC 9112 §3.2).
        format!("GET {target} HTTP/1.0\r\n\r\n"),
    ] {
        let conn = bench.connect();
        assert_eq!(parse(&bench.give(conn, head.as_bytes())).0, 200, "{head:.60}");
    }
    let conn = bench.connect();
    assert_eq!(parse(&bench.give(conn, format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes())).0, 400);
}

#[test]
fn a_session_by_websocket() {
    let mut bench = Bench::new();
    let conn = bench.websocket("");
    assert!(bench.take(conn).contains(r#""upgrades":[]"#));
    assert_eq!(bench.give(conn, &frame("4hello")), "\u{fffd}\u{6}4hello");
    bench.wait(300);
    assert_eq!(bench.take(conn), "\u{fffd}\u{1}2");
    bench.give(conn, &frame("3"));
    bench.wait(250);
    assert_eq!(bench.ended, []);
    bench.server.handle(bench.now, Input::Gone(conn));
    bench.settle();
    assert_eq!((bench.ended.clone(), bench.closed.clone()), (vec![CloseCause::TransportClosed], vec![conn]));
    assert_eq!((bench.server.connections(), bench.server.sessions()), (0, 0));
}

#[test]
fn an_upgrade_and_what_is_ignored_after_it() {
    let mut bench = Bench::new();
    let http = bench.connect();
    bench.get(http, "EIO=4&transport=polling");
    let socket = bench.websocket("&sid=sid1");
    assert_eq!(bench.give(socket, &frame("2probe")), "\u{fffd}\u{6}3probe");
    assert_eq!(bench.get(http, "EIO=4&transport=polling&sid=sid1"), (200, "6".into()));
    bench.give(socket, &frame("5"));
    assert_eq!(bench.get(http, "EIO=4&transport=polling&sid=sid1").0, 400);
    let second = bench.websocket("&sid=sid1");
    assert_eq!(bench.take(second), "\u{fffd}\u{2}\u{3}\u{fffd}", "a Close frame with 1000");
    assert_eq!(bench.give(socket, &frame("4hello")), "\u{fffd}\u{6}4hello");
    assert_eq!(bench.ended, []);
}

#[test]
fn a_page_of_another_origin_is_refused_and_one_of_this_machine_gets_its_fields() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let ask = |method: &str, origin: &str| {
        format!(
            "{method} /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\n\r\n"
        )
    };
    let refused = bench.give(conn, ask("GET", "http://evil.example").as_bytes());
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains(r#""code":4"#), "{refused}");
    assert!(!refused.contains("Access-Control"));
    let preflight = bench.give(conn, ask("OPTIONS", "http://localhost:5173").as_bytes());
    assert!(preflight.starts_with("HTTP/1.1 204"), "{preflight}");
    assert!(preflight.contains("Access-Control-Allow-Origin: http://localhost:5173\r\n"));
    assert!(preflight.contains("Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n"));
}

#[test]
fn who_sends_its_head_too_slowly_is_told_and_closed() {
    let mut bench = Bench::new();
    let slow = bench.connect();
    let silent = bench.connect();
    bench.give(slow, b"GET /engine.io/");
    bench.wait(9_000);
    bench.give(slow, b"?EIO=4");
    assert_eq!(bench.closed, []);
    bench.wait(1_001);
    assert!(bench.take(slow).starts_with("HTTP/1.1 408"));
    assert_eq!(bench.closed.len(), 2);
    assert!(bench.closed.contains(&silent));
    assert_eq!(bench.server.connections(), 0);
}

#[test]
fn who_does_not_read_is_cut_off_and_nobody_else() {
    let mut bench = Bench::new();
    let deaf = bench.websocket("");
    let fine = bench.websocket("");
    bench.take(fine);
    bench.deaf.push(deaf);
    let prepared = Prepared::new([Message::Text("x".repeat(1000).into())]);
    for _ in 0..200 {
        for session in bench.server.sessions.keys().collect::<Vec<_>>() {
            bench.server.send_prepared(bench.now, session, &prepared);
        }
        bench.settle();
    }
    assert_eq!(bench.ended, [CloseCause::SlowReader]);
    assert_eq!(bench.closed, [deaf]);
    assert_eq!(bench.take(fine).matches('x').count(), 200_000);
}

#[test]
fn too_many_connections_and_sessions_are_turned_away() {
    let mut bench = Bench::with(|config| {
        config.max_connections = 3;
        config.max_sessions = 1;
    });
    let (one, two) = (bench.connect(), bench.connect());
    assert_eq!(bench.get(one, "EIO=4&transport=polling").0, 200);
    assert_eq!(bench.get(two, "EIO=4&transport=polling").0, 503);
    bench.connect();
    assert!(bench.server.connected(bench.now).is_none());
}

#[test]
fn other_paths_are_not_found_or_somebody_elses() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let get = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(parse(&bench.give(conn, get)).0, 404);
    let mut bench = Bench::with(|config| config.other_requests = true);
    let conn = bench.connect();
    assert_eq!(parse(&bench.give(conn, get)), (200, "/x".into()));
    assert!(bench.give(conn, b"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("keep-alive\r\n\r\n"));
}

#[test]
fn nonsense_is_answered_and_closed() {
    for nonsense in [
        "\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut bench = Bench::new();
        let conn = bench.connect();
        let answer = bench.give(conn, nonsense.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 505"), "{answer}");
        assert_eq!(bench.closed, [conn]);
    }
}

#[test]
fn on_shut_down_everybody_is_told() {
    let mut bench = Bench::new();
    let socket = bench.websocket("");
    let http = bench.connect();
    bench.get(http, "EIO=4&transport=polling");
    bench.get(http, "EIO=4&transport=polling&sid=sid2");
    bench.take(socket);
    bench.server.shut_down(bench.now);
    bench.settle();
    assert_eq!(bench.ended, [CloseCause::ByServer, CloseCause::ByServer]);
    assert_eq!(parse(&bench.take(http)), (200, "1".into()));
    assert_eq!(bench.take(socket), "\u{fffd}\u{2}\u{3}\u{fffd}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_disturb_the_others(junk in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let mut bench = Bench::new();
        let good = bench.websocket("");
        bench.take(good);
        let bad = bench.connect();
        bench.give(bad, &junk);
        let bad = bench.websocket("");
        bench.give(bad, &junk);
        proptest::prop_assert_eq!(bench.give(good, &frame("4hi")), "\u{fffd}\u{3}4hi");
    }
}

#[test]
fn a_server_on_loopback_answers_nothing_under_another_name() {
    let ask = |host: &str| {
        let mut bench = Bench::with(|config| config.loopback_only = true);
        let conn = bench.connect();
        let request = format!("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: {host}\r\n\r\n");
        parse(&bench.give(conn, request.as_bytes())).0
    };
    assert_eq!(["127.0.0.1:8000", "localhost", "[::1]:1"].map(ask), [200; 3]);
    assert_eq!(["evil.example:8000", "10.0.0.1", ""].map(ask), [403; 3]);
}

#[test]
fn a_server_that_goes_away_says_so_in_its_close_frames() {
    let closing = |goes_away: bool| {
        let mut bench = Bench::new();
        let conn = bench.connect();
        let request = format!("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\n{HANDSHAKE}");
        bench.give(conn, request.as_bytes());
        if goes_away {
            bench.server.go_away();
        }
        let session = bench.server.sessions.keys().next().expect("it is open");
        bench.server.close(bench.now, session);
        bench.settle();
        let written = bench.written.remove(&conn).unwrap_or_default();
        let close = written.windows(2).position(|two| two == [0x88, 2]).expect("a Close frame");
        u16::from_be_bytes([written[close + 2], written[close + 3]])
    };
    assert_eq!([closing(false), closing(true)], [1000, 1001]);
}

#[test]
fn a_client_that_sends_no_more_gets_the_answer_that_is_on_its_way() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    let request = b"GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n";
    bench.server.handle(bench.now, Input::Bytes(conn, Bytes::from_static(request)));
    bench.server.handle(bench.now, Input::Eof(conn));
    bench.settle();
    assert!(bench.take(conn).starts_with("HTTP/1.1 200 "));
    assert_eq!(bench.closed, [conn]);
    // A poll that waits for something to be said is given up.
    let conn = bench.connect();
    bench.give(conn, b"GET /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\n\r\n");
    bench.server.handle(bench.now, Input::Eof(conn));
    bench.settle();
    assert_eq!(bench.ended, [CloseCause::BadRequest]);
    assert_eq!(bench.server.connections(), 0);
}

#[test]
fn what_waits_is_told_as_it_is_written_and_much_of_it_makes_a_connection_busy() {
    let mut bench = Bench::with(|config| config.session.max_backlog = 1_000_000);
    let conn = bench.websocket("");
    bench.take(conn);
    bench.deaf.push(conn);
    for _ in 0..300 {
        assert!(!bench.server.is_busy(conn));
        bench.give(conn, &frame(&format!("4{}", "x".repeat(990))));
        if bench.server.outbox(conn).is_some_and(|outbox| outbox.len() > 256 << 10) {
            break;
        }
    }
    assert!(bench.server.is_busy(conn));
    let waiting = bench.server.outbox(conn).expect("it is open").len();
    bench.server.written(conn, 100_000);
    assert!(!bench.server.is_busy(conn));
    let mut sent = Vec::new();
    while let Some(output) = bench.server.poll(bench.now) {
        if let Output::Event(Event::Sent { left, .. }) = output {
            sent.push(left);
        }
    }
    assert_eq!(sent, [waiting - 100_000]);
}

#[test]
fn what_comes_behind_a_waiting_poll_is_kept_and_much_of_it_makes_the_connection_busy() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    bench.give(conn, b"GET /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\n\r\n");
    let body = format!("4{}", "x".repeat(900));
    let post = format!(
        "POST /engine.io/?EIO=4&transport=polling&sid=sid1 HTTP/1.1\r\nHost: h\r\nContent-Length: 901\r\n\r\n{body}"
    );
    let ahead = post.repeat(70);
    assert_eq!(bench.give(conn, &ahead.as_bytes()[..1000]), "");
    assert!(!bench.server.is_busy(conn));
    assert_eq!(bench.give(conn, &ahead.as_bytes()[1000..]), "");
    assert!(bench.server.is_busy(conn) && bench.closed.is_empty());
    // The ping answers the poll, and its turn comes.
    bench.wait(300);
    let answers = bench.take(conn);
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 71, "{answers:.200}");
    assert!(!bench.server.is_busy(conn));
}

/// A server whose gate wants `token=secret` and gives a cookie to who has it.
fn guarded() -> Bench {
    Bench::with(|config| {
        config.gate = Some(Gate::new(|request| match request.parameter("token").as_deref() {
            Some("secret") => Ok(Headers::new().with("Set-Cookie", "a=1")),
            Some(_) => Err(Rejection::unauthorized("Bearer").body("another token, please\n")),
            None => Err(Rejection::new(403)),
        }));
    })
}

#[test]
fn the_program_decides_before_a_session_is_opened_with_its_own_status_and_fields() {
    for head in ["transport=polling", "transport=websocket"] {
        let mut bench = guarded();
        let mut ask = |more: &str| {
            let conn = bench.connect();
            let head = format!("GET /engine.io/?EIO=4&{head}{more} HTTP/1.1\r\n{HANDSHAKE}");
            let head =
                if head.contains("polling") { head.replace("Upgrade: websocket\r\n", "") } else { head };
            bench.give(conn, head.as_bytes())
        };
        let refused = ask("&token=wrong");
        assert!(refused.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{refused}");
        assert!(refused.contains("WWW-Authenticate: Bearer\r\n"), "{refused}");
        assert!(refused.ends_with("another token, please\n"), "{refused}");
        let refused = ask("");
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
        assert!(refused.ends_with(r#"{"code":4,"message":"Forbidden"}"#), "{refused}");
        let welcome = ask("&token=secret");
        assert!(welcome.starts_with("HTTP/1.1 200") || welcome.starts_with("HTTP/1.1 101"), "{welcome}");
        assert!(welcome.contains("Set-Cookie: a=1\r\n"), "{welcome}");
        assert_eq!(bench.server.sessions(), 1);
    }
}

#[test]
fn a_session_knows_the_request_that_opened_it_and_by_polling_the_latest() {
    let mut bench = Bench::new();
    let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5000));
    let conn = bench.server.connected_from(bench.now, Some(address)).unwrap();
    let open = b"GET /engine.io/?EIO=4&transport=polling&a=b HTTP/1.1\r\nHost: h\r\nCookie: x=1\r\n\r\n";
    bench.server.handle(bench.now, Input::Bytes(conn, Bytes::from_static(open)));
    let opened = std::iter::from_fn(|| bench.server.poll(bench.now)).find_map(|output| match output {
        Output::Event(Event::Opened { request, session, .. }) => Some((request, session)),
        _ => None,
    });
    let (request, session) = opened.expect("a session");
    assert_eq!((request.cookie("x"), request.address), (Some("1"), Some(address)));
    assert_eq!(request.parameter("a").as_deref(), Some("b"));
    bench.settle();
    bench.take(conn);
    assert_eq!(bench.post(conn, "sid1", "4hello"), (200, "ok".into()));
    let latest = bench.server.request(session).unwrap();
    assert_eq!((latest.head.method.as_str(), latest.address), ("POST", Some(address)));
}

#[test]
fn a_query_may_follow_the_host_of_a_whole_uri() {
    let mut bench = Bench::with(|config| config.other_requests = true);
    let conn = bench.connect();
    let answer = bench.give(conn, b"GET http://h?x=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(parse(&answer), (200, "http://h?x=1".into()));
    let answer =
        bench.give(conn, b"GET http://h/engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(parse(&answer).0, 200);
}

/// What clients of Engine.IO tell their programs of it, who expect no words there.
#[test]
fn a_message_that_is_too_long_is_refused_without_words() {
    let mut bench = Bench::new();
    let conn = bench.connect();
    bench.get(conn, "EIO=4&transport=polling");
    assert_eq!(bench.post(conn, "sid1", &"x".repeat(1001)), (413, String::new()));
    let socket = bench.websocket("");
    bench.take(socket);
    let long = [&[0x81, 0xfe, 0x03, 0xe9, 0, 0, 0, 0][..], &[b'x'; 1001]].concat();
    bench.server.handle(bench.now, Input::Bytes(socket, long.into()));
    bench.settle();
    assert_eq!(bench.written[&socket], [0x88, 2, 0x03, 0xf1], "1009 and no reason");
}

#[test]
fn who_holds_most_is_slowed_then_closed_with_1013_and_the_others_are_not_touched() {
    let mut bench = Bench::with(|config| config.session.max_backlog = 10_000_000);
    let conns: Vec<ConnKey> = (0..5).map(|_| bench.websocket("")).collect();
    let sessions: Vec<SessionKey> = bench.server.sessions.keys().collect();
    // The last two read nothing: one is sent ten times as much as the other.
    bench.deaf = conns[3..].to_vec();
    let message = Message::Text("x".repeat(10_000).into());
    for (at, count) in [(3, 100), (4, 10)] {
        for _ in 0..count {
            bench.server.send(bench.now, sessions[at], message.clone());
        }
    }
    bench.settle();
    assert!(bench.server.held(|_| 0) > 1_100_000, "{}", bench.server.held(|_| 0));
    bench.server.slow_down(500_000, |_| 0);
    let busy: Vec<bool> = conns.iter().map(|conn| bench.server.is_busy(*conn)).collect();
    assert_eq!(busy, [false, false, false, true, false]);
    bench.server.relax();
    let now = bench.now;
    assert_eq!(bench.server.shed(now, 500_000, |_| 0), 1);
    bench.settle();
    assert_eq!(bench.ended, [CloseCause::SlowReader]);
    assert!(
        bench.server.held(|_| 0) < 200_000,
        "what waited is given up at once: {}",
        bench.server.held(|_| 0)
    );
    // It reads at last: whole messages, then Close with 1013.
    let outbox = bench.server.outbox(conns[3]).expect("it has a moment to read");
    let waits: Vec<u8> = outbox.pieces().flatten().copied().collect();
    assert!(waits.ends_with(&[0x88, 2, 0x03, 0xf5]), "{:?}", &waits[waits.len().saturating_sub(8)..]);
    assert_eq!((waits.len() - 4) % (10_000 + 4 + 1), 0, "each with its header and its type");
    // Nobody is left who holds much: a crowd that holds little is not to blame, whatever is missing.
    assert_eq!(bench.server.shed(now, usize::MAX, |_| 0), 1, "the other one that does not read");
    assert_eq!(bench.server.shed(now, usize::MAX, |_| 0), 0);
    assert_eq!(
        bench.server.shed(now, usize::MAX, |session| if session == sessions[0] { 70_000 } else { 0 }),
        1
    );
    assert_eq!(bench.server.sessions(), 2);
    bench.settle();
    assert!(bench.give(conns[1], &frame("4hi")).contains("4hi"));
}

//! What the test suites of the Engine.IO and the Socket.IO protocol ask of a server, asked of `event_server --profile
//! suite` by bytes: `engine.io-protocol` revision 4, `socket.io-protocol` revision 5.
//!
//! That profile pings every 300 ms and waits 200 ms for an answer, so a case that needs the session to live is quick; on
//! a machine that is too busy even for that a case is tried again.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::event_server::{EventServer, Said, Ws};

const ENGINE: &str = "/engine.io/?EIO=4&transport=";
const SOCKET: &str = "/socket.io/?EIO=4&transport=";

/// Plays a case, three times at most.
fn case(play: impl Fn()) {
    for _ in 0..2 {
        if catch_unwind(AssertUnwindSafe(&play)).is_ok() {
            return;
        }
    }
    play();
}

fn get(server: &EventServer, target: &str) -> (u16, String) {
    server.request("GET", target, "", "")
}

/// Opens a session by polling: its id.
fn session(server: &EventServer, endpoint: &str) -> String {
    let (status, open) = get(server, &format!("{endpoint}polling"));
    assert_eq!(status, 200, "{open}");
    handshake(&open)["sid"].as_str().expect("a sid").to_owned()
}

fn handshake(packet: &str) -> serde_json::Value {
    serde_json::from_str(packet.strip_prefix('0').expect("an open packet")).expect("JSON")
}

fn polling(endpoint: &str, sid: &str) -> String {
    format!("{endpoint}polling&sid={sid}")
}

fn socket(server: &EventServer, endpoint: &str) -> Ws {
    let mut socket = Ws::open(server, &format!("{endpoint}websocket")).expect("it opens");
    assert!(socket.text().starts_with("0{"));
    socket
}

fn assert_handshake(packet: &str, upgrades: &[&str]) {
    let open = handshake(packet);
    let keys: Vec<&String> = open.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
    assert_eq!(open["upgrades"], serde_json::json!(upgrades));
    assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&300.into(), &200.into()));
    assert_eq!(open["maxPayload"], 1_000_000);
}

#[test]
fn a_handshake_tells_what_it_must() {
    let server = &EventServer::start("suite");
    for endpoint in [ENGINE, SOCKET] {
        case(|| {
            assert_handshake(&get(server, &format!("{endpoint}polling")).1, &["websocket"]);
            let mut socket = Ws::open(server, &format!("{endpoint}websocket")).expect("it opens");
            assert_handshake(&socket.text(), &[]);
        });
    }
}

#[test]
fn each_error_has_its_code_and_status() {
    let server = &EventServer::start("suite");
    let error = |method: &str, target: &str| {
        let (status, body) = server.request(method, target, "", "");
        let json: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let keys = json.as_object().map(|object| object.len());
        assert_eq!(keys, Some(2), "code and message: {body}");
        (status, json["code"].as_u64(), json["message"].as_str().unwrap_or_default().to_owned())
    };
    for path in ["/engine.io/", "/socket.io/"] {
        for query in ["EIO=4", "EIO=4&transport=abc", "EIO=4&transport="] {
            let expected = (400, Some(0), "Transport unknown".to_owned());
            assert_eq!(error("GET", &format!("{path}?{query}")), expected, "{query}");
        }
        // Of two endpoints neither knows the sessions of the other.
        let other = if path == "/engine.io/" { SOCKET } else { ENGINE };
        let elsewhere = format!("EIO=4&transport=polling&sid={}", session(server, other));
        for query in
            ["EIO=4&transport=polling&sid=none", "EIO=4&transport=websocket&sid=none", elsewhere.as_str()]
        {
            let expected = (400, Some(1), "Session ID unknown".to_owned());
            assert_eq!(error("GET", &format!("{path}?{query}")), expected, "{query}");
            assert_eq!(error("POST", &format!("{path}?{query}")), expected, "{query}");
        }
        // An empty id is none.
        assert_eq!(get(server, &format!("{path}?EIO=4&transport=polling&sid=")).0, 200);
        for method in ["POST", "PUT", "DELETE"] {
            let expected = (400, Some(2), "Bad handshake method".to_owned());
            assert_eq!(error(method, &format!("{path}?EIO=4&transport=polling")), expected, "{method}");
        }
        // A WebSocket that is not asked for as one.
        let expected = (400, Some(3), "Bad request".to_owned());
        assert_eq!(error("GET", &format!("{path}?EIO=4&transport=websocket")), expected);
        for query in ["transport=polling", "EIO=abc&transport=polling", "EIO=3&transport=polling"] {
            let expected = (400, Some(5), "Unsupported protocol version".to_owned());
            assert_eq!(error("GET", &format!("{path}?{query}")), expected, "{query}");
        }
        for query in ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"] {
            assert_eq!(Ws::open(server, &format!("{path}?{query}")).err(), Some(400), "{query}");
        }
        assert_eq!(Ws::open(server, &format!("{path}?EIO=4&transport=websocket&sid=none")).err(), Some(400));
        // A method that a session has no use for.
        let sid = session(server, &format!("{path}?EIO=4&transport="));
        let target = format!("{path}?EIO=4&transport=polling&sid={sid}");
        assert_eq!(server.request("PUT", &target, "", "").0, 400);
    }
}

#[test]
fn messages_come_back_by_polling() {
    let server = &EventServer::start("suite");
    for body in ["4hello", "4test1\u{1e}4test2\u{1e}4test3", "4hello\u{1e}bAQIDBA==", "bAQIDBA=="] {
        case(|| {
            let target = polling(ENGINE, &session(server, ENGINE));
            let posted = server.request("POST", &target, "Content-Type: text/plain;charset=UTF-8\r\n", body);
            assert_eq!(posted, (200, "ok".into()));
            let mut got = String::new();
            while got.len() < body.len() {
                let (status, more) = get(server, &target);
                assert_eq!(status, 200);
                if !got.is_empty() {
                    got.push('\u{1e}');
                }
                got.push_str(&more);
            }
            assert_eq!(got, body);
        });
    }
}

#[test]
fn a_body_that_is_no_packet_ends_the_session() {
    let server = &EventServer::start("suite");
    for body in ["abc", "", "4a\u{1e}", "7", "b&"] {
        let target = polling(ENGINE, &session(server, ENGINE));
        assert_eq!(server.request("POST", &target, "", body).0, 400, "{body:?}");
        assert_eq!(get(server, &target).0, 400, "{body:?}");
    }
}

#[test]
fn a_second_poll_ends_the_session() {
    let server = &EventServer::start("suite");
    case(|| {
        let target = polling(ENGINE, &session(server, ENGINE));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| get(server, &target));
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(get(server, &format!("{target}&t=burst")).0, 400);
            assert_eq!(first.join().expect("an answer"), (200, "1".into()));
        });
        assert_eq!(get(server, &target).0, 400);
    });
}

#[test]
fn a_poll_that_is_given_up_ends_the_session() {
    let server = &EventServer::start("suite");
    case(|| {
        let target = polling(ENGINE, &session(server, ENGINE));
        let mut stream = server.connect();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").expect("the request goes out");
        std::thread::sleep(Duration::from_millis(20));
        drop(stream);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(get(server, &target).0, 400);
    });
}

#[test]
fn messages_come_back_by_websocket() {
    let server = &EventServer::start("suite");
    case(|| {
        let mut socket = socket(server, ENGINE);
        socket.send("4hello");
        assert_eq!(socket.text(), "4hello");
        // Bytes first, or last: they carry no type.
        socket.send_bytes(&[1, 2, 3, 4]);
        assert_eq!(socket.text(), "bytes [1, 2, 3, 4]");
        // As a client writes them that keeps to text.
        socket.send("bAQIDBA==");
        assert_eq!(socket.text(), "bytes [1, 2, 3, 4]");
        socket.send("6");
        socket.send("4still here");
        assert_eq!(socket.text(), "4still here");
        for bad in ["abc", "", "7", "2", "0{}"] {
            let mut socket = self::socket(server, ENGINE);
            socket.send(bad);
            assert_eq!(socket.text(), "closed", "{bad:?}");
        }
    });
}

#[test]
fn the_server_pings_and_waits_for_the_pong() {
    let server = &EventServer::start("suite");
    for endpoint in [ENGINE, SOCKET] {
        case(|| {
            let sid = session(server, endpoint);
            for _ in 0..3 {
                let (status, ping) = get(server, &polling(endpoint, &sid));
                if endpoint == SOCKET && status == 200 && ping != "2" {
                    break;
                }
                assert_eq!((status, ping.as_str()), (200, "2"));
                assert_eq!(server.request("POST", &polling(endpoint, &sid), "", "3"), (200, "ok".into()));
            }
            let mut socket = socket(server, endpoint);
            for _ in 0..3 {
                assert_eq!(socket.next(), Some(Said::Text("2".into())));
                socket.send("3");
            }
        });
        let sid = session(server, endpoint);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(get(server, &polling(endpoint, &sid)).0, 400, "no pong came");
        let mut silent = socket(server, endpoint);
        assert_eq!(silent.next(), Some(Said::Text("2".into())));
        assert_eq!(silent.next(), None, "no pong came");
    }
}

#[test]
fn a_close_packet_ends_the_session_and_frees_the_poll() {
    let server = &EventServer::start("suite");
    for endpoint in [ENGINE, SOCKET] {
        case(|| {
            let target = polling(endpoint, &session(server, endpoint));
            std::thread::scope(|scope| {
                let hanging = scope.spawn(|| get(server, &target));
                std::thread::sleep(Duration::from_millis(50));
                assert_eq!(server.request("POST", &target, "", "1"), (200, "ok".into()));
                assert_eq!(hanging.join().expect("an answer"), (200, "6".into()));
            });
            assert_eq!(get(server, &target).0, 400);
            let mut socket = socket(server, endpoint);
            socket.send("1");
            assert_eq!(socket.text(), "closed");
        });
    }
}

#[test]
fn a_session_moves_to_websocket() {
    let server = &EventServer::start("suite");
    case(|| {
        let sid = session(server, ENGINE);
        let mut socket = Ws::open(server, &format!("{ENGINE}websocket&sid={sid}")).expect("it opens");
        std::thread::scope(|scope| {
            let hanging = scope.spawn(|| get(server, &polling(ENGINE, &sid)));
            std::thread::sleep(Duration::from_millis(50));
            socket.send("2probe");
            assert_eq!(socket.text(), "3probe");
            // It must not be kept waiting, so that the client can end polling.
            assert_eq!(hanging.join().expect("an answer"), (200, "6".into()));
        });
        assert_eq!(get(server, &polling(ENGINE, &sid)), (200, "6".into()), "nor may another");
        socket.send("5");
        socket.send("4hello");
        assert_eq!(socket.text(), "4hello");
        // It is not to be had by polling any more, nor by another WebSocket.
        assert_eq!(get(server, &polling(ENGINE, &sid)).0, 400);
        assert_eq!(server.request("POST", &polling(ENGINE, &sid), "", "4x").0, 400);
        let mut second = Ws::open(server, &format!("{ENGINE}websocket&sid={sid}")).expect("it opens");
        assert_eq!(second.text(), "closed");
        socket.send("4still here");
        assert_eq!(socket.text(), "4still here");
    });
}

#[test]
fn a_probe_that_is_none_leaves_the_session_where_it_was() {
    let server = &EventServer::start("suite");
    case(|| {
        for bad in ["5", "2", "2probes", "4hello", "3probe", "x"] {
            let sid = session(server, ENGINE);
            let mut socket = Ws::open(server, &format!("{ENGINE}websocket&sid={sid}")).expect("it opens");
            socket.send(bad);
            assert_eq!(socket.text(), "closed", "{bad}");
            assert_eq!(server.request("POST", &polling(ENGINE, &sid), "", "4by polling"), (200, "ok".into()));
            assert_eq!(get(server, &polling(ENGINE, &sid)), (200, "4by polling".into()));
        }
    });
}

#[test]
fn what_waits_when_a_session_moves_comes_by_websocket() {
    let server = &EventServer::start("suite");
    case(|| {
        let sid = session(server, ENGINE);
        let mut socket = Ws::open(server, &format!("{ENGINE}websocket&sid={sid}")).expect("it opens");
        socket.send("2probe");
        assert_eq!(socket.text(), "3probe");
        server.request("POST", &polling(ENGINE, &sid), "", "4one\u{1e}4two");
        socket.send("5");
        assert_eq!((socket.text(), socket.text()), ("4one".into(), "4two".into()));
    });
}

#[test]
fn namespaces_are_entered_and_left() {
    let server = &EventServer::start("suite");
    for (packet, reply, auth) in [
        ("40", "40{\"sid\":\"", r#"42["auth",{}]"#),
        (r#"40{"token":"123"}"#, "40{\"sid\":\"", r#"42["auth",{"token":"123"}]"#),
        ("40/custom,", "40/custom,{\"sid\":\"", r#"42/custom,["auth",{}]"#),
        (r#"40/custom,{"token":"abc"}"#, "40/custom,{\"sid\":\"", r#"42/custom,["auth",{"token":"abc"}]"#),
    ] {
        case(|| {
            let mut socket = socket(server, SOCKET);
            socket.send(packet);
            let answer = socket.text();
            assert!(answer.starts_with(reply) && answer.matches(':').count() == 1, "the sid alone: {answer}");
            assert_eq!(socket.text(), auth);
        });
    }
    case(|| {
        let mut socket = socket(server, SOCKET);
        socket.send("40/random");
        assert_eq!(socket.text(), r#"44/random,{"message":"Invalid namespace"}"#);
        // All of it is the name.
        for name in ["/custom?token=abc".to_owned(), format!("/{}", "x".repeat(300))] {
            socket.send(&format!("40{name},"));
            assert_eq!(socket.text(), format!(r#"44{name},{{"message":"Invalid namespace"}}"#));
        }
        for bad in ["4abc", "40[]", "48"] {
            let mut socket = self::socket(server, SOCKET);
            socket.send(bad);
            assert_eq!(socket.text(), "closed", "{bad}");
        }
        // Who says nothing is not waited for.
        let mut mute = self::socket(server, SOCKET);
        assert_eq!(mute.text(), "closed");
    });
    case(|| {
        let mut socket = Ws::entered(server);
        socket.send("40/custom");
        assert!(socket.text().starts_with("40/custom,"));
        assert_eq!(socket.text(), r#"42/custom,["auth",{}]"#);
        socket.send("41/custom");
        socket.send(r#"42["message","message to main namespace"]"#);
        assert_eq!(socket.text(), r#"42["message-back","message to main namespace"]"#);
        // Two at once: who listens to an event when it has been let in hears the first one.
        let mut both = self::socket(server, SOCKET);
        both.send("40");
        both.send("40/custom");
        let said: Vec<String> = (0..4).map(|_| both.text().chars().take(9).collect()).collect();
        assert_eq!(said[..2], [r#"40{"sid":"#, r#"40/custom"#]);
        assert_eq!(said[2..], [r#"42["auth""#, r#"42/custom"#]);
        // Left alone, the connection lives: the server pings on.
        socket.send("41");
        assert_eq!(socket.next(), Some(Said::Text("2".into())));
    });
}

#[test]
fn events_and_acks_go_both_ways_with_and_without_bytes() {
    let server = &EventServer::start("suite");
    case(|| {
        let mut socket = Ws::entered(server);
        socket.send(r#"42["message",1,"2",{"3":[true]}]"#);
        assert_eq!(socket.text(), r#"42["message-back",1,"2",{"3":[true]}]"#);

        socket.send(r#"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
        socket.send_bytes(&[1, 2, 3]);
        socket.send_bytes(&[4, 5, 6]);
        assert_eq!(
            socket.text(),
            r#"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#
        );
        assert_eq!((socket.text(), socket.text()), ("bytes [1, 2, 3]".into(), "bytes [4, 5, 6]".into()));

        socket.send(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#);
        assert_eq!(socket.text(), r#"43456[1,"2",{"3":[false]}]"#);

        socket.send(
            r#"452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        );
        socket.send_bytes(&[1, 2, 3]);
        socket.send_bytes(&[4, 5, 6]);
        assert_eq!(socket.text(), r#"462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
        assert_eq!((socket.text(), socket.text()), ("bytes [1, 2, 3]".into(), "bytes [4, 5, 6]".into()));

        // The server asks, too; its numbers are its own.
        socket.send(r#"42["emit-with-ack",7]"#);
        let question = socket.text();
        let id = question.strip_prefix("42").and_then(|rest| rest.split_once('[')).expect("an event").0;
        assert_eq!(question, format!(r#"42{id}["emit-with-ack",7]"#));
        // An answer to no question is no offence.
        socket.send(r#"43999999["answer",8]"#);
        socket.send(r#"4312345678901234567890123["answer",8]"#);
        socket.send(&format!(r#"43{id}["answer",8]"#));
        assert_eq!(socket.text(), r#"42["emit-with-ack","answer",8]"#);
        // Many may be open.
        (0..100).for_each(|n| socket.send(&format!(r#"42["emit-with-ack",{n}]"#)));
        for n in 0..100 {
            let question = socket.text();
            assert!(question.ends_with(&format!(r#"["emit-with-ack",{n}]"#)), "{n}: {question}");
        }
    });
    case(|| {
        for bad in ["4abc", "42{}", r#"42abc["message-with-ack",1]"#, "42", r#"421["#] {
            let mut socket = Ws::entered(server);
            socket.send(bad);
            assert_eq!(socket.text(), "closed", "{bad}");
        }
    });
}

#[test]
fn nobody_hears_or_answers_what_is_for_another_socket() {
    let server = &EventServer::start("suite");
    case(|| {
        let mut a = socket(server, SOCKET);
        a.send("40");
        let greeting = a.text();
        let id = greeting.split('"').nth(3).expect("an id");
        assert_eq!(a.text(), r#"42["auth",{}]"#);
        let mut b = Ws::entered(server);
        b.send(&format!(r#"421["join","{id}"]"#));
        assert!(b.text().starts_with(r#"431[{"ok":true"#));
        a.send(r#"42["message","secret"]"#);
        assert_eq!(a.text(), r#"42["message-back","secret"]"#);
        a.send(r#"42["emit-with-ack","q"]"#);
        assert!(a.text().ends_with(r#"["emit-with-ack","q"]"#));
        // What is for the room of that name is another thing.
        b.send(&format!(r#"422["to-id","{id}","x"]"#));
        assert!(b.text().starts_with(r#"42["direct""#));
        assert!(a.text().starts_with(r#"42["direct""#));
    });
}

#[test]
fn rooms_have_names() {
    let server = &EventServer::start("suite");
    case(|| {
        let (mut a, mut b) = (Ws::entered(server), Ws::entered(server));
        for room in ["5", "null", "{}"] {
            b.send(&format!(r#"421["join",{room}]"#));
            assert!(b.text().starts_with(r#"431[{"ok":false"#), "{room}");
            a.send(&format!(r#"422["say",{room},"for whom?"]"#));
            assert_eq!(a.text(), r#"432[{"ok":false}]"#);
        }
        b.send(r#"421["members",""]"#);
        assert_eq!(b.text(), "431[0]");
    });
}

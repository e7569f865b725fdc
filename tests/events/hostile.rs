//! What no client of any making may do to the event server: end it, or disturb another client.
//!
//! All the while a good client chats on; every hostile act is followed by proof that it is answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::event_server::{EventServer, Said, Ws, example};

/// A client that talks from now on until it is asked how it was.
pub(crate) struct Good {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

impl Good {
    pub(crate) fn talks(server: &EventServer) -> Self {
        let mut socket = Ws::entered(server);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut number = 0;
            while !stopped.load(Ordering::Relaxed) {
                socket.send(&format!(r#"42["message",{number},"as if nothing happened"]"#));
                let answer = socket.text();
                let expected = format!(r#"42["message-back",{number},"as if nothing happened","#);
                assert!(
                    answer.starts_with(&expected),
                    "after {number} messages the good client got {answer}"
                );
                number += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            number
        });
        Good { stop, thread: Some(thread) }
    }

    /// It got an answer to everything, in order; how many those were.
    pub(crate) fn was_not_disturbed(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let messages = self.thread.take().expect("once").join().expect("the good client is well");
        assert!(messages > 0);
        messages
    }
}

/// The answer to a packet by which its sender's connection ends.
fn ends(server: &EventServer, packets: &[Said]) {
    let mut offender = Ws::entered(server);
    for packet in packets {
        match packet {
            Said::Text(text) => offender.send(text),
            Said::Bytes(bytes) => offender.send_bytes(bytes),
        }
    }
    let answer = offender.text();
    assert_eq!(answer, "closed", "{:.80?}", packets);
}

fn text(text: impl Into<String>) -> Said {
    Said::Text(text.into())
}

#[test]
fn packets_that_are_none_end_the_one_who_sent_them() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    for open in ["[", r#"{"a":"#, "[[],"] {
        ends(&server, &[text(format!(r#"42["message",{}"#, open.repeat(5000)))]);
        ends(&server, &[text(format!(r#"40{{"a":{}"#, open.repeat(200_000)))]);
    }
    for packet in [
        "",
        "4",
        "47",
        "9",
        "0",
        "2",
        "42",
        "42[]",
        "42{}",
        "42[1e]",
        "42[null]",
        "43",
        "43[1]",
        "44{}",
        "45",
        "451",
        r#"42["disconnect"]"#,
        r#"42["connect_error"]"#,
        "42/nowhere,[\"e\"]",
        "40",
        r#"4599999-["e"]"#,
        r#"4518446744073709551616-["e"]"#,
        "42[\"a\u{1}\"]",
        r#"42["e",NaN]"#,
        r#"42["e"]]"#,
        "4\u{1F980}",
    ] {
        ends(&server, &[text(packet)]);
    }
    ends(&server, &[Said::Bytes(vec![1, 2, 3])]);
    ends(&server, &[text(r#"451-["e",{"_placeholder":true,"num":0}]"#), text("42[\"e\"]")]);
    ends(&server, &[text(r#"451-["e",{"_placeholder":true,"num":7}]"#), Said::Bytes(vec![0])]);
    let twice = r#"451-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#;
    ends(&server, &[text(twice), Said::Bytes(vec![0])]);
    let many: Vec<Said> = (0..20).map(|_| Said::Bytes(vec![0; 1 << 20])).collect();
    ends(&server, &[vec![text(r#"4520-["e"]"#)], many].concat());
    good.was_not_disturbed();
}

#[test]
fn frames_that_are_none_end_the_one_who_sent_them() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    for (first, payload) in [
        (0x83, vec![]),           // an opcode there is not
        (0xc1, b"x".to_vec()),    // a reserved bit
        (0x80, b"x".to_vec()),    // a continuation of nothing
        (0x09, vec![]),           // a control frame in fragments
        (0x89, vec![0; 126]),     // a control frame too long
        (0x81, vec![0xff, 0xfe]), // text that is none
        (0x88, vec![3]),          // half of a close code
    ] {
        let mut offender = Ws::entered(&server);
        offender.frame(first, &payload);
        // A Close frame, or the end of the stream: nothing that is a message.
        assert_eq!(offender.next(), None, "{first:#x}");
    }
    // A frame that promises more than is allowed is refused at its header.
    let mut offender = Ws::entered(&server);
    offender.stream.write_all(&[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]).expect("ten bytes");
    assert_eq!(offender.next(), None);
    // Not masked (RFC 6455 §5.1).
    let mut offender = Ws::entered(&server);
    offender.stream.write_all(b"\x81\x022x").expect("four bytes");
    assert_eq!(offender.next(), None);
    good.was_not_disturbed();
}

#[test]
fn requests_that_are_none_are_refused() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let long_head = format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(10_000));
    for (nonsense, status) in [
        ("\0\u{1}\u{2}\r\n\r\n", "400"),
        ("GET\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\n\r\n", "505"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
        (&long_line, "414"),
        (&long_head, "431"),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        ("\x16\x03\x01\x02\x00\x01\r\n\r\n", "400"),
    ] {
        let answer = server.until_closed(nonsense.as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{nonsense:.60?}: {answer:?}");
    }
    good.was_not_disturbed();
}

#[test]
fn a_declared_body_over_the_limit_is_refused_before_it_comes() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    let witness = server.session();
    let head = format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={witness} HTTP/1.1\r\nHost: h\r\nContent-Length: 2000001\r\n\r\n"
    );
    // Not one byte of the body is sent: the answer does not wait for it.
    let answer = server.until_closed(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunked = head.replace("Content-Length: 2000001", "Transfer-Encoding: chunked") + "fffffff\r\n";
    let offender = server.session();
    let answer = server.until_closed(chunked.replace(&witness, &offender).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.assert_lives(&witness);
    good.was_not_disturbed();
}

#[test]
fn polling_packets_that_are_none_end_the_session() {
    let server = EventServer::start("chat");
    let witness = server.session();
    for packet in ["4", "47", "42", "42{}", "451-[\"e\"]\u{1e}4hi", "bAAAA", "b!", "\u{1e}", "9", "2"] {
        let offender = server.session();
        server.post(&offender, packet);
        let (status, said) = server.poll(&offender);
        assert!(status == 400 || said.ends_with('1'), "{packet:?}: {status} {said}");
    }
    let offender = server.session();
    server.post(&offender, &format!(r#"42["message",{}"#, "[".repeat(5000)));
    let (status, said) = server.poll(&offender);
    assert!(status == 400 || said.ends_with('1'), "{status} {said}");
    server.assert_lives(&witness);
}

#[test]
fn connections_that_say_nothing_disturb_nobody() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    let silent: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut stream = server.connect();
            if n % 2 == 0 {
                stream.write_all(b"GET /socket.io/?EIO").expect("it is open");
            }
            stream
        })
        .collect();
    // A session that never enters a namespace is closed: after two seconds, with this profile.
    let mut mute = Ws::open(&server, "/socket.io/?EIO=4&transport=websocket").expect("it opens");
    assert!(mute.text().starts_with("0{"));
    assert_eq!(mute.text(), "closed");
    drop(silent);
    good.was_not_disturbed();
}

#[test]
fn who_floods_and_never_reads_is_heard_no_more_and_nobody_waits_for_it() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    let before = server.memory_kib();
    let mut glutton = Ws::entered(&server);
    // Each is sent back: a hundred megabytes, of which it takes nothing.
    let load = Ws::text_frame(format!(r#"42["message","{}"]"#, "x".repeat(500_000)).as_bytes());
    glutton.stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a time limit");
    let taken = (0..200).take_while(|_| glutton.stream.write_all(&load).is_ok()).count();
    assert!((1..100).contains(&taken), "{taken} of 200");
    let witness = server.session();
    server.assert_lives(&witness);
    if let (Some(before), Some(after)) = (before, server.memory_kib()) {
        assert!(after < before + 40_000, "{before} KiB before, {after} KiB after");
    }
    good.was_not_disturbed();
}

#[test]
fn a_burst_reaches_everybody_who_reads() {
    let server = EventServer::start("chat");
    let mut receiver = Ws::entered(&server);
    receiver.send(r#"42["join","R"]"#);
    receiver.send(r#"42["message","in"]"#);
    assert!(receiver.text().contains("message-back"));
    let mut sender = Ws::entered(&server);
    let mut own = Ws { stream: sender.stream.try_clone().expect("a second handle") };
    let speaker = std::thread::spawn(move || {
        for n in 0..16 {
            for event in [r#""say","R","#, r#""message","#] {
                sender.send(&format!(r#"42[{event}{n},"{}"]"#, "x".repeat(900_000)));
            }
        }
    });
    let echoes = std::thread::spawn(move || (0..16).map(|_| own.text()).collect::<Vec<String>>());
    for n in 0..16 {
        let said = receiver.text();
        assert!(said.starts_with(r#"42["said",{"room":"R","#), "{n}: {:.60}", said);
        assert!(said.contains(&format!(r#""msg":{n}"#)), "{n}");
    }
    for (n, echo) in echoes.join().expect("it reads").iter().enumerate() {
        assert!(echo.starts_with(&format!(r#"42["message-back",{n},"#)), "{n}: {echo:.60}");
    }
    speaker.join().expect("it spoke");
}

#[test]
fn who_sends_no_more_is_still_answered() {
    let server = EventServer::start("chat");
    let sid = server.session();
    let ask = |request: &str| {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).expect("the request goes out");
        stream.shutdown(std::net::Shutdown::Write).expect("the half closes");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer, then the end");
        answer
    };
    let target = "/socket.io/?EIO=4&transport=polling";
    let opened = ask(&format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
    assert!(opened.starts_with("HTTP/1.1 200 ") && opened.contains("0{\"sid\""), "{opened}");
    let body = r#"42["message",1]"#;
    let head = format!("Host: 127.0.0.1\r\nContent-Length: {}", body.len());
    let posted = ask(&format!("POST {target}&sid={sid} HTTP/1.1\r\n{head}\r\n\r\n{body}"));
    assert!(posted.starts_with("HTTP/1.1 200 ") && posted.ends_with("ok"), "{posted}");
    server.assert_lives(&server.session());
}

#[test]
fn as_many_bytes_as_a_packet_may_hold_come_back() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    let mut socket = Ws::entered(&server);
    let placeholders: Vec<String> =
        (0..8).map(|num| format!(r#"{{"_placeholder":true,"num":{num}}}"#)).collect();
    socket.send(&format!(r#"458-["message",{}]"#, placeholders.join(",")));
    for n in 0..8 {
        socket.send_bytes(&vec![n; 1_900_000]);
    }
    assert!(socket.text().starts_with(r#"458-["message-back","#));
    for n in 0..8 {
        assert_eq!(socket.next(), Some(Said::Bytes(vec![n; 1_900_000])));
    }
    good.was_not_disturbed();
}

#[test]
fn a_page_from_elsewhere_may_not_connect() {
    let server = EventServer::start("chat");
    let open = "/socket.io/?EIO=4&transport=polling";
    let (status, body) = server.request("GET", open, "Origin: http://evil.example\r\n", "");
    assert_eq!((status, body.as_str()), (403, r#"{"code":4,"message":"Forbidden"}"#));
    assert_eq!(server.request("GET", open, "Origin: null\r\n", "").0, 403);
    assert_eq!(server.request("OPTIONS", open, "Origin: http://evil.example\r\n", "").0, 403);
    assert_eq!(server.request("GET", open, "Origin: http://localhost:5173\r\n", "").0, 200);
    let answer = server.until_closed(
        format!(
            "OPTIONS {open} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nOrigin: http://127.0.0.1:5173\r\n\
             Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: X-Token\r\n\r\n"
        )
        .as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    // With credentials no field may be a star (Fetch standard, CORS protocol and credentials).
    for field in [
        "Access-Control-Allow-Origin: http://127.0.0.1:5173",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Headers: X-Token",
        "Access-Control-Allow-Methods: GET, POST",
        "Vary: Origin",
    ] {
        assert!(answer.contains(field), "{field} is not in {answer}");
    }
}

#[test]
fn odd_values_come_back_as_they_were_sent() {
    let server = EventServer::start("suite");
    let mut socket = Ws::entered(&server);
    for value in [
        "1e400",
        "-0",
        "1.0",
        "9007199254740993",
        "123456789012345678901234567890",
        r#"{"a":1,"a":2}"#,
        r#"{"__proto__":{"x":1}}"#,
        "\"\u{2028}\u{0}\"".replace('\0', "\\u0000").as_str(),
    ] {
        socket.send(&format!(r#"42["message",{value}]"#));
        assert_eq!(socket.text(), format!(r#"42["message-back",{value}]"#));
    }
    // What JavaScript sends for half of a surrogate pair.
    socket.send(r#"42["message","\ud800","\ud83e\udd80"]"#);
    assert_eq!(socket.text(), "42[\"message-back\",\"\u{fffd}\",\"\u{1F980}\"]");
}

/// With a handful of file descriptors the server serves those it has, does not spin, and takes new ones when some come
/// free.
#[test]
#[cfg(target_os = "linux")]
fn running_out_of_file_descriptors_ends_nothing() {
    let mut shell = Command::new("sh");
    let program = example().display().to_string();
    shell.args(["-c", &format!("ulimit -n 40; exec {program} --port 0 --profile chat")]);
    let server = EventServer::launch(&mut shell);
    let good = Good::talks(&server);
    let crowd: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    std::thread::sleep(Duration::from_millis(300));
    let before = server.cpu_ticks();
    std::thread::sleep(Duration::from_millis(500));
    // Half a second is 50 ticks.
    assert!(server.cpu_ticks() - before < 25, "it spins");
    drop(crowd);
    let witness = server.session();
    server.assert_lives(&witness);
    good.was_not_disturbed();
}

#[test]
fn a_storm_of_connections_passes() {
    let server = EventServer::start("chat");
    let good = Good::talks(&server);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..100 {
                    let mut stream = server.connect();
                    let _ = match n % 4 {
                        0 => stream.write_all(
                            b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n",
                        ),
                        1 => stream.write_all(b"\0"),
                        _ => Ok(()),
                    };
                }
            });
        }
    });
    let witness = server.session();
    server.assert_lives(&witness);
    good.was_not_disturbed();
}

/// SIGTERM says goodbye to all and ends with 0.
#[test]
#[cfg(unix)]
fn sigterm_ends_it_in_order() {
    let mut server = EventServer::start("chat");
    let mut socket = Ws::entered(&server);
    socket.send(r#"42["message","before"]"#);
    // Awaited, for what the server has not read when the signal comes it need not answer.
    assert!(socket.text().starts_with(r#"42["message-back","before""#));
    let kill = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    // A Close frame: code 1000, or 1001 for a server that goes away (RFC 6455 §7.4.1).
    let mut rest = Vec::new();
    socket.stream.read_to_end(&mut rest).expect("the end comes in order, not by reset");
    assert_eq!(rest.first(), Some(&0x88), "{rest:?}");
    let status = server.child.wait().expect("it ends");
    assert!(status.success(), "{status}");
}

//! Both ends against each other, cut at random; then each end against a peer that breaks the rules.

use super::super::close::CloseCode;
use super::super::deflate::Deflate;
use super::super::frame::FrameHeader;
use super::super::handshake::server::Subprotocols;
use super::super::mask::apply_mask;
use super::*;
use crate::base::{Duration, Header, Reader, Rng};

const NOW: Instant = Instant::ZERO;

fn masks(seed: u64) -> MaskSource {
    let mut rng = Rng::new(seed);
    Box::new(move || Some(rng.next_u32().to_be_bytes()))
}

fn client() -> Connection {
    let request = Request::new("server.example.com", "/chat", *b"the sample nonce");
    Connection::client(NOW, Config::default(), request, masks(1)).unwrap()
}

fn server() -> Connection {
    Connection::server(NOW, Config::default(), Policy::default())
}

/// Everything one end asked for since it was last drained.
#[derive(Debug, Default)]
struct Drained {
    sent: Vec<u8>,
    events: Vec<Event>,
    wake_at: Option<Instant>,
    finished: bool,
}

fn drain(now: Instant, end: &mut Connection) -> Drained {
    let mut drained = Drained::default();
    while let Some(output) = end.poll(now) {
        assert!(!drained.finished, "{output:?} after the last output");
        match output {
            Output::Send(bytes) => drained.sent.extend_from_slice(&bytes),
            Output::Event(event) => drained.events.push(event),
            Output::WakeAt(at) => drained.wake_at = Some(at),
            Output::Finished => drained.finished = true,
        }
    }
    drained
}

fn feed(end: &mut Connection, bytes: &[u8]) -> Drained {
    end.handle(NOW, Input::Bytes(Bytes::copy_from_slice(bytes)));
    drain(NOW, end)
}

/// Carries bytes both ways in pieces of random size until both ends are silent. Returns the events of the client and
/// of the server, in their order, and whether each finished.
fn run(client: &mut Connection, server: &mut Connection, rng: &mut Rng) -> [(Vec<Event>, bool); 2] {
    let mut wires: [VecDeque<u8>; 2] = Default::default();
    let mut results: [(Vec<Event>, bool); 2] = Default::default();
    loop {
        for (i, end) in [&mut *client, &mut *server].into_iter().enumerate() {
            let drained = drain(NOW, end);
            wires[i].extend(drained.sent);
            results[i].0.extend(drained.events);
            results[i].1 |= drained.finished;
        }
        if wires.iter().all(VecDeque::is_empty) {
            return results;
        }
        for (i, end) in [&mut *server, &mut *client].into_iter().enumerate() {
            let most = [1, 3, 40, 5000][rng.below(4) as usize];
            let n = (rng.below(most) as usize + 1).min(wires[i].len());
            let piece: Vec<u8> = wires[i].drain(..n).collect();
            if n > 0 {
                end.handle(NOW, Input::Bytes(piece.into()));
            }
        }
    }
}

/// Both ends after the opening handshake.
fn open_pair() -> (Connection, Connection) {
    let (mut client, mut server) = (client(), server());
    run(&mut client, &mut server, &mut Rng::new(0));
    assert_eq!((client.phase(), server.phase()), (Phase::Open, Phase::Open));
    (client, server)
}

/// The frames in what an end sent: opcode and unmasked payload.
fn frames(mut bytes: &[u8]) -> Vec<(Opcode, Vec<u8>)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let mut r = Reader::new(FrameHeader::LAYER, FrameHeader::PROTOCOL, bytes);
        let header = FrameHeader::parse(&mut r).unwrap();
        let mut payload = r.take(header.payload_len as usize, "payload").unwrap().to_vec();
        apply_mask(header.mask.unwrap_or_default(), 0, &mut payload);
        frames.push((header.opcode, payload));
        bytes = &bytes[r.position()..];
    }
    frames
}

fn messages(events: &[Event]) -> Vec<Message> {
    let message = |event: &Event| match event {
        Event::Message(message) => Some(message.clone()),
        _ => None,
    };
    events.iter().filter_map(message).collect()
}

#[test]
fn both_ends_open_and_know_what_was_agreed() {
    let request = Request {
        subprotocols: vec!["a".into(), "b".into()],
        origin: Some("https://x".into()),
        ..Request::new("h", "/r?q", [7; 16])
    };
    let mut client = Connection::client(NOW, Config::default(), request, masks(1)).unwrap();
    let policy = Policy { subprotocols: Subprotocols::These(vec!["b".into()]), ..Policy::default() };
    let mut server = Connection::server(NOW, Config::default(), policy);
    let [at_client, at_server] = run(&mut client, &mut server, &mut Rng::new(3));
    let ([Event::Open(one)], [Event::Open(other)]) = (&at_client.0[..], &at_server.0[..]) else {
        panic!("{at_client:?} {at_server:?}")
    };
    assert_eq!((&one.subprotocol, &other.subprotocol), (&Some("b".into()), &Some("b".into())));
    assert_eq!((one.resource.as_str(), other.resource.as_str()), ("/r?q", "/r?q"));
    assert_eq!(other.headers.get("origin"), Some("https://x"));
}

#[test]
fn both_ends_talk_at_once_however_the_stream_is_cut() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let (mut client, mut server) = open_pair();
        let mut said: [Vec<Message>; 2] = Default::default();
        for _ in 0..10 {
            for (i, end) in [&mut client, &mut server].into_iter().enumerate() {
                let length = [0, 5, 125, 126, 3000, 70_000][rng.below(6) as usize];
                if rng.chance(0.5) {
                    let text = "é".repeat(length / 2);
                    end.send_text(text.clone()).unwrap();
                    said[i].push(Message::Text(text.into()));
                } else {
                    let bytes = Bytes::from(vec![rng.next_u32() as u8; length]);
                    end.send_binary(bytes.clone()).unwrap();
                    said[i].push(Message::Binary(bytes));
                }
            }
        }
        let [at_client, at_server] = run(&mut client, &mut server, &mut rng);
        assert_eq!(messages(&at_client.0), said[1], "seed {seed}");
        assert_eq!(messages(&at_server.0), said[0], "seed {seed}");
    }
}

#[test]
fn fragments_with_pings_between_arrive_as_one_message() {
    let (mut client, mut server) = open_pair();
    client.send_fragment(MessageKind::Text, &b"\xe2"[..], false).unwrap();
    client.ping("still there?").unwrap();
    assert_eq!(client.send_text("x"), Err(SendError::InFragments));
    assert_eq!(client.send_fragment(MessageKind::Binary, "x", true), Err(SendError::KindChanged));
    assert_eq!(client.send_fragment(MessageKind::Text, "x", false), Err(SendError::NotUtf8));
    client.send_fragment(MessageKind::Text, &b"\x82"[..], false).unwrap();
    assert_eq!(client.send_fragment(MessageKind::Text, "", true), Err(SendError::NotUtf8));
    client.send_fragment(MessageKind::Text, &b"\xac"[..], true).unwrap();
    let [at_client, at_server] = run(&mut client, &mut server, &mut Rng::new(5));
    let ping = Event::Ping("still there?".into());
    assert_eq!(at_server.0, [ping, Event::Message(Message::Text("€".into()))]);
    assert_eq!(at_client.0, [Event::Pong("still there?".into())]);
}

#[test]
fn every_ping_is_answered_in_order_and_an_unasked_pong_is_not() {
    let (mut client, _) = open_pair();
    let drained = feed(&mut client, b"\x89\x01a\x8a\x01p\x89\x01b\x89\x00");
    let pongs = [b"a".to_vec(), b"b".to_vec(), vec![]].map(|payload| (Opcode::Pong, payload));
    assert_eq!(frames(&drained.sent), pongs);
    assert_eq!(drained.events.len(), 4);
}

#[test]
fn closing_is_echoed_and_the_server_closes_tcp_first() {
    for client_asks in [true, false] {
        let (mut client, mut server) = open_pair();
        let reason = CloseReason::new(CloseCode(4321), "bye");
        let asks = if client_asks { &mut client } else { &mut server };
        asks.close(NOW, &reason).unwrap();
        assert_eq!(asks.send_text("too late"), Err(SendError::NotOpen));
        assert_eq!(asks.close(NOW, &reason), Err(SendError::NotOpen));
        let [at_client, at_server] = run(&mut client, &mut server, &mut Rng::new(1));
        let echo = CloseReason::new(CloseCode(4321), "");
        let (to_client, to_server) = if client_asks { (echo, reason) } else { (reason, echo) };
        assert_eq!(at_client, (vec![Event::Close(to_client)], false));
        assert_eq!(at_server, (vec![Event::Close(to_server)], true));
        assert_eq!(client.phase(), Phase::Closed);
        client.handle(NOW, Input::Eof);
        let last = drain(NOW, &mut client);
        assert!(last.finished && last.events.is_empty());
    }
}

#[test]
fn both_may_close_at_once() {
    let (mut client, mut server) = open_pair();
    client.close(NOW, &CloseReason::new(CloseCode::NORMAL, "")).unwrap();
    server.close(NOW, &CloseReason::new(CloseCode::GOING_AWAY, "")).unwrap();
    let [at_client, at_server] = run(&mut client, &mut server, &mut Rng::new(1));
    assert_eq!(at_client.0, [Event::Close(CloseReason::new(CloseCode::GOING_AWAY, ""))]);
    assert_eq!(at_server, (vec![Event::Close(CloseReason::new(CloseCode::NORMAL, ""))], true));
}

#[test]
fn a_close_frame_without_a_code_is_answered_without_one() {
    let (_, mut server) = open_pair();
    let drained = feed(&mut server, &[0x88, 0x80, 1, 2, 3, 4]);
    assert_eq!(frames(&drained.sent), [(Opcode::Close, vec![])]);
    assert_eq!(drained.events, [Event::Close(CloseReason::new(CloseCode::NO_STATUS, ""))]);
    assert!(drained.finished);
}

#[test]
fn messages_that_were_under_way_still_come_after_our_close_and_pings_are_answered() {
    let (mut client, _) = open_pair();
    client.close(NOW, &CloseReason::new(CloseCode::NORMAL, "")).unwrap();
    let drained = feed(&mut client, b"\x81\x02hi\x89\x00\x88\x00");
    assert_eq!(messages(&drained.events), [Message::Text("hi".into())]);
    let opcodes: Vec<Opcode> = frames(&drained.sent).into_iter().map(|(opcode, _)| opcode).collect();
    assert_eq!(opcodes, [Opcode::Close, Opcode::Pong]);
}

#[test]
fn nothing_is_processed_after_a_close_frame() {
    let (mut client, _) = open_pair();
    let drained = feed(&mut client, b"\x88\x00\x89\x01a\x81\x02hi\xff\xff");
    assert_eq!(drained.events.len(), 1);
    assert_eq!(frames(&drained.sent).len(), 1);
    let later = feed(&mut client, b"\x81\x02hi");
    assert!(later.events.is_empty() && later.sent.is_empty());
}

#[test]
fn a_broken_rule_is_answered_with_its_code_and_ends_everything() {
    let cases: [(&[u8], CloseCode); 5] = [
        (b"\xf1\x00", CloseCode::PROTOCOL_ERROR),
        (b"\x80\x00", CloseCode::PROTOCOL_ERROR),
        (b"\x88\x01\x03", CloseCode::PROTOCOL_ERROR),
        (b"\x81\x01\xff", CloseCode::INVALID_PAYLOAD),
        (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", CloseCode::TOO_BIG),
    ];
    for (bytes, code) in cases {
        let (mut client, _) = open_pair();
        let drained = feed(&mut client, &[b"\x81\x02hi", bytes, b"\x81\x02no"].concat());
        let [Event::Message(_), Event::Failed(failure)] = &drained.events[..] else { panic!("{drained:?}") };
        assert_eq!(failure.code, Some(code));
        let (opcode, payload) = &frames(&drained.sent)[0];
        assert_eq!((*opcode, &payload[..2]), (Opcode::Close, &code.0.to_be_bytes()[..]));
        assert!(CloseReason::parse(&payload.clone().into(), 0).is_ok());
        assert!(drained.finished);
        assert!(feed(&mut client, b"\x81\x02hi").events.is_empty());
    }
}

#[test]
fn the_end_of_the_stream_without_a_close_frame_is_abnormal() {
    let (mut client, _) = open_pair();
    client.handle(NOW, Input::Bytes(Bytes::from_static(b"\x81\x02hi\x81")));
    // Not drained between: what came before the end is still read first.
    client.handle(NOW, Input::Eof);
    let drained = drain(NOW, &mut client);
    let hi = Event::Message(Message::Text("hi".into()));
    assert_eq!(drained.events, [hi, Event::Close(CloseReason::abnormal())]);
    assert!(drained.finished);
}

#[test]
fn a_peer_that_does_not_answer_a_close_frame_is_left_after_the_timeout() {
    let (mut client, _) = open_pair();
    let asked = Instant::from_millis(100);
    client.close(asked, &CloseReason::new(CloseCode::NORMAL, "")).unwrap();
    let due = asked + Config::default().close_timeout;
    assert_eq!(drain(asked, &mut client).wake_at, Some(due));
    client.handle(asked, Input::Wake);
    let early = drain(asked, &mut client);
    assert_eq!((early.wake_at, early.finished), (Some(due), false));
    client.handle(due, Input::Wake);
    let drained = drain(due, &mut client);
    assert_eq!(drained.events, [Event::Close(CloseReason::abnormal())]);
    assert!(drained.finished);
}

#[test]
fn a_handshake_that_never_ends_is_given_up() {
    let mut server = server();
    let due = NOW + Config::default().handshake_timeout;
    assert_eq!(drain(NOW, &mut server).wake_at, Some(due));
    server.handle(due, Input::Bytes(Bytes::from_static(b"GET / HT")));
    server.handle(due, Input::Wake);
    let drained = drain(due, &mut server);
    let [Event::Failed(failure)] = &drained.events[..] else { panic!("{drained:?}") };
    assert_eq!((failure.code, failure.error.is_incomplete()), (None, true));
    assert!(drained.finished);
}

#[test]
fn a_stream_that_ends_in_the_handshake_fails_it() {
    let (mut server, mut client) = (server(), client());
    for end in [&mut server, &mut client] {
        drain(NOW, end);
        end.handle(NOW, Input::Eof);
        let drained = drain(NOW, end);
        assert!(matches!(&drained.events[..], [Event::Failed(_)]) && drained.finished);
    }
}

#[test]
fn a_bad_request_is_answered_in_http_and_ends_everything() {
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x81\x00"[..], "426"),
        (b"GET / HTTP/2.0\r\n\r\n", "505"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "400"),
    ] {
        let drained = feed(&mut server(), request);
        let answer = String::from_utf8(drained.sent).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
        assert!(matches!(&drained.events[..], [Event::Failed(failure)] if failure.code.is_none()));
        assert!(drained.finished);
    }
}

#[test]
fn a_client_fails_when_the_answer_is_not_for_its_key() {
    let mut client = client();
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n\x81\x02hi";
    let drained = feed(&mut client, answer);
    let [Event::Failed(failure)] = &drained.events[..] else { panic!("{drained:?}") };
    assert_eq!(failure.error.field, "Sec-WebSocket-Accept");
    assert!(drained.finished);
}

#[test]
fn early_hints_before_the_answer_are_passed_over() {
    let (mut client, mut server) = (client(), server());
    let answer = feed(&mut server, &drain(NOW, &mut client).sent).sent;
    let all = [&b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"[..], &answer, b"\x81\x02hi"].concat();
    for byte in &all[..all.len() - 1] {
        assert!(messages(&feed(&mut client, &[*byte]).events).is_empty());
    }
    assert_eq!(messages(&feed(&mut client, b"i").events), [Message::Text("hi".into())]);
}

#[test]
fn a_server_can_take_over_a_request_that_was_read_already() {
    let (mut client, policy) = (client(), Policy::default());
    let head = drain(NOW, &mut client).sent;
    let (request, _) = RequestHead::parse(&head).unwrap();
    let mut server = Connection::accept(NOW, Config::default(), &policy, &request);
    client.handle(NOW, Input::Bytes(drain(NOW, &mut server).sent.into()));
    client.send_text("hi").unwrap();
    let drained = feed(&mut server, &drain(NOW, &mut client).sent);
    assert_eq!(messages(&drained.events), [Message::Text("hi".into())]);
}

#[test]
fn what_waits_to_be_polled_is_bounded() {
    let config = Config { max_queue: 1000, ..Config::default() };
    let (mut client, _) = open_pair();
    let (request, _) = RequestHead::parse(&drain(NOW, &mut self::client()).sent).unwrap();
    let mut server = Connection::accept(NOW, config, &Policy::default(), &request);
    drain(NOW, &mut server);
    server.send_binary(vec![0; 5000]).unwrap();
    assert_eq!(server.send_text("x"), Err(SendError::Full { queued: 5004, limit: 1000 }));
    assert_eq!(server.ping("x"), Err(SendError::Full { queued: 5004, limit: 1000 }));
    drain(NOW, &mut server);
    assert!(server.send_text("x").is_ok());
    assert_eq!(server.ping(vec![0; 126]), Err(SendError::ControlTooLong(126)));
    // A flood of pings: when enough answers are gathered they are handed out before more is read.
    client.handle(NOW, Input::Bytes(b"\x89\x00".repeat(10_000).into()));
    while client.poll(NOW).is_some() {
        assert!(client.queued() <= (64 << 10) + 6 && client.events.len() <= 1);
    }
}

#[test]
fn a_large_payload_of_a_server_is_sent_without_being_copied() {
    let (_, mut server) = open_pair();
    let payload = Bytes::from(vec![1; 10_000]);
    server.send_binary(payload.clone()).unwrap();
    assert!(matches!(server.poll(NOW), Some(Output::Send(header)) if header.len() == 4));
    assert!(matches!(server.poll(NOW), Some(Output::Send(body)) if body.as_ptr() == payload.as_ptr()));
}

#[test]
fn a_reason_that_must_not_be_sent_is_refused_and_changes_nothing() {
    let (mut client, _) = open_pair();
    let refused = client.close(NOW, &CloseReason::new(CloseCode(1006), ""));
    assert!(matches!(refused, Err(SendError::BadClose(_))));
    assert_eq!(client.phase(), Phase::Open);
    assert!(drain(NOW, &mut client).sent.is_empty());
}

#[test]
fn arbitrary_streams_end_in_at_most_one_last_event() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let (client, server) = open_pair();
        let mut end = if rng.chance(0.5) { client } else { server };
        let mut endings = 0;
        for _ in 0..rng.below(6) {
            let bytes: Vec<u8> = (0..rng.below(30))
                .map(|_| [0x81, 0x88, 0x00, 0x82, rng.next_u32() as u8][rng.below(5) as usize])
                .collect();
            let drained = feed(&mut end, &bytes);
            endings +=
                drained.events.iter().filter(|e| matches!(e, Event::Close(_) | Event::Failed(_))).count();
        }
        end.handle(NOW, Input::Eof);
        let events = drain(NOW, &mut end).events;
        endings += events.iter().filter(|e| matches!(e, Event::Close(_) | Event::Failed(_))).count();
        assert_eq!((endings, end.phase()), (1, Phase::Finished), "seed {seed}");
    }
}

#[test]
fn answers_are_gathered_while_there_is_input_and_go_out_as_one() {
    let (mut client, mut server) = open_pair();
    for i in 0..100u8 {
        client.send_binary(vec![i]).unwrap();
    }
    server.handle(NOW, Input::Bytes(drain(NOW, &mut client).sent.into()));
    let mut outputs = Vec::new();
    while let Some(output) = server.poll(NOW) {
        match output {
            Output::Event(Event::Message(Message::Binary(bytes))) => server.send_binary(bytes).unwrap(),
            other => outputs.push(other),
        }
    }
    assert!(matches!(&outputs[..], [Output::Send(bytes)] if bytes.len() == 300), "{outputs:?}");
}

/// Both ends open, with what each wishes about compression.
fn deflating_pair(client: &Deflate, server: &Deflate) -> (Connection, Connection) {
    let config = |deflate: &Deflate| Config { deflate: Some(deflate.clone()), ..Config::default() };
    let request = Request::new("h", "/", [7; 16]);
    let mut client = Connection::client(NOW, config(client), request, masks(1)).unwrap();
    let mut server = Connection::server(NOW, config(server), Policy::default());
    run(&mut client, &mut server, &mut Rng::new(0));
    (client, server)
}

#[test]
fn compressed_messages_go_both_ways_whatever_was_agreed() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut wish = || Deflate {
            level: rng.below(10) as u8,
            server_context_takeover: rng.chance(0.5),
            client_context_takeover: rng.chance(0.5),
            server_max_window_bits: 8 + rng.below(8) as u8,
            client_max_window_bits: 8 + rng.below(8) as u8,
            min_len: rng.below(50) as usize,
            ..Deflate::default()
        };
        let (mut client, mut server) = deflating_pair(&wish(), &wish());
        for round in 0..4 {
            let text = "the quick brown fox ".repeat(rng.below(300) as usize);
            client.send_text(text.clone()).unwrap();
            client.send_fragment(MessageKind::Binary, &b"not "[..], false).unwrap();
            client.send_fragment(MessageKind::Binary, &b"compressed"[..], true).unwrap();
            server.send_text(text.clone()).unwrap();
            if text.len() > 2000 {
                assert!(client.queued() < text.len() / 2, "{} bytes of {}", client.queued(), text.len());
            }
            let [at_client, at_server] = run(&mut client, &mut server, &mut rng);
            let text = Message::Text(text.into());
            assert_eq!(messages(&at_client.0), std::slice::from_ref(&text), "seed {seed} round {round}");
            let plain = Message::Binary(Bytes::from_static(b"not compressed"));
            assert_eq!(messages(&at_server.0), [text, plain], "seed {seed} round {round}");
            if rng.chance(0.5) {
                client.rest();
                server.rest();
            }
        }
    }
}

#[test]
fn a_client_keeps_what_it_has_offered_also_when_the_answer_is_silent_about_it() {
    let wish = Deflate { client_max_window_bits: 9, min_len: 0, ..Deflate::default() };
    let config = Config { deflate: Some(wish), ..Config::default() };
    let mut client = Connection::client(NOW, config, Request::new("h", "/", [7; 16]), masks(1)).unwrap();
    let mut peer = server();
    peer.handle(NOW, Input::Bytes(drain(NOW, &mut client).sent.into()));
    let answer = String::from_utf8(drain(NOW, &mut peer).sent).unwrap();
    let extension = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
    feed(&mut client, (answer[..answer.len() - 2].to_owned() + extension).as_bytes());
    assert_eq!(client.phase(), Phase::Open);
    // RFC 7692 §7.1.1.2: the server may have given up its window, so each message must be readable by itself.
    let mut sent = || {
        client.send_text("Hello".repeat(20)).unwrap();
        frames(&drain(NOW, &mut client).sent)
    };
    assert_eq!(sent(), sent());
    // §7.1.2.2: noise that comes again after 4000 bytes is found in no window of 512.
    let mut rng = Rng::new(1);
    let noise: Vec<u8> = (0..4000).map(|_| rng.next_u32() as u8).collect();
    client.send_binary(noise.repeat(2)).unwrap();
    assert!(drain(NOW, &mut client).sent.len() > 8000);
}

#[test]
fn a_peer_that_does_not_know_compression_is_spoken_to_without() {
    let wish = Deflate { min_len: 0, ..Deflate::default() };
    let config = Config { deflate: Some(wish), ..Config::default() };
    let mut client = Connection::client(NOW, config, Request::new("h", "/", [7; 16]), masks(1)).unwrap();
    let mut server = server();
    let [at_client, _] = run(&mut client, &mut server, &mut Rng::new(0));
    assert!(matches!(&at_client.0[..], [Event::Open(opening)] if opening.deflate.is_none()));
    client.send_text("a".repeat(1000)).unwrap();
    let [_, at_server] = run(&mut client, &mut server, &mut Rng::new(0));
    assert_eq!(messages(&at_server.0).len(), 1);
}

#[test]
fn rsv1_is_for_the_first_frame_of_a_message_only() {
    for frame in [&b"\xc9\x00"[..], b"\x01\x01a\xc0\x00", b"\xa1\x00", b"\x91\x00", b"\xf1\x00"] {
        let (mut client, _) = deflating_pair(&Deflate::default(), &Deflate::default());
        let drained = feed(&mut client, frame);
        assert!(
            matches!(&drained.events[..], [Event::Failed(f)] if f.code == Some(CloseCode::PROTOCOL_ERROR)),
            "{frame:x?}"
        );
    }
    // "Hello" in two fragments (RFC 7692 §7.2.3.1), a ping between them.
    let (mut client, _) = deflating_pair(&Deflate::default(), &Deflate::default());
    let drained = feed(&mut client, b"\x41\x03\xf2\x48\xcd\x89\x00\x80\x04\xc9\xc9\x07\x00");
    assert_eq!(messages(&drained.events), [Message::Text("Hello".into())]);
}

#[test]
fn a_deflate_bomb_stops_at_the_limit_with_1009() {
    let wish = Deflate { level: 9, ..Deflate::default() };
    let config = Config { deflate: Some(wish.clone()), max_message: 100_000, ..Config::default() };
    let (mut client, _) = deflating_pair(&wish, &wish);
    let (request, _) = RequestHead::parse(
        &Request::new("h", "/", [7; 16]).head(&negotiation::offers(&wish)).emit().unwrap(),
    )
    .unwrap();
    let mut server = Connection::accept(NOW, config, &Policy::default(), &request);
    drain(NOW, &mut server);
    client.send_binary(vec![0; 20 << 20]).unwrap();
    let bomb = drain(NOW, &mut client).sent;
    assert!(bomb.len() < 40_000, "{} bytes", bomb.len());
    let drained = feed(&mut server, &bomb);
    let [Event::Failed(failure)] = &drained.events[..] else { panic!("{:?}", drained.events) };
    assert_eq!(failure.code, Some(CloseCode::TOO_BIG));
    assert!(drained.finished);
}

#[test]
fn bytes_that_do_not_decompress_and_text_that_is_not_utf8_within_end_with_1007() {
    // The second is a stored block with the byte 0xff; it fails before the message has ended.
    for payload in [&b"\xc1\x03\xff\xff\xff"[..], b"\x41\x06\x00\x01\x00\xfe\xff\xff"] {
        let (mut client, _) = deflating_pair(&Deflate::default(), &Deflate::default());
        let drained = feed(&mut client, payload);
        let [Event::Failed(failure)] = &drained.events[..] else { panic!("{:?}", drained.events) };
        assert_eq!(failure.code, Some(CloseCode::INVALID_PAYLOAD));
    }
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let keepalive = Keepalive { idle: Duration::from_secs(10), timeout: Duration::from_secs(5) };
    let config = Config { keepalive: Some(keepalive), ..Config::default() };
    let mut server = Connection::server(NOW, config, Policy::default());
    let mut client = client();
    server.handle(NOW, Input::Bytes(drain(NOW, &mut client).sent.into()));
    let at = |seconds: u64| Instant::from_millis(seconds * 1000);
    assert_eq!(drain(NOW, &mut server).wake_at, Some(at(10)));
    // Bytes come in at 4 s: the next look is 10 s after that.
    server.handle(at(4), Input::Bytes(Bytes::from_static(b"\x8a\x80\0\0\0\0")));
    assert_eq!(drain(at(4), &mut server).wake_at, None);
    server.handle(at(10), Input::Wake);
    let early = drain(at(10), &mut server);
    assert_eq!((early.wake_at, early.sent.len()), (Some(at(14)), 0));
    server.handle(at(14), Input::Wake);
    let pinged = drain(at(14), &mut server);
    assert_eq!((pinged.wake_at, frames(&pinged.sent)), (Some(at(19)), vec![(Opcode::Ping, vec![])]));
    // Anything is a sign of life.
    server.handle(at(15), Input::Bytes(Bytes::from_static(b"\x81")));
    server.handle(at(19), Input::Wake);
    assert_eq!(drain(at(19), &mut server).wake_at, Some(at(25)));
    server.handle(at(25), Input::Wake);
    drain(at(25), &mut server);
    server.handle(at(30), Input::Wake);
    let end = drain(at(30), &mut server);
    let [Event::Failed(failure)] = &end.events[..] else { panic!("{:?}", end.events) };
    assert_eq!((failure.code, failure.error.field, end.finished), (None, "pong", true));
}

#[test]
fn a_head_in_too_many_pieces_is_cut_off() {
    let config = Config { head_pieces: 20, ..Config::default() };
    let mut server = Connection::server(NOW, config, Policy::default());
    let head = drain(NOW, &mut client()).sent;
    let mut fed = 0;
    for byte in head {
        let drained = feed(&mut server, &[byte]);
        fed += 1;
        if drained.finished {
            assert!(drained.sent.starts_with(b"HTTP/1.1 408 "));
            break;
        }
    }
    assert_eq!(fed, 20);
}

#[test]
fn an_idle_connection_holds_on_to_nothing_it_does_not_need() {
    let (mut client, mut server) = deflating_pair(&Deflate::default(), &Deflate::default());
    for _ in 0..3 {
        client.send_text("a".repeat(5000)).unwrap();
        server.send_text("b".repeat(5000)).unwrap();
        run(&mut client, &mut server, &mut Rng::new(1));
    }
    for end in [&mut client, &mut server] {
        end.rest();
        assert_eq!(end.inbox().capacity(), 0);
    }
    assert!(size_of::<Connection>() < 1500, "{} bytes", size_of::<Connection>());
}

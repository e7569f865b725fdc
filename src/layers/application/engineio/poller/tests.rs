//! The client against the server: both are machines, so they talk in memory, over pipes that cut where they like.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::Rng;
use crate::layers::application::engineio::session::ConnKey;
use crate::layers::application::engineio::{self, Server};

/// What has happened at the client.
#[derive(Debug, Clone, PartialEq)]
enum ClientEvent {
    Open,
    Upgraded,
    Said(Message),
    Closed(CloseCause),
}

/// A pipe from the one to the other: bytes that have been written and not read.
#[derive(Default)]
struct Pipe {
    up: Vec<u8>,
    down: Vec<u8>,
    /// Closed by the client, or by the server.
    closed: (bool, bool),
}

struct Bench {
    now: Instant,
    server: Server,
    client: Carrier,
    pipes: BTreeMap<Line, (ConnKey, Pipe)>,
    seen: Vec<ClientEvent>,
    heard: Vec<Message>,
    ended: Vec<CloseCause>,
    wake: (Instant, Instant),
    rng: Rng,
    /// At most this many bytes at a time cross a pipe.
    most: usize,
    requests: usize,
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

impl Bench {
    fn new(upgrade: bool, most: usize, seed: u64) -> Self {
        let mut config =
            engineio::Config { endpoints: vec!["/engine.io/".into()], ..engineio::Config::default() };
        config.session.ping_interval = Duration::from_millis(300);
        config.session.ping_timeout = Duration::from_millis(200);
        config.session.max_payload = 1000;
        let carrier = CarrierConfig {
            host: "h".into(),
            path: "/engine.io/".into(),
            upgrade,
            max_body: 100_000,
            nonce: [7; 16],
            masks: Box::new(|| Some([1, 2, 3, 4])),
        };
        Bench {
            now: Instant::ZERO,
            server: Server::new(config, Box::new(|| "sid".into())),
            client: Carrier::new(Instant::ZERO, carrier),
            pipes: BTreeMap::new(),
            seen: Vec::new(),
            heard: Vec::new(),
            ended: Vec::new(),
            wake: (Instant::NEVER, Instant::NEVER),
            rng: Rng::new(seed),
            most,
            requests: 0,
        }
    }

    fn drain(&mut self) {
        loop {
            if let Some(output) = self.client.poll(self.now) {
                match output {
                    CarrierOutput::Connect(line) => {
                        let conn = self.server.connected(self.now).expect("room");
                        assert!(
                            self.pipes.insert(line, (conn, Pipe::default())).is_none(),
                            "{line:?} is open"
                        );
                        self.client.handle(self.now, CarrierInput::Connected(line));
                    }
                    CarrierOutput::Write(line, bytes) => {
                        let starts = |with: &str| bytes.starts_with(with.as_bytes());
                        self.requests += usize::from(starts("GET ") || starts("POST "));
                        let (_, pipe) = self.pipes.get_mut(&line).expect("an open line");
                        pipe.up.extend_from_slice(&bytes);
                    }
                    CarrierOutput::Close(line) => {
                        if let Some((_, pipe)) = self.pipes.get_mut(&line) {
                            pipe.closed.0 = true;
                        }
                    }
                    CarrierOutput::Open(_) => self.seen.push(ClientEvent::Open),
                    CarrierOutput::Upgraded => self.seen.push(ClientEvent::Upgraded),
                    CarrierOutput::Message(message) => self.seen.push(ClientEvent::Said(message)),
                    CarrierOutput::Closed(cause) => self.seen.push(ClientEvent::Closed(cause)),
                    CarrierOutput::WakeAt(at) => self.wake.0 = at,
                }
                continue;
            }
            let Some(output) = self.server.poll(self.now) else { return };
            match output {
                engineio::Output::Event(engineio::Event::Message { session, message }) => {
                    self.heard.push(message.clone());
                    self.server.send(self.now, session, message);
                }
                engineio::Output::Event(engineio::Event::Closed { cause, .. }) => self.ended.push(cause),
                engineio::Output::Event(_) => {}
                engineio::Output::Ready(conn) => {
                    let Some(outbox) = self.server.outbox(conn) else { continue };
                    let bytes: Vec<u8> = outbox.pieces().flatten().copied().collect();
                    self.server.written(conn, bytes.len());
                    if let Some((_, pipe)) = self.pipes.values_mut().find(|(key, _)| *key == conn) {
                        pipe.down.extend(bytes);
                    }
                }
                engineio::Output::Close(conn) => {
                    if let Some((_, pipe)) = self.pipes.values_mut().find(|(key, _)| *key == conn) {
                        pipe.closed.1 = true;
                    }
                }
                engineio::Output::WakeAt(at) => self.wake.1 = at,
            }
        }
    }

    /// Moves a piece over one pipe, in one direction; false when nothing is under way.
    fn step(&mut self) -> bool {
        self.drain();
        let busy: Vec<(Line, bool)> = self
            .pipes
            .iter()
            .flat_map(|(line, (_, pipe))| {
                let up = !pipe.up.is_empty() || pipe.closed.0;
                let down = !pipe.down.is_empty() || pipe.closed.1;
                [(*line, true, up), (*line, false, down)]
            })
            .filter_map(|(line, way, busy)| busy.then_some((line, way)))
            .collect();
        if busy.is_empty() {
            return false;
        }
        let (line, up) = busy[self.rng.next_u32() as usize % busy.len()];
        let len = 1 + self.rng.next_u32() as usize % self.most;
        let Some((conn, pipe)) = self.pipes.get_mut(&line) else { return true };
        let (conn, waiting) = (*conn, if up { &mut pipe.up } else { &mut pipe.down });
        let piece: Vec<u8> = waiting.drain(..len.min(waiting.len())).collect();
        let closed = waiting.is_empty() && if up { pipe.closed.0 } else { pipe.closed.1 };
        if closed {
            self.pipes.remove(&line);
        }
        match up {
            true => {
                self.server.handle(self.now, engineio::Input::Bytes(conn, piece.into()));
                if closed {
                    self.server.handle(self.now, engineio::Input::Gone(conn));
                }
            }
            false => {
                if !piece.is_empty() {
                    self.client.handle(self.now, CarrierInput::Bytes(line, piece.into()));
                }
                if closed {
                    self.drain();
                    self.client.handle(self.now, CarrierInput::Gone(line));
                }
            }
        }
        self.drain();
        true
    }

    fn settle(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        self.settle();
        while self.wake.0.min(self.wake.1) <= end {
            self.now = self.now.max(self.wake.0.min(self.wake.1));
            if self.wake.0 <= self.now {
                self.wake.0 = Instant::NEVER;
                self.client.handle(self.now, CarrierInput::Wake);
            }
            if self.wake.1 <= self.now {
                self.wake.1 = Instant::NEVER;
                self.server.handle(self.now, engineio::Input::Wake);
            }
            self.settle();
        }
        self.now = end;
    }

    fn send(&mut self, message: Message) {
        self.client.send(self.now, message).expect("it is open");
    }

    fn cut(&mut self, line: Line) {
        if let Some((conn, _)) = self.pipes.remove(&line) {
            self.client.handle(self.now, CarrierInput::Gone(line));
            self.server.handle(self.now, engineio::Input::Gone(conn));
        }
        self.settle();
    }

    fn said(&self) -> Vec<Message> {
        let said = self.seen.iter().filter_map(|seen| match seen {
            ClientEvent::Said(message) => Some(message.clone()),
            _ => None,
        });
        said.collect()
    }
}

#[test]
fn three_echoes_by_polling_take_a_handshake_a_post_each_and_a_get_each() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    assert_eq!(bench.seen, [ClientEvent::Open]);
    assert_eq!(bench.requests, 2, "the handshake, and the poll that waits");
    for word in ["one", "two", "three"] {
        bench.send(text(word));
        bench.settle();
    }
    assert_eq!(bench.said(), [text("one"), text("two"), text("three")]);
    assert_eq!(bench.requests, 2 + 3 * 2);
    assert_eq!(bench.pipes.len(), 2, "the GET and the POST have a connection each, kept open");
}

#[test]
fn what_is_said_while_a_post_is_under_way_goes_with_the_next_one() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    let before = bench.requests;
    for word in ["one", "two", "three"] {
        bench.send(text(word));
    }
    bench.send(Message::Binary(Bytes::from_static(&[0, 255])));
    bench.settle();
    assert_eq!(bench.heard.len(), 4);
    assert_eq!(bench.said(), bench.heard);
    assert!(bench.requests - before < 8, "{} requests", bench.requests - before);
}

#[test]
fn a_poll_waits_and_the_ping_of_the_server_is_answered_by_a_post() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    bench.wait(2000);
    assert_eq!((bench.seen.clone(), bench.ended.clone()), (vec![ClientEvent::Open], vec![]));
    // Every 300 ms: a poll is answered with the ping, the next one asks, a POST has the pong.
    assert_eq!(bench.requests, 2 + 6 * 2);
}

#[test]
fn an_upgrade_moves_everything_to_the_websocket() {
    let mut bench = Bench::new(true, 1000, 1);
    bench.settle();
    assert_eq!(bench.seen, [ClientEvent::Open, ClientEvent::Upgraded]);
    assert_eq!(bench.pipes.keys().copied().collect::<Vec<_>>(), [Line::Socket], "the others are closed");
    let before = bench.requests;
    bench.send(text("hello"));
    bench.wait(1000);
    assert_eq!(bench.said(), [text("hello")]);
    assert_eq!(bench.requests, before, "no HTTP any more");
    bench.client.close(bench.now);
    bench.settle();
    assert_eq!(bench.seen.last(), Some(&ClientEvent::Closed(CloseCause::ByClient)));
    assert_eq!(bench.ended, [CloseCause::ByClient]);
    assert_eq!(bench.pipes.len(), 0);
}

#[test]
fn a_probe_that_fails_leaves_the_session_polling() {
    let mut bench = Bench::new(true, 1000, 1);
    while !bench.pipes.contains_key(&Line::Socket) {
        assert!(bench.step());
    }
    bench.cut(Line::Socket);
    bench.send(text("hello"));
    bench.wait(700);
    assert_eq!(bench.seen, [ClientEvent::Open, ClientEvent::Said(text("hello"))]);
    assert!(!bench.client.is_upgraded());
}

#[test]
fn a_close_is_posted() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    bench.client.close(bench.now);
    bench.settle();
    assert_eq!(bench.seen, [ClientEvent::Open, ClientEvent::Closed(CloseCause::ByClient)]);
    assert_eq!(bench.ended, [CloseCause::ByClient]);
    assert_eq!(bench.client.send(bench.now, text("x")), Err(SendError::NotOpen));
    assert_eq!((bench.pipes.len(), bench.server.sessions()), (0, 0));
}

#[test]
fn a_close_by_the_server_comes_with_the_poll() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    bench.server.shut_down(bench.now);
    bench.settle();
    assert_eq!(bench.seen, [ClientEvent::Open, ClientEvent::Closed(CloseCause::ByServer)]);
}

#[test]
fn a_cut_while_a_get_waits_ends_the_session_and_silence_does_too() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    bench.cut(Line::Poll);
    assert_eq!(bench.seen, [ClientEvent::Open, ClientEvent::Closed(CloseCause::TransportClosed)]);
    let mut bench = Bench::new(true, 1000, 1);
    bench.settle();
    // No byte of the server arrives any more.
    bench.now += Duration::from_millis(501);
    bench.client.handle(bench.now, CarrierInput::Wake);
    bench.drain();
    assert_eq!(bench.seen.last(), Some(&ClientEvent::Closed(CloseCause::PingTimeout)));
}

#[test]
fn a_message_that_the_server_would_not_take_is_refused_here() {
    let mut bench = Bench::new(false, 1000, 1);
    bench.settle();
    let long = "x".repeat(1000);
    assert_eq!(bench.client.send(bench.now, text(&long)), Err(SendError::TooLong(1000)));
    for _ in 0..200 {
        bench.send(text(&long[..900]));
    }
    bench.settle();
    assert_eq!(bench.heard.len(), 200, "one body after the other, none too long");
    assert_eq!(bench.ended, []);
}

#[test]
fn an_answer_that_is_none_ends_the_session() {
    for (answer, cause) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n9", CloseCause::BadPacket),
        ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", CloseCause::BadRequest),
        ("SSH-2.0-OpenSSH\r\n", CloseCause::TransportClosed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0{\"a\"", CloseCause::BadPacket),
    ] {
        let mut client = Bench::new(false, 1000, 1).client;
        assert_eq!(client.poll(Instant::ZERO), Some(CarrierOutput::Connect(Line::Poll)));
        client.handle(Instant::ZERO, CarrierInput::Connected(Line::Poll));
        client.handle(Instant::ZERO, CarrierInput::Bytes(Line::Poll, Bytes::from_static(answer.as_bytes())));
        let outputs: Vec<_> = std::iter::from_fn(|| client.poll(Instant::ZERO)).collect();
        assert!(outputs.contains(&CarrierOutput::Closed(cause)), "{answer:?}: {outputs:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn however_the_streams_are_cut_every_message_comes_back_once_in_order(
        upgrade in any::<bool>(),
        most in 1usize..80,
        seed in any::<u64>(),
        messages in prop::collection::vec(("[a-z\u{e9}\u{1f600}]{0,12}", any::<bool>(), 0usize..200), 1..12),
    ) {
        let mut bench = Bench::new(upgrade, most, seed);
        while !bench.client.is_open() {
            prop_assert!(bench.step());
        }
        let mut sent = Vec::new();
        for (word, binary, pause) in messages {
            let message = if binary { Message::Binary(word.into_bytes().into()) } else { text(&word) };
            sent.push(message.clone());
            bench.send(message);
            for _ in 0..pause {
                bench.step();
            }
        }
        bench.settle();
        prop_assert_eq!(&bench.heard, &sent);
        prop_assert_eq!(bench.said(), sent);
        prop_assert_eq!(bench.client.is_upgraded(), upgrade);
        prop_assert_eq!(bench.ended.clone(), vec![]);
    }

    #[test]
    fn no_bytes_of_a_server_make_it_panic(junk in prop::collection::vec(any::<u8>(), 0..200), line in 0usize..3) {
        let mut bench = Bench::new(true, 1000, 1);
        let line = [Line::Poll, Line::Post, Line::Socket][line];
        for _ in 0..5 {
            bench.step();
        }
        bench.client.handle(bench.now, CarrierInput::Bytes(line, junk.into()));
        bench.drain();
    }
}

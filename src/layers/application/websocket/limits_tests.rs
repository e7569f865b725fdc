//! Every limit of a connection in virtual time: what is just within it passes, what is beyond it ends the connection
//! as the limit says. Each test fails when its limit is taken away.

use bytes::{Bytes, BytesMut};

use super::deflate::codec::Compressor;
use super::*;
use crate::base::{Duration, Instant, Machine as _};
use crate::layers::application::http::Limits;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A server and what it has said so far.
struct Bench {
    now: Instant,
    server: Connection,
    sent: Vec<u8>,
    events: Vec<Event>,
    wake_at: Option<Instant>,
    finished: bool,
    /// The most bytes that waited inside at any time.
    most_queued: usize,
}

impl Bench {
    /// A server that waits for a request.
    fn new(config: Config) -> Self {
        let server = Connection::server(Instant::ZERO, config, Policy::default());
        Bench {
            now: Instant::ZERO,
            server,
            sent: Vec::new(),
            events: Vec::new(),
            wake_at: None,
            finished: false,
            most_queued: 0,
        }
    }

    /// A server after the handshake.
    fn open(config: Config) -> Self {
        let mut bench = Bench::new(config);
        bench.feed(format!("{REQUEST}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n").as_bytes());
        assert!(matches!(bench.events[..], [Event::Open(_)]), "{:?}", bench.events);
        bench.events.clear();
        bench.sent.clear();
        bench
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.server.handle(self.now, Input::Bytes(Bytes::copy_from_slice(bytes)));
        self.settle();
    }

    /// Lets time pass until the server is due.
    fn wake(&mut self) {
        self.now = self.wake_at.take().expect("it is due at some time");
        self.server.handle(self.now, Input::Wake);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.server.poll(self.now) {
            match output {
                Output::Send(bytes) => self.sent.extend_from_slice(&bytes),
                Output::Event(event) => self.events.push(event),
                Output::WakeAt(at) => self.wake_at = Some(at),
                Output::Finished => self.finished = true,
            }
            self.most_queued = self.most_queued.max(self.server.queued());
        }
    }

    fn failed(&self) -> Option<&Failure> {
        self.events.iter().find_map(|event| match event {
            Event::Failed(failure) => Some(&**failure),
            _ => None,
        })
    }

    /// Whether the connection was closed with code 1009 before any message came out.
    fn too_big(&self) -> bool {
        let code = self.failed().and_then(|failure| failure.code);
        let told = self.sent.len() > 4 && self.sent[0] == 0x88 && self.sent[2..4] == 1009u16.to_be_bytes();
        code == Some(CloseCode::TOO_BIG) && told && self.finished && self.events.len() == 1
    }

    fn messages(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Message(_))).count()
    }
}

/// The header of a frame of a client, with a key of zeros, which changes nothing.
fn header(first: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match len {
        0..=125 => bytes.push(0x80 | len as u8),
        126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0xff);
            bytes.extend_from_slice(&len.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len() as u64), payload.to_vec()].concat()
}

fn small() -> Config {
    Config { max_frame: 100, max_message: 150, ..Config::default() }
}

#[test]
fn a_frame_beyond_the_limit_is_refused_at_its_header() {
    let mut bench = Bench::open(small());
    bench.feed(&frame(0x82, &[7; 100]));
    assert_eq!(bench.messages(), 1);
    let mut bench = Bench::open(small());
    bench.feed(&header(0x82, 101));
    assert!(bench.too_big(), "{:?}", bench.events);
}

#[test]
fn a_message_beyond_the_limit_is_refused_at_the_header_that_would_make_it_so() {
    let mut bench = Bench::open(small());
    bench.feed(&[frame(0x02, &[7; 100]), frame(0x80, &[7; 50])].concat());
    assert_eq!(bench.messages(), 1);
    let mut bench = Bench::open(small());
    bench.feed(&[frame(0x02, &[7; 100]), header(0x80, 51)].concat());
    assert!(bench.too_big(), "{:?}", bench.events);
}

#[test]
fn what_a_message_decompresses_to_counts_and_not_what_it_comes_as() {
    let compressed = |len: usize| {
        let mut out = BytesMut::new();
        assert!(Compressor::new(9, 15, false).compress(&vec![0; len], &mut out));
        out
    };
    let config = Config { deflate: Some(Deflate::default()), max_message: 1 << 20, ..Config::default() };
    let mut bench = Bench::open(config.clone());
    bench.feed(&frame(0xc2, &compressed(1 << 20)));
    assert_eq!(bench.messages(), 1);

    let bomb = compressed((1 << 20) + 1);
    assert!(bomb.len() < 2000);
    let mut bench = Bench::open(config.clone());
    bench.feed(&frame(0xc2, &bomb));
    assert!(bench.too_big(), "{:?}", bench.events);

    // The bomb in fragments goes off before the last of them has come.
    let bomb = compressed(10 << 20);
    let mut bench = Bench::open(config);
    bench.feed(&[frame(0x42, &bomb[..10]), frame(0x00, &bomb[10..bomb.len() / 2])].concat());
    assert!(bench.too_big(), "{:?}", bench.events);
}

#[test]
fn the_largest_length_there_is_is_refused_or_waited_for() {
    for len in [1 << 30, u64::MAX >> 1] {
        let mut bench = Bench::open(Config::default());
        bench.feed(&header(0x82, len));
        assert!(bench.too_big(), "{:?}", bench.events);
        // A receiver without a limit waits for the rest, and has what has come.
        let mut bench =
            Bench::open(Config { max_frame: usize::MAX, max_message: usize::MAX, ..Config::default() });
        bench.feed(&[header(0x82, len), vec![7; 5]].concat());
        assert!(bench.events.is_empty() && !bench.finished);
    }
}

/// The status that a server answers a request with that has these lines after the usual ones.
fn status_of(config: &Config, lines: &str) -> String {
    let mut bench = Bench::new(config.clone());
    bench.feed(format!("{REQUEST}{lines}\r\n").as_bytes());
    String::from_utf8_lossy(bench.sent.get(9..12).unwrap_or_default()).into_owned()
}

#[test]
fn a_head_has_limits_of_lines_fields_and_bytes() {
    let usual = REQUEST.len() + 2;
    let head = |line, head, fields| Config { head: Limits { line, head, fields }, ..Config::default() };
    let cases = [
        // The bytes of one line, with its CRLF.
        (head(100, 1000, 100), format!("X: {}\r\n", "x".repeat(95)), "101"),
        (head(100, 1000, 100), format!("X: {}\r\n", "x".repeat(96)), "431"),
        // The bytes of all lines.
        (head(100, usual + 10, 100), "X: 12345\r\n".into(), "101"),
        (head(100, usual + 9, 100), "X: 12345\r\n".into(), "431"),
        // The fields: five are there already.
        (head(100, 1000, 7), "X: 1\r\n".repeat(2), "101"),
        (head(100, 1000, 7), "X: 1\r\n".repeat(3), "431"),
        // The extensions and their parameters.
        (head(1000, 2000, 100), format!("Sec-WebSocket-Extensions: {}\r\n", "a,".repeat(100)), "101"),
        (head(1000, 2000, 100), format!("Sec-WebSocket-Extensions: {}\r\n", "a,".repeat(101)), "400"),
    ];
    for (config, lines, expected) in cases {
        assert_eq!(status_of(&config, &lines), expected, "{:?} for {lines}", config.head);
    }
}

#[test]
fn a_head_that_is_late_is_answered_with_408_however_much_of_it_has_come() {
    for come in [0, 1, REQUEST.len()] {
        let mut bench =
            Bench::new(Config { handshake_timeout: Duration::from_millis(700), ..Config::default() });
        bench.settle();
        bench.feed(&REQUEST.as_bytes()[..come]);
        assert!(!bench.finished);
        bench.wake();
        assert_eq!(bench.now, Instant::ZERO + Duration::from_millis(700), "bytes do not put it off");
        assert!(bench.finished && bench.failed().is_some());
        assert!(bench.sent.starts_with(b"HTTP/1.1 408 "), "{:?}", String::from_utf8_lossy(&bench.sent));
    }
}

#[test]
fn a_head_in_too_many_pieces_is_cut_off_before_its_time_is_over() {
    let config = Config { head_pieces: 20, ..Config::default() };
    let mut bench = Bench::new(config.clone());
    for (count, byte) in REQUEST.bytes().enumerate() {
        assert!(count < 20, "it goes on and on");
        bench.feed(&[byte]);
        if bench.finished {
            break;
        }
    }
    assert!(bench.sent.starts_with(b"HTTP/1.1 408 "), "{:?}", String::from_utf8_lossy(&bench.sent));
    // In twenty pieces it passes.
    let mut bench = Bench::new(config);
    let whole = format!("{REQUEST}\r\n");
    for piece in whole.as_bytes().chunks(whole.len().div_ceil(20)) {
        bench.feed(piece);
    }
    assert!(matches!(bench.events[..], [Event::Open(_)]), "{:?}", bench.events);
}

#[test]
fn a_server_that_trickles_its_answer_is_cut_off_as_well() {
    let config = Config { head_pieces: 20, ..Config::default() };
    let request = Request::new("test", "/", [7; 16]);
    let mut client = Connection::client(Instant::ZERO, config, request, Box::new(|| Some([0; 4]))).unwrap();
    // Each of these answers is whole, and none is the one that counts.
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    for _ in 0..20 {
        client.handle(Instant::ZERO, Input::Bytes(Bytes::from_static(interim)));
    }
    assert_eq!(client.phase(), Phase::Finished);
}

#[test]
fn a_peer_that_does_not_answer_our_close_has_its_time_and_no_more() {
    let mut bench = Bench::open(Config { close_timeout: Duration::from_millis(300), ..Config::default() });
    bench.server.close(bench.now, &CloseReason::new(CloseCode::NORMAL, Utf8Bytes::default())).unwrap();
    bench.settle();
    // Whatever else it sends does not put the end off.
    bench.now += Duration::from_millis(200);
    bench.feed(&frame(0x82, b"still talking"));
    assert_eq!((bench.messages(), bench.finished), (1, false));
    bench.wake();
    assert_eq!(bench.now, Instant::ZERO + Duration::from_millis(300));
    assert!(bench.finished);
    assert!(matches!(bench.events.last(), Some(Event::Close(reason)) if reason.code == CloseCode::ABNORMAL));
}

#[test]
fn a_silent_peer_is_pinged_and_then_given_up() {
    let keepalive = Keepalive { idle: Duration::from_secs(3), timeout: Duration::from_secs(2) };
    let mut bench = Bench::open(Config { keepalive: Some(keepalive), ..Config::default() });
    bench.wake();
    assert_eq!((bench.now, &bench.sent[..]), (Instant::ZERO + keepalive.idle, &[0x89, 0x00][..]));
    // Anything is a sign of life, also half a frame.
    bench.now += Duration::from_secs(1);
    bench.feed(&header(0x82, 5));
    bench.wake();
    assert!(!bench.finished);
    for _ in 0..3 {
        if !bench.finished {
            bench.wake();
        }
    }
    assert!(bench.finished && bench.failed().is_some_and(|failure| failure.to_string().contains("pong")));
    assert_eq!(bench.now, Instant::ZERO + Duration::from_secs(4 + 3 + 2));
}

#[test]
fn a_peer_that_answers_is_pinged_each_time_it_has_been_idle_for_so_long() {
    let keepalive = Keepalive { idle: Duration::from_secs(3), timeout: Duration::from_secs(20) };
    let mut bench = Bench::open(Config { keepalive: Some(keepalive), ..Config::default() });
    let mut pinged = Vec::new();
    while pinged.len() < 3 {
        bench.sent.clear();
        bench.wake();
        if bench.sent[..] == [0x89, 0x00] {
            pinged.push(bench.now);
            bench.feed(&frame(0x8a, b""));
        }
    }
    assert_eq!(pinged, [3, 6, 9].map(|seconds| Instant::ZERO + Duration::from_secs(seconds)));
}

#[test]
fn more_than_may_wait_is_refused_to_the_user_above() {
    let mut bench = Bench::open(Config { max_queue: 1000, ..Config::default() });
    // One message is always taken.
    assert_eq!(bench.server.send_binary(vec![7; 5000]), Ok(()));
    let refused = bench.server.send_binary(vec![7; 1]);
    assert!(matches!(refused, Err(SendError::Full { limit: 1000, .. })), "{refused:?}");
    assert!(matches!(bench.server.ping(Bytes::new()), Err(SendError::Full { .. })));
    bench.settle();
    assert_eq!(bench.server.send_binary(vec![7; 1]), Ok(()));
}

#[test]
fn compressed_messages_that_wait_hold_no_more_memory_than_is_counted() {
    let mut bench = Bench::open(Config { deflate: Some(Deflate::default()), ..Config::default() });
    // Some noise that becomes no shorter, and much that vanishes.
    let mut rng = crate::base::Rng::new(1);
    let mut payload: Vec<u8> = (0..20_000).map(|_| rng.next_u32() as u8).collect();
    payload.resize(520_000, 0);
    bench.server.send_binary(payload).unwrap();
    let (mut length, mut capacity) = (0, 0);
    while let Some(Output::Send(bytes)) = bench.server.poll(bench.now) {
        length += bytes.len();
        capacity += bytes.try_into_mut().expect("no other owner").capacity();
    }
    assert!((20_000..30_000).contains(&length) && capacity <= 2 * length, "{capacity} for {length}");
}

#[test]
fn a_flood_of_pings_is_answered_as_it_is_taken_and_never_piles_up() {
    let mut bench = Bench::open(Config::default());
    let pings = frame(0x89, &[7; 125]).repeat(10_000);
    bench.feed(&pings);
    assert_eq!(bench.events.len(), 10_000);
    assert_eq!(bench.sent.len(), 10_000 * 127);
    assert!(bench.most_queued <= (64 << 10) + 127, "{} bytes", bench.most_queued);
}

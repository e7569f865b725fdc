//! The load: one thread, an epoll loop, frames made by hand. It counts and checks what arrives, and does nothing else:
//! it must not be what the server waits for.
//!
//! On one machine, waking a receiver that sleeps is part of the sender's `write`, and charged to the server. A server
//! that is faster than the load finds it awake, a slower one does not: ratios between servers are larger here than
//! they would be between two machines.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Socket.IO in Engine.IO in WebSocket: clients enter the main namespace and join a room.
    SocketIo,
    /// WebSocket alone: what one sends, all others get.
    Plain,
}

/// What the sender waits for before it says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// All receivers have it.
    Deliveries,
    /// The server has acknowledged it. What becomes free is used at once, one write for each message.
    Acks,
}

/// Clients of one server. The first is the sender.
pub struct Load {
    poll: Poll,
    dialect: Dialect,
    clients: Vec<Client>,
    room: Box<[u8]>,
    ready: usize,
    sent: u64,
    acked: u64,
    /// How many have each of the last messages, by number.
    got: Vec<usize>,
    /// Messages that all have.
    complete: u64,
    /// Bytes of the last one on the wire.
    frame_len: usize,
    key: [u8; 4],
}

struct Client {
    stream: TcpStream,
    phase: Phase,
    /// The beginning of a frame whose end has not come.
    rest: Vec<u8>,
    /// The number of the next message it should get.
    next: u64,
    /// What its CONNECT was answered with.
    hello: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Upgrading,
    Entering,
    Ready,
}

/// The most messages that can be in flight.
const MOST: usize = 64;

/// How often it is looked whether a burst has arrived: much less than one takes.
const LOOK_EVERY: Duration = Duration::from_micros(300);

impl Load {
    /// Connects so many clients, up to `at_once` of them at the same time, and waits until all are in the room.
    pub fn connect(port: u16, dialect: Dialect, clients: usize, at_once: usize) -> Load {
        let mut load = Load {
            poll: Poll::new().expect("epoll"),
            dialect,
            clients: Vec::with_capacity(clients),
            room: vec![0; 1 << 18].into(),
            ready: 0,
            sent: 0,
            acked: 0,
            got: vec![0; MOST],
            complete: 0,
            frame_len: 0,
            key: [0x37, 0xfa, 0x21, 0x3d],
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut events = Events::with_capacity(1024);
        let begun = Instant::now();
        while load.ready < clients {
            while load.clients.len() < clients && load.clients.len() - load.ready < at_once {
                let mut stream = TcpStream::connect(address).expect("a socket");
                let token = Token(load.clients.len());
                let interest = Interest::READABLE | Interest::WRITABLE;
                load.poll.registry().register(&mut stream, token, interest).expect("epoll");
                let (rest, hello) = (Vec::new(), String::new());
                load.clients.push(Client { stream, phase: Phase::Connecting, rest, next: 0, hello });
            }
            load.turn(&mut events, Duration::from_secs(1));
            assert!(begun.elapsed() < Duration::from_secs(120), "only {} of {clients} got in", load.ready);
        }
        load
    }

    /// Says something again and again for so long, then waits until everything has arrived. How many deliveries.
    pub fn run(&mut self, in_flight: usize, window: Window, length: Duration) -> u64 {
        assert!(in_flight <= MOST);
        let (begun, before) = (Instant::now(), self.complete);
        let mut events = Events::with_capacity(1024);
        loop {
            let waits_for = match window {
                Window::Deliveries => self.complete,
                Window::Acks => self.acked.min(self.complete + (MOST - in_flight) as u64),
            };
            if begun.elapsed() < length {
                let free = (waits_for + in_flight as u64).saturating_sub(self.sent);
                self.say(free, window);
            } else if self.complete == self.sent
                && (self.acked == self.sent || self.dialect == Dialect::Plain)
            {
                return (self.complete - before) * (self.clients.len() - 1) as u64;
            }
            self.turn(&mut events, Duration::from_secs(10));
            assert!(!events.is_empty(), "nothing came: {} of {} arrived", self.complete, self.sent);
        }
    }

    /// Says so many messages at once. Seconds until the kernels of all receivers have all of them; only then are they
    /// read: the load itself takes next to no time of the processors. There must have been a [`run`](Load::run).
    pub fn burst(&mut self, messages: u64) -> f64 {
        let receivers = self.clients.len() - 1;
        let whole = messages as usize * self.frame_len;
        self.clients[1..].iter().for_each(|client| announce_at(&client.stream, whole));
        let (begun, mut there) = (Instant::now(), 0);
        self.say(messages, Window::Deliveries);
        let mut events = Events::with_capacity(receivers + 1);
        while there < receivers {
            // Nobody waits in epoll meanwhile: to be woken for each receiver would take a good part of a core.
            std::thread::sleep(LOOK_EVERY);
            self.poll.poll(&mut events, Some(Duration::ZERO)).expect("epoll");
            there += events.iter().filter(|event| event.token().0 > 0 && event.is_readable()).count();
            assert!(begun.elapsed() < Duration::from_secs(10), "{there} of {receivers} have all");
        }
        let seconds = begun.elapsed().as_secs_f64();
        (1..=receivers).for_each(|at| announce_at(&self.clients[at].stream, 1));
        (0..=receivers).for_each(|at| self.read(at));
        while self.acked < self.sent && self.dialect == Dialect::SocketIo {
            self.turn(&mut events, Duration::from_secs(10));
        }
        assert_eq!(self.complete, self.sent, "each receiver has all");
        seconds
    }

    fn say(&mut self, count: u64, window: Window) {
        let mut frames = Vec::new();
        for _ in 0..count {
            let message = format!("#{:08}{:x<91}", self.sent, "");
            match self.dialect {
                Dialect::Plain => frame(&message, self.key, &mut frames),
                Dialect::SocketIo => {
                    frame(&format!("42{}[\"say\",\"room\",\"{message}\"]", self.sent), self.key, &mut frames);
                }
            }
            self.got[self.sent as usize % MOST] = 0;
            self.sent += 1;
            if window == Window::Acks {
                write(&mut self.clients[0], &frames);
                frames.clear();
            }
        }
        write(&mut self.clients[0], &frames);
    }

    /// Takes what has come.
    fn turn(&mut self, events: &mut Events, wait: Duration) {
        self.poll.poll(events, Some(wait)).expect("epoll");
        for event in events.iter() {
            let at = event.token().0;
            if self.clients[at].phase == Phase::Connecting && event.is_writable() {
                self.upgrade(at);
            }
            if event.is_readable() {
                self.read(at);
            }
        }
    }

    fn upgrade(&mut self, at: usize) {
        let path = match self.dialect {
            Dialect::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Dialect::Plain => "/",
        };
        let client = &mut self.clients[at];
        client.stream.set_nodelay(true).expect("no delay");
        write(client, upgrade_request(path).as_bytes());
        client.phase = Phase::Upgrading;
    }

    /// Reads until nothing more is there, as an edge-triggered event asks for.
    fn read(&mut self, at: usize) {
        let mut room = std::mem::take(&mut self.room);
        loop {
            match self.clients[at].stream.read(&mut room) {
                Ok(0) => panic!("the server closed connection {at}"),
                Ok(len) => self.take(at, &room[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("connection {at}: {error}"),
            }
        }
        self.room = room;
    }

    fn take(&mut self, at: usize, bytes: &[u8]) {
        let client = &mut self.clients[at];
        let whole;
        let mut bytes = if client.rest.is_empty() {
            bytes
        } else {
            client.rest.extend_from_slice(bytes);
            whole = std::mem::take(&mut client.rest);
            &whole[..]
        };
        if client.phase == Phase::Upgrading {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                client.rest = bytes.to_vec();
                return;
            };
            assert!(bytes.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(bytes));
            bytes = &bytes[end + 4..];
            client.phase = Phase::Entering;
            if self.dialect == Dialect::Plain {
                self.is_ready(at);
            }
        }
        while let Some((payload, rest)) = split_frame(bytes) {
            self.message(at, payload);
            bytes = rest;
        }
        self.clients[at].rest = bytes.to_vec();
    }

    fn message(&mut self, at: usize, payload: &[u8]) {
        if let Some(mark) = payload.iter().position(|&byte| byte == b'#') {
            let number = payload[mark + 1..mark + 9]
                .iter()
                .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            let client = &mut self.clients[at];
            assert_eq!(number, client.next, "client {at}: in order, each once, none left out");
            client.next += 1;
            self.frame_len = payload.len() + if payload.len() > 125 { 4 } else { 2 };
            let got = &mut self.got[number as usize % MOST];
            *got += 1;
            self.complete += u64::from(*got == self.clients.len() - 1);
            return;
        }
        let answer = match payload {
            [b'0', ..] => "40",
            [b'2'] => "3",
            [b'4', b'0', ..] => {
                self.clients[at].hello = String::from_utf8_lossy(&payload[2..]).into_owned();
                "420[\"join\",\"room\"]"
            }
            [b'4', b'3', ..] if self.clients[at].phase == Phase::Ready => {
                self.acked += 1;
                return;
            }
            [b'4', b'3', ..] => return self.is_ready(at),
            _ => return,
        };
        let mut bytes = Vec::new();
        frame(answer, self.key, &mut bytes);
        write(&mut self.clients[at], &bytes);
    }

    fn is_ready(&mut self, at: usize) {
        self.clients[at].phase = Phase::Ready;
        self.ready += 1;
    }
}

/// Has a socket count as readable from so many bytes on (SO_RCVLOWAT, socket(7)).
fn announce_at(stream: &TcpStream, bytes: usize) {
    let bytes = bytes as libc::c_int;
    // SAFETY: the descriptor is open and the value is one that lives until the call returns.
    let done = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size_of_val(&bytes) as libc::socklen_t,
        )
    };
    assert_eq!(done, 0, "Linux has it");
}

/// The request that opens a WebSocket.
pub fn upgrade_request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

fn write(client: &mut Client, bytes: &[u8]) {
    if !bytes.is_empty() {
        let written = client.stream.write(bytes).expect("the server reads");
        assert_eq!(written, bytes.len(), "little is written at a time");
    }
}

/// A masked text frame, as clients send them (RFC 6455 §5.2).
pub fn frame(text: &str, key: [u8; 4], out: &mut Vec<u8>) {
    out.push(0x81);
    match text.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
    }
    out.extend(key);
    out.extend(text.bytes().zip(key.into_iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// The payload of a frame that is not masked, and what comes after it.
pub fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, len) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
        len => (2, usize::from(len)),
    };
    bytes.get(head..)?.split_at_checked(len)
}

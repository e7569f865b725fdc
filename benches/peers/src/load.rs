//! The load: blocking sockets that send frames made once and count the frames that come back.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use bytes::BytesMut;
use netlayers::layers::application::websocket::deflate::codec::Compressor;

/// What is echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Bytes.
    Plain,
    /// Text, compressed; both ends keep their windows from message to message.
    Takeover,
    /// Text, compressed; both ends begin every message with an empty window.
    NoTakeover,
}

impl Load {
    /// What the client asks for in the opening handshake.
    fn extensions(self) -> &'static str {
        match self {
            Load::Plain => "",
            Load::Takeover => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            Load::NoTakeover => {
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                 client_no_context_takeover\r\n"
            }
        }
    }
}

/// Echoes `each` messages on every connection, `in_flight` at a time. How many bytes came back.
pub fn run(port: u16, load: Load, size: usize, connections: usize, in_flight: usize, each: usize) -> u64 {
    let mut connections: Vec<Connection> = (0..connections).map(|_| Connection::open(port, load)).collect();
    let frames: Vec<Vec<u8>> = (0..in_flight).map(|seed| frame(load, size, seed as u64)).collect();
    let mut room = vec![0; 1 << 20];
    let mut left = each;
    while left > 0 {
        let now = left.min(in_flight);
        let batch = frames[..now].concat();
        // All connections are given their messages, then all answers are awaited: so many wait at the server at once.
        for connection in &mut connections {
            connection.send(&batch, now, &mut room);
        }
        left -= now;
    }
    for connection in &mut connections {
        connection.drain(&mut room);
    }
    connections.iter().map(|connection| connection.came).sum()
}

/// Opens connections, echoes a few messages on each, and leaves them idle.
pub fn idle(port: u16, load: Load, size: usize, connections: usize) -> Vec<Connection> {
    let mut connections: Vec<Connection> = (0..connections).map(|_| Connection::open(port, load)).collect();
    let mut room = vec![0; 1 << 20];
    for connection in &mut connections {
        for seed in 0..10 {
            connection.send(&frame(load, size, seed), 1, &mut room);
        }
        connection.drain(&mut room);
    }
    connections
}

/// A client's end.
pub struct Connection {
    stream: TcpStream,
    /// Messages that are still to come.
    owed: usize,
    /// Bytes that came.
    came: u64,
    /// The header that is coming in.
    header: Vec<u8>,
    /// Bytes of payload that are still to come.
    payload: usize,
}

impl Connection {
    fn open(port: u16, load: Load) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        stream.set_nodelay(true).expect("no delay");
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{}\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            load.extensions()
        );
        stream.write_all(request.as_bytes()).expect("the request goes out");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert_eq!(load != Load::Plain, head.contains("permessage-deflate"), "{head}");
        Connection { stream, owed: 0, came: 0, header: Vec::new(), payload: 0 }
    }

    /// Waits for what is owed, then sends the next batch.
    fn send(&mut self, batch: &[u8], messages: usize, room: &mut [u8]) {
        self.drain(room);
        self.owed = messages;
        // A large batch does not fit the socket's buffers at once: it is read between.
        self.stream.set_nonblocking(batch.len() > 100_000).expect("non-blocking");
        let mut sent = 0;
        while sent < batch.len() {
            match self.stream.write(&batch[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match self.stream.read(room) {
                    Ok(n) => self.count(&room[..n]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                    Err(error) => panic!("{error}"),
                },
                Err(error) => panic!("{error}"),
            }
        }
        self.stream.set_nonblocking(false).expect("blocking");
    }

    fn drain(&mut self, room: &mut [u8]) {
        while self.owed > 0 {
            let n = self.stream.read(room).expect("an answer");
            assert!(n > 0, "the server closed");
            self.count(&room[..n]);
        }
    }

    /// Counts the frames that have come to their end: each is a message.
    fn count(&mut self, mut bytes: &[u8]) {
        self.came += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.payload > 0 {
                let n = self.payload.min(bytes.len());
                bytes = &bytes[n..];
                self.payload -= n;
                self.owed -= usize::from(self.payload == 0);
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            let header = &self.header[..];
            let payload = match header {
                [_, 126, high, low] => usize::from(u16::from_be_bytes([*high, *low])),
                [_, 127, length @ ..] if length.len() == 8 => {
                    u64::from_be_bytes(length.try_into().expect("8 bytes")) as usize
                }
                [_, short @ 0..=125] => usize::from(*short),
                _ => continue,
            };
            self.header.clear();
            assert!(payload > 0, "an empty message came back");
            self.payload = payload;
        }
    }
}

/// A masked frame, as a client sends it: binary, or text that is compressed.
fn frame(load: Load, size: usize, seed: u64) -> Vec<u8> {
    let (first, payload) = match load {
        Load::Plain => (0x82, vec![b'a'; size]),
        Load::Takeover | Load::NoTakeover => {
            let mut compressed = BytesMut::new();
            // With a window of its own, and so good for both kinds of reader.
            Compressor::new(6, 15, false).compress(text(size, seed).as_bytes(), &mut compressed);
            (0xc1, compressed.to_vec())
        }
    };
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
    frame
}

/// Events as a program would send them: text that compresses to about a quarter, another for every seed.
fn text(size: usize, seed: u64) -> String {
    const WORDS: [&str; 16] = [
        "packet",
        "segment",
        "frame",
        "window",
        "router",
        "sender",
        "receiver",
        "socket",
        "stream",
        "message",
        "header",
        "payload",
        "checksum",
        "timeout",
        "handshake",
        "retransmission",
    ];
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut text = String::new();
    while text.len() < size {
        let (a, b) = (WORDS[next() as usize % 16], WORDS[next() as usize % 16]);
        text += &format!("{{\"id\":{},\"kind\":\"{a}\",\"note\":\"the {b} of {a}\"}},", next() % 100_000);
    }
    text.truncate(size);
    text
}

//! The load: blocking threads that send frames made once and count the bytes that come back.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Echoes `each` messages on every connection, `in_flight` at a time.
pub fn run(port: u16, size: usize, connections: usize, in_flight: usize, each: usize) {
    // Few threads for many connections: the load must not take the server's core.
    let mut streams: Vec<TcpStream> = (0..connections).map(|_| open(port)).collect();
    let frame = frame(size);
    let back = frame.len() - 4;
    let batch = frame.repeat(in_flight);
    let mut room = vec![0; 1 << 20];
    let mut left = each;
    while left > 0 {
        let now = left.min(in_flight);
        // All connections are given their messages, then all answers are awaited: so many wait at the server at once.
        for stream in &mut streams {
            send(stream, &batch[..now * frame.len()], now * back, &mut room);
        }
        left -= now;
    }
    for stream in &mut streams {
        drain(stream, &mut room);
    }
}

thread_local! {
    /// Bytes that are still to come, by connection.
    static OWED: std::cell::RefCell<std::collections::BTreeMap<u16, usize>> = const {
        std::cell::RefCell::new(std::collections::BTreeMap::new())
    };
}

fn owed(stream: &TcpStream, change: isize) -> usize {
    let key = stream.local_addr().expect("address").port();
    OWED.with_borrow_mut(|owed| {
        let entry = owed.entry(key).or_default();
        *entry = entry.checked_add_signed(change).expect("no more than was owed");
        *entry
    })
}

/// Waits for what is owed on this connection, then sends the next batch.
fn send(stream: &mut TcpStream, batch: &[u8], owes: usize, room: &mut [u8]) {
    drain(stream, room);
    // A large batch does not fit the socket's buffers at once: it is read between.
    let mut sent = 0;
    owed(stream, owes as isize);
    stream.set_nonblocking(batch.len() > 100_000).expect("non-blocking");
    while sent < batch.len() {
        match stream.write(&batch[sent..]) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => match stream.read(room) {
                Ok(n) => {
                    owed(stream, -(n as isize));
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            },
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).expect("blocking");
}

fn drain(stream: &mut TcpStream, room: &mut [u8]) {
    let mut left = owed(stream, 0);
    while left > 0 {
        let most = room.len().min(left);
        let n = stream.read(&mut room[..most]).expect("an answer");
        assert!(n > 0, "the server closed");
        left = owed(stream, -(n as isize));
    }
}

fn open(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    stream.set_nodelay(true).expect("no delay");
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the request goes out");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A masked binary frame, as a client sends it.
fn frame(size: usize) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x82];
    match size {
        0..=125 => frame.push(0x80 | size as u8),
        126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((size as u16).to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((size as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend((0..size).map(|i| b'a' ^ key[i % 4]));
    frame
}

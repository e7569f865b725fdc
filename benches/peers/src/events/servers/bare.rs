//! The limit: a loop around epoll that hands every frame on to everybody else, and nothing more.
//!
//! All frames that were read in one turn of the loop are written to each receiver with one call. It keeps nothing for
//! a connection but its socket, and does not wait for one that is slow: it ends.

use std::io::{ErrorKind, Read as _, Write as _};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

struct Client {
    stream: TcpStream,
    is_open: bool,
}

pub(super) fn run() {
    let std = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    std.set_nonblocking(true).expect("non-blocking");
    let mut listener = TcpListener::from_std(std);
    println!("{}", listener.local_addr().expect("address").port());
    let mut poll = Poll::new().expect("epoll");
    poll.registry().register(&mut listener, Token(usize::MAX), Interest::READABLE).expect("epoll");
    let mut events = Events::with_capacity(1024);
    let mut clients: Vec<Client> = Vec::new();
    let mut room = vec![0; 1 << 16];
    // By sender: its frames of this turn, unmasked.
    let mut said: Vec<(usize, Vec<u8>)> = Vec::new();
    loop {
        poll.poll(&mut events, None).expect("epoll");
        for event in &events {
            if event.token().0 == usize::MAX {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("no delay");
                    let token = Token(clients.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE).expect("epoll");
                    clients.push(Client { stream, is_open: false });
                }
                continue;
            }
            let from = event.token().0;
            let client = &mut clients[from];
            loop {
                let len = match client.stream.read(&mut room) {
                    Ok(0) => return,
                    Ok(len) => len,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return,
                };
                if client.is_open {
                    said.push((from, unmask(&mut room[..len])));
                } else {
                    // The key is always the load's, and so is the answer to it (RFC 6455 §1.3).
                    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                    client.stream.write_all(answer.as_bytes()).expect("the answer goes out");
                    client.is_open = true;
                }
            }
        }
        for (from, frames) in said.drain(..) {
            for (at, client) in clients.iter_mut().enumerate() {
                if at != from {
                    client.stream.write_all(&frames).expect("all read what they are sent");
                }
            }
        }
    }
}

/// Whole masked frames of up to 125 bytes, as a server sends them on.
fn unmask(mut bytes: &mut [u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let len = usize::from(bytes[1] & 0x7f);
        assert!(len <= 125, "the load's messages are short");
        let (frame, rest) = bytes.split_at_mut(6 + len);
        let key: [u8; 4] = frame[2..6].try_into().expect("four bytes");
        out.extend([frame[0], len as u8]);
        out.extend(frame[6..].iter().zip(key.into_iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes = rest;
    }
    out
}

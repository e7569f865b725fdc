//! The limits that a [`Builder`] sets: that each has the default its documentation says, that each setting gets to the
//! machine, and what waits when a peer is slow.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, duplex};

use super::*;
use crate::base::Duration;
use crate::layers::application::http::Limits;
use crate::layers::application::websocket::deflate::codec::Compressor;
use crate::layers::application::websocket::{Config, Deflate, Keepalive, Message};

#[test]
fn the_defaults_are_those_that_the_documentation_says() {
    let secs = Duration::from_secs;
    let expected = Config {
        max_frame: 16 << 20,
        max_message: 64 << 20,
        max_queue: 1 << 20,
        handshake_timeout: secs(10),
        close_timeout: secs(5),
        head: Limits { line: 8 << 10, head: 32 << 10, fields: 100 },
        head_pieces: 1024,
        deflate: None,
        keepalive: Some(Keepalive { idle: secs(30), timeout: secs(20) }),
    };
    let builder = Builder::new();
    assert_eq!((&builder.config, builder.connections()), (&expected, 10_000));
}

#[test]
fn every_setting_gets_to_the_machine() {
    let ms = Duration::from_millis;
    let head = Limits { line: 3, head: 4, fields: 5 };
    let builder = Builder::new()
        .max_frame(1)
        .max_message(2)
        .write_buffer(6)
        .handshake_timeout(ms(7))
        .close_timeout(ms(8))
        .head(head, 9)
        .keepalive(None)
        .max_connections(10);
    let expected = Config {
        max_frame: 1,
        max_message: 2,
        max_queue: 6,
        handshake_timeout: ms(7),
        close_timeout: ms(8),
        head,
        head_pieces: 9,
        deflate: None,
        keepalive: None,
    };
    assert_eq!((&builder.config, builder.connections()), (&expected, 10));
}

#[tokio::test]
async fn what_does_not_fit_the_write_buffer_waits_and_is_no_error() {
    let (near, far) = duplex(4096);
    let (client, builder) = (Builder::new(), Builder::new().write_buffer(100_000));
    let (client, server) = tokio::join!(client.open(near, "test", "/"), builder.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    // While a second message waits to be received, what the server sends is gathered and does not go out at once.
    for _ in 0..2 {
        client.send("tell me all").await.unwrap();
    }
    assert!(server.recv().await.unwrap().is_some());
    let answer = Message::from(vec![7; 30_000]);
    let sending = async {
        for _ in 0..10 {
            server.send(answer.clone()).await.unwrap();
            server.ping("still there").await.unwrap();
        }
    };
    let receiving = async {
        for _ in 0..10 {
            assert_eq!(client.recv().await.unwrap(), Some(answer.clone()));
        }
    };
    tokio::join!(sending, receiving);
}

/// A stream on which the request of a client comes, and then pings without end.
struct Flood {
    head: std::io::Cursor<Vec<u8>>,
    given: usize,
}

impl AsyncRead for Flood {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let flood = self.get_mut();
        if (flood.head.position() as usize) < flood.head.get_ref().len() {
            let read = io::Read::read(&mut flood.head, to.initialize_unfilled())?;
            to.advance(read);
            return Poll::Ready(Ok(()));
        }
        // As much as there is room for, so that there is more room the next time.
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        let pings: Vec<u8> = ping.into_iter().cycle().skip(flood.given % 6).take(to.remaining()).collect();
        flood.given += pings.len();
        assert!(flood.given < 64 << 20, "nobody else gets a turn");
        to.put_slice(&pings);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Flood {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(from.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_peer_that_never_stops_talking_leaves_the_others_their_turn() {
    let head = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let flood = Flood { head: io::Cursor::new(head.into()), given: 0 };
    let mut server = Builder::new().accept(flood).await.unwrap();
    for turn in 1..=4 {
        tokio::select! {
            biased;
            end = server.recv() => panic!("there is nothing to receive: {end:?}"),
            () = tokio::task::yield_now() => {}
        }
        // Its turn is 1 MiB long or a little more.
        let given = server.get_ref().given;
        assert!(given <= turn * (3 << 20), "{given} bytes in {turn} turns");
    }
}

#[tokio::test]
async fn what_decompresses_to_much_is_charged_for_what_it_becomes() {
    let head = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    // 16 MiB of zeros come as 16 KiB, in one read.
    let mut bomb = bytes::BytesMut::new();
    assert!(Compressor::new(9, 15, false).compress(&vec![0; 16 << 20], &mut bomb));
    let (near, mut far) = duplex(1 << 20);
    far.write_all(head.as_bytes()).await.unwrap();
    far.write_all(&[&[0xc2, 0xfe], &(bomb.len() as u16).to_be_bytes()[..], &[0; 4], &bomb].concat())
        .await
        .unwrap();
    let mut server = Builder::new().deflate(Deflate::default()).accept(near).await.unwrap();
    let mut turns = 0;
    let message = std::future::poll_fn(|cx| {
        turns += 1;
        server.poll_recv(cx)
    });
    assert_eq!(message.await.unwrap().map(|message| message.as_bytes().len()), Some(16 << 20));
    assert!(turns > 10, "{turns} turns");
}

/// The mask and the payload of each of the next frames, which are short.
async fn masks_of(stream: &mut tokio::io::DuplexStream, frames: usize) -> Vec<[u8; 4]> {
    let mut masks = Vec::new();
    for _ in 0..frames {
        let mut header = [0; 6];
        stream.read_exact(&mut header).await.unwrap();
        assert_eq!(header[..2], [0x81, 0x81], "text of one byte, masked");
        masks.push([header[2], header[3], header[4], header[5]]);
        stream.read_u8().await.unwrap();
    }
    masks
}

#[tokio::test]
async fn no_two_connections_mask_alike_on_the_wire() {
    const FRAMES: usize = 200;
    let mut all = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let (near, mut far) = duplex(4096);
        let server = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(far.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
            let accept = crate::layers::application::websocket::handshake::accept_key(key);
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            far.write_all(answer.as_bytes()).await.unwrap();
        };
        let builder = Builder::new();
        let (client, ()) = tokio::join!(builder.open(near, "test", "/"), server);
        let mut client = client.unwrap();
        let sending = async {
            for _ in 0..FRAMES {
                client.send("x").await.unwrap();
            }
        };
        let ((), masks) = tokio::join!(sending, masks_of(&mut far, FRAMES));
        all.extend(masks);
    }
    // By chance two of four hundred are alike once in fifty thousand times.
    assert!(all.len() >= 2 * FRAMES - 1, "{} different masks of {}", all.len(), 2 * FRAMES);
}

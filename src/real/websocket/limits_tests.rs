//! The limits that a [`Builder`] sets: that each has the default its documentation says, that each setting gets to the
//! machine, and what waits when a peer is slow.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf, duplex};

use super::tests::{by_hand_with, client_by_hand};
use super::*;
use crate::base::Duration;
use crate::layers::application::http::Limits;
use crate::layers::application::websocket::deflate::codec::Compressor;
use crate::layers::application::websocket::{CloseCode, Config, Deflate, Keepalive, Message, Policy};

#[test]
fn the_defaults_are_those_that_the_documentation_says() {
    let secs = Duration::from_secs;
    let expected = Config {
        explain: true,
        max_frame: 64 << 20,
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
        .max_message(2)
        .max_frame(1)
        .write_buffer(6)
        .handshake_timeout(ms(7))
        .close_timeout(ms(8))
        .head(head, 9)
        .keepalive(None)
        .max_connections(10);
    let expected = Config {
        explain: true,
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

#[test]
fn a_message_that_is_allowed_may_come_in_one_frame() {
    let builder = Builder::new();
    assert!(builder.config.max_frame >= builder.config.max_message);
    let builder = builder.max_message(100 << 20);
    assert_eq!((builder.config.max_frame, builder.config.max_message), (100 << 20, 100 << 20));
    assert_eq!(builder.max_message(1).config.max_frame, 100 << 20);
}

#[test]
fn limits_of_the_machine_do_not_turn_the_keepalive_off() {
    let config = Config { max_message: 7, ..Config::default() };
    let builder = Builder::new().config(config.clone());
    assert_eq!((builder.config.max_message, builder.config.keepalive), (7, Some(Keepalive::default())));
    assert_eq!(Builder::new().keepalive(None).config(config.clone()).config.keepalive, None);
    let (idle, timeout) = (Duration::from_secs(1), Duration::from_secs(2));
    let keepalive = Some(Keepalive { idle, timeout });
    assert_eq!(Builder::new().config(Config { keepalive, ..config }).config.keepalive, keepalive);
}

#[tokio::test]
async fn a_policy_leaves_what_it_does_not_say_as_it_was() {
    let server = Builder::new()
        .subprotocols(["chat"])
        .origins(["https://good.example"])
        .policy(Policy { paths: Some(vec!["/room".into()]), ..Policy::default() })
        .policy(Policy::default());
    let attempt = async |client: Builder, path: &str| {
        let (near, far) = duplex(4096);
        let client = client.subprotocols(["chat"]).close_timeout(Duration::ZERO);
        let (client, _server) = tokio::join!(client.open(near, "test", path), server.accept(far));
        client.map(|client| client.opening().unwrap().subprotocol.clone())
    };
    assert_eq!(attempt(Builder::new(), "/room").await.unwrap().as_deref(), Some("chat"));
    let elsewhere = attempt(Builder::new(), "/elsewhere").await.unwrap_err();
    assert!(elsewhere.to_string().contains("404"), "{elsewhere}");
    let stranger = attempt(Builder::new().origin("https://evil.example"), "/room").await.unwrap_err();
    assert!(stranger.to_string().contains("403"), "{stranger}");
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

/// A stream on which the request of a client comes, and then one frame again and again, without end.
struct Flood {
    head: std::io::Cursor<Vec<u8>>,
    frame: [u8; 6],
    given: usize,
}

const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];
/// As if it were one of the opcodes that are not defined.
const UNKNOWN: [u8; 6] = [0x83, 0x80, 0, 0, 0, 0];

async fn flooded_with(frame: [u8; 6]) -> WebSocket<Flood> {
    let head = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let flood = Flood { head: io::Cursor::new(head.into()), frame, given: 0 };
    Builder::new().accept(flood).await.unwrap()
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
        let frames = flood.frame.into_iter().cycle().skip(flood.given % 6).take(to.remaining());
        let frames: Vec<u8> = frames.collect();
        flood.given += frames.len();
        assert!(flood.given < 64 << 20, "no other task gets a turn");
        to.put_slice(&frames);
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
    let mut server = flooded_with(PING).await;
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

/// How many seconds pass until the server has done with a peer that floods it: one turn of its task a second.
async fn seconds_until_the_end(mut server: WebSocket<Flood>) -> usize {
    let ending = tokio::spawn(async move { while let Ok(Some(_)) = server.recv().await {} });
    let mut seconds = 0;
    while !ending.is_finished() {
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
        seconds += 1;
    }
    ending.await.unwrap();
    seconds
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_on_instead_of_answering_our_close_frame_is_given_up() {
    let mut server = flooded_with(PING).await;
    server.send_close(CloseCode::NORMAL).await.unwrap();
    let seconds = seconds_until_the_end(server).await;
    // Five for its Close frame, and five for the end of TCP.
    assert!((10..=12).contains(&seconds), "{seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_talks_on_when_all_is_over_is_given_up() {
    let server = flooded_with(UNKNOWN).await;
    let seconds = seconds_until_the_end(server).await;
    assert!((5..=6).contains(&seconds), "{seconds} s");
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
        let (mut far, mut client) = client_by_hand(&Builder::new(), |stream| stream).await;
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

#[tokio::test]
async fn what_waits_for_company_does_not_keep_a_large_message_from_being_queued() {
    let (mut near, mut server) = by_hand_with(&Builder::new().write_buffer(1000)).await;
    near.write_all(&b"\x81\x81\0\0\0\0a".repeat(2)).await.unwrap();
    assert!(server.recv().await.unwrap().is_some());
    server.send("held back").await.unwrap();
    server.queue(vec![0; 2000]).unwrap();
    assert_eq!(server.waiting(), 2 + 9 + 4 + 2000);
}

//! What programs of other makers want of a connection: to stream, to take apart, to take over, to know why not.

use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream as _;
use futures_sink::Sink as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufStream, DuplexStream, duplex};
use tokio::time::timeout;

use super::*;
use crate::base::Duration;
use crate::layers::application::http::RequestHead;
use crate::layers::application::websocket::{CloseCode, Message, Role};

async fn pair() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = duplex(4096);
    let builder = Builder::new();
    let (client, server) = tokio::join!(builder.open(near, "test", "/"), builder.accept(far));
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn a_connection_is_a_stream_and_a_sink_and_so_are_its_halves() {
    let (mut client, server) = pair().await;
    let (mut sending, mut receiving) = server.split();
    for text in ["one", "two"] {
        poll_fn(|cx| Pin::new(&mut client).poll_ready(cx)).await.unwrap();
        Pin::new(&mut client).start_send(text.into()).unwrap();
    }
    poll_fn(|cx| Pin::new(&mut client).poll_flush(cx)).await.unwrap();
    for text in ["one", "two"] {
        let message = poll_fn(|cx| Pin::new(&mut receiving).poll_next(cx)).await.unwrap().unwrap();
        assert_eq!(message, Message::from(text));
    }
    poll_fn(|cx| Pin::new(&mut sending).poll_ready(cx)).await.unwrap();
    Pin::new(&mut sending).start_send("three".into()).unwrap();
    poll_fn(|cx| Pin::new(&mut sending).poll_flush(cx)).await.unwrap();
    let message = poll_fn(|cx| Pin::new(&mut client).poll_next(cx)).await.unwrap().unwrap();
    assert_eq!(message, Message::from("three"));
    let (closed, end) = tokio::join!(
        poll_fn(|cx| Pin::new(&mut client).poll_close(cx)),
        poll_fn(|cx| Pin::new(&mut receiving).poll_next(cx))
    );
    closed.unwrap();
    assert!(end.is_none());
    assert_eq!(receiving.close_reason().unwrap().code, CloseCode::NORMAL);
}

#[tokio::test]
async fn halves_are_joined_again_but_not_those_of_two_connections() {
    let ((first, mut first_peer), (second, _second_peer)) = (pair().await, pair().await);
    let ((sending, receiving), (_, others)) = (first.split(), second.split());
    let ReuniteError(sending, _) = sending.reunite(others).unwrap_err();
    let mut whole = sending.reunite(receiving).unwrap();
    whole.send("whole").await.unwrap();
    assert_eq!(first_peer.recv().await.unwrap(), Some("whole".into()));
}

#[tokio::test]
async fn the_stream_can_be_taken_out_and_gets_what_was_sent() {
    let (mut client, mut server) = pair().await;
    client.queue("last").unwrap();
    let mut stream = client.into_inner();
    assert_eq!(server.recv().await.unwrap(), Some("last".into()));
    stream.shutdown().await.unwrap();
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.close_reason().unwrap().code, CloseCode::ABNORMAL);
}

#[tokio::test]
async fn a_stream_that_others_have_upgraded_is_taken_over_at_both_ends() {
    let head = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let (request, _) = RequestHead::parse(head.as_bytes()).unwrap();
    let builder = Builder::new();
    let (response, opening) = builder.answer(&request).unwrap();
    assert_eq!((response.status, opening.resource.as_str()), (101, "/chat"));
    let (near, far) = duplex(4096);
    let mut client = builder.upgraded(near, Role::Client, opening.clone()).await.unwrap();
    let mut server = builder.upgraded(far, Role::Server, opening).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("hello".into()));
    let plain = RequestHead { headers: Default::default(), ..request };
    assert_eq!(builder.answer(&plain).unwrap_err().response.status, 400);
}

/// The body comes later than the head; the peer does not close.
#[tokio::test]
async fn a_refusal_is_data_with_status_fields_and_body() {
    let (mut near, far) = duplex(4096);
    let serving = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(near.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 7\r\n\r\nno ";
        near.write_all(answer).await.unwrap();
        tokio::task::yield_now().await;
        near.write_all(b"way\nand more").await.unwrap();
    };
    let builder = Builder::new();
    let (refused, ()) = tokio::join!(builder.open(far, "test", "/"), serving);
    let error = refused.unwrap_err();
    let response = error.refusal().expect("a response");
    assert_eq!((response.head.status, &response.body[..]), (401, &b"no way\n"[..]));
    assert_eq!(response.head.headers.get("WWW-Authenticate"), Some("Bearer"));
    assert!(error.to_string().contains("401 Unauthorized, WWW-Authenticate: Bearer"), "{error}");
}

/// As TLS does, which seals what it takes into records and sends these when it is asked to.
#[tokio::test(start_paused = true)]
async fn a_stream_that_gathers_is_told_to_pass_on_what_was_sent() {
    let (near, far) = duplex(4096);
    let builder = Builder::new().close_timeout(Duration::from_secs(1));
    let (near, far) = (BufStream::new(near), BufStream::new(far));
    let (client, server) = tokio::join!(builder.open(near, "test", "/"), builder.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.send("hello").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("hello".into()));
    // Nobody flushes this one: what waits goes out when the server waits itself, and when it is dropped.
    server.queue("and").unwrap();
    let waiting = timeout(std::time::Duration::from_millis(10), server.recv()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert_eq!(client.recv().await.unwrap(), Some("and".into()));
    server.queue("bye").unwrap();
    drop(server);
    assert_eq!(client.recv().await.unwrap(), Some("bye".into()));
}

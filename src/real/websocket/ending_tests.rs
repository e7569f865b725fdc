//! The end of TCP when it is not in order: what had come is still delivered, and TCP's error is reported when nothing
//! better is known.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration as StdDuration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::time::timeout;

use super::tests::{by_hand_over, client_by_hand, text};
use super::*;
use crate::layers::application::websocket::{CloseCode, CloseReason};

/// A stream that takes no more bytes once it was reset, and ends after those that had come.
struct Reset {
    stream: DuplexStream,
    reset: AtomicBool,
}

impl Reset {
    fn of(stream: DuplexStream) -> Self {
        Reset { stream, reset: AtomicBool::new(false) }
    }

    fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.reset.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Reset {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl AsyncWrite for Reset {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_rule_is_told_also_when_the_peer_is_gone() {
    let (mut near, mut server) = by_hand_over(&Builder::new(), Reset::of).await;
    near.write_all(&[0x83, 0x80, 0, 0, 0, 0]).await.unwrap();
    server.get_ref().reset();
    let error = server.recv().await.unwrap_err();
    assert!(matches!(&error, WebSocketError::Failed(_)), "{error}");
    assert_eq!(server.recv().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_that_came_is_told_although_the_answer_cannot_be_written() {
    // Close with 4001, and before it a message that is answered.
    let (mut near, mut client) = client_by_hand(&Builder::new(), Reset::of).await;
    near.write_all(b"\x81\x02hi\x88\x06\x0f\xa1away").await.unwrap();
    near.shutdown().await.unwrap();
    client.get_ref().reset();
    client.queue("what will not be read").unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(text("hi")));
    // It is not said that this was sent.
    assert!(matches!(client.send("ho").await, Err(WebSocketError::Io { step: "writing", .. })));
    assert_eq!(client.recv().await.unwrap(), None);
    let reason = client.close(CloseCode::NORMAL).await.unwrap();
    assert_eq!((reason.code, reason.text.as_str()), (CloseCode(4001), "away"));
}

#[tokio::test(start_paused = true)]
async fn without_a_close_frame_the_error_is_told_after_what_had_come() {
    let (mut near, mut server) = by_hand_over(&Builder::new(), Reset::of).await;
    near.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    near.shutdown().await.unwrap();
    server.get_ref().reset();
    server.queue("what will not be read").unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text("hi")));
    let error = server.recv().await.unwrap_err();
    assert!(error.to_string().starts_with("writing: "), "{error}");
    assert_eq!(server.close_reason().unwrap().code, CloseCode::ABNORMAL);
    assert_eq!(server.recv().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_nothing_and_gives_nothing_is_given_up() {
    let (_near, mut server) = by_hand_over(&Builder::new().keepalive(None), Reset::of).await;
    server.get_ref().reset();
    assert!(server.send("hello").await.is_err());
    let end = timeout(StdDuration::from_secs(6), server.recv()).await.expect("the close timeout ends it");
    assert!(matches!(end, Err(WebSocketError::Io { step: "writing", .. })), "{end:?}");
}

#[tokio::test]
async fn a_reply_that_waits_for_company_goes_out_when_the_connection_is_dropped() {
    let (mut near, mut server) = by_hand_over(&Builder::new(), |stream| stream).await;
    near.write_all(&b"\x81\x81\0\0\0\0a".repeat(2)).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text("a")));
    server.send("bye").await.unwrap();
    drop(server);
    let mut rest = Vec::new();
    near.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x81\x03bye");
}

#[tokio::test]
async fn a_reason_in_words_goes_to_the_peer() {
    let (mut near, mut server) = by_hand_over(&Builder::new(), |stream| stream).await;
    server.send_close(CloseReason::new(CloseCode(4001), "lunch")).await.unwrap();
    let mut frame = [0; 9];
    near.read_exact(&mut frame).await.unwrap();
    assert_eq!(&frame, b"\x88\x07\x0f\xa1lunch");
}

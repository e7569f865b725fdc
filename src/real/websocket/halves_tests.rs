//! Two tasks at one connection: whatever one half does, or the stream, or a timer, each task learns what concerns it.
//! All in tokio's paused time, which moves on as soon as every task waits for it: a lost wakeup is a wait.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration as StdDuration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::tests::{by_hand_over, by_hand_with, only_begun};
use super::*;
use crate::layers::application::websocket::{CloseCode, Event};

const SECOND: StdDuration = StdDuration::from_secs(1);

/// A stream that takes no bytes at some polls, but wakes the caller at once: as if a driver on another thread had found
/// it ready again in the very moment after the poll.
struct Race {
    stream: DuplexStream,
    /// Bytes that pass before it begins.
    head: usize,
    refusals: usize,
}

impl AsyncRead for Race {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl AsyncWrite for Race {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        if self.head == 0 && self.refusals > 0 {
            self.refusals -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.head = self.head.saturating_sub(from.len());
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_ready_again_in_the_same_moment_keeps_nobody_waiting() {
    for refusals in 0..5 {
        let over = |stream| Race { stream, head: 1, refusals };
        let (_near, server) = by_hand_over(&Builder::new(), over).await;
        let (mut sender, _receiver) = server.split();
        // In a task of its own: a timeout would ask again at its end, and find it sent.
        let sending = tokio::spawn(async move { sender.send("hello").await });
        let sent = timeout(SECOND, sending).await;
        sent.unwrap_or_else(|_| panic!("after {refusals} refusals it waits for a timer")).unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_half_that_receives_may_write_for_the_one_that_sends() {
    for refusals in 0..5 {
        let over = |stream| Race { stream, head: 1, refusals };
        let (mut near, server) = by_hand_over(&Builder::new(), over).await;
        let (mut sender, mut receiver) = server.split();
        let sending = tokio::spawn(async move { sender.send("hello").await });
        // It is begun in the task that receives, and its call is dropped.
        assert!(only_begun(receiver.recv()).await.is_none());
        timeout(SECOND, sending).await.expect("no timer is waited for").unwrap().unwrap();
        let mut frame = [0; 7];
        near.read_exact(&mut frame).await.unwrap();
        assert_eq!(&frame[2..], b"hello");
    }
}

#[tokio::test(start_paused = true)]
async fn the_half_that_sends_is_woken_although_the_other_looked_at_its_timer_and_went_away() {
    let (_near, server) = by_hand_with(&Builder::new()).await;
    let (mut sender, mut receiver) = server.split();
    let sending = tokio::spawn(async move { sender.send(vec![0; 100_000]).await });
    yield_now().await;
    assert!(only_begun(receiver.recv()).await.is_none());
    let sent = timeout(25 * SECOND, sending).await.expect("the write timeout ends it").unwrap();
    assert!(matches!(sent, Err(WebSocketError::NotReading { .. })), "{sent:?}");
}

/// A connection in two halves, the one that receives waiting in a task of its own until the end.
async fn parked(
    builder: &Builder,
) -> (DuplexStream, SendHalf<DuplexStream>, tokio::task::JoinHandle<ReceiveHalf<DuplexStream>>) {
    let (near, server) = by_hand_with(builder).await;
    let (sender, mut receiver) = server.split();
    let receiving = tokio::spawn(async move {
        assert_eq!(receiver.recv().await.unwrap(), None);
        receiver
    });
    yield_now().await;
    (near, sender, receiving)
}

#[tokio::test(start_paused = true)]
async fn a_close_by_one_half_sets_the_other_a_time_to_wait_for_the_answer() {
    let (_near, mut sender, receiving) = parked(&Builder::new().keepalive(None)).await;
    sender.close(CloseCode::NORMAL).await.unwrap();
    let receiver = timeout(11 * SECOND, receiving).await.expect("the close timeout ends it").unwrap();
    assert_eq!(receiver.close_reason().unwrap().code, CloseCode::ABNORMAL);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_from_one_half_is_cut_off_for_the_other_too() {
    let (_near, mut sender, receiving) = parked(&Builder::new().keepalive(None)).await;
    let sent = sender.send(vec![0; 100_000]).await;
    assert!(matches!(sent, Err(WebSocketError::NotReading { .. })), "{sent:?}");
    let receiver = timeout(SECOND, receiving).await.expect("it is reported").unwrap();
    assert_eq!(receiver.close_reason().unwrap().code, CloseCode::ABNORMAL);
    // And no call waits again for what cannot be.
    let again = timeout(SECOND, sender.send("still there?")).await.expect("it knows");
    assert!(again.is_err());
}

#[tokio::test]
async fn the_pong_to_a_ping_of_one_half_is_an_event_of_the_other() {
    let (mut near, server) = by_hand_with(&Builder::new()).await;
    let (mut sender, mut receiver) = server.split();
    sender.ping("there?").await.unwrap();
    near.write_all(b"\x8a\x86\0\0\0\0there?").await.unwrap();
    assert_eq!(receiver.event().await.unwrap(), Some(Event::Pong("there?".into())));
}

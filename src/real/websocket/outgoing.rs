//! What goes out: bytes that wait for the stream to take them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// What the machine wants sent and the stream has not taken yet. How much that may be is the driver's to see to: it
/// stops asking the machine for more.
#[derive(Default)]
pub(super) struct Outgoing {
    queue: VecDeque<Bytes>,
    /// Bytes in the queue.
    waiting: usize,
    /// The stream has taken bytes that it may not have passed on: TLS seals them into records of its own.
    unflushed: bool,
}

impl Outgoing {
    /// Pieces are counted by their bytes. Short ones, such as the answers to pings of a peer that reads none of them,
    /// would take many times that, so they are joined.
    pub(super) fn push(&mut self, bytes: Bytes) {
        const SHORT: usize = 2 << 10;
        self.waiting += bytes.len();
        match self.queue.pop_back() {
            Some(last) if last.len() + bytes.len() <= SHORT => {
                let mut joined = last.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                joined.extend_from_slice(&bytes);
                self.queue.push_back(joined.freeze());
            }
            last => self.queue.extend(last.into_iter().chain([bytes])),
        }
    }

    /// Bytes that wait for the stream.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether the stream has taken all and passed it on.
    pub(super) fn is_done(&self) -> bool {
        self.waiting == 0 && !self.unflushed
    }

    /// Drops what waits for the stream.
    pub(super) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.waiting = 0;
        self.unflushed = false;
    }

    /// Gives up memory that is of no use while nothing waits, but for the room of a few pieces: a connection that
    /// answers each message by itself needs it each time.
    pub(super) fn rest(&mut self) {
        const FEW: usize = 4;
        if self.queue.is_empty() && self.queue.capacity() > FEW {
            self.queue = VecDeque::new();
        }
    }

    /// Hands the stream what waits, as much as it takes at once; when nothing waits any more, has it pass that on.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        const PIECES: usize = 16;
        if self.waiting == 0 {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
            return Poll::Ready(Ok(()));
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for (piece, bytes) in pieces.iter_mut().zip(&self.queue) {
            *piece = IoSlice::new(bytes);
            count += 1;
        }
        let stream = Pin::new(stream);
        let written = match (count, self.queue.front()) {
            (1, Some(only)) => stream.poll_write(cx, only),
            _ => stream.poll_write_vectored(cx, &pieces[..count]),
        };
        match ready!(written)? {
            0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => {
                self.unflushed = true;
                self.wrote(written);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn wrote(&mut self, mut written: usize) {
        self.waiting -= written;
        while let Some(front) = self.queue.front_mut() {
            if written < front.len() {
                front.advance(written);
                break;
            }
            written -= front.len();
            self.queue.pop_front();
        }
    }
}

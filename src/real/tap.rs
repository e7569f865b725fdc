//! A client's stream that keeps a copy of its bytes: what `--xray` draws is what was really on the stream, above TLS
//! where there is TLS.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::websocket::ClientStream;

/// A stream that keeps a copy of its bytes, for a reader of it.
#[derive(Debug)]
pub struct Tap {
    stream: ClientStream,
    seen: Option<Tapped>,
}

/// What passed and was not taken yet, in order. Clones share it.
///
/// Bounded: when more than [`MOST`](Tapped::MOST) bytes wait, the next ones are not kept, and the look at that connection
/// is over: see [`Passed::Lost`].
#[derive(Debug, Clone, Default)]
pub struct Tapped(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    passed: Vec<Passed>,
    bytes: usize,
    lost: bool,
}

/// Bytes that passed, or the start of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// A connection begins here; what follows belongs to it.
    Opened,
    /// This end has sent bytes.
    Sent(Vec<u8>),
    /// This end has received bytes.
    Received(Vec<u8>),
    /// Bytes of this connection are missing, from here to its end.
    Lost,
}

impl Tap {
    /// Looks at a stream when `seen` is there to keep it.
    pub fn new(stream: ClientStream, seen: Option<Tapped>) -> Self {
        if let Some(seen) = &seen {
            let mut kept = seen.lock();
            kept.lost = false;
            kept.passed.push(Passed::Opened);
        }
        Tap { stream, seen }
    }

    /// The stream itself, such as for its options.
    pub fn stream(&self) -> &ClientStream {
        &self.stream
    }

    fn keep(&self, sent: bool, bytes: &[u8]) {
        if let Some(seen) = &self.seen {
            seen.lock().keep(sent, bytes);
        }
    }
}

impl Tapped {
    /// Bytes that may wait to be taken.
    pub const MOST: usize = 4 << 20;

    /// What passed since the last look.
    pub fn take(&self) -> Vec<Passed> {
        let mut kept = self.lock();
        kept.bytes = 0;
        std::mem::take(&mut kept.passed)
    }

    /// A panic that held the lock has left whole bytes.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, sent: bool, bytes: &[u8]) {
        if bytes.is_empty() || self.lost {
            return;
        }
        if self.bytes + bytes.len() > Tapped::MOST {
            self.lost = true;
            return self.passed.push(Passed::Lost);
        }
        self.bytes += bytes.len();
        match (self.passed.last_mut(), sent) {
            (Some(Passed::Sent(last)), true) | (Some(Passed::Received(last)), false) => {
                last.extend_from_slice(bytes);
            }
            (_, true) => self.passed.push(Passed::Sent(bytes.to_vec())),
            (_, false) => self.passed.push(Passed::Received(bytes.to_vec())),
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.keep(false, &buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.keep(true, &buf[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_by_is_kept_in_order_up_to_a_bound() {
        let mut kept = Kept::default();
        kept.keep(true, b"a");
        kept.keep(true, b"sk");
        kept.keep(false, b"yes");
        kept.keep(true, &vec![0; Tapped::MOST]);
        kept.keep(true, b"after a gap");
        let expected = [Passed::Sent(b"ask".to_vec()), Passed::Received(b"yes".to_vec()), Passed::Lost];
        assert_eq!(kept.passed, expected);
    }
}

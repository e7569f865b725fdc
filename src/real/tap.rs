//! A TCP stream whose bytes can be looked at as they go by: what `--xray` draws is what was really on the stream.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream that keeps a copy of what goes by, when somebody wants to see it.
#[derive(Debug)]
pub struct Tap {
    stream: TcpStream,
    seen: Option<Seen>,
}

/// What went by and was not taken yet, both ways. Clones share it.
///
/// Bounded: beyond [`MOST`](Seen::MOST) bytes one way, what comes next that way is not kept, and the look at that
/// stream is over: see [`Flow::lost`].
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<[Flow; 2]>>);

/// One direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// The bytes since the last look.
    pub bytes: Vec<u8>,
    /// Some are missing behind them.
    pub lost: bool,
    /// They are the first of a connection; what was kept of the one before is gone.
    pub is_fresh: bool,
}

impl Tap {
    /// Looks at a stream when there is somebody to see.
    pub fn new(stream: TcpStream, seen: Option<Seen>) -> Self {
        if let Some(seen) = &seen {
            *seen.lock() = [(); 2].map(|()| Flow { is_fresh: true, ..Flow::default() });
        }
        Tap { stream, seen }
    }

    /// The stream itself.
    pub fn tcp(&self) -> &TcpStream {
        &self.stream
    }

    fn keep(&self, way: usize, bytes: &[u8]) {
        if let Some(seen) = &self.seen {
            seen.lock()[way].keep(bytes);
        }
    }
}

impl Seen {
    /// Bytes kept one way.
    pub const MOST: usize = 4 << 20;

    /// What was sent and what was received since the last look.
    pub fn take(&self) -> [Flow; 2] {
        std::mem::take(&mut *self.lock())
    }

    /// Whoever panicked while it held the lock has left whole bytes.
    fn lock(&self) -> MutexGuard<'_, [Flow; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    fn keep(&mut self, bytes: &[u8]) {
        self.lost |= self.bytes.len() + bytes.len() > Seen::MOST;
        if !self.lost {
            self.bytes.extend_from_slice(bytes);
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
        self.keep(1, &buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.keep(0, &buf[..written]);
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
    fn what_is_kept_is_bounded_and_a_gap_is_told() {
        let mut flow = Flow::default();
        flow.keep(&vec![0; Seen::MOST]);
        assert!(!flow.lost);
        flow.keep(&[1]);
        flow.keep(&[]);
        assert!(flow.lost && flow.bytes.len() == Seen::MOST);
    }
}

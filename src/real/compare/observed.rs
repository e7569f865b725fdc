//! A TCP stream that takes down every write and read of the program that uses it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::stage::Stage;
use crate::base::Instant;
use crate::trace::{Flow, Kind, PlaceId};

/// A stream at one place of the stage. An event has the time at which its system call began: what a write causes
/// elsewhere is later than the write.
pub(super) struct Observed<'a> {
    stage: &'a Stage,
    place: PlaceId,
    flow: Flow,
    stream: TcpStream,
    last_write: Option<Instant>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(stage: &'a Stage, place: PlaceId, flow: Flow, stream: TcpStream) -> Self {
        Observed { stage, place, flow, stream, last_write: None }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// When the last write began.
    pub(super) fn last_write(&self) -> Option<Instant> {
        self.last_write
    }
}

impl AsyncRead for Observed<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let at = self.stage.now();
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        // A read of nothing is the end of the stream, and no bytes.
        if into.filled().len() > before {
            let bytes = Bytes::copy_from_slice(&into.filled()[before..]);
            self.stage.record(at, self.place, Kind::AppRead { flow: self.flow, bytes });
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Observed<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let at = self.stage.now();
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        // The kernel takes what its buffer has room for; the rest is another write.
        let bytes = Bytes::copy_from_slice(&bytes[..written]);
        self.last_write = Some(at);
        self.stage.record(at, self.place, Kind::AppWrote { flow: self.flow, bytes });
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

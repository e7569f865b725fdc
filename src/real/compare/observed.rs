//! A TCP stream that takes down every write and read of the program that uses it, and the states that the kernel shows
//! at the turns of its life.
//!
//! The kernel reports no change of state; it can only be asked. So it is asked after connecting, after the end
//! of the stream was read, and after our half was closed, and what lies between two questions is not seen.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::stage::Stage;
use crate::base::Instant;
use crate::real::tcp_info::TcpInfo;
use crate::trace::{Flow, Kind, PlaceId};

/// A stream at one place of the stage. An event has the time at which its system call began: what a write causes
/// elsewhere is later than the write.
pub(in crate::real) struct Observed<'a> {
    stage: &'a Stage,
    place: PlaceId,
    flow: Flow,
    stream: TcpStream,
    last_write: Option<Instant>,
    last_state: &'static str,
}

impl<'a> Observed<'a> {
    /// A stream that has just come to be by `by`, from the state `before`: CLOSED at a client, LISTEN at a server.
    pub(in crate::real) fn new(
        stage: &'a Stage,
        place: PlaceId,
        flow: Flow,
        stream: TcpStream,
        before: &'static str,
        by: &'static str,
    ) -> Self {
        let mut new = Observed { stage, place, flow, stream, last_write: None, last_state: before };
        new.look(by);
        new
    }

    /// Asks for the state, and takes down a change. A system without `TCP_INFO` shows none.
    pub(in crate::real) fn look(&mut self, after: &'static str) {
        let Ok(info) = TcpInfo::of(&self.stream) else { return };
        if info.state == self.last_state {
            return;
        }
        let from = std::mem::replace(&mut self.last_state, info.state);
        let why = match info.state {
            // The end that closed first is in TIME-WAIT now, the other is not; their sockets say the same.
            "CLOSED" => format!(
                "seen after {after}; Linux keeps TIME-WAIT in a record of its own, where it is not seen"
            ),
            _ => format!("seen after {after}"),
        };
        let kind = Kind::StateChanged { flow: self.flow, from, to: info.state, why: Box::new(why.into()) };
        self.stage.record(self.stage.now(), self.place, kind);
    }

    pub(in crate::real) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// When the last write began.
    pub(in crate::real) fn last_write(&self) -> Option<Instant> {
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
        if into.filled().len() == before {
            self.look("the end of the stream was read");
        } else {
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
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        self.look("closing our half");
        Poll::Ready(Ok(()))
    }
}

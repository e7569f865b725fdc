//! The end of the TCP connection under a WebSocket (RFC 6455 §7.1.1), in order or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::WebSocketError;
use super::WebSocket;
use crate::base::Machine as _;
use crate::layers::application::websocket::{Input, Phase};

/// How far the end of the TCP connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Bytes may still come.
    Open,
    /// The peer sends no more.
    Eof,
    /// The machine is finished: what waits is to be written.
    Finishing,
    /// Our half is to be closed.
    ShuttingDown,
    /// The peer's half is awaited.
    Draining,
    /// Over.
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Writes the last words, closes our half, then waits for the peer to close its own. Closing a socket with unread
    /// bytes in it would reset the connection, and the peer might lose our last words (RFC 9293 §3.6.1, RFC 9112
    /// §9.6).
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        loop {
            self.start_giving_up();
            if self.give_up.poll(self.clock, cx).is_ready() {
                self.end_of_tcp();
            }
            match self.end {
                End::Finishing => {
                    // What goes wrong here changes nothing for anybody any more.
                    if ready!(self.poll_write(cx)).is_ok() && self.end == End::Finishing {
                        self.end = End::ShuttingDown;
                    }
                }
                End::ShuttingDown => match ready!(Pin::new(&mut self.stream).poll_shutdown(cx)) {
                    Ok(()) => self.end = End::Draining,
                    Err(_) => self.end = End::Over,
                },
                End::Draining => {
                    let mut room = BytesMut::new();
                    match ready!(self.intake.poll_read(&mut self.stream, cx, &mut room, (0, 0))) {
                        Ok(1..) => {}
                        Ok(0) | Err(_) => self.end = End::Over,
                    }
                }
                End::Open | End::Eof | End::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// The stream takes nothing. How long is that to go on?
    pub(super) fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let closing = matches!(self.machine.phase(), Phase::Closing | Phase::Closed | Phase::Finished);
        if closing {
            self.start_giving_up();
            ready!(self.give_up.poll(self.clock, cx));
            // The peer has had its time; nobody reads our last words.
            self.now = self.clock.now();
            self.outgoing.clear();
            self.machine.handle(self.now, Input::Wake);
            self.machine.handle(self.now, Input::Eof);
            self.end = if self.machine.phase() == Phase::Finished { End::Over } else { End::Eof };
            return Poll::Ready(Ok(()));
        }
        if !self.stalled.is_set() {
            self.stalled.set(Some(self.clock.now() + self.write_timeout));
        }
        ready!(self.stalled.poll(self.clock, cx));
        let waiting = self.outgoing.waiting();
        self.end_of_tcp();
        Poll::Ready(Err(WebSocketError::NotReading { waiting, limit: self.write_timeout }))
    }

    fn start_giving_up(&mut self) {
        if !self.give_up.is_set() {
            self.give_up.set(Some(self.clock.now() + self.close_timeout));
        }
    }

    /// TCP is of no use any more: nothing further is read or written. If the connection was failed before, that is the
    /// error to tell.
    pub(super) fn broken(&mut self, step: &'static str, source: io::Error) -> WebSocketError {
        self.end_of_tcp();
        self.failed.take().map_or(WebSocketError::Io { step, source }, WebSocketError::Failed)
    }

    pub(super) fn end_of_tcp(&mut self) {
        self.end = End::Over;
        self.outgoing.clear();
        self.machine.handle(self.now, Input::Eof);
    }
}

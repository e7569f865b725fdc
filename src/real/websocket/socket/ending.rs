//! The end of the TCP connection under a WebSocket (RFC 6455 §7.1.1), in order or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop;

use super::super::WebSocketError;
use super::super::intake::{Intake, poll_charge};
use super::super::tasks::Half;
use super::WebSocket;
use crate::base::Machine as _;
use crate::layers::application::websocket::{CloseCode, Event, Input, Phase, SendError};

/// How far the end of the TCP connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Bytes may still come, and go.
    Open,
    /// The stream takes no more bytes; some may still come.
    Unheard,
    /// The peer sends no more.
    Eof,
    /// The machine is finished: what waits is to be written.
    Finishing,
    /// Our half is to be closed.
    ShuttingDown,
    /// The peer's half is awaited.
    Draining,
    /// The connection is over.
    Over,
}

/// Why TCP is of no use any more.
pub(super) struct Lost {
    step: &'static str,
    source: io::Error,
}

impl Lost {
    /// The error, for each half that asks.
    pub(super) fn error(&self) -> WebSocketError {
        let source = match self.source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(self.source.kind(), self.source.to_string()),
        };
        WebSocketError::Io { step: self.step, source }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drop for WebSocket<S> {
    /// What was sent and waits for company goes out, as far as the stream takes it at once: a drop cannot wait.
    fn drop(&mut self) {
        if std::thread::panicking() || self.stream.is_taken() {
            // It may be the stream that panicked, and would again.
            return;
        }
        self.say_what_waits();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Hands the stream what was sent and waits, as far as it takes it at once.
    pub(super) fn say_what_waits(&mut self) {
        self.gather();
        let mut nobody = Context::from_waker(Waker::noop());
        while !self.outgoing.is_done() {
            let written = self.outgoing.poll_write(&mut *self.stream, &mut nobody);
            if !matches!(written, Poll::Ready(Ok(()))) {
                return;
            }
        }
    }

    /// Writes the last words, closes our half, then waits for the peer to close its own. Closing a socket with unread
    /// bytes in it would reset the connection, and the peer might lose our last words (RFC 9293 §3.6.1, RFC 9112
    /// §9.6).
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        self.tasks.add(Half::Receiving, cx.waker());
        loop {
            if self.poll_give_up().is_ready() {
                self.end_of_tcp();
            }
            match self.end {
                End::Finishing => {
                    ready!(self.poll_write(Half::Receiving, cx))?;
                    if self.end == End::Finishing {
                        self.end = End::ShuttingDown;
                    }
                }
                End::ShuttingDown => match ready!(Pin::new(&mut *self.stream).poll_shutdown(cx)) {
                    Ok(()) => self.end = End::Draining,
                    Err(_) => self.end = End::Over,
                },
                End::Draining => ready!(self.poll_drain(cx)),
                End::Open | End::Unheard | End::Eof | End::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Reads and drops what comes after our close.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let turn = ready!(coop::poll_proceed(cx));
        let mut room = BytesMut::new();
        let read = self.intake.poll_read(&mut *self.stream, cx, &mut room, (0, 0));
        room.clear();
        Intake::keep(room);
        match ready!(read) {
            Ok(read @ 1..) => {
                turn.made_progress();
                let _ = poll_charge(cx, read);
            }
            Ok(0) | Err(_) => self.end = End::Over,
        }
        Poll::Ready(())
    }

    /// The stream takes nothing, and the task that wanted it to is counted in. How long is that to go on?
    pub(super) fn poll_stalled(&mut self) -> Poll<Result<(), WebSocketError>> {
        let closing = matches!(self.machine.phase(), Phase::Closing | Phase::Closed | Phase::Finished);
        if closing {
            ready!(self.poll_give_up());
            // The peer has had its time; our last words are not read.
            self.now = self.clock.now();
            self.outgoing.clear();
            self.machine.handle(self.now, Input::Wake);
            self.machine.handle(self.now, Input::Eof);
            self.end = if self.machine.phase() == Phase::Finished { End::Over } else { End::Eof };
            self.tasks.wake_all();
            return Poll::Ready(Ok(()));
        }
        if !self.stalled.is_set() {
            self.stalled.set(Some(self.clock.now() + self.write_timeout));
        }
        let all = self.tasks.waker();
        ready!(self.stalled.poll(self.clock, &mut Context::from_waker(&all)));
        let waiting = self.outgoing.waiting();
        self.lost = Some(Lost { step: "writing", source: io::ErrorKind::TimedOut.into() });
        self.told = true;
        self.end_of_tcp();
        Poll::Ready(Err(WebSocketError::NotReading { waiting, limit: self.write_timeout }))
    }

    /// Ready when the peer has had the time of a close. The task to be woken then is to be counted in.
    pub(super) fn poll_give_up(&mut self) -> Poll<()> {
        if !self.give_up.is_set() {
            self.give_up.set(Some(self.clock.now() + self.close_timeout));
        }
        let all = self.tasks.waker();
        self.give_up.poll(self.clock, &mut Context::from_waker(&all))
    }

    /// The stream takes no more bytes. What it still has to give is read nevertheless: a peer may send its Close frame
    /// and be gone before it has read what we had in flight (its system then resets the connection). If that frame
    /// comes, all is in order.
    pub(super) fn unwritable(&mut self, source: io::Error) {
        self.outgoing.clear();
        let lost = Lost { step: "writing", source };
        match self.end {
            End::Open => (self.end, self.lost) = (End::Unheard, Some(lost)),
            End::Eof => {
                self.lost = Some(lost);
                self.end_of_tcp();
            }
            // What goes wrong here changes nothing for anybody any more.
            End::Finishing | End::ShuttingDown | End::Draining => self.end = End::Over,
            End::Unheard | End::Over => {}
        }
        self.tasks.wake_all();
    }

    /// The stream gives no more bytes: TCP is of no use any more. What went wrong first is the error to tell.
    pub(super) fn unreadable(&mut self, source: io::Error) -> WebSocketError {
        self.end_of_tcp();
        self.told = true;
        self.lost.get_or_insert(Lost { step: "reading", source }).error()
    }

    /// Nothing further is read or written.
    pub(super) fn end_of_tcp(&mut self) {
        self.end = End::Over;
        self.outgoing.clear();
        self.machine.handle(self.now, Input::Eof);
        self.tasks.wake_all();
    }

    /// What the user above learns from an event about the end. A connection that was closed or failed in order has lost
    /// nothing, however TCP ends.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::Close(reason) => {
                self.closed = Some(reason.clone());
                if reason.code != CloseCode::ABNORMAL {
                    self.lost = None;
                }
            }
            Event::Failed(_) => self.lost = None,
            Event::Open(_) | Event::Message(_) | Event::Fragment(_) | Event::Ping(_) | Event::Pong(_) => {}
        }
    }

    /// All is over. That TCP was lost is reported once.
    pub(super) fn last_words(&mut self) -> Result<Option<Event>, WebSocketError> {
        match &self.lost {
            Some(lost) if !std::mem::replace(&mut self.told, true) => Err(lost.error()),
            _ => Ok(None),
        }
    }

    /// Whether anybody would read what is sent now.
    pub(super) fn check_heard(&self) -> Result<(), WebSocketError> {
        match (&self.lost, self.end) {
            (Some(lost), _) => Err(lost.error()),
            (None, End::Over) => Err(SendError::NotOpen.into()),
            (None, _) => Ok(()),
        }
    }
}

//! One open connection: bytes of the stream go into the machine, its outputs go out, and its timers become the
//! runtime's.
//!
//! All that was begun is kept in the [`WebSocket`], none of it in a future. So any call may be dropped at any await, in
//! a `select!` for one, and the next call goes on where it stopped.
//!
//! Writes are gathered by themselves: what is sent while more messages wait to be received goes out when the input has
//! run dry, in one write. Bounds: what one read brings, one message on its way in, and what waits to be written
//! ([`Builder::write_buffer`](super::Builder::write_buffer)); while that is full nothing is read.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::coop;
use tokio::time::Sleep;

use super::halves::{ReceiveHalf, SendHalf};
use super::{Builder, WebSocketError};
use crate::base::{Duration, Instant, Machine as _};
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Failure, FrameHeader, Input, Message, Opening, Output,
    Phase, Utf8Bytes,
};
use crate::real::clock::{Clock, std_duration};

/// One end of an open WebSocket connection.
pub struct WebSocket<S> {
    stream: S,
    clock: Clock,
    /// The time when something last happened: the clock is not read for every message.
    now: Instant,
    /// In a box, for connections are moved about while they open.
    machine: Box<Connection>,
    opening: Option<Box<Opening>>,
    /// What the machine wants sent and the stream has not taken yet.
    outgoing: VecDeque<Bytes>,
    waiting: usize,
    /// How much may wait.
    most_waiting: usize,
    /// How much to make room for at the next read.
    read_size: usize,
    /// When the machine wants to be woken.
    wake: Timer,
    /// While bytes wait: when the peer will have taken none of them for too long.
    stalled: Timer,
    write_timeout: Duration,
    /// How long the peer may take to close its half after us.
    close_timeout: Duration,
    /// Once the connection is being closed: when we stop trying to tell the peer.
    give_up: Timer,
    end: End,
    /// Everybody who waits for the stream to take bytes.
    writers: Arc<Writers>,
    closed: Option<CloseReason>,
    /// Why the connection was failed, until somebody is told.
    failed: Option<Failure>,
}

/// How far the end of the TCP connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
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
    /// The first read makes room for this much; a stream that fills it gets more, up to [`MOST`](Self::MOST).
    const FIRST: usize = 8 << 10;
    const MOST: usize = 256 << 10;

    pub(super) fn new(
        stream: S,
        clock: Clock,
        machine: Connection,
        config: &Config,
        write_timeout: Duration,
    ) -> Self {
        WebSocket {
            stream,
            clock,
            now: clock.now(),
            machine: Box::new(machine),
            opening: None,
            outgoing: VecDeque::new(),
            waiting: 0,
            most_waiting: config.max_queue,
            read_size: Self::FIRST,
            wake: Timer::default(),
            stalled: Timer::default(),
            write_timeout,
            close_timeout: config.close_timeout,
            give_up: Timer::default(),
            end: End::Open,
            writers: Arc::default(),
            closed: None,
            failed: None,
        }
    }

    pub(super) async fn opened(mut self) -> Result<Self, WebSocketError> {
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await? {
                Some(Event::Open(opening)) => {
                    self.opening = Some(opening);
                    // A server's answer.
                    self.flush().await?;
                    return Ok(self);
                }
                // What is left to do is to send a server's refusal.
                Some(Event::Failed(failure)) => self.failed = Some(failure),
                Some(_) => {}
                None => return Err(self.failed.take().map_or(WebSocketError::NotOpened, Into::into)),
            }
        }
    }

    /// The server's handshake with all defaults; else see [`Builder::accept`].
    ///
    /// # Errors
    /// When the stream fails, the request is refused, or it takes too long.
    pub async fn accept(stream: S) -> Result<Self, WebSocketError> {
        Builder::new().accept(stream).await
    }

    /// What the handshake agreed on.
    pub fn opening(&self) -> Option<&Opening> {
        self.opening.as_deref()
    }

    /// Why the connection was closed, once it is.
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    /// The stream underneath.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The next message; `None` when the connection has ended, both WebSocket's and TCP's. Pings are answered on the
    /// way. Before it waits it writes what was sent.
    ///
    /// # Errors
    /// When the stream fails or the peer breaks a rule. After an error there is nothing more to receive.
    pub async fn recv(&mut self) -> Result<Option<Message>, WebSocketError> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](WebSocket::recv), but tells all that happens: pings and pongs, and the end of the connection as it
    /// comes.
    ///
    /// # Errors
    /// As for [`recv`](WebSocket::recv), but a broken rule is an event.
    pub async fn event(&mut self) -> Result<Option<Event>, WebSocketError> {
        let event = poll_fn(|cx| self.poll_event(cx)).await?;
        if let Some(Event::Close(reason)) = &event {
            self.closed = Some(reason.clone());
        }
        Ok(event)
    }

    /// Sends a message: text from `&str` or `String`, binary from `Bytes` or `Vec<u8>`.
    ///
    /// When more messages wait to be received it goes out together with what else is sent, as soon as
    /// [`recv`](WebSocket::recv) finds nothing more to read; otherwise at once, and then this waits until the stream
    /// has taken it. To hurry it in a loop that is slow, [`flush`](WebSocket::flush). Dropped before it is done, the
    /// message was taken in whole or not at all.
    ///
    /// # Errors
    /// When the connection is not open any more, the stream fails, or the peer does not read.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_send(cx, &mut message)).await
    }

    /// Takes a message to be sent and does not wait: [`event`](WebSocket::event), [`recv`](WebSocket::recv) or
    /// [`flush`](WebSocket::flush) writes it. Look at [`waiting`](WebSocket::waiting) to bound what piles up.
    ///
    /// # Errors
    /// When the connection is not open any more.
    pub fn queue(&mut self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        match message.into() {
            Message::Text(text) => self.machine.send_text(text)?,
            Message::Binary(bytes) => self.machine.send_binary(bytes)?,
        }
        while let Some(bytes) = self.machine.unsent() {
            self.enqueue(bytes);
        }
        Ok(())
    }

    /// Bytes that the stream has not taken yet.
    pub fn waiting(&self) -> usize {
        self.waiting + self.machine.queued()
    }

    /// Sends a ping (RFC 6455 §5.5.2); the pong is an [`event`](WebSocket::event).
    ///
    /// # Errors
    /// As for [`send`](WebSocket::send); and when the payload has more than 125 bytes.
    pub async fn ping(&mut self, payload: impl Into<Bytes>) -> Result<(), WebSocketError> {
        // First what waits already, so that there is room.
        self.flush().await?;
        self.queue_ping(payload.into())?;
        self.flush().await
    }

    pub(super) fn queue_ping(&mut self, payload: Bytes) -> Result<(), WebSocketError> {
        Ok(self.machine.ping(payload)?)
    }

    /// Waits until the stream has taken all that was sent.
    ///
    /// # Errors
    /// When the stream fails, or the peer does not read.
    pub async fn flush(&mut self) -> Result<(), WebSocketError> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes the connection: exchanges Close frames, then lets the server close TCP first (RFC 6455 §7.1.1). Messages
    /// that still come are dropped. Returns the peer's reason; a second call returns the same.
    ///
    /// # Errors
    /// Misuse when the code must not be sent; otherwise as for [`recv`](WebSocket::recv).
    pub async fn close(&mut self, code: CloseCode) -> Result<CloseReason, WebSocketError> {
        self.start_close(code)?;
        while self.recv().await?.is_some() {}
        Ok(self.closed.clone().unwrap_or_else(CloseReason::abnormal))
    }

    /// Sends a Close frame and does not wait for its answer: that, and what comes before it, is still to be received.
    ///
    /// # Errors
    /// Misuse when the code must not be sent; otherwise as for [`flush`](WebSocket::flush).
    pub async fn send_close(&mut self, code: CloseCode) -> Result<(), WebSocketError> {
        self.start_close(code)?;
        self.flush().await
    }

    pub(super) fn start_close(&mut self, code: CloseCode) -> Result<(), WebSocketError> {
        if self.machine.phase() == Phase::Open {
            self.now = self.clock.now();
            self.machine.close(self.now, &CloseReason::new(code, Utf8Bytes::default()))?;
        }
        Ok(())
    }

    /// Two halves, for two tasks: one that sends and one that receives.
    pub fn split(self) -> (SendHalf<S>, ReceiveHalf<S>) {
        let shared = Arc::new(Mutex::new(self));
        (SendHalf::new(shared.clone()), ReceiveHalf::new(shared))
    }

    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Message>, WebSocketError>> {
        loop {
            match ready!(self.poll_event(cx))? {
                Some(Event::Message(message)) => return Poll::Ready(Ok(Some(message))),
                Some(Event::Close(reason)) => self.closed = Some(reason),
                // The peer is told first.
                Some(Event::Failed(failure)) => self.failed = Some(failure),
                Some(Event::Open(_) | Event::Ping(_) | Event::Pong(_)) => {}
                None => {
                    return Poll::Ready(self.failed.take().map_or(Ok(None), |failure| Err(failure.into())));
                }
            }
        }
    }

    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), WebSocketError>> {
        if let Some(message) = message {
            let with_it = message.as_bytes().len().saturating_add(self.waiting + self.machine.queued());
            if with_it.saturating_add(FrameHeader::MAX_LEN) > self.most_waiting {
                ready!(self.poll_flush(cx))?;
            }
        }
        match message.take() {
            Some(Message::Text(text)) => self.machine.send_text(text)?,
            Some(Message::Binary(bytes)) => self.machine.send_binary(bytes)?,
            None => {}
        }
        if self.machine.has_frame() { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        while let Some(bytes) = self.machine.unsent() {
            self.enqueue(bytes);
        }
        self.poll_write(cx)
    }

    /// The next event of the machine; `None` when all is over.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, WebSocketError>> {
        loop {
            if self.waiting > self.most_waiting && self.end != End::Over {
                // No more until the peer has taken some.
                ready!(self.poll_write(cx))?;
            }
            match self.machine.poll(self.now) {
                Some(Output::Send(bytes)) => self.enqueue(bytes),
                Some(Output::Event(event)) => return Poll::Ready(Ok(Some(event))),
                Some(Output::WakeAt(at)) => self.wake.set(Some(at)),
                Some(Output::Finished) if self.end != End::Over => self.end = End::Finishing,
                Some(Output::Finished) => {}
                None => match self.end {
                    End::Open => {
                        // What cannot be written now need not keep us from reading.
                        if let Poll::Ready(written) = self.poll_write(cx) {
                            written?;
                        }
                        ready!(self.poll_read(cx))?;
                    }
                    End::Finishing | End::ShuttingDown | End::Draining => ready!(self.poll_finish(cx))?,
                    // The machine is told of the end of the stream and has nothing more to say.
                    End::Eof => self.end = End::Over,
                    End::Over => return Poll::Ready(Ok(None)),
                },
            }
        }
    }

    /// Pieces are counted by their bytes. Short ones, such as the answers to pings of a peer that reads none of them,
    /// would take many times that, so they are joined.
    fn enqueue(&mut self, bytes: Bytes) {
        const SHORT: usize = 2 << 10;
        self.waiting += bytes.len();
        match self.outgoing.pop_back() {
            Some(last) if last.len() + bytes.len() <= SHORT => {
                let mut joined = last.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
                joined.extend_from_slice(&bytes);
                self.outgoing.push_back(joined.freeze());
            }
            last => self.outgoing.extend(last.into_iter().chain([bytes])),
        }
    }

    /// Writes until nothing waits.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        const PIECES: usize = 16;
        while self.waiting > 0 {
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let mut count = 0;
            for (piece, bytes) in pieces.iter_mut().zip(&self.outgoing) {
                *piece = IoSlice::new(bytes);
                count += 1;
            }
            let stream = Pin::new(&mut self.stream);
            let waker = self.writers.waker();
            let mut all = Context::from_waker(&waker);
            let written = match (count, self.outgoing.front()) {
                (1, Some(only)) => stream.poll_write(&mut all, only),
                _ => stream.poll_write_vectored(&mut all, &pieces[..count]),
            };
            match written {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(self.broken("writing", io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(written)) => self.wrote(written),
                Poll::Ready(Err(source)) => return Poll::Ready(Err(self.broken("writing", source))),
                Poll::Pending => {
                    self.writers.add(cx.waker());
                    return self.poll_stalled(cx);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn wrote(&mut self, mut written: usize) {
        self.waiting -= written;
        while let Some(front) = self.outgoing.front_mut() {
            if written < front.len() {
                front.advance(written);
                break;
            }
            written -= front.len();
            self.outgoing.pop_front();
        }
        self.stalled.set(None);
        self.writers.wake_all();
    }

    /// The stream takes nothing. How long is that to go on?
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let closing = matches!(self.machine.phase(), Phase::Closing | Phase::Closed | Phase::Finished);
        if closing {
            self.start_giving_up();
            ready!(self.give_up.poll(self.clock, cx));
            // The peer has had its time; nobody reads our last words.
            self.now = self.clock.now();
            self.outgoing.clear();
            self.waiting = 0;
            self.machine.handle(self.now, Input::Wake);
            self.machine.handle(self.now, Input::Eof);
            self.end = if self.machine.phase() == Phase::Finished { End::Over } else { End::Eof };
            return Poll::Ready(Ok(()));
        }
        if self.stalled.at.is_none() {
            self.stalled.set(Some(self.clock.now() + self.write_timeout));
        }
        ready!(self.stalled.poll(self.clock, cx));
        let waiting = self.waiting;
        self.end_of_tcp();
        Poll::Ready(Err(WebSocketError::NotReading { waiting, limit: self.write_timeout }))
    }

    fn start_giving_up(&mut self) {
        if self.give_up.at.is_none() {
            self.give_up.set(Some(self.clock.now() + self.close_timeout));
        }
    }

    /// Takes bytes from the stream into the machine, or wakes the machine.
    ///
    /// A peer may always have more to say, and nothing in it for the user above. So that other tasks get their turn the
    /// runtime's budget is charged by the bytes that came; when it is used up this is pending.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
        let turn = ready!(coop::poll_proceed(cx));
        let inbox = self.machine.inbox();
        inbox.reserve(self.read_size);
        match poll_read_buf(&mut self.stream, cx, inbox, self.read_size) {
            Poll::Ready(Ok(0)) => {
                self.end = End::Eof;
                self.now = self.clock.now();
                self.machine.handle(self.now, Input::Eof);
            }
            Poll::Ready(Ok(read)) => {
                turn.made_progress();
                for _ in 0..read / Self::FIRST {
                    if let Poll::Ready(turn) = coop::poll_proceed(cx) {
                        turn.made_progress();
                    }
                }
                if read == self.read_size {
                    self.read_size = (2 * self.read_size).min(Self::MOST);
                } else if read < self.read_size / 8 {
                    self.read_size = (self.read_size / 2).max(Self::FIRST);
                }
                self.now = self.clock.now();
                self.machine.handle(self.now, Input::Arrived);
            }
            // Both Close frames are exchanged: however TCP ends now, nothing is lost.
            Poll::Ready(Err(_)) if self.machine.phase() == Phase::Closed => self.end_of_tcp(),
            Poll::Ready(Err(source)) => return Poll::Ready(Err(self.broken("reading", source))),
            Poll::Pending => {
                ready!(self.poll_wake(cx));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing comes in: memory is given up, and the machine is woken when it wants to be.
    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.machine.rest();
        if self.outgoing.is_empty() {
            self.outgoing = VecDeque::new();
        }
        ready!(self.wake.poll(self.clock, cx));
        self.wake.set(None);
        self.now = self.clock.now();
        self.machine.handle(self.now, Input::Wake);
        Poll::Ready(())
    }

    /// Writes the last words, closes our half, then waits for the peer to close its own. Closing a socket with unread
    /// bytes in it would reset the connection, and the peer might lose our last words (RFC 9293 §3.6.1, RFC 9112
    /// §9.6).
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WebSocketError>> {
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
                    let mut room = BytesMut::with_capacity(Self::FIRST);
                    match ready!(poll_read_buf(&mut self.stream, cx, &mut room, Self::FIRST)) {
                        Ok(1..) => {}
                        Ok(0) | Err(_) => self.end = End::Over,
                    }
                }
                End::Open | End::Eof | End::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    /// TCP is of no use any more: nothing further is read or written. If the connection was failed before, that is the
    /// error to tell.
    fn broken(&mut self, step: &'static str, source: io::Error) -> WebSocketError {
        self.end_of_tcp();
        self.failed.take().map_or(WebSocketError::Io { step, source }, WebSocketError::Failed)
    }

    fn end_of_tcp(&mut self) {
        self.end = End::Over;
        self.outgoing = VecDeque::new();
        self.waiting = 0;
        self.machine.handle(self.now, Input::Eof);
        self.writers.wake_all();
    }
}

/// Appends what the stream has, at most `most` bytes, to `buffer`, which has room for that.
fn poll_read_buf<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    buffer: &mut BytesMut,
    most: usize,
) -> Poll<io::Result<usize>> {
    let mut limited = bytes::BufMut::limit(buffer, most);
    let mut read = std::pin::pin!(tokio::io::AsyncReadExt::read_buf(stream, &mut limited));
    read.as_mut().poll(cx)
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("machine", &self.machine)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A time to be woken at. The runtime's timer is set only when somebody waits for it.
#[derive(Default)]
struct Timer {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn set(&mut self, at: Option<Instant>) {
        if self.at != at {
            self.at = at;
            self.sleep = None;
        }
    }

    fn poll(&mut self, clock: Clock, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(std_duration(at.since(clock.now())))));
        sleep.as_mut().poll(cx)
    }
}

/// Tasks that wait for the stream to take bytes. A stream remembers one task only, and with two halves there are two,
/// either of which may go away while it waits: so the stream wakes all.
#[derive(Default)]
struct Writers {
    waiting: Mutex<Vec<Waker>>,
}

impl Writers {
    fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    fn add(&self, waker: &Waker) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Writers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

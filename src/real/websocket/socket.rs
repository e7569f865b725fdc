//! One open connection: bytes of the stream go into the machine, its outputs go out, and its timers become the
//! runtime's.
//!
//! All that was begun is kept in the [`WebSocket`], none of it in a future. So any call may be dropped at any await, in
//! a `select!` for one, and the next call goes on where it stopped.
//!
//! Writes are gathered by themselves: what is sent while more messages wait to be received goes out when the input has
//! run dry, in one write, or when it has waited for [`Builder::linger`](super::Builder::linger). Bounds: what one read
//! brings, one message on its way in, what waits to be written
//! ([`Builder::write_buffer`](super::Builder::write_buffer)), and as much again that was read ahead meanwhile.

mod ending;
mod held;
mod progress;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

use super::halves::{ReceiveHalf, SendHalf};
use super::intake::Intake;
use super::outgoing::Outgoing;
use super::tasks::Tasks;
use super::timer::Timer;
use super::{Builder, WebSocketError};
use crate::base::{Duration, Instant};
use crate::layers::application::http::Response;
use crate::layers::application::websocket::{
    CloseReason, Config, Connection, Event, Failure, Fragment, Message, Opening, Phase, Role,
};
use crate::real::clock::Clock;
use ending::{End, Lost};
use held::Held;

/// Ready when the server goes down.
pub(super) type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One end of an open WebSocket connection.
pub struct WebSocket<S: AsyncRead + AsyncWrite + Unpin> {
    stream: Held<S>,
    clock: Clock,
    /// The time when something last happened: the clock is not read for every message.
    now: Instant,
    /// In a box, for connections are moved about while they open.
    machine: Box<Connection>,
    opening: Option<Box<Opening>>,
    intake: Intake,
    outgoing: Outgoing,
    tasks: Arc<Tasks>,
    /// How much may wait to be written, and how much is read ahead while it does.
    most_waiting: usize,
    /// The machine's own timer.
    wake: Timer,
    /// While bytes wait: when the peer will have taken none of them for too long.
    stalled: Timer,
    /// While a call waits for the stream to take bytes: when it begins to read ahead.
    impatient: Timer,
    write_timeout: Duration,
    /// How long what was sent may wait for company.
    linger: Duration,
    /// How often a message was asked for since `now`, while something waited for company.
    asked: u32,
    /// How long the peer may take to close its half after us.
    close_timeout: Duration,
    /// Once the connection is being closed: when we stop trying to tell the peer.
    give_up: Timer,
    end: End,
    /// Why TCP failed, unless the connection ends in order nevertheless.
    lost: Option<Lost>,
    /// The half that receives has reported it.
    told: bool,
    closed: Option<CloseReason>,
    /// Why the connection was failed, until it is reported.
    failed: Option<Box<Failure>>,
    /// Ready when the server goes down.
    stop: Option<Stop>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    pub(super) fn new(
        stream: S,
        clock: Clock,
        machine: Connection,
        config: &Config,
        write_timeout: Duration,
        linger: Duration,
    ) -> Self {
        WebSocket {
            stream: Held::new(stream),
            clock,
            now: clock.now(),
            machine: Box::new(machine),
            opening: None,
            intake: Intake::new(),
            outgoing: Outgoing::default(),
            tasks: Arc::default(),
            most_waiting: config.max_queue,
            wake: Timer::default(),
            stalled: Timer::default(),
            impatient: Timer::default(),
            write_timeout,
            linger,
            asked: 0,
            close_timeout: config.close_timeout,
            give_up: Timer::default(),
            end: End::Open,
            lost: None,
            told: false,
            closed: None,
            failed: None,
            stop: None,
        }
    }

    /// Closes the connection with 1001, "going away", when `stop` is ready (RFC 6455 §7.4.1).
    pub(super) fn until(mut self, stop: Option<Stop>) -> Self {
        self.stop = stop;
        self
    }

    pub(super) async fn opened(mut self, role: Role) -> Result<Self, WebSocketError> {
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await? {
                Some(Event::Open(opening)) => {
                    self.opening = Some(opening);
                    // A server's answer.
                    self.flush().await?;
                    return Ok(self);
                }
                // A client has nothing left to say, and its user waits for the reason.
                Some(Event::Failed(mut failure)) if role == Role::Client => {
                    if let Some(response) = failure.response.as_deref_mut() {
                        self.rest_of(response).await;
                    }
                    return Err(failure.into());
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

    /// The stream below the connection.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The same to change it, and not to read or write: that is the connection's.
    pub(in crate::real) fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The next message; `None` when the connection has ended, both WebSocket's and TCP's. Pings are answered on the
    /// way. Before it waits it writes what was sent.
    ///
    /// # Errors
    /// When the stream fails or the peer breaks a rule; misuse with [`Builder::fragments`]. After an error there is nothing more to receive.
    pub async fn recv(&mut self) -> Result<Option<Message>, WebSocketError> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// What the next frame brings of a message, for messages that are better dealt with piece by piece, or long in
    /// coming. It takes [`Builder::fragments`]; without that it is a whole message at a time.
    ///
    /// # Errors
    /// As for [`recv`](WebSocket::recv).
    pub async fn recv_fragment(&mut self) -> Result<Option<Fragment>, WebSocketError> {
        poll_fn(|cx| self.poll_fragment(cx)).await
    }

    /// As [`recv`](WebSocket::recv), but returns all events: pings and pongs, and the end of the connection as it
    /// comes.
    ///
    /// # Errors
    /// As for [`recv`](WebSocket::recv), but a broken rule is an event.
    pub async fn event(&mut self) -> Result<Option<Event>, WebSocketError> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Sends a message: text from `&str` or `String`, binary from `Bytes` or `Vec<u8>`.
    ///
    /// When more messages wait to be received it goes out together with what else is sent, as soon as
    /// [`recv`](WebSocket::recv) finds nothing more to read, or at a `recv` when it has waited for [`Builder::linger`];
    /// otherwise at once, and then this waits until the stream has taken it. Nothing goes out while no call is made:
    /// before a long pause in a loop, [`flush`](WebSocket::flush). A connection that is dropped hands the stream what
    /// it takes at once, which is all when little waits; to be sure, [`close`](WebSocket::close) it. Dropped before it
    /// is done, the message was taken in whole or not at all.
    ///
    /// While this waits it reads ahead, so that a peer that also sends before it reads does not block both. Not
    /// without end: two ends that both send more than [`Builder::write_buffer`] and never receive wait for each other
    /// until [`Builder::write_timeout`]. To send and receive much at once takes two tasks: see
    /// [`split`](WebSocket::split).
    ///
    /// # Errors
    /// When the connection is not open any more, the stream fails, or the peer does not read.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        let mut message = Some(message.into());
        poll_fn(|cx| self.poll_both(cx, |socket, cx| socket.poll_send(cx, &mut message))).await
    }

    /// Takes a message to be sent and does not wait: [`event`](WebSocket::event), [`recv`](WebSocket::recv) or
    /// [`flush`](WebSocket::flush) writes it. Look at [`waiting`](WebSocket::waiting) to bound what piles up.
    ///
    /// # Errors
    /// When the connection is not open any more, or the stream has failed.
    pub fn queue(&mut self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        self.check_heard()?;
        // What the machine has gathered has its own limit, which is not to count here.
        self.gather();
        match message.into() {
            Message::Text(text) => self.machine.send_text(text)?,
            Message::Binary(bytes) => self.machine.send_binary(bytes)?,
        }
        self.gather();
        Ok(())
    }

    /// Bytes that the stream has not taken yet.
    pub fn waiting(&self) -> usize {
        self.outgoing.waiting() + self.machine.queued()
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
        poll_fn(|cx| self.poll_both(cx, Self::poll_flush)).await
    }

    /// Closes the connection: exchanges Close frames, then lets the server close TCP first (RFC 6455 §7.1.1). Messages
    /// that still come are dropped. `reason` is a [`CloseCode`](crate::layers::application::websocket::CloseCode), or
    /// one with words. Returns the peer's reason; a second call returns the same.
    ///
    /// # Errors
    /// Misuse when the reason must not be sent; otherwise as for [`recv`](WebSocket::recv).
    pub async fn close(&mut self, reason: impl Into<CloseReason>) -> Result<CloseReason, WebSocketError> {
        self.start_close(&reason.into())?;
        poll_fn(|cx| self.poll_end(cx)).await?;
        Ok(self.closed.clone().unwrap_or_else(CloseReason::abnormal))
    }

    /// Sends a Close frame and does not wait for its answer: that, and what comes before it, is still to be received.
    ///
    /// # Errors
    /// Misuse when the reason must not be sent; otherwise as for [`flush`](WebSocket::flush).
    pub async fn send_close(&mut self, reason: impl Into<CloseReason>) -> Result<(), WebSocketError> {
        self.start_close(&reason.into())?;
        self.flush().await
    }

    pub(super) fn start_close(&mut self, reason: &CloseReason) -> Result<(), WebSocketError> {
        if self.machine.phase() == Phase::Open {
            self.now = self.clock.now();
            self.machine.close(self.now, reason)?;
            // The half that receives waits for the answer from now on, until the close timeout.
            self.tasks.wake_all();
        }
        Ok(())
    }

    /// The stream below, of which nothing more is read or written here. What was sent and waits goes out as far as the
    /// stream takes it at once; what was read ahead is lost. For after the end, or a stream that is to be ended by hand.
    pub fn into_inner(mut self) -> S {
        self.say_what_waits();
        self.stream.take()
    }

    /// Reads what is missing of a refusal's body, as far as the server says how long it is.
    async fn rest_of(&mut self, response: &mut Response) {
        const MOST: usize = 64 << 10;
        let length = response.head.headers.get("Content-Length").and_then(|length| length.parse().ok());
        let wanted = length.unwrap_or(response.body.len()).min(MOST);
        let mut body = BytesMut::from(&response.body[..response.body.len().min(MOST)]);
        let reading = async {
            while body.len() < wanted && matches!(self.stream.read_buf(&mut body).await, Ok(1..)) {}
        };
        // The error is known: its words may be late, and then they are not waited for.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), reading).await;
        body.truncate(wanted);
        response.body = body.freeze();
    }

    /// Two halves, for two tasks: one that sends and one that receives.
    pub fn split(self) -> (SendHalf<S>, ReceiveHalf<S>) {
        let shared = Arc::new(Mutex::new(self));
        (SendHalf::new(shared.clone()), ReceiveHalf::new(shared))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("machine", &self.machine)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

//! Drives the WebSocket machine over a real stream: bytes from the stream go in, its outputs go out, and its timers
//! become the runtime's.
//!
//! What WebSocket *is* stands in [`layers::application::websocket`](crate::layers::application::websocket); here is
//! only what a machine without clock, socket or chance must be given. It is kept small: one task reads and writes, and
//! every byte that comes in is copied once.
//!
//! Bounds: one read's worth of bytes, one message on its way in and one on its way out (see [`Config`]). While a
//! message is being sent nothing is read, and while nobody calls [`recv`](WebSocket::recv) nothing is read either: a
//! peer that sends too fast is slowed down by TCP. Two ends that both send messages larger than all buffers
//! before either reads would wait for each other: wrap [`send`](WebSocket::send) in a timeout, or agree who speaks
//! first.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use bytes::{Buf as _, Bytes};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::clock::{Clock, std_duration};
use crate::base::{Duration, Instant, Machine as _, ParseError};
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Failure, Input, MaskSource, Message, Opening, Output,
    Phase, Policy, Request, SendError, Utf8Bytes,
};

/// One end of an open WebSocket connection.
pub struct WebSocket<S> {
    stream: S,
    clock: Clock,
    machine: Connection,
    opening: Option<Opening>,
    /// What the machine wants sent and the stream has not taken yet.
    outgoing: Bytes,
    /// When the machine wants to be woken.
    wake: Option<Instant>,
    /// Room for one read.
    room: Box<[u8]>,
    /// How long the peer may take to close its half after us.
    close_timeout: Duration,
    end: End,
    /// Once the connection is being closed: when we stop trying to tell the peer.
    give_up: Option<Instant>,
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
    /// The machine is finished: our half is to be closed, and the peer's to be awaited.
    Finishing,
    /// Over.
    Over,
}

/// What of the configuration the driver needs beside the machine.
#[derive(Debug, Clone, Copy)]
struct Limits {
    handshake: Duration,
    close: Duration,
}

impl Limits {
    fn of(config: &Config) -> Self {
        Limits { handshake: config.handshake_timeout, close: config.close_timeout }
    }
}

/// Why a connection did not open, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum WebSocketError {
    /// TCP failed.
    #[error("{step}: {source}")]
    Io {
        /// What was being done.
        step: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("{step} took longer than {limit}; see whether the peer answers at all")]
    TimedOut {
        /// What was being done.
        step: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// The system gave no random numbers, without which no client may speak (RFC 6455 §5.3).
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
    /// The request cannot be written as HTTP.
    #[error("the request cannot be sent: {0}")]
    Request(ParseError),
    /// The connection was failed (RFC 6455 §7.1.7).
    #[error("{0}")]
    Failed(#[from] Failure),
    /// A message cannot be sent.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The connection ended before it was open.
    #[error("the connection was closed before it was open")]
    NotOpened,
}

/// Opens a TCP connection to `addr` and a WebSocket connection for `path` over it.
///
/// # Errors
/// When TCP cannot connect, the server does not agree, or it takes longer than the handshake may.
pub async fn connect(
    addr: SocketAddr,
    path: &str,
    config: Config,
) -> Result<WebSocket<TcpStream>, WebSocketError> {
    let limit = config.handshake_timeout;
    let step = "connecting";
    let stream = tokio::time::timeout(std_duration(limit), TcpStream::connect(addr))
        .await
        .map_err(|_| WebSocketError::TimedOut { step, limit })?
        .map_err(|source| WebSocketError::Io { step, source })?;
    open(stream, &addr.to_string(), path, config).await
}

/// The client's handshake over a stream that is connected already. `host` is the name the request asks for.
///
/// # Errors
/// When the stream fails, the server does not agree, or it takes longer than the handshake may.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    path: &str,
    config: Config,
) -> Result<WebSocket<S>, WebSocketError> {
    let mut nonce = [0; 16];
    random(&mut nonce)?;
    let clock = Clock::start();
    let limits = Limits::of(&config);
    let machine = Connection::client(clock.now(), config, Request::new(host, path, nonce), masks()?)
        .map_err(WebSocketError::Request)?;
    WebSocket::new(stream, clock, machine, limits).opened().await
}

/// The server's handshake over a stream that was just accepted.
///
/// # Errors
/// When the stream fails, the request is refused, or it takes longer than the handshake may.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Config,
    policy: Policy,
) -> Result<WebSocket<S>, WebSocketError> {
    let clock = Clock::start();
    let limits = Limits::of(&config);
    let machine = Connection::server(clock.now(), config, policy);
    WebSocket::new(stream, clock, machine, limits).opened().await
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Bytes taken from the stream at a time.
    const READ: usize = 64 << 10;

    fn new(stream: S, clock: Clock, machine: Connection, limits: Limits) -> Self {
        WebSocket {
            stream,
            clock,
            machine,
            opening: None,
            outgoing: Bytes::new(),
            wake: Some(clock.now() + limits.handshake),
            room: vec![0; Self::READ].into(),
            close_timeout: limits.close,
            end: End::Open,
            give_up: None,
            closed: None,
            failed: None,
        }
    }

    async fn opened(mut self) -> Result<Self, WebSocketError> {
        loop {
            match self.event().await? {
                Some(Event::Open(opening)) => {
                    self.opening = Some(*opening);
                    return Ok(self);
                }
                // What is left to do is to send a server's refusal.
                Some(Event::Failed(failure)) => self.failed = Some(failure),
                Some(_) => {}
                None => return Err(self.failed.take().map_or(WebSocketError::NotOpened, Into::into)),
            }
        }
    }

    /// What the handshake agreed on.
    pub fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
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
    /// way.
    ///
    /// It may be dropped before it is done, in a `select!` for one: what has come in is kept, and the next call goes
    /// on where this one stopped.
    ///
    /// # Errors
    /// When the stream fails or the peer breaks a rule. After an error there is nothing more to receive.
    pub async fn recv(&mut self) -> Result<Option<Message>, WebSocketError> {
        loop {
            match self.event().await? {
                Some(Event::Message(message)) => return Ok(Some(message)),
                Some(Event::Close(reason)) => self.closed = Some(reason),
                // The peer is told first.
                Some(Event::Failed(failure)) => self.failed = Some(failure),
                Some(Event::Open(_) | Event::Ping(_) | Event::Pong(_)) => {}
                None => return self.failed.take().map_or(Ok(None), |failure| Err(failure.into())),
            }
        }
    }

    /// Sends a message and waits until the stream has taken all of it. If it is dropped before, the rest goes out with
    /// the next call.
    ///
    /// # Errors
    /// When the connection is not open any more, or the stream fails.
    pub async fn send(&mut self, message: Message) -> Result<(), WebSocketError> {
        // The remainder of a call that was dropped goes first, so that the queue has room.
        self.flush().await?;
        match message {
            Message::Text(text) => self.machine.send_text(text)?,
            Message::Binary(bytes) => self.machine.send_binary(bytes)?,
        }
        self.flush().await
    }

    /// Closes the connection: exchanges Close frames, then lets the server close TCP first (RFC 6455 §7.1.1). Messages
    /// that still come are dropped. Returns the peer's reason; a second call returns the same.
    ///
    /// # Errors
    /// Misuse when the code must not be sent; otherwise as for [`recv`](WebSocket::recv).
    pub async fn close(&mut self, code: CloseCode) -> Result<CloseReason, WebSocketError> {
        if self.machine.phase() == Phase::Open {
            let now = self.clock.now();
            self.machine.close(now, &CloseReason::new(code, Utf8Bytes::default()))?;
        }
        while self.recv().await?.is_some() {}
        Ok(self.closed.clone().unwrap_or_else(CloseReason::abnormal))
    }

    /// The next event of the machine; `None` when all is over.
    ///
    /// Everything it has begun is kept in `self`, so it may be dropped at any await.
    async fn event(&mut self) -> Result<Option<Event>, WebSocketError> {
        loop {
            self.wake_when_due();
            self.write().await?;
            match self.machine.poll(self.clock.now()) {
                Some(Output::Send(bytes)) => self.outgoing = bytes,
                Some(Output::Event(event)) => return Ok(Some(event)),
                Some(Output::WakeAt(at)) => self.wake = Some(at),
                Some(Output::Finished) if self.end != End::Over => self.end = End::Finishing,
                Some(Output::Finished) => {}
                None => match self.end {
                    End::Open => self.read().await?,
                    End::Finishing => self.finish().await,
                    // The machine is told of the end of the stream and has nothing more to say.
                    End::Eof => self.end = End::Over,
                    End::Over => return Ok(None),
                },
            }
        }
    }

    /// Sends what waits in the machine. It hands out all of that before anything else.
    async fn flush(&mut self) -> Result<(), WebSocketError> {
        loop {
            self.write().await?;
            if self.machine.queued() == 0 {
                return Ok(());
            }
            if let Some(Output::Send(bytes)) = self.machine.poll(self.clock.now()) {
                self.outgoing = bytes;
            }
        }
    }

    /// Gives `outgoing` to the stream. When the time to close runs out because the peer does not take it, the rest is
    /// given up.
    async fn write(&mut self) -> Result<(), WebSocketError> {
        while self.outgoing.has_remaining() {
            let limit = self.limit();
            tokio::select! {
                biased;
                written = self.stream.write(&self.outgoing) => match written {
                    Ok(0) => return Err(self.broken("writing", io::ErrorKind::WriteZero.into())),
                    Ok(written) => self.outgoing.advance(written),
                    Err(source) => return Err(self.broken("writing", source)),
                },
                () = until(self.clock, limit) => {
                    let now = self.clock.now();
                    self.wake_when_due();
                    if self.give_up.is_some_and(|at| at <= now) {
                        self.wake = Some(now);
                        self.wake_when_due();
                        self.give_up = None;
                    }
                    if self.machine.phase() == Phase::Finished {
                        self.give_up = Some(now);
                        self.outgoing.clear();
                    }
                }
            }
        }
        Ok(())
    }

    /// When to stop waiting for the stream. The machine hands out what is to be sent before it names the time to wake
    /// it, so while it closes we count for ourselves.
    fn limit(&mut self) -> Option<Instant> {
        match self.machine.phase() {
            Phase::Connecting | Phase::Open => self.wake,
            Phase::Closing | Phase::Closed | Phase::Finished => {
                let in_time = self.clock.now() + self.close_timeout;
                Some(*self.give_up.get_or_insert(in_time))
            }
        }
    }

    /// Takes bytes from the stream, or wakes the machine.
    async fn read(&mut self) -> Result<(), WebSocketError> {
        let wake = self.wake;
        tokio::select! {
            biased;
            read = self.stream.read(&mut self.room) => match read {
                Ok(0) => {
                    self.end = End::Eof;
                    self.machine.handle(self.clock.now(), Input::Eof);
                }
                Ok(len) => {
                    let bytes = Bytes::copy_from_slice(&self.room[..len]);
                    self.machine.handle(self.clock.now(), Input::Bytes(bytes));
                }
                Err(source) => return Err(self.broken("reading", source)),
            },
            () = until(self.clock, wake) => {}
        }
        Ok(())
    }

    /// Closes our half, then waits for the peer to close its own. Closing a socket with unread bytes in it would
    /// reset the connection, and the peer might lose our last words (RFC 9293 §3.6.1, RFC 9112 §9.6).
    async fn finish(&mut self) {
        let limit = self.limit();
        let last_words = async {
            self.stream.shutdown().await?;
            while self.stream.read(&mut self.room).await? > 0 {}
            io::Result::Ok(())
        };
        tokio::select! {
            biased;
            // What goes wrong here changes nothing for anybody any more.
            _ = last_words => {}
            () = until(self.clock, limit) => {}
        }
        self.end = End::Over;
    }

    fn wake_when_due(&mut self) {
        let now = self.clock.now();
        if self.wake.is_some_and(|at| at <= now) {
            self.wake = None;
            self.machine.handle(now, Input::Wake);
            if self.machine.phase() == Phase::Finished {
                // The peer has had its time.
                self.give_up = Some(now);
            }
        }
    }

    /// TCP is of no use any more: nothing further is read or written. If the connection was failed before, that is the
    /// error to tell.
    fn broken(&mut self, step: &'static str, source: io::Error) -> WebSocketError {
        self.end = End::Over;
        self.outgoing.clear();
        self.machine.handle(self.clock.now(), Input::Eof);
        self.failed.take().map_or(WebSocketError::Io { step, source }, WebSocketError::Failed)
    }
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("machine", &self.machine)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Waits for a time, or for ever when there is none.
async fn until(clock: Clock, at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep(std_duration(at.since(clock.now()))).await,
        None => std::future::pending().await,
    }
}

/// Masking keys that nobody can foresee (RFC 6455 §5.3, §10.3): the hash of a secret from the system and a counter. So
/// the system is asked once, and can fail only then.
fn masks() -> Result<MaskSource, WebSocketError> {
    let mut secret = [0; 20];
    random(&mut secret)?;
    let mut counter = 0u64;
    Ok(Box::new(move || {
        counter += 1;
        let mut hash = Sha1::new();
        hash.update(secret);
        hash.update(counter.to_be_bytes());
        let hash = hash.finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }))
}

#[expect(
    clippy::disallowed_methods,
    reason = "real peers must not foresee nonces and masks: chance comes in here"
)]
fn random(into: &mut [u8]) -> Result<(), WebSocketError> {
    getrandom::fill(into).map_err(WebSocketError::Random)
}

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;

//! A request that waits for the program's decision: what is between the two halves of a server's handshake.

use std::fmt;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::socket::Stop;
use super::{Builder, WebSocket, WebSocketError};
use crate::base::{Duration, Machine as _};
use crate::layers::application::http::{HeadParser, Headers, Incoming, Progress, Rejection, RequestHead};
use crate::layers::application::websocket::{Input, Policy, Role};
use crate::real::clock::{Clock, std_duration};

/// A request that was read and not answered. Dropped, it closes the connection without a word.
///
/// ```no_run
/// # use netlayers::layers::application::http::Rejection;
/// # use netlayers::real::websocket::{Builder, WebSocketError};
/// # async fn known(_: &str) -> bool { true }
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), WebSocketError> {
/// let requested = Builder::new().receive(stream, None).await?;
/// let token = requested.request().parameter("token").unwrap_or_default().into_owned();
/// if !known(&token).await {
///     return requested.refuse(&Rejection::unauthorized("Bearer")).await;
/// }
/// let mut socket = requested.accept().await?;
/// socket.send("welcome").await?;
/// # Ok(())
/// # }
/// ```
pub struct Requested<S> {
    stream: S,
    incoming: Incoming,
    /// The head as it came, and what came with it.
    bytes: Bytes,
    builder: Builder,
    stop: Option<Stop>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Requested<S> {
    pub(super) async fn receive(
        builder: &Builder,
        mut stream: S,
        address: Option<SocketAddr>,
    ) -> Result<Self, WebSocketError> {
        let clock = Clock::start();
        let mut machine = builder.server_machine(&clock, address);
        let mut bytes = BytesMut::new();
        let reading = read_head(builder, &mut stream, &mut bytes);
        let limit = std_duration(builder.config.handshake_timeout);
        match tokio::time::timeout(limit, reading).await {
            Ok(Some(head)) => {
                let incoming = Incoming::new(head).from_address(address);
                let (bytes, builder) = (bytes.freeze(), builder.clone());
                Ok(Requested { stream, incoming, bytes, builder, stop: None })
            }
            // The machine finds the same fault, or that its time is over, and tells the client.
            Ok(None) | Err(_) => {
                machine.handle(clock.now(), Input::Bytes(bytes.freeze()));
                machine.handle(clock.now() + builder.config.handshake_timeout, Input::Wake);
                let refused = builder.drive(stream, clock, machine).opened(Role::Server).await;
                Err(refused.err().unwrap_or(WebSocketError::NotOpened))
            }
        }
    }

    pub(super) fn until(self, stop: Stop) -> Self {
        Requested { stop: Some(stop), ..self }
    }

    /// What was asked for, and from where.
    pub fn request(&self) -> &Incoming {
        &self.incoming
    }

    /// Lets the client in, when the request breaks no rule.
    ///
    /// # Errors
    /// As for [`Builder::accept`].
    pub async fn accept(self) -> Result<WebSocket<S>, WebSocketError> {
        self.accept_with(Headers::new()).await
    }

    /// As [`accept`](Requested::accept), with further fields for the 101, such as a cookie.
    ///
    /// # Errors
    /// As for [`Builder::accept`].
    pub async fn accept_with(self, headers: Headers) -> Result<WebSocket<S>, WebSocketError> {
        let clock = Clock::start();
        let builder = self.builder.policy(Policy { headers, ..Policy::default() });
        let mut machine = builder.server_machine(&clock, self.incoming.address);
        machine.handle(clock.now(), Input::Bytes(self.bytes));
        Ok(builder.drive(self.stream, clock, machine).opened(Role::Server).await?.until(self.stop))
    }

    /// Refuses it, and closes the connection.
    ///
    /// # Errors
    /// When the stream fails before the answer is written.
    pub async fn refuse(mut self, rejection: &Rejection) -> Result<(), WebSocketError> {
        let failed = |source| WebSocketError::Io { step: "refusing a request", source };
        let head = rejection.response().emit().map_err(|error| WebSocketError::Request(error.into()))?;
        let answer = [head, rejection.body.clone()].concat();
        let told = async {
            self.stream.write_all(&answer).await?;
            self.stream.shutdown().await
        };
        let limit = self.builder.config.close_timeout;
        let step = "refusing a request";
        let told = tokio::time::timeout(std_duration(limit), told).await;
        told.map_err(|_| WebSocketError::TimedOut { step, limit })?.map_err(failed)?;
        // What the client still sends is read for a moment, or closing would reset the connection (RFC 9112 §9.6).
        let mut sink = [0; 1024];
        let drained = async { while matches!(self.stream.read(&mut sink).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(std_duration(Duration::from_secs(1)), drained).await;
        Ok(())
    }
}

/// Reads one head; `None` for one that cannot be read.
async fn read_head<S: AsyncRead + Unpin>(
    builder: &Builder,
    stream: &mut S,
    bytes: &mut BytesMut,
) -> Option<RequestHead> {
    let mut parser = HeadParser::new(builder.config.head);
    for _ in 0..builder.config.head_pieces {
        let before = bytes.len();
        let read = stream.read_buf(bytes).await;
        if !matches!(read, Ok(1..)) {
            return None;
        }
        match parser.feed(&bytes[before..]) {
            Ok(Progress::NeedMore) => {}
            Ok(Progress::Done { head, .. }) => return Some(head),
            Err(_) => return None,
        }
    }
    None
}

impl<S> fmt::Debug for Requested<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requested").field("request", &self.incoming).finish_non_exhaustive()
    }
}

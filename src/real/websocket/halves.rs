//! A connection in two halves, for two tasks: one sends, one receives.
//!
//! The connection itself is shared by a lock that is held for a moment at a time and never across an await.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{WebSocket, WebSocketError};
use crate::layers::application::websocket::{CloseReason, Event, Fragment, Message, Opening};

type Shared<S> = Arc<Mutex<WebSocket<S>>>;

/// A task that panicked while it held the lock has left the connection between two steps, both of which are whole.
fn lock<S: AsyncRead + AsyncWrite + Unpin>(shared: &Shared<S>) -> MutexGuard<'_, WebSocket<S>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The halves of two connections cannot be one: both are given back.
#[derive(Debug, thiserror::Error)]
#[error("these are the halves of two connections, and each has to be joined with its own")]
pub struct ReuniteError<S: AsyncRead + AsyncWrite + Unpin>(pub SendHalf<S>, pub ReceiveHalf<S>);

/// The half that sends. When both halves are dropped, so is the connection.
pub struct SendHalf<S: AsyncRead + AsyncWrite + Unpin> {
    shared: Shared<S>,
}

/// The half that receives. It must be asked for messages as long as the connection is to live: pings are answered and
/// gathered messages are written on the way.
pub struct ReceiveHalf<S: AsyncRead + AsyncWrite + Unpin> {
    shared: Shared<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    pub(super) fn new(shared: Shared<S>) -> Self {
        SendHalf { shared }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, WebSocket<S>> {
        lock(&self.shared)
    }

    /// Sends a message and waits until the stream has taken it.
    ///
    /// # Errors
    /// As for [`WebSocket::send`].
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), WebSocketError> {
        let mut message = Some(message.into());
        poll_fn(|cx| lock(&self.shared).poll_send(cx, &mut message)).await?;
        // The other half may be long in coming to what has come in.
        self.flush().await
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// As for [`WebSocket::ping`].
    pub async fn ping(&mut self, payload: impl Into<Bytes>) -> Result<(), WebSocketError> {
        self.flush().await?;
        lock(&self.shared).queue_ping(payload.into())?;
        self.flush().await
    }

    /// Waits until the stream has taken all that was sent.
    ///
    /// # Errors
    /// As for [`WebSocket::flush`].
    pub async fn flush(&mut self) -> Result<(), WebSocketError> {
        poll_fn(|cx| lock(&self.shared).poll_flush(cx)).await
    }

    /// Sends a Close frame. The other half receives what still comes, and then the end.
    ///
    /// # Errors
    /// Misuse when the reason must not be sent; otherwise as for [`WebSocket::flush`].
    pub async fn close(&mut self, reason: impl Into<CloseReason>) -> Result<(), WebSocketError> {
        lock(&self.shared).start_close(&reason.into())?;
        self.flush().await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> SendHalf<S> {
    /// The whole connection again.
    ///
    /// # Errors
    /// Both halves, when they are not of the same connection.
    pub fn reunite(self, other: ReceiveHalf<S>) -> Result<WebSocket<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.shared, &other.shared) {
            return Err(ReuniteError(self, other));
        }
        drop(other);
        match Arc::try_unwrap(self.shared) {
            Ok(whole) => Ok(whole.into_inner().unwrap_or_else(PoisonError::into_inner)),
            // There are two halves, no more.
            Err(shared) => Err(ReuniteError(SendHalf::new(shared.clone()), ReceiveHalf::new(shared))),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ReceiveHalf<S> {
    pub(super) fn new(shared: Shared<S>) -> Self {
        ReceiveHalf { shared }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, WebSocket<S>> {
        lock(&self.shared)
    }

    /// The next message; `None` when the connection has ended.
    ///
    /// # Errors
    /// As for [`WebSocket::recv`].
    pub async fn recv(&mut self) -> Result<Option<Message>, WebSocketError> {
        poll_fn(|cx| lock(&self.shared).poll_recv(cx)).await
    }

    /// What the next frame brings of a message.
    ///
    /// # Errors
    /// As for [`WebSocket::recv_fragment`].
    pub async fn recv_fragment(&mut self) -> Result<Option<Fragment>, WebSocketError> {
        poll_fn(|cx| lock(&self.shared).poll_fragment(cx)).await
    }

    /// As [`recv`](ReceiveHalf::recv), but returns all events, such as the pong to the other half's ping.
    ///
    /// # Errors
    /// As for [`WebSocket::event`].
    pub async fn event(&mut self) -> Result<Option<Event>, WebSocketError> {
        poll_fn(|cx| lock(&self.shared).poll_event(cx)).await
    }

    /// What the handshake agreed on.
    pub fn opening(&self) -> Option<Opening> {
        lock(&self.shared).opening().cloned()
    }

    /// Why the connection was closed, once it is.
    pub fn close_reason(&self) -> Option<CloseReason> {
        lock(&self.shared).close_reason().cloned()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for SendHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> fmt::Debug for ReceiveHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveHalf").finish_non_exhaustive()
    }
}

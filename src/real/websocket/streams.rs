//! The connection as programs of the `futures` crates want it: a [`Stream`] of messages, and a [`Sink`] for them.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{ReceiveHalf, SendHalf, WebSocket, WebSocketError};
use crate::layers::application::websocket::{CloseCode, Message};

type Done = Poll<Result<(), WebSocketError>>;

/// The messages that come, as [`recv`](WebSocket::recv) gives them.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, WebSocketError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx).map(Result::transpose)
    }
}

/// Takes messages until [`Builder::write_buffer`](super::Builder::write_buffer) bytes wait. Closing it closes the
/// connection as [`close`](WebSocket::close) does, with 1000; messages that still come are dropped.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = WebSocketError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        self.get_mut().poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), WebSocketError> {
        self.get_mut().queue(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        WebSocket::poll_flush(self.get_mut(), cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        let socket = self.get_mut();
        socket.start_close(&CloseCode::NORMAL.into())?;
        socket.poll_end(cx)
    }
}

/// The messages that come, as [`recv`](ReceiveHalf::recv) gives them.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for ReceiveHalf<S> {
    type Item = Result<Message, WebSocketError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.lock().poll_recv(cx).map(Result::transpose)
    }
}

/// As for the whole connection; closing it sends the Close frame, and the other half receives what still comes.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for SendHalf<S> {
    type Error = WebSocketError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        self.lock().poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), WebSocketError> {
        self.lock().queue(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        WebSocket::poll_flush(&mut self.lock(), cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Done {
        let mut socket = self.lock();
        socket.start_close(&CloseCode::NORMAL.into())?;
        WebSocket::poll_flush(&mut socket, cx)
    }
}

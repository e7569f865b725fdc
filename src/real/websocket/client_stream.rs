//! What a client's WebSocket is on: TCP, or TLS over TCP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// The stream of a client, as the address asked for: TCP for `ws:`, TLS over TCP for `wss:`.
#[derive(Debug)]
pub struct ClientStream(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
}

/// What TLS puts around the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// The version, such as `TLS 1.3`.
    pub version: &'static str,
    /// Bytes that each record has besides what it carries.
    pub record: usize,
}

impl Sealing {
    /// Bytes that a record carries, at most (RFC 8446 §5.1).
    pub const MOST: usize = 1 << 14;
}

impl ClientStream {
    /// The TCP connection below, such as for its options.
    pub fn tcp(&self) -> &TcpStream {
        match &self.0 {
            Kind::Tcp(stream) => stream,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => stream.get_ref().0,
        }
    }

    /// What TLS puts around the bytes; `None` without TLS.
    pub fn sealing(&self) -> Option<Sealing> {
        match &self.0 {
            Kind::Tcp(_) => None,
            #[cfg(feature = "tls")]
            Kind::Tls(stream) => super::tls::sealing(stream.get_ref().1),
        }
    }
}

impl From<TcpStream> for ClientStream {
    fn from(stream: TcpStream) -> Self {
        ClientStream(Kind::Tcp(stream))
    }
}

#[cfg(feature = "tls")]
impl From<TlsStream<TcpStream>> for ClientStream {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        ClientStream(Kind::Tls(Box::new(stream)))
    }
}

/// Does the same with either stream.
macro_rules! with {
    ($this:expr, $stream:ident => $act:expr) => {
        match &mut $this.get_mut().0 {
            Kind::Tcp($stream) => $act,
            #[cfg(feature = "tls")]
            Kind::Tls($stream) => $act,
        }
    };
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        with!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        with!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

//! Why a connection did not open, or did not end well.

use std::io;

use crate::base::{Duration, ParseError};
use crate::layers::application::http::Response;
use crate::layers::application::websocket::{Failure, SendError};

/// Why a connection did not open, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum WebSocketError {
    /// TCP failed, at this step.
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
    /// The peer does not read what it is sent.
    #[error("the peer has read nothing for {limit} while {waiting} bytes wait for it: it was cut off")]
    NotReading {
        /// Bytes that it has not taken.
        waiting: usize,
        /// How long it took none of them.
        limit: Duration,
    },
    /// The system gave no random numbers, without which no client may speak (RFC 6455 §5.3).
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
    /// There is no TLS with the server.
    #[error("{0}")]
    Tls(Box<TlsError>),
    /// The address is not one that we can connect to.
    #[error("{got:?} is not a WebSocket address: {expected}")]
    Url {
        /// The value that was given.
        got: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// The request cannot be written as HTTP.
    #[error("the request cannot be sent: {0}")]
    Request(Box<ParseError>),
    /// The connection was failed (RFC 6455 §7.1.7).
    #[error("{0}")]
    Failed(Box<Failure>),
    /// Messages are not received whole here.
    #[error(
        "this connection gives fragments, not messages: call recv_fragment, or build it without fragments"
    )]
    InFragments,
    /// A message cannot be sent.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The connection ended before it was open.
    #[error("the connection was closed before it was open")]
    NotOpened,
}

/// Why there is no TLS with a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// This program was built without it.
    #[error("this program was built without TLS: build it with the feature tls, or connect to ws://")]
    NotBuiltIn,
    /// The system trusts no authority.
    #[error(
        "this system has no certificates of authorities: install them (a package ca-certificates, most often), \
         or say which to trust (--ca FILE, Builder::trust)"
    )]
    NoAuthorities,
    /// What was to be trusted is no certificate.
    #[error("the authority to trust cannot be read, expected certificates as PEM: {why}")]
    UnreadableAuthority {
        /// What is wrong with it.
        why: String,
    },
    /// The server's certificate is signed by one whom we do not know.
    #[error(
        "{host} shows a certificate of an authority that is not known here: when it is your own, say so with that \
         authority's certificate (--ca FILE, Builder::trust); else somebody may be in between"
    )]
    UnknownAuthority {
        /// Who the server was to be.
        host: String,
    },
    /// The server's certificate is for another.
    #[error("{host} shows a certificate that is for {names}: connect by a name that it is for")]
    WrongName {
        /// Who the server was to be.
        host: String,
        /// Who the certificate says it is.
        names: String,
    },
    /// The server's certificate is not valid any more, or not yet.
    #[error("the certificate of {host} is not valid now: {why}; see whether this machine's clock is right")]
    OutOfDate {
        /// Who the server was to be.
        host: String,
        /// When it is valid.
        why: String,
    },
    /// What came was no TLS.
    #[error("{host} does not answer with TLS: try ws:// instead of wss://, or another port")]
    NotTls {
        /// Who the server was to be.
        host: String,
    },
    /// Something else.
    #[error("no TLS with {host}: {why}")]
    Other {
        /// Who the server was to be.
        host: String,
        /// What TLS says.
        why: String,
    },
}

impl From<TlsError> for WebSocketError {
    fn from(error: TlsError) -> Self {
        WebSocketError::Tls(Box::new(error))
    }
}

impl WebSocketError {
    /// A client: what the server answered instead of opening: status, fields, and its body up to 64 KiB.
    pub fn refusal(&self) -> Option<&Response> {
        match self {
            WebSocketError::Failed(failure) => failure.response.as_deref(),
            _ => None,
        }
    }
}

impl From<Box<Failure>> for WebSocketError {
    fn from(failure: Box<Failure>) -> Self {
        WebSocketError::Failed(failure)
    }
}

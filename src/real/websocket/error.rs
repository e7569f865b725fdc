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
    Request(ParseError),
    /// The connection was failed (RFC 6455 §7.1.7).
    #[error("{0}")]
    Failed(Box<Failure>),
    /// A message cannot be sent.
    #[error("{0}")]
    Send(#[from] SendError),
    /// The connection ended before it was open.
    #[error("the connection was closed before it was open")]
    NotOpened,
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

impl From<Failure> for WebSocketError {
    fn from(failure: Failure) -> Self {
        WebSocketError::Failed(Box::new(failure))
    }
}

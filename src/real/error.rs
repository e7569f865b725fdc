//! What can go wrong on real sockets, and what to try next.

use std::io;

use super::websocket::WebSocketError;
use crate::base::Duration;

/// Why a run on real sockets ended early.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// The operating system refused something.
    #[error("{step} failed: {source}; {next}")]
    Io {
        /// What was being done.
        step: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
        /// What to try next, for people.
        next: &'static str,
    },
    /// It took longer than the knobs allow.
    #[error("{step} was not done within {limit}; allow more time, or look what else keeps this machine busy")]
    TimedOut {
        /// What was being done.
        step: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// The WebSocket connection went wrong.
    #[error("{step} failed: {source}; run it again, and with the TCP scene to see whether TCP works alone")]
    WebSocket {
        /// What was being done.
        step: &'static str,
        /// What the WebSocket reported.
        #[source]
        source: WebSocketError,
    },
    /// A knob asks for something that this wire does not have.
    #[error("{knob} cannot be {got}: {why}")]
    Knob {
        /// The knob's name.
        knob: &'static str,
        /// What it was set to.
        got: String,
        /// The rule, and what to do instead.
        why: String,
    },
}

/// Names the step in which a WebSocket failed.
pub(crate) async fn during<T>(
    step: &'static str,
    what: impl Future<Output = Result<T, WebSocketError>>,
) -> Result<T, RealError> {
    what.await.map_err(|source| RealError::WebSocket { step, source })
}

/// Adds what was being done, and what to try, to the system's own words.
pub(crate) trait During<T> {
    /// `step` is what was being done; `next` is what to try.
    fn during(self, step: &'static str, next: &'static str) -> Result<T, RealError>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, step: &'static str, next: &'static str) -> Result<T, RealError> {
        self.map_err(|source| RealError::Io { step, source, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_failed_what_the_system_said_and_what_to_try() {
        let refused: io::Result<()> = Err(io::Error::new(io::ErrorKind::AddrInUse, "address in use"));
        let error = refused.during("binding 127.0.0.1:80", "ask for port 0 instead").unwrap_err();
        assert_eq!(error.to_string(), "binding 127.0.0.1:80 failed: address in use; ask for port 0 instead");
    }
}

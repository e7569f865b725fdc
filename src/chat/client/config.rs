//! What a client allows itself.

use super::Backoff;
use crate::base::Duration;
use crate::layers::application::socketio::Limits;

/// What a client allows itself, and how long it waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The waits between tries.
    pub backoff: Backoff,
    /// How long it may take to open a session, and then to be let into a namespace (default: 20 s).
    pub connect_timeout: Duration,
    /// Events of one namespace that may wait to be sent or acknowledged, and questions that may be open
    /// (default: 1024).
    pub buffer_events: usize,
    /// Bytes of these events (default: 1 MiB).
    pub buffer_bytes: usize,
    /// Namespaces that it may be in at once (default: 64).
    pub namespaces: usize,
    /// When it comes back and is *not* the one it was, what waits goes on waiting until
    /// [`Client::resume`](super::Client::resume) (default: false). For programs that have to find their place again
    /// first: join their rooms, and see which of their own events the server has already, for it knows senders' ids by
    /// the socket that sent them.
    pub hold_when_new: bool,
    /// How much one packet of the server may hold.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            backoff: Backoff::default(),
            connect_timeout: Duration::from_secs(20),
            buffer_events: 1024,
            buffer_bytes: 1 << 20,
            namespaces: 64,
            hold_when_new: false,
            limits: Limits::default(),
        }
    }
}

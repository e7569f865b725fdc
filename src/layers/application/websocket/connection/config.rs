//! What a connection allows its peer, and how long it waits (RFC 6455 §10.4, and the "reasonable" times of §7.1).
//!
//! The RFC leaves every limit to the implementation and asks that there be one. Each has a default that a program can
//! live with, and each is checked before memory is spent on what breaks it.

use super::super::deflate::Deflate;
use crate::base::Duration;
use crate::layers::application::http::Limits;

/// What a connection allows its peer, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Bytes of payload in one frame; beyond it the connection fails with 1009.
    pub max_frame: usize,
    /// Bytes of payload in one message; beyond it the connection fails with 1009.
    pub max_message: usize,
    /// Bytes that may wait to be polled before commands to send are refused with
    /// [`SendError::Full`](super::super::SendError::Full). One message is always taken when nothing waits. Answers to
    /// pings are never refused: when 64 KiB wait, nothing further is read until some of it was polled.
    pub max_queue: usize,
    /// How long the opening handshake may take.
    pub handshake_timeout: Duration,
    /// How long the peer may take to answer our Close frame, and then the server to close the TCP connection.
    pub close_timeout: Duration,
    /// Limits on the head of the opening handshake.
    pub head: Limits,
    /// In how many pieces the head may come in. A peer that sends it byte by byte makes us work for every byte.
    pub head_pieces: usize,
    /// Whether to compress messages (RFC 7692), if the peer will.
    pub deflate: Option<Deflate>,
    /// Whether the Close frame that fails a connection says in words which rule was broken (§7.1.6); its code says
    /// which kind.
    pub explain: bool,
    /// Whether to ask a silent peer for a sign of life, and when to give it up.
    pub keepalive: Option<Keepalive>,
}

/// How a peer is noticed that has gone without a word (§5.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// After this long without a byte from the peer it is sent a ping.
    pub idle: Duration,
    /// When it is silent for this long after that, the connection has failed.
    pub timeout: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Keepalive { idle: Duration::from_secs(30), timeout: Duration::from_secs(20) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            // A message may come in one frame: ours do.
            max_frame: 64 << 20,
            max_message: 64 << 20,
            max_queue: 1 << 20,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            head: Limits::default(),
            head_pieces: 1024,
            deflate: None,
            explain: true,
            keepalive: None,
        }
    }
}

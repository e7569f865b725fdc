//! What goes into a session and what comes out, and what it allows its client.

use bytes::Bytes;
use slotmap::new_key_type;

use crate::base::{Duration, Instant};
use crate::layers::application::websocket::Message;

new_key_type! {
    /// A connection, by its key in the table of its owner. The key of one that is gone finds nothing.
    pub struct ConnKey;
}

#[cfg(test)]
impl ConnKey {
    /// A key of no table, for tests of a session alone. Small numbers that differ make keys that differ.
    pub(super) const fn made_up(number: u64) -> Self {
        ConnKey(slotmap::KeyData::from_ffi(number))
    }
}

/// What a session allows its client, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From one ping to the next.
    pub ping_interval: Duration,
    /// How long a pong may take.
    pub ping_timeout: Duration,
    /// How long an upgrade may take from the opening of its WebSocket.
    pub upgrade_timeout: Duration,
    /// Bytes of one HTTP body or WebSocket message of the client; the handshake announces it.
    pub max_payload: usize,
    /// Bytes that may wait for the client. The user above may have a smaller limit of its own, and one message has to
    /// fit in with all of its attachments.
    pub max_backlog: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload: 1_000_000,
            max_backlog: 24 << 20,
        }
    }
}

/// What can happen to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A GET waits for an answer.
    Poll(ConnKey),
    /// The head of a POST has come; its body is being read.
    PostBegins(ConnKey),
    /// The body of that POST.
    Post(ConnKey, Bytes),
    /// That body was longer than it may be, and was refused.
    PostRefused(ConnKey),
    /// A POST said that its body is no text, and was refused.
    NotText,
    /// A connection with a GET or POST that was not answered is gone.
    Gone(ConnKey),
    /// A WebSocket that named this session is open.
    Socket(ConnKey),
    /// A message came by WebSocket.
    Message(ConnKey, Message),
    /// A WebSocket is closed.
    SocketClosed(ConnKey),
    /// Its client takes too long to read what is sent by WebSocket.
    TooSlow,
    /// The time it asked for has come.
    Wake,
}

/// What a session asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Answer a request with 200 and this text.
    Answer(ConnKey, Bytes),
    /// Answer a request with 400, code 3.
    Refuse(ConnKey),
    /// Send a message by WebSocket.
    Send(ConnKey, Message),
    /// Close this WebSocket, and its connection.
    HangUp(ConnKey),
    /// Tell the layer above: a message.
    Message(Message),
    /// Tell the layer above: a pong came, so what was sent before its ping has arrived.
    Alive,
    /// Tell the layer above: a poll took some of what waited.
    Answered {
        /// Bytes that still wait.
        left: usize,
    },
    /// Tell the layer above: it is over, once.
    Closed(CloseCause),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCause {
    /// The client said so, in a close packet.
    ByClient,
    /// The layer above said so.
    ByServer,
    /// No pong in time.
    PingTimeout,
    /// A packet was none, or one that a client must not send.
    BadPacket,
    /// Two GETs or two POSTs at once, one that was given up, or a POST that is no text.
    BadRequest,
    /// The WebSocket was closed, or its connection ended: a client that has no more to say may leave so.
    TransportClosed,
    /// Too much waited for it.
    SlowReader,
}

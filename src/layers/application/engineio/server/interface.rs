//! What goes into a server and what comes out, and what it allows.

use std::sync::Arc;

use bytes::Bytes;
use slotmap::new_key_type;

use super::super::request::Origins;
use super::super::session::{CloseCause, Config as SessionConfig, ConnKey};
use crate::base::{Duration, Instant};
use crate::layers::application::http::{Gate, Incoming, Limits, RequestHead};
use crate::layers::application::websocket::{Message, Subprotocols};

new_key_type! {
    /// A session, by its key in the server's table. The key of one that is over finds nothing.
    pub struct SessionKey;
}

/// What a server allows, and what it serves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The paths that speak Engine.IO, such as `/socket.io/`; events name them by their place here.
    pub endpoints: Vec<String>,
    /// What each session is allowed.
    pub session: SessionConfig,
    /// Which pages may speak to it.
    pub origins: Origins,
    /// The program's own decision about a request that would open a session, before anything is opened: by a token, a
    /// cookie, an address. A refusal without a body gets Engine.IO's words: code 4, "Forbidden". `None` lets in all.
    pub gate: Option<Gate>,
    /// Only requests that name this machine by a loopback address are answered: for a server that listens on one, so
    /// that no page reaches it through a name of its own (DNS rebinding).
    pub loopback_only: bool,
    /// Which subprotocol a WebSocket gets.
    pub subprotocols: Subprotocols,
    /// Connections at a time.
    pub max_connections: usize,
    /// Sessions at a time.
    pub max_sessions: usize,
    /// Limits on the heads of requests.
    pub head: Limits,
    /// How long a head may take from its first byte, and a new connection to send one.
    pub head_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection may stay open between two requests.
    pub idle_timeout: Duration,
    /// How long the last bytes of a connection may take to be written.
    pub close_timeout: Duration,
    /// Whether GETs of other paths are events, to be answered with [`Server::respond`](super::Server::respond), and
    /// other methods there get 405; 404 otherwise.
    pub other_requests: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            endpoints: vec!["/socket.io/".into()],
            session: SessionConfig::default(),
            origins: Origins::default(),
            gate: None,
            loopback_only: false,
            subprotocols: Subprotocols::default(),
            max_connections: 20_000,
            max_sessions: 20_000,
            head: Limits::default(),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            other_requests: false,
        }
    }
}

/// What can happen to a server.
#[derive(Debug, Clone)]
pub enum Input {
    /// Bytes came from a connection, cut anywhere.
    Bytes(ConnKey, Bytes),
    /// The peer sends no more. What it has asked for already is still answered.
    Eof(ConnKey),
    /// The connection failed, or nothing more can be written to it.
    Gone(ConnKey),
    /// The time it asked for has come.
    Wake,
}

/// What a server asks for.
#[derive(Debug)]
pub enum Output {
    /// Tell the layer above.
    Event(Event),
    /// Bytes wait to be written: see [`Server::outbox`](super::Server::outbox). Said again only after
    /// [`Server::written`](super::Server::written).
    Ready(ConnKey),
    /// Close the connection at once: it is forgotten here.
    Close(ConnKey),
    /// Wake it at this time; a later one replaces this one.
    WakeAt(Instant),
}

/// What the layer above learns.
#[derive(Debug)]
pub enum Event {
    /// A session has opened.
    Opened {
        /// The new session's key.
        session: SessionKey,
        /// The place of its path among [`Config::endpoints`].
        endpoint: usize,
        /// The request that opened it, and from where.
        request: Arc<Incoming>,
    },
    /// A message has come.
    Message {
        /// The key of its session.
        session: SessionKey,
        /// What the client sent.
        message: Message,
    },
    /// A pong has come: what was sent before its ping has arrived.
    Alive {
        /// The key of its session.
        session: SessionKey,
    },
    /// Some of what was sent in a session has been handed to the network.
    Sent {
        /// The session that is alive.
        session: SessionKey,
        /// Bytes that still wait, headers and all.
        left: usize,
    },
    /// A session is over: the last event of it.
    Closed {
        /// The closed session's key.
        session: SessionKey,
        /// Why it was closed.
        cause: CloseCause,
    },
    /// A GET or HEAD of a path that is no endpoint.
    Request {
        /// Where to answer, once.
        conn: ConnKey,
        /// What is asked for.
        head: Box<RequestHead>,
    },
}

//! Engine.IO version 4: messages both ways between a browser and a server, by WebSocket where that works and by plain
//! HTTP where it does not, and a sign of life now and then.
//!
//! Read the protocol's own document first (`engine.io-protocol` v4; there is no RFC). A client opens a *session* with
//! a GET. By **long-polling** it then always has one GET waiting at the server, which answers when it has something to
//! say, and POSTs what it has to say itself. By **WebSocket** both go over one connection. A session that began by
//! polling may **upgrade**: the client opens a WebSocket beside it, probes it with a ping, and moves over when the pong
//! comes.
//!
//! | concept | where |
//! |---|---|
//! | the types of packets, as a table | [`header`] in `header.rs` |
//! | packets, the handshake's JSON | [`Packet`], [`Handshake`] in `packet.rs` |
//! | what a request asks for; errors by code; CORS | `request.rs` |
//! | one session: transports, upgrade, heartbeat | [`Session`] in `session/` |
//! | the client's end, by WebSocket | [`client`] |
//! | the client's end, by polling first | [`poller`] |
//! | many connections and sessions at one address | [`Server`] in `server/` |
//!
//! Left out: version 3 (refused with code 5), JSONP polling, compression of HTTP bodies, and WebTransport.

pub mod client;
pub mod header;
mod packet;
pub mod poller;
mod request;
mod server;
pub mod session;

pub use client::Client;
pub use packet::{Handshake, Packet, SEPARATOR};
pub use poller::{Carrier, Poller};
pub use request::{Origins, Refusal};
pub use server::{Config, Event, Input, Outbox, Output, Prepared, Server, Service, SessionKey};
pub use session::{CloseCause, Config as SessionConfig, ConnKey, Session};

/// The name of the protocol in errors.
pub(crate) const PROTOCOL: &str = "Engine.IO";

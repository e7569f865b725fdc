//! WebSocket: messages both ways at once over one TCP connection (RFC 6455).
//!
//! TCP gives a stream of bytes in order; HTTP/1.1 gives a request and an answer at a time. WebSocket begins as an HTTP
//! request, so that it passes where the web passes, then keeps the TCP connection and puts the boundaries of messages
//! back into its stream. Read [`connection`] first, then follow it into the parts.
//!
//! | RFC 6455 | what | where |
//! |---|---|---|
//! | §1.3, §4 | the opening handshake | [`handshake`]: [`client`](handshake::client), [`server`](handshake::server) |
//! | §5.2, §5.5, §11.8 | the frame header, opcodes, control frames | [`frame`] |
//! | §5.1, §6.2 | receiving: who must mask, reserved bits | `receiver.rs` |
//! | §5.3, §10.3 | masking | [`mask`] |
//! | §5.4, §5.6 | fragments and messages | [`message`] |
//! | §5.5.2, §5.5.3 | pings and pongs | [`connection`] |
//! | §6.1 | sending | `sender.rs` |
//! | §7.1, §7.2 | states, closing, failing | [`phase`], [`connection`] |
//! | §5.5.1, §7.4 | close codes and reasons | [`close`] |
//! | §8.1 | UTF-8 | [`utf8`] |
//! | §9.1 | the list of extensions | [`handshake::extensions`] |
//! | §10.2 | checking the origin | [`handshake::server::Policy`] |
//! | §10.4 | limits | [`connection::Config`] |
//! | §9.2; RFC 7692 | compressed messages | [`deflate`]: [`negotiation`](deflate::negotiation), [`codec`](deflate::codec) |
//!
//! Left out: TLS (`wss:`), proxies (§4.1), other extensions than permessage-deflate. HTTP/2 has its own way to
//! WebSocket (RFC 8441).

pub mod close;
pub mod connection;
pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod mask;
pub mod message;
pub mod phase;
mod receiver;
mod sender;
pub mod utf8;

pub use close::{CloseCode, CloseReason, Failure};
pub use connection::{Config, Connection, Event, Input, Keepalive, Output};
pub use deflate::Deflate;
pub use frame::{FrameHeader, Opcode};
pub use handshake::Opening;
pub use handshake::client::Request;
pub use handshake::server::Policy;
pub use message::{Message, MessageKind};
pub use phase::{Phase, Role};
pub use sender::{MaskSource, SendError};
pub use utf8::Utf8Bytes;

#[cfg(test)]
mod limits_tests;

//! WebSocket: messages both ways at once over one TCP connection (RFC 6455).
//!
//! TCP gives a stream of bytes in order; HTTP/1.1 gives a request and an answer at a time. WebSocket begins as an HTTP
//! request, so that it passes where the web passes, then keeps the TCP connection and puts the boundaries of messages
//! back into its stream. Read [`connection`] first, then follow it into the parts.
//!
//! | RFC 6455 | what | where |
//! |---|---|---|
//! | §1.3, §10.8 | the opening handshake, an overview; its use of SHA-1 | [`handshake`], [`accept_key`](handshake::accept_key) |
//! | §1.4 | the closing handshake, an overview | [`phase`] |
//! | §3 | addresses, resource names | `real/websocket/url.rs`, [`handshake::server`] |
//! | §4.1 | the client: request, judging the answer | [`handshake::client`], [`Request`] |
//! | §4.2 | the server: judging the request, answer | [`handshake::server`], [`Policy`] |
//! | §4.3 | the header fields, lists of tokens | [`handshake`], [`handshake::extensions`] |
//! | §4.4 | other versions: 426 | [`handshake::server`] |
//! | §5.1 | the overview: which end must mask | `receiver.rs`: `check_start` |
//! | §5.2 | the frame header | [`frame`], [`FrameHeader`] |
//! | §5.3 | masking | [`mask`] |
//! | §5.4 | fragments | [`message`] when they come, `sender.rs`: `fragment` when they go |
//! | §5.5 | control frames: short, whole, between fragments | [`frame`], `receiver.rs` |
//! | §5.5.1 | Close frames | [`close`], `connection/closing.rs` |
//! | §5.5.2, §5.5.3 | pings and pongs | [`connection`]: `take`; `connection/keepalive.rs` |
//! | §5.6 | text and binary | [`message`], [`Message`] |
//! | §5.7 | examples | the tests of [`frame`] and [`mask`] |
//! | §5.8, §11.9 | extensibility: reserved bits and opcodes | `receiver.rs`: `check_start`; [`Opcode`] |
//! | §6.1 | sending | `sender.rs` |
//! | §6.2 | receiving | `receiver.rs` |
//! | §7.1 | states, closing, failing | [`phase`], `connection/closing.rs`; TCP: `real/websocket/socket/ending.rs` |
//! | §7.2 | abnormal closures | `connection/closing.rs`: `fail`, `end_abnormally` |
//! | §7.3 | normal closure | `connection/closing.rs`: [`close`](Connection::close) |
//! | §7.4 | status codes | [`close`], [`CloseCode`] |
//! | §8, §8.1 | errors in UTF-8 | [`utf8`] |
//! | §9.1 | the list of extensions | [`handshake::extensions`] |
//! | §9.2 | a known extension: RFC 7692, compressed messages | [`deflate`] |
//! | §10.2 | the origin | [`Policy`] |
//! | §10.3 | why the client masks, unpredictable keys | [`mask`], [`MaskSource`], `real/websocket/masks.rs` |
//! | §10.4 | limits | [`Config`] |
//! | §10.5, §10.6 | authentication, confidentiality | fields of [`Request`], the gate of [`Policy`]; TLS: `real/websocket/tls.rs` |
//! | §10.7 | invalid data | [`Failure`] |
//! | §11.3 | the fields of the handshake | [`handshake::client`], [`handshake::server`] |
//! | §11.7 | the registry of close codes | [`CloseCode`] |
//! | §11.8 | the registry of opcodes | [`Opcode`] |
//!
//! Frames seen from outside, in the bytes of a stream, are [`wire`]'s.
//!
//! Left out: TLS (`wss:`), which is below and `real`'s; proxies (§4.1), connecting again after an abnormal closure (§7.2.3: that is the program's
//! decision), other extensions than permessage-deflate. HTTP/2 has its own path to WebSocket (RFC 8441).

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
pub mod wire;

pub use close::{CloseCode, CloseReason, Failure};
pub use connection::{Config, Connection, Event, Input, Keepalive, Output, Step};
pub use deflate::Deflate;
pub use frame::{FrameHeader, Opcode};
pub use handshake::Opening;
pub use handshake::client::Request;
pub use handshake::server::{Policy, Subprotocols};
pub use message::{Fragment, Message, MessageKind};
pub use phase::{Phase, Role};
pub use sender::{MaskSource, SendError};
pub use utf8::Utf8Bytes;

#[cfg(test)]
mod limits_tests;

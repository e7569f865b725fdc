//! HTTP/1.1 messages: layer 7, text over TCP's stream of bytes (RFC 9110 for the meaning, RFC 9112 for the bytes).
//!
//! Read RFC 9112 §2 to §5 first. A *head* is a start line, header fields, an empty line: all that an upgrade to
//! WebSocket needs. Bodies are what Engine.IO's long-polling posts and fetches. URIs (RFC 3986) are left out.
//!
//! | concept | where | source |
//! |---|---|---|
//! | request line, status line, versions | [`RequestHead`], [`ResponseHead`] in `head.rs` | RFC 9112 §3, §4 |
//! | header fields, lists of tokens | [`Headers`] in `headers.rs` | RFC 9110 §5, RFC 9112 §5 |
//! | reading from a stream, limits | [`HeadParser`] in `parser.rs` | RFC 9112 §2.2 |
//! | where a body ends, reading it | [`Framing`], [`BodyReader`] in `body.rs` | RFC 9112 §6, §7.1 |
//! | the whole request, its query and cookies; whether it may | [`Incoming`], [`Gate`] in `incoming.rs` | RFC 9112 §3.2, RFC 6265 §4.2 |
//! | responses on a connection that stays open | [`ResponseReader`] in `response.rs` | RFC 9112 §6.3, §9.3 |
//!
//! Where RFC 9112 lets a recipient be lenient (a bare LF as line end, whitespace around the start line) this one is
//! strict: two parsers in a row that are lenient in different ways are how requests get smuggled
//! (RFC 9112 §11.2).

mod body;
mod head;
mod headers;
mod incoming;
mod parser;
mod response;

pub use body::{BodyProgress, BodyReader, Framing};
pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Headers, is_token};
pub(crate) use incoming::split_target;
pub use incoming::{Gate, Incoming, Rejection};
pub use parser::{Head, HeadError, HeadParser, Limits, Progress};
pub use response::{Response, ResponseReader};

use crate::base::{Errors, Layer};

/// What is wrong with what a peer sent, or a caller asked for.
pub(crate) const ERRORS: Errors = Errors::of(Layer::Application, "HTTP");

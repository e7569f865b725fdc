//! HTTP/1.1 message heads: layer 7, text over TCP's stream of bytes (RFC 9110 for the meaning, RFC 9112 for the bytes).
//!
//! Read RFC 9112 §2 to §5 first. Only *heads* are here: a start line, header fields, an empty line. That is all that
//! an upgrade to WebSocket needs. Bodies (RFC 9112 §6) are left to whoever needs one; so are URIs (RFC 3986).
//!
//! | concept | where | source |
//! |---|---|---|
//! | request line, status line, versions | [`RequestHead`], [`ResponseHead`] in `head.rs` | RFC 9112 §3, §4 |
//! | header fields, lists of tokens | [`Headers`] in `headers.rs` | RFC 9110 §5, RFC 9112 §5 |
//! | reading from a stream, limits | [`HeadParser`] in `parser.rs` | RFC 9112 §2.2 |
//!
//! Where RFC 9112 lets a recipient be lenient (a bare LF as line end, whitespace around the start line) this one is
//! strict: two parsers that are lenient in different ways, one behind the other, are how requests get smuggled
//! (RFC 9112 §11.2).

mod head;
mod headers;
mod parser;

pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Headers, is_token};
pub use parser::{Head, HeadError, HeadParser, Limits, Progress};

/// The name of the protocol in errors.
pub(crate) const PROTOCOL: &str = "HTTP";

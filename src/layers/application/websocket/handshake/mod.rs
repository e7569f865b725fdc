//! The opening handshake: an HTTP/1.1 request and its answer, after which the connection is WebSocket's
//! (RFC 6455 §1.3, §4).
//!
//! The key and its answer do not identify the peer. They prove that it *speaks WebSocket*: a server that
//! did not understand the request could not have answered so, and a cache could not have kept the answer.
//!
//! Each end's part is in [`client`] and [`server`]; both are functions of one head, without a state. Cookies and HTTP
//! authentication, which §4.1 lets a client send, are header fields like any other here.

pub(super) mod awaiting;
pub mod client;
pub mod extensions;
pub mod server;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::super::http::{Headers, is_token};
use super::deflate::Agreement;
use crate::base::{ErrorKind, Layer, ParseError};

/// The version of the protocol that RFC 6455 defines.
pub const VERSION: &str = "13";

/// The number that every server adds to the key before hashing (§1.3): chosen so that a server that does not know the
/// protocol would.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (§4.2.2): the SHA-1 of the key as it was
/// sent, without decoding it, and the GUID.
pub fn accept_key(key: &str) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key.as_bytes());
    sha1.update(GUID.as_bytes());
    STANDARD.encode(sha1.finalize())
}

/// What both ends know when the connection is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What the client asked for, as in the request line: `/chat?room=1`.
    pub resource: String,
    /// The header fields of the *peer's* head.
    pub headers: Headers,
    /// The subprotocol both agreed on.
    pub subprotocol: Option<String>,
    /// At a server, what the client offered; at a client, what the server accepted.
    pub extensions: Vec<extensions::Extension>,
    /// What both agreed on for permessage-deflate (RFC 7692), if they did.
    pub deflate: Option<Agreement>,
}

/// The tokens of a list field, each of which must be one (§4.3).
fn tokens<'a>(headers: &'a Headers, name: &'static str) -> Result<Vec<&'a str>, ParseError> {
    let tokens: Vec<&str> = headers.list(name).collect();
    match tokens.iter().find(|member| !is_token(member)) {
        Some(bad) => Err(malformed(name, "a list of tokens (RFC 6455 §4.3)", format!("{bad:?}"))),
        None => Ok(tokens),
    }
}

/// The error for a handshake that breaks a rule. The field names the place: heads have no fixed offsets.
pub(super) fn malformed(field: &'static str, expected: &'static str, got: impl Into<String>) -> ParseError {
    ParseError {
        kind: ErrorKind::Malformed,
        layer: Layer::Application,
        protocol: "WebSocket handshake",
        field,
        offset: 0,
        expected: expected.into(),
        got: got.into().into(),
    }
}

#[cfg(test)]
mod tests;

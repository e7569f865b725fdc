//! The client's side of the opening handshake (RFC 6455 §4.1): write a request, judge the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::deflate::negotiation;
use super::extensions::{self, Extension};
use super::{Opening, VERSION, accept_key, malformed, tokens};
use crate::base::{ErrorKind, ParseError};
use crate::layers::application::http::{Headers, RequestHead, ResponseHead, is_token};

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The server's name, and its port when it is not the usual one: `example.org:8080`.
    pub host: String,
    /// Path and query, such as `/chat?room=1`.
    pub resource: String,
    /// The web page the script came from; only browsers have one (§4.1).
    pub origin: Option<String>,
    /// The subprotocols it would speak, the one it likes best first.
    pub subprotocols: Vec<String>,
    /// Further header fields: cookies, authentication.
    pub headers: Headers,
    /// 16 unpredictable bytes, fresh for each connection (§4.1). From the caller, for randomness is
    /// not known here.
    pub nonce: [u8; 16],
}

impl Request {
    /// A request with nothing but what it must have.
    pub fn new(host: impl Into<String>, resource: impl Into<String>, nonce: [u8; 16]) -> Self {
        Request {
            host: host.into(),
            resource: resource.into(),
            origin: None,
            subprotocols: Vec::new(),
            headers: Headers::new(),
            nonce,
        }
    }

    /// The head to send (§4.1), with these extensions offered.
    pub fn head(&self, offers: &[Extension]) -> RequestHead {
        let mut headers = Headers::new()
            .with("Host", &self.host)
            .with("Upgrade", "websocket")
            .with("Connection", "Upgrade")
            .with("Sec-WebSocket-Key", self.key())
            .with("Sec-WebSocket-Version", VERSION);
        if let Some(origin) = &self.origin {
            headers.push("Origin", origin);
        }
        if !self.subprotocols.is_empty() {
            headers.push("Sec-WebSocket-Protocol", self.subprotocols.join(", "));
        }
        if !offers.is_empty() {
            let offers: Vec<String> = offers.iter().map(Extension::to_string).collect();
            headers.push(extensions::FIELD, offers.join(", "));
        }
        for (name, value) in self.headers.iter() {
            headers.push(name, value);
        }
        RequestHead::new("GET", &self.resource, headers)
    }

    /// Whether it is a request that §4.1 allows, as far as the caller had a say in it.
    ///
    /// # Errors
    /// Misuse when a subprotocol is no token or is there twice, or when a further header field is one that the handshake
    /// writes itself: most of those must be there once, and the answer is judged by ours.
    pub fn check_own(&self) -> Result<(), ParseError> {
        let misuse = |field, expected, got: &str| {
            Err(ParseError { kind: ErrorKind::Misuse, ..malformed(field, expected, format!("{got:?}")) })
        };
        for (at, name) in self.subprotocols.iter().enumerate() {
            if !is_token(name) {
                return misuse("Sec-WebSocket-Protocol", "tokens (RFC 6455 §4.1)", name);
            }
            if self.subprotocols[..at].contains(name) {
                return misuse("Sec-WebSocket-Protocol", "each subprotocol once (RFC 6455 §4.1)", name);
            }
        }
        for (name, _) in self.headers.iter() {
            let lower = name.to_ascii_lowercase();
            let ours = matches!(lower.as_str(), "host" | "upgrade" | "connection")
                || lower.starts_with("sec-websocket-")
                || (lower == "origin" && self.origin.is_some());
            if ours {
                return misuse("headers", "none of the fields of the handshake itself (RFC 6455 §4.1)", name);
            }
        }
        Ok(())
    }

    /// Judges the server's answer (§4.1, the numbered list at its end).
    ///
    /// # Errors
    /// Malformed when the server did not agree, answered another key, or chose what was not offered. Redirects and
    /// requests for authentication are not followed: they too are an error here, with the status in it.
    pub fn check(&self, response: &ResponseHead, offers: &[Extension]) -> Result<Opening, ParseError> {
        let headers = &response.headers;
        if response.status != 101 {
            let got = format!("{} {}{}", response.status, response.reason, hint(response));
            return Err(malformed("status code", "101 (RFC 6455 §4.1)", got));
        }
        match headers.get_single("Upgrade")? {
            Some(upgrade) if upgrade.eq_ignore_ascii_case("websocket") => {}
            other => {
                return Err(malformed(
                    "Upgrade",
                    "websocket (RFC 6455 §4.1)",
                    other.unwrap_or("no such field"),
                ));
            }
        }
        if !headers.has_token("Connection", "Upgrade") {
            let got = headers.get("Connection").unwrap_or("no such field");
            return Err(malformed("Connection", "a list with Upgrade (RFC 6455 §4.1)", got));
        }
        let accept = accept_key(&self.key());
        match headers.get_single("Sec-WebSocket-Accept")? {
            Some(got) if got == accept => {}
            other => {
                let got = other.unwrap_or("no such field");
                let expected = format!("{accept}, the answer to our key (RFC 6455 §4.1)");
                let error = malformed("Sec-WebSocket-Accept", "", got);
                return Err(ParseError { expected: expected.into(), ..error });
            }
        }
        let extensions = Extension::parse_all(headers)?;
        if let Some(unasked) = extensions.iter().find(|e| !offers.iter().any(|offer| offer.name == e.name)) {
            return Err(malformed(extensions::FIELD, "an extension that was offered", &unasked.name));
        }
        let subprotocol = match headers.get_single("Sec-WebSocket-Protocol")? {
            None => None,
            Some(_) => match tokens(headers, "Sec-WebSocket-Protocol")?[..] {
                [chosen] if self.subprotocols.iter().any(|offered| offered == chosen) => {
                    Some(chosen.to_owned())
                }
                ref chosen => {
                    let got = format!("{:?}", chosen.join(", "));
                    return Err(malformed(
                        "Sec-WebSocket-Protocol",
                        "one that was offered (RFC 6455 §4.1)",
                        got,
                    ));
                }
            },
        };
        let deflate = negotiation::check(&extensions, offers)?;
        let (resource, headers) = (self.resource.clone(), headers.clone());
        Ok(Opening { resource, headers, subprotocol, extensions, deflate })
    }

    /// The nonce as it is sent.
    fn key(&self) -> String {
        STANDARD.encode(self.nonce)
    }
}

/// The field that says what a client should do instead, of the answers that have one: where to go (RFC 9110 §15.4), or
/// how to authenticate (§15.5.2).
fn hint(response: &ResponseHead) -> String {
    let field = match response.status {
        300..=399 => "Location",
        401 => "WWW-Authenticate",
        _ => return String::new(),
    };
    response.headers.get(field).map_or_else(String::new, |value| format!(", {field}: {value}"))
}

//! The server's side of the opening handshake (RFC 6455 §4.2): judge a request, write the answer.

use std::borrow::Cow;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use super::super::deflate::{Deflate, negotiation};
use super::extensions::{self, Extension};
use super::{Opening, VERSION, accept_key, malformed, tokens};
use crate::base::ParseError;
use crate::layers::application::http::{
    Gate, HeadError, Headers, Incoming, Rejection, RequestHead, ResponseHead, Version,
};

/// Which requests a server takes.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Which of the subprotocols that a client offers it takes.
    pub subprotocols: Subprotocols,
    /// The web pages whose scripts may connect, such as `https://example.org`; `None` for all of them. A request
    /// without an Origin passes: it does not come from a browser, and a client that is not a browser could send any
    /// (§10.2).
    pub origins: Option<Vec<String>>,
    /// The paths it serves, compared without the query; `None` for all of them.
    pub paths: Option<Vec<String>>,
    /// The program's own decision, asked about a request that breaks no rule, before the 101: by a token, a cookie, an
    /// address (§10.5). `None` lets in all.
    pub gate: Option<Gate>,
    /// The client's address, for the gate; the caller that accepted the connection knows it.
    pub address: Option<SocketAddr>,
    /// Further fields for every 101, such as a cookie.
    pub headers: Headers,
}

/// Which subprotocol a server takes (RFC 6455 §1.9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Subprotocols {
    /// The first that the client offers, whatever it means: for a server whose messages mean the same in any of them. A
    /// browser that offers some closes the connection when none is taken.
    #[default]
    FirstOffered,
    /// One of these, the one it likes best first. When it shares none with the client, the connection opens without
    /// one.
    These(Vec<String>),
}

impl Subprotocols {
    /// Compared with case: where RFC 6455 wants case ignored it says so, and here it does not.
    fn choose(&self, offered: &[&str]) -> Option<String> {
        match self {
            Subprotocols::FirstOffered => offered.first().map(|first| (*first).to_owned()),
            Subprotocols::These(ours) => ours.iter().find(|own| offered.contains(&own.as_str())).cloned(),
        }
    }
}

/// A request that was refused: what to answer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The answer, after which the connection is to be closed. Boxed, to keep the result of [`answer`] small.
    pub response: Box<ResponseHead>,
    /// And the body that follows it, most often empty.
    pub body: Box<[u8]>,
    /// The rule that was broken.
    pub error: ParseError,
}

impl Refusal {
    /// The refusal of a head that comes in too many pieces, or too slowly (RFC 9110 §15.5.9).
    pub fn too_slow(error: ParseError) -> Self {
        Refusal::new(408, Headers::new(), error)
    }

    /// The refusal of a head that is not even HTTP as we want it.
    pub(super) fn of_head(HeadError { status, error }: HeadError) -> Self {
        Refusal::new(status, Headers::new(), error)
    }

    fn new(status: u16, headers: Headers, error: ParseError) -> Self {
        let headers = match headers.get("Connection") {
            Some(_) => headers,
            None => headers.with("Connection", "close"),
        };
        let response = ResponseHead::new(status, headers.with("Content-Length", "0"));
        Refusal { response: Box::new(response), body: Box::default(), error }
    }

    /// The program's own.
    fn by_program(rejection: &Rejection) -> Self {
        let error = malformed("request", "one that the program lets in", rejection.status.to_string());
        Refusal { response: Box::new(rejection.response()), body: rejection.body[..].into(), error }
    }
}

/// Judges a request (§4.2.1) and writes the answer (§4.2.2): 101, or the status for the rule that it breaks. Of the
/// extensions that are offered, permessage-deflate is taken when `deflate` says how.
///
/// # Errors
/// 400 for a request that is wrong, 403 for a page that may not connect, 404 for a path not served, 405 for another
/// method, 426 for plain HTTP and for another version of WebSocket; and whatever the policy's gate answers.
pub fn answer(
    request: &RequestHead,
    policy: &Policy,
    deflate: Option<&Deflate>,
) -> Result<(ResponseHead, Opening), Refusal> {
    let bad = |error| Refusal::new(400, Headers::new(), error);
    let headers = &request.headers;

    if request.version < Version::Http11 {
        return Err(bad(malformed("HTTP version", "HTTP/1.1 or later (RFC 6455 §4.2.1)", "HTTP/1.0")));
    }
    request.host().map_err(Refusal::of_head)?;
    let resource = resource(&request.target).map_err(bad)?;
    if request.method != "GET" {
        let error = malformed("method", "GET (RFC 6455 §4.2.1)", format!("{:?}", request.method));
        return Err(Refusal::new(405, Headers::new().with("Allow", "GET"), error));
    }
    // What follows the head is read as frames, so there must be no body between (RFC 9110 §7.8).
    if headers.get("Transfer-Encoding").is_some()
        || headers.get_all("Content-Length").any(|length| length != "0")
    {
        return Err(bad(malformed("body", "none in a request to upgrade", "a body")));
    }
    if !headers.has_token("Upgrade", "websocket") {
        let got = headers.get("Upgrade").unwrap_or("no Upgrade field").to_owned();
        return Err(upgrade_required(malformed("Upgrade", "websocket (RFC 6455 §4.2.1)", got)));
    }
    if !headers.has_token("Connection", "Upgrade") {
        let got = headers.get("Connection").unwrap_or("no Connection field").to_owned();
        return Err(bad(malformed("Connection", "a list with Upgrade (RFC 6455 §4.2.1)", got)));
    }
    match headers.get_single("Sec-WebSocket-Version").map_err(bad)? {
        Some(VERSION) => {}
        Some(other) => {
            return Err(upgrade_required(malformed("Sec-WebSocket-Version", "13 (RFC 6455 §4.4)", other)));
        }
        None => return Err(bad(malformed("Sec-WebSocket-Version", "13 (RFC 6455 §4.2.1)", "no such field"))),
    }
    let key = key(headers).map_err(bad)?;
    let offered = tokens(headers, "Sec-WebSocket-Protocol").map_err(bad)?;
    let extensions = Extension::parse_all(headers).map_err(bad)?;

    if let (Some(origins), Some(origin)) = (&policy.origins, headers.get_single("Origin").map_err(bad)?)
        && !origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    {
        let error = malformed("Origin", "one that may connect (RFC 6455 §4.2.2)", origin);
        return Err(Refusal::new(403, Headers::new(), error));
    }
    let path = resource.split('?').next().unwrap_or_default();
    if policy.paths.as_ref().is_some_and(|served| !served.iter().any(|p| p == path)) {
        return Err(Refusal::new(
            404,
            Headers::new(),
            malformed("request target", "a path that is served", path),
        ));
    }

    let more = match &policy.gate {
        Some(gate) => gate
            .ask(&Incoming::new(request.clone()).from_address(policy.address))
            .map_err(|rejection| Refusal::by_program(&rejection))?,
        None => Headers::new(),
    };

    let subprotocol = policy.subprotocols.choose(&offered);
    let mut answer = Headers::new()
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Accept", accept_key(key));
    if let Some(subprotocol) = &subprotocol {
        answer.push("Sec-WebSocket-Protocol", subprotocol);
    }
    let agreed = deflate.and_then(|wish| negotiation::answer(&extensions, wish));
    if let Some((_, extension)) = &agreed {
        answer.push(extensions::FIELD, extension.to_string());
    }
    let (usual, more) = (policy.headers.clone().sendable(), more.sendable());
    for (name, value) in usual.iter().chain(more.iter()).filter(|(name, _)| !is_ours(name)) {
        answer.push(name, value);
    }
    let opening = Opening {
        resource: resource.into_owned(),
        headers: headers.clone(),
        subprotocol,
        extensions,
        deflate: agreed.map(|(agreement, _)| agreement),
    };
    Ok((ResponseHead::new(101, answer), opening))
}

/// The fields of the handshake itself, which a program cannot add to.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "upgrade" | "connection" | "content-length" | "transfer-encoding")
        || name.starts_with("sec-websocket-")
}

/// "Speak WebSocket, version 13": §4.4 asks for the version, RFC 9110 §15.5.22 for the Upgrade field and §7.8 for
/// its name in Connection.
fn upgrade_required(error: ParseError) -> Refusal {
    let headers = Headers::new()
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade, close")
        .with("Sec-WebSocket-Version", VERSION);
    Refusal::new(426, headers, error)
}

/// The key: 16 bytes in base64 (§4.2.1). Bits left over in its last digit are forgiven, for the value is only hashed.
fn key(headers: &Headers) -> Result<&str, ParseError> {
    const FORGIVING: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    let expected = "16 bytes in base64 (RFC 6455 §4.2.1)";
    let key = headers
        .get_single("Sec-WebSocket-Key")?
        .ok_or_else(|| malformed("Sec-WebSocket-Key", expected, "no such field"))?;
    match FORGIVING.decode(key) {
        Ok(bytes) if bytes.len() == 16 => Ok(key),
        Ok(bytes) => Err(malformed("Sec-WebSocket-Key", expected, format!("{} bytes", bytes.len()))),
        Err(_) => Err(malformed("Sec-WebSocket-Key", expected, "not base64")),
    }
}

/// The resource name (§3): path and query of a target that is one, or of a whole URI (RFC 9112 §3.2).
fn resource(target: &str) -> Result<Cow<'_, str>, ParseError> {
    let wrong =
        || malformed("request target", "a path, or an http URI (RFC 6455 §4.2.1)", format!("{target:?}"));
    if target.contains('#') {
        return Err(wrong());
    }
    if target.starts_with('/') {
        return Ok(target.into());
    }
    let after_scheme = target
        .split_once("://")
        .filter(|(scheme, _)| {
            ["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme))
        })
        .map(|(_, rest)| rest)
        .ok_or_else(wrong)?;
    let (host, path) = after_scheme.split_at(after_scheme.find(['/', '?']).unwrap_or(after_scheme.len()));
    match (host, path) {
        ("", _) => Err(wrong()),
        // An empty path means "/" (RFC 9110 §4.2.3).
        (_, "") => Ok("/".into()),
        (_, path) if path.starts_with('/') => Ok(path.into()),
        // Nor need there be one before a query (RFC 3986 §3.3, RFC 9112 §3.2.1).
        (_, query) => Ok(format!("/{query}").into()),
    }
}

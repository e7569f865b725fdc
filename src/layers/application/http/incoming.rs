//! A request as its server has it: what was asked for, from where, and whether it may have it.
//!
//! A [`Gate`] decides before anything else is done: before a WebSocket's 101 (RFC 6455 §4.2.2), before an Engine.IO
//! session. What it refuses is answered with a [`Rejection`], which is an HTTP response like any other.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::{Headers, RequestHead, ResponseHead};

/// A request that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Its request line and header fields.
    pub head: RequestHead,
    /// The other end of the connection: the client's, or that of a proxy before the server. `None` where connections
    /// have no addresses.
    pub address: Option<SocketAddr>,
    /// It came over TLS.
    pub is_secure: bool,
}

impl Incoming {
    /// A request from nowhere in particular.
    pub fn new(head: RequestHead) -> Self {
        Incoming { head, address: None, is_secure: false }
    }

    /// And from this address.
    #[must_use]
    pub fn from_address(self, address: Option<SocketAddr>) -> Self {
        Incoming { address, ..self }
    }

    /// The value of its first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)
    }

    /// What is asked for, without the query: at least `/`.
    pub fn path(&self) -> &str {
        split_target(&self.head.target).0
    }

    /// The query as it was sent, without its question mark; empty when there is none.
    pub fn query(&self) -> &str {
        split_target(&self.head.target).1
    }

    /// The parameters of the query, decoded, in order (URL Standard, "application/x-www-form-urlencoded parsing").
    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let pairs = self.query().split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decode(n), decode(v)))
    }

    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Its cookies, in order (RFC 6265 §4.2.1); a value loses the quotes around it.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.head.headers.get_all("Cookie").flat_map(|value| value.split(';'));
        pairs.filter_map(|pair| pair.split_once('=')).map(|(name, value)| {
            let value = value.trim_matches([' ', '\t']);
            let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            (name.trim_matches([' ', '\t']), bare.unwrap_or(value))
        })
    }

    /// The first cookie of this name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies().find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// The path of a request's target and its query, whether it is a path or a whole URI (RFC 9112 §3.2.1, §3.2.2). An
/// empty path means `/` (RFC 9110 §4.2.3).
pub(crate) fn split_target(target: &str) -> (&str, &str) {
    let local = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => &rest[rest.find(['/', '?']).unwrap_or(rest.len())..],
        _ => target,
    };
    match local.split_once('?').unwrap_or((local, "")) {
        ("", query) => ("/", query),
        both => both,
    }
}

/// A name or value of a query: `+` is a space, `%41` a byte. What is no UTF-8 then is replaced.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return text.into();
    }
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)),
            _ => None,
        };
        let (byte, left) = match (first, escaped) {
            (_, Some((high, low))) => (high << 4 | low, &rest[3..]),
            (b'+', _) => (b' ', after),
            (other, _) => (other, after),
        };
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        .into()
}

/// Why a request is refused, as the response that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status: 401, 403, 429, or a redirect's.
    pub status: u16,
    /// Further fields, such as `WWW-Authenticate` with 401 (RFC 9110 §11.6.1). Those about the body and the connection
    /// are the server's to write.
    pub headers: Headers,
    /// Words for people, or anything else.
    pub body: Bytes,
}

impl Rejection {
    /// With this status and no more. One that refuses nothing (below 300, above 599) is answered as 403.
    pub fn new(status: u16) -> Self {
        let status = if (300..600).contains(&status) { status } else { 403 };
        Rejection { status, headers: Headers::new(), body: Bytes::new() }
    }

    /// 401 with a challenge, such as `Bearer` or `Basic realm="chat"` (RFC 9110 §15.5.2, §11.6.1).
    pub fn unauthorized(challenge: &str) -> Self {
        Rejection::new(401).header("WWW-Authenticate", challenge)
    }

    /// With one more field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// With a body; as text when no field says what it is.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Rejection { body: body.into(), ..self }
    }

    /// The fields that the program may choose.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter(|(name, _)| !is_framing(name))
    }

    /// The head of the response, after which and its body the connection is to be closed. Fields that cannot be sent are
    /// left out with all others: the refusal itself stands.
    pub fn response(&self) -> ResponseHead {
        let mut headers = Headers::new();
        if !self.body.is_empty() && self.headers.get("Content-Type").is_none() {
            headers.push("Content-Type", "text/plain; charset=UTF-8");
        }
        self.own_headers().for_each(|(name, value)| headers.push(name, value));
        let length = self.body.len().to_string();
        let headers = headers.sendable();
        ResponseHead::new(self.status, headers.with("Content-Length", length).with("Connection", "close"))
    }
}

/// Whether a field is about how a message is sent, not about what it says.
fn is_framing(name: &str) -> bool {
    ["Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Trailer"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
}

/// A program's decision about a request: the fields to go with the answer, such as a cookie, or a [`Rejection`].
///
/// ```
/// use netlayers::layers::application::http::{Gate, Headers, Incoming, Rejection, RequestHead};
///
/// let gate = Gate::new(|request: &Incoming| match request.header("Authorization") {
///     Some("Bearer secret") => Ok(Headers::new()),
///     _ => Err(Rejection::unauthorized("Bearer")),
/// });
/// let request = Incoming::new(RequestHead::new("GET", "/chat", Headers::new()));
/// assert_eq!(gate.ask(&request).unwrap_err().status, 401);
/// ```
#[derive(Clone)]
pub struct Gate(Arc<Decide>);

type Decide = dyn Fn(&Incoming) -> Result<Headers, Rejection> + Send + Sync;

impl Gate {
    /// A gate that asks `decide` about each request.
    pub fn new(decide: impl Fn(&Incoming) -> Result<Headers, Rejection> + Send + Sync + 'static) -> Self {
        Gate(Arc::new(decide))
    }

    /// Asks it.
    ///
    /// # Errors
    /// The program's [`Rejection`].
    pub fn ask(&self, request: &Incoming) -> Result<Headers, Rejection> {
        (self.0)(request)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(target: &str) -> Incoming {
        Incoming::new(RequestHead::new("GET", target, Headers::new()))
    }

    #[test]
    fn a_target_is_a_path_or_a_whole_uri_and_either_may_have_a_query() {
        for (target, path, query) in [
            ("/a?x=1", "/a", "x=1"),
            ("/a", "/a", ""),
            ("http://host?x=1", "/", "x=1"),
            ("http://host", "/", ""),
            ("http://host/a/?x=/", "/a/", "x=/"),
            ("/a?to=http://host/b", "/a", "to=http://host/b"),
            ("/a://b?c", "/a://b", "c"),
            ("?x=1", "/", "x=1"),
        ] {
            assert_eq!(split_target(target), (path, query), "{target}");
        }
    }

    #[test]
    fn parameters_are_decoded_once_and_kept_in_order() {
        let request = get("/?%26a=%26%3D%3Fa&b=1&b=2+3&c&=d&e=%zz%4&f=%C3%A4%FF");
        let pairs: Vec<_> = request.parameters().map(|(n, v)| format!("{n}:{v}")).collect();
        assert_eq!(pairs, ["&a:&=?a", "b:1", "b:2 3", "c:", ":d", "e:%zz%4", "f:ä\u{fffd}"]);
        assert_eq!(request.parameter("b").as_deref(), Some("1"));
        assert_eq!(request.parameter("B"), None);
    }

    #[test]
    fn cookies_are_pairs_and_quotes_are_no_part_of_a_value() {
        let headers = Headers::new().with("Cookie", "a=1; b=\"2\";c=x=y; alone").with("cookie", "a=3");
        let request = Incoming::new(RequestHead::new("GET", "/", headers));
        assert_eq!(request.cookies().collect::<Vec<_>>(), [("a", "1"), ("b", "2"), ("c", "x=y"), ("a", "3")]);
        assert_eq!((request.cookie("a"), request.cookie("alone")), (Some("1"), None));
    }

    #[test]
    fn a_rejection_is_a_whole_response_whatever_its_program_gave_it() {
        let wanted =
            Rejection::unauthorized("Bearer realm=\"chat\"").header("Content-Length", "7").body("no\n");
        assert_eq!(
            wanted.response().emit().unwrap(),
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; charset=UTF-8\r\n\
             WWW-Authenticate: Bearer realm=\"chat\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        );
        let smuggled = Rejection::new(101).header("X", "a\r\nSet-Cookie: b");
        assert_eq!(
            smuggled.response().emit().unwrap(),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn any_target_can_be_looked_into(target in "[ -~]{0,40}") {
            let request = get(&target);
            prop_assert!(!request.path().is_empty());
            prop_assert!(request.parameters().count() <= target.len());
        }
    }
}

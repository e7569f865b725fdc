//! What an HTTP request asks of Engine.IO, whether it may, and how it is answered.

use bytes::Bytes;

use super::PROTOCOL;
use crate::layers::application::http::{Headers, Rejection, RequestHead, ResponseHead, Version};

/// What a request asks for, of which session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask<S> {
    /// Open a session by polling.
    Open,
    /// Wait for what a session has to say.
    Poll(S),
    /// Say something in a session.
    Post(S),
    /// Open a WebSocket, for a new session or to upgrade one.
    Socket(Option<S>),
    /// May a page of another origin ask at all? (Fetch standard, "CORS-preflight")
    Preflight,
}

/// An error of Engine.IO: its code and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Code 0: no `transport` that there is.
    #[error("Transport unknown")]
    TransportUnknown,
    /// Code 1: no session has this id.
    #[error("Session ID unknown")]
    SessionUnknown,
    /// Code 2: a session is opened with GET.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// Code 3: anything else that is wrong.
    #[error("Bad request")]
    BadRequest,
    /// Code 4: pages of this origin may not.
    #[error("Forbidden")]
    Forbidden,
    /// Code 5: only version 4 is spoken here.
    #[error("Unsupported protocol version")]
    UnsupportedVersion,
}

impl Refusal {
    /// The number that clients know it by.
    pub const fn code(self) -> u8 {
        match self {
            Refusal::TransportUnknown => 0,
            Refusal::SessionUnknown => 1,
            Refusal::BadHandshakeMethod => 2,
            Refusal::BadRequest => 3,
            Refusal::Forbidden => 4,
            Refusal::UnsupportedVersion => 5,
        }
    }

    /// The HTTP status code of the response.
    pub const fn status(self) -> u16 {
        match self {
            Refusal::Forbidden => 403,
            _ => 400,
        }
    }

    /// The body of the answer.
    pub fn json(self) -> Bytes {
        format!(r#"{{"code":{},"message":"{self}"}}"#, self.code()).into()
    }
}

/// The web pages whose scripts may use the server. A request without an Origin field comes from no browser, and
/// a client that is not a browser could send any (RFC 6455 §10.2): it passes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// Pages from the same host as the request, and from this machine.
    #[default]
    SameHostAndLoopback,
    /// These besides, such as `https://example.org`.
    These(Vec<String>),
    /// Pages of any origin.
    Any,
}

impl Origins {
    /// Whether a request from such a page passes.
    pub fn allow(&self, head: &RequestHead) -> bool {
        let Some(origin) = head.headers.get("Origin") else { return true };
        let same = || {
            let host = origin.split_once("://").map(|(_, host)| host);
            let name = host.map_or("", |host| {
                host.rsplit_once(':').map_or(host, |(name, port)| {
                    if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host }
                })
            });
            let loopback = name == "localhost"
                || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
            loopback
                || matches!((host, head.headers.get("Host")), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
        };
        match self {
            Origins::Any => true,
            Origins::SameHostAndLoopback => same(),
            Origins::These(these) => these.iter().any(|one| one.eq_ignore_ascii_case(origin)) || same(),
        }
    }
}

/// The value of a parameter of a query. The values looked for here need no percent-encoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// Judges a request for an endpoint's path; `find` knows the endpoint's sessions by their ids. Of several errors the
/// first counts, in the order of the other servers, so that clients get the same code everywhere.
pub(super) fn judge<S>(
    head: &RequestHead,
    query: &str,
    origins: &Origins,
    find: impl FnOnce(&str) -> Option<S>,
) -> Result<Ask<S>, Refusal> {
    if !origins.allow(head) {
        return Err(Refusal::Forbidden);
    }
    if head.method == "OPTIONS" {
        return Ok(Ask::Preflight);
    }
    let upgrade = head.headers.has_token("Upgrade", "websocket");
    let websocket = match parameter(query, "transport") {
        Some("polling") => false,
        Some("websocket") => true,
        _ => return Err(Refusal::TransportUnknown),
    };
    // An empty id is none.
    let session = match parameter(query, "sid").filter(|sid| !sid.is_empty()) {
        Some(sid) => Some(find(sid).ok_or(Refusal::SessionUnknown)?),
        None => None,
    };
    if session.is_none() {
        if head.method != "GET" {
            return Err(Refusal::BadHandshakeMethod);
        }
        if websocket && !upgrade {
            return Err(Refusal::BadRequest);
        }
        if parameter(query, "EIO") != Some("4") {
            return Err(Refusal::UnsupportedVersion);
        }
    }
    match (websocket, session, head.method.as_str()) {
        (true, session, "GET") if upgrade => Ok(Ask::Socket(session)),
        (false, _, _) if upgrade => Err(Refusal::BadRequest),
        (false, None, _) => Ok(Ask::Open),
        (false, Some(session), "GET") => Ok(Ask::Poll(session)),
        (false, Some(session), "POST") => Ok(Ask::Post(session)),
        _ => Err(Refusal::BadRequest),
    }
}

/// What of a request its answer depends on.
#[derive(Debug, Clone, Default)]
pub(super) struct Answering {
    /// The page that may read the answer.
    origin: Option<String>,
    /// The connection stays open for the next request (RFC 9112 §9.3).
    pub(super) keep_alive: bool,
    /// No body is sent (RFC 9110 §9.3.2).
    head_only: bool,
    /// What the program's gate adds to the answer.
    pub(super) added: Headers,
}

impl Answering {
    pub(super) fn of(head: &RequestHead, origins: &Origins) -> Self {
        let keep_alive = head.version >= Version::Http11 && !head.headers.has_token("Connection", "close");
        let origin = head.headers.get("Origin").filter(|_| origins.allow(head)).map(str::to_owned);
        Answering { origin, keep_alive, head_only: head.method == "HEAD", added: Headers::new() }
    }

    /// A whole response, as the pieces to be written.
    pub(super) fn write(&self, status: u16, content_type: &str, extra: &Headers, body: &Bytes) -> Vec<Bytes> {
        let mut headers = Headers::new();
        if status != 204 {
            headers.push("Content-Type", content_type);
            headers.push("Content-Length", body.len().to_string());
            headers.push("Cache-Control", "no-store");
        }
        if let Some(origin) = &self.origin {
            headers.push("Access-Control-Allow-Origin", origin);
            headers.push("Access-Control-Allow-Credentials", "true");
            headers.push("Vary", "Origin");
        }
        for (name, value) in extra.iter().chain(self.added.iter()) {
            headers.push(name, value);
        }
        headers.push("Connection", if self.keep_alive { "keep-alive" } else { "close" });
        // An origin that a field may hold was read from one; nothing else here comes from the peer. What the gate adds
        // was looked at when it came.
        let head = ResponseHead::new(status, headers).emit().unwrap_or_default();
        if self.head_only || body.is_empty() { vec![head] } else { vec![head, body.clone()] }
    }

    /// The answer to a preflight: the methods and fields that are taken anyway.
    pub(super) fn preflight(&self, head: &RequestHead) -> Vec<Bytes> {
        let asked = head.headers.get("Access-Control-Request-Headers").unwrap_or("Content-Type");
        let extra = Headers::new()
            .with("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
            .with("Access-Control-Allow-Headers", asked)
            .with("Access-Control-Max-Age", "600");
        self.write(204, "", &extra, &Bytes::new())
    }

    /// The answer to a request that the program refuses: in Engine.IO's words when it has none of its own.
    pub(super) fn reject(&self, rejection: &Rejection) -> Vec<Bytes> {
        let headers = rejection.response().headers;
        let (own, body) = match rejection.body.is_empty() {
            true => ("application/json", Refusal::Forbidden.json()),
            false => {
                (headers.get("Content-Type").unwrap_or("text/plain; charset=UTF-8"), rejection.body.clone())
            }
        };
        let written = |name: &str| {
            ["Content-Type", "Content-Length", "Connection"].iter().any(|own| own.eq_ignore_ascii_case(name))
        };
        let mut extra = Headers::new();
        headers.iter().filter(|(name, _)| !written(name)).for_each(|(name, value)| extra.push(name, value));
        self.write(rejection.status, own, &extra, &body)
    }

    /// The answer to a request that is refused.
    pub(super) fn refuse(&self, refusal: Refusal) -> Vec<Bytes> {
        self.write(refusal.status(), "application/json", &Headers::new(), &refusal.json())
    }
}

/// An answer to a head or body that could not be read, after which the connection is closed. A body that is too long is
/// Engine.IO's own affair, and its clients report the answer to programs that expect no words with that.
pub(super) fn plain(status: u16) -> Vec<Bytes> {
    let words = match status {
        413 => Bytes::new(),
        _ => format!("{status} {PROTOCOL} server\n").into(),
    };
    Answering::default().write(status, "text/plain; charset=UTF-8", &Headers::new(), &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, query: &str) -> Result<Ask<()>, Refusal> {
        let head =
            RequestHead::new(method, format!("/engine.io/?{query}"), Headers::new().with("Host", "h:1"));
        judge(&head, query, &Origins::default(), |sid| (sid == "x").then_some(()))
    }

    #[test]
    fn every_error_has_its_code() {
        assert_eq!(request("GET", "EIO=4&transport=polling"), Ok(Ask::Open));
        assert_eq!(request("GET", "EIO=4"), Err(Refusal::TransportUnknown));
        assert_eq!(request("GET", "EIO=4&transport=abc"), Err(Refusal::TransportUnknown));
        assert_eq!(request("GET", "transport=polling"), Err(Refusal::UnsupportedVersion));
        assert_eq!(request("GET", "EIO=3&transport=polling"), Err(Refusal::UnsupportedVersion));
        assert_eq!(request("POST", "EIO=4&transport=polling"), Err(Refusal::BadHandshakeMethod));
        assert_eq!(request("PUT", "EIO=4&transport=polling&sid=x"), Err(Refusal::BadRequest));
        assert_eq!(request("GET", "EIO=4&transport=websocket"), Err(Refusal::BadRequest));
        assert_eq!(request("GET", "EIO=4&transport=websocket&sid=x"), Err(Refusal::BadRequest));
        assert_eq!(Refusal::SessionUnknown.json(), r#"{"code":1,"message":"Session ID unknown"}"#);
    }

    #[test]
    fn a_session_that_is_unknown_is_the_first_thing_wrong_and_an_empty_id_is_none() {
        for transport in ["polling", "websocket"] {
            for method in ["GET", "POST", "PUT"] {
                let query = format!("transport={transport}&sid=y");
                assert_eq!(request(method, &query), Err(Refusal::SessionUnknown), "{method} {query}");
            }
        }
        assert_eq!(request("GET", "EIO=4&transport=polling&sid="), Ok(Ask::Open));
        assert_eq!(request("POST", "EIO=4&transport=polling&sid="), Err(Refusal::BadHandshakeMethod));
        assert_eq!(request("GET", "EIO=4&transport=polling&sid=x"), Ok(Ask::Poll(())));
    }

    #[test]
    fn pages_of_this_host_and_of_this_machine_may_and_others_not() {
        let allowed = |origins: &Origins, origin: &str| {
            let headers = Headers::new().with("Host", "chat.example:8080").with("Origin", origin);
            origins.allow(&RequestHead::new("GET", "/", headers))
        };
        let usual = Origins::default();
        for good in
            ["http://chat.example:8080", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"]
        {
            assert!(allowed(&usual, good), "{good}");
        }
        for bad in
            ["http://chat.example", "http://evil.example", "null", "http://localhost.evil.example:1", ""]
        {
            assert!(!allowed(&usual, bad), "{bad}");
        }
        assert!(allowed(&Origins::These(vec!["https://a.example".into()]), "https://a.example"));
        assert!(allowed(&Origins::Any, "http://evil.example"));
    }
}

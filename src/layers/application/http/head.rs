//! The head of a request and of a response: the start line and the header fields (RFC 9112 §2.1, §3, §4).

use bytes::Bytes;

use crate::base::{ErrorKind, ParseError};

use super::headers::{is_token_byte, is_value_byte, malformed, misuse, show};
use super::parser::{Head, HeadError, HeadParser, Limits, Progress};
use super::{Headers, is_token};

/// What a client asks: `GET /chat HTTP/1.1` and header fields (RFC 9112 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// What to do, such as `GET`; case matters (RFC 9110 §9.1).
    pub method: String,
    /// What to do it to, as it was sent: `/chat?room=1`, `http://host/chat`, `host:443` or `*` (RFC 9112 §3.2).
    pub target: String,
    /// The version of the client.
    pub version: Version,
    /// The header fields, in order.
    pub headers: Headers,
}

/// What a server answers: `HTTP/1.1 101 Switching Protocols` and header fields (RFC 9112 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version of the server.
    pub version: Version,
    /// Three digits, of which the first gives the class (RFC 9110 §15).
    pub status: u16,
    /// Words for people; may be empty.
    pub reason: String,
    /// The header fields, in order.
    pub headers: Headers,
}

/// The versions whose messages have the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0, which knows no upgrade.
    Http10,
    /// HTTP/1.1, and any later 1.x, which is to be read as 1.1 (RFC 9110 §2.5).
    Http11,
}

impl RequestHead {
    /// A request in HTTP/1.1.
    pub fn new(method: impl Into<String>, target: impl Into<String>, headers: Headers) -> Self {
        RequestHead { method: method.into(), target: target.into(), version: Version::Http11, headers }
    }

    /// Reads one head from the front of `bytes`, within the usual [`Limits`], and says how many bytes it took.
    ///
    /// # Errors
    /// Incomplete when the empty line has not come yet; malformed with the status to answer.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), HeadError> {
        parse_whole(bytes)
    }

    /// The head as bytes.
    ///
    /// # Errors
    /// Misuse when a part of it has characters that it must not have.
    pub fn emit(&self) -> Result<Bytes, ParseError> {
        if !is_token(&self.method) {
            return Err(misuse("method", "a token (RFC 9110 §9.1)", &self.method));
        }
        if self.target.is_empty() || !self.target.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(misuse("request target", "visible ASCII without spaces", &self.target));
        }
        let mut out = format!("{} {} {}\r\n", self.method, self.target, self.version.text()).into_bytes();
        self.headers.write(&mut out)?;
        Ok(out.into())
    }

    /// The host that the request is for: an HTTP/1.1 request has exactly one Host field, one of HTTP/1.0 may have
    /// none (RFC 9112 §3.2), which is an empty name.
    ///
    /// # Errors
    /// Malformed, to be answered with 400, when there is more than one, or none where there has to be.
    pub fn host(&self) -> Result<&str, HeadError> {
        let missing = || malformed("Host", "a Host field (RFC 9112 §3.2)", "none");
        let unsaid = (self.version < Version::Http11).then_some("");
        let wrong =
            |host: &str| malformed("Host", "a host and perhaps a port (RFC 9112 §3.2)", format!("{host:?}"));
        self.headers
            .get_single("Host")
            .and_then(|host| host.or(unsaid).ok_or_else(missing))
            .and_then(|host| if is_host(host) { Ok(host) } else { Err(wrong(host)) })
            .map_err(|error| HeadError { status: 400, error })
    }

    /// Whether the Host field names this machine by one of its loopback addresses or names (RFC 6761 §6.3). A page from
    /// elsewhere whose own name was made to resolve here (DNS rebinding) asks for that name.
    pub fn is_for_loopback(&self) -> bool {
        let Ok(host) = self.host() else { return false };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let name = name.to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Whether a Host field's value is a name or an address, with a port or without (RFC 9110 §7.2, RFC 3986 §3.2.2); it
/// may be empty.
fn is_host(value: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = value.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        let is_address = !address.is_empty()
            && address
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b":.-_~!$&'()*+,;=%".contains(&byte));
        return is_address && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = value.split_once(':').unwrap_or((value, ""));
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    name.bytes().all(in_name) && is_port(port)
}

impl ResponseHead {
    /// A response in HTTP/1.1, with the reason phrase that RFC 9110 §15 has for the status.
    pub fn new(status: u16, headers: Headers) -> Self {
        ResponseHead { version: Version::Http11, status, reason: reason_phrase(status).into(), headers }
    }

    /// Reads one head from the front of `bytes`, within the usual [`Limits`], and says how many bytes it took.
    ///
    /// # Errors
    /// Incomplete when the empty line has not come yet; malformed when the server broke a rule.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), HeadError> {
        parse_whole(bytes)
    }

    /// The head as bytes.
    ///
    /// # Errors
    /// Misuse when a part of it has characters that it must not have.
    pub fn emit(&self) -> Result<Bytes, ParseError> {
        if !(100..=999).contains(&self.status) {
            return Err(misuse("status code", "three digits (RFC 9112 §4)", &self.status.to_string()));
        }
        if !self.reason.chars().all(|c| u8::try_from(c).is_ok_and(is_value_byte)) {
            return Err(misuse("reason phrase", "no control characters", &self.reason));
        }
        let mut out = format!("{} {} ", self.version.text(), self.status).into_bytes();
        out.extend(self.reason.chars().map(|c| c as u8));
        out.extend_from_slice(b"\r\n");
        self.headers.write(&mut out)?;
        Ok(out.into())
    }
}

impl Version {
    fn text(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }

    /// `HTTP/`, a digit, a dot, a digit (RFC 9112 §2.3).
    fn parse(bytes: &[u8], at: usize) -> Result<Version, HeadError> {
        let wrong = |status, expected| HeadError {
            status,
            error: ParseError {
                offset: at,
                ..malformed("HTTP version", expected, String::from_utf8_lossy(&bytes[..bytes.len().min(16)]))
            },
        };
        match bytes {
            [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
                match (major, minor) {
                    (b'1', b'0') => Ok(Version::Http10),
                    (b'1', _) => Ok(Version::Http11),
                    _ => Err(wrong(505, "HTTP/1.x")),
                }
            }
            _ => Err(wrong(400, "HTTP/1.1, in capitals (RFC 9112 §2.3)")),
        }
    }
}

impl Head for RequestHead {
    const IS_REQUEST: bool = true;

    /// `method SP request-target SP HTTP-version` (RFC 9112 §3), with exactly one space each time.
    fn parse_start_line(line: &[u8], at: usize) -> Result<Self, HeadError> {
        let mut parts = line.splitn(3, |&byte| byte == b' ');
        let method = parts.next().unwrap_or_default();
        let target = parts.next().unwrap_or_default();
        let wrong = |field, offset, expected, got| HeadError {
            status: 400,
            error: ParseError { offset, ..malformed(field, expected, got) },
        };
        let bad_method = method.iter().position(|&byte| !is_token_byte(byte));
        if let Some(bad) = bad_method {
            return Err(wrong("method", at + bad, "a token (RFC 9110 §9.1)", show(method[bad])));
        }
        if method.is_empty() {
            return Err(wrong("method", at, "a token (RFC 9110 §9.1)", "nothing".into()));
        }
        let target_at = at + method.len() + 1;
        if let Some(bad) = target.iter().position(|byte| !byte.is_ascii_graphic()) {
            return Err(wrong("request target", target_at + bad, "visible ASCII", show(target[bad])));
        }
        if target.is_empty() {
            return Err(wrong("request target", target_at, "one space, then a target", "nothing".into()));
        }
        let version = Version::parse(parts.next().unwrap_or_default(), target_at + target.len() + 1)?;
        Ok(RequestHead {
            method: String::from_utf8_lossy(method).into_owned(),
            target: String::from_utf8_lossy(target).into_owned(),
            version,
            headers: Headers::new(),
        })
    }

    fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}

impl Head for ResponseHead {
    const IS_REQUEST: bool = false;

    /// `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 §4). The last space must be there, but servers
    /// that leave it out along with the reason are many, and nothing can be misread for it.
    fn parse_start_line(line: &[u8], at: usize) -> Result<Self, HeadError> {
        let mut parts = line.splitn(3, |&byte| byte == b' ');
        let version = parts.next().unwrap_or_default();
        let code = parts.next().unwrap_or_default();
        let reason = parts.next().unwrap_or_default();
        let wrong = |field, offset, expected, got| HeadError {
            status: 502,
            error: ParseError { offset, ..malformed(field, expected, got) },
        };
        let code_at = at + version.len() + 1;
        let reason_at = code_at + code.len() + 1;
        let version = Version::parse(version, at).map_err(|e| HeadError { status: 502, ..e })?;
        let status = match code {
            [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => {
                code.iter().fold(0, |n, &digit| n * 10 + u16::from(digit - b'0'))
            }
            _ => {
                let got = String::from_utf8_lossy(&code[..code.len().min(16)]).into_owned();
                return Err(wrong("status code", code_at, "three digits (RFC 9112 §4)", got));
            }
        };
        if let Some(bad) = reason.iter().position(|&byte| !is_value_byte(byte)) {
            return Err(wrong("reason phrase", reason_at + bad, "no control characters", show(reason[bad])));
        }
        let reason = reason.iter().map(|&byte| char::from(byte)).collect();
        Ok(ResponseHead { version, status, reason, headers: Headers::new() })
    }

    fn headers_mut(&mut self) -> &mut Headers {
        &mut self.headers
    }
}

fn parse_whole<H: Head>(bytes: &[u8]) -> Result<(H, usize), HeadError> {
    let mut parser = HeadParser::new(Limits::default());
    match parser.feed(bytes)? {
        Progress::Done { head, consumed } => Ok((head, consumed)),
        Progress::NeedMore => Err(parser.cut_short()),
    }
}

/// The reason phrases of the statuses that are used here (RFC 9110 §15, RFC 6585 §5).
fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

impl HeadError {
    /// True when more bytes could still make it right.
    pub fn is_incomplete(&self) -> bool {
        self.error.kind == ErrorKind::Incomplete
    }
}

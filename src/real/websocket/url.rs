//! Where to connect: `ws://host:port/path?query` (RFC 6455 §3).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::WebSocketError;

/// A WebSocket address. TLS (`wss:`) is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Name or number of the host, without the brackets of IPv6.
    pub host: String,
    /// The port: 80 when none was given (§3).
    pub port: u16,
    /// Path and query: at least `/`.
    pub resource: String,
}

impl Url {
    /// The value of the Host field: without the port when it is the usual one (§4.1).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Url {
    type Err = WebSocketError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |expected| WebSocketError::Url { got: text.to_owned(), expected };
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| wrong("it must look like ws://host:port/path"))?;
        if scheme.eq_ignore_ascii_case("wss") {
            return Err(wrong("TLS is not spoken here, only ws://"));
        }
        if !scheme.eq_ignore_ascii_case("ws") {
            return Err(wrong("it must begin with ws://"));
        }
        // §3: a fragment has no meaning, and a # in a path must be written %23.
        if rest.contains('#') {
            return Err(wrong("a fragment (#...) has no meaning here (RFC 6455 §3)"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(wrong("no user name before the host"));
        }
        // RFC 3986 §3.2.2: an address with colons in it stands in brackets, so that the port's colon is known.
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or_else(|| wrong("a [ without its ]"))?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        if authority.starts_with('[') && !host.parse::<IpAddr>().is_ok_and(|host| host.is_ipv6()) {
            return Err(wrong("only an address of IPv6 stands in brackets"));
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 80,
            None => return Err(wrong("after the ] comes a colon and the port, or nothing")),
            Some(more) if more.contains(':') => {
                return Err(wrong("an address of IPv6 stands in brackets: [::1]"));
            }
            // §3.2.3: a port that is left out may leave its colon. A number alone would also take a plus sign.
            Some("") => 80,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| wrong("the port must be a number up to 65535"))?
            }
            Some(_) => return Err(wrong("the port must be a number up to 65535")),
        };
        if host.is_empty() {
            return Err(wrong("there is no host in it"));
        }
        let resource = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Url { host: host.to_owned(), port, resource })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}{}", self.authority(), self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, host, port, resource) in [
            ("ws://a", "a", 80, "/"),
            ("WS://a.example:9001/x/y?z=1", "a.example", 9001, "/x/y?z=1"),
            ("ws://127.0.0.1:80?q", "127.0.0.1", 80, "/?q"),
            ("ws://[::1]:7/", "::1", 7, "/"),
            ("ws://[::1]", "::1", 80, "/"),
            ("ws://[::1]:", "::1", 80, "/"),
            ("ws://a:?q", "a", 80, "/?q"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.resource.as_str()),
                (host, port, resource),
                "{text}"
            );
            assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
        }
        for bad in [
            "",
            "a",
            "http://a",
            "wss://a",
            "ws://",
            "ws://:1/",
            "ws://a:x/",
            "ws://a:99999",
            "ws://a:+1/",
            "ws://a:1:2/",
            "ws://::1/",
            "ws://[::1/",
            "ws://[::1]80/",
            "ws://[a]/",
            "ws://[]/",
            "ws://a/#b",
        ] {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }
}

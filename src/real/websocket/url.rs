//! Where to connect: `ws://host:port/path?query`, or `wss:` (RFC 6455 §3). The reading itself is the crate `url`'s; what is a
//! WebSocket address and what is not is decided here.

use std::fmt;
use std::str::FromStr;

use super::WebSocketError;

/// A WebSocket address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// By TLS: `wss:`.
    pub secure: bool,
    /// Name or number of the host, without the brackets of IPv6.
    pub host: String,
    /// The port: 80 when none was given, with TLS 443 (§3).
    pub port: u16,
    /// Path and query: at least `/`.
    pub resource: String,
}

impl Url {
    /// The value of the Host field: without the port when it is the usual one (§4.1).
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == usual_port(self.secure) { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Url {
    type Err = WebSocketError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |expected| WebSocketError::Url { got: text.to_owned(), expected };
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| wrong("it must look like ws://host:port/path"))?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(wrong("it must begin with ws:// or wss://"));
        }
        // The crate corrects what browsers correct: it would find a host in the path.
        if rest.starts_with(['/', '?', '#', '\\', ':']) || rest.is_empty() {
            return Err(wrong("there is no host in it"));
        }
        let url = url::Url::parse(text).map_err(|error| wrong(why(error)))?;
        // §3: a fragment has no meaning, and a # in a path must be written %23.
        if url.fragment().is_some() {
            return Err(wrong("a fragment (#...) has no meaning here (RFC 6455 §3)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("no user name before the host"));
        }
        let host = match url.host() {
            // In Unicode it would be another name for the same: names on the wire are ASCII.
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(address)) => address.to_string(),
            Some(url::Host::Ipv6(address)) => address.to_string(),
            None => return Err(wrong("there is no host in it")),
        };
        let query = url.query().map_or(String::new(), |query| format!("?{query}"));
        let resource = format!("{}{query}", url.path());
        Ok(Url { secure, host, port: url.port().unwrap_or(usual_port(secure)), resource })
    }
}

/// The port when none is given (§3).
fn usual_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// What was expected where the crate gave up.
fn why(error: url::ParseError) -> &'static str {
    match error {
        url::ParseError::InvalidPort => {
            "the port must be a number up to 65535, and an address of IPv6 in brackets: [::1]"
        }
        url::ParseError::InvalidIpv6Address => "only an IPv6 address is in brackets, closed by ]",
        url::ParseError::InvalidIpv4Address => "an address of IPv4 is four numbers up to 255",
        url::ParseError::EmptyHost => "there is no host in it",
        url::ParseError::IdnaError | url::ParseError::InvalidDomainCharacter => {
            "a host name has letters, digits, dots and dashes"
        }
        _ => "it must look like ws://host:port/path",
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.resource)
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
            ("ws://grüße.example/ä", "xn--gre-6ka8l.example", 80, "/%C3%A4"),
            ("wss://a.example/x", "a.example", 443, "/x"),
            ("wss://a:80/", "a", 80, "/"),
            ("ws://a:443/", "a", 443, "/"),
            ("ws://[0:0::1]/", "::1", 80, "/"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.resource.as_str()),
                (host, port, resource),
                "{text}"
            );
            assert_eq!(url.secure, text.starts_with("wss"), "{text}");
            assert_eq!(url.to_string().parse::<Url>().unwrap(), url);
        }
        for bad in [
            "",
            "a",
            "http://a",
            "wss://",
            "wsss://a",
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
            "ws://u:p@a/",
            "ws:///a",
            "ws://a b/",
            "ws://1.2.3.999/",
        ] {
            assert!(bad.parse::<Url>().is_err(), "{bad}");
        }
    }
}

//! `--filter`: which packets to show.
//!
//! ```text
//! expression = term { "or" term }
//! term       = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | "host" ADDRESS | "port" NUMBER | NAME
//! ```
//!
//! A name is that of a protocol or of a layer, and takes the packets that have a header of it.

use std::net::IpAddr;

use super::CliError;
use crate::base::Layer;
use crate::view::dissect::{AppPiece, Packet, Role, What};
use crate::view::look::escape;

/// The protocols that can be asked for.
const PROTOCOLS: [&str; 26] = [
    "ethernet",
    "802.3",
    "vlan",
    "llc",
    "snap",
    "mpls",
    "pppoe",
    "ppp",
    "arp",
    "ip",
    "ipv4",
    "ipv6",
    "icmp",
    "icmpv6",
    "gre",
    "fragment",
    "tcp",
    "udp",
    "quic",
    "http",
    "websocket",
    "tls",
    "dns",
    "dhcp",
    "engine.io",
    "socket.io",
];

/// So deep may parentheses be nested.
const MOST_DEPTH: usize = 64;

/// A condition on packets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Protocol(String),
    Layer(Layer),
    Host(IpAddr),
    Port(u16),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

impl Filter {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Filter, CliError> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<String> = spaced.split_whitespace().map(str::to_lowercase).collect();
        let mut parser = Parser { words: &words, at: 0, depth: 0 };
        let filter = parser.expression()?;
        match parser.next() {
            None => Ok(filter),
            Some(word) => Err(wrong("`and`, `or` or the end", word)),
        }
    }

    /// Whether a packet passes.
    pub(super) fn takes(&self, packet: &Packet) -> bool {
        match self {
            Filter::Protocol(name) => has_protocol(packet, name),
            Filter::Layer(layer) => {
                packet.dissection.parts.iter().any(|part| part.role == Role::Header && part.layer == *layer)
            }
            Filter::Host(host) => hosts(packet).contains(host),
            Filter::Port(wanted) => {
                let summary = &packet.summary;
                [&summary.source, &summary.destination].iter().any(|end| port(end) == Some(*wanted))
            }
            Filter::Not(filter) => !filter.takes(packet),
            Filter::And(one, other) => one.takes(packet) && other.takes(packet),
            Filter::Or(one, other) => one.takes(packet) || other.takes(packet),
        }
    }
}

fn has_protocol(packet: &Packet, name: &str) -> bool {
    let header = |wanted: &str| {
        packet.dissection.parts.iter().any(|part| {
            part.role == Role::Header
                && (part.protocol.eq_ignore_ascii_case(wanted)
                    // "IPv6 fragment", "IPv6 routing" and their kin.
                    || part.protocol.split(' ').any(|word| word.eq_ignore_ascii_case(wanted)))
        })
    };
    let said = || match &packet.summary.what {
        What::Tcp(tcp) => tcp.application.iter().any(|piece| match piece {
            AppPiece::Message { protocol, .. } => protocol.eq_ignore_ascii_case(name),
            AppPiece::WsContinuationOfFrame { .. } => name == "websocket",
            _ => false,
        }),
        What::Fragment { .. } => name == "fragment",
        _ => false,
    };
    match name {
        "ip" => header("ipv4") || header("ipv6"),
        name => packet.summary.protocol.eq_ignore_ascii_case(name) || header(name) || said(),
    }
}

/// All addresses that a packet has: of its ends, of what it asks for, and of the headers around it.
fn hosts(packet: &Packet) -> Vec<IpAddr> {
    let summary = &packet.summary;
    let mut hosts: Vec<IpAddr> = [&summary.source, &summary.destination]
        .iter()
        .filter_map(|end| {
            let socket = end.parse::<std::net::SocketAddr>().map(|end| end.ip());
            socket.or_else(|_| end.parse()).ok()
        })
        .collect();
    if let What::Arp { sender, target, .. } = summary.what {
        hosts.extend([sender, target]);
    }
    let headers = packet.dissection.parts.iter().filter(|part| part.layer == Layer::Internet);
    let ends = headers.flat_map(|part| ["source", "destination"].map(|name| part.field(name)));
    hosts.extend(ends.flatten().filter_map(|field| field.text.parse::<IpAddr>().ok()));
    hosts
}

fn port(end: &str) -> Option<u16> {
    end.parse::<std::net::SocketAddr>().ok().map(|end| end.port())
}

struct Parser<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    fn takes(&mut self, word: &str) -> bool {
        let there = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(there);
        there
    }

    fn expression(&mut self) -> Result<Filter, CliError> {
        let mut filter = self.term()?;
        while self.takes("or") || self.takes("||") {
            filter = Filter::Or(Box::new(filter), Box::new(self.term()?));
        }
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter, CliError> {
        let mut filter = self.factor()?;
        while self.takes("and") || self.takes("&&") {
            filter = Filter::And(Box::new(filter), Box::new(self.factor()?));
        }
        Ok(filter)
    }

    fn factor(&mut self) -> Result<Filter, CliError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(CliError::Usage(format!("the filter is nested more than {MOST_DEPTH} deep")));
        }
        let filter = match self.next() {
            Some("not" | "!") => Filter::Not(Box::new(self.factor()?)),
            Some("(") => {
                let inside = self.expression()?;
                if !self.takes(")") {
                    return Err(wrong("`)`", self.next().unwrap_or("the end")));
                }
                inside
            }
            Some("host") => {
                let word = self.next().unwrap_or("the end");
                Filter::Host(word.parse().map_err(|_| wrong("an IP address after `host`", word))?)
            }
            Some("port") => {
                let word = self.next().unwrap_or("the end");
                Filter::Port(word.parse().map_err(|_| wrong("a port, 0 to 65535, after `port`", word))?)
            }
            Some(word) => named(word)?,
            None => return Err(wrong("a protocol, a layer, `host` or `port`", "the end")),
        };
        self.depth -= 1;
        Ok(filter)
    }
}

fn named(word: &str) -> Result<Filter, CliError> {
    if let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.name() == word) {
        return Ok(Filter::Layer(layer));
    }
    let name = match word {
        "ws" => "websocket",
        "ip4" => "ipv4",
        "ip6" => "ipv6",
        "icmp6" => "icmpv6",
        "ssl" => "tls",
        other => other,
    };
    if PROTOCOLS.contains(&name) {
        return Ok(Filter::Protocol(name.to_owned()));
    }
    let known = PROTOCOLS.join(", ");
    Err(wrong(&format!("`host`, `port`, a layer (such as transport), or a protocol: {known}"), word))
}

fn wrong(expected: &str, got: &str) -> CliError {
    CliError::Usage(format!("--filter: expected {expected}; got {}", escape(got)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::transport::tcp::Flags;
    use crate::view::dissect::Conversations;
    use crate::view::sample;

    fn takes(filter: &str, frame: &[u8]) -> bool {
        let packet = Conversations::new().feed(frame);
        Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).takes(&packet)
    }

    #[test]
    fn protocols_layers_hosts_and_ports_choose_packets() {
        let (udp, arp) = (sample::udp(b"hello"), sample::arp_request());
        let request = sample::tcp(true, Flags::ACK, 1, 1, sample::REQUEST);
        for filter in
            ["udp", "ip", "UDP and port 53", "host 10.0.0.2", "transport", "not tcp", "(arp or udp)"]
        {
            assert!(takes(filter, &udp), "{filter}");
        }
        for filter in ["tcp", "port 54", "host 10.0.0.3", "application", "not udp", "arp or tcp and port 80"]
        {
            assert!(!takes(filter, &udp), "{filter}");
        }
        for filter in ["arp", "host 10.0.0.2", "link and not internet"] {
            assert!(takes(filter, &arp), "{filter}");
        }
        for filter in ["http", "tcp port 80".replace(" port", " and port").as_str(), "application"] {
            assert!(takes(filter, &request), "{filter}");
        }
    }

    #[test]
    fn a_wrong_filter_is_answered_with_what_was_expected() {
        let error = |text: &str| Filter::parse(text).expect_err(text).to_string();
        assert!(error("tcpp").contains("tcp, udp"), "{}", error("tcpp"));
        assert!(error("host nobody").contains("an IP address"));
        assert!(error("port 70000").contains("0 to 65535"));
        assert!(error("(tcp").contains("`)`"));
        assert!(error("tcp udp").contains("the end"));
        assert!(error("").contains("the end"));
        assert!(error(&"(".repeat(10_000)).contains("nested"));
    }
}

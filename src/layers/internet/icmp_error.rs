//! When an ICMP error may be sent, and how much of the packet it quotes (RFC 1122 §3.2.2, RFC 1812 §4.3.2).
//!
//! The rules guard against storms: an error about an error, or a thousand hosts that all answer one broadcast. Left
//! out: the limit on how many errors a second a router sends (RFC 1812 §4.3.2.8).

use std::net::Ipv4Addr;

use bytes::Bytes;

use super::icmp::{HEADER_LEN, IcmpHeader, IcmpMessage};
use super::ipv4::{Ipv4Header, MIN_HEADER_LEN, protocol};
use super::prefix::Prefix;
use crate::base::{Header, Layer, Reader, Writer};

/// The longest packet in bytes that an error may make, its own IPv4 header included (RFC 1812 §4.3.2.3): what every
/// host must be able to take.
pub const MAX_ERROR_PACKET_LEN: usize = 576;

/// The most bytes of a packet that an error quotes.
pub const MAX_QUOTE_LEN: usize = MAX_ERROR_PACKET_LEN - MIN_HEADER_LEN - HEADER_LEN;

/// Why no error may be sent (RFC 1122 §3.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silence {
    /// The packet is an ICMP error itself.
    AboutAnError,
    /// It was for a broadcast or multicast address.
    ToMany,
    /// It came in a link-layer broadcast.
    LinkBroadcast,
    /// It is a fragment other than the first.
    LaterFragment,
    /// Its source is no single host: zero, loopback, broadcast, multicast or class E.
    SourceNotOneHost,
}

impl Silence {
    /// The reason in words.
    pub const fn why(self) -> &'static str {
        match self {
            Silence::AboutAnError => "no ICMP error about an ICMP error (RFC 1122 §3.2.2)",
            Silence::ToMany => "no ICMP error about a broadcast or multicast packet (RFC 1122 §3.2.2)",
            Silence::LinkBroadcast => "no ICMP error about a link-layer broadcast (RFC 1122 §3.2.2)",
            Silence::LaterFragment => "no ICMP error about a fragment other than the first (RFC 1122 §3.2.2)",
            Silence::SourceNotOneHost => {
                "no ICMP error to an address that is no single host (RFC 1122 §3.2.2)"
            }
        }
    }
}

/// Whether an ICMP error may be sent about a packet that came in.
///
/// `link_broadcast` says whether its frame was for a group of stations; `subnet` is the prefix of the link it came
/// from, whose broadcast address counts too.
///
/// # Errors
/// The rule that forbids it.
pub fn may_report(
    header: &Ipv4Header,
    payload: &[u8],
    link_broadcast: bool,
    subnet: Prefix,
) -> Result<(), Silence> {
    let many = |address: Ipv4Addr| subnet.broadcast() == Some(address.into());
    let (source, destination) = (header.source, header.destination);
    if link_broadcast {
        return Err(Silence::LinkBroadcast);
    }
    if destination.is_broadcast() || destination.is_multicast() || many(destination) {
        return Err(Silence::ToMany);
    }
    // 240 and up is class E, and the limited broadcast address its last one.
    let class_e = source.octets()[0] >= 240;
    if source.octets()[0] == 0 || source.is_loopback() || source.is_multicast() || class_e || many(source) {
        return Err(Silence::SourceNotOneHost);
    }
    if header.fragment_offset != 0 {
        return Err(Silence::LaterFragment);
    }
    if header.protocol == protocol::ICMP {
        let mut r = Reader::new(Layer::Internet, IcmpHeader::PROTOCOL, payload);
        // One that is too short to be read might be an error too: silence is the safe side.
        if IcmpHeader::parse(&mut r).map_or(true, |icmp| icmp.is_error()) {
            return Err(Silence::AboutAnError);
        }
    }
    Ok(())
}

/// The part of `packet` (from its IPv4 header on, without link padding) that an error quotes: the header, and as much
/// of the payload as fits (RFC 1812 §4.3.2.3). RFC 792 asked for 8 bytes, just enough for the ports. Nothing is copied.
pub fn quote(packet: &Bytes) -> Bytes {
    packet.slice(..packet.len().min(MAX_QUOTE_LEN))
}

/// The same for a packet whose header and payload are apart, such as one put together from fragments. It is copied: a
/// slice would keep the whole frame in memory.
pub fn quote_of(header: &Ipv4Header, payload: &[u8]) -> Bytes {
    let room = MAX_QUOTE_LEN.saturating_sub(header.header_len());
    let mut w = Writer::new();
    header.emit(&mut w);
    w.bytes(&payload[..payload.len().min(room)]);
    w.finish()
}

/// An error message about `packet`.
pub fn report(header: IcmpHeader, packet: &Bytes) -> IcmpMessage {
    IcmpMessage { header, payload: quote(packet) }
}

#[cfg(test)]
mod tests {
    use super::super::icmp::Unreachable;
    use super::*;
    use std::net::IpAddr;

    const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const SUBNET: Prefix = Prefix::new(IpAddr::V4(A), 24);

    fn ask(header: &Ipv4Header, payload: &[u8]) -> Result<(), Silence> {
        may_report(header, payload, false, SUBNET)
    }

    #[test]
    fn an_ordinary_datagram_may_be_answered() {
        assert_eq!(ask(&Ipv4Header::new(A, B, protocol::UDP, 8), &[0; 8]), Ok(()));
    }

    #[test]
    fn errors_are_never_answered_with_errors_but_pings_may_be() {
        let header = Ipv4Header::new(A, B, protocol::ICMP, 8);
        for kind in [3, 4, 5, 11, 12] {
            assert_eq!(ask(&header, &[kind, 0, 0, 0, 0, 0, 0, 0]), Err(Silence::AboutAnError));
        }
        assert_eq!(ask(&header, &[8, 0, 0, 0, 0, 0, 0, 0]), Ok(()));
        assert_eq!(ask(&header, &[8]), Err(Silence::AboutAnError));
    }

    #[test]
    fn nothing_sent_to_many_is_answered() {
        for many in [Ipv4Addr::BROADCAST, Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::new(224, 0, 0, 1)] {
            let header = Ipv4Header::new(A, many, protocol::UDP, 8);
            assert_eq!(ask(&header, &[0; 8]), Err(Silence::ToMany));
        }
        let header = Ipv4Header::new(A, B, protocol::UDP, 8);
        assert_eq!(may_report(&header, &[0; 8], true, SUBNET), Err(Silence::LinkBroadcast));
    }

    #[test]
    fn a_source_that_is_not_one_host_gets_no_answer() {
        for text in ["0.0.0.0", "127.0.0.1", "255.255.255.255", "10.0.0.255", "239.1.1.1", "240.0.0.1"] {
            let header = Ipv4Header::new(text.parse().unwrap(), B, protocol::UDP, 8);
            assert_eq!(ask(&header, &[0; 8]), Err(Silence::SourceNotOneHost), "{text}");
        }
    }

    #[test]
    fn only_the_first_fragment_may_be_answered() {
        let header = Ipv4Header::new(A, B, protocol::UDP, 8);
        assert_eq!(ask(&Ipv4Header { more_fragments: true, ..header }, &[0; 8]), Ok(()));
        assert_eq!(ask(&Ipv4Header { fragment_offset: 1, ..header }, &[0; 8]), Err(Silence::LaterFragment));
    }

    #[test]
    fn a_quote_makes_a_packet_of_576_bytes_at_most() {
        let long = report(IcmpHeader::Unreachable(Unreachable::Port), &Bytes::from(vec![1; 1500]));
        assert_eq!(MIN_HEADER_LEN + long.wire_len(), MAX_ERROR_PACKET_LEN);
        assert_eq!(quote(&Bytes::from_static(&[1; 28])).len(), 28);
    }
}

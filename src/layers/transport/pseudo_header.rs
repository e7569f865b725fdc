//! The pseudo header that UDP and TCP add to their checksums (RFC 768, RFC 9293 §3.1; over IPv6 RFC 8200
//! §8.1).
//!
//! It is never sent. It ties a segment to the addresses it travels between, so that one delivered to the wrong host
//! is noticed: a deliberate breach of the layers, as old as the layers are.

use std::net::IpAddr;

use crate::base::Checksum;

/// The sum over the pseudo header, ready for the transport header and payload to be added.
///
/// `length` counts the transport header and its payload in bytes. The two families have other headers with the same
/// sum: the addresses, the length and the protocol number, as far apart from each other as they can be.
pub fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Checksum {
    let mut sum = Checksum::new();
    for address in [source, destination] {
        match address {
            IpAddr::V4(address) => {
                sum.add_u16((address.to_bits() >> 16) as u16);
                sum.add_u16(address.to_bits() as u16);
            }
            IpAddr::V6(address) => sum.add(&address.octets()),
        }
    }
    sum.add_u16(u16::from(protocol));
    // An IPv4 packet has at most 65,535 bytes; a jumbogram of IPv6 may have more.
    sum.add_u16((length >> 16) as u16);
    sum.add_u16(length as u16);
    sum
}

//! The pseudo header that UDP and TCP add to their checksums (RFC 768, RFC 9293 §3.1).
//!
//! It is never sent. It ties a segment to the addresses it travels between, so that one delivered to the wrong host
//! is noticed: a deliberate breach of the layers, as old as the layers are.

use std::net::Ipv4Addr;

use crate::base::Checksum;

/// The sum over the pseudo header, ready for the transport header and payload to be added.
///
/// `length` counts the transport header and its payload in bytes.
pub fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, length: usize) -> Checksum {
    let mut sum = Checksum::new();
    sum.add(&source.octets());
    sum.add(&destination.octets());
    sum.add_u16(u16::from(protocol));
    // An IPv4 packet has at most 65,535 bytes, so the length always fits.
    sum.add_u16(length as u16);
    sum
}

//! UDP: one message, one datagram, and no promise (RFC 768, RFC 1122 §4.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------------------------------+-------------------------------+
//! |          source port          |       destination port        |
//! +-------------------------------+-------------------------------+
//! |            length             |           checksum            |
//! +-------------------------------+-------------------------------+
//! |                          payload ...
//! +----------------------------------
//! ```
//!
//! All that it adds to IP are the ports, which name the program, and a checksum over the payload. It may be lost,
//! duplicated or overtaken without notice; but a message arrives whole or not at all. It has no state, so there is
//! no machine here: sockets and their queues belong to the host.

use std::net::IpAddr;

use bytes::{Buf as _, Bytes};

use super::pseudo_header;
use crate::base::{Field, Header, Layer, ParseError, Reader, Show, Writer};
use crate::layers::internet::ipv4::protocol;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 8;
/// The most payload in bytes: what the largest IPv4 packet leaves after a header without options and this one.
pub const MAX_PAYLOAD: usize = 65_507;

/// A UDP header as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UdpHeader {
    /// The port of the program that sent it; 0 when no answer is wanted.
    pub source_port: u16,
    /// The port of the program that it is for.
    pub destination_port: u16,
    /// Length of header and payload in bytes.
    pub length: u16,
    /// Over pseudo header, header and payload; 0 when the sender did not compute it.
    pub checksum: u16,
}

impl Header for UdpHeader {
    const PROTOCOL: &'static str = "UDP";
    const LAYER: Layer = Layer::Transport;
    const FIELDS: &'static [Field] = &[
        Field::new("source port", 16, Show::Dec, "RFC 768"),
        Field::new("destination port", 16, Show::Dec, "RFC 768"),
        Field::new("length", 16, Show::Dec, "RFC 768"),
        Field::new("checksum", 16, Show::Hex, "RFC 1122 §4.1.3.4"),
    ];

    fn parse(r: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = r.position();
        let [s0, s1, d0, d1, l0, l1, c0, c1] = r.array("header")?;
        let header = UdpHeader {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            length: u16::from_be_bytes([l0, l1]),
            checksum: u16::from_be_bytes([c0, c1]),
        };
        if usize::from(header.length) < HEADER_LEN {
            let expected = "at least the header's 8 bytes";
            return Err(r.malformed("length", at + 4, expected, header.length.to_string()));
        }
        Ok(header)
    }

    /// Writes the fields as they are: the checksum covers more than the header, so [`Datagram::emit`] computes it.
    fn emit(&self, w: &mut Writer) {
        w.u16(self.source_port);
        w.u16(self.destination_port);
        w.u16(self.length);
        w.u16(self.checksum);
    }

    fn header_len(&self) -> usize {
        HEADER_LEN
    }
}

impl UdpHeader {
    /// Where the datagram ends whose header `r` has just read: bytes of the packet after its length are no part of it.
    fn end_within(&self, r: &Reader<'_>) -> Result<usize, ParseError> {
        let length = usize::from(self.length);
        if length > r.whole().len() { Err(r.incomplete("payload", length - HEADER_LEN)) } else { Ok(length) }
    }
}

/// A header and its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The header, with both ports.
    pub header: UdpHeader,
    /// The message, whole.
    pub payload: Bytes,
}

impl Datagram {
    /// A datagram to be sent. Its checksum is computed when it is written.
    ///
    /// `payload` has at most [`MAX_PAYLOAD`] bytes: what is longer is cut, so code that takes messages from a program
    /// must refuse such a one before (as the `sendto` of an operating system does with EMSGSIZE).
    pub fn new(source_port: u16, destination_port: u16, mut payload: Bytes) -> Self {
        payload.truncate(MAX_PAYLOAD);
        let length = (HEADER_LEN + payload.len()) as u16;
        Datagram { header: UdpHeader { source_port, destination_port, length, checksum: 0 }, payload }
    }

    /// Reads the payload of a packet from `source` to `destination`. `base` says where `bytes` begin in the frame, so
    /// that errors point into it. The message is not copied: it shares the memory of `bytes`.
    ///
    /// # Errors
    /// Incomplete when the length says more than there is; malformed when it is below 8, or when there is a checksum
    /// and it is wrong. Such a datagram is discarded in silence (RFC 1122 §4.1.3.4).
    pub fn parse(
        source: IpAddr,
        destination: IpAddr,
        bytes: &Bytes,
        base: usize,
    ) -> Result<Self, ParseError> {
        Datagram::verify(source, destination, bytes, base)?;
        Datagram::parse_intact(bytes.clone(), base)
    }

    /// Whether the checksum is right, if there is one.
    ///
    /// # Errors
    /// As [`parse`](Datagram::parse).
    pub fn verify(source: IpAddr, destination: IpAddr, bytes: &[u8], base: usize) -> Result<(), ParseError> {
        let mut r = Reader::new(Layer::Transport, UdpHeader::PROTOCOL, bytes).starting_at(base);
        let header = UdpHeader::parse(&mut r)?;
        let whole = &bytes[..header.end_within(&r)?];
        if header.checksum != 0 {
            let mut sum = pseudo_header(source, destination, protocol::UDP, whole.len());
            sum.add(whole);
            if sum.finish() != 0 {
                let right =
                    format!("0x{:04x}", checksum(source, destination, &whole[..6], &whole[HEADER_LEN..]));
                return Err(r.malformed("checksum", 6, right, format!("0x{:04x}", header.checksum)));
            }
        }
        Ok(())
    }

    /// Reads a datagram whose checksum is known to be right.
    ///
    /// # Errors
    /// Incomplete when the length says more than there is; malformed when it is below 8.
    pub fn parse_intact(mut bytes: Bytes, base: usize) -> Result<Self, ParseError> {
        let mut r = Reader::new(Layer::Transport, UdpHeader::PROTOCOL, &bytes).starting_at(base);
        let header = UdpHeader::parse(&mut r)?;
        let end = header.end_within(&r)?;
        bytes.truncate(end);
        bytes.advance(HEADER_LEN);
        Ok(Datagram { header, payload: bytes })
    }

    /// Writes header, checksum and payload of a datagram that goes from `source` to `destination`.
    ///
    /// The checksum is always computed: to leave it out is the program's choice (RFC 1122 §4.1.3.4), and ours never
    /// makes it.
    pub fn emit(&self, source: IpAddr, destination: IpAddr, w: &mut Writer) {
        let start = w.len();
        UdpHeader { checksum: 0, ..self.header }.emit(w);
        w.bytes(&self.payload);
        let written = &w.as_slice()[start..];
        let sum = checksum(source, destination, &written[..6], &written[HEADER_LEN..]);
        w.patch_u16(start + 6, sum);
    }
}

/// The checksum of a datagram, given the header up to its checksum field and the payload.
///
/// When it comes out as 0 it is sent as 0xffff, which in one's complement is also zero: a 0 would say that there is
/// none (RFC 768).
fn checksum(source: IpAddr, destination: IpAddr, ports_and_length: &[u8], payload: &[u8]) -> u16 {
    let mut sum = pseudo_header(source, destination, protocol::UDP, HEADER_LEN + payload.len());
    sum.add(ports_and_length);
    sum.add(payload);
    match sum.finish() {
        0 => 0xffff,
        sum => sum,
    }
}

#[cfg(test)]
#[path = "udp_tests.rs"]
mod tests;

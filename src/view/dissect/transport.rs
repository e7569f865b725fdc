//! The walk through TCP and UDP, and the messages of UDP's best-known programs by name.

use std::ops::Range;

use super::frame::{Ip, Transport, Walk};
use super::internet::pseudo_sum;
use super::{Part, Role};
use crate::base::{Header, Layer, ParseError, Reader};
use crate::layers::application::dhcp::{self, DhcpHeader};
use crate::layers::application::dns::{self, DnsHeader};
use crate::layers::internet::ipv4::protocol;
use crate::layers::transport::quic::QuicLongHeader;
use crate::layers::transport::tcp::{MIN_HEADER_LEN, TcpHeader};
use crate::layers::transport::udp::{self, UdpHeader};

/// The payload of an Ethernet frame. A packet that is larger was joined by the interface, or not yet cut.
const MTU: usize = 1500;

/// Where a checksum stands, and who is asked for it.
struct Sum {
    layer: Layer,
    header: &'static str,
    field: &'static str,
    protocol: u8,
    /// The first byte of the checksum.
    at: usize,
}

impl Walk {
    pub(super) fn tcp(&mut self, ip: &Ip, frame: &[u8], range: Range<usize>, check: bool) {
        if check {
            let sum = Sum {
                layer: Layer::Transport,
                header: TcpHeader::PROTOCOL,
                field: "Checksum",
                protocol: protocol::TCP,
                at: 16,
            };
            self.checksum(&sum, ip, frame, range.clone());
        }
        let bytes = &frame[range.clone()];
        let Some((tcp, len, problem)) = observed(bytes, range.start) else {
            self.header::<TcpHeader>(frame, range, TcpHeader::parse);
            return;
        };
        if let Some(problem) = problem {
            self.problem(problem);
        }
        let payload = range.start + len..range.end;
        self.draw_with_options::<TcpHeader>(frame, range.start, payload.start);
        self.transport = Some(Transport::Tcp(tcp));
        self.payload = payload.clone();
        self.payload_len = ip.payload_len.saturating_sub(len).max(payload.len());
        self.push(Part::data(Layer::Application, payload));
    }

    pub(super) fn udp(&mut self, ip: &Ip, frame: &[u8], range: Range<usize>, check: bool) {
        // A bad length hides no ports.
        let mut problem = None;
        let parse = |r: &mut Reader<'_>| {
            let mut again = r.clone();
            UdpHeader::parse(r).or_else(|refused| {
                let bytes: [u8; udp::HEADER_LEN] = again.array("header").map_err(|_| refused.clone())?;
                let mut copy = bytes;
                copy[4..6].copy_from_slice(&(udp::HEADER_LEN as u16).to_be_bytes());
                let header = UdpHeader::parse(&mut Reader::new(UdpHeader::LAYER, UdpHeader::PROTOCOL, &copy));
                *r = again;
                problem = Some(refused);
                let length = u16::try_from(ip.payload_len).unwrap_or(u16::MAX);
                header.map(|header| UdpHeader { length, ..header })
            })
        };
        let Some((udp, rest)) = self.header::<UdpHeader>(frame, range.clone(), parse) else { return };
        let length = usize::from(udp.length);
        if let Some(problem) = problem {
            self.problem(problem);
        } else if length > ip.payload_len && ip.piece.is_none() {
            let mut r = Reader::new(UdpHeader::LAYER, UdpHeader::PROTOCOL, &frame[range.clone()])
                .starting_at(range.start);
            if r.take(udp::HEADER_LEN, "header").is_ok() {
                self.problem(r.incomplete("payload", length - udp::HEADER_LEN));
            }
        } else if check && udp.checksum == 0 && ip.source.is_ipv6() {
            let r = Reader::new(UdpHeader::LAYER, UdpHeader::PROTOCOL, &frame[..0]).starting_at(range.start);
            self.problem(r.malformed(
                "checksum",
                6,
                "a checksum, as IPv6 has none (RFC 8200 §8.1)",
                "0x0000",
            ));
        } else if check && udp.checksum != 0 && length <= range.len() {
            let sum = Sum {
                layer: Layer::Transport,
                header: UdpHeader::PROTOCOL,
                field: "checksum",
                protocol: protocol::UDP,
                at: 6,
            };
            self.checksum(&sum, ip, frame, range.start..range.start + length);
        }
        let end = (range.start + length).min(rest.end).max(rest.start);
        self.payload = rest.start..end;
        self.payload_len = length.min(ip.payload_len).saturating_sub(udp::HEADER_LEN);
        self.transport = Some(Transport::Udp(udp));
        if ip.piece.is_none() {
            self.message(&udp, frame, rest.start..end);
        } else {
            self.push(Part::data(Layer::Application, rest.start..end));
        }
        // RFC 768 leaves open what bytes behind the length mean; nothing reads them.
        self.push(Part::plain(Layer::Transport, "padding", Role::Padding, end..rest.end));
    }

    /// A message that is known by its port, or by what it begins with.
    fn message(&mut self, udp: &UdpHeader, frame: &[u8], range: Range<usize>) {
        let ports = [udp.source_port, udp.destination_port];
        let on = |wanted: &[u16]| ports.iter().any(|port| wanted.contains(port));
        let bytes = &frame[range.clone()];
        if on(&[dns::PORT, dns::MULTICAST_PORT, 5355])
            && let Some(line) = dns::line(bytes)
        {
            return self.open::<DnsHeader>("DNS", line, Layer::Application, frame, range);
        }
        if on(&[dhcp::SERVER_PORT, dhcp::CLIENT_PORT])
            && let Some(line) = dhcp::line(bytes)
        {
            return self.open::<DhcpHeader>("DHCP", line, Layer::Application, frame, range);
        }
        let mut r = Reader::new(Layer::Transport, QuicLongHeader::PROTOCOL, bytes);
        if let Ok(header) = QuicLongHeader::parse(&mut r)
            && header.destination.len().max(header.source.len()) <= 20
            && (header.version != 0 && header.first & 0x40 != 0 || on(&[443]))
            && let Some(line) = header.line()
        {
            return self.open::<QuicLongHeader>("QUIC", line, Layer::Application, frame, range);
        }
        self.push(Part::data(Layer::Application, range));
    }

    /// Draws the header of a message that was understood.
    fn open<H: Header>(
        &mut self,
        protocol: &'static str,
        line: String,
        layer: Layer,
        frame: &[u8],
        range: Range<usize>,
    ) {
        self.named = Some((protocol, line));
        if let Some((_, rest)) = self.header::<H>(frame, range, H::parse) {
            self.push(Part::data(layer, rest));
        }
    }

    /// Checks a checksum that covers a pseudo header too.
    ///
    /// An interface that computes it finds only the sum of the pseudo header in its place, so that it has the rest to add:
    /// this is what a capture on the sending host sees. Some systems leave it 0.
    fn checksum(&mut self, sum: &Sum, ip: &Ip, frame: &[u8], range: Range<usize>) {
        let bytes = &frame[range.clone()];
        let Some(field) = bytes.get(sum.at..sum.at + 2) else { return };
        if bytes.len() > usize::from(u16::MAX) {
            return;
        }
        let mut all = pseudo_sum(ip, sum.protocol, bytes.len());
        all.add(bytes);
        if all.finish() == 0 {
            return;
        }
        let partial = |len| !pseudo_sum(ip, sum.protocol, len).finish();
        let got = u16::from_be_bytes([field[0], field[1]]);
        if [partial(bytes.len()), partial(0), 0].contains(&got) {
            return self.remark("checksum left to the hardware");
        }
        if bytes.len() > MTU {
            return self.remark("checksum not computed again when the interface joined segments");
        }
        let mut right = pseudo_sum(ip, sum.protocol, bytes.len());
        right.add(&bytes[..sum.at]);
        right.add(&bytes[sum.at + 2..]);
        let right = match right.finish() {
            // 0 would say that there is none (RFC 768).
            0 if sum.protocol == protocol::UDP => 0xffff,
            right => right,
        };
        let r = Reader::new(sum.layer, sum.header, bytes).starting_at(range.start);
        self.problem(r.malformed(sum.field, sum.at, format!("{right:#06x}"), format!("{got:#06x}")));
    }
}

/// A TCP header as an observer takes it, its length, and what is wrong with it. Of options the ones before the broken one
/// are kept, as far as whole words go. `None` when even the fixed part is not there.
fn observed(bytes: &[u8], base: usize) -> Option<(TcpHeader, usize, Option<ParseError>)> {
    let mut r = Reader::new(TcpHeader::LAYER, TcpHeader::PROTOCOL, bytes).starting_at(base);
    let problem = match TcpHeader::parse(&mut r) {
        Ok(tcp) => return Some((tcp, r.position(), None)),
        Err(problem) => problem,
    };
    let fixed = bytes.get(..MIN_HEADER_LEN)?;
    let said = usize::from(fixed[12] >> 4) * 4;
    let len = said.clamp(MIN_HEADER_LEN, bytes.len());
    let tcp = (MIN_HEADER_LEN / 4..=len / 4).rev().find_map(|words| {
        let mut copy = bytes[..words * 4].to_vec();
        copy[12] = (words as u8) << 4;
        TcpHeader::parse(&mut Reader::new(TcpHeader::LAYER, TcpHeader::PROTOCOL, &copy)).ok()
    })?;
    Some((tcp, len, Some(problem)))
}

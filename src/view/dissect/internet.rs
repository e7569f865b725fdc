//! The walk through the internet layer: IPv4 and IPv6, packets within packets, and ICMP.

use std::ops::Range;

use super::frame::{Ip, Piece, Transport, Walk};
use super::{FieldValue, Part, Role};
use crate::base::{Checksum, ErrorKind, Header, Layer, ParseError, Reader, internet_checksum};
use crate::layers::internet::gre::GreHeader;
use crate::layers::internet::icmp::IcmpHeader;
use crate::layers::internet::icmpv6::Icmpv6Header;
use crate::layers::internet::ipv4::{self, Ipv4Header, protocol};
use crate::layers::internet::ipv6::{Ipv6Header, NEXT_HEADERS, next_header};
use crate::layers::internet::ipv6_extension::{
    AuthenticationHeader, FragmentHeader, OptionsHeader, RoutingHeader, options_name,
};
use crate::layers::internet::source_route;
use crate::layers::transport::pseudo_header;

/// IPv4 in IP (RFC 2003), IPv6 in IP (RFC 4213), GRE (RFC 2784).
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;

impl Walk {
    /// A packet of either version: its first four bits say which.
    pub(super) fn ip(&mut self, frame: &[u8], range: Range<usize>) {
        match frame[range.clone()].first().map(|first| first >> 4) {
            Some(6) => self.ipv6(frame, range),
            _ => self.ipv4(frame, range),
        }
    }

    pub(super) fn ipv4(&mut self, frame: &[u8], range: Range<usize>) {
        let reach = range.len() + self.missing;
        let mut refused = None;
        let mut remark = None;
        let parse = |r: &mut Reader<'_>| {
            let mut again = r.clone();
            Ipv4Header::parse(r).or_else(|problem| {
                // Checksum or length: the lenient reading of a quoted header minds neither.
                let header = observed(&mut again, reach, &mut remark).map_err(|_| problem.clone())?;
                *r = again;
                refused = Some(problem);
                Ok(header)
            })
        };
        let Some((header, rest)) = self.header::<Ipv4Header>(frame, range.clone(), parse) else { return };
        let wanted = rest.start + header.payload_len();
        let within = wanted <= rest.end + self.missing;
        let mut whole = wanted <= rest.end;
        let offloaded = remark.is_some();
        if let Some(remark) = remark {
            self.remark(remark);
        }
        if let Some(problem) = refused {
            whole &= problem.kind != ErrorKind::Incomplete;
            let checksum = &frame[range.start + 10..range.start + 12];
            if problem.field == "header checksum" && checksum == [0, 0] {
                self.remark("header checksum left to the hardware");
            } else {
                let capture = within && problem.kind == ErrorKind::Incomplete;
                let hardware = offloaded && problem.field == "total length";
                if !capture && !hardware {
                    self.problem(problem);
                }
            }
        }
        let end = wanted.min(rest.end);
        let piece = Piece {
            identification: header.identification.into(),
            start: header.fragment_start(),
            more: header.more_fragments,
        };
        let ip = Ip {
            source: header.source.into(),
            // The end of a source route is whom the packet is for, and what its checksums are made with.
            destination: source_route::ultimate(&header).into(),
            protocol: header.protocol,
            // More than the packet had cannot be.
            payload_len: header.payload_len().min(rest.len() + self.missing),
            piece: header.is_fragment().then_some(piece),
        };
        self.carried_by(ip, frame, rest.start..end, whole && !offloaded);
        self.push(Part::plain(Layer::Link, "padding", Role::Padding, end..rest.end));
    }

    pub(super) fn ipv6(&mut self, frame: &[u8], range: Range<usize>) {
        let Some((header, mut rest)) = self.header::<Ipv6Header>(frame, range, Ipv6Header::parse) else {
            return;
        };
        let mut len = usize::from(header.payload_len);
        let mut whole = true;
        if len == 0 && header.next_header != next_header::NONE {
            // A jumbogram, or a packet that the interface is still to cut (see `observed`).
            len = rest.len() + self.missing;
            if header.next_header != next_header::HOP_BY_HOP {
                self.remark("payload length 0: left to the hardware to cut");
                whole = false;
            }
        }
        if len > rest.len() {
            whole = false;
            if len > rest.len() + self.missing {
                let bytes = &frame[..rest.end];
                let mut r = Reader::new(Layer::Internet, Ipv6Header::PROTOCOL, bytes);
                if r.take(rest.start, "header").is_ok() {
                    self.problem(r.incomplete("payload", len));
                }
            }
        }
        let end = (rest.start + len).min(rest.end);
        let padding = end..rest.end;
        rest.end = end;
        let mut ip = Ip {
            source: header.source.into(),
            destination: header.destination.into(),
            protocol: header.next_header,
            payload_len: len.min(rest.len() + self.missing),
            piece: None,
        };
        let opened = self.extensions(&mut ip, frame, rest, &mut whole);
        if let Some(rest) = opened {
            self.carried_by(ip, frame, rest, whole);
        } else {
            self.ip = Some(ip);
        }
        self.push(Part::plain(Layer::Link, "padding", Role::Padding, padding));
    }

    /// The extension headers; what is behind them. `None` when one could not be read.
    fn extensions(
        &mut self,
        ip: &mut Ip,
        frame: &[u8],
        mut rest: Range<usize>,
        whole: &mut bool,
    ) -> Option<Range<usize>> {
        while self.deeper() {
            let before = rest.start;
            let (next, behind) = match ip.protocol {
                next_header::ROUTING => {
                    let (header, behind) = self.header(frame, rest, RoutingHeader::parse)?;
                    // The checksum is that of the last destination, which this one is not yet (RFC 8200 §8.1).
                    *whole &= header.segments_left == 0;
                    (header.next_header, behind)
                }
                next_header::FRAGMENT => {
                    let (header, behind) = self.header(frame, rest, FragmentHeader::parse)?;
                    let (identification, start, more) = (header.identification, header.start(), header.more);
                    ip.piece = header.is_fragment().then_some(Piece { identification, start, more });
                    (header.next_header, behind)
                }
                next_header::AUTHENTICATION => {
                    let (header, behind) = self.header(frame, rest, AuthenticationHeader::parse)?;
                    (header.next_header, behind)
                }
                number => match options_name(number) {
                    Some(name) => {
                        let (header, behind) = self.header(frame, rest, OptionsHeader::parse)?;
                        if let Some(part) = self.dissection.parts.last_mut() {
                            part.protocol = name;
                        }
                        (header.next_header, behind)
                    }
                    None => return Some(rest),
                },
            };
            ip.protocol = next;
            ip.payload_len = ip.payload_len.saturating_sub(behind.start - before);
            rest = behind;
            // In the middle of a packet, what follows is no header.
            if ip.piece.is_some_and(|piece| piece.start > 0) {
                return Some(rest);
            }
        }
        Some(rest)
    }

    fn carried_by(&mut self, ip: Ip, frame: &[u8], range: Range<usize>, whole: bool) {
        self.ip = Some(ip);
        self.ip_payload = range.clone();
        self.carried(&ip, frame, range, whole);
    }

    /// What an IP packet carries. `whole` says that all of it is there, as it was sent.
    pub(super) fn carried(&mut self, ip: &Ip, frame: &[u8], range: Range<usize>, whole: bool) {
        let icmp = [protocol::ICMP, next_header::ICMPV6].contains(&ip.protocol);
        if ip.piece.is_some_and(|piece| piece.start > 0) {
            // The header is in the first fragment; these bytes are in the middle of something.
            let layer = match ip.protocol {
                protocol::TCP | protocol::UDP => Layer::Application,
                _ if icmp => Layer::Internet,
                _ => Layer::Transport,
            };
            self.push(Part::data(layer, range));
            return;
        }
        // Checksums cover the whole payload, so they say nothing of the first fragment or of a packet cut short.
        let check = whole && ip.piece.is_none();
        match ip.protocol {
            protocol::TCP => self.tcp(ip, frame, range, check),
            protocol::UDP => self.udp(ip, frame, range, check),
            protocol::ICMP => self.icmp(ip, frame, range, check),
            next_header::ICMPV6 => self.icmpv6(ip, frame, range, check),
            IPV4 | IPV6 | GRE if !self.deeper() => self.push(Part::data(Layer::Internet, range)),
            IPV4 => {
                self.tunnel("", ip);
                self.ipv4(frame, range);
            }
            IPV6 => {
                self.tunnel("", ip);
                self.ipv6(frame, range);
            }
            GRE => {
                let Some((gre, rest)) = self.header(frame, range, GreHeader::parse) else { return };
                self.tunnel("GRE in ", ip);
                self.ethertype(frame, rest, gre.protocol);
            }
            next_header::AUTHENTICATION if ip.source.is_ipv4() => {
                let before = range.start;
                let Some((header, rest)) = self.header(frame, range, AuthenticationHeader::parse) else {
                    return;
                };
                let payload_len = ip.payload_len.saturating_sub(rest.start - before);
                if self.deeper() {
                    self.carried_by(
                        Ip { protocol: header.next_header, payload_len, ..*ip },
                        frame,
                        rest,
                        whole,
                    );
                } else {
                    self.push(Part::data(Layer::Transport, rest));
                }
            }
            _ => self.push(Part::data(Layer::Transport, range)),
        }
    }

    /// Says between whom the packet around the next one travels.
    fn tunnel(&mut self, how: &str, ip: &Ip) {
        self.remark(format!("{how}{} {} > {}", ip.protocol_name(), ip.source, ip.destination));
    }

    fn icmp(&mut self, ip: &Ip, frame: &[u8], range: Range<usize>, check: bool) {
        let bytes = &frame[range.clone()];
        if check && bytes.len() >= 8 && internet_checksum(bytes) != 0 {
            let mut right = Checksum::new();
            right.add(&bytes[..2]);
            right.add(&bytes[4..]);
            self.wrong(IcmpHeader::PROTOCOL, "checksum", bytes, range.start, right.finish());
        }
        if let Some((icmp, rest)) = self.header::<IcmpHeader>(frame, range, IcmpHeader::parse) {
            let error = icmp.is_error();
            self.behind_icmp(ip, Transport::Icmp(icmp), &rest);
            self.quoted(error, frame, rest);
        }
    }

    fn icmpv6(&mut self, ip: &Ip, frame: &[u8], range: Range<usize>, check: bool) {
        let bytes = &frame[range.clone()];
        if check && bytes.len() >= 8 && ip.source.is_ipv6() {
            let mut sum = pseudo_sum(ip, next_header::ICMPV6, bytes.len());
            let mut right = sum;
            sum.add(bytes);
            if sum.finish() != 0 {
                right.add(&bytes[..2]);
                right.add(&bytes[4..]);
                let partial = !pseudo_sum(ip, next_header::ICMPV6, bytes.len()).finish();
                if bytes[2..4] == partial.to_be_bytes() {
                    self.remark("checksum left to the hardware");
                } else {
                    self.wrong(Icmpv6Header::PROTOCOL, "checksum", bytes, range.start, right.finish());
                }
            }
        }
        if let Some((icmp, rest)) = self.header::<Icmpv6Header>(frame, range, Icmpv6Header::parse) {
            let error = icmp.is_error();
            self.behind_icmp(ip, Transport::Icmpv6(icmp), &rest);
            self.quoted(error, frame, rest);
        }
    }

    fn behind_icmp(&mut self, ip: &Ip, header: Transport, rest: &Range<usize>) {
        self.transport = Some(header);
        self.payload = rest.clone();
        self.payload_len = ip.payload_len;
    }

    /// The problem of a checksum in the third and fourth byte of a message.
    fn wrong(&mut self, protocol: &'static str, field: &'static str, bytes: &[u8], at: usize, right: u16) {
        let r = Reader::new(Layer::Internet, protocol, bytes).starting_at(at);
        let got = format!("0x{:02x}{:02x}", bytes[2], bytes[3]);
        self.problem(r.malformed(field, 2, format!("0x{right:04x}"), got));
    }

    /// An ICMP error quotes the packet that caused it: its header and the first bytes behind (RFC 792, RFC 4443 §3.1).
    fn quoted(&mut self, error: bool, frame: &[u8], range: Range<usize>) {
        let bytes = &frame[range.clone()];
        if error && bytes.first().is_some_and(|first| first >> 4 == 6) {
            let mut r = Reader::new(Layer::Internet, Ipv6Header::PROTOCOL, bytes);
            if let Ok(header) = Ipv6Header::parse(&mut r) {
                let end = range.start + r.position();
                self.push(Part::of_header(&header, &frame[..end], range.start));
                return self.push(Part::data(Layer::Internet, end..range.end));
            }
        }
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, bytes);
        match Ipv4Header::parse_quoted(&mut r).ok().filter(|_| error) {
            Some(header) => {
                let end = range.start + r.position();
                self.push(Part::of_header(&header, &frame[..end], range.start));
                self.push(Part::data(Layer::Internet, end..range.end));
            }
            None => self.push(Part::data(Layer::Internet, range)),
        }
    }

    /// Draws a header whose fixed fields end at `start + fixed` and whose last field goes on to `end`.
    pub(super) fn draw_with_options<H: Header>(&mut self, frame: &[u8], start: usize, end: usize) {
        let fields = self.detail.values(|| {
            let fixed = H::FIELDS.iter().filter(|field| field.bits > 0);
            let bits = ((end - start) * 8).saturating_sub(fixed.clone().map(|field| field.bits).sum());
            let options = H::FIELDS.last().filter(|_| bits > 0).map(|field| field.with_bits(bits));
            let layout: Vec<_> = fixed.copied().chain(options).collect();
            FieldValue::all(&layout, &frame[..end], start)
        });
        self.push(Part { fields, ..Part::plain(H::LAYER, H::PROTOCOL, Role::Header, start..end) });
    }
}

/// The sum of the pseudo header of either version.
pub(super) fn pseudo_sum(ip: &Ip, protocol: u8, len: usize) -> Checksum {
    pseudo_header(ip.source, ip.destination, protocol, len)
}

/// The name of what an IP packet carries, when it is one that people know.
pub(super) fn carried_name(number: u8) -> Option<&'static str> {
    let others: [(u64, &str); 5] = [(1, "ICMP"), (2, "IGMP"), (46, "RSVP"), (88, "EIGRP"), (112, "VRRP")];
    let all = NEXT_HEADERS.iter().chain(&others);
    all.filter(|(known, _)| *known != 0).find(|(known, _)| *known == u64::from(number)).map(|(_, name)| *name)
}

/// A header as an observer takes it: with a total length of 0, which the interface fills in when it cuts a large packet
/// to size (segmentation offload), with a length shorter than the header, and with options that break a rule.
fn observed(
    r: &mut Reader<'_>,
    reach: usize,
    remark: &mut Option<&'static str>,
) -> Result<Ipv4Header, ParseError> {
    let first = Ipv4Header::parse_quoted(&mut r.clone());
    if first.is_ok() {
        return Ipv4Header::parse_quoted(r);
    }
    let at = r.position();
    let mut copy = r.rest().to_vec();
    let header_len = usize::from(copy.first().copied().unwrap_or(0) & 0xf) * 4;
    if copy.len() < header_len.max(ipv4::MIN_HEADER_LEN) || header_len < ipv4::MIN_HEADER_LEN {
        return first;
    }
    copy.truncate(header_len);
    let total = u16::from_be_bytes([copy[2], copy[3]]);
    if total == 0 {
        *remark = Some("total length 0: left to the hardware to cut");
    }
    if usize::from(total) < header_len {
        let len = u16::try_from(reach).unwrap_or(u16::MAX);
        copy[2..4].copy_from_slice(&len.to_be_bytes());
    }
    let mut again = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &copy).starting_at(at);
    if Ipv4Header::parse_quoted(&mut again).is_err() {
        // No operation, again and again: what a broken list of options tells.
        copy[ipv4::MIN_HEADER_LEN..].fill(1);
        again = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &copy).starting_at(at);
        Ipv4Header::parse_quoted(&mut again)?;
    }
    let mut again = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &copy);
    let header = Ipv4Header::parse_quoted(&mut again)?;
    r.take(header_len, "header")?;
    Ok(header)
}

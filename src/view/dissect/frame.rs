//! One frame, looked at alone.
//!
//! The headers' own parsers do the reading. Where one refuses because of a checksum, or because the end was cut off,
//! a more lenient reading of the same bytes follows and the refusal is kept as a problem.
//!
//! A capture taken on the sending host may show wrong TCP and UDP checksums in packets that were right on the wire:
//! many interfaces compute them in hardware, after the capture has seen the packet.

use std::ops::Range;

use bytes::Bytes;

use super::{Dissection, FieldValue, Part, Role};
use crate::base::{ErrorKind, Header, Layer, ParseError, Reader};
use crate::layers::internet::icmp::{IcmpHeader, IcmpMessage};
use crate::layers::internet::ipv4::{Ipv4Header, protocol};
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::{EtherType, EthernetHeader};
use crate::layers::transport::tcp::{Segment, TcpHeader};
use crate::layers::transport::udp::{Datagram, UdpHeader};

/// Takes an Ethernet frame apart, from the destination address to the last byte of payload or padding (no frame
/// check sequence).
pub fn dissect_frame(frame: &[u8]) -> Dissection {
    Walk::frame(frame).dissection
}

/// Takes an IPv4 packet apart.
pub fn dissect_packet(packet: &[u8]) -> Dissection {
    Walk::packet(packet).dissection
}

/// A dissection, and the headers found on the way as values.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) dissection: Dissection,
    pub(super) ethernet: Option<EthernetHeader>,
    pub(super) arp: Option<ArpPacket>,
    pub(super) ipv4: Option<Ipv4Header>,
    /// The payload of the IPv4 packet, as far as the bytes go.
    pub(super) ipv4_payload: Range<usize>,
    pub(super) transport: Option<Transport>,
    /// The payload of the transport, or what follows an ICMP header.
    pub(super) payload: Range<usize>,
}

/// A header that rides in an IPv4 packet.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(TcpHeader),
    Udp(UdpHeader),
    Icmp(IcmpHeader),
}

impl Walk {
    pub(super) fn frame(frame: &[u8]) -> Walk {
        let mut walk = Walk::default();
        if let Some((ethernet, rest)) = walk.header(frame, 0..frame.len(), EthernetHeader::parse) {
            walk.ethernet = Some(ethernet);
            match ethernet.ethertype {
                EtherType::IPV4 => walk.ipv4(frame, rest),
                EtherType::ARP => walk.arp(frame, rest),
                _ => walk.push(Part::data(Layer::Internet, rest)),
            }
        }
        walk.done()
    }

    pub(super) fn packet(packet: &[u8]) -> Walk {
        let mut walk = Walk::default();
        walk.ipv4(packet, 0..packet.len());
        walk.done()
    }

    /// The data of a whole packet put together again from its fragments.
    pub(super) fn reassembled(header: Ipv4Header, data: &[u8]) -> Walk {
        let mut walk = Walk { ipv4: Some(header), ipv4_payload: 0..data.len(), ..Walk::default() };
        walk.transport(&header, data, 0..data.len(), true);
        walk.done()
    }

    /// The first wrong byte first, whatever the order in which the faults were found.
    fn done(mut self) -> Walk {
        self.dissection.problems.sort_by_key(|problem| problem.offset);
        self
    }

    fn push(&mut self, part: Part) {
        if !part.range.is_empty() {
            self.dissection.parts.push(part);
        }
    }

    fn problem(&mut self, problem: ParseError) {
        if !self.dissection.problems.contains(&problem) {
            self.dissection.problems.push(problem);
        }
    }

    /// Reads one header at the start of `range` and draws it. When that fails, its table still says what the bytes
    /// were meant to be, as far as they go; the rest is data.
    fn header<H: Header>(
        &mut self,
        frame: &[u8],
        range: Range<usize>,
        parse: impl FnOnce(&mut Reader<'_>) -> Result<H, ParseError>,
    ) -> Option<(H, Range<usize>)> {
        let bytes = &frame[range.clone()];
        let mut r = Reader::new(H::LAYER, H::PROTOCOL, bytes).starting_at(range.start);
        match parse(&mut r) {
            Ok(header) => {
                let end = range.start + r.position();
                let fields = FieldValue::all(&header.layout(), &frame[..end], range.start);
                self.push(Part {
                    fields,
                    ..Part::plain(H::LAYER, H::PROTOCOL, Role::Header, range.start..end)
                });
                Some((header, end..range.end))
            }
            Err(problem) => {
                self.problem(problem);
                let fields = FieldValue::all(H::FIELDS, &frame[..range.end], range.start);
                let end = fields.last().map_or(range.start, |last| last.bytes().end);
                self.push(Part {
                    fields,
                    ..Part::plain(H::LAYER, H::PROTOCOL, Role::Header, range.start..end)
                });
                self.push(Part::data(H::LAYER, end..range.end));
                None
            }
        }
    }

    fn arp(&mut self, frame: &[u8], range: Range<usize>) {
        if let Some((arp, rest)) = self.header(frame, range, ArpPacket::parse) {
            self.arp = Some(arp);
            self.push(Part::plain(Layer::Link, "padding", Role::Padding, rest));
        }
    }

    fn ipv4(&mut self, frame: &[u8], range: Range<usize>) {
        let mut whole = true;
        let mut refused = None;
        let parse = |r: &mut Reader<'_>| {
            let mut again = r.clone();
            Ipv4Header::parse(r).or_else(|problem| {
                // Checksum or length: the lenient reading of a quoted header minds neither.
                let header = Ipv4Header::parse_quoted(&mut again)?;
                *r = again;
                refused = Some(problem);
                Ok(header)
            })
        };
        let Some((header, rest)) = self.header::<Ipv4Header>(frame, range, parse) else { return };
        if let Some(problem) = refused {
            whole = problem.kind != ErrorKind::Incomplete;
            self.problem(problem);
        }
        let wanted = rest.start + header.payload_len();
        whole &= wanted <= rest.end;
        let end = wanted.min(rest.end);
        self.ipv4 = Some(header);
        self.ipv4_payload = rest.start..end;
        self.transport(&header, frame, rest.start..end, whole);
        self.push(Part::plain(Layer::Link, "padding", Role::Padding, end..rest.end));
    }

    fn transport(&mut self, ip: &Ipv4Header, frame: &[u8], range: Range<usize>, whole: bool) {
        if ip.fragment_offset > 0 {
            // The header is in the first fragment; these bytes are in the middle of something.
            let layer = match ip.protocol {
                protocol::TCP | protocol::UDP => Layer::Application,
                protocol::ICMP => Layer::Internet,
                _ => Layer::Transport,
            };
            self.push(Part::data(layer, range));
            return;
        }
        // Checksums cover the whole payload, so they say nothing of the first fragment or of a packet cut short.
        let check = whole && !ip.more_fragments;
        match ip.protocol {
            protocol::TCP => self.tcp(ip, frame, range, check),
            protocol::UDP => self.udp(ip, frame, range, check),
            protocol::ICMP => self.icmp(frame, range, check),
            _ => self.push(Part::data(Layer::Transport, range)),
        }
    }

    fn tcp(&mut self, ip: &Ipv4Header, frame: &[u8], range: Range<usize>, check: bool) {
        if check {
            let bytes = Bytes::copy_from_slice(&frame[range.clone()]);
            if let Err(problem) = Segment::parse(ip.source.into(), ip.destination.into(), &bytes, range.start)
            {
                // Of a header cut short, `TcpHeader` names the very field.
                if !problem.is_incomplete() {
                    self.problem(problem);
                }
            }
        }
        if let Some((tcp, rest)) = self.header::<TcpHeader>(frame, range, TcpHeader::parse) {
            self.transport = Some(Transport::Tcp(tcp));
            self.payload = rest.clone();
            self.push(Part::data(Layer::Application, rest));
        }
    }

    fn udp(&mut self, ip: &Ipv4Header, frame: &[u8], range: Range<usize>, check: bool) {
        if check {
            let bytes = Bytes::copy_from_slice(&frame[range.clone()]);
            if let Err(problem) =
                Datagram::parse(ip.source.into(), ip.destination.into(), &bytes, range.start)
            {
                self.problem(problem);
            }
        }
        if let Some((udp, rest)) = self.header::<UdpHeader>(frame, range.clone(), UdpHeader::parse) {
            let end = (range.start + usize::from(udp.length)).min(rest.end);
            self.transport = Some(Transport::Udp(udp));
            self.payload = rest.start..end;
            self.push(Part::data(Layer::Application, rest.start..end));
            // RFC 768 leaves open what bytes after the length mean; nothing reads them.
            self.push(Part::plain(Layer::Transport, "padding", Role::Padding, end..rest.end));
        }
    }

    fn icmp(&mut self, frame: &[u8], range: Range<usize>, check: bool) {
        if check {
            let bytes = Bytes::copy_from_slice(&frame[range.clone()]);
            if let Err(problem) = IcmpMessage::parse(&bytes, range.start) {
                self.problem(problem);
            }
        }
        if let Some((icmp, rest)) = self.header::<IcmpHeader>(frame, range, IcmpHeader::parse) {
            self.transport = Some(Transport::Icmp(icmp));
            self.payload = rest.clone();
            self.quoted(&icmp, frame, rest);
        }
    }

    /// An ICMP error quotes the packet that caused it: its header and the first bytes after it (RFC 792).
    fn quoted(&mut self, icmp: &IcmpHeader, frame: &[u8], range: Range<usize>) {
        let mut r = Reader::new(Layer::Internet, Ipv4Header::PROTOCOL, &frame[range.clone()]);
        match Ipv4Header::parse_quoted(&mut r).ok().filter(|_| icmp.is_error()) {
            Some(header) => {
                let end = range.start + r.position();
                self.push(Part::of_header(&header, &frame[..end], range.start));
                self.push(Part::data(Layer::Internet, end..range.end));
            }
            None => self.push(Part::data(Layer::Internet, range)),
        }
    }
}

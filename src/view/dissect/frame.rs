//! One frame, looked at alone.
//!
//! The headers' own parsers do the reading. Where one refuses because of a checksum, or because the end was cut off,
//! a more lenient reading of the same bytes follows and the refusal is kept as a problem.
//!
//! An observer is no receiver, in three ways. A capture may keep only the first bytes of each packet: then lengths are
//! those that the headers say. One taken on the sending host sees packets before the interface has computed their
//! checksums, and before it has cut large ones to size. And one bad field is no reason to say nothing of the others. What
//! is only the capture's doing is a [remark](Dissection::remarks), not a problem.

use std::net::IpAddr;
use std::ops::Range;

use super::link_type::LinkType;
use super::{Dissection, FieldValue, Part, Role};
use crate::base::{Header, Layer, ParseError, Reader};
use crate::layers::internet::icmp::IcmpHeader;
use crate::layers::internet::icmpv6::Icmpv6Header;
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::MacAddr;
use crate::layers::transport::tcp::TcpHeader;
use crate::layers::transport::udp::UdpHeader;

/// This many headers within headers are opened. More is a broken or hostile packet; what is below is data.
const MOST_DEPTH: usize = 32;

/// Takes an Ethernet frame apart, from the destination address to the last byte of payload or padding (no frame
/// check sequence).
pub fn dissect_frame(frame: &[u8]) -> Dissection {
    Walk::frame(frame).dissection
}

/// Takes an IP packet apart.
pub fn dissect_packet(packet: &[u8]) -> Dissection {
    Walk::packet(packet).dissection
}

/// What is known of a captured packet beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// What the bytes begin with.
    pub link: LinkType,
    /// How many bytes it had, which may be more than were captured.
    pub original_len: usize,
    /// When it was captured, in nanoseconds since whenever.
    pub at_nanos: Option<u64>,
}

/// How much of a header is taken down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Detail {
    /// Its fields with their values, to be shown.
    #[default]
    Fields,
    /// Where it lies: of a long run, most packets are only counted or told in a line, and to write each field of each
    /// header costs ten times that.
    Ranges,
}

impl Detail {
    /// The values of a header's fields, where they are wanted.
    pub(super) fn values(self, fields: impl FnOnce() -> Vec<FieldValue>) -> Vec<FieldValue> {
        match self {
            Detail::Fields => fields(),
            Detail::Ranges => Vec::new(),
        }
    }
}

/// A dissection, and the headers found on the way as values.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) detail: Detail,
    pub(super) dissection: Dissection,
    /// Sender and receiver on the link, as far as the link header says.
    pub(super) link: Option<[Option<MacAddr>; 2]>,
    /// The innermost EtherType.
    pub(super) ethertype: Option<u16>,
    pub(super) arp: Option<ArpPacket>,
    /// The innermost IP header.
    pub(super) ip: Option<Ip>,
    /// Its payload behind the extension headers, as far as the bytes go.
    pub(super) ip_payload: Range<usize>,
    pub(super) transport: Option<Transport>,
    /// The payload of the transport, or what follows an ICMP header, as far as the bytes go.
    pub(super) payload: Range<usize>,
    /// How long that payload is by the headers.
    pub(super) payload_len: usize,
    /// What is known of a payload beyond its bytes: whose it is, and what it says.
    pub(super) named: Option<(&'static str, String)>,
    /// Bytes that the capture did not keep.
    pub(super) missing: usize,
    pub(super) depth: usize,
}

/// What of an IP header matters to those above, whichever version it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ip {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// The number of what it carries, behind all extension headers.
    pub(super) protocol: u8,
    /// Bytes of that, by the headers.
    pub(super) payload_len: usize,
    /// Which piece of a packet it is, if it is one.
    pub(super) piece: Option<Piece>,
}

/// A piece of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) identification: u32,
    /// Where it belongs, in bytes.
    pub(super) start: usize,
    pub(super) more: bool,
}

/// A header that rides in an IP packet.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(TcpHeader),
    Udp(UdpHeader),
    Icmp(IcmpHeader),
    Icmpv6(Icmpv6Header),
}

impl Ip {
    /// Version 4 or 6.
    pub(super) fn protocol_name(&self) -> &'static str {
        if self.source.is_ipv4() { "IPv4" } else { "IPv6" }
    }
}

impl Walk {
    pub(super) fn frame(frame: &[u8]) -> Walk {
        Walk::of(frame, LinkType::Ethernet, frame.len(), Detail::Fields)
    }

    pub(super) fn packet(packet: &[u8]) -> Walk {
        Walk::of(packet, LinkType::RawIp, packet.len(), Detail::Fields)
    }

    /// A packet of any link type, of which the capture kept `bytes`.
    pub(super) fn of(bytes: &[u8], link: LinkType, original_len: usize, detail: Detail) -> Walk {
        let missing = original_len.saturating_sub(bytes.len());
        let mut walk = Walk { detail, missing, ..Walk::default() };
        walk.link_type(bytes, link);
        if walk.missing > 0 {
            walk.remark(format!("cut by the capture: {} of {original_len} bytes", bytes.len()));
        }
        walk.done()
    }

    /// The data of a whole packet put together again from its fragments, which no one sees as bytes.
    pub(super) fn reassembled(ip: Ip, data: &[u8]) -> Walk {
        let ip_payload = 0..data.len();
        let mut walk = Walk { detail: Detail::Ranges, ip: Some(ip), ip_payload, ..Walk::default() };
        walk.carried(&ip, data, 0..data.len(), true);
        walk.done()
    }

    /// The first wrong byte first, whatever the order in which the faults were found.
    fn done(mut self) -> Walk {
        self.dissection.problems.sort_by_key(|problem| problem.offset);
        self
    }

    pub(super) fn push(&mut self, part: Part) {
        if !part.range.is_empty() {
            self.dissection.parts.push(part);
        }
    }

    /// What is missing because the capture did not keep it is no problem of the packet.
    pub(super) fn problem(&mut self, problem: ParseError) {
        let cut = self.missing > 0 && problem.is_incomplete();
        if !cut && !self.dissection.problems.contains(&problem) {
            self.dissection.problems.push(problem);
        }
    }

    pub(super) fn remark(&mut self, remark: impl Into<String>) {
        let remark = remark.into();
        if !self.dissection.remarks.contains(&remark) {
            self.dissection.remarks.push(remark);
        }
    }

    /// Data that is named, but not read.
    pub(super) fn name(
        &mut self,
        layer: Layer,
        protocol: &'static str,
        says: impl Into<String>,
        range: Range<usize>,
    ) {
        self.named = Some((protocol, says.into()));
        self.push(Part::data(layer, range));
    }

    /// One header deeper: false when it is deep enough.
    pub(super) fn deeper(&mut self) -> bool {
        self.depth += 1;
        if self.depth == MOST_DEPTH {
            self.remark(format!("more than {MOST_DEPTH} headers: the rest is not read"));
        }
        self.depth < MOST_DEPTH
    }

    /// The addresses on the link in words; `?` for what is not known.
    pub(super) fn stations(&self) -> [String; 2] {
        self.link.unwrap_or_default().map(|mac| mac.map_or_else(|| "?".into(), |mac| mac.to_string()))
    }

    /// Reads one header at the start of `range` and draws it. When that fails, its table still says what the bytes
    /// were meant to be, as far as they go; the rest is data.
    pub(super) fn header<H: Header>(
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
                let values = || FieldValue::all(&header.layout(), &frame[..end], range.start);
                let fields = self.detail.values(values);
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
}

//! A run, looked at frame by frame with a memory.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use super::application::{Cut, Label, Meaning};
use super::fragments::Fragments;
use super::frame::{Detail, Ip, Piece, Start, Transport, Walk};
use super::link_type::LinkType;
use super::stream::{Capturing, Conversation};
use super::{Accounting, AppPiece, Dissection, FieldValue, Part, Role, Summary, What};
use crate::base::{Field, Header, Layer, ParseError};
use crate::layers::application::tls::RecordHeader;
use crate::layers::application::websocket::FrameHeader;
use crate::layers::application::{engineio, socketio};
use crate::layers::internet::icmp::{IcmpHeader, TimeExceeded, Unreachable};
use crate::layers::internet::icmpv6::{Icmpv6Header, link_layer_address};
use crate::layers::link::arp::{ArpPacket, Operation};
use crate::layers::link::ethernet::{EtherType, MacAddr};
use crate::layers::transport::tcp::TcpHeader;
use crate::trace::{Flow, Protocol};
use crate::view::look::escape;

/// This many TCP conversations are followed at once; the one silent for longest is forgotten first.
const MOST_CONVERSATIONS: usize = 65_536;
/// This many bytes wait after holes, in all conversations together.
const MOST_WAITING: usize = 64 << 20;
/// This many labels are remembered, in all conversations together.
const MOST_LABELS: usize = 1 << 20;

/// One frame, dissected in the context of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Its number, counted from 1 in the order of feeding.
    pub number: u64,
    /// Its parts and problems.
    pub dissection: Dissection,
    /// What a packet list says of it.
    pub summary: Summary,
    /// What its bytes were for. Bytes after a hole in the stream count as payload: what they are is known only later.
    pub accounting: Accounting,
}

/// What one frame says and costs, in its context: a [`Packet`] of which no part is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// What a packet list says of it.
    pub summary: Summary,
    /// What its bytes were for.
    pub accounting: Accounting,
}

/// A dissector that remembers: it follows TCP streams and what is said on them, and puts fragments together.
///
/// It may be fed a capture that begins in the middle of everything. Its memory is bounded, whatever it is fed: at
/// most 65,536 conversations, 64 KiB waiting in each direction and 64 MiB in all, 16,384 labels in each direction and
/// a million in all, and 1,024 packets in fragments. What is beyond is forgotten, the oldest first, and
/// [counted](Conversations::forgotten); forgotten streams are data.
#[derive(Debug, Clone)]
pub struct Conversations {
    fed: u64,
    /// Stops at WebSocket and HTTP.
    to_websocket: bool,
    streams: BTreeMap<Flow, Conversation>,
    /// The conversations by when they were last spoken in.
    order: BTreeMap<u64, Flow>,
    waiting: usize,
    labels: usize,
    most: usize,
    fragments: Fragments,
    forgotten: Forgotten,
}

/// What did not fit into the memory of [`Conversations`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Connections that were forgotten while others were followed: what they say later seems to begin in the middle.
    pub connections: u64,
    /// Names of frames and heads that were forgotten: when these are sent again, they are data.
    pub names: u64,
    /// Packets in fragments that were forgotten before they were whole.
    pub fragments: u64,
}

impl Default for Conversations {
    fn default() -> Self {
        Conversations {
            fed: 0,
            to_websocket: false,
            streams: BTreeMap::new(),
            order: BTreeMap::new(),
            waiting: 0,
            labels: 0,
            most: MOST_CONVERSATIONS,
            fragments: Fragments::default(),
            forgotten: Forgotten::default(),
        }
    }
}

/// How the frame being looked at was seen.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    observed: bool,
    at: Option<u64>,
}

impl Conversations {
    /// A dissector that has seen nothing.
    pub fn new() -> Self {
        Conversations::default()
    }

    /// A dissector for which messages of WebSocket and bodies of HTTP are data, as they are for those two protocols:
    /// what the programs above agree to mean by them is not looked into.
    pub(super) fn to_websocket() -> Self {
        Conversations { to_websocket: true, ..Conversations::default() }
    }

    /// The next Ethernet frame of the run.
    pub fn feed(&mut self, frame: &[u8]) -> Packet {
        self.note(frame, Walk::frame(frame), Moment::default())
    }

    /// The next IP packet of a run that was captured without a link layer.
    pub fn feed_packet(&mut self, packet: &[u8]) -> Packet {
        self.note(packet, Walk::packet(packet), Moment::default())
    }

    /// The next Ethernet frame of the run, for those who do not look into its headers.
    pub fn glance(&mut self, frame: &[u8]) -> Glance {
        let walk = Walk::of(frame, LinkType::Ethernet, frame.len(), Detail::Ranges);
        let Packet { summary, accounting, .. } = self.note(frame, walk, Moment::default());
        Glance { summary, accounting }
    }

    /// The next packet of a capture, of which not all may have been kept. Other than those of a run, its segments are judged as
    /// an observer has to: see [`Mark`](super::Mark).
    pub fn feed_captured(&mut self, bytes: &[u8], start: Start) -> Packet {
        let walk = Walk::of(bytes, start.link, start.original_len, Detail::Fields);
        self.note(bytes, walk, Moment { observed: true, at: start.at_nanos })
    }

    /// What did not fit into memory.
    pub fn forgotten(&self) -> Forgotten {
        Forgotten { fragments: self.fragments.forgotten(), ..self.forgotten }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let counted = self.streams.values().map(Conversation::waiting).sum();
        assert_eq!(self.waiting, counted);
        assert_eq!(self.labels, self.streams.values().map(|stream| stream.labels().0).sum::<usize>());
        counted
    }

    /// The same with room for fewer conversations.
    #[cfg(test)]
    pub(super) fn at_most(most: usize) -> Self {
        Conversations { most, ..Conversations::default() }
    }

    fn note(&mut self, bytes: &[u8], mut walk: Walk, moment: Moment) -> Packet {
        self.fed += 1;
        let summary = match (walk.arp, walk.ip) {
            (Some(arp), _) => arp_summary(&arp, &walk),
            (None, Some(Ip { piece: Some(piece), .. })) => self.fragment_summary(piece, bytes, &walk, moment),
            (None, Some(ip)) => self.packet_summary(&ip, bytes, &mut walk, moment),
            (None, None) => frame_summary(bytes, &walk),
        };
        let accounting = Accounting::of(&walk.dissection, summary.is_retransmission());
        Packet { number: self.fed, dissection: walk.dissection, summary, accounting }
    }

    /// A whole IP packet.
    fn packet_summary(&mut self, ip: &Ip, bytes: &[u8], walk: &mut Walk, moment: Moment) -> Summary {
        let between = |protocol, source, destination| {
            Flow::new(
                protocol,
                SocketAddr::new(ip.source, source),
                SocketAddr::new(ip.destination, destination),
            )
        };
        match walk.transport.take() {
            Some(Transport::Udp(udp)) => {
                let ends = between(Protocol::Udp, udp.source_port, udp.destination_port);
                let named = walk.named.take();
                Summary {
                    source: ends.local().to_string(),
                    destination: ends.remote().to_string(),
                    protocol: named.as_ref().map_or("UDP", |(protocol, _)| protocol),
                    flow: Some(ends),
                    says: named.map(|(_, says)| escape(says)),
                    what: What::Udp { len: walk.payload_len },
                }
            }
            Some(Transport::Tcp(tcp)) => {
                let ends = between(Protocol::Tcp, tcp.source_port, tcp.destination_port);
                self.segment(ends, &tcp, bytes, walk, moment)
            }
            Some(Transport::Icmp(icmp)) => Summary {
                protocol: "ICMP",
                what: What::Icmp { message: icmp_message(&icmp), len: walk.payload_len },
                ..of_addresses(ip, walk)
            },
            Some(Transport::Icmpv6(icmp)) => Summary {
                protocol: "ICMPv6",
                what: What::Icmp {
                    message: icmpv6_message(&icmp, &bytes[walk.payload.clone()]),
                    len: walk.payload_len,
                },
                ..of_addresses(ip, walk)
            },
            None => of_addresses(ip, walk),
        }
    }

    fn segment(
        &mut self,
        ends: Flow,
        tcp: &TcpHeader,
        bytes: &[u8],
        walk: &mut Walk,
        moment: Moment,
    ) -> Summary {
        let key = ends.min(ends.reversed());
        let stream = self.streams.entry(key).or_insert_with(|| Conversation::new(!self.to_websocket));
        self.order.remove(&stream.last_used);
        stream.last_used = self.fed;
        self.order.insert(self.fed, key);
        let before = (stream.waiting(), stream.labels());
        let from = usize::from(key != ends);
        let how = Capturing { len: walk.payload_len, observed: moment.observed, at: moment.at };
        let seen = stream.take(from, tcp, &bytes[walk.payload.clone()], how);
        let after = (stream.waiting(), stream.labels());
        self.waiting = self.waiting + after.0 - before.0;
        self.labels = self.labels + after.1.0 - before.1.0;
        self.forgotten.names += after.1.1.saturating_sub(before.1.1);
        self.make_room();
        draw_application(&seen.labels, seen.start, bytes, walk);
        if let Some((start, problem)) = seen.problem {
            point_into_frame(start, problem, seen.start, walk);
        }
        let topmost = seen.summary.application.iter().map(protocol_of).max_by_key(|(rank, _)| *rank);
        Summary {
            source: ends.local().to_string(),
            destination: ends.remote().to_string(),
            protocol: topmost.map_or("TCP", |(_, name)| name),
            flow: Some(ends),
            says: None,
            what: What::Tcp(seen.summary),
        }
    }

    /// Forgets the conversations silent for longest, until the others fit.
    fn make_room(&mut self) {
        while (self.streams.len() > self.most || self.waiting > MOST_WAITING || self.labels > MOST_LABELS)
            && self.streams.len() > 1
            && let Some((_, key)) = self.order.pop_first()
            && let Some(stream) = self.streams.remove(&key)
        {
            self.waiting -= stream.waiting();
            self.labels -= stream.labels().0;
            self.forgotten.connections += 1;
        }
    }

    fn fragment_summary(&mut self, piece: Piece, bytes: &[u8], walk: &Walk, moment: Moment) -> Summary {
        let Some(ip) = walk.ip else { return frame_summary(bytes, walk) };
        let data = &bytes[walk.ip_payload.clone()];
        // Bytes cut off by the capture would leave a hole that looks like data.
        let completes = (data.len() == ip.payload_len)
            .then(|| self.fragments.take(&ip, piece, data))
            .flatten()
            .map(|(protocol, whole)| {
                let whole_ip = Ip { protocol, payload_len: whole.len(), piece: None, ..ip };
                let mut walk = Walk::reassembled(whole_ip, &whole);
                Box::new(self.packet_summary(&whole_ip, &whole, &mut walk, moment))
            });
        Summary {
            flow: completes.as_ref().and_then(|whole| whole.flow),
            what: What::Fragment {
                identification: piece.identification,
                offset: piece.start,
                len: ip.payload_len,
                more: piece.more,
                completes,
            },
            ..of_addresses(&ip, walk)
        }
    }
}

/// The part "data" of the segment, drawn again as what the stream makes of it.
fn draw_application(labels: &[Label], start: u64, bytes: &[u8], walk: &mut Walk) {
    let payload = walk.payload.clone();
    let drawn = drawn(labels, start, bytes, payload.clone(), walk.detail);
    if drawn.iter().all(|part| part.role == Role::Data) {
        return;
    }
    let parts = &mut walk.dissection.parts;
    if let Some(at) = parts.iter().position(|part| part.role == Role::Data && part.range == payload) {
        parts.splice(at..=at, drawn);
    }
}

/// The parts that lie at `payload` in `bytes`, which is from position `start` of a stream on.
pub(super) fn drawn(
    labels: &[Label],
    start: u64,
    bytes: &[u8],
    payload: Range<usize>,
    detail: Detail,
) -> Vec<Part> {
    let end = start + payload.len() as u64;
    let mut drawn = Vec::new();
    let mut known = payload.start;
    for label in labels {
        let place = |position: u64| payload.start + position.saturating_sub(start) as usize;
        let range = place(label.start).max(known)..place((label.start + label.len).min(end));
        if range.is_empty() {
            continue;
        }
        drawn.push(Part::data(Layer::Application, known..range.start));
        known = range.end;
        let whole = range.len() as u64 == label.len;
        let header = |protocol| Part::plain(Layer::Application, protocol, Role::Header, range.clone());
        let read =
            |layout: &[Field]| detail.values(|| FieldValue::all(layout, &bytes[..range.end], range.start));
        let plain =
            |layout: &[Field], text: &[u8]| detail.values(|| FieldValue::unmasked(layout, text, range.start));
        drawn.push(match &label.what {
            Meaning::Head { .. } => header("HTTP"),
            Meaning::Message { protocol, .. } if whole && range.len() == TLS_HEADER => {
                Part { fields: read(RecordHeader::FIELDS), ..header(protocol) }
            }
            // The end of a hello, whose header was before.
            Meaning::Message { .. } | Meaning::HeaderPiece { protocol: RecordHeader::PROTOCOL } => {
                Part::data(Layer::Application, range.clone())
            }
            Meaning::FrameHeader(frame, Cut::Whole) if whole => {
                Part { fields: read(&frame.layout()), ..header(FrameHeader::PROTOCOL) }
            }
            Meaning::FrameHeader(..) | Meaning::ControlPayload => header(FrameHeader::PROTOCOL),
            Meaning::EngineIo(kind) => {
                Part { fields: plain(engineio::header::FIELDS, &[*kind]), ..header(engineio::PROTOCOL) }
            }
            Meaning::Separator => header(engineio::PROTOCOL),
            Meaning::SocketIo(text, Cut::Whole) if whole => Part {
                fields: plain(&socketio::header::Parts::of(text).layout(), text),
                ..header(socketio::PROTOCOL)
            },
            Meaning::SocketIo(..) => header(socketio::PROTOCOL),
            Meaning::HeaderPiece { protocol } => header(*protocol),
            Meaning::FramePayload | Meaning::Data => Part::data(Layer::Application, range.clone()),
        });
    }
    drawn.push(Part::data(Layer::Application, known..payload.end));
    drawn.retain(|part| !part.range.is_empty());
    drawn
}

/// Bytes of the header of a TLS record.
const TLS_HEADER: usize = 5;

/// A problem of the stream, told as one of the frame in which it showed.
fn point_into_frame(at: u64, problem: ParseError, start: u64, walk: &mut Walk) {
    let position = at + problem.offset as u64;
    let offset = walk.payload.start + position.saturating_sub(start) as usize;
    walk.dissection.problems.push(ParseError { offset, ..problem });
    walk.dissection.problems.sort_by_key(|problem| problem.offset);
}

/// Of several protocols in one segment the most particular gives its name.
fn protocol_of(piece: &AppPiece) -> (u8, &'static str) {
    match piece {
        AppPiece::SocketIo { .. } => (5, socketio::PROTOCOL),
        AppPiece::EngineIo { .. } => (4, engineio::PROTOCOL),
        AppPiece::WsFrame { .. } => (3, "WebSocket"),
        AppPiece::HttpRequest { .. } | AppPiece::HttpResponse { .. } => (2, "HTTP"),
        AppPiece::Message { protocol, .. } => (2, protocol),
        AppPiece::WsContinuationOfFrame { .. } => (1, "TCP"),
        AppPiece::Data { .. } => (0, "TCP"),
    }
}

fn arp_summary(arp: &ArpPacket, walk: &Walk) -> Summary {
    let [_, destination] = match walk.link {
        Some(_) => walk.stations(),
        None => [String::new(), arp.target_mac.to_string()],
    };
    let broadcast = destination == MacAddr::BROADCAST.to_string();
    Summary {
        source: arp.sender_mac.to_string(),
        destination: if broadcast { "broadcast".into() } else { destination },
        protocol: "ARP",
        flow: None,
        says: None,
        what: What::Arp {
            request: arp.operation == Operation::Request,
            sender: arp.sender_ip.into(),
            sender_mac: arp.sender_mac.to_string(),
            target: arp.target_ip.into(),
        },
    }
}

fn of_addresses(ip: &Ip, walk: &Walk) -> Summary {
    let len = ip.payload_len;
    Summary {
        source: ip.source.to_string(),
        destination: ip.destination.to_string(),
        protocol: ip.protocol_name(),
        flow: None,
        says: walk.named.as_ref().map(|(_, says)| escape(says)),
        what: match ip.source {
            IpAddr::V4(_) => What::Ipv4 { protocol: ip.protocol, len },
            IpAddr::V6(_) => What::Ipv6 { next_header: ip.protocol, len },
        },
    }
}

fn frame_summary(bytes: &[u8], walk: &Walk) -> Summary {
    let [source, destination] = walk.stations();
    let header = match walk.dissection.parts.first() {
        Some(part) if part.role == Role::Header => part.range.len(),
        _ => 0,
    };
    Summary {
        source,
        destination,
        protocol: match (&walk.named, walk.ethertype.map(EtherType)) {
            (Some((protocol, _)), _) => protocol,
            (None, Some(EtherType::ARP)) => "ARP",
            (None, Some(EtherType::IPV4)) => "IPv4",
            (None, Some(EtherType::IPV6)) => "IPv6",
            _ => "Ethernet",
        },
        flow: None,
        says: walk.named.as_ref().map(|(_, says)| escape(says)),
        what: What::Frame { ethertype: walk.ethertype, len: bytes.len().saturating_sub(header) },
    }
}

/// What an ICMPv6 message says, in words.
fn icmpv6_message(icmp: &Icmpv6Header, behind: &[u8]) -> String {
    let words = icmp.words();
    let from = || link_layer_address(behind).map_or(String::new(), |mac| format!(" from {mac}"));
    match icmp {
        Icmpv6Header::EchoRequest { identifier, sequence } => {
            format!("Echo request id=0x{identifier:04x} seq={sequence}")
        }
        Icmpv6Header::EchoReply { identifier, sequence } => {
            format!("Echo reply id=0x{identifier:04x} seq={sequence}")
        }
        Icmpv6Header::Unreachable { .. } => format!("Destination unreachable: {words}"),
        Icmpv6Header::PacketTooBig { mtu } => format!("Packet too big: next-hop MTU {mtu}"),
        Icmpv6Header::TimeExceeded { .. } => format!("Time exceeded: {words}"),
        Icmpv6Header::ParameterProblem { pointer, .. } => {
            format!("Parameter problem at byte {pointer}: {words}")
        }
        Icmpv6Header::RouterSolicitation => format!("Router solicitation{}", from()),
        Icmpv6Header::RouterAdvertisement { lifetime, .. } => {
            format!("Router advertisement, lifetime {lifetime} s{}", from())
        }
        Icmpv6Header::NeighborSolicitation { target } => {
            format!("Neighbor solicitation for {target}{}", from())
        }
        Icmpv6Header::NeighborAdvertisement { target, .. } => {
            let at = link_layer_address(behind).map_or(String::new(), |mac| format!(" is at {mac}"));
            format!("Neighbor advertisement: {target}{at}")
        }
        Icmpv6Header::Redirect { target, destination } => {
            format!("Redirect: {destination} is better reached by {target}")
        }
        Icmpv6Header::Other { kind, code, .. } if words.starts_with("a message") => {
            format!("Type {kind} code {code}")
        }
        Icmpv6Header::Other { .. } => {
            let mut words = words.to_owned();
            words[..1].make_ascii_uppercase();
            words
        }
    }
}

/// What an ICMP message says, in words.
fn icmp_message(icmp: &IcmpHeader) -> String {
    match icmp {
        IcmpHeader::EchoRequest { identifier, sequence } => {
            format!("Echo request id=0x{identifier:04x} seq={sequence}")
        }
        IcmpHeader::EchoReply { identifier, sequence } => {
            format!("Echo reply id=0x{identifier:04x} seq={sequence}")
        }
        IcmpHeader::Unreachable(why) => match why {
            Unreachable::Port => "Destination unreachable: no program has the port".into(),
            Unreachable::Protocol => "Destination unreachable: the host does not have the protocol".into(),
            Unreachable::Host => "Destination unreachable: the host does not answer".into(),
            Unreachable::Net => "Destination unreachable: no route to the network".into(),
            Unreachable::FragmentationNeeded { next_hop_mtu } => {
                format!("Destination unreachable: fragmentation needed, next-hop MTU {next_hop_mtu}")
            }
            other => format!("Destination unreachable: code {}", other.code()),
        },
        IcmpHeader::TimeExceeded(TimeExceeded::Ttl) => "Time exceeded: TTL reached zero".into(),
        IcmpHeader::TimeExceeded(TimeExceeded::Reassembly) => "Time exceeded: fragments missing".into(),
        IcmpHeader::ParameterProblem { pointer } => format!("Parameter problem at byte {pointer}"),
        IcmpHeader::Other { kind, code, .. } => format!("Type {kind} code {code}"),
    }
}

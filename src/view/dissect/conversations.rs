//! A run, looked at frame by frame with a memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use super::application::{Cut, Labels, Meaning};
use super::fragments::Fragments;
use super::frame::{Transport, Walk};
use super::stream::Conversation;
use super::{Accounting, AppPiece, Dissection, FieldValue, Part, Role, Summary, What};
use crate::base::{Header, Layer, ParseError};
use crate::layers::application::websocket::FrameHeader;
use crate::layers::application::{engineio, socketio};
use crate::layers::internet::icmp::{IcmpHeader, TimeExceeded, Unreachable};
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::link::arp::{ArpPacket, Operation};
use crate::layers::link::ethernet::EtherType;
use crate::layers::transport::tcp::TcpHeader;
use crate::trace::{Flow, Protocol};

/// This many TCP conversations are followed at once; the one silent for longest is forgotten first.
const MOST_CONVERSATIONS: usize = 256;

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

/// A dissector that remembers: it follows TCP streams and what is said on them, and puts fragments together.
///
/// It may be fed a capture that begins in the middle of everything. Its memory is bounded, whatever it is fed: at
/// most 256 conversations with 64 KiB waiting and 256 labels in each direction, and 64 packets in
/// fragments. What is beyond is forgotten, the oldest first; forgotten streams are data.
#[derive(Debug, Clone, Default)]
pub struct Conversations {
    fed: u64,
    /// Stops at WebSocket and HTTP.
    to_websocket: bool,
    streams: BTreeMap<Flow, Conversation>,
    fragments: Fragments,
}

impl Conversations {
    /// A dissector that has seen nothing.
    pub fn new() -> Self {
        Conversations::default()
    }

    /// A dissector for which messages of WebSocket and bodies of HTTP are data, as they are for those two protocols:
    /// what the programs above agree to mean by them is not looked into.
    pub fn to_websocket() -> Self {
        Conversations { to_websocket: true, ..Conversations::default() }
    }

    /// The next Ethernet frame of the run.
    pub fn feed(&mut self, frame: &[u8]) -> Packet {
        self.note(frame, Walk::frame(frame))
    }

    /// The next IPv4 packet of a run that was captured without a link layer.
    pub fn feed_packet(&mut self, packet: &[u8]) -> Packet {
        self.note(packet, Walk::packet(packet))
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.streams.values().map(Conversation::waiting).sum()
    }

    fn note(&mut self, bytes: &[u8], mut walk: Walk) -> Packet {
        self.fed += 1;
        let summary = match (walk.arp, walk.ipv4) {
            (Some(arp), _) => arp_summary(&arp, &walk),
            (None, Some(ip)) if ip.is_fragment() => self.fragment_summary(&ip, bytes, &walk),
            (None, Some(ip)) => self.packet_summary(&ip, bytes, &mut walk),
            (None, None) => frame_summary(bytes, &walk),
        };
        let accounting = Accounting::of(&walk.dissection, summary.is_retransmission());
        Packet { number: self.fed, dissection: walk.dissection, summary, accounting }
    }

    /// A whole IPv4 packet.
    fn packet_summary(&mut self, ip: &Ipv4Header, bytes: &[u8], walk: &mut Walk) -> Summary {
        let between = |source, destination| {
            let local = SocketAddr::new(ip.source.into(), source);
            (local, SocketAddr::new(ip.destination.into(), destination))
        };
        match walk.transport.take() {
            Some(Transport::Udp(udp)) => {
                let (local, remote) = between(udp.source_port, udp.destination_port);
                Summary {
                    source: local.to_string(),
                    destination: remote.to_string(),
                    protocol: "UDP",
                    flow: Some(Flow { protocol: Protocol::Udp, local, remote }),
                    what: What::Udp { len: walk.payload.len() },
                }
            }
            Some(Transport::Tcp(tcp)) => {
                let (local, remote) = between(tcp.source_port, tcp.destination_port);
                self.segment(Flow { protocol: Protocol::Tcp, local, remote }, &tcp, bytes, walk)
            }
            Some(Transport::Icmp(icmp)) => Summary {
                protocol: "ICMP",
                what: What::Icmp { message: icmp_message(&icmp), len: walk.ipv4_payload.len() },
                ..of_addresses(ip, walk)
            },
            None => of_addresses(ip, walk),
        }
    }

    fn segment(&mut self, flow: Flow, tcp: &TcpHeader, bytes: &[u8], walk: &mut Walk) -> Summary {
        let key = flow.min(flow.reversed());
        if !self.streams.contains_key(&key)
            && self.streams.len() >= MOST_CONVERSATIONS
            && let Some(oldest) =
                self.streams.iter().min_by_key(|(_, stream)| stream.last_used).map(|(key, _)| *key)
        {
            self.streams.remove(&oldest);
        }
        let stream = self.streams.entry(key).or_insert_with(|| Conversation::new(!self.to_websocket));
        stream.last_used = self.fed;
        let from = usize::from(key != flow);
        let seen = stream.take(from, tcp, &bytes[walk.payload.clone()]);
        draw_application(stream, from, seen.start, bytes, walk);
        if let Some((start, problem)) = seen.problem {
            point_into_frame(start, problem, seen.start, walk);
        }
        let topmost = seen.summary.application.iter().map(protocol_of).max_by_key(|(rank, _)| *rank);
        Summary {
            source: flow.local.to_string(),
            destination: flow.remote.to_string(),
            protocol: topmost.map_or("TCP", |(_, name)| name),
            flow: Some(flow),
            what: What::Tcp(seen.summary),
        }
    }

    fn fragment_summary(&mut self, ip: &Ipv4Header, bytes: &[u8], walk: &Walk) -> Summary {
        let data = &bytes[walk.ipv4_payload.clone()];
        // Bytes cut off by the capture would leave a hole that looks like data.
        let completes =
            (data.len() == ip.payload_len()).then(|| self.fragments.take(ip, data)).flatten().map(|whole| {
                let header = Ipv4Header { more_fragments: false, fragment_offset: 0, ..*ip };
                let mut walk = Walk::reassembled(header, &whole);
                Box::new(self.packet_summary(&header, &whole, &mut walk))
            });
        Summary {
            flow: completes.as_ref().and_then(|whole| whole.flow),
            what: What::Fragment {
                identification: ip.identification,
                offset: ip.fragment_start(),
                len: ip.payload_len(),
                more: ip.more_fragments,
                completes,
            },
            ..of_addresses(ip, walk)
        }
    }
}

/// The part "data" of the segment, drawn again as what the stream makes of it.
fn draw_application(stream: &Conversation, from: usize, start: u64, bytes: &[u8], walk: &mut Walk) {
    let payload = walk.payload.clone();
    let drawn = drawn(stream.parser(from).labels(), start, bytes, payload.clone());
    if drawn.iter().all(|part| part.role == Role::Data) {
        return;
    }
    let parts = &mut walk.dissection.parts;
    if let Some(at) = parts.iter().position(|part| part.role == Role::Data && part.range == payload) {
        parts.splice(at..=at, drawn);
    }
}

/// The parts that lie at `payload` in `bytes`, which is from position `start` of a stream on.
pub(super) fn drawn(labels: &Labels, start: u64, bytes: &[u8], payload: Range<usize>) -> Vec<Part> {
    let end = start + payload.len() as u64;
    let mut drawn = Vec::new();
    let mut known = payload.start;
    for label in labels.touching(start, end) {
        let place = |position: u64| payload.start + position.saturating_sub(start) as usize;
        let range = place(label.start).max(known)..place((label.start + label.len).min(end));
        if range.is_empty() {
            continue;
        }
        drawn.push(Part::data(Layer::Application, known..range.start));
        known = range.end;
        let whole = range.len() as u64 == label.len;
        let header = |protocol| Part::plain(Layer::Application, protocol, Role::Header, range.clone());
        drawn.push(match &label.what {
            Meaning::Head { .. } => header("HTTP"),
            Meaning::FrameHeader(frame, Cut::Whole) if whole => Part {
                fields: FieldValue::all(&frame.layout(), &bytes[..range.end], range.start),
                ..header(FrameHeader::PROTOCOL)
            },
            Meaning::FrameHeader(..) | Meaning::ControlPayload => header(FrameHeader::PROTOCOL),
            Meaning::EngineIo(kind) => Part {
                fields: FieldValue::unmasked(engineio::header::FIELDS, &[*kind], range.start),
                ..header(engineio::PROTOCOL)
            },
            Meaning::Separator => header(engineio::PROTOCOL),
            Meaning::SocketIo(text, Cut::Whole) if whole => Part {
                fields: FieldValue::unmasked(&socketio::header::Parts::of(text).layout(), text, range.start),
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

/// A problem of the stream, reported as one of the frame in which it showed.
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
        AppPiece::WsContinuationOfFrame { .. } => (1, "TCP"),
        AppPiece::Data { .. } => (0, "TCP"),
    }
}

fn arp_summary(arp: &ArpPacket, walk: &Walk) -> Summary {
    let destination = walk.ethernet.map_or(arp.target_mac, |ethernet| ethernet.destination);
    Summary {
        source: arp.sender_mac.to_string(),
        destination: if destination.is_broadcast() { "broadcast".into() } else { destination.to_string() },
        protocol: "ARP",
        flow: None,
        what: What::Arp {
            request: arp.operation == Operation::Request,
            sender: arp.sender_ip.into(),
            sender_mac: arp.sender_mac.to_string(),
            target: arp.target_ip.into(),
        },
    }
}

fn of_addresses(ip: &Ipv4Header, walk: &Walk) -> Summary {
    Summary {
        source: ip.source.to_string(),
        destination: ip.destination.to_string(),
        protocol: "IPv4",
        flow: None,
        what: What::Ipv4 { protocol: ip.protocol, len: walk.ipv4_payload.len() },
    }
}

fn frame_summary(bytes: &[u8], walk: &Walk) -> Summary {
    let (source, destination) = match walk.ethernet {
        Some(ethernet) => (ethernet.source.to_string(), ethernet.destination.to_string()),
        None => ("?".into(), "?".into()),
    };
    let header = walk.dissection.parts.first().map_or(0, |part| part.range.len());
    let ethertype = walk.ethernet.map(|ethernet| ethernet.ethertype);
    Summary {
        source,
        destination,
        protocol: match ethertype {
            Some(EtherType::ARP) => "ARP",
            Some(EtherType::IPV4) => "IPv4",
            _ => "Ethernet",
        },
        flow: None,
        what: What::Frame {
            ethertype: ethertype.map(|ethertype| ethertype.0),
            len: bytes.len().saturating_sub(header),
        },
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

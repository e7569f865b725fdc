//! Frames and a run for the tests of the views: made by the layers' own emitters, so that the views are held against
//! what is really sent.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{Header, Instant, Writer};
use crate::layers::application::websocket::{FrameHeader, Opcode};
use crate::layers::internet::ipv4::{Ipv4Header, protocol};
use crate::layers::link::arp::ArpPacket;
use crate::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr, pad_to_minimum};
use crate::layers::transport::tcp::{Flags, Options, Segment, SeqNumber, TcpHeader, TcpOption};
use crate::layers::transport::udp::Datagram;
use crate::trace::{Flow, FrameId, Kind, LinkId, Place, PlaceId, Protocol, Recorder, Trace, Wire};

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const CLIENT_ISN: u32 = u32::MAX - 10;
pub(crate) const SERVER_ISN: u32 = 5_000;

pub(crate) const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
pub(crate) const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

fn ethernet(w: &mut Writer, from_client: bool, ethertype: EtherType) {
    let (source, destination) = if from_client { (1, 2) } else { (2, 1) };
    EthernetHeader { destination: MacAddr::local(destination), source: MacAddr::local(source), ethertype }
        .emit(w);
}

fn ends(from_client: bool) -> ([u8; 4], [u8; 4]) {
    if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) }
}

/// A packet of the given header in a padded frame.
pub(crate) fn packet(from_client: bool, header: Ipv4Header, payload: &[u8]) -> Bytes {
    let mut w = Writer::new();
    ethernet(&mut w, from_client, EtherType::IPV4);
    header.with_payload_len(payload.len()).emit(&mut w);
    w.bytes(payload);
    pad_to_minimum(&mut w, 0);
    w.finish()
}

pub(crate) fn arp_request() -> Bytes {
    let mut w = Writer::new();
    EthernetHeader { destination: MacAddr::BROADCAST, source: MacAddr::local(1), ethertype: EtherType::ARP }
        .emit(&mut w);
    ArpPacket::request(MacAddr::local(1), CLIENT.into(), SERVER.into()).emit(&mut w);
    pad_to_minimum(&mut w, 0);
    w.finish()
}

pub(crate) fn udp_data(payload: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    Datagram::new(4000, 53, Bytes::copy_from_slice(payload)).emit(CLIENT.into(), SERVER.into(), &mut w);
    w.finish().to_vec()
}

pub(crate) fn udp(payload: &[u8]) -> Bytes {
    packet(true, Ipv4Header::new(CLIENT.into(), SERVER.into(), protocol::UDP, 0), &udp_data(payload))
}

/// The pieces of a UDP datagram, each with at most `most` bytes of it.
pub(crate) fn fragments(payload: &[u8], most: usize) -> Vec<Bytes> {
    let data = udp_data(payload);
    let count = data.chunks(most).count();
    (0..)
        .zip(data.chunks(most))
        .map(|(i, piece)| {
            let header = Ipv4Header {
                identification: 7,
                more_fragments: i + 1 < count,
                fragment_offset: (i * most / 8) as u16,
                ..Ipv4Header::new(CLIENT.into(), SERVER.into(), protocol::UDP, 0)
            };
            packet(true, header, piece)
        })
        .collect()
}

/// A segment with positions relative to the sample's ISNs, the SYN being 0.
pub(crate) fn tcp(from_client: bool, flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Bytes {
    tcp_window(from_client, flags, seq, ack, 1000, payload)
}

pub(crate) fn tcp_window(
    from_client: bool,
    flags: Flags,
    seq: u32,
    ack: u32,
    window: u16,
    payload: &[u8],
) -> Bytes {
    let (mine, theirs) = if from_client { (CLIENT_ISN, SERVER_ISN) } else { (SERVER_ISN, CLIENT_ISN) };
    let (source_port, destination_port) = if from_client { (4000, 80) } else { (80, 4000) };
    let mut options = Options::none();
    if flags.has(Flags::SYN) {
        options.push(TcpOption::MaximumSegmentSize(1460));
        options.push(TcpOption::WindowScale(2));
    }
    let header = TcpHeader {
        source_port,
        destination_port,
        seq: SeqNumber(mine) + seq,
        ack: if flags.has(Flags::ACK) { SeqNumber(theirs) + ack } else { SeqNumber(0) },
        flags,
        window,
        urgent: 0,
        options,
    };
    let (source, destination) = ends(from_client);
    let mut w = Writer::new();
    Segment { header, payload: Bytes::copy_from_slice(payload) }.emit(
        source.into(),
        destination.into(),
        &mut w,
    );
    packet(from_client, Ipv4Header::new(source.into(), destination.into(), protocol::TCP, 0), &w.finish())
}

/// A WebSocket frame with a payload of `x`, masked when the client sends it.
pub(crate) fn frame(from_client: bool, opcode: Opcode, len: usize) -> Vec<u8> {
    let mut w = Writer::new();
    FrameHeader { mask: from_client.then_some([0; 4]), ..FrameHeader::new(opcode, len as u64) }.emit(&mut w);
    w.bytes(&vec![b'x'; len]);
    w.finish().to_vec()
}

pub(crate) fn handshake() -> Vec<Bytes> {
    let (request, response) = (REQUEST.len() as u32, RESPONSE.len() as u32);
    vec![
        tcp(true, Flags::SYN, 0, 0, b""),
        tcp(false, Flags::SYN | Flags::ACK, 0, 1, b""),
        tcp(true, Flags::ACK, 1, 1, b""),
        tcp(true, Flags::ACK | Flags::PSH, 1, 1, REQUEST),
        tcp(false, Flags::ACK | Flags::PSH, 1, 1 + request, RESPONSE),
        tcp(true, Flags::ACK, 1 + request, 1 + response, b""),
    ]
}

/// A run of all kinds of frames: every frame takes a millisecond, the sixth is lost, the ninth changed on the way.
pub(crate) fn run() -> Trace {
    let mut recorder = Recorder::on("sample", Wire::Sim);
    let client = recorder.place(Place { name: "client".into(), addresses: vec![CLIENT.into()] });
    let server = recorder.place(Place { name: "server".into(), addresses: vec![SERVER.into()] });
    let mut frames = vec![arp_request()];
    frames.extend(handshake());
    let at = 1 + REQUEST.len() as u32;
    let text = frame(true, Opcode::Text, 200);
    frames.push(tcp(true, Flags::ACK, at, 1 + RESPONSE.len() as u32, &text[..100]));
    frames.push(tcp(true, Flags::ACK, at + 100, 1 + RESPONSE.len() as u32, &text[100..]));
    frames.push(tcp(true, Flags::ACK, at, 1 + RESPONSE.len() as u32, &text[..100]));
    frames.push(udp(b"hello"));
    frames.extend(fragments(&[b'f'; 100], 48));
    for (i, bytes) in (0..).zip(frames) {
        let ids: [PlaceId; 2] =
            if bytes[6..12] == MacAddr::local(1).0 { [client, server] } else { [server, client] };
        let (frame, [from, to]) = (FrameId(i), ids);
        let sent = Instant::from_millis(i);
        recorder.record(sent, from, || Kind::Sent { frame, link: LinkId(0), to, bytes });
        let arrives = Instant::from_nanos(sent.as_nanos() + 500_000);
        match i {
            5 => recorder.record(arrives, to, || Kind::Dropped { frame, by: "loss 10 %".into() }),
            8 => {
                recorder.record(sent, to, || Kind::Corrupted { frame, by: "corrupt".into(), offset: 60 });
                recorder.record(arrives, to, || Kind::Discarded { frame, why: "TCP checksum".into() });
            }
            _ => recorder.record(arrives, to, || Kind::Delivered { frame }),
        }
    }
    recorder.into_trace()
}

/// A run in which the client sends `frames`, one a millisecond; those whose number is in `lost` do not arrive.
/// `wrote` and `read` are what both programs did before and after.
pub(crate) fn exchange(
    protocol: Protocol,
    wrote: &[&'static [u8]],
    frames: Vec<Bytes>,
    lost: &[usize],
    read: &[&'static [u8]],
) -> Trace {
    let mut recorder = Recorder::on("exchange", Wire::Sim);
    let client = recorder.place(Place { name: "client".into(), addresses: vec![CLIENT.into()] });
    let server = recorder.place(Place { name: "server".into(), addresses: vec![SERVER.into()] });
    let port = if protocol == Protocol::Udp { 53 } else { 80 };
    let (local, remote) = (SocketAddr::from((CLIENT, 4000)), SocketAddr::from((SERVER, port)));
    let flow = Flow::new(protocol, local, remote);
    for bytes in wrote {
        recorder.record(Instant::ZERO, client, || Kind::AppWrote { flow, bytes: Bytes::from_static(bytes) });
    }
    let end = Instant::from_millis(frames.len() as u64 + 1);
    for (i, bytes) in frames.into_iter().enumerate() {
        let (frame, sent) = (FrameId(i as u64), Instant::from_millis(i as u64));
        recorder.record(sent, client, || Kind::Sent { frame, link: LinkId(0), to: server, bytes });
        let arrives = Instant::from_nanos(sent.as_nanos() + 500_000);
        if lost.contains(&i) {
            recorder.record(arrives, server, || Kind::Dropped { frame, by: "a rule".into() });
        } else {
            recorder.record(arrives, server, || Kind::Delivered { frame });
        }
    }
    for bytes in read {
        let (flow, bytes) = (flow.reversed(), Bytes::from_static(bytes));
        recorder.record(end, server, || Kind::AppRead { flow, bytes });
    }
    recorder.into_trace()
}

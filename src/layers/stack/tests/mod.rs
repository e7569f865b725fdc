//! Hosts on one wire that a test can look into: the bench for tests of the joined stack.
//!
//! Frames travel at once and in order; a test may take them out, change them, or put in its own.

mod backlog;
mod errors;
mod fragments;
mod neighbours;
mod paths;
mod requirements;
mod router;
mod sockets;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;

use super::*;
use crate::base::{Duration, Header as _, Layer, Reader, Writer};
use crate::layers::internet::icmp::{IcmpHeader, IcmpMessage};
use crate::layers::internet::ipv4::Ipv4Header;
use crate::layers::link::ethernet::{self, EtherType, EthernetHeader};
use crate::layers::transport::tcp::{Flags, Segment, SeqNumber, TcpHeader};
use crate::layers::transport::udp::Datagram;
use crate::trace::Kind;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// A host on another link, beyond a router.
const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
/// An address of the test's own: what is sent to it stays in the outbox of [`Lab`].
const OUTSIDER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);

fn at(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::new(address.into(), port)
}

fn mac(address: Ipv4Addr) -> MacAddr {
    MacAddr::local(u16::from(address.octets()[3]))
}

/// One host with one interface, whose frames the test sends and receives itself.
struct Lab {
    stack: Stack,
    now: Instant,
    events: Vec<SocketEvent>,
    notes: Vec<String>,
    discarded: Vec<String>,
    wake: Option<Instant>,
    sent: VecDeque<Bytes>,
}

impl Lab {
    /// A host at [`B`] that knows where [`A`] is.
    fn new() -> Lab {
        let mut lab = Lab::with(
            B,
            1500,
            &StackConfig {
                trace: true,
                tcp: crate::layers::transport::tcp::Config::bare(),
                ..StackConfig::default()
            },
        );
        lab.introduce();
        lab
    }

    /// Gives the host the hardware address of [`A`].
    fn introduce(&mut self) {
        self.with_stack(|stack, now| stack.learn_neighbour(now, 0, A.into(), mac(A)));
    }

    fn with(address: Ipv4Addr, mtu: u16, config: &StackConfig) -> Lab {
        let mut stack = Stack::new(config, &Rng::new(7));
        stack.add_interface(mac(address), mtu);
        stack.add_address(0, Cidr::new(address.into(), 24));
        Lab {
            stack,
            now: Instant::ZERO,
            events: Vec::new(),
            notes: Vec::new(),
            discarded: Vec::new(),
            wake: None,
            sent: VecDeque::new(),
        }
    }

    /// Does something to the host, then takes all that comes out of it.
    fn with_stack<T>(&mut self, command: impl FnOnce(&mut Stack, Instant) -> T) -> T {
        let result = command(&mut self.stack, self.now);
        while let Some(output) = self.stack.poll(self.now) {
            match output {
                Output::Frame { bytes, .. } => self.sent.push_back(bytes),
                Output::Event(event) => self.events.push(event),
                Output::Discarded(why) => self.discarded.push(why),
                Output::Trace(Kind::Note { text }) => self.notes.push(text.into_owned()),
                Output::Trace(_) | Output::Blocked { .. } => {}
                Output::WakeAt(at) => self.wake = Some(at),
            }
        }
        result
    }

    fn arrives(&mut self, frame: Bytes) {
        self.with_stack(|stack, now| {
            stack.handle(now, Input::Frame { interface: 0, bytes: frame, intact: false });
        });
    }

    /// Lets time pass, waking the host whenever it asked for it.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            self.now = at;
            self.wake = None;
            self.with_stack(|stack, now| stack.handle(now, Input::Wake));
        }
        self.now = end;
    }

    /// The next packet that the host sent, ARP left out.
    fn packet(&mut self) -> Option<(Ipv4Header, Bytes)> {
        while let Some(frame) = self.sent.pop_front() {
            if let Some(packet) = read_packet(&frame) {
                return Some(packet);
            }
        }
        None
    }

    /// The next ICMP message it sent; anything else is a fault.
    fn icmp(&mut self) -> Option<IcmpMessage> {
        let (header, payload) = self.packet()?;
        assert_eq!(header.protocol, protocol::ICMP);
        Some(IcmpMessage::parse(&payload, 0).unwrap())
    }

    /// The next TCP segment it sent; anything else is a fault.
    fn segment(&mut self) -> Option<Segment> {
        let (header, payload) = self.packet()?;
        assert_eq!(header.protocol, protocol::TCP);
        Some(Segment::parse(header.source.into(), header.destination.into(), &payload, 0).unwrap())
    }
}

fn read_packet(frame: &Bytes) -> Option<(Ipv4Header, Bytes)> {
    let mut r = Reader::new(Layer::Link, "Ethernet", frame);
    let ethernet = EthernetHeader::parse(&mut r).unwrap();
    if ethernet.ethertype != EtherType::IPV4 {
        return None;
    }
    let header = Ipv4Header::parse(&mut r.enter(Layer::Internet, "IPv4")).unwrap();
    Some((header, frame.slice(header.payload_range(ethernet::HEADER_LEN))))
}

/// A frame with a packet from [`A`]'s interface to the host's.
fn frame(header: &Ipv4Header, payload: &[u8]) -> Bytes {
    frame_to(mac(B), header, payload)
}

fn frame_to(destination: MacAddr, header: &Ipv4Header, payload: &[u8]) -> Bytes {
    let mut w = Writer::new();
    EthernetHeader { destination, source: mac(A), ethertype: EtherType::IPV4 }.emit(&mut w);
    header.emit(&mut w);
    w.bytes(payload);
    ethernet::pad_to_minimum(&mut w, 0);
    w.finish()
}

fn udp(source: Ipv4Addr, destination: Ipv4Addr, port: u16, payload: &[u8]) -> (Ipv4Header, Bytes) {
    let mut w = Writer::new();
    Datagram::new(4000, port, Bytes::copy_from_slice(payload)).emit(
        source.into(),
        destination.into(),
        &mut w,
    );
    let payload = w.finish();
    (Ipv4Header::new(source, destination, protocol::UDP, payload.len()), payload)
}

fn tcp(destination: Ipv4Addr, header: TcpHeader) -> (Ipv4Header, Bytes) {
    let mut w = Writer::new();
    Segment { header, payload: Bytes::new() }.emit(A.into(), destination.into(), &mut w);
    let payload = w.finish();
    (Ipv4Header::new(A, destination, protocol::TCP, payload.len()), payload)
}

/// A segment from port 4000 of [`A`] to port 80.
fn header(flags: Flags, seq: u32, ack: u32) -> TcpHeader {
    TcpHeader {
        source_port: 4000,
        destination_port: 80,
        seq: SeqNumber(seq),
        ack: SeqNumber(ack),
        flags,
        window: 8_000,
        ..TcpHeader::default()
    }
}

fn icmp(source: Ipv4Addr, header: IcmpHeader, payload: &[u8]) -> (Ipv4Header, Bytes) {
    let mut w = Writer::new();
    IcmpMessage { header, payload: Bytes::copy_from_slice(payload) }.emit(&mut w);
    let payload = w.finish();
    (Ipv4Header::new(source, B, protocol::ICMP, payload.len()), payload)
}

//! A host under fire: any frames, in any order, at any time. It must not panic, and must not answer without end.
//!
//! Frames come raw, or with the headers below the fuzzed part and all checksums right: otherwise nearly every input
//! would end at the first checksum.

#![no_main]

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use netlayers::base::{Checksum, Duration, Header as _, Instant, Machine as _, Rng, Writer};
use netlayers::layers::internet::ipv4::{Ipv4Header, protocol};
use netlayers::layers::internet::prefix::{Cidr, Prefix};
use netlayers::layers::link::ethernet::{EtherType, EthernetHeader, MacAddr};
use netlayers::layers::stack::{Input, Output, SocketEvent, SocketId, Stack, StackConfig};
use netlayers::layers::transport::pseudo_header;

#[derive(Debug, Arbitrary)]
enum Step {
    Raw(Vec<u8>),
    Ethernet { ethertype: u16, payload: Vec<u8> },
    Arp { payload: Vec<u8> },
    Ipv4 { more: bool, offset: u8, ttl: u8, for_us: bool, carries: Carries, payload: Vec<u8> },
    Wake { millis: u16 },
    Backlog { bytes: u16 },
    Read,
    Write { len: u16 },
    Send { len: u16 },
    Shutdown,
    Abort,
    Ping,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Carries {
    Icmp,
    Udp,
    Tcp,
    Other(u8),
}

const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const OUR_MAC: MacAddr = MacAddr::local(1);
const PEER_MAC: MacAddr = MacAddr::local(2);

/// No single input may cause more than this.
const MOST_OUTPUTS: usize = 100_000;

fuzz_target!(|steps: Vec<Step>| {
    let mut host = Host::new();
    for step in steps {
        host.take(step);
        host.drain();
    }
});

struct Host {
    now: Instant,
    stack: Stack,
    udp: SocketId,
    connections: Vec<SocketId>,
}

impl Host {
    fn new() -> Self {
        let mut config = StackConfig { trace: true, ..StackConfig::default() };
        config.tcp.user_timeout = Some(Duration::from_secs(100));
        let mut stack = Stack::new(&config, &Rng::new(1));
        let interface = stack.add_interface(OUR_MAC, 1500);
        stack.add_address(interface, Cidr::new(US.into(), 24));
        stack.add_route(Prefix::ALL, interface, Some(PEER.into()));
        stack.set_forwarding(true);
        stack.learn_neighbour(Instant::ZERO, interface, PEER.into(), PEER_MAC);
        let udp = stack.udp_bind(53).expect("a free port");
        stack.tcp_listen(80).expect("a free port");
        let connection = stack.tcp_connect(Instant::ZERO, SocketAddr::new(PEER.into(), 80)).expect("a route");
        Host { now: Instant::ZERO, stack, udp, connections: vec![connection] }
    }

    fn take(&mut self, step: Step) {
        let (now, stack) = (self.now, &mut self.stack);
        match step {
            Step::Raw(bytes) => self.frame(bytes.into()),
            Step::Ethernet { ethertype, payload } => self.frame(framed(EtherType(ethertype), &payload)),
            Step::Arp { payload } => {
                // Hardware and protocol as they must be.
                let payload = [&[0, 1, 8, 0, 6, 4][..], &payload].concat();
                self.frame(framed(EtherType::ARP, &payload));
            }
            Step::Ipv4 { more, offset, ttl, for_us, carries, payload } => {
                let destination = if for_us { US } else { Ipv4Addr::new(192, 0, 2, 1) };
                self.frame(packet(more, offset, ttl, destination, carries, payload));
            }
            Step::Wake { millis } => {
                self.now += Duration::from_millis(u64::from(millis));
                stack.handle(self.now, Input::Wake);
            }
            Step::Backlog { bytes } => {
                stack.handle(now, Input::Backlog { interface: 0, bytes: bytes.into() })
            }
            Step::Read => {
                while stack.udp_recv(self.udp).is_some() {}
                for connection in &self.connections {
                    while stack.tcp_read(now, *connection, 1000).is_some() {}
                }
            }
            Step::Write { len } => {
                for connection in &self.connections {
                    let _ = stack.tcp_write(now, *connection, vec![7; len.into()].into());
                }
            }
            Step::Send { len } => {
                let to = SocketAddr::new(PEER.into(), 53);
                let _ = stack.udp_send(now, self.udp, to, vec![7; len.into()].into());
            }
            Step::Shutdown => self.connections.iter().for_each(|socket| stack.tcp_shutdown(now, *socket)),
            Step::Abort => self.connections.iter().for_each(|socket| stack.tcp_abort(now, *socket)),
            Step::Ping => {
                let _ = stack.ping(now, PEER.into(), 1, 2, Bytes::from_static(b"ping"));
            }
        }
    }

    fn frame(&mut self, bytes: Bytes) {
        self.stack.handle(self.now, Input::Frame { interface: 0, bytes, intact: false });
    }

    fn drain(&mut self) {
        for _ in 0..MOST_OUTPUTS {
            match self.stack.poll(self.now) {
                None => return,
                Some(Output::Event(SocketEvent::Accepted { socket, .. })) => self.connections.push(socket),
                Some(Output::Event(SocketEvent::Closed { socket, .. })) => {
                    self.connections.retain(|open| *open != socket);
                }
                Some(Output::Frame { bytes, .. }) => {
                    assert!(bytes.len() <= 14 + 1500, "a frame within the MTU")
                }
                Some(_) => {}
            }
        }
        panic!("one input led to more than {MOST_OUTPUTS} outputs");
    }
}

fn framed(ethertype: EtherType, payload: &[u8]) -> Bytes {
    let mut w = Writer::new();
    EthernetHeader { destination: OUR_MAC, source: PEER_MAC, ethertype }.emit(&mut w);
    w.bytes(payload);
    w.finish()
}

/// A packet whose checksums are right, whatever its payload says.
fn packet(
    more: bool,
    offset: u8,
    ttl: u8,
    destination: Ipv4Addr,
    carries: Carries,
    mut payload: Vec<u8>,
) -> Bytes {
    payload.truncate(2000);
    let (protocol, checksum_at) = match carries {
        Carries::Icmp => (protocol::ICMP, 2),
        Carries::Udp => (protocol::UDP, 6),
        Carries::Tcp => (protocol::TCP, 16),
        Carries::Other(number) => (number, usize::MAX - 2),
    };
    if payload.len() >= checksum_at + 2 {
        let mut sum = match carries {
            Carries::Icmp | Carries::Other(_) => Checksum::new(),
            Carries::Udp | Carries::Tcp => pseudo_header(PEER.into(), destination.into(), protocol, payload.len()),
        };
        payload[checksum_at..checksum_at + 2].fill(0);
        sum.add(&payload);
        payload[checksum_at..checksum_at + 2].copy_from_slice(&sum.finish().to_be_bytes());
    }
    let header = Ipv4Header {
        more_fragments: more,
        fragment_offset: offset.into(),
        ttl,
        ..Ipv4Header::new(PEER, destination, protocol, payload.len())
    };
    let mut w = Writer::new();
    header.emit(&mut w);
    w.bytes(&payload);
    framed(EtherType::IPV4, &w.finish())
}

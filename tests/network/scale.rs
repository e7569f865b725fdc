//! What a packet, and a host, cost in a network of many hosts.
//!
//! Counted, not timed, so that it is the same on every machine: what happens for a packet, and the memory that a host
//! takes. What a packet costs in time, `benches/bulk.rs` measures in the same star.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::{Prefix, v4};
use netlayers::layers::stack::StackConfig;
use netlayers::sim::{App, Io, LinkConfig, Network, SocketEvent, SocketId};
use netlayers::trace::{Recorder, Wire};

const PORT: u16 = 9000;
const DATAGRAMS: u32 = 4;

/// Sends a few datagrams to one host, and counts those that come from others.
struct Talker {
    to: IpAddr,
    rest: u32,
    start: Instant,
    socket: Option<SocketId>,
    heard: u32,
}

impl App for Talker {
    fn start(&mut self, io: &mut Io<'_>) {
        self.socket = io.udp_bind(PORT).ok();
        io.wake_at(self.start);
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Readable(socket) = event {
            while io.udp_recv(socket).is_some() {
                self.heard += 1;
            }
        }
    }

    fn wake(&mut self, io: &mut Io<'_>) {
        let Some(socket) = self.socket.filter(|_| self.rest > 0) else { return };
        io.udp_send(socket, SocketAddr::new(self.to, PORT), Bytes::from_static(&[0; 1000])).expect("room");
        self.rest -= 1;
        io.wake_at(io.now() + Duration::from_millis(100));
    }
}

/// A star of hosts around a router; each has sent to the one on the other side.
fn star(hosts: u16) -> Network {
    let config = StackConfig::default();
    let address = |i: u16| v4(10, 0, (i >> 8) as u8, i as u8);
    let mut network = Network::new(1, Recorder::off(Wire::Sim));
    let router = network.router("router", &config);
    let mut talkers = Vec::new();
    for i in 0..hosts {
        let leaf = network.host(&format!("leaf{i}"), address(i), &config);
        network.link(leaf, (router, "10.255.255.254"), LinkConfig::default());
        network.route(leaf, Prefix::ALL, router);
        let start = Instant::from_nanos(u64::from(i) * 100_000_000 / u64::from(hosts));
        let to = address((i + hosts / 2) % hosts);
        talkers.push(network.app(leaf, Talker { to, rest: DATAGRAMS, start, socket: None, heard: 0 }));
    }
    // With each question that it asks, a router looks at the deadlines of all its interfaces: not what is counted here.
    network.introduce_neighbours();
    assert!(network.run_until(Instant::from_millis(60_000)), "everything came to rest");
    assert!(talkers.iter().all(|talker| network.app_ref::<Talker>(*talker).heard == DATAGRAMS));
    network
}

/// A packet is one frame on one link.
fn happenings_for_a_packet(hosts: u16) -> f64 {
    let network = star(hosts);
    network.happenings() as f64 / network.frames() as f64
}

#[test]
fn no_more_happens_for_a_packet_in_a_star_of_ten_thousand_hosts_than_in_one_of_a_hundred() {
    let (few, many) = (happenings_for_a_packet(100), happenings_for_a_packet(10_000));
    assert!(many < few * 1.1, "{few} and {many} for a packet");
    assert!(few < 10.0, "{few}");
}

#[test]
fn a_host_takes_four_kibibytes_with_its_link_and_its_program() {
    let before = LIVE.get();
    let network = star(4_000);
    let each = (LIVE.get() - before) / 4_000;
    drop(network);
    assert!(each <= 4096, "{each} bytes a host");
    assert!((LIVE.get() - before).abs() < 4096, "all is given back");
}

thread_local! {
    /// Bytes that this thread has taken from the heap and not given back.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn count(bytes: isize) {
    // While a thread ends, there is nothing to count with, and nobody who asks.
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its interface")]
// SAFETY: every call is handed on as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(place, layout, size) }
    }
}

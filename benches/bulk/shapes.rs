//! The networks that are measured, and the programs on them.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::Scene;
use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::{Prefix, v4};
use netlayers::layers::physical::delay::Rate;
use netlayers::layers::stack::StackConfig;
use netlayers::layers::transport::tcp::Config;
use netlayers::sim::apps::tcp::{Receiver, Source};
use netlayers::sim::{App, AppId, HostId, Io, LinkConfig, Network, SocketEvent, SocketId, fault};
use netlayers::trace::Recorder;

pub(super) const MB: u64 = 1_000_000;
const PORT: u16 = 9000;
/// The payload of a full packet by UDP, but for twelve bytes that options of TCP may take.
const DATAGRAM: usize = 1460;

/// Two hosts, 100 Mbit/s and 10 ms between them: `bytes` in all, over `flows` connections that open 1 ms apart and
/// share the bytes in flight. So cases with the same `in_flight` differ in nothing but their flows.
pub(super) fn pair(
    recorder: Recorder,
    bytes: u64,
    flows: u64,
    in_flight: u64,
    loss: f64,
    tcp: &Config,
) -> Scene {
    let window = in_flight / flows;
    let mut network = Network::new(1, recorder);
    let client = network.host("client", v4(10, 0, 0, 1), &host(window, tcp));
    let server = network.host("server", v4(10, 0, 0, 2), &host(window, tcp));
    network.link(client, server, link(100, 10));
    network.introduce_neighbours();
    if loss > 0.0 {
        network.rule(client, server, fault::loss(loss));
        network.rule(server, client, fault::loss(loss));
    }
    let sink = network.app(server, Receiver::sink(PORT));
    for flow in 0..flows {
        source(&mut network, client, server, bytes / flows, flow);
    }
    by_tcp(network, vec![sink], bytes)
}

/// A hundred hosts, each with a link of its own to a router, and one link from there to the server, which all share.
pub(super) fn bottleneck(recorder: Recorder) -> Scene {
    let config = host(16_000, &Config::bare());
    let mut network = Network::new(1, recorder);
    let server = network.host("server", v4(10, 1, 0, 1), &config);
    let router = network.host("router", v4(10, 1, 0, 254), &config);
    network.link(router, server, link(100, 10));
    network.forward(router);
    network.route(server, Prefix::ALL, router);
    let sink = network.app(server, Receiver::sink(PORT));
    for i in 0..100 {
        let client = network.host(&format!("client{i}"), v4(10, 0, 0, i), &config);
        network.link(client, router, link(1000, 10));
        network.route(client, Prefix::ALL, router);
        // More than the link can carry in the time.
        source(&mut network, client, server, 100 * MB, u64::from(i));
    }
    network.introduce_neighbours();
    // Nine tenths of 100 Mbit/s for 10 s.
    by_tcp(network, vec![sink], 110 * MB)
}

/// As many hosts on the left as on the right, each with a link of 1 ms to its side's router, and one link between the
/// routers, which all flows share: three links each way.
pub(super) fn dumbbell(recorder: Recorder, flows: u16, tcp: &Config) -> Scene {
    // Three segments at least.
    let config = host((2 * MB / u64::from(flows)).max(4_380), tcp);
    let mut network = Network::new(1, recorder);
    let routers = [1, 2].map(|side| network.host(&format!("router{side}"), v4(10, side, 255, 254), &config));
    network.link(routers[0], routers[1], link(100, 10));
    for (router, other) in [(0, 1), (1, 0)] {
        network.forward(routers[router]);
        let beyond = Prefix::new(v4(10, other as u8 + 1, 0, 0), 16);
        network.route(routers[router], beyond, routers[other]);
    }
    let mut sinks = Vec::new();
    for flow in 0..flows {
        let [high, low] = flow.to_be_bytes();
        let [left, right] = [1, 2].map(|side| {
            let name = format!("host{side}.{flow}");
            let host = network.host(&name, v4(10, side, high, low), &config);
            let router = routers[usize::from(side) - 1];
            network.link(host, router, link(1000, 1));
            network.route(host, Prefix::ALL, router);
            host
        });
        sinks.push(network.app(right, Receiver::sink(PORT)));
        source(&mut network, left, right, 100 * MB, u64::from(flow));
    }
    network.introduce_neighbours();
    by_tcp(network, sinks, 105 * MB)
}

/// Two hosts, and datagrams at nine tenths of what the link between them carries.
pub(super) fn udp_pair(recorder: Recorder) -> Scene {
    let config = StackConfig::default();
    let mut network = Network::new(1, recorder);
    let client = network.host("client", v4(10, 0, 0, 1), &config);
    let server = network.host("server", v4(10, 0, 0, 2), &config);
    network.link(client, server, link(100, 10));
    network.introduce_neighbours();
    let interval = Duration::from_nanos(DATAGRAM as u64 * 8 * 1_000_000_000 / 90_000_000);
    let ticker = Ticker::new(v4(10, 0, 0, 2), interval, 77_000, Instant::ZERO);
    network.app(client, ticker);
    let sink = network.app(server, Drain::default());
    by_udp(network, vec![sink], 77_000)
}

/// A router with a link to each of `hosts` hosts; each of them sends to the one on the other side, 600,000 datagrams in
/// all: two links each. The router has a route for each.
pub(super) fn star(recorder: Recorder, hosts: u16) -> Scene {
    let config = StackConfig::default();
    let address = |i: u16| v4(10, 0, (i >> 8) as u8, i as u8);
    let mut network = Network::new(1, recorder);
    let router = network.host("router", v4(10, 255, 255, 254), &config);
    network.forward(router);
    let each = 600_000 / u64::from(hosts);
    let interval = Duration::from_nanos(10_000_000_000 / each);
    let mut sinks = Vec::new();
    for i in 0..hosts {
        let leaf = network.host(&format!("leaf{i}"), address(i), &config);
        network.link(leaf, router, link(1000, 1));
        network.route(leaf, Prefix::ALL, router);
        // One after the other, as far apart as the rounds of all allow.
        let start = interval.as_nanos() * u64::from(i) / u64::from(hosts);
        let ticker =
            Ticker::new(address((i + hosts / 2) % hosts), interval, each, Instant::from_nanos(start));
        network.app(leaf, ticker);
        sinks.push(network.app(leaf, Drain::default()));
    }
    network.introduce_neighbours();
    by_udp(network, sinks, each * u64::from(hosts))
}

/// Hosts in a row, all but the ends routers. The first sends to the last.
pub(super) fn chain(recorder: Recorder, hosts: u8) -> Scene {
    // The last of a hundred routers would find a TTL of 64 used up.
    let config = StackConfig { ttl: 255, ..StackConfig::default() };
    let mut network = Network::new(1, recorder);
    let row: Vec<HostId> =
        (0..hosts).map(|i| network.host(&format!("host{i}"), v4(10, 0, 0, i), &config)).collect();
    for pair in row.windows(2) {
        network.link(pair[0], pair[1], link(100, 1));
        network.forward(pair[1]);
    }
    let last = v4(10, 0, 0, hosts - 1);
    for pair in row.windows(2) {
        network.route(pair[0], Prefix::host(last), pair[1]);
    }
    network.introduce_neighbours();
    network.app(row[0], Ticker::new(last, Duration::from_millis(1), 5_000, Instant::ZERO));
    let sink = network.app(row[usize::from(hosts) - 1], Drain::default());
    by_udp(network, vec![sink], 5_000)
}

fn by_tcp(network: Network, sinks: Vec<AppId>, expected: u64) -> Scene {
    Scene { network, sinks, arrived: |network, sink| network.app_ref::<Receiver>(sink).bytes(), expected }
}

fn by_udp(network: Network, sinks: Vec<AppId>, datagrams: u64) -> Scene {
    let arrived = |network: &Network, sink| network.app_ref::<Drain>(sink).bytes;
    Scene { network, sinks, arrived, expected: datagrams * DATAGRAM as u64 }
}

fn source(network: &mut Network, from: HostId, to: HostId, bytes: u64, number: u64) {
    let to = SocketAddr::new(network.stack(to).address(), PORT);
    network.app(from, Source::new(to, bytes, Instant::from_millis(number)));
}

fn host(window: u64, tcp: &Config) -> StackConfig {
    let tcp = Config { recv_buffer: window as usize, send_buffer: window as usize, ..tcp.clone() };
    StackConfig { tcp, ..StackConfig::default() }
}

fn link(mbit: u64, millis: u64) -> LinkConfig {
    LinkConfig {
        rate: Some(Rate::mbit(mbit)),
        delay: Duration::from_millis(millis),
        queue: 5000,
        ..LinkConfig::default()
    }
}

/// Sends datagrams at a constant rate.
struct Ticker {
    to: SocketAddr,
    interval: Duration,
    rest: u64,
    start: Instant,
    socket: Option<SocketId>,
}

static BLOCK: [u8; DATAGRAM] = [0x5a; DATAGRAM];

impl Ticker {
    fn new(to: IpAddr, interval: Duration, datagrams: u64, start: Instant) -> Self {
        Ticker { to: SocketAddr::new(to, PORT), interval, rest: datagrams, start, socket: None }
    }
}

impl App for Ticker {
    fn start(&mut self, io: &mut Io<'_>) {
        self.socket = io.udp_bind(0).ok();
        io.wake_at(self.start);
    }

    fn handle(&mut self, _event: SocketEvent, _io: &mut Io<'_>) {}

    fn wake(&mut self, io: &mut Io<'_>) {
        if let Some(socket) = self.socket
            && io.udp_send(socket, self.to, Bytes::from_static(&BLOCK)).is_ok()
        {
            self.rest -= 1;
        }
        if self.rest > 0 {
            io.wake_at(io.now() + self.interval);
        }
    }
}

/// Takes in every datagram, and counts their bytes.
#[derive(Default)]
struct Drain {
    bytes: u64,
}

impl App for Drain {
    fn start(&mut self, io: &mut Io<'_>) {
        io.udp_bind(PORT).expect("the port is free");
    }

    fn handle(&mut self, event: SocketEvent, io: &mut Io<'_>) {
        if let SocketEvent::Readable(socket) = event {
            while let Some((_, bytes)) = io.udp_recv(socket) {
                self.bytes += bytes.len() as u64;
            }
        }
    }
}

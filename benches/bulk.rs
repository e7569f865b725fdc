//! What the simulator costs: TCP transfers in virtual time, in CPU time per packet and in memory.
//!
//! ```text
//! cargo bench --bench bulk              the table
//! cargo bench --bench bulk -- flows     only the cases whose name contains "flows"
//! cargo bench --bench bulk -- --json    for programs
//! ```
//!
//! A packet is one frame on one link: a segment that crosses a router counts twice, and so does its ACK. Every packet
//! is built by its sender down to the Ethernet header and parsed, checksums verified, by its receiver.
//!
//! Without congestion control, as by default: receive windows are chosen to fill the links without overflowing queues.

mod support;

use std::net::SocketAddr;

use netlayers::base::{Duration, Instant};
use netlayers::layers::internet::prefix::{Prefix, v4};
use netlayers::layers::physical::delay::Rate;
use netlayers::layers::stack::StackConfig;
use netlayers::layers::transport::tcp::Config;
use netlayers::sim::apps::tcp::{Receiver, Source};
use netlayers::sim::{AppId, HostId, LinkConfig, Network, fault};
use netlayers::trace::{Recorder, Wire};
use support::{Asked, Figure};

/// A transfer to be simulated.
struct Case {
    name: &'static str,
    what: &'static str,
    build: fn(Recorder) -> Scene,
    /// How far virtual time goes, in seconds.
    until: u64,
}

/// A network ready to run, and who counts what arrives.
struct Scene {
    network: Network,
    sink: AppId,
    /// How many bytes must arrive for the figures to count.
    expected: u64,
}

const MB: u64 = 1_000_000;
const PORT: u16 = 9000;

const CASES: &[Case] = &[
    Case {
        name: "clean",
        what: "100 MB, 1 flow, no loss",
        build: |r| pair(r, 100 * MB, 1, MB, 0.0),
        until: 100,
    },
    Case {
        name: "lossy",
        what: "10 MB, 1 flow, 1 % loss",
        build: |r| pair(r, 10 * MB, 1, MB, 0.01),
        until: 10_000,
    },
    Case { name: "bottleneck", what: "100 hosts, router, server: 10 s", build: bottleneck, until: 10 },
    Case {
        name: "flows-10",
        what: "100 MB over 10 flows, 1 link",
        build: |r| pair(r, 100 * MB, 10, 4 * MB, 0.0),
        until: 100,
    },
    Case {
        name: "flows-100",
        what: "100 MB over 100 flows",
        build: |r| pair(r, 100 * MB, 100, 4 * MB, 0.0),
        until: 100,
    },
    Case {
        name: "flows-1000",
        what: "100 MB over 1000 flows",
        build: |r| pair(r, 100 * MB, 1000, 4 * MB, 0.0),
        until: 100,
    },
];

fn main() {
    match support::asked() {
        Asked::Case(name) => support::report(&run(&name)),
        Asked::All { filter, json } => {
            if !json {
                print_head();
            }
            let mut results = Vec::new();
            for case in CASES.iter().filter(|case| case.name.contains(&filter)) {
                for trace in ["off", "on"] {
                    let name = format!("{} trace={trace}", case.name);
                    let figures = support::medians(&name);
                    if !json {
                        print_row(case.what, trace, &figures);
                    }
                    results.push((name, figures));
                }
            }
            if json {
                support::print_json(&results);
            } else {
                print_ratio(&results);
            }
        }
    }
}

/// One case, once, in this process.
fn run(name: &str) -> Vec<Figure> {
    let (name, trace) = name.split_once(" trace=").unwrap_or((name, "off"));
    let case = CASES.iter().find(|case| case.name == name).expect("a case of that name");
    let recorder = if trace == "on" { Recorder::on(name, Wire::Sim) } else { Recorder::off(Wire::Sim) };
    let before = support::cpu_seconds();
    let Scene { mut network, sink, expected } = (case.build)(recorder);
    network.run_until(Instant::ZERO + Duration::from_secs(case.until));
    let cpu = support::cpu_seconds() - before;
    let arrived = network.app_ref::<Receiver>(sink).bytes();
    assert!(arrived >= expected, "{name}: {arrived} of {expected} bytes arrived");
    let packets = network.frames() as f64;
    vec![
        ("packets".into(), packets),
        ("cpu_seconds".into(), cpu),
        ("packets_per_cpu_second".into(), packets / cpu),
        ("ns_per_packet".into(), cpu * 1e9 / packets),
        ("peak_mib".into(), peak_memory_mib()),
    ]
}

/// The most memory this process ever had resident, in MiB; not a number where the system does not tell.
fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Two hosts, 100 Mbit/s and 10 ms between them: `bytes` in all, over `flows` connections that open 1 ms apart and
/// share the bytes in flight. So cases with the same `in_flight` differ in nothing but their flows.
fn pair(recorder: Recorder, bytes: u64, flows: u64, in_flight: u64, loss: f64) -> Scene {
    let window = in_flight / flows;
    let mut network = Network::new(1, recorder);
    let client = network.host("client", v4(10, 0, 0, 1), &host(window));
    let server = network.host("server", v4(10, 0, 0, 2), &host(window));
    network.link(client, server, link(100));
    network.introduce_neighbours();
    if loss > 0.0 {
        network.rule(client, server, fault::loss(loss));
        network.rule(server, client, fault::loss(loss));
    }
    let sink = network.app(server, Receiver::sink(PORT));
    for flow in 0..flows {
        source(&mut network, client, server, bytes / flows, flow);
    }
    Scene { network, sink, expected: bytes }
}

/// A hundred hosts, each with a link of its own to a router, and one link from there to the server, which all share.
fn bottleneck(recorder: Recorder) -> Scene {
    let mut network = Network::new(1, recorder);
    let server = network.host("server", v4(10, 1, 0, 1), &host(16_000));
    let router = network.host("router", v4(10, 1, 0, 254), &host(16_000));
    network.link(router, server, link(100));
    network.forward(router);
    network.route(server, Prefix::ALL, router);
    let sink = network.app(server, Receiver::sink(PORT));
    for i in 0..100 {
        let client = network.host(&format!("client{i}"), v4(10, 0, 0, i), &host(16_000));
        network.link(client, router, link(1000));
        network.route(client, Prefix::ALL, router);
        // More than the link can carry in the time.
        source(&mut network, client, server, 100 * MB, u64::from(i));
    }
    network.introduce_neighbours();
    // Nine tenths of 100 Mbit/s for 10 s.
    Scene { network, sink, expected: 110 * MB }
}

fn source(network: &mut Network, from: HostId, to: HostId, bytes: u64, number: u64) {
    let to = SocketAddr::new(network.stack(to).address(), PORT);
    network.app(from, Source::new(to, bytes, Instant::from_millis(number)));
}

fn host(window: u64) -> StackConfig {
    let tcp = Config { recv_buffer: window as usize, send_buffer: window as usize, ..Config::default() };
    StackConfig { tcp, ..StackConfig::default() }
}

fn link(mbit: u64) -> LinkConfig {
    LinkConfig {
        rate: Some(Rate::mbit(mbit)),
        delay: Duration::from_millis(10),
        queue: 5000,
        ..LinkConfig::default()
    }
}

fn print_head() {
    support::print_line("TCP in the simulator, medians of 5 runs: 100 Mbit/s, 10 ms, MSS 1460");
    support::print_line("");
    let line = format!(
        "{:<32} {:>5} {:>9} {:>11} {:>9} {:>8}",
        "transfer", "trace", "packets", "per CPU-s", "ns/packet", "peak MiB"
    );
    support::print_line(&line);
}

fn print_row(what: &str, trace: &str, figures: &[Figure]) {
    let line = format!(
        "{what:<32} {trace:>5} {:>9} {:>11.0} {:>9.0} {:>8.1}",
        value(figures, "packets"),
        value(figures, "packets_per_cpu_second"),
        value(figures, "ns_per_packet"),
        value(figures, "peak_mib"),
    );
    support::print_line(&line);
}

/// Whether the cost of a packet grows with the number of connections.
fn print_ratio(results: &[(String, Vec<Figure>)]) {
    let cost = |case: &str| {
        results.iter().find(|(name, _)| name == case).map(|(_, figures)| value(figures, "ns_per_packet"))
    };
    if let (Some(few), Some(many)) = (cost("flows-10 trace=off"), cost("flows-1000 trace=off")) {
        support::print_line("");
        support::print_line(&format!("cost of a packet with 1000 flows against 10: {:.2}", many / few));
    }
}

fn value(figures: &[Figure], name: &str) -> f64 {
    figures.iter().find(|(figure, _)| figure == name).map_or(f64::NAN, |(_, value)| *value)
}

//! What the simulator costs: transfers in virtual time, in CPU time per packet and in memory.
//!
//! ```text
//! cargo bench --bench bulk              the table
//! cargo bench --bench bulk -- flows     only the cases whose name contains "flows"
//! cargo bench --bench bulk -- --json    for programs
//! ```
//!
//! A packet is one frame on one link: a segment that crosses a router counts twice, and so does its ACK. Every packet
//! is built by its sender down to the Ethernet header and parsed by its receiver, which verifies checksums when the run
//! is recorded.
//!
//! Without congestion control, unless a case names one, receive windows are chosen to fill the links without
//! overflowing queues.
//! Rows with CUBIC have selective acknowledgment, RACK-TLP and delayed ACKs too.

#[path = "bulk/shapes.rs"]
mod shapes;
mod support;

use netlayers::base::{Duration, Instant};
use netlayers::layers::transport::tcp::Config;
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::sim::{AppId, Network};
use netlayers::trace::{Recorder, Wire};
use shapes::{MB, bottleneck, chain, dumbbell, pair, star, udp_pair};
use support::{Asked, Figure};

/// A transfer to be simulated.
struct Case {
    name: &'static str,
    what: &'static str,
    build: fn(Recorder) -> Scene,
    /// How far virtual time goes, in seconds.
    until: u64,
}

/// A network ready to run, and the programs that count what arrives.
struct Scene {
    network: Network,
    sinks: Vec<AppId>,
    /// How many bytes came to one of them.
    arrived: fn(&Network, AppId) -> u64,
    /// How many bytes must arrive in all for the figures to count.
    expected: u64,
}

/// As most systems are: delayed ACKs.
fn delayed_ack() -> Config {
    Config { delayed_ack: Some(Duration::from_millis(40)), ..Config::bare() }
}

/// The same with all that a sender may remember and compute.
fn cubic() -> Config {
    Config { congestion: Algorithm::CUBIC, sack: true, rack: true, ..delayed_ack() }
}

const CASES: &[Case] = &[
    Case {
        name: "clean",
        what: "100 MB, 1 flow, no loss",
        build: |r| pair(r, 100 * MB, 1, MB, 0.0, &Config::bare()),
        until: 100,
    },
    Case {
        name: "delayed-ack",
        what: "the same with delayed ACKs",
        build: |r| pair(r, 100 * MB, 1, MB, 0.0, &delayed_ack()),
        until: 100,
    },
    Case {
        name: "cubic",
        what: "the same with CUBIC and SACK",
        build: |r| pair(r, 100 * MB, 1, MB, 0.0, &cubic()),
        until: 100,
    },
    Case {
        name: "lossy",
        what: "10 MB, 1 flow, 1 % loss",
        build: |r| pair(r, 10 * MB, 1, MB, 0.01, &Config::bare()),
        until: 10_000,
    },
    Case {
        name: "cubic-lossy",
        what: "20 MB with CUBIC and SACK, 0.1 %",
        build: |r| pair(r, 20 * MB, 1, MB, 0.001, &cubic()),
        until: 1000,
    },
    Case { name: "bottleneck", what: "100 hosts, router, server: 10 s", build: bottleneck, until: 10 },
    Case {
        name: "flows-10",
        what: "100 MB over 10 flows, 1 link",
        build: |r| pair(r, 100 * MB, 10, 4 * MB, 0.0, &Config::bare()),
        until: 100,
    },
    Case {
        name: "flows-100",
        what: "100 MB over 100 flows",
        build: |r| pair(r, 100 * MB, 100, 4 * MB, 0.0, &Config::bare()),
        until: 100,
    },
    Case {
        name: "flows-1000",
        what: "100 MB over 1000 flows",
        build: |r| pair(r, 100 * MB, 1000, 4 * MB, 0.0, &Config::bare()),
        until: 100,
    },
    Case {
        name: "cubic-flows-1000",
        what: "the same with CUBIC and SACK",
        build: |r| pair(r, 100 * MB, 1000, 4 * MB, 0.0, &cubic()),
        until: 100,
    },
    Case { name: "udp", what: "UDP, 90 Mbit/s for 10 s", build: udp_pair, until: 11 },
    Case {
        name: "dumbbell-100",
        what: "dumbbell, 100 flows: 10 s",
        build: |r| dumbbell(r, 100, &delayed_ack()),
        until: 10,
    },
    Case {
        name: "dumbbell-1000",
        what: "dumbbell, 1000 flows: 10 s",
        build: |r| dumbbell(r, 1000, &delayed_ack()),
        until: 10,
    },
    Case {
        name: "cubic-dumbbell-100",
        what: "100 flows with CUBIC and SACK",
        build: |r| dumbbell(r, 100, &cubic()),
        until: 10,
    },
    Case { name: "star-100", what: "star of 100 hosts, UDP", build: |r| star(r, 100), until: 20 },
    Case { name: "star-1000", what: "star of 1000 hosts, UDP", build: |r| star(r, 1000), until: 20 },
    Case { name: "star-10000", what: "star of 10,000 hosts, UDP", build: |r| star(r, 10_000), until: 20 },
    Case { name: "chain", what: "chain of 100 hosts, UDP", build: |r| chain(r, 100), until: 20 },
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
    let Scene { mut network, sinks, arrived, expected } = (case.build)(recorder);
    network.run_until(Instant::ZERO + Duration::from_secs(case.until));
    let cpu = support::cpu_seconds() - before;
    let arrived: u64 = sinks.into_iter().map(|sink| arrived(&network, sink)).sum();
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

fn print_head() {
    support::print_line("The simulator, medians of 5 runs: 100 Mbit/s, 10 ms, 1460 bytes of payload");
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

//! What an event costs an event server: CPU time of its process for each delivery, when one client says 100 bytes to a
//! room of N others, and memory for each connection that is idle.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events              all of it
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events 1000 8       one case: receivers, in flight
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events 1000 8 ours  one server, by part of its name
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events 1000 8 ours acks   see below
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events idle         memory, and a storm of clients
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events resume       10,000 missed events
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- events threads      what a second thread is good for
//! ```
//!
//! *In flight* is how many messages the sender has said that some receiver has not got; with `acks`, that the server
//! has not acknowledged. The load checks each event at each receiver: in order, each once, none left out.
//!
//! Ours is `examples/event_server --profile chat` as it is documented: recovery on, in memory or (durable) on disk. The
//! limit is a loop that reads frames and writes them to everybody, with one write for all that a receiver is owed, and
//! knows neither rooms nor events. Every server runs in a process of its own and on one thread (ours by `--threads 1`),
//! but where threads are what is measured. Node's two need `sh tests/peers/install.sh`; without it they are not
//! measured.

mod idle;
mod load;
mod resume;
mod servers;
mod threads;

use std::time::Duration;

use load::{Load, Window};
use servers::{PEERS, Peer, Server};

pub use servers::serve;

/// Receivers, and messages in flight.
const CASES: [(usize, usize); 4] = [(100, 8), (1000, 8), (5000, 8), (1000, 1)];

const ROUNDS: usize = 3;

/// Runs what the arguments ask for.
pub fn main(args: &[String]) {
    servers::raise_file_limit();
    servers::build_ours();
    match args.first().map(String::as_str) {
        Some("idle") => return idle::measure(&PEERS),
        Some("resume") => return resume::measure(),
        Some("threads") => return threads::measure(),
        _ => {}
    }
    let number = |at: usize| args.get(at).and_then(|arg| arg.parse().ok());
    let cases = match (number(0), number(1)) {
        (Some(receivers), Some(in_flight)) => vec![(receivers, in_flight)],
        _ => CASES.to_vec(),
    };
    let window = if args.iter().any(|arg| arg == "acks") { Window::Acks } else { Window::Deliveries };
    let peers: Vec<Peer> = match args.get(2).filter(|name| *name != "acks") {
        Some(part) => PEERS.into_iter().filter(|peer| peer.name.contains(part.as_str())).collect(),
        None => PEERS.to_vec(),
    };
    let measured = deliveries(&peers, &cases, window);
    print(&peers, &cases, &measured);
    if args.is_empty() {
        println!();
        idle::measure(&peers);
        println!();
        resume::measure();
    }
}

/// Microseconds of CPU by server and case: the best of all rounds, which is the one that was disturbed least.
fn deliveries(peers: &[Peer], cases: &[(usize, usize)], window: Window) -> Vec<Vec<Option<f64>>> {
    let mut best = vec![vec![None; cases.len()]; peers.len()];
    for round in 1..=ROUNDS {
        for (at, &(receivers, in_flight)) in cases.iter().enumerate() {
            for (peer, best) in peers.iter().zip(&mut best) {
                eprint!(
                    "\r\x1b[Kround {round} of {ROUNDS}: {receivers} receivers, {in_flight} in flight, {}",
                    peer.name
                );
                let Some(server) = Server::start(*peer) else { continue };
                let mut load = Load::connect(server.port, peer.dialect, receivers + 1, 256);
                load.run(in_flight, window, Duration::from_millis(300));
                let before = server.cpu_time();
                let delivered = load.run(in_flight, window, Duration::from_millis(1500));
                let cost = (server.cpu_time() - before) * 1e6 / delivered as f64;
                best[at] = Some(best[at].map_or(cost, |best: f64| best.min(cost)));
            }
        }
    }
    eprint!("\r\x1b[K");
    best
}

fn print(peers: &[Peer], cases: &[(usize, usize)], measured: &[Vec<Option<f64>>]) {
    println!("server CPU for each delivery of a 100-byte message, in microseconds (best of {ROUNDS}),");
    println!("and how many times the limit that is\n");
    print!("{:<28}", "receivers, in flight");
    cases.iter().for_each(|(receivers, in_flight)| print!("{:>14}", format!("{receivers}, {in_flight}")));
    println!();
    let limit = peers.iter().position(|peer| peer.is_limit).map(|at| &measured[at]);
    for (peer, costs) in peers.iter().zip(measured) {
        print!("{:<28}", peer.name);
        for (at, cost) in costs.iter().enumerate() {
            let Some(cost) = cost else {
                print!("{:>14}", "not measured");
                continue;
            };
            let times = limit
                .and_then(|limit| limit[at])
                .map_or(String::new(), |limit| format!(" {:>4.1}x", cost / limit));
            print!("{:>14}", format!("{cost:.2}{times}"));
        }
        println!();
    }
    if measured.iter().any(|costs| costs.iter().any(Option::is_none)) {
        println!("\nnot measured: needs Node and `sh tests/peers/install.sh`");
    }
}

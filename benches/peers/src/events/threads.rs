//! What a second thread is good for: deliveries a second of wall time, one thread and two in turn.
//!
//! The messages are said at once and stay in the kernels of their receivers until the last has come, so that the load
//! takes next to nothing of the two cores that this was made for. Other programs do: the ratio of CPU times beside it
//! says what two free cores would give, for the busiest thread is what all others wait for.

use std::time::Duration;

use super::load::{Dialect, Load, Window};
use super::servers::Server;

const RECEIVERS: usize = 5000;
const ROUNDS: usize = 5;
const BURSTS: usize = 20;

/// What one server did in one round, for each delivery.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    busiest: f64,
}

/// Runs it, and prints a table.
pub fn measure() {
    println!("{RECEIVERS} receivers, nanoseconds for each delivery: medians of {ROUNDS} rounds\n");
    println!("{:<12}{:>8}{:>12}{:>12}{:>18}", "said at once", "threads", "wall", "CPU", "busiest thread");
    for messages in [8, 1] {
        let mut rounds: Vec<[Cost; 2]> =
            (0..ROUNDS).map(|_| [1, 2].map(|threads| cost(threads, messages))).collect();
        for (at, threads) in [1, 2].into_iter().enumerate() {
            let of =
                |what: fn(&Cost) -> f64| median(rounds.iter().map(|round| what(&round[at])).collect()) * 1e9;
            let (wall, cpu, busiest) = (of(|cost| cost.wall), of(|cost| cost.cpu), of(|cost| cost.busiest));
            println!("{messages:<12}{threads:>8}{wall:>12.0}{cpu:>12.0}{busiest:>18.0}");
        }
        let ratio =
            |what: fn(&Cost) -> f64| median(rounds.iter().map(|[one, two]| what(one) / what(two)).collect());
        let (wall, busiest) = (ratio(|cost| cost.wall), ratio(|cost| cost.busiest));
        println!("{:<12}{wall:>20.2}{:>30.2}  times as fast", "", busiest);
        rounds.clear();
    }
}

fn cost(threads: usize, messages: u64) -> Cost {
    let server = Server::ours_on(threads);
    let mut load = Load::connect(server.port, Dialect::SocketIo, RECEIVERS + 1, 256);
    load.run(8, Window::Deliveries, Duration::from_millis(300));
    let before = server.threads();
    let wall: f64 = (0..BURSTS).map(|_| load.burst(messages)).sum();
    let mut spent = server.threads();
    for (spent, before) in spent.iter_mut().zip(&before) {
        *spent -= before;
    }
    let deliveries = (RECEIVERS as u64 * messages * BURSTS as u64) as f64;
    let busiest = spent.iter().copied().fold(0.0, f64::max);
    Cost {
        wall: wall / deliveries,
        cpu: spent.iter().sum::<f64>() / deliveries,
        busiest: busiest / deliveries,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

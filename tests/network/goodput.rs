//! How long a file takes over a path that loses segments.

use std::net::SocketAddr;

use netlayers::base::{Duration, Instant};
use netlayers::layers::physical::delay::Rate;
use netlayers::layers::transport::tcp::Config;
use netlayers::layers::transport::tcp::congestion::Algorithm;
use netlayers::sim::apps::tcp::{Receiver, Source};
use netlayers::sim::scene::{Knobs, two_hosts};
use netlayers::trace::{Recorder, Wire};

const PORT: u16 = 9000;

/// How long `bytes` take over 100 Mbit/s with 10 ms each way, at this loss in each direction.
fn time_of(bytes: u64, loss: f64, seed: u64, tcp: Config) -> Duration {
    let mut knobs = Knobs { loss, seed, tcp, mss: Some(1_448), ..Knobs::default() };
    knobs.link.delay = Duration::from_millis(10);
    knobs.link.rate = Some(Rate::mbit(100));
    let (mut network, client, server) = two_hosts(&knobs, Recorder::off(Wire::Sim));
    let to = SocketAddr::new(network.stack(server).address(), PORT);
    network.app(client, Source::new(to, bytes, Instant::ZERO));
    let sink = network.app(server, Receiver::sink(PORT));
    let mut now = Instant::ZERO;
    while !network.app_ref::<Receiver>(sink).is_complete() {
        now += Duration::from_millis(100);
        network.run_until(now);
        assert!(
            now < Instant::from_millis(600_000),
            "{} bytes in ten minutes",
            network.app_ref::<Receiver>(sink).bytes()
        );
    }
    now.since(Instant::ZERO)
}

fn newreno() -> Config {
    Config {
        congestion: Algorithm::NEWRENO,
        sack: true,
        send_buffer: 4 << 20,
        recv_buffer: 4 << 20,
        min_rto: Duration::from_millis(200),
        ..Config::bare()
    }
}

#[test]
fn ten_megabytes_at_one_percent_loss_take_what_the_law_says() {
    // 1.22 MSS / (RTT sqrt(p)), the law of Mathis and others: 11.4 s. Chance moves a run by some seconds.
    let delayed_ack = Some(Duration::from_millis(40));
    for config in [newreno(), Config { rack: true, ..newreno() }, Config { delayed_ack, ..newreno() }] {
        let times = [1, 2, 3].map(|seed| time_of(10_000_000, 0.01, seed, config.clone()));
        println!("rack {}, delayed ACK {:?}: {times:?}", config.rack, config.delayed_ack);
        assert!(times.iter().all(|time| (8.0..19.0).contains(&time.as_secs_f64())), "{times:?}");
    }
}

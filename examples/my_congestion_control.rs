//! A congestion control of your own against CUBIC: `cargo run --release --example my_congestion_control`.
//!
//! `Mine` is AIMD, the idea below them all: the window grows by `UP` segments in a round trip, and what is left of it
//! after a loss is `KEPT` (Chiu and Jain 1989 show why such flows come to share a link). Both flows go through one
//! bottleneck of 10 Mbit/s; every figure is from virtual time, and the same each time.
//! `netlayers race cubic mine --loss 1%` builds this program too, and runs it with its own arguments.

use std::process::ExitCode;

use netlayers::base::{Duration, Instant};
use netlayers::layers::transport::tcp::congestion::{Ack, Algorithm, CongestionControl};
use netlayers::sim::race;
use netlayers::view::look::Look;
use netlayers::view::plot::{Axis, Plot, Series, Shape, TONES, Unit};

const UP: f64 = 1.0;
const KEPT: f64 = 0.5;

/// All sizes are in bytes.
#[derive(Debug)]
struct Mine {
    mss: f64,
    cwnd: f64,
    ssthresh: f64,
}

impl CongestionControl for Mine {
    fn window(&self) -> u64 {
        self.cwnd as u64
    }

    fn on_ack(&mut self, ack: &Ack) {
        if ack.app_limited || ack.recovering {
            return;
        }
        self.cwnd += match self.cwnd < self.ssthresh {
            // A segment at most: an ACK that fills a hole acknowledges much, and says nothing of the network today.
            true => (ack.bytes as f64).min(self.mss),
            false => UP * self.mss * ack.bytes as f64 / self.cwnd,
        };
    }

    fn on_loss(&mut self, _: Instant, in_flight: u64) {
        self.ssthresh = (in_flight as f64 * KEPT).max(2.0 * self.mss);
        self.cwnd = self.ssthresh;
    }

    fn on_rto(&mut self, now: Instant, in_flight: u64) {
        self.on_loss(now, in_flight);
        self.cwnd = self.mss;
    }
}

fn mine(mss: u64) -> Box<dyn CongestionControl> {
    let mss = mss as f64;
    Box::new(Mine { mss, cwnd: 10.0 * mss, ssthresh: f64::INFINITY })
}

fn main() -> ExitCode {
    let entrants = [Algorithm::CUBIC, Algorithm { name: "mine", start: mine }];
    if std::env::args_os().len() > 1 {
        return netlayers::cli::main_with(std::env::args_os(), entrants[1]);
    }
    let race = race::run(&entrants, &race::knobs(), Duration::from_secs(10));

    let mut plot = Plot::new("cwnd", Axis::new("time", Unit::Seconds), Axis::new("window", Unit::Bytes));
    for (number, flow) in race.flows.iter().enumerate() {
        let cwnd = flow.cwnd.iter().enumerate();
        let cwnd = cwnd.filter_map(|(part, cwnd)| Some((race.end_of_part(part), (*cwnd)? as f64)));
        let (letter, tone) = (flow.name.chars().next().unwrap_or('?'), TONES[number]);
        plot = plot.with(Series::new(letter, &*flow.name, tone, Shape::Steps).points(cwnd));
        let (goodput, again) = (race.goodput(number) / 1e6, flow.retransmissions);
        println!("{:6} {goodput:5.2} Mbit/s, {again} segments sent again", flow.name);
    }
    println!("fairness (Jain): {:.3}\n", race.jain());
    print!("{}", plot.draw(&Look::default()));

    assert!(race.total() > 8.0e6, "together they fill the link");
    assert!((0..2).all(|flow| race.goodput(flow) > 1.0e6), "and neither starves");
    ExitCode::SUCCESS
}

// Try this:
// 1. Let `KEPT` be 0.9, then 1.0. Who gets more? What does it cost, in segments sent again?
// 2. Let `UP` be 10. Does the link carry more, or does only the share change?
// 3. Return early from `on_loss`: no control at all. What becomes of CUBIC, and of the goodput of both?
// 4. Remember the smallest `ack.rtt`, and stop growing when `ack.srtt` is twice as long: a control by delay, as in
//    Vegas. The queue stays short: who gets the rest of it?
// 5. Race two of yours: `netlayers race mine mine`. Do they come to the same share? How long does it take?

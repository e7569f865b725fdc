//! A solution of lesson 10's exercise: how long to wait for an ACK (RFC 6298 sections 2, 3 and 5).

use netlayers::lessons::exercises::timeout::{Session, Timeout};

/// What a sender knows of the round trip. All times are in milliseconds.
struct Timer {
    /// SRTT and RTTVAR, once a round trip was measured.
    averages: Option<(f64, f64)>,
    rto: f64,
}

/// The granularity of the clock.
const G: f64 = 1.0;

impl Timeout for Timer {
    fn begin() -> Self {
        Timer { averages: None, rto: 1000.0 }
    }

    fn measured(&mut self, rtt: f64) {
        let (srtt, rttvar) = match self.averages {
            None => (rtt, rtt / 2.0),
            // RTTVAR first: it is about the SRTT of before this round trip.
            Some((srtt, rttvar)) => {
                (srtt * 7.0 / 8.0 + rtt / 8.0, rttvar * 3.0 / 4.0 + (srtt - rtt).abs() / 4.0)
            }
        };
        self.averages = Some((srtt, rttvar));
        self.rto = (srtt + G.max(4.0 * rttvar)).clamp(1000.0, 60_000.0);
    }

    fn ambiguous(&mut self, _: f64) {
        // Karn's algorithm: which of the two the ACK answers, nobody can tell.
    }

    fn expired(&mut self) {
        self.rto = (self.rto * 2.0).min(60_000.0);
    }

    fn rto(&self) -> f64 {
        self.rto
    }
}

fn main() {
    let mut session = Session::<Timer>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Compare with `src/layers/transport/tcp/recovery/rtt.rs`, which can be told many round trips in one.
// 2. Timestamps (RFC 7323) tell which of the two an ACK answers. What may `ambiguous` do then?

//! A solution of lesson 13's exercise: a congestion window of your own (RFC 5681 sections 3.1 and 3.2, RFC 6928).

use netlayers::lessons::exercises::reno::{Control, Session};

/// Both numbers, in bytes.
struct Mine {
    mss: u32,
    cwnd: u32,
    ssthresh: Option<u32>,
}

impl Control for Mine {
    fn begin(mss: u32) -> Self {
        Mine { mss, cwnd: (10 * mss).min((2 * mss).max(14_600)), ssthresh: None }
    }

    fn ack(&mut self, bytes: u32) {
        let in_slow_start = self.ssthresh.is_none_or(|ssthresh| self.cwnd < ssthresh);
        self.cwnd += match in_slow_start {
            // At most a segment an ACK: nobody is to gain by acknowledging more at a time.
            true => bytes.min(self.mss),
            // About a segment in each round trip.
            false => (self.mss * self.mss / self.cwnd).max(1),
        };
    }

    fn duplicates(&mut self, in_flight: u32) {
        let half = (in_flight / 2).max(2 * self.mss);
        (self.cwnd, self.ssthresh) = (half, Some(half));
    }

    fn timeout(&mut self, in_flight: u32) {
        self.duplicates(in_flight);
        self.cwnd = self.mss;
    }

    fn cwnd(&self) -> u32 {
        self.cwnd
    }

    fn ssthresh(&self) -> Option<u32> {
        self.ssthresh
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Compare with `src/layers/transport/tcp/congestion/newreno.rs`. What does it count in congestion avoidance, and
//    why?
// 2. Put it into `examples/my_congestion_control.rs`, and race it: netlayers race cubic mine

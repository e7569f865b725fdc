//! Exercise of lesson 10: how long to wait for an ACK. `netlayers check timeout` says how far you are.
//!
//! ```text
//! sent    |---- data ---->|
//!         |<---- ACK -----|     measured: 800 ms there and back
//! sent    |---- data --X        how long is the sender to wait before it sends again?
//! ```
//!
//! RFC 6298 section 2 keeps two averages of the round trips, in milliseconds: SRTT, the smoothed round trip, and
//! RTTVAR, how much they vary. RTO, the retransmission timeout, is SRTT plus four times RTTVAR.
//!
//! It compiles, and it is wrong. `netlayers hint timeout` helps, `netlayers reset timeout` starts over. In Python or
//! JavaScript: `netlayers check timeout --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check timeout --program FILE`.

use netlayers::lessons::exercises::timeout::{Session, Timeout};

/// What a sender knows of the round trip. All times are in milliseconds.
struct Timer {
    /// The retransmission timeout.
    rto: f64,
}

impl Timeout for Timer {
    /// Before anything was measured.
    fn begin() -> Self {
        Timer { rto: 1000.0 }
    }

    /// An ACK came for a segment that was sent once, `rtt` after it was sent.
    fn measured(&mut self, rtt: f64) {
        // This believes that the next round trip is like the last one.
        self.rto = rtt;
    }

    /// An ACK came for a segment that was sent twice, `rtt` after it was sent the second time.
    fn ambiguous(&mut self, rtt: f64) {
        self.measured(rtt);
    }

    /// The timer expired: the segment is sent once more, and the timer is set again.
    fn expired(&mut self) {}

    /// How long the timer is set to.
    fn rto(&self) -> f64 {
        self.rto
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Timer>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin timeout, then begin, then measured 800
// 2. Linux never waits less than 200 ms, the RFC says a second. Who gains by which?
// 3. Compare with `src/layers/transport/tcp/recovery/rtt.rs`. What is its third way to begin, and when does it need it?

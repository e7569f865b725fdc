//! Exercise of lesson 13: a congestion window of your own. `netlayers check reno` says how far you are.
//!
//! ```text
//! cwnd
//!  |    /\                 slow start: doubled in each round trip, up to ssthresh
//!  |   /  \    /|   /|     then a segment more in each round trip
//!  |  /    \  / |  / |     three duplicate ACKs: down to a half
//!  | /      \/  | /  |
//!  |/           |/   ...   a timeout: down to one segment
//!  +---------------------
//! ```
//!
//! The sender keeps two numbers in bytes: cwnd, which bounds what is in flight, and ssthresh, where slow start ends
//! (RFC 5681 section 3.1).
//!
//! It compiles, and it is wrong. `netlayers hint reno` helps, `netlayers reset reno` starts over. In Python or
//! JavaScript: `netlayers check reno --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check reno --program FILE`.

use netlayers::lessons::exercises::reno::{Control, Session};

/// Both numbers, in bytes.
struct Mine {
    cwnd: u32,
}

impl Control for Mine {
    /// A connection whose full segments have `mss` bytes.
    fn begin(mss: u32) -> Self {
        Mine { cwnd: 10 * mss }
    }

    /// An ACK for this many new bytes arrives.
    fn ack(&mut self, bytes: u32) {
        // This only ever grows.
        self.cwnd += bytes;
    }

    /// Three duplicate ACKs have come while this many bytes were in flight.
    fn duplicates(&mut self, _in_flight: u32) {}

    /// The retransmission timer expired while this many bytes were in flight.
    fn timeout(&mut self, _in_flight: u32) {}

    fn cwnd(&self) -> u32 {
        self.cwnd
    }

    /// Where slow start ends; nothing before the first loss.
    fn ssthresh(&self) -> Option<u32> {
        None
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin reno, then begin 1000, then ack 1000
// 2. Put your rules into `examples/my_congestion_control.rs`, and race them: netlayers race cubic mine
// 3. What would happen to the others on a link if yours came down to nine tenths instead of a half?

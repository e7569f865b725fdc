//! Exercise of lesson 12: gather small writes. `netlayers check gather` says how far you are.
//!
//! ```text
//! write 5    |--- 5 -------------->|   nothing is in flight: it goes at once
//! write 5    |                     |   it waits
//! write 5    |                     |   it waits, too
//!            |<-------------- ACK -|
//!            |--- 10 ------------->|   together
//! ```
//!
//! Nagle's algorithm: while something is not acknowledged, no small segment leaves; full ones do (RFC 9293 section
//! 3.7.4).
//!
//! It compiles, and it is wrong. `netlayers hint gather` helps, `netlayers reset gather` starts over. In Python or
//! JavaScript: `netlayers check gather --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check gather --program FILE`.

use netlayers::lessons::exercises::gather::{Gather, Session};

/// What a sender holds.
struct Mine {
    mss: usize,
}

impl Gather for Mine {
    /// Nothing was written yet; full segments have `mss` bytes.
    fn begin(mss: usize) -> Self {
        Mine { mss }
    }

    /// The program writes this many bytes. Gives the sizes of the segments that leave now.
    fn write(&mut self, bytes: usize) -> Vec<usize> {
        // This sends each write at once, cut at the size of a segment.
        (0..bytes).step_by(self.mss).map(|from| self.mss.min(bytes - from)).collect()
    }

    /// All that was sent is acknowledged. Gives the sizes of the segments that leave now.
    fn ack(&mut self) -> Vec<usize> {
        Vec::new()
    }

    /// The program sets TCP_NODELAY. Gives the sizes of the segments that leave now.
    fn nodelay(&mut self) -> Vec<usize> {
        Vec::new()
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin gather, then begin 1000, then write 5
// 2. How long does a write wait at most, and what does that depend on?
// 3. Linux waits only while a *small* segment is in flight (Minshall). Which cases would it answer otherwise?

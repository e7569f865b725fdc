//! Exercise of lesson 12: which ACK may wait. `netlayers check delayed` says how far you are.
//!
//! ```text
//! ms   0   |--- 5 bytes ------>|   the ACK may wait, until 200
//!     50   |--- 5 bytes ------>|   it goes on waiting
//!    200   |<--- ACK for both -|
//! ```
//!
//! An ACK may wait a little for company, but not when two full segments' worth has come since the last one, and not
//! when something is out of order (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2).
//!
//! It compiles, and it is wrong. `netlayers hint delayed` helps, `netlayers reset delayed` starts over. In Python or
//! JavaScript: `netlayers check delayed --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check delayed --program FILE`.

use netlayers::lessons::exercises::delayed::{Acknowledge, Session};

/// What a receiver knows. Bytes are counted from 1, times in milliseconds.
struct Mine {
    /// The byte that is expected next.
    next: u32,
}

impl Acknowledge for Mine {
    /// Full segments have `mss` bytes, and an ACK may wait for `delay`.
    fn begin(_mss: u32, _delay: u32) -> Self {
        Mine { next: 1 }
    }

    /// A segment arrives. Gives the number of the ACK that leaves now, if one does.
    fn data(&mut self, _now: u32, seq: u32, len: u32) -> Option<u32> {
        // This acknowledges everything at once, and believes that it comes in order.
        self.next = seq + len;
        Some(self.next)
    }

    /// A segment with data of our own leaves. Gives the number that it acknowledges: every segment does.
    fn sends(&mut self, _now: u32) -> Option<u32> {
        Some(self.next)
    }

    /// Time has passed. Gives the number of the ACK that leaves now, if one does.
    fn time(&mut self, _now: u32) -> Option<u32> {
        None
    }

    /// Until when an ACK waits, if one does.
    fn due(&self) -> Option<u32> {
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin delayed, then begin 1000 200, then data 0 1 5
//    and time 200
// 2. How many ACKs does a transfer of 1000 full segments need, with and without the delay?
// 3. Compare with `take_in` in `src/layers/transport/tcp/receiver.rs`. When else does it acknowledge at once?

//! Exercise of lesson 10: three ACKs that say the same. `netlayers check duplicates` says how far you are.
//!
//! ```text
//! sender                       receiver
//!   |--- seq 1001 --------------->|   ack 2001
//!   |--- seq 2001 ----X           |
//!   |--- seq 3001 --------------->|   ack 2001 again: "I still wait for 2001"
//!   |--- seq 4001 --------------->|   ack 2001
//!   |--- seq 5001 --------------->|   ack 2001: the third that says nothing new
//! ```
//!
//! A receiver acknowledges at once what comes out of order. The third duplicate ACK shows a loss, and the missing
//! segment is sent again without waiting for the timer: fast retransmit (RFC 5681 section 3.2).
//!
//! It compiles, and it is wrong. `netlayers hint duplicates` helps, `netlayers reset duplicates` starts over. In Python
//! or JavaScript: `netlayers check duplicates --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check duplicates --program FILE`.

use netlayers::lessons::exercises::duplicates::{Ack, FastRetransmit, Session};

/// What a sender knows of its ACKs.
struct Sender {
    /// The highest acknowledgment number so far.
    acked: u32,
}

impl FastRetransmit for Sender {
    /// Nothing is in flight; the receiver expects byte `acked` and announces this window.
    fn begin(acked: u32, _window: u32) -> Self {
        Sender { acked }
    }

    /// All bytes before number `end` have been sent.
    fn sent(&mut self, _end: u32) {}

    /// An ACK arrives. Gives the number of the byte from which a segment is to be sent again, if one is.
    fn ack(&mut self, ack: Ack) -> Option<u32> {
        // This takes any ACK that says the same for a loss.
        let again = (ack.number == self.acked).then_some(ack.number);
        self.acked = ack.number;
        again
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Sender>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin duplicates, then begin 1001 5000, then sent
//    6001 and ack 2001 0 5000
// 2. Why three, and not one? Hold a segment back for 5 ms instead of losing it: how many duplicates come?
// 3. Only two segments follow the lost one. What happens then, and what do RFC 3042 and RFC 8985 do about it?

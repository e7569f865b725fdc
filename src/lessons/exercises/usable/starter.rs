//! Exercise of lesson 11: how much may be sent now. `netlayers check usable` says how far you are.
//!
//! ```text
//!          acknowledged          in flight         may be sent now   must wait
//!    |----------------------|------------------|-------------------|------------
//!                          ack              sent            ack + window
//! ```
//!
//! A window counts from the acknowledgment number beside it: it is the number of bytes after that one for which the
//! receiver has room. What is in flight takes up a part of it already (RFC 9293 section 3.8.6.2.1 calls the rest the
//! usable window).
//!
//! It compiles, and it is wrong. `netlayers hint usable` helps, `netlayers reset usable` starts over. In Python or
//! JavaScript: `netlayers check usable --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check usable --program FILE`.

use netlayers::lessons::exercises::usable::{Sender, Session};

/// What a sender knows. Bytes are counted from 0.
struct Mine {
    /// The window that was announced last.
    window: u32,
}

impl Sender for Mine {
    /// Nothing is in flight, and this window was announced.
    fn begin(window: u32) -> Self {
        Mine { window }
    }

    /// This many bytes leave, after those that have left.
    fn sent(&mut self, _bytes: u32) {}

    /// An ACK arrives: all bytes before `number` have arrived, and there is room for `window` more.
    fn ack(&mut self, _number: u32, window: u32) {
        self.window = window;
    }

    /// How many bytes may leave now.
    fn may_send(&self) -> u32 {
        // This forgets what is in flight.
        self.window
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin usable, then begin 4000, then sent 1000 and ack
//    1000 3000
// 2. The window is 4000 and a round trip takes 40 ms. How many bytes per second can be sent at most?
// 3. Compare with `usable` in `src/layers/transport/tcp/sender.rs`. What is its second limit?

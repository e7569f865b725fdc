//! Exercise of lesson 11: when more room is worth telling. `netlayers check announce` says how far you are.
//!
//! ```text
//! the buffer   |#### not read ####|---- window ----|.. free, and not announced ..|
//!                                                   grows with every read
//! ```
//!
//! A receiver announces more room only when it is worth a full segment, or half of its buffer, whichever is less. Until
//! then the right edge of the window stays where it is (RFC 9293 section 3.8.6.2.2).
//!
//! It compiles, and it is wrong. `netlayers hint announce` helps, `netlayers reset announce` starts over. In Python or
//! JavaScript: `netlayers check announce --language python`, or `javascript`; in any other language it is a program
//! that reads lines and answers them: `netlayers check announce --program FILE`.

use netlayers::lessons::exercises::announce::{Receiver, Session};

/// A buffer, and what was announced of it.
struct Mine {
    buffer: u32,
    unread: u32,
}

impl Receiver for Mine {
    /// An empty buffer of this size, all of it announced; full segments have `mss` bytes.
    fn begin(buffer: u32, _mss: u32) -> Self {
        Mine { buffer, unread: 0 }
    }

    /// This many bytes arrive in order, within the window.
    fn arrives(&mut self, bytes: u32) {
        self.unread += bytes;
    }

    /// The program reads this many of them.
    fn reads(&mut self, bytes: u32) {
        self.unread -= bytes;
    }

    /// The window that an ACK would announce now.
    fn window(&self) -> u32 {
        // This announces every free byte: a silly window.
        self.buffer - self.unread
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin announce, then begin 4000 1000, then arrives
//    4000 and reads 100
// 2. What would a sender do with a window of 100 bytes, and what would that cost in headers?
// 3. Compare with `window_field` in `src/layers/transport/tcp/receiver.rs`, which must fit a scaled field, too.

//! Exercise of lesson 9: make a stream of segments again. `netlayers check 9` says how far you are.
//!
//! ```text
//! the stream    a b c d e f g h i j
//! seq        1001                1010
//!
//! arrives    seq=1006 "fghij"     too early: keep it, the acknowledgment stays 1001
//! arrives    seq=1001 "abcde"     hand on "abcdefghij", the acknowledgment is 1011
//! ```
//!
//! Each byte of a TCP stream has a number (RFC 9293 section 3.4); a segment says the number of its first byte.
//!
//! It compiles, and it is wrong. `netlayers hint 9` helps, `netlayers reset 9` starts over.
//! In Python or JavaScript: `netlayers check 9 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 9 --program FILE`.

use netlayers::lessons::exercises::reassemble::{Reassemble, Session};

/// One direction of a connection, as its receiver sees it.
struct Stream {
    /// The number of the byte that is expected next.
    next: u32,
}

impl Reassemble for Stream {
    /// The SYN itself has the number `isn`, so the first byte has the one after it.
    fn begin(isn: u32) -> Self {
        Stream { next: isn.wrapping_add(1) }
    }

    /// Takes a segment whose first byte has the number `seq`. Gives the bytes whose turn has come, in order.
    fn receive(&mut self, seq: u32, bytes: &[u8]) -> Vec<u8> {
        // This believes that segments arrive in order, and each of them once.
        self.next = seq.wrapping_add(bytes.len() as u32);
        bytes.to_vec()
    }

    /// The number of the byte that is expected next.
    fn ack(&self) -> u32 {
        self.next
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Stream>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin reassemble, then begin 1000, then
//    segment 1003 6364 and segment 1001 6162
// 2. How much memory can a peer make you use? What bounds it in `src/layers/transport/tcp/receiver.rs`?
// 3. Two segments bring different bytes for the same number. Which do you keep, and who could profit from it?

//! A solution of lesson 9's exercise: make a stream of segments again (RFC 9293 section 3.4).

use netlayers::lessons::exercises::reassemble::{Reassemble, Session};

/// One direction of a connection, as its receiver sees it.
struct Stream {
    /// The number of the byte that is expected next.
    next: u32,
    /// Segments that came early. A real receiver bounds this by its window.
    early: Vec<(u32, Vec<u8>)>,
}

impl Reassemble for Stream {
    fn begin(isn: u32) -> Self {
        Stream { next: isn.wrapping_add(1), early: Vec::new() }
    }

    fn receive(&mut self, seq: u32, bytes: &[u8]) -> Vec<u8> {
        self.early.push((seq, bytes.to_vec()));
        let mut due = Vec::new();
        // What is handed on may be what another piece waited for, so look until nothing is due.
        while let Some(at) = self.early.iter().position(|(seq, _)| ahead(*seq, self.next) <= 0) {
            let (seq, bytes) = self.early.swap_remove(at);
            // What lies before `next` was handed on already: perhaps all of it.
            let known = self.next.wrapping_sub(seq) as usize;
            let fresh = bytes.get(known..).unwrap_or_default();
            self.next = self.next.wrapping_add(fresh.len() as u32);
            due.extend_from_slice(fresh);
        }
        due
    }

    fn ack(&self) -> u32 {
        self.next
    }
}

/// How far `seq` is ahead of `next` on the circle of numbers; negative when it is behind.
fn ahead(seq: u32, next: u32) -> i32 {
    seq.wrapping_sub(next).cast_signed()
}

fn main() {
    let mut session = Session::<Stream>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Compare with `src/layers/transport/tcp/reassembly.rs`, which keeps each byte at most once.
// 2. Send a thousand segments that leave a gap each. What would you refuse, and what would the sender do then?

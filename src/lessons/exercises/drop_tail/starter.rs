//! Exercise of lesson 13: be the queue in front of the link. `netlayers check drop_tail` says how far you are.
//!
//! ```text
//! frames come        +---+---+---+
//! ----------------->   3   2   1   |=== 0 ===>   the link is busy with one frame,
//!                    +---+---+---+               and the others wait in their order
//! no room: dropped
//! ```
//!
//! A link sends one frame at a time. A frame that finds it busy waits; one that finds no room to wait is dropped. This
//! is all that a router does about congestion (RFC 7567 section 2 calls it tail drop).
//!
//! It compiles, and it is wrong. `netlayers hint drop_tail` helps, `netlayers reset drop_tail` starts over. In Python
//! or JavaScript: `netlayers check drop_tail --language python`, or `javascript`; in any other language it is a program
//! that reads lines and answers them: `netlayers check drop_tail --program FILE`.

use netlayers::lessons::exercises::drop_tail::{Queue, Session};

/// The link and what waits for it. Times are in milliseconds.
struct Mine {
    /// How long a frame keeps the link busy.
    takes: u32,
}

impl Queue for Mine {
    /// An idle link, and room for `room` frames that wait.
    fn begin(takes: u32, _room: usize) -> Self {
        Mine { takes }
    }

    /// A frame comes. Gives the time when it has left over the link, or nothing when it is dropped.
    fn frame(&mut self, now: u32) -> Option<u32> {
        // This lets frames leave side by side.
        Some(now + self.takes)
    }

    /// How many frames wait, without the one that is leaving.
    fn waiting(&self, _now: u32) -> usize {
        0
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin drop_tail, then begin 10 2, then frame 0
// 2. A frame takes 10 ms and 100 may wait. How long is the last of them on its way, and who notices?
// 3. Compare with `Transmitter` in `src/sim/link.rs`. What does it say of a frame that is dropped?

//! A solution of lesson 13's exercise: be the queue in front of the link (RFC 7567 section 2).

use netlayers::lessons::exercises::drop_tail::{Queue, Session};

/// The link and what waits for it. Times are in milliseconds.
struct Mine {
    takes: u32,
    room: usize,
    /// When each frame begins to leave.
    begins: Vec<u32>,
}

impl Queue for Mine {
    fn begin(takes: u32, room: usize) -> Self {
        Mine { takes, room, begins: Vec::new() }
    }

    fn frame(&mut self, now: u32) -> Option<u32> {
        // The link is free when the last frame has left.
        let free = self.begins.last().map_or(now, |begins| begins + self.takes);
        if free > now && self.waiting(now) >= self.room {
            return None;
        }
        let begins = free.max(now);
        self.begins.push(begins);
        Some(begins + self.takes)
    }

    fn waiting(&self, now: u32) -> usize {
        self.begins.iter().filter(|begins| **begins > now).count()
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Drop the first frame of the queue instead of the last. Which sender learns of it sooner?
// 2. Compare with `Transmitter` in `src/sim/link.rs`, which forgets the frames that have left.

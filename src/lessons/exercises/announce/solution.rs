//! A solution of lesson 11's exercise: when more room is worth telling (RFC 9293 section 3.8.6.2.2).

use netlayers::lessons::exercises::announce::{Receiver, Session};

/// A buffer, and what was announced of it.
struct Mine {
    buffer: u32,
    unread: u32,
    window: u32,
    /// What more must be free before it is announced.
    worth: u32,
}

impl Mine {
    fn update(&mut self) {
        if self.buffer - self.unread >= self.window + self.worth {
            self.window = self.buffer - self.unread;
        }
    }
}

impl Receiver for Mine {
    fn begin(buffer: u32, mss: u32) -> Self {
        Mine { buffer, unread: 0, window: buffer, worth: mss.min(buffer / 2) }
    }

    fn arrives(&mut self, bytes: u32) {
        self.unread += bytes;
        // The right edge stays, so the window shrinks by what has arrived.
        self.window -= bytes;
        self.update();
    }

    fn reads(&mut self, bytes: u32) {
        self.unread -= bytes;
        self.update();
    }

    fn window(&self) -> u32 {
        self.window
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. The sender avoids silly windows as well (RFC 9293 §3.8.6.2.1). Which of the two would be enough, and why are there
//    both?
// 2. Compare with `window_field` in `src/layers/transport/tcp/receiver.rs`, which must fit a scaled field, too.

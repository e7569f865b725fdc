//! A solution of lesson 12's exercise: gather small writes (RFC 9293 section 3.7.4).

use netlayers::lessons::exercises::gather::{Gather, Session};

/// What a sender holds.
struct Mine {
    mss: usize,
    waiting: usize,
    in_flight: bool,
    nodelay: bool,
}

impl Mine {
    fn send(&mut self) -> Vec<usize> {
        let mut sizes = vec![self.mss; self.waiting / self.mss];
        let rest = self.waiting % self.mss;
        self.in_flight |= !sizes.is_empty();
        self.waiting = rest;
        if rest > 0 && (self.nodelay || !self.in_flight) {
            sizes.push(rest);
            (self.waiting, self.in_flight) = (0, true);
        }
        sizes
    }
}

impl Gather for Mine {
    fn begin(mss: usize) -> Self {
        Mine { mss, waiting: 0, in_flight: false, nodelay: false }
    }

    fn write(&mut self, bytes: usize) -> Vec<usize> {
        self.waiting += bytes;
        self.send()
    }

    fn ack(&mut self) -> Vec<usize> {
        self.in_flight = false;
        self.send()
    }

    fn nodelay(&mut self) -> Vec<usize> {
        self.nodelay = true;
        self.send()
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Linux waits only while a *small* segment is in flight (Minshall). Change it, and see which cases fail.
// 2. Compare with `fresh` in `src/layers/transport/tcp/sender.rs`. Which other rules does it join with this one?

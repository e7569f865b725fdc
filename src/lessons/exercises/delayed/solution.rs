//! A solution of lesson 12's exercise: which ACK may wait (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2).

use netlayers::lessons::exercises::delayed::{Acknowledge, Session};

/// What a receiver knows. Bytes are counted from 1, times in milliseconds.
struct Mine {
    mss: u32,
    delay: u32,
    next: u32,
    /// The end of what came too early, if anything has: one block is enough here.
    early: Option<(u32, u32)>,
    /// Bytes that came in order since the last ACK.
    unacked: u32,
    due: Option<u32>,
}

impl Mine {
    fn acknowledge(&mut self) -> Option<u32> {
        (self.unacked, self.due) = (0, None);
        Some(self.next)
    }
}

impl Acknowledge for Mine {
    fn begin(mss: u32, delay: u32) -> Self {
        Mine { mss, delay, next: 1, early: None, unacked: 0, due: None }
    }

    fn data(&mut self, now: u32, seq: u32, len: u32) -> Option<u32> {
        let (in_order, gap) = (seq == self.next, self.early.is_some());
        if in_order {
            (self.next, self.unacked) = (seq + len, self.unacked + len);
            if let Some((_, end)) = self.early.take_if(|(start, _)| *start <= seq + len) {
                self.next = self.next.max(end);
            }
        } else if seq > self.next {
            self.early = Some((seq, seq + len));
        }
        if !in_order || gap || self.unacked >= 2 * self.mss {
            return self.acknowledge();
        }
        self.due.get_or_insert(now + self.delay);
        None
    }

    fn sends(&mut self, _: u32) -> Option<u32> {
        self.acknowledge()
    }

    fn time(&mut self, now: u32) -> Option<u32> {
        self.due.filter(|due| *due <= now).and_then(|_| self.acknowledge())
    }

    fn due(&self) -> Option<u32> {
        self.due
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Keep several early blocks. Which exercise had that already?
// 2. Compare with `take_in` in `src/layers/transport/tcp/receiver.rs`. When else does it acknowledge at once?

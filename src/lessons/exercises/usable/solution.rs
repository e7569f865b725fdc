//! A solution of lesson 11's exercise: how much may be sent now (RFC 9293 section 3.8.6).

use netlayers::lessons::exercises::usable::{Sender, Session};

/// What a sender knows. Bytes are counted from 0.
struct Mine {
    acked: u32,
    sent: u32,
    window: u32,
}

impl Sender for Mine {
    fn begin(window: u32) -> Self {
        Mine { acked: 0, sent: 0, window }
    }

    fn sent(&mut self, bytes: u32) {
        self.sent += bytes;
    }

    fn ack(&mut self, number: u32, window: u32) {
        // An ACK that was overtaken by a later one tells of a buffer as it was.
        if number >= self.acked {
            (self.acked, self.window) = (number, window);
        }
    }

    fn may_send(&self) -> u32 {
        (self.acked + self.window).saturating_sub(self.sent)
    }
}

fn main() {
    let mut session = Session::<Mine>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Two ACKs with the same number announce different windows, and overtake each other. Which one is right, and what
//    does RFC 9293 keep SND.WL1 and SND.WL2 for?
// 2. Compare with `usable` in `src/layers/transport/tcp/sender.rs`. What is its second limit?

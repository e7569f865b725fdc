//! A solution of lesson 10's exercise: three ACKs that say the same (RFC 5681 sections 2 and 3.2).

use netlayers::lessons::exercises::duplicates::{Ack, FastRetransmit, Session};

/// What a sender knows of its ACKs.
struct Sender {
    acked: u32,
    end: u32,
    window: u32,
    duplicates: u32,
}

impl FastRetransmit for Sender {
    fn begin(acked: u32, window: u32) -> Self {
        Sender { acked, end: acked, window, duplicates: 0 }
    }

    fn sent(&mut self, end: u32) {
        self.end = end;
    }

    fn ack(&mut self, ack: Ack) -> Option<u32> {
        let in_flight = self.end > self.acked;
        let says_the_same = ack.number == self.acked && ack.window == self.window;
        self.window = ack.window;
        if ack.number > self.acked {
            (self.acked, self.duplicates) = (ack.number, 0);
        } else if in_flight && says_the_same && ack.len == 0 {
            self.duplicates += 1;
            // The third and no later one: what they report is still under way.
            return (self.duplicates == 3).then_some(self.acked);
        }
        None
    }
}

fn main() {
    let mut session = Session::<Sender>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Compare with `src/layers/transport/tcp/recovery/fast.rs`. What is its `recover`, and which retransmission does it
//    spare?
// 2. With SACK the receiver says what has arrived. What can a sender do with that at the first duplicate?

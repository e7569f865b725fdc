//! Exercise of lesson 21: drop the copies. `netlayers check 21` says how far you are.
//!
//! ```text
//! Ada             the network            Bob
//!  |--- "pay 5", id ada-1 ----------------->|   effect: 5 are paid
//!  |          X<--------- I have ada-1 -----|
//!  |--- "pay 5", id ada-1 ----------------->|   a copy: nothing is paid
//! ```
//!
//! A sender that gets no acknowledgement must send again: it cannot know which of the two was lost. So copies come, and
//! the receiver has to know them.
//!
//! It compiles, and it is wrong. `netlayers hint 21` helps, `netlayers reset 21` starts over.
//! In Python or JavaScript: `netlayers check 21 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 21 --program FILE`.

use netlayers::lessons::exercises::dedupe::{Dedupe, Session};

/// What the receiver remembers.
struct Ids {
    last: Option<String>,
}

impl Dedupe for Ids {
    /// One that may remember `room` ids; when there is no room, the oldest is forgotten.
    fn begin(_room: usize) -> Self {
        Ids { last: None }
    }

    /// Whether an event with this id is to have its effect.
    fn is_new(&mut self, id: &str) -> bool {
        // This knows a copy only when it comes at once.
        let is_new = self.last.as_deref() != Some(id);
        self.last = Some(id.to_owned());
        is_new
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    let mut session = Session::<Ids>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin dedupe, then begin 3 and event ada-1
// 2. How many ids must a receiver remember, if a sender has at most 10 events under way?
// 3. What goes wrong when two senders count their ids from 1, and neither puts the sender's name into the id?

//! A solution of lesson 21's exercise: have each event's effect once.

use std::collections::VecDeque;

use netlayers::lessons::exercises::dedupe::{Dedupe, Session};

/// The ids of the newest events, the oldest first.
struct Ids {
    room: usize,
    ids: VecDeque<String>,
}

impl Dedupe for Ids {
    /// One that may remember `room` ids.
    fn begin(room: usize) -> Self {
        Ids { room, ids: VecDeque::new() }
    }

    /// Whether an event with this id is to have its effect.
    fn is_new(&mut self, id: &str) -> bool {
        // With many ids one would keep a set beside the list: `src/chat/delivery.rs` does.
        if self.ids.iter().any(|known| known == id) {
            return false;
        }
        if self.ids.len() == self.room {
            self.ids.pop_front();
        }
        self.ids.push_back(id.to_owned());
        true
    }
}

fn main() {
    let mut session = Session::<Ids>::new();
    for line in std::io::stdin().lines() {
        println!("{}", session.answer(&line.expect("the check sends text")));
    }
}

// Try this:
// 1. Ids that count up, 1, 2, 3, in order: what is the least that a receiver must remember? (`Cursor` in delivery.rs)
// 2. The program crashes and forgets all ids. What must be written down, and together with what?

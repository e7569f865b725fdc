//! Exercise of lesson 15: messages with a length in front. `netlayers check length_prefix` says how far you are.
//!
//! ```text
//! read  00 02 68 69 00 03 79      a whole message, "hi", and the beginning of another
//!       +---+ +---+ +---+ +
//!       length    2     3 kept: 1
//! read  6f 75                     the rest of it: "you"
//! ```
//!
//! It compiles, and it is wrong. `netlayers hint length_prefix` helps, `netlayers reset length_prefix` starts over.
//! In Python or JavaScript: `netlayers check length_prefix --language python`, or `javascript`; in any other language
//! it is a program that reads lines and answers them: `netlayers check length_prefix --program FILE`.

use netlayers::lessons::exercises::length_prefix::{Got, Reader, Session};

/// What a reader holds.
struct Mine {
    limit: usize,
}

impl Reader for Mine {
    /// Nothing has come yet; messages have at most `limit` bytes.
    fn begin(limit: usize) -> Self {
        Mine { limit }
    }

    /// A read gave these bytes. Gives the messages that are complete, how many bytes are kept, and whether a message
    /// was too long.
    fn read(&mut self, bytes: &[u8]) -> Got {
        // This takes each read for one message, and looks at no length.
        let message = bytes.get(2..).unwrap_or_default().to_vec();
        let refused = message.len() > self.limit;
        Got { messages: vec![message], kept: 0, refused }
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin length_prefix, then begin 100
// 2. Compare with `src/layers/application/framing.rs`, which looks at one byte at a time. When is that slower?
// 3. Make the length four bytes. What must the limit be now, so that 1000 strangers cannot fill the memory?

//! Exercise of lesson 19: the packets in one answer. `netlayers check 19` says how far you are.
//!
//! ```text
//! body 34 68 69             message:6869    a digit, 4, and "hi"
//! body 32 1e 34 68 69       ping:-+message:6869
//!         |
//!         between two packets
//!
//! 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop      Engine.IO protocol, revision 4
//! ```
//!
//! It compiles, and it is wrong. `netlayers hint 19` helps, `netlayers reset 19` starts over. In Python or JavaScript:
//! `netlayers check 19 --language python`, or `javascript`; in any other language it is a program that reads lines and
//! answers them: `netlayers check 19 --program FILE`.

use netlayers::lessons::exercises::payload::{Packet, answer};

/// The packets in a body: of each the digit of its kind, and what is behind it. None at all when one is no packet.
fn packets(body: &[u8]) -> Option<Vec<Packet>> {
    // This takes every body for one packet, and its digit for a number.
    let (digit, rest) = body.split_first()?;
    Some(vec![(*digit, rest.to_vec())])
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), packets));
    }
}

// Try this:
// 1. Type a line to your program yourself: cargo run -qp exercises --bin payload, then body 321e346869
// 2. Compare with `src/layers/application/engineio/`. Where is the length of a body bounded, and why there?
// 3. A WebSocket carries one packet in each message. Why does it need no separator?

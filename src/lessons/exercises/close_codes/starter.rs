//! Exercise of lesson 18: judge a Close frame. `netlayers check 18` says how far you are.
//!
//! ```text
//! +--------+--------+----------------
//! |      code       | reason, UTF-8      both may be absent, or the reason only: RFC 6455 §5.5.1
//! +--------+--------+----------------
//! ```
//!
//! 1000 to 2999 are the protocol's own codes, and only some of them may be sent; 3000 to 4999 belong to libraries and
//! programs. 1004, 1005, 1006 and 1015 are never on the wire (RFC 6455 §7.4). 1012 to 1014 came later, by registration.
//!
//! It compiles, and it is wrong. `netlayers hint 18` helps, `netlayers reset 18` starts over.
//! In Python or JavaScript: `netlayers check 18 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 18 --program FILE`.

use netlayers::lessons::exercises::close_codes::{Judged, answer};

/// What becomes of a Close frame with this payload: `Told`, with the code that the program learns; or `Failed`, with
/// the code that the connection ends with.
fn judge(payload: &[u8]) -> Judged {
    if payload.len() < 2 {
        return Judged::Failed(1002);
    }
    // Not every number is a code that may be sent.
    Judged::Told(u16::from_be_bytes([payload[0], payload[1]]))
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), judge));
    }
}

// Try this:
// 1. Close a real connection with a code of your own: netlayers ws connect --help says how.
// 2. Compare with `src/layers/application/websocket/close.rs`. Which codes does it take that RFC 6455 does not name?
// 3. Why is 1006 a number at all, when it must not be sent?

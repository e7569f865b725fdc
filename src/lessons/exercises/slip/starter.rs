//! Exercise of lesson 15: a delimiter, and an escape for it. `netlayers check slip` says how far you are.
//!
//! ```text
//! END      c0   ends a message
//! ESC      db   the next byte is meant otherwise:
//! ESC_END  dc   ... behind ESC: an END that belongs to the message
//! ESC_ESC  dd   ... behind ESC: an ESC that belongs to the message
//!
//! message  61 c0 62          "a", a byte that looks like an END, "b"
//! wire     61 db dc 62 c0                                              RFC 1055
//! ```
//!
//! It compiles, and it is wrong. `netlayers hint slip` helps, `netlayers reset slip` starts over. In Python or
//! JavaScript: `netlayers check slip --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check slip --program FILE`.

use netlayers::lessons::exercises::slip::{END, Session, Slip};
// You will want these, too: ESC, ESC_END, ESC_ESC.

/// What one end of a line holds.
struct Mine {
    kept: Vec<u8>,
}

impl Slip for Mine {
    /// Nothing has come yet.
    fn begin() -> Self {
        Mine { kept: Vec::new() }
    }

    /// A message as it is on the wire.
    fn write(&self, message: &[u8]) -> Vec<u8> {
        // What about an END inside?
        message.to_vec()
    }

    /// A read gave these bytes. Gives the messages that are complete with them.
    fn read(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        for &byte in bytes {
            match byte {
                END => messages.push(std::mem::take(&mut self.kept)),
                _ => self.kept.push(byte),
            }
        }
        messages
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
// 1. Type lines to your program yourself: cargo run -qp exercises --bin slip, then begin, then write 61c062
// 2. Which message of 100 bytes takes most on the wire, and how much? Why does a length prefix not have that?
// 3. RFC 1055 sets no limit. Give `read` one. What does it do with a message that is too long, and where does it go on?

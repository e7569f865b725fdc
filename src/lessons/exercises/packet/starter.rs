//! Exercise of lesson 20: take a packet apart. `netlayers check 20` says how far you are.
//!
//! ```text
//!   4        2       /staff,       17        ["say","hi"]
//!   |        |          |           |             |
//!   |        |          |           |             JSON: the event's name, and what it carries
//!   |        |          |           a number, when an answer is wanted; or the number of what is answered
//!   |        |          the namespace and a comma; nothing for the main one, /
//!   |        0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error
//!   Engine.IO: a message
//! ```
//!
//! Everything but the first two digits may be missing (Socket.IO protocol, revision 5).
//!
//! It compiles, and it is wrong. `netlayers hint 20` helps, `netlayers reset 20` starts over.
//! In Python or JavaScript: `netlayers check 20 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 20 --program FILE`.

use netlayers::lessons::exercises::packet::{Kind, Parsed, Refused, answer};

/// What the text of a message says; `Refused::NoMessage` when it is none of Engine.IO's messages, `Refused::NoKind`
/// when the digit after that is unknown.
fn parse(text: &str) -> Result<Parsed, Refused> {
    if !text.starts_with('4') {
        return Err(Refused::NoMessage);
    }
    // This takes everything for an event of the main namespace.
    let data = text.get(2..).unwrap_or_default();
    Ok(Parsed { kind: Kind::Event, namespace: "/".to_owned(), ack: None, data: data.to_owned() })
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), parse));
    }
}

// Try this:
// 1. Type a line to your program yourself: cargo run -qp exercises --bin packet, then packet 42["echo","one"]
// 2. Why does the namespace end with a comma, and not with a blank? What may its name contain?
// 3. A client sends a number of a thousand digits. What does your program do? What does `decoder.rs` do?

//! Exercise of lesson 14: from ESTABLISHED to CLOSED. `netlayers check states` says how far you are.
//!
//! ```text
//! closes first:    ESTABLISHED -> FIN-WAIT-1 -> FIN-WAIT-2 -> TIME-WAIT -> CLOSED
//! closes second:   ESTABLISHED -> CLOSE-WAIT -> LAST-ACK -> CLOSED
//! both at once:    ESTABLISHED -> FIN-WAIT-1 -> CLOSING -> TIME-WAIT -> CLOSED
//! ```
//!
//! Four things can happen: the program closes (close), the FIN of the other end arrives (fin), the ACK of our own FIN
//! arrives (ack), and two maximum segment lifetimes have passed (2msl). RFC 9293 section 3.3.2 has the diagram.
//!
//! It compiles, and it is wrong. `netlayers hint states` helps, `netlayers reset states` starts over. In Python or
//! JavaScript: `netlayers check states --language python`, or `javascript`; in any other language it is a program that
//! reads lines and answers them: `netlayers check states --program FILE`.

use netlayers::lessons::exercises::states::answer;

/// The state after an event, and what is sent because of it: FIN, ACK or nothing.
fn after<'a>(state: &'a str, event: &str) -> (&'a str, &'static str) {
    // This knows only how to begin.
    match (state, event) {
        ("ESTABLISHED", "close") => ("FIN-WAIT-1", "FIN"),
        ("ESTABLISHED", "fin") => ("CLOSE-WAIT", "ACK"),
        _ => (state, "nothing"),
    }
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), after));
    }
}

// Try this:
// 1. Type lines to your program yourself: cargo run -qp exercises --bin states, then in ESTABLISHED close
// 2. Which of these states wait for the program, which for the network, and which for a clock?
// 3. Many connections of a server are in CLOSE-WAIT. Whose fault is it?

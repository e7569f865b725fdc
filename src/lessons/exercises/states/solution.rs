//! A solution of lesson 14's exercise: from ESTABLISHED to CLOSED (RFC 9293 sections 3.3.2 and 3.6).

use netlayers::lessons::exercises::states::answer;

/// The state after an event, and what is sent because of it: FIN, ACK or nothing.
fn after<'a>(state: &'a str, event: &str) -> (&'a str, &'static str) {
    match (state, event) {
        ("ESTABLISHED", "close") => ("FIN-WAIT-1", "FIN"),
        ("CLOSE-WAIT", "close") => ("LAST-ACK", "FIN"),
        ("ESTABLISHED", "fin") => ("CLOSE-WAIT", "ACK"),
        ("FIN-WAIT-1", "fin") => ("CLOSING", "ACK"),
        ("FIN-WAIT-2", "fin") => ("TIME-WAIT", "ACK"),
        // One that was acknowledged before: that ACK was lost.
        (_, "fin") => (state, "ACK"),
        ("FIN-WAIT-1", "ack") => ("FIN-WAIT-2", "nothing"),
        ("CLOSING", "ack") => ("TIME-WAIT", "nothing"),
        ("LAST-ACK", "ack") | ("TIME-WAIT", "2msl") => ("CLOSED", "nothing"),
        _ => (state, "nothing"),
    }
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), after));
    }
}

// Try this:
// 1. Compare with `State::after` in `src/layers/transport/tcp/state.rs`, which has the opening, too.
// 2. A FIN and the ACK of ours may come in one segment. Which two events are that, and in which order?

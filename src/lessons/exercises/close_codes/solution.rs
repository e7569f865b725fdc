//! A solution of lesson 18's exercise: judge a Close frame (RFC 6455 §5.5.1, §7.4).

use netlayers::lessons::exercises::close_codes::{Judged, answer};

/// What becomes of a Close frame with this payload.
fn judge(payload: &[u8]) -> Judged {
    match *payload {
        // "No code": a number for programs, which is never sent.
        [] => Judged::Told(1005),
        [_] => Judged::Failed(1002),
        [high, low, ref reason @ ..] => match u16::from_be_bytes([high, low]) {
            code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => match std::str::from_utf8(reason) {
                Ok(_) => Judged::Told(code),
                Err(_) => Judged::Failed(1007),
            },
            _ => Judged::Failed(1002),
        },
    }
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), judge));
    }
}

// Try this:
// 1. Compare with `src/layers/application/websocket/close.rs`, which says in its errors what was wrong, and where.
// 2. What should a program answer to a Close frame, and when?

//! Exercise of lesson 17: decode a WebSocket frame by hand. `netlayers check 17` says how far you are.
//!
//! ```text
//!  7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0
//! +-+-+-+-+-------+-+-------------+
//! |F|R|R|R| opcode|M|short length |   0 to 125: the length
//! |I|S|S|S|       |A|             |   126: it is in the next 2 bytes
//! |N|V|V|V|       |S|             |   127: it is in the next 8 bytes
//! | |1|2|3|       |K|             |
//! +-+-+-+-+-------+-+-------------+
//! | then the length, if it is not in the seven bits
//! | then 4 bytes of key, if MASK is 1
//! | then the payload, XORed with the key         RFC 6455 §5.2
//! +-------------------------------
//! ```
//!
//! The picture counts bits: one row is two bytes, the most significant bit first.
//!
//! It compiles, and it is wrong. `netlayers hint 17` helps, `netlayers reset 17` starts over.
//! In Python or JavaScript: `netlayers check 17 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 17 --program FILE`.

use netlayers::lessons::exercises::frame_header::{Decoded, Refused, answer};

/// What the bytes of a frame say; `Refused::Incomplete` when some are missing, `Refused::Malformed` when they break a
/// rule.
fn decode(frame: &[u8]) -> Result<Decoded, Refused> {
    if frame.len() < 2 {
        return Err(Refused::Incomplete);
    }
    let fin = frame[0] & 0x80 != 0;
    // The opcode is not the whole first byte.
    let opcode = frame[0];
    let key = None;
    let header_len = 2;
    let payload = frame[2..].to_vec();
    Ok(Decoded { fin, opcode, key, header_len, payload })
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), decode));
    }
}

// Try this:
// 1. Watch real frames: netlayers ws echo --port 9001, and in another terminal: netlayers ws connect --xray
//    ws://127.0.0.1:9001. Type the bytes that it shows to your program.
// 2. Compare with `src/layers/application/websocket/frame.rs`. What does it check before the header is whole, and why?
// 3. Which of the cases would a program survive that takes every length as it comes? What could be done to it?

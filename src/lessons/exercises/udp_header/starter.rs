//! Exercise of lesson 6: decode a UDP header by hand. `netlayers check 6` says how far you are.
//!
//! ```text
//!  0      7 8     15 16    23 24    31
//! +--------+--------+--------+--------+
//! |   source port   | destination port|
//! +--------+--------+--------+--------+
//! |     length      |    checksum     |
//! +--------+--------+--------+--------+
//! |     payload ...                       RFC 768
//! +----------------
//! ```
//!
//! The picture counts bits: one row is four bytes. `length` counts the header and the payload, in bytes.
//!
//! It compiles, and it is wrong. `netlayers hint 6` helps, `netlayers reset 6` starts over.
//! In Python or JavaScript: `netlayers check 6 --language python`, or `javascript`; in any other language it is a
//! program that reads lines and answers them: `netlayers check 6 --program FILE`.

use netlayers::lessons::exercises::udp_header::{Decoded, Refused, answer};

/// What the bytes of a datagram say; `Refused::Incomplete` when some are missing, `Refused::Malformed` when they
/// contradict themselves.
fn decode(datagram: &[u8]) -> Result<Decoded, Refused> {
    if datagram.is_empty() {
        return Err(Refused::Incomplete);
    }
    // A number has two bytes. This takes one of them.
    let source_port = u16::from(datagram[0]);
    let destination_port = u16::from(datagram[2]);
    let length = 0;
    let checksum = 0;
    let payload = datagram.to_vec();
    Ok(Decoded { source_port, destination_port, length, checksum, payload })
}

/// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), decode));
    }
}

// Try this:
// 1. Type a line to your program yourself: cargo run -qp exercises --bin udp_header, then decode c00000350008f2aa
// 2. Compare with `src/layers/transport/udp.rs`. What does it refuse that yours lets through?
// 3. The checksum covers the IP addresses, too (RFC 768, pseudo header). Why would that be useful?

//! A solution of lesson 6's exercise: decode a UDP header by hand (RFC 768).

use netlayers::lessons::exercises::udp_header::{Decoded, Refused, answer};

/// What the bytes of a datagram say; `Refused::Incomplete` when some are missing, `Refused::Malformed` when they
/// contradict themselves.
fn decode(datagram: &[u8]) -> Result<Decoded, Refused> {
    // Eight bytes, or there is no header.
    let [s0, s1, d0, d1, l0, l1, c0, c1, rest @ ..] = datagram else { return Err(Refused::Incomplete) };
    let length = u16::from_be_bytes([*l0, *l1]);
    // The length counts the header's own 8 bytes.
    let payload_len = usize::from(length).checked_sub(8).ok_or(Refused::Malformed)?;
    // What follows the payload is not ours: Ethernet fills short frames up.
    let payload = rest.get(..payload_len).ok_or(Refused::Incomplete)?;
    Ok(Decoded {
        source_port: u16::from_be_bytes([*s0, *s1]),
        destination_port: u16::from_be_bytes([*d0, *d1]),
        length,
        checksum: u16::from_be_bytes([*c0, *c1]),
        payload: payload.to_vec(),
    })
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), decode));
    }
}

// Try this:
// 1. Compare with `src/layers/transport/udp.rs`, which says in its errors which byte was wrong, and why.
// 2. Verify the checksum as well. Which bytes do you need that are not in the datagram?

//! A solution of lesson 19's exercise: the packets in one answer (Engine.IO protocol, revision 4).

use netlayers::lessons::exercises::payload::{Packet, answer};

fn packet(bytes: &[u8]) -> Option<Packet> {
    let (digit, rest) = bytes.split_first()?;
    let kind = digit.checked_sub(b'0').filter(|kind| *kind <= 6)?;
    Some((kind, rest.to_vec()))
}

fn packets(body: &[u8]) -> Option<Vec<Packet>> {
    body.split(|byte| *byte == 0x1e).map(packet).collect()
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), packets));
    }
}

// Try this: a WebSocket carries one packet in each message. Why does it need no separator?

//! A solution of lesson 17's exercise: decode a WebSocket frame by hand (RFC 6455 §5.2, §5.3).

use netlayers::lessons::exercises::frame_header::{Decoded, Refused, answer};

/// What the bytes of a frame say; `Refused::Incomplete` when some are missing, `Refused::Malformed` when they break a
/// rule.
fn decode(frame: &[u8]) -> Result<Decoded, Refused> {
    let [first, second, ..] = *frame else { return Err(Refused::Incomplete) };
    let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
    let (masked, short) = (second & 0x80 != 0, second & 0x7f);
    let control = matches!(opcode, 8..=10);
    let known = matches!(opcode, 0..=2) || control;
    // What the first two bytes say is enough for these rules (§5.2, §5.5).
    if first & 0x70 != 0 || !known || (control && (!fin || short > 125)) {
        return Err(Refused::Malformed);
    }
    // Where we are: after what was read.
    let mut at = 2;
    let mut take = |len: usize| {
        let bytes = frame.get(at..at + len).ok_or(Refused::Incomplete)?;
        at += len;
        Ok(bytes)
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let (length, least) = match short {
        126 => (number(take(2)?), 126),
        127 => (number(take(8)?), 1 << 16),
        short => (u64::from(short), 0),
    };
    // One form only, the shortest; and the first of 64 bits is 0 (§5.2).
    if length < least || length >> 63 == 1 {
        return Err(Refused::Malformed);
    }
    let key = match masked {
        true => Some(take(4)?.try_into().map_err(|_| Refused::Incomplete)?),
        false => None,
    };
    let header_len = at;
    let rest = &frame[header_len..];
    let payload = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let payload = payload.ok_or(Refused::Incomplete)?.iter().enumerate();
    let payload = payload.map(|(i, byte)| key.map_or(*byte, |key: [u8; 4]| byte ^ key[i % 4])).collect();
    Ok(Decoded { fin, opcode, key, header_len, payload })
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), decode));
    }
}

// Try this:
// 1. Compare with `src/layers/application/websocket/frame.rs`, which says in its errors which byte was wrong, and why.
// 2. Say how many bytes are still missing, instead of only that some are. What would use that?

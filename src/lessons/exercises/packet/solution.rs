//! A solution of lesson 20's exercise: take a packet apart (Socket.IO protocol, revision 5).

use netlayers::lessons::exercises::packet::{Kind, Parsed, Refused, answer};

/// What the text of a message says.
fn parse(text: &str) -> Result<Parsed, Refused> {
    let rest = text.strip_prefix('4').ok_or(Refused::NoMessage)?;
    let kind = match rest.chars().next() {
        Some('0') => Kind::Connect,
        Some('1') => Kind::Disconnect,
        Some('2') => Kind::Event,
        Some('3') => Kind::Ack,
        Some('4') => Kind::ConnectError,
        _ => return Err(Refused::NoKind),
    };
    let rest = &rest[1..];
    let (namespace, rest) = match rest.starts_with('/') {
        // Without a comma it goes to the end.
        true => rest.split_once(',').unwrap_or((rest, "")),
        false => ("/", rest),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (number, data) = rest.split_at(digits);
    Ok(Parsed { kind, namespace: namespace.to_owned(), ack: number.parse().ok(), data: data.to_owned() })
}

fn main() {
    for line in std::io::stdin().lines() {
        println!("{}", answer(&line.expect("the check sends text"), parse));
    }
}

// Try this:
// 1. Compare with `src/layers/application/socketio/decoder.rs`, which says in its errors what it expected.
// 2. Let it read attachments, too: 51-["photo",{"_placeholder":true,"num":0}] and then a binary message.

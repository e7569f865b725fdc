//! A namespace with a door: which clients may enter, how often one may send, and how a refusal reaches it.
//!
//! `cargo run --example events_auth`

use netlayers::base::Rng;
use netlayers::chat::hub::Rate;
use netlayers::chat::{Config, Hub, Local, MemoryLog, Refusal, Retention};
use netlayers::layers::application::socketio::{Packet, Value};

fn main() {
    let mut rng = Rng::new(7);
    let log = MemoryLog::new(Retention::default());
    let rate = Some(Rate { per_second: 1, burst: 2 });
    let config = Config { rate, ..Config::default() };
    let mut hub = Hub::new(config, Box::new(move || rng.next_u64()), Box::new(log));

    hub.of("/staff")
        // Asked before anybody comes in; the first gate that refuses ends it.
        .gate(|entry| match entry.auth.get("token").and_then(Value::as_str) {
            Some("secret") => Ok(()),
            Some(_) => Err(Refusal::new("wrong token").with(Value::object([("code", "E_TOKEN".into())]))),
            None => Err(Refusal::new("who are you?").with(Value::object([("code", "E_AUTH".into())]))),
        })
        .gate(|entry| if entry.sockets < 10 { Ok(()) } else { Err(Refusal::new("come back later")) })
        // Asked before each event.
        .guard(|_, event, _| if event == "fire" { Err(Refusal::new("not in here")) } else { Ok(()) })
        .on("hello", |cx, _, ack| ack.send(cx, vec!["welcome".into()]));

    let mut local = Local::new(hub);
    for token in [None, Some("guess"), Some("secret")] {
        let auth = token.map(|token| Value::object([("token", token.into())]));
        let client = local.connect("/staff", auth);
        println!("token {token:?}:");
        for (number, event) in ["fire", "hello", "hello"].into_iter().enumerate() {
            if token == Some("secret") {
                let mut packet = Packet::event("/staff", event, Vec::new());
                if let netlayers::layers::application::socketio::Kind::Event { ack, .. } = &mut packet.kind {
                    *ack = Some(number as u64);
                }
                local.send(client, packet);
            }
        }
        let packets = local.take(client);
        assert_eq!(packets.len(), if token == Some("secret") { 4 } else { 1 });
        for packet in packets {
            let text = packet.encode().text;
            println!("   {}", text.as_str().chars().take(72).collect::<String>());
        }
    }
}

// Try this:
// 1. Which refusal does the third "hello" get, and after how long would it be taken? (`local.wait`)
// 2. Send an event before the namespace let you in. What becomes of the connection?
// 3. Let the gate count wrong tokens (a closure may own a counter), and refuse everybody after three.

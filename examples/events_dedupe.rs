//! Three promises over a connection that breaks: at most once, at least once, exactly once in effect.
//!
//! `cargo run --example events_dedupe`

use netlayers::base::Rng;
use netlayers::chat::delivery::Cursor;
use netlayers::chat::{Config, Delivery, Hub, Local, MemoryLog, Retention, SessionId, offset_number};
use netlayers::layers::application::socketio::{Kind, Value};

fn main() {
    for (promise, delivery) in
        [("at most once", Delivery::AtMostOnce), ("exactly once in effect", Delivery::Logged)]
    {
        let mut local = server(delivery);
        let speaker = local.connect("/", None);
        let listener = local.connect("/", None);
        let mut client = Client::default();
        client.read(&mut local, listener);

        // A sender that is not sure repeats itself: the same message with the same id.
        for (id, words) in [("1", "one"), ("2", "two"), ("2", "two"), ("3", "three")] {
            let id = format!("speaker {id}");
            local.emit(speaker, "say", vec![id.into(), words.into()], None);
            if words == "one" {
                client.read(&mut local, listener);
                local.cut(listener);
            }
        }
        // It comes back with its secret and the offset of the last event that had its effect.
        let auth =
            Value::object([("pid", client.pid.as_str().into()), ("offset", client.offset.as_str().into())]);
        let again = local.connect("/", Some(auth));
        client.read(&mut local, again);
        println!("{promise}: {:?}", client.effects);
        assert_eq!(client.effects.len(), if delivery == Delivery::Logged { 3 } else { 1 });
    }
}

fn server(delivery: Delivery) -> Local {
    let mut rng = Rng::new(7);
    let log = MemoryLog::new(Retention::default());
    let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), Box::new(log));
    hub.of("/").on("say", move |cx, args, ack| {
        let id = args.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        cx.broadcast().with(delivery).sent_as(&id).emit("said", args[1..].to_vec());
        ack.send(cx, vec![true.into()]);
    });
    Local::new(hub)
}

/// What a client has to remember: its secret, one number, and what the events did.
#[derive(Default)]
struct Client {
    pid: String,
    /// As it came: it is given back so.
    offset: String,
    cursor: Cursor,
    effects: Vec<String>,
}

impl Client {
    fn read(&mut self, local: &mut Local, session: SessionId) {
        for packet in local.take(session) {
            match packet.kind {
                Kind::Connect(Some(reply)) => self.pid = text(reply.get("pid")).to_owned(),
                Kind::Event { args, .. } => {
                    // The last argument is the offset; an event that is not kept repeats that of the last one kept.
                    self.offset = text(args.last()).to_owned();
                    let offset = offset_number(&self.offset).unwrap_or(0);
                    if self.cursor.advance(offset) || offset == 0 {
                        self.effects.push(text(args.first()).to_owned());
                    }
                }
                _ => {}
            }
        }
    }
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

// Try this:
// 1. Take `sent_as` away. Which promise breaks, and on whose side of the server?
// 2. Let the client forget its cursor (`Cursor::default()`) before it comes back. What happens twice?
// 3. "At least once" from server to client: give each message an id, keep it in `delivery::Retry` until it is
//    acknowledged, and let the client drop copies with `delivery::SeenIds`. What does that cost that the offset does not?

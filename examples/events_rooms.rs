//! Rooms: the receivers of an event. A hub and three clients in one program.
//!
//! `cargo run --example events_rooms`

use netlayers::base::Rng;
use netlayers::chat::{Config, Hub, Local, MemoryLog, Retention, SessionId};
use netlayers::layers::application::socketio::{Kind, Value};

fn main() {
    // A seed instead of the operating system's randomness: every run gives the same ids.
    let mut rng = Rng::new(7);
    let log = MemoryLog::new(Retention::default());
    let config = Config { recovery: None, ..Config::default() };
    let mut hub = Hub::new(config, Box::new(move || rng.next_u64()), Box::new(log));
    hub.of("/")
        .on("join", |cx, args, _| {
            if let Err(error) = cx.join(text(args, 0)) {
                cx.emit("sorry", vec![error.to_string().into()]);
            }
        })
        .on("say", |cx, args, _| {
            cx.to(text(args, 0)).emit("said", args.to_vec());
        })
        .on("say to both", |cx, args, _| {
            cx.to("cats").to("dogs").emit("said", args.to_vec());
        })
        .on("say to all but dogs", |cx, args, _| {
            cx.io().except("dogs").emit("said", args.to_vec());
        });

    let mut local = Local::new(hub);
    let people = ["Ada", "Bob", "Cleo"].map(|name| (name, local.connect("/", None)));
    let [(_, ada), (_, bob), (_, cleo)] = people;
    local.emit(ada, "join", vec!["cats".into()], None);
    local.emit(bob, "join", vec!["dogs".into()], None);
    local.emit(cleo, "join", vec!["cats".into()], None);
    local.emit(cleo, "join", vec!["dogs".into()], None);
    people.iter().for_each(|(_, client)| drop(local.take(*client)));

    let mut say = |what: &str, room: &str, words: &str| {
        local.emit(ada, what, vec![room.into(), words.into()], None);
        println!("Ada: {what} {room}: {words}");
        let all = people.map(|(_, client)| heard(&mut local, client));
        people.iter().zip(&all).for_each(|((name, _), heard)| println!("   {name} hears {heard:?}"));
        all.map(|heard| heard.len())
    };
    assert_eq!(say("say", "cats", "meow"), [0, 0, 1]);
    assert_eq!(say("say", "dogs", "woof"), [0, 1, 1]);
    assert_eq!(say("say to both", "", "food!"), [0, 1, 1]);
    assert_eq!(say("say to all but dogs", "", "hush"), [1, 0, 0]);
}

/// The words of the events that came.
fn heard(local: &mut Local, client: SessionId) -> Vec<String> {
    let packets = local.take(client).into_iter();
    packets
        .filter_map(|packet| match packet.kind {
            Kind::Event { args, .. } => Some(text(&args, 1).to_owned()),
            _ => None,
        })
        .collect()
}

fn text(args: &[Value], at: usize) -> &str {
    args.get(at).and_then(Value::as_str).unwrap_or_default()
}

// Try this:
// 1. Cleo is in both rooms. How often does she hear "food!", and why not twice?
// 2. Ada is not in "dogs". May she speak there? Let the hub refuse it (`cx.rooms()`).
// 3. Send something to one person: every socket is in the room of its own id (`cx.id()`).

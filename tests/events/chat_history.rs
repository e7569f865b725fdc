//! Paging far back: who joins a chat with many thousand messages on disk, and reads to its beginning, gets every message
//! once and in order, and each page costs what it returns, however long the log is.
//!
//! The rooms are unlike: in one somebody speaks all the time, in the other a few words stand under a mountain of those
//! of the first, for a namespace has one log for all of its rooms.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use netlayers::base::{Instant, Machine as _, Rng};
use netlayers::chat::lounge::{self, Rules};
use netlayers::chat::{
    Commit, Config, Draft, EventLog, Hub, Input, Output, Record, Retention, RoomPage, SessionId, Sessions,
    Stretch, Token,
};
use netlayers::layers::application::socketio::{Decoder, Kind, Limits, Packet, Value};
use netlayers::real::store::Store;

/// Messages of the loud room.
const LOUD: u64 = 20_000;
/// In the quiet room somebody speaks at these numbers of the loud one.
const QUIET: [u64; 7] = [0, 1, 2, 3000, 3001, 3002, 19_990];

#[test]
fn many_thousand_messages_are_paged_to_the_beginning_each_once_and_in_order() {
    let directory = Directory::new("far-back");
    fill(&directory.0);

    // Another life of the server: nothing of the past is in memory.
    let (mut chat, reads) = Chat::open(&directory.0, 2);
    let ada = chat.enter("ada");
    for (room, expected) in [
        ("loud", (0..LOUD).map(|number| format!("loud {number}")).collect::<Vec<_>>()),
        ("quiet", QUIET.iter().map(|number| format!("quiet {number}")).collect()),
    ] {
        let joined = chat.ask(ada, "join", vec![room.into()]);
        let newest = Page::of(&joined, "history");
        let end = joined.get("end").and_then(Value::as_u64).expect("where the log ended");
        let back = page_through(&mut chat, &reads, ada, room, "before", newest);
        assert!(texts(&back) == expected, "{room}, from its end to its beginning: {} messages", back.len());

        // And on again from the beginning to where it was joined.
        let first = chat.ask(ada, "history", vec![room.into(), Value::object([("since", 0_u64.into())])]);
        let on = page_through(&mut chat, &reads, ada, room, "since", Page::of(&first, "messages"));
        assert!(on == back, "{room}, from its beginning to its end: {} messages", on.len());
        assert!(on.iter().all(|(offset, _)| *offset <= end), "what is past lies below the end");
    }
}

#[test]
fn what_is_said_while_somebody_pages_back_does_not_move_the_pages() {
    let directory = Directory::new("moving");
    let (mut chat, reads) = Chat::open(&directory.0, 1);
    let (ada, bob) = (chat.enter("ada"), chat.enter("bob"));
    chat.ask(ada, "join", vec!["loud".into()]);
    for number in 0..300 {
        chat.ask(ada, "say", vec!["loud".into(), format!("loud {number}").into()]);
    }
    let joined = chat.ask(bob, "join", vec!["loud".into()]);
    let mut page = Page::of(&joined, "history");
    let mut read = page.messages.clone();
    let mut number = 300;
    while page.more {
        chat.ask(ada, "say", vec!["loud".into(), format!("loud {number}").into()]);
        number += 1;
        page = page.next_one(&mut chat, &reads, bob, "loud", "before");
        read.splice(0..0, page.messages.clone());
    }
    let expected: Vec<String> = (0..300).map(|number| format!("loud {number}")).collect();
    assert_eq!(texts(&read), expected);
}

/// Follows `next` for as long as there is more, and puts the pages together, oldest first.
fn page_through(
    chat: &mut Chat,
    reads: &Mutex<Reads>,
    reader: SessionId,
    room: &str,
    direction: &str,
    mut page: Page,
) -> Vec<(u64, String)> {
    let mut pages = vec![page.messages.clone()];
    while page.more {
        let before = page.next;
        page = page.next_one(chat, reads, reader, room, direction);
        let goes_on = if direction == "before" { page.next < before } else { page.next > before };
        assert!(goes_on || !page.more, "{room}: from {before} to {}", page.next);
        pages.push(page.messages.clone());
    }
    if direction == "before" {
        pages.reverse();
    }
    pages.concat()
}

/// A page of history, as a client gets it.
struct Page {
    messages: Vec<(u64, String)>,
    more: bool,
    next: u64,
}

impl Page {
    fn of(answer: &Value, name: &str) -> Page {
        assert_eq!(answer.get("ok"), Some(&true.into()), "{answer:?}");
        let Some(Value::Array(messages)) = answer.get(name) else { panic!("no {name}: {answer:?}") };
        let message = |message: &Value| {
            let offset = message.get("offset").and_then(Value::as_u64).expect("an offset");
            (offset, message.get("text").and_then(Value::as_str).expect("a text").to_owned())
        };
        let messages: Vec<_> = messages.iter().map(message).collect();
        assert!(messages.len() <= Rules::default().page, "{} messages in a page", messages.len());
        Page {
            messages,
            more: answer.get("more") == Some(&true.into()),
            next: answer.get("next").and_then(Value::as_u64).expect("where to go on"),
        }
    }

    fn next_one(
        &self,
        chat: &mut Chat,
        reads: &Mutex<Reads>,
        reader: SessionId,
        room: &str,
        direction: &str,
    ) -> Page {
        *reads.lock().expect("nobody panicked with it") = Reads::default();
        let from = Value::object([(direction, self.next.into())]);
        let page = Page::of(&chat.ask(reader, "history", vec![room.into(), from]), "messages");
        let reads = reads.lock().expect("nobody panicked with it");
        assert_eq!(reads.in_all, page.messages.len() as u64, "{room}: {reads:?}");
        page
    }
}

fn texts(messages: &[(u64, String)]) -> Vec<String> {
    messages.iter().map(|(_, text)| text.clone()).collect()
}

/// A former life of the server, in which much was said.
fn fill(directory: &Path) {
    let (mut chat, _) = Chat::open(directory, 1);
    let bob = chat.enter("bob");
    for room in ["loud", "quiet"] {
        chat.ask(bob, "join", vec![room.into()]);
    }
    for number in 0..LOUD {
        chat.say(bob, "loud", number);
        if QUIET.contains(&number) {
            chat.say(bob, "quiet", number);
        }
    }
    // Answered when it is stored, and so is all that was said before it.
    chat.ask(bob, "who", vec!["loud".into()]);
    chat.ask(bob, "leave", vec!["loud".into()]);
}

/// The chat on a log on disk, and the clients' ends of their sessions.
struct Chat {
    hub: Hub,
    last: u64,
    acks: u64,
}

impl Chat {
    fn open(directory: &Path, seed: u64) -> (Chat, Arc<Mutex<Reads>>) {
        let mut rng = Rng::new(seed);
        let store = Store::open(directory, Retention::default(), |_| (), || ()).expect("the log opens");
        let reads = Arc::new(Mutex::new(Reads::default()));
        let log = Watched { store, reads: reads.clone() };
        let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), Box::new(log));
        lounge::open(&mut hub, Rules::default(), |_| ());
        (Chat { hub, last: 0, acks: 0 }, reads)
    }

    fn enter(&mut self, name: &str) -> SessionId {
        self.last += 1;
        let session = SessionId(self.last);
        self.hub.handle(Instant::ZERO, Input::Opened(session));
        let auth = Value::object([("name", name.into())]);
        self.give(session, Kind::Connect(Some(auth)));
        self.answer(session, |kind| matches!(kind, Kind::Connect(_)).then_some(Value::Null));
        session
    }

    fn say(&mut self, session: SessionId, room: &str, number: u64) {
        let args = vec![room.into(), format!("{room} {number}").into()];
        self.give(session, Kind::Event { name: "say".into(), args, ack: None });
        self.outputs();
    }

    fn ask(&mut self, session: SessionId, event: &str, args: Vec<Value>) -> Value {
        self.acks += 1;
        let ask = self.acks;
        self.give(session, Kind::Event { name: event.into(), args, ack: Some(ask) });
        self.answer(session, |kind| match kind {
            Kind::Ack { id, args } if *id == ask => args.first().cloned(),
            _ => None,
        })
    }

    /// Waits for the disk until the answer is given.
    fn answer(&mut self, session: SessionId, is_it: impl Fn(&Kind) -> Option<Value>) -> Value {
        loop {
            for (to, kind) in self.outputs() {
                if let Some(answer) = is_it(&kind).filter(|_| to == session) {
                    return answer;
                }
            }
            std::thread::yield_now();
        }
    }

    fn give(&mut self, session: SessionId, kind: Kind) {
        self.hub.handle(Instant::ZERO, Input::Packet(session, Packet::new("/", kind)));
    }

    fn outputs(&mut self) -> Vec<(SessionId, Kind)> {
        let mut found = Vec::new();
        while let Some(output) = self.hub.poll(Instant::ZERO) {
            let Output::Send { to, packet } = output else { continue };
            let read = Decoder::new(Limits::default()).text(packet.text.as_str());
            let packet_of_all = read.ok().flatten().expect("a packet without attachments");
            for session in to {
                found.push((session, packet_of_all.kind.clone()));
                self.hub.handle(Instant::ZERO, Input::Sent(session, packet.len()));
            }
        }
        found
    }
}

/// What was read of the log.
#[derive(Debug, Default)]
struct Reads {
    /// The most records that one reading brought, and all together.
    at_once: u64,
    in_all: u64,
}

/// The store, and what is read of it.
#[derive(Debug)]
struct Watched {
    store: Store,
    reads: Arc<Mutex<Reads>>,
}

impl Watched {
    fn watch(&self, page: Vec<Arc<Record>>) -> Option<Vec<Arc<Record>>> {
        let mut reads = self.reads.lock().expect("nobody panicked with it");
        reads.at_once = reads.at_once.max(page.len() as u64);
        reads.in_all += page.len() as u64;
        Some(page)
    }
}

impl EventLog for Watched {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        self.store.open(namespace, sender_ids)
    }

    fn key(&mut self, fresh: u128) -> u128 {
        self.store.key(fresh)
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        self.store.propose(namespace, token, draft);
    }

    fn committed(&mut self, now: Instant) -> Option<Commit> {
        self.store.committed(now)
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        self.watch(self.store.page(namespace, after, limit)?)
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        self.watch(self.store.page_before(namespace, before, limit)?)
    }

    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage> {
        let page = self.store.page_of_room(namespace, room, name, stretch, limit)?;
        self.watch(page.records.clone())?;
        Some(page)
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.store.horizon(namespace)
    }

    fn forget(&mut self, now_ms: u64) {
        self.store.forget(now_ms);
    }

    fn sessions(&mut self) -> Box<dyn Sessions> {
        self.store.sessions()
    }

    fn taken(&self) -> u64 {
        self.store.taken()
    }

    fn stored(&self) -> u64 {
        self.store.stored()
    }
}

/// A directory of its own, gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("netlayers-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

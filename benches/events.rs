//! What the event system costs without a network: handing events out among few and among many rooms, keeping them on
//! disk, and bringing back a client that missed ten thousand.
//!
//! ```text
//! cargo bench --bench events              all of it
//! cargo bench --bench events -- store     only the cases whose name contains "store"
//! cargo bench --bench events -- --json    for programs
//! ```
//!
//! Rooms are measured in CPU time: the hub decides who gets an event, encodes it once and keeps it in memory; handing
//! it to sockets is measured by `benches/peers`. Storage is measured in elapsed time, since its price is to wait for
//! the disk: the figures are about the disk under `target` as much as about this program.

mod support;

use std::path::PathBuf;
use std::sync::Arc;

use netlayers::base::{Instant, Machine as _, Rng};
use netlayers::chat::{
    Config, Draft, EventLog, Hub, Input, MemoryLog, Output, Record, Retention, SessionId, Token,
};
use netlayers::layers::application::socketio::{Decoder, Kind, Limits, Packet, Value};
use netlayers::real::clock::Clock;
use netlayers::real::store::Store;
use support::{Asked, Figure};

struct Case {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    run: fn() -> f64,
}

const CASES: &[Case] = &[
    Case { name: "rooms-1", what: "1 room of 100, and nobody else", unit: "ns a delivery", run: || rooms(1) },
    Case { name: "rooms-100", what: "100 rooms of 100", unit: "ns a delivery", run: || rooms(100) },
    Case { name: "rooms-1000", what: "and 900 rooms more", unit: "ns a delivery", run: || rooms(1_000) },
    Case {
        name: "rooms-100000",
        what: "and 99,900 rooms more",
        unit: "ns a delivery",
        run: || rooms(100_000),
    },
    Case { name: "store-append", what: "appended, durable, in groups", unit: "events a second", run: append },
    Case { name: "store-one", what: "appended one by one", unit: "events a second", run: append_singly },
    Case { name: "store-read", what: "read from disk, in pages", unit: "events a second", run: read },
    Case { name: "store-compact", what: "made smaller: the longest pause", unit: "ms", run: longest_pause },
    Case { name: "resume-memory", what: "10,000 missed, from memory", unit: "ms", run: || resume(false) },
    Case { name: "resume-store", what: "10,000 missed, from disk", unit: "ms", run: || resume(true) },
];

fn main() {
    match support::asked() {
        Asked::Case(name) => {
            let case = CASES.iter().find(|case| case.name == name).expect("a case by this name");
            support::report(&[(case.unit.to_owned(), (case.run)())]);
        }
        Asked::All { filter, json } => {
            let mut results: Vec<(String, Vec<Figure>)> = Vec::new();
            if !json {
                support::print_line(
                    "events of 100 bytes, medians of 5 runs; each of 10,000 sockets in 1 to 20 rooms\n",
                );
            }
            for case in CASES.iter().filter(|case| case.name.contains(&filter)) {
                let figures = support::medians(case.name);
                if !json {
                    support::print_line(&format!("{:<32} {:>12.1} {}", case.what, figures[0].1, case.unit));
                }
                results.push((case.name.to_owned(), figures));
            }
            if json {
                support::print_json(&results);
            }
        }
    }
}

/// Members of a room that is spoken to.
const MEMBERS: u64 = 100;

/// What a delivery costs when there are so many rooms. The first hundred are spoken to in turn, by one of their members,
/// and hold every socket once; the others hold a few sockets each, and every socket is in several of them.
fn rooms(count: u64) -> f64 {
    let spoken_to = count.min(100);
    let sockets = spoken_to * MEMBERS;
    let mut hub = hub(Box::new(MemoryLog::new(Retention::default())));
    for socket in 0..sockets {
        connect(&mut hub, socket, None);
        event(&mut hub, socket, "join", vec![format!("room {}", socket % spoken_to).as_str().into()]);
    }
    let memberships = if count > 100 { 19 * sockets } else { 0 };
    let mut rng = Rng::new(1);
    for membership in 0..memberships {
        let room = spoken_to
            + if membership < count - spoken_to { membership } else { rng.below(count - spoken_to) };
        event(&mut hub, membership % sockets, "join", vec![format!("room {room}").as_str().into()]);
    }
    deliver_all(&mut hub);
    let rounds = 20_000;
    let (mut delivered, before) = (0, support::cpu_seconds());
    for round in 0..rounds {
        let room = round % spoken_to;
        let args = vec![format!("room {room}").as_str().into(), message()];
        event(&mut hub, room, "say", args);
        delivered += deliver_all(&mut hub);
    }
    assert_eq!(delivered, rounds * (MEMBERS - 1), "everybody in the room but the speaker, each once");
    (support::cpu_seconds() - before) * 1e9 / delivered as f64
}

const APPENDED: u64 = 500_000;

/// Events a second that are safe on disk, when more come while others are being written.
fn append() -> f64 {
    let folder = folder("append");
    let mut store = open_alone(&folder);
    let name: Arc<str> = "/".into();
    let records: Vec<Arc<Record>> = (1..=APPENDED).map(record).collect();
    let clock = Clock::start();
    records.iter().for_each(|record| append_to(&mut store, &name, record));
    wait_for(&store);
    let seconds = clock.now().as_nanos() as f64 / 1e9;
    remove(store, &folder);
    APPENDED as f64 / seconds
}

/// The same when the next event comes only after the last is safe: what the disk takes for one commit.
fn append_singly() -> f64 {
    let folder = folder("singly");
    let mut store = open_alone(&folder);
    let name: Arc<str> = "/".into();
    let clock = Clock::start();
    let count = 200;
    for offset in 1..=count {
        append_to(&mut store, &name, &record(offset));
        wait_for(&store);
    }
    let seconds = clock.now().as_nanos() as f64 / 1e9;
    remove(store, &folder);
    count as f64 / seconds
}

/// For how many milliseconds, at most, a commit waited while the file was made smaller: of 500,000 events the last
/// 20,000 are kept, and others come meanwhile.
fn longest_pause() -> f64 {
    let folder = folder("compact");
    fill(&folder, APPENDED);
    let few = Retention { events: 20_000, ..Retention::default() };
    let mut store = Store::open(&folder, few, |_| (), || ()).expect("the log opens");
    let name: Arc<str> = "/".into();
    EventLog::open(&mut store, &name, 100_000);
    let mut offset = APPENDED;
    while store.compacted().times == 0 {
        offset += 1;
        append_to(&mut store, &name, &record(offset));
        wait_for(&store);
    }
    let pause = store.compacted().pause.as_nanos() as f64 / 1e6;
    remove(store, &folder);
    pause
}

/// Events a second that a reader pages through, none of them in memory.
fn read() -> f64 {
    let folder = folder("read");
    fill(&folder, APPENDED);
    let store = open_alone(&folder);
    let clock = Clock::start();
    let mut after = 0;
    while let Some(last) = store.page("/", after, 256).and_then(|page| page.last().cloned()) {
        after = last.offset;
    }
    let seconds = clock.now().as_nanos() as f64 / 1e9;
    assert_eq!(after, APPENDED, "all of it");
    remove(store, &folder);
    APPENDED as f64 / seconds
}

/// Milliseconds from the CONNECT of a client that was away to the last of 10,000 events that it missed.
fn resume(from_disk: bool) -> f64 {
    let folder = folder("resume");
    let log = || -> Box<dyn EventLog> {
        if from_disk { Box::new(open(&folder)) } else { Box::new(MemoryLog::new(Retention::default())) }
    };
    let mut hub = self::hub(log());
    connect(&mut hub, 1, None);
    let pid = wait_for_pid(&mut hub);
    connect(&mut hub, 2, None);
    event(&mut hub, 1, "join", vec!["room".into()]);
    hub.handle(Instant::ZERO, Input::Closed(SessionId(1), netlayers::chat::Reason::TransportClosed));
    for _ in 0..10_000 {
        event(&mut hub, 2, "say", vec!["room".into(), message()]);
        deliver_all(&mut hub);
    }
    if from_disk {
        // The program ends and begins again: nothing is in memory.
        drop(hub);
        hub = self::hub(log());
    }
    let clock = Clock::start();
    let auth = Value::Object(vec![("pid".to_owned(), pid.as_str().into())]);
    connect(&mut hub, 3, Some(auth));
    let mut packets = 0;
    while packets < 10_001 {
        let now = deliver_all(&mut hub);
        packets += now;
        if now == 0 {
            std::thread::yield_now();
        }
    }
    let millis = clock.now().as_nanos() as f64 / 1e6;
    drop(hub);
    let _ = std::fs::remove_dir_all(&folder);
    millis
}

fn hub(log: Box<dyn EventLog>) -> Hub {
    let mut rng = Rng::new(1);
    let mut hub = Hub::new(Config::default(), Box::new(move || rng.next_u64()), log);
    hub.of("/")
        .on("join", |cx, args, _| {
            let room = args.first().and_then(Value::as_str).unwrap_or_default();
            cx.join(room).expect("not too many rooms");
        })
        .on("say", |cx, args, ack| {
            let room = args.first().and_then(Value::as_str).unwrap_or_default();
            cx.to(room).emit("said", args[1..].to_vec());
            ack.send(cx, Vec::new());
        });
    hub
}

fn connect(hub: &mut Hub, session: u64, auth: Option<Value>) {
    hub.handle(Instant::ZERO, Input::Opened(SessionId(session)));
    hub.handle(Instant::ZERO, Input::Packet(SessionId(session), Packet::new("/", Kind::Connect(auth))));
}

fn event(hub: &mut Hub, session: u64, name: &str, args: Vec<Value>) {
    hub.handle(Instant::ZERO, Input::Packet(SessionId(session), Packet::event("/", name, args)));
}

/// Takes all that may go out, and reports it as sent; to how many it went.
fn deliver_all(hub: &mut Hub) -> u64 {
    let mut delivered = 0;
    while let Some(output) = hub.poll(Instant::ZERO) {
        if let Output::Send { to, packet } = output {
            delivered += to.len() as u64;
            for session in to {
                hub.handle(Instant::ZERO, Input::Sent(session, packet.len()));
            }
        }
    }
    delivered
}

/// The secret in the answer to a CONNECT, once that may go out.
fn wait_for_pid(hub: &mut Hub) -> String {
    loop {
        while let Some(output) = hub.poll(Instant::ZERO) {
            let Output::Send { packet, .. } = output else { continue };
            let read = Decoder::new(Limits::default()).text(packet.text.as_str()).expect("a packet");
            if let Some(Packet { kind: Kind::Connect(Some(reply)), .. }) = read {
                return reply.get("pid").and_then(Value::as_str).unwrap_or_default().to_owned();
            }
        }
        std::thread::yield_now();
    }
}

/// 100 bytes.
fn message() -> Value {
    format!("{:x<100}", "").as_str().into()
}

fn record(offset: u64) -> Arc<Record> {
    let wire = Packet::event("/", "said", vec![message(), offset.to_string().as_str().into()]).encode();
    Arc::new(Record { offset, at_ms: 0, to: vec!["room".into()], except: Vec::new(), sender_id: None, wire })
}

/// Proposes an event, and takes it back as committed.
fn append_to(store: &mut Store, namespace: &Arc<str>, record: &Record) {
    store.propose(namespace, Token(record.offset), Draft::of(record));
    assert!(store.committed(Instant::ZERO).is_some());
}

/// A place for a log on the disk that holds the build.
fn folder(name: &str) -> PathBuf {
    let target = std::env::current_exe().expect("own path");
    let folder = target.with_file_name(format!("bench-events-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A log that keeps everything.
fn open(folder: &std::path::Path) -> Store {
    let all = Retention { bytes: u64::MAX, events: u64::MAX, ..Retention::default() };
    Store::open(folder, all, |_| (), || ()).expect("the log opens")
}

/// The same without a hub, which would open its namespaces.
fn open_alone(folder: &std::path::Path) -> Store {
    let mut store = open(folder);
    EventLog::open(&mut store, &"/".into(), 100_000);
    store
}

fn fill(folder: &std::path::Path, count: u64) {
    let mut store = open_alone(folder);
    let name: Arc<str> = "/".into();
    (1..=count).for_each(|offset| append_to(&mut store, &name, &record(offset)));
    wait_for(&store);
}

/// Until all is safe.
fn wait_for(store: &Store) {
    while store.stored() < store.taken() {
        std::thread::yield_now();
    }
}

fn remove(store: Store, folder: &std::path::Path) {
    drop(store);
    let _ = std::fs::remove_dir_all(folder);
}

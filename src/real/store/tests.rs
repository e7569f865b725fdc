//! The log on disk: what is stored stays, and what is damaged is reported.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::META;
use super::steps::STEP;
use super::*;
use crate::chat::Saved;
use crate::layers::application::socketio::Packet;
use crate::real::clock::Clock;

mod compaction;
mod damage;

/// Ids of senders that are remembered.
const IDS: usize = 100;

/// A directory of its own, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("netlayers-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Directory(path)
    }

    fn open(&self) -> Result<Store, StoreError> {
        self.open_with(Retention::default())
    }

    fn open_with(&self, retention: Retention) -> Result<Store, StoreError> {
        Store::open(&self.0, retention, |_| (), || ())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn record(offset: u64, at_ms: u64, sender_id: Option<&str>) -> Arc<Record> {
    let words = "a hundred bytes of what people say to each other when they have little to say and much time";
    let wire = Packet::event("/", "said", vec![words.into(), offset.to_string().into()]).encode();
    let sender_id = sender_id.map(Arc::from);
    Arc::new(Record { offset, at_ms, to: vec!["room".into()], except: Vec::new(), sender_id, wire })
}

/// Proposes an event, which is committed at once with the offset that it says.
fn append(store: &mut Store, namespace: &Arc<str>, record: &Arc<Record>) {
    store.propose(namespace, Token(record.offset), Draft::of(record));
    let commit = store.committed(Instant::ZERO).map(|commit| (commit.token, commit.outcome));
    assert_eq!(commit, Some((Some(Token(record.offset)), Outcome::Event(record.clone()))));
}

fn page(store: &Store, after: u64, limit: usize) -> Vec<Arc<Record>> {
    store.page("/", after, limit).expect("it is read at once")
}

fn wait_until_stored(store: &Store) {
    while store.stored() < store.taken() {
        assert_eq!(store.failure(), None);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn saved(pid: &str) -> Saved {
    let rooms = vec![crate::chat::SavedRoom { name: "room".into(), after: 1, until: None }];
    Saved {
        pid: pid.into(),
        sid: "sid".into(),
        start: 1,
        confirmed: 0,
        rooms,
        data: "\"Ada\"".into(),
        end: 1,
        left_ms: Some(7),
        origin: Some("192.0.2.1".into()),
    }
}

#[test]
fn what_was_stored_is_there_when_the_program_starts_again() {
    let directory = Directory::new();
    let (main, other): (Arc<str>, Arc<str>) = ("/".into(), "/other".into());
    {
        let mut store = directory.open().unwrap();
        assert_eq!(store.open(&main, IDS), 0);
        store.open(&other, IDS);
        (1..=5).for_each(|offset| {
            append(&mut store, &main, &record(offset, 10, (offset == 3).then_some("ada:3")));
        });
        append(&mut store, &other, &record(1, 10, None));
        let mut sessions = store.sessions();
        sessions.save(&main, saved("keep"));
        sessions.save(&main, saved("drop"));
        sessions.remove(&main, &"drop".into());
    }
    let mut store = directory.open().unwrap();
    assert_eq!((store.open(&main, IDS), store.sessions().open(&main)), (5, vec![saved("keep")]));
    assert_eq!(store.open(&other, IDS), 1);
    assert_eq!(page(&store, 2, 2), [record(3, 10, Some("ada:3")), record(4, 10, None)]);
    store.propose(&main, Token(7), Draft::of(&record(6, 10, Some("ada:3"))));
    let again = store.committed(Instant::ZERO).map(|commit| commit.outcome);
    assert_eq!(again, Some(Outcome::Duplicate(3)), "a copy of what was said in an earlier life");
    append(&mut store, &main, &record(6, 10, None));
    let before = |before, limit| {
        let page = store.page_before("/", before, limit).expect("it is read at once");
        page.iter().map(|r| r.offset).collect::<Vec<_>>()
    };
    assert_eq!((before(u64::MAX, 9), before(6, 2), before(1, 9)), (vec![6], vec![4, 5], vec![]));
    let offsets = |after| page(&store, after, 10).iter().map(|r| r.offset).collect::<Vec<_>>();
    assert_eq!(offsets(5), [6], "before it is stored");
    wait_until_stored(&store);
    assert_eq!(offsets(0), [1, 2, 3, 4, 5, 6], "from disk");
}

#[test]
fn what_is_too_old_goes_and_the_numbers_go_on_after_a_restart() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let retention = Retention { age: Duration::from_secs(10), ..Retention::default() };
    {
        let mut store = directory.open_with(retention).unwrap();
        store.open(&main, IDS);
        (1..=STEP + 10).for_each(|offset| append(&mut store, &main, &record(offset, offset, None)));
        store.forget(10_000 + STEP + 1);
        assert_eq!(store.horizon("/"), STEP);
        wait_until_stored(&store);
    }
    let mut store = directory.open_with(retention).unwrap();
    assert_eq!(store.open(&main, IDS), STEP + 10);
    assert_eq!(store.horizon("/"), STEP);
    assert_eq!(page(&store, STEP, 100).len(), 10);
}

#[test]
fn what_is_old_and_safe_is_in_memory_no_more_and_read_from_disk() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let mut store = directory.open().unwrap();
    store.open(&main, IDS);
    (1..=3).for_each(|n| append(&mut store, &main, &record(n, n * 10_000, None)));
    let look = |store: &mut Store, seconds: u64| {
        store.forget(seconds * 1000);
        store.recent.horizon("/")
    };
    assert_eq!(look(&mut store, 50), 0, "what came since the last look may still wait for the disk");
    wait_until_stored(&store);
    assert_eq!(look(&mut store, 55), 2, "the third was said 25 seconds ago");
    append(&mut store, &main, &record(4, 56_000, None));
    wait_until_stored(&store);
    assert_eq!((look(&mut store, 100), look(&mut store, 101)), (3, 4), "as far as the look before had come");
    assert_eq!(page(&store, 0, 9).iter().map(|r| r.offset).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn few_events_of_long_ago_go_as_well_as_many() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let hour = 3_600_000;
    let retention = Retention { age: Duration::from_secs(16 * 3600), ..Retention::default() };
    let mut store = directory.open_with(retention).unwrap();
    store.open(&main, IDS);
    // One every other hour: far fewer than a step has.
    (1..=20).for_each(|n| append(&mut store, &main, &record(n, n * 2 * hour, None)));
    store.forget(40 * hour);
    assert_eq!(store.horizon("/"), 11, "what was said at hour 22 and before is older than 16 hours");
    store.forget(100 * hour);
    assert_eq!((store.horizon("/"), page(&store, 20, 9).len()), (20, 0));
    append(&mut store, &main, &record(21, 100 * hour, None));
    wait_until_stored(&store);
    assert_eq!(page(&store, 20, 9).len(), 1);
}

#[test]
fn a_page_of_large_events_ends_early_and_the_next_goes_on() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let large = |offset| {
        let wire = Packet::event("/", "said", vec!["x".repeat(400_000).into()]).encode();
        Arc::new(Record { wire, ..(*record(offset, 10, None)).clone() })
    };
    {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        (1..=10).for_each(|offset| append(&mut store, &main, &large(offset)));
    }
    let mut store = directory.open().unwrap();
    store.open(&main, IDS);
    let offsets = |after| page(&store, after, 256).iter().map(|r| r.offset).collect::<Vec<_>>();
    assert_eq!((offsets(0), offsets(3), offsets(9)), (vec![1, 2, 3], vec![4, 5, 6], vec![10]));
}

#[test]
fn what_is_too_much_goes_at_once_and_nearly_to_the_bound() {
    let main: Arc<str> = "/".into();
    let sized = Retention { bytes: 100_000, young: Duration::ZERO, ..Retention::default() };
    let counted = Retention { events: 10, ..Retention::default() };
    for (retention, most) in [(sized, 100_000 / record(1, 0, None).cost() as u64), (counted, 10)] {
        let directory = Directory::new();
        let mut store = directory.open_with(retention).unwrap();
        store.open(&main, IDS);
        (1..=1000).for_each(|offset| append(&mut store, &main, &record(offset, offset, None)));
        let kept = 1000 - store.horizon("/");
        assert!((most * 7 / 8..=most).contains(&kept), "{kept} of {most}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new();
    drop(directory.open().unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&directory.0), mode(&directory.0.join(FILE))), (0o700, 0o600));
}

#[test]
fn two_programs_cannot_have_the_same_log() {
    let directory = Directory::new();
    let _first = directory.open().unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_told_with_its_name_and_left_as_it_is() {
    for (what, damage) in [
        ("something else", vec![b'x'; 100_000]),
        ("cut short", vec![0; 10]),
        ("empty", Vec::new()),
        ("zeros", vec![0; 100_000]),
    ] {
        let directory = Directory::new();
        drop(directory.open().unwrap());
        let path = directory.0.join(FILE);
        fs::write(&path, &damage).unwrap();
        let error = directory.open().err().unwrap_or_else(|| panic!("{what} was taken for a log"));
        assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}");
        assert!(error.to_string().contains("events.redb"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damage, "{what}");
    }
}

#[test]
fn a_byte_that_the_disk_has_changed_is_found() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        (1..=5).for_each(|offset| append(&mut store, &main, &record(offset, 10, None)));
    }
    let path = directory.0.join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    let word = b"what people say";
    // Every copy that the file has of what was said, but not what lies around it.
    let places: Vec<usize> =
        (0..bytes.len() - word.len()).filter(|&at| bytes[at..].starts_with(word)).collect();
    assert!(places.len() >= 5);
    places.into_iter().for_each(|at| bytes[at] ^= 1);
    fs::write(&path, &bytes).unwrap();
    // Before anybody could be served, and acknowledged what such a log would never keep.
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    let why = error.to_string();
    assert!(why.contains("events.redb is damaged: ") && why.contains("move it away"), "{why}");
}

#[test]
fn what_a_namespace_takes_that_was_not_opened_is_never_said_to_be_stored() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let (ring, rung) = std::sync::mpsc::channel();
    let told = move || ring.send(()).unwrap_or(());
    let mut store = Store::open(&directory.0, Retention::default(), |_| (), told).unwrap();
    store.propose(&main, Token(1), Draft::of(&record(1, 10, None)));
    assert_eq!(store.committed(Instant::ZERO), None);
    store.sessions().save(&main, saved("pid"));
    assert_eq!(store.taken(), 2);
    rung.recv_timeout(std::time::Duration::from_secs(60)).expect("the waiting caller gets the error");
    assert_eq!(store.stored(), 0);
    let why = store.failure().expect("it has failed");
    assert!(why.contains("events.redb: namespace / was not opened"), "{why}");
}

#[test]
fn of_what_is_saved_of_a_socket_again_and_again_only_the_last_waits_and_is_written() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let count = 2_000;
    {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        // 128 KiB each: a quarter of a gigabyte, were all of it written.
        let rooms: Vec<_> = (0..512)
            .map(|n| crate::chat::SavedRoom { name: format!("{n:0>192}").into(), after: 1, until: None })
            .collect();
        let mut sessions = store.sessions();
        for start in 1..=count {
            sessions.save(&main, Saved { start, rooms: rooms.clone(), ..saved("pid") });
            assert!(!store.is_behind(), "nothing is held up by it");
        }
        wait_until_stored(&store);
        assert_eq!(store.stored(), store.taken(), "each is counted");
    }
    let saved = directory.open().unwrap().sessions().open(&main);
    assert_eq!(saved.iter().map(|saved| saved.start).collect::<Vec<_>>(), [count]);
}

#[test]
fn a_file_cut_short_is_a_clear_error_or_a_shorter_log_and_never_another_one() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        (1..=2000).for_each(|offset| append(&mut store, &main, &record(offset, 10, None)));
    }
    let path = directory.0.join(FILE);
    let whole = fs::read(&path).unwrap();
    for kept in [whole.len() - 1, whole.len() - 4096, whole.len() / 2, 8192, 4097] {
        fs::write(&path, &whole[..kept]).unwrap();
        match directory.open() {
            Err(error) => {
                assert!(matches!(error, StoreError::Damaged { .. }), "{kept}: {error}");
                assert_eq!(fs::read(&path).unwrap().len(), kept, "it is left as it is");
            }
            Ok(mut store) => {
                let end = store.open(&main, IDS);
                let page = page(&store, 0, 10_000);
                assert!(store.failure().is_some() || page.len() as u64 == end, "{kept} bytes kept");
                for (at, read) in page.iter().enumerate() {
                    assert_eq!(*read, record(at as u64 + 1, 10, None), "{kept} bytes kept");
                }
            }
        }
    }
}

#[test]
fn the_key_of_offsets_is_that_of_the_first_run() {
    let directory = Directory::new();
    assert_eq!(directory.open().unwrap().key(7 << 64 | 8), 7 << 64 | 8);
    let mut again = directory.open().unwrap();
    assert_eq!((again.key(9), again.failure()), (7 << 64 | 8, None));
}

#[test]
fn a_format_from_another_time_is_refused() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    {
        let database = Database::create(directory.0.join(FILE)).unwrap();
        let writing = database.begin_write().unwrap();
        writing.open_table(META).unwrap().insert("format", 99).unwrap();
        writing.commit().unwrap();
    }
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::Format { found: 99, .. }), "{error}");
}

/// With `NETLAYERS_FIGURES` set the figures are left in a file of the temporary directory; run it in release then.
/// Here it holds bounds that a slow machine keeps too.
#[test]
fn group_commit_stores_many_and_a_long_absence_is_read_quickly() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let count = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    let clock = Clock::start();
    {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        (1..=count).for_each(|offset| append(&mut store, &main, &record(offset, 0, None)));
        wait_until_stored(&store);
    }
    let appended = clock.now();
    let mut store = directory.open().unwrap();
    assert_eq!(store.open(&main, IDS), count);
    let opened = clock.now();
    let mut read = 0;
    while read < 10_000 {
        let page = page(&store, count - 10_000 + read, 256);
        read += page.len() as u64;
        assert!(!page.is_empty());
    }
    let paged = clock.now().since(opened);
    let rate = count as f64 / appended.as_millis_f64() * 1000.0;
    let figures = format!("{rate:.0} events/s durable; 10000 read in {paged}");
    assert!(rate > 2_000.0 && paged < Duration::from_secs(2), "{figures}");
    if std::env::var_os("NETLAYERS_FIGURES").is_some() {
        let _ = fs::write(std::env::temp_dir().join("netlayers-store-figures.txt"), figures);
    }
}

//! The file grows smaller while it is in use, and nothing of it is lost.

use super::*;

/// A file that has become larger than what is in it, and goes on to be written to.
#[test]
fn a_file_much_larger_than_what_is_in_it_is_made_smaller_while_it_serves() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let path = directory.0.join(FILE);
    // None at first, so that the file grows as large as it would.
    let never = Slack { bytes: u64::MAX, times: 4 };
    let open = |slack, events| {
        let retention = Retention { events, ..Retention::default() };
        Store::open_with(&directory.0, retention, slack, &(Arc::new(|_| ()) as Told), Box::new(|| ()))
            .unwrap()
    };
    let large = |offset: u64| {
        let wire = Packet::event("/", "said", vec!["x".repeat(4000).into(), offset.into()]).encode();
        Arc::new(Record { wire, ..(*record(offset, 10, None)).clone() })
    };
    {
        let mut store = open(never, 4000);
        store.open(&main, IDS);
        (1..=4000).for_each(|offset| append(&mut store, &main, &large(offset)));
        let mut sessions = store.sessions();
        (0..50).for_each(|n| sessions.save(&main, saved(&format!("pid {n}"))));
    }
    let before = fs::metadata(&path).unwrap().len();
    let mut store = open(Slack { bytes: 1 << 20, times: 3 }, 400);
    store.open(&main, IDS);
    let mut sessions = store.sessions();
    sessions.open(&main);
    let mut end = 4000;
    while store.compacted().times == 0 {
        end += 1;
        assert!(end < 20_000, "it begins, and comes to an end: {before} bytes before");
        append(&mut store, &main, &record(end, 10, None));
        // What changes meanwhile changes in both: some come, some go, some are saved again.
        sessions.save(&main, saved(&format!("pid {end}")));
        sessions.remove(&main, &format!("pid {}", end - 3).as_str().into());
        sessions.save(&main, Saved { start: end, ..saved("pid 1") });
        wait_until_stored(&store);
    }
    append(&mut store, &main, &record(end + 1, 10, None));
    wait_until_stored(&store);
    let offsets = |store: &Store| {
        let (mut offsets, mut after) = (Vec::new(), store.horizon("/"));
        while let Some(last) = page(store, after, 256).last() {
            offsets.extend(page(store, after, 256).iter().map(|record| record.offset));
            after = last.offset;
        }
        offsets
    };
    let horizon = store.horizon("/");
    let expected: Vec<u64> = (horizon + 1..=end + 1).collect();
    assert_eq!(offsets(&store), expected, "from the new file");
    drop((store, sessions));
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before / 2, "{before} bytes before, {after} after");
    // Its content is checked as ever: without a gap, and with as many sockets as there should be.
    let mut store = open(never, 400);
    assert_eq!((store.open(&main, IDS), store.horizon("/")), (end + 1, horizon));
    assert_eq!(offsets(&store), expected, "after a restart");
    let saved = store.sessions().open(&main);
    assert_eq!(saved.len(), 50 + 3);
    let one = saved.iter().find(|saved| &*saved.pid == "pid 1").expect("it is there");
    assert_eq!(one.start, end);
}

#[test]
fn what_an_interrupted_compaction_has_left_is_removed() {
    let directory = Directory::new();
    drop(directory.open().unwrap());
    let second = directory.0.join("events.compact");
    fs::write(&second, "half").unwrap();
    drop(directory.open().unwrap());
    assert!(!second.exists());
}

//! Files that something else has written into: what they hold is refused in words, or it is exactly what was kept.

use redb::ReadableTable as _;
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase as _, StorageBackend as _};

use super::*;
use crate::base::Rng;
use crate::real::store::content::Content;
use crate::real::store::file::open_with;
use crate::real::store::guard::Guarded;
use crate::real::store::layout::{SOCKETS, SPACES};

/// Keys and values.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The file of a log that was closed in order, and whatever can be read of it.
fn prepared() -> (Vec<u8>, Rows) {
    let directory = Directory::new();
    {
        let mut store = directory.open_with(Retention { events: 120, ..Retention::default() }).unwrap();
        store.key(7);
        for name in ["/", "/other"] {
            let name: Arc<str> = name.into();
            store.open(&name, IDS);
            (1..=160).for_each(|offset| {
                let id = format!("ada:{offset}");
                append(&mut store, &name, &record(offset, 10, (offset % 3 == 0).then_some(&id)));
            });
            let mut sessions = store.sessions();
            (0..30).for_each(|n| sessions.save(&name, saved(&format!("pid {n}"))));
            sessions.remove(&name, &"pid 7".into());
        }
    }
    let bytes = fs::read(directory.0.join(FILE)).unwrap();
    let database = opened(&bytes).expect("it is whole");
    let rows = database.with(rows).expect("it can be read");
    assert!(rows.len() > 2 * (100 + 29), "{} rows", rows.len());
    (bytes, rows)
}

fn opened(bytes: &[u8]) -> Result<Guarded, redb::Error> {
    let backend = InMemoryBackend::new();
    backend.set_len(bytes.len() as u64).expect("memory");
    backend.write(0, bytes).expect("memory");
    let told: Told = Arc::new(|_| ());
    open_with(false, true, &told, |builder| builder.create_with_backend(backend))
}

/// Every key that counts, with its value.
fn rows(database: &Database) -> Result<Rows, redb::Error> {
    let reading = database.begin_read()?;
    let mut rows = Vec::new();
    for entry in reading.open_table(EVENTS)?.iter()? {
        let (key, value) = entry?;
        rows.push((event_key(key.value().0, key.value().1).to_vec(), value.value().to_vec()));
    }
    for entry in reading.open_table(SOCKETS)?.iter()? {
        let (key, value) = entry?;
        rows.push((format!("{:?}", key.value()).into_bytes(), value.value().to_vec()));
    }
    for table in [STATE, SPACES] {
        for entry in reading.open_table(table)?.iter()? {
            let (key, value) = entry?;
            rows.push((key.value().as_bytes().to_vec(), value.value().to_vec()));
        }
    }
    Ok(rows)
}

/// What a log with these bytes would serve.
fn served(bytes: &[u8]) -> Result<Rows, String> {
    let path = Path::new("events.redb");
    let database = opened(bytes).map_err(|error| StoreError::of_content(path, error).to_string())?;
    Content::read(&database, path, &Retention::default(), &(Arc::new(|_| ()) as Told))
        .map_err(|error| error.to_string())?;
    database.with(rows).map_err(|error| error.to_string())
}

#[test]
fn three_thousand_flips_and_cuts_are_refused_in_words_or_change_nothing() {
    let (whole, expected) = prepared();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    let mut rng = Rng::new(25);
    let (mut refused, mut exact) = (0, 0);
    let mut try_one = |bytes: &[u8], what: &str| match served(bytes) {
        Ok(rows) => {
            assert!(
                rows == expected,
                "{what}: {} rows of {} are served as if whole",
                rows.len(),
                expected.len()
            );
            exact += 1;
        }
        Err(words) => {
            assert!(words.len() > 30 && !words.contains("panicked"), "{what}: {words}");
            refused += 1;
        }
    };
    // The header first, bit by bit: it says which of two commits is the newest.
    for bit in 0..8 * 320 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        try_one(&bytes, &format!("bit {bit}"));
    }
    for n in 0..3000 {
        let mut bytes = whole.clone();
        let place = rng.below(used as u64) as usize;
        if n % 10 == 0 {
            bytes.truncate(place);
            try_one(&bytes, &format!("cut to {place}"));
        } else {
            let bit = rng.below(8);
            bytes[place] ^= 1 << bit;
            try_one(&bytes, &format!("bit {bit} of byte {place}"));
        }
    }
    assert!(refused > 1000 && exact > 1000, "{refused} refused, {exact} exact");
}

#[test]
fn a_log_with_fewer_commits_than_there_were_is_refused_and_one_that_was_moved_away_is_not() {
    let directory = Directory::new();
    let main: Arc<str> = "/".into();
    let path = directory.0.join(FILE);
    let fill = |offsets: std::ops::RangeInclusive<u64>| {
        let mut store = directory.open().unwrap();
        store.open(&main, IDS);
        for offset in offsets {
            append(&mut store, &main, &record(offset, 10, None));
            wait_until_stored(&store);
        }
    };
    fill(1..=3);
    let earlier = fs::read(&path).unwrap();
    fill(4..=5);
    fs::write(&path, earlier).unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("its last commits are missing, 2 of them"), "{error}");
    fs::remove_file(&path).unwrap();
    assert_eq!(directory.open().unwrap().open(&main, IDS), 0);
    fill(1..=1);
    assert_eq!(directory.open().unwrap().open(&main, IDS), 1);
}

#[test]
fn a_folder_that_is_removed_or_replaced_while_it_is_in_use_is_noticed() {
    for (what, words) in
        [("removed", "it was removed while it was in use"), ("replaced", "another file has taken")]
    {
        let directory = Directory::new();
        let (ring, rung) = std::sync::mpsc::channel();
        let bell = move || ring.send(()).unwrap_or(());
        let mut store = Store::open(&directory.0, Retention::default(), |_| (), bell).unwrap();
        let main: Arc<str> = "/".into();
        store.open(&main, IDS);
        append(&mut store, &main, &record(1, 10, None));
        wait_until_stored(&store);
        fs::remove_dir_all(&directory.0).unwrap();
        if what == "replaced" {
            fs::create_dir(&directory.0).unwrap();
            fs::write(directory.0.join(FILE), "another").unwrap();
        }
        let taken = store.stored();
        append(&mut store, &main, &record(2, 10, None));
        while store.failure().is_none() {
            rung.recv_timeout(std::time::Duration::from_secs(60)).expect("it rings");
        }
        let why = store.failure().expect("it has failed");
        assert!(why.contains(words) && why.contains("events.redb"), "{what}: {why}");
        assert_eq!(store.stored(), taken, "what went with it is not acknowledged");
    }
}

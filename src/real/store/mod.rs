//! The event log on disk: one file, an embedded database (redb), and a thread that writes.
//!
//! *Durable* means that the disk has said so (fsync), and that takes milliseconds: one event at a time would be a few
//! hundred a second. So the writer takes everything that has come while it was busy and commits it at once, which is
//! known as group commit: the busier the hub, the larger the groups, and the price of a commit is shared by all of
//! them. The hub goes on in the meantime; only what it says about an event waits until that event is safe.
//!
//! redb never overwrites what a commit made: after a crash (`kill -9`, or the power) the file is as the last commit
//! left it. What was being written then was not acknowledged yet.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `"format"` | version of this layout |
//! | | `"key, high"`, `"key, low"` | the [key](EventLog::key) of offsets |
//! | `namespaces` | name | number |
//! | `events` | namespace's number, offset | the [`Record`] and its CRC-32, see `codec.rs` |
//! | `sockets` | namespace's number, secret | what [`Saved`] says, as JSON |
//!
//! Everything is read once when the file is opened, so that a damaged one is reported before any client is served. What
//! goes wrong later is reported by [`Store::watch`]; from then on nothing is stored, nothing acknowledged.
//!
//! The newest events are kept in memory too: most clients that come back have been away for seconds. Left out: more
//! than one program on one file (redb locks it), and repair of a file that something else has written into: its
//! checksums and ours find that, and the error says what to do.

pub mod codec;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::ops::Bound::{Excluded, Included};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition,
};

use crate::base::{Duration, Instant};
use crate::chat::{Commit, Draft, EventLog, MemoryLog, Outcome, Record, Retention, Saved, Sessions, Token};
use writer::{Op, Writer};

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const NAMESPACES: TableDefinition<'_, &str, u32> = TableDefinition::new("namespaces");
const EVENTS: TableDefinition<'_, (u32, u64), &[u8]> = TableDefinition::new("events");
const SOCKETS: TableDefinition<'_, (u32, &str), &[u8]> = TableDefinition::new("sockets");

/// The version of the layout above.
const FORMAT: u64 = 3;
const FILE: &str = "events.redb";

/// What is kept in memory of each namespace. More than [`writer::MAX_PENDING`] and the largest event together, so that
/// whatever is not on disk yet is here.
const CACHE: Retention =
    Retention { age: Duration::MAX, bytes: 48 << 20, young: Duration::ZERO, events: u64::MAX };

/// After this many events at most, their age and size are noted: retention drops these steps, one at a time.
const STEP: u64 = 256;

/// Parts of what may be kept, by age, by bytes and by number: no step is larger, so no more than one such part is kept
/// beyond it.
const PARTS: u64 = 16;

/// A page that takes this many bytes is read no further: a client that missed large events gets them little by little,
/// and the others need not wait for it.
const PAGE_BYTES: usize = 1 << 20;

/// Why a log on disk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program has it open.
    #[error("{path} is in use by another program; stop it, or choose another data directory")]
    Busy {
        /// The path of the file.
        path: PathBuf,
    },
    /// It is not what this program wrote.
    #[error(
        "{path} is damaged: {why}; move it away to start with an empty log, or put a copy of it back. \
         Nothing was changed in it"
    )]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It was written by another version.
    #[error(
        "{path} has format {found}, and this program reads format {FORMAT}; use the version that wrote it, or move the \
         file away to start with an empty log"
    )]
    Format {
        /// The path of the file.
        path: PathBuf,
        /// The format it has.
        found: u64,
    },
    /// The operating system refused something.
    #[error("{path}: {why}; see that the directory exists, is writable and has room")]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// How far opening has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// The program ended in the middle of a commit: the file is being checked; this share of it is done (0 to 1).
    Repairing(f64),
    /// This many events of a namespace have been read.
    Reading(u64),
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Progress::Repairing(done) => {
                write!(f, "the program ended unexpectedly; checking, {:.0} %", done * 100.0)
            }
            Progress::Reading(events) => write!(f, "{events} events read"),
        }
    }
}

type Told = Arc<dyn Fn(Progress) + Send + Sync>;

/// The log on disk. Dropping it writes what is left.
pub struct Store {
    path: PathBuf,
    database: Arc<Database>,
    shared: Arc<Shared>,
    recent: MemoryLog,
    committed: VecDeque<Commit>,
    spaces: BTreeMap<Arc<str>, OnDisk>,
    /// What the file had of each namespace, until that is opened.
    found: BTreeMap<Arc<str>, Found>,
    /// The number of the next new namespace.
    next_number: u32,
    retention: Retention,
}

/// What the events and the sockets are written with: in one order, in the same groups.
struct Shared {
    writer: Writer,
    spaces: Mutex<BTreeMap<Arc<str>, SocketsOnDisk>>,
}

/// What the file has of a namespace's sockets.
#[derive(Debug, Default)]
struct SocketsOnDisk {
    /// The namespace's; it may be written to once it is open.
    number: Option<u32>,
    /// Those that were found, until they are asked for.
    found: Vec<Saved>,
}

impl Shared {
    /// A thread that panicked with the lock leaves a map that is whole: each change of it is one step.
    fn spaces(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, SocketsOnDisk>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file had of a namespace.
#[derive(Debug, Default)]
struct Found {
    disk: OnDisk,
    /// The offset of the last event.
    end: u64,
    /// The ids that senders gave their events, with the offset of each, oldest first.
    sender_ids: Vec<(Arc<str>, u64)>,
    saved: Vec<Saved>,
}

/// What is known of a namespace's events on disk.
#[derive(Debug, Default)]
struct OnDisk {
    number: u32,
    /// The offset before the oldest event.
    horizon: u64,
    /// Steps of the log, oldest first: offset and time of the last event in each, and bytes of them all.
    steps: VecDeque<Step>,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    count: u64,
    last: u64,
    /// When its first event was said, and its last.
    from_ms: u64,
    at_ms: u64,
    bytes: u64,
}

impl Store {
    /// Opens the log in a directory, which is made when there is none, and reads all of it: one that is damaged is an
    /// error here, and not a surprise for clients. `told` is called with how far it has come, when that takes a
    /// while; `on_stored` is called, on another thread, each time something has become safe: poll the hub then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(
        directory: &Path,
        retention: Retention,
        told: impl Fn(Progress) + Send + Sync + 'static,
        on_stored: impl Fn() + Send + 'static,
    ) -> Result<Store, StoreError> {
        let refused =
            |why: std::io::Error| StoreError::Refused { path: directory.into(), why: why.to_string() };
        make_directory(directory).map_err(refused)?;
        let path = directory.join(FILE);
        let told: Told = Arc::new(told);
        let database = Arc::new(open_database(&path, &told)?);
        keep_private(&path).map_err(refused)?;
        check_format(&database, &path)?;
        // The directory's entry for a new file has to be safe as well. Not every system lets one ask for it.
        let _ = fs::File::open(directory).and_then(|directory| directory.sync_all());
        let content = Content { database: &database, path: &path, retention: &retention, told: &told };
        let mut found = content.read()?;
        let next_number = found.values().map(|found| found.disk.number + 1).max().unwrap_or(0);
        let sockets = found.iter_mut().map(|(name, found)| {
            let found = std::mem::take(&mut found.saved);
            (name.clone(), SocketsOnDisk { number: None, found })
        });
        let sockets = sockets.collect();
        let writer = Writer::start(&path, database.clone(), Box::new(on_stored)).map_err(refused)?;
        let shared = Arc::new(Shared { writer, spaces: Mutex::new(sockets) });
        Ok(Store {
            path,
            database,
            shared,
            recent: MemoryLog::new(CACHE),
            committed: VecDeque::new(),
            spaces: BTreeMap::new(),
            found,
            next_number,
            retention,
        })
    }

    /// Why nothing can be stored any more, if so: the disk is full, or broken. It names the file and says what to do.
    /// Nothing is acknowledged from then on; the program should say it and end. `on_stored` is called then too.
    pub fn failure(&self) -> Option<String> {
        self.shared.writer.failure()
    }

    /// What [`failure`](Store::failure) says, for an observer while the hub has the store.
    pub fn watch(&self) -> impl Fn() -> Option<String> + Send + 'static {
        self.shared.writer.watch()
    }

    /// The key that is kept; the fresh one when there is none.
    fn read_key(&self, fresh: u128) -> Result<u128, redb::Error> {
        let writing = self.database.begin_write()?;
        let key = {
            let mut meta = writing.open_table(META)?;
            let mut half = |name, fresh: u64| -> Result<u64, redb::Error> {
                let known = meta.get(name)?.map(|half| half.value());
                if known.is_none() {
                    meta.insert(name, fresh)?;
                }
                Ok(known.unwrap_or(fresh))
            };
            let high = half("key, high", (fresh >> 64) as u64)?;
            u128::from(high) << 64 | u128::from(half("key, low", fresh as u64)?)
        };
        writing.commit()?;
        Ok(key)
    }

    /// Events on disk between two offsets, from one of them on: oldest first either way.
    fn read_page(&self, number: u32, span: Between, limit: usize) -> Result<Vec<Arc<Record>>, redb::Error> {
        let reading = self.database.begin_read()?;
        let events = reading.open_table(EVENTS)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        let mut range = events.range::<(u32, u64)>((
            Excluded((number, span.after)),
            span.before.map_or(Included((number, u64::MAX)), |before| Excluded((number, before))),
        ))?;
        while page.len() < limit
            && bytes < PAGE_BYTES
            && let Some(entry) = if span.before.is_some() { range.next_back() } else { range.next() }
        {
            let (key, value) = entry?;
            let offset = key.value().1;
            let record = codec::unseal(value.value()).and_then(|bytes| codec::decode(offset, bytes));
            // No client is led past a gap.
            let Some(record) = record else {
                return Err(redb::Error::Corrupted(format!("event {offset} is not as it was written")));
            };
            bytes += record.cost();
            page.push(Arc::new(record));
        }
        if span.before.is_some() {
            page.reverse();
        }
        Ok(page)
    }

    /// The same; when it cannot be read, nothing is stored from then on.
    fn page_on_disk(&self, namespace: &str, span: Between, limit: usize) -> Vec<Arc<Record>> {
        let Some(disk) = self.spaces.get(namespace) else { return Vec::new() };
        let span = Between { after: span.after.max(disk.horizon), ..span };
        match self.read_page(disk.number, span, limit) {
            Ok(page) => page,
            Err(error) => {
                let path = self.path.display();
                self.shared.writer.fail(format!(
                    "{path} cannot be read: {error}; see that the disk is sound. If it is, move the file away to start \
                     with an empty log, or put a copy of it back"
                ));
                Vec::new()
            }
        }
    }
}

/// Above one offset and, when there is one, below another: then what is next to that one counts first.
#[derive(Debug, Clone, Copy)]
struct Between {
    after: u64,
    before: Option<u64>,
}

/// The file, while it is read from its beginning to its end.
struct Content<'a> {
    database: &'a Database,
    path: &'a Path,
    retention: &'a Retention,
    told: &'a Told,
}

impl Content<'_> {
    /// What it has of every namespace.
    fn read(&self) -> Result<BTreeMap<Arc<str>, Found>, StoreError> {
        let read = || -> Result<_, redb::Error> {
            let reading = self.database.begin_read()?;
            let names = reading.open_table(NAMESPACES)?;
            let mut found = BTreeMap::new();
            for entry in names.iter()? {
                let (name, number) = entry?;
                let name: Arc<str> = name.value().into();
                let namespace = self.namespace(&reading, &name, number.value())?;
                found.insert(name, namespace);
            }
            Ok(found)
        };
        // A file that something else has written into can make redb panic.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
            .unwrap_or_else(|_| Err(redb::Error::Corrupted("its structure makes no sense".into())))
            .map_err(|error| StoreError::of_content(self.path, error))
    }

    fn namespace(&self, reading: &ReadTransaction, name: &str, number: u32) -> Result<Found, redb::Error> {
        let mut found = Found { disk: OnDisk { number, ..OnDisk::default() }, ..Found::default() };
        let disk = &mut found.disk;
        let events = reading.open_table(EVENTS)?;
        for (read, entry) in events.range((number, 0)..=(number, u64::MAX))?.enumerate() {
            let (key, value) = entry?;
            let (offset, sealed) = (key.value().1, value.value());
            let Some(bytes) = codec::unseal(sealed) else {
                let why = format!("event {offset} of namespace {name} is not as it was written");
                return Err(redb::Error::Corrupted(why));
            };
            if read == 0 {
                disk.horizon = offset.saturating_sub(1);
            }
            let (at_ms, sender_id) = codec::head(bytes);
            disk.add(offset, at_ms, bytes.len() as u64, self.retention);
            found.sender_ids.extend(sender_id.map(|id| (Arc::from(id), offset)));
            found.end = offset;
            if read > 0 && read % 100_000 == 0 {
                (self.told)(Progress::Reading(read as u64));
            }
        }
        // All events may have been dropped: the end is remembered apart from them.
        let end = reading.open_table(META)?.get(end_key(number).as_str())?.map_or(0, |end| end.value());
        found.end = found.end.max(end);
        disk.horizon = if disk.bytes == 0 { found.end } else { disk.horizon };
        let sockets = reading.open_table(SOCKETS)?;
        for entry in sockets.range((number, "")..)? {
            let (key, value) = entry?;
            if key.value().0 != number {
                break;
            }
            found.saved.extend(serde_json::from_slice::<Saved>(value.value()));
        }
        Ok(found)
    }
}

impl StoreError {
    /// What was found while the file was read: the system's fault, or that of what is in it.
    fn of_content(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) if !is_corruption(&error) => {
                StoreError::Refused { path: path.into(), why: error.to_string() }
            }
            error => StoreError::Damaged { path: path.into(), why: error.to_string() },
        }
    }
}

/// The key in `meta` of the end of a namespace's log.
fn end_key(number: u32) -> String {
    format!("end {number}")
}

/// Messages, and the secrets by which clients return, are private: only its owner may read a new directory.
#[cfg(unix)]
fn make_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

/// And so is the file, whatever made its directory.
#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn open_database(path: &Path, told: &Told) -> Result<Database, StoreError> {
    let damaged = |why: String| StoreError::Damaged { path: path.into(), why };
    let is_new = !path.exists();
    let told = told.clone();
    // A file that is not a database at all is recognised before redb is asked: it would take an empty one for new.
    if !is_new && fs::metadata(path).is_ok_and(|file| file.len() < 4096) {
        return Err(damaged("it is shorter than any log".into()));
    }
    let open = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut builder = Database::builder();
        builder.set_repair_callback(move |session| told(Progress::Repairing(session.progress())));
        builder.create(path)
    }));
    match open {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => Err(StoreError::Busy { path: path.into() }),
        Ok(Err(DatabaseError::Storage(redb::StorageError::Io(error)))) if !is_corruption(&error) => {
            Err(StoreError::Refused { path: path.into(), why: error.to_string() })
        }
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("its structure makes no sense".into())),
    }
}

/// Whether the content of the file is at fault and not the system.
fn is_corruption(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

fn check_format(database: &Database, path: &Path) -> Result<(), StoreError> {
    let found = || -> Result<u64, redb::Error> {
        let writing = database.begin_write()?;
        let found = {
            let mut meta = writing.open_table(META)?;
            let found = meta.get("format")?.map(|format| format.value());
            if found.is_none() {
                meta.insert("format", FORMAT)?;
            }
            writing.open_table(NAMESPACES)?;
            writing.open_table(EVENTS)?;
            writing.open_table(SOCKETS)?;
            found.unwrap_or(FORMAT)
        };
        writing.commit()?;
        Ok(found)
    }()
    .map_err(|error| StoreError::of_content(path, error))?;
    if found == FORMAT { Ok(()) } else { Err(StoreError::Format { path: path.into(), found }) }
}

impl EventLog for Store {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        let found = self.found.remove(namespace).unwrap_or_else(|| {
            let number = self.next_number;
            self.next_number += 1;
            self.shared.writer.push(Op::Name { space: number, name: namespace.clone() }, 128);
            Found { disk: OnDisk { number, ..OnDisk::default() }, ..Found::default() }
        });
        self.recent.resume(namespace, found.end);
        self.recent.open(namespace, sender_ids);
        let newest = found.sender_ids.len().saturating_sub(sender_ids);
        for (id, offset) in found.sender_ids.into_iter().skip(newest) {
            self.recent.remember(namespace, id, offset);
        }
        self.shared.spaces().entry(namespace.clone()).or_default().number = Some(found.disk.number);
        self.spaces.insert(namespace.clone(), found.disk);
        found.end
    }

    fn key(&mut self, fresh: u128) -> u128 {
        self.read_key(fresh).unwrap_or_else(|error| {
            self.shared.writer.fail(format!("{} cannot be written: {error}", self.path.display()));
            fresh
        })
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        let writer = &self.shared.writer;
        let Some(disk) = self.spaces.get_mut(namespace) else { return writer.refuse(namespace) };
        let outcome = match self.recent.original(namespace, &draft) {
            Some(offset) => Outcome::Duplicate(offset),
            None => {
                let record = Arc::new(draft.at(self.recent.end(namespace) + 1));
                self.recent.add(namespace, record.clone());
                disk.add(record.offset, record.at_ms, record.cost() as u64, &self.retention);
                writer.push(Op::Append { space: disk.number, record: record.clone() }, record.cost());
                // At once: much may be said until `forget` is called.
                if disk.forget(record.at_ms, &self.retention) {
                    writer.push(Op::Trim { space: disk.number, until: disk.horizon }, 0);
                }
                Outcome::Event(record)
            }
        };
        self.committed.push_back(Commit { namespace: namespace.clone(), token: Some(token), outcome });
    }

    fn committed(&mut self, _: Instant) -> Option<Commit> {
        self.committed.pop_front()
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        if after >= self.recent.horizon(namespace) {
            return self.recent.page(namespace, after, limit);
        }
        Some(self.page_on_disk(namespace, Between { after, before: None }, limit))
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let mut recent = self.recent.below(namespace, before, limit);
        recent.retain(|record| record.offset > self.horizon(namespace));
        if !recent.is_empty() {
            return Some(recent);
        }
        Some(self.page_on_disk(namespace, Between { after: 0, before: Some(before) }, limit))
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.spaces.get(namespace).map_or(0, |disk| disk.horizon)
    }

    fn forget(&mut self, now_ms: u64) {
        for disk in self.spaces.values_mut() {
            if disk.forget(now_ms, &self.retention) {
                self.shared.writer.push(Op::Trim { space: disk.number, until: disk.horizon }, 0);
            }
        }
    }

    fn sessions(&mut self) -> Box<dyn Sessions> {
        Box::new(StoredSessions(self.shared.clone()))
    }

    fn taken(&self) -> u64 {
        self.shared.writer.taken()
    }

    fn stored(&self) -> u64 {
        self.shared.writer.stored()
    }

    fn is_behind(&self) -> bool {
        self.shared.writer.is_behind()
    }
}

/// The sockets in the same file as the events.
struct StoredSessions(Arc<Shared>);

impl StoredSessions {
    /// Writes into a namespace, if it is open.
    fn write(&self, namespace: &str, write: impl FnOnce(&Writer, u32)) {
        let number = self.0.spaces().get(namespace).and_then(|space| space.number);
        match number {
            Some(number) => write(&self.0.writer, number),
            None => self.0.writer.refuse(namespace),
        }
    }
}

impl Sessions for StoredSessions {
    fn open(&mut self, namespace: &Arc<str>) -> Vec<Saved> {
        self.0.spaces().get_mut(namespace).map(|space| std::mem::take(&mut space.found)).unwrap_or_default()
    }

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        self.write(namespace, |writer, number| writer.save(number, saved));
    }

    fn remove(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        self.write(namespace, |writer, number| writer.remove(number, pid.clone()));
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        self.0.writer.taken()
    }

    fn stored(&self) -> u64 {
        self.0.writer.stored()
    }
}

impl OnDisk {
    fn add(&mut self, offset: u64, at_ms: u64, bytes: u64, retention: &Retention) {
        // A step of a quiet time ends before its first event has become old: none stays for much longer than it may.
        let span_ms = retention.age.as_nanos() / 1_000_000 / PARTS;
        let is_full = |step: &Step| {
            step.count >= STEP.min(retention.events / PARTS).max(1)
                || step.bytes >= retention.bytes / PARTS
                || at_ms.saturating_sub(step.from_ms) > span_ms
        };
        if self.steps.back().is_none_or(is_full) {
            self.steps.push_back(Step { from_ms: at_ms, ..Step::default() });
        }
        if let Some(step) = self.steps.back_mut() {
            *step = Step { count: step.count + 1, last: offset, at_ms, bytes: step.bytes + bytes, ..*step };
        }
        self.bytes += bytes;
    }

    /// Drops whole steps that are too old or too much; whether there were any.
    fn forget(&mut self, now_ms: u64, retention: &Retention) -> bool {
        let oldest_ms = now_ms.saturating_sub(retention.age.as_nanos() / 1_000_000);
        let before = self.horizon;
        while let (Some(step), Some(newest)) = (self.steps.front(), self.steps.back()) {
            let events = newest.last.saturating_sub(self.horizon);
            let is_too_much =
                events > retention.events || retention.is_too_much(self.bytes, step.at_ms, now_ms);
            // However little is allowed, the newest events stay until they are too old.
            let is_last = self.steps.len() == 1;
            if step.at_ms >= oldest_ms && (!is_too_much || is_last) {
                break;
            }
            self.horizon = step.last;
            self.bytes -= step.bytes;
            self.steps.pop_front();
        }
        self.horizon > before
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("spaces", &self.spaces).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

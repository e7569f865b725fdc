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
//! Its tables are in `layout.rs`. Everything is read once when the file is opened, and every part of it has a check
//! sequence: a damaged file is reported before any client is served (`content.rs`). What goes wrong later, a folder that
//! is removed included, is reported by [`Store::watch`]; from then on nothing is stored, nothing acknowledged. The file
//! is made smaller while it is in use (`compaction.rs`).
//!
//! The newest events are kept in memory too: most clients that come back have been away for seconds. Left out: more
//! than one program on one file (redb locks it), and repair of a file that something else has written into: the error
//! says what to do.

mod book;
pub mod codec;
mod compaction;
mod content;
mod error;
mod file;
mod guard;
mod layout;
mod ledger;
mod sessions;
mod steps;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Included};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, ReadableDatabase as _, ReadableTable as _};

use crate::base::{Duration, Instant};
use crate::chat::{
    Commit, Draft, EventLog, MemoryLog, Outcome, Record, Retention, RoomPage, Sessions, Stretch, Token,
};
use book::{Book, Current};
use compaction::{Compaction, Slack};
use content::{Content, Found};
use file::{FILE, Witness};
use layout::{EVENTS, Place, STATE, event_key, read_number, sealed_number};
use ledger::Ledger;
use sessions::{Shared, SocketsOnDisk, StoredSessions};
use steps::OnDisk;
use writer::{Op, Writer};

pub use book::Compacted;
pub use error::StoreError;

/// The version of the layout.
const FORMAT: u64 = 4;

/// What is kept in memory of each namespace. More than [`writer::MAX_PENDING`] and the largest event together, so that
/// whatever is not on disk yet is here. What is older and safe is read from the disk, should anybody still want it: most
/// clients that come back have been away for seconds.
const CACHE: Retention =
    Retention { age: Duration::from_secs(30), bytes: 48 << 20, young: Duration::ZERO, events: u64::MAX };

/// A page that takes this many bytes is read no further: a client that missed large events gets them little by little,
/// and the others need not wait for it.
const PAGE_BYTES: usize = 1 << 20;

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
    current: Arc<Current>,
    shared: Arc<Shared>,
    recent: MemoryLog,
    committed: VecDeque<Commit>,
    spaces: BTreeMap<Arc<str>, OnDisk>,
    /// What the file had of each namespace, until that is opened.
    found: BTreeMap<Arc<str>, Found>,
    /// The number of the next new namespace.
    next_number: u32,
    retention: Retention,
    compacted: Arc<Mutex<Compacted>>,
    last_look: Look,
}

/// How far the log was when it was last asked to forget.
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    at_ms: u64,
    taken: u64,
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
        Store::open_with(
            directory,
            retention,
            Slack::default(),
            &(Arc::new(told) as Told),
            Box::new(on_stored),
        )
    }

    fn open_with(
        directory: &Path,
        retention: Retention,
        slack: Slack,
        told: &Told,
        on_stored: Box<dyn Fn() + Send>,
    ) -> Result<Store, StoreError> {
        let refused =
            |why: std::io::Error| StoreError::Refused { path: directory.into(), why: why.to_string() };
        file::make_directory(directory).map_err(refused)?;
        let path = directory.join(FILE);
        let is_new = !path.exists();
        let database = file::open(&path, told)?;
        file::keep_private(&path).map_err(refused)?;
        let mut content = Content::read(&database, &path, &retention, told)?;
        let (mut witness, says) = Witness::open(directory, is_new).map_err(refused)?;
        if let Some(missing) = says.and_then(|says| says.checked_sub(content.commits)).filter(|&n| n > 0) {
            let why = format!("its last commits are missing, {missing} of them");
            return Err(StoreError::Damaged { path, why });
        }
        witness.write(content.commits).map_err(refused)?;
        Compaction::clear(directory).map_err(refused)?;
        file::sync_directory(directory);
        let current = Arc::new(Current::new(database));
        let ledger = Ledger::of(&content);
        let next_number = content.spaces.values().map(|found| found.place.number + 1).max().unwrap_or(0);
        let sockets = content.spaces.iter_mut().map(|(name, found)| {
            let found = std::mem::take(&mut found.saved);
            (name.clone(), SocketsOnDisk { number: None, found })
        });
        let sockets = sockets.collect();
        let book = Book::new(&path, current.clone(), witness, ledger, slack).map_err(refused)?;
        let compacted = book.compacted();
        let writer = Writer::start(&path, book, on_stored).map_err(refused)?;
        let shared = Arc::new(Shared { writer, spaces: Mutex::new(sockets) });
        Ok(Store {
            path,
            current,
            shared,
            recent: MemoryLog::new(CACHE),
            committed: VecDeque::new(),
            spaces: BTreeMap::new(),
            found: content.spaces,
            next_number,
            retention,
            compacted,
            last_look: Look::default(),
        })
    }

    /// How often the file was made smaller so far.
    pub fn compacted(&self) -> Compacted {
        *self.compacted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What [`compacted`](Store::compacted) says, for an observer while the hub has the store.
    pub fn watch_compaction(&self) -> impl Fn() -> Compacted + Send + 'static {
        let compacted = self.compacted.clone();
        move || *compacted.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Drops from memory what is old there, and on disk: all that was taken before the last look, if it is by now.
    fn forget_in_memory(&mut self, now_ms: u64) {
        let look = Look { at_ms: now_ms, taken: self.taken() };
        let last = std::mem::replace(&mut self.last_look, look);
        if self.stored() >= last.taken {
            let age_ms = CACHE.age.as_nanos() / 1_000_000;
            self.recent.forget(now_ms.min(last.at_ms + age_ms));
        }
    }

    /// The key that is kept; the fresh one when there is none.
    fn read_key(&self, fresh: u128) -> Result<u128, redb::Error> {
        self.current.get().with(|database| {
            let writing = database.begin_write()?;
            let known = writing.open_table(STATE)?.get("key")?.map(|sealed| sealed.value().to_vec());
            let key = match known {
                Some(sealed) => read_number("key", &sealed)
                    .ok_or_else(|| redb::Error::Corrupted("its key is not as it was written".into()))?,
                None => {
                    writing.open_table(STATE)?.insert("key", sealed_number("key", fresh).as_slice())?;
                    fresh
                }
            };
            writing.commit()?;
            Ok(key)
        })
    }

    /// Events on disk between two offsets, from one of them on: oldest first either way.
    fn read_page(&self, number: u32, span: Between, limit: usize) -> Result<Vec<Arc<Record>>, redb::Error> {
        self.current.get().with(|database| read_page(database, number, span, limit))
    }

    /// The same; when it cannot be read, nothing is stored from then on.
    fn page_on_disk(&self, namespace: &str, span: Between, limit: usize) -> Vec<Arc<Record>> {
        let Some(disk) = self.spaces.get(namespace) else { return Vec::new() };
        let span = Between { after: span.after.max(disk.horizon), ..span };
        self.or_fail(self.read_page(disk.number, span, limit))
    }

    /// The events at these offsets, as many as a page takes; at least one.
    fn read_these(&self, namespace: &str, number: u32, offsets: &[u64]) -> Vec<Arc<Record>> {
        let (mut found, mut bytes) = (Vec::with_capacity(offsets.len()), 0);
        let read = self.current.get().with(|database| {
            let mut reading = None;
            for &offset in offsets {
                let record = match self.recent.at(namespace, offset) {
                    Some(record) => record.clone(),
                    None => {
                        let events = match &mut reading {
                            Some(events) => events,
                            none => none.insert(database.begin_read()?.open_table(EVENTS)?),
                        };
                        let sealed = events.get((number, offset))?;
                        Arc::new(record_of(
                            number,
                            offset,
                            sealed.as_ref().map_or(&[], |sealed| sealed.value()),
                        )?)
                    }
                };
                bytes += record.cost();
                found.push(record);
                if bytes > PAGE_BYTES {
                    break;
                }
            }
            Ok(())
        });
        self.or_fail(read);
        found
    }

    fn or_fail<T: Default>(&self, read: Result<T, redb::Error>) -> T {
        match read {
            Ok(read) => read,
            Err(error) => {
                let path = self.path.display();
                self.shared.writer.fail(format!(
                    "{path} cannot be read: {error}; see that the disk is sound. If it is, move the file away to start \
                     with an empty log, or put back a copy of the whole folder"
                ));
                T::default()
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

fn read_page(
    database: &Database,
    number: u32,
    span: Between,
    limit: usize,
) -> Result<Vec<Arc<Record>>, redb::Error> {
    let reading = database.begin_read()?;
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
        // No client is led past a gap.
        let record = record_of(number, offset, value.value())?;
        bytes += record.cost();
        page.push(Arc::new(record));
    }
    if span.before.is_some() {
        page.reverse();
    }
    Ok(page)
}

fn record_of(number: u32, offset: u64, sealed: &[u8]) -> Result<Record, redb::Error> {
    let bytes = codec::unseal(&event_key(number, offset), sealed);
    bytes
        .and_then(|bytes| codec::decode(offset, bytes))
        .ok_or_else(|| redb::Error::Corrupted(format!("event {offset} is not as it was written")))
}

impl EventLog for Store {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        let found = self.found.remove(namespace).unwrap_or_else(|| {
            let number = self.next_number;
            self.next_number += 1;
            self.shared.writer.push(Op::Name { space: number, name: namespace.clone() }, 128);
            let place = Place { number, ..Place::default() };
            Found { place, disk: OnDisk::new(number, 0), ..Found::default() }
        });
        let end = found.place.end;
        self.recent.resume(namespace, end);
        self.recent.open(namespace, sender_ids);
        let newest = found.sender_ids.len().saturating_sub(sender_ids);
        for (id, offset) in found.sender_ids.into_iter().skip(newest) {
            self.recent.remember(namespace, id, offset);
        }
        self.shared.spaces().entry(namespace.clone()).or_default().number = Some(found.disk.number);
        self.spaces.insert(namespace.clone(), found.disk);
        end
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
                disk.add(&record, &self.retention);
                writer.push(Op::Append { space: disk.number, record: record.clone() }, record.cost());
                // At once: much may be said until `forget` is called.
                if disk.forget(record.at_ms, &self.retention) {
                    writer.push(disk.trim(), 0);
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

    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage> {
        let Some(disk) = self.spaces.get(namespace) else { return Some(RoomPage::default()) };
        let stretch = Stretch { after: stretch.after.max(disk.horizon), ..stretch };
        let (mut offsets, more) = disk.rooms.find(room, name, stretch, limit);
        let wanted = offsets.len();
        if stretch.newest {
            offsets.reverse();
        }
        let mut records = self.read_these(namespace, disk.number, &offsets);
        if stretch.newest {
            records.reverse();
        }
        Some(RoomPage { more: more || records.len() < wanted, records })
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.spaces.get(namespace).map_or(0, |disk| disk.horizon)
    }

    fn forget(&mut self, now_ms: u64) {
        for disk in self.spaces.values_mut() {
            if disk.forget(now_ms, &self.retention) {
                self.shared.writer.push(disk.trim(), 0);
            }
        }
        self.forget_in_memory(now_ms);
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

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("spaces", &self.spaces).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

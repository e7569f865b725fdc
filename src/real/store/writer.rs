//! The thread that writes: it takes all that waits, commits it at once, and says so.
//!
//! When nothing waits it looks whether the file is still where it was: what is written into one that somebody has removed
//! is gone with the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::book::Book;
use crate::chat::{Record, Saved};

/// Bytes that may wait for the disk, those of the running commit included. Beyond it an append waits:
/// a disk that is too slow slows the senders down, and costs no memory. A server stops reading long before
/// ([`BEHIND`]), so that nothing else of it is held up.
pub(super) const MAX_PENDING: usize = 16 << 20;

/// When this many bytes wait for the disk, the log is behind.
pub(super) const BEHIND: usize = 4 << 20;

/// A commit waits until nothing has come for so long: much less than the disk takes.
const GATHER_STEP: Duration = Duration::from_micros(100);

/// But no more often than this.
const GATHER_STEPS: usize = 20;

/// How often it is looked whether the file is still there, when nothing is written.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Something for the writer's thread to write.
pub(super) enum Op {
    Name {
        space: u32,
        name: Arc<str>,
    },
    Append {
        space: u32,
        record: Arc<Record>,
    },
    /// Drops what is up to an offset; about how many bytes are left.
    Trim {
        space: u32,
        until: u64,
        left: u64,
    },
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    taken: AtomicU64,
}

struct Shared {
    path: PathBuf,
    pending: Mutex<Pending>,
    /// Something is to be written.
    more: Condvar,
    /// Something has been written, or nothing will be.
    room: Condvar,
    stored: AtomicU64,
}

#[derive(Default)]
struct Pending {
    group: Group,
    /// Bytes of the group that is being committed.
    writing: usize,
    is_closing: bool,
    failure: Option<String>,
}

/// What goes into one commit.
#[derive(Default)]
pub(super) struct Group {
    pub(super) ops: Vec<Op>,
    /// What is to be known of each socket, by namespace and secret: nothing, or this. A client that joins and leaves
    /// rooms all the time has much saved of it, and only the last of that has to be written.
    pub(super) sockets: BTreeMap<(u32, Arc<str>), Option<Saved>>,
    /// Operations, those included that a later one took the place of.
    count: u64,
    bytes: usize,
}

impl Pending {
    /// Bytes on their way to the disk.
    fn bytes(&self) -> usize {
        self.group.bytes + self.writing
    }
}

impl Shared {
    /// A thread that panicked with the lock leaves a list that is whole: each change of it is one step.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Waits as long as something more keeps coming, and not for long. Events come in bursts: what one read brought
    /// belongs in one commit, and is then sent on in one write for each receiver.
    fn gather<'a>(&'a self, mut pending: MutexGuard<'a, Pending>) -> MutexGuard<'a, Pending> {
        for _ in 0..GATHER_STEPS {
            let before = pending.group.count;
            if pending.is_closing || pending.group.bytes > MAX_PENDING / 2 {
                break;
            }
            drop(pending);
            std::thread::sleep(GATHER_STEP);
            pending = self.lock();
            if pending.group.count == before {
                break;
            }
        }
        pending
    }
}

impl Writer {
    /// # Errors
    /// The system has no thread for it.
    pub(super) fn start(path: &Path, book: Book, on_stored: Box<dyn Fn() + Send>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            path: path.into(),
            pending: Mutex::default(),
            more: Condvar::new(),
            room: Condvar::new(),
            stored: AtomicU64::new(0),
        });
        let theirs = shared.clone();
        let mut book = book;
        let thread = std::thread::Builder::new()
            .name("event log".into())
            .spawn(move || write_all(&mut book, &theirs, &on_stored))?;
        Ok(Writer { shared, thread: Some(thread), taken: AtomicU64::new(0) })
    }

    pub(super) fn push(&self, op: Op, cost: usize) {
        self.add(|group| {
            group.ops.push(op);
            group.bytes += cost;
        });
    }

    pub(super) fn save(&self, space: u32, saved: Saved) {
        self.set(space, saved.pid.clone(), Some(saved));
    }

    pub(super) fn remove(&self, space: u32, pid: Arc<str>) {
        self.set(space, pid, None);
    }

    fn set(&self, space: u32, pid: Arc<str>, saved: Option<Saved>) {
        self.add(|group| {
            group.bytes += cost(saved.as_ref());
            if let Some(earlier) = group.sockets.insert((space, pid), saved) {
                group.bytes -= cost(earlier.as_ref());
            }
        });
    }

    /// Takes an operation, when there is room for it.
    fn add(&self, add: impl FnOnce(&mut Group)) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        let mut pending = self.shared.lock();
        while pending.bytes() > MAX_PENDING && pending.failure.is_none() {
            pending = self.shared.room.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        // After a failure nothing is stored and nothing acknowledged: what comes is not kept.
        if pending.failure.is_none() {
            add(&mut pending.group);
            pending.group.count += 1;
            if pending.group.count == 1 {
                self.shared.more.notify_one();
            }
        }
    }

    /// Takes an operation on a namespace that is not open. It can never be stored, so it must never be acknowledged.
    pub(super) fn refuse(&self, namespace: &str) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.fail(format!("{}: namespace {namespace} was not opened", self.shared.path.display()));
    }

    /// Whether the backlog is so long that nothing more should be read.
    pub(super) fn is_behind(&self) -> bool {
        let pending = self.shared.lock();
        pending.bytes() > BEHIND && pending.failure.is_none()
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn stored(&self) -> u64 {
        self.shared.stored.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.shared.lock().failure.clone()
    }

    pub(super) fn watch(&self) -> impl Fn() -> Option<String> + Send + 'static {
        let shared = self.shared.clone();
        move || shared.lock().failure.clone()
    }

    /// Nothing is stored from now on. The thread reports it, and ends.
    pub(super) fn fail(&self, why: String) {
        self.shared.lock().failure.get_or_insert(why);
        self.shared.more.notify_one();
    }
}

/// About how many bytes it takes to save a socket, its rooms' names included.
fn cost(saved: Option<&Saved>) -> usize {
    let of =
        |saved: &Saved| saved.rooms.iter().map(|room| room.name.len() + 64).sum::<usize>() + saved.data.len();
    256 + saved.map_or(0, of)
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.more.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends when all is written, or cannot be.
            let _ = thread.join();
        }
    }
}

fn write_all(book: &mut Book, shared: &Shared, on_stored: &dyn Fn()) {
    loop {
        let group = {
            let mut pending = shared.lock();
            if pending.group.count == 0 && !pending.is_closing && pending.failure.is_none() {
                let wait = if book.is_compacting() { Duration::ZERO } else { LOOK_EVERY };
                pending = shared.more.wait_timeout(pending, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
            pending = shared.gather(pending);
            if pending.failure.is_some() {
                break;
            }
            if pending.group.count == 0 && pending.is_closing {
                return;
            }
            pending.writing = pending.group.bytes;
            std::mem::take(&mut pending.group)
        };
        let count = group.count;
        let written = if count > 0 { book.commit(&group) } else { book.look() };
        let mut pending = shared.lock();
        pending.writing = 0;
        if let Err(error) = written {
            let path = shared.path.display();
            pending.failure.get_or_insert(format!(
                "{path} cannot be written: {error}; see that it is there and that the disk has room. What was \
                 acknowledged until then was stored"
            ));
            break;
        }
        drop(pending);
        if count > 0 {
            // Release: a thread that sees the number sees the commit.
            shared.stored.fetch_add(count, Ordering::Release);
            shared.room.notify_all();
            on_stored();
        }
        book.compact();
    }
    // It has failed: callers that wait for room, or for what will never be stored, get the error.
    shared.lock().group = Group::default();
    shared.room.notify_all();
    on_stored();
}

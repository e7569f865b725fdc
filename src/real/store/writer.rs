//! The thread that writes: it takes all that waits, commits it at once, and says so.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::Database;

use super::{EVENTS, META, SOCKETS, codec, end_key};
use crate::chat::{Record, Saved};

/// Bytes that may wait to be written. Beyond it whoever appends waits: a disk that is too slow slows the senders down,
/// and costs no memory.
pub(super) const MAX_PENDING: usize = 16 << 20;

/// A commit waits until nothing has come for so long: much less than the disk takes.
const GATHER_STEP: Duration = Duration::from_micros(100);

/// But no more often than this.
const GATHER_STEPS: usize = 20;

/// Something to write.
pub(super) enum Op {
    Append { space: u32, record: Arc<Record> },
    Trim { space: u32, until: u64 },
    Save { space: u32, saved: Saved },
    Unsave { space: u32, pid: Arc<str> },
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    taken: u64,
}

struct Shared {
    pending: Mutex<Pending>,
    /// Something is to be written.
    more: Condvar,
    /// Something has been taken to be written.
    room: Condvar,
    stored: AtomicU64,
}

#[derive(Default)]
struct Pending {
    ops: Vec<Op>,
    bytes: usize,
    is_closing: bool,
    failure: Option<String>,
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
            let before = pending.ops.len();
            if pending.is_closing || pending.bytes > MAX_PENDING / 2 {
                break;
            }
            drop(pending);
            std::thread::sleep(GATHER_STEP);
            pending = self.lock();
            if pending.ops.len() == before {
                break;
            }
        }
        pending
    }
}

impl Writer {
    pub(super) fn start(database: Arc<Database>, on_stored: Box<dyn Fn() + Send>) -> Self {
        let shared = Arc::new(Shared {
            pending: Mutex::default(),
            more: Condvar::new(),
            room: Condvar::new(),
            stored: AtomicU64::new(0),
        });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("event log".into())
            .spawn(move || write_all(&database, &theirs, &on_stored));
        let mut writer = Writer { shared, thread: None, taken: 0 };
        match thread {
            Ok(thread) => writer.thread = Some(thread),
            Err(error) => writer.fail(&error.to_string()),
        }
        writer
    }

    pub(super) fn push(&mut self, op: Op, cost: usize) {
        let mut pending = self.shared.lock();
        while pending.bytes > MAX_PENDING && pending.failure.is_none() {
            pending = self.shared.room.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        self.taken += 1;
        // After a failure nothing is stored and nothing acknowledged: what comes is not kept.
        if pending.failure.is_none() {
            pending.ops.push(op);
            pending.bytes += cost;
            if pending.ops.len() == 1 {
                self.shared.more.notify_one();
            }
        }
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
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

    pub(super) fn fail(&self, why: &str) {
        self.shared.lock().failure.get_or_insert_with(|| why.to_owned());
    }
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

fn write_all(database: &Database, shared: &Shared, on_stored: &dyn Fn()) {
    loop {
        let group = {
            let mut pending = shared.lock();
            while pending.ops.is_empty() && !pending.is_closing && pending.failure.is_none() {
                pending = shared.more.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            pending = shared.gather(pending);
            if pending.ops.is_empty() || pending.failure.is_some() {
                return;
            }
            pending.bytes = 0;
            std::mem::take(&mut pending.ops)
        };
        shared.room.notify_all();
        let count = group.len() as u64;
        // A file that something else has written into can make redb panic: that is a failure like any other.
        let written = catch_unwind(AssertUnwindSafe(|| write(database, group).map_err(|e| e.to_string())))
            .unwrap_or_else(|_| Err("the file's structure makes no sense".into()));
        if let Err(error) = written {
            let mut pending = shared.lock();
            pending.failure.get_or_insert(error);
            pending.ops.clear();
            drop(pending);
            shared.room.notify_all();
            on_stored();
            return;
        }
        // Release: whoever sees the number sees the commit.
        shared.stored.fetch_add(count, Ordering::Release);
        on_stored();
    }
}

/// One commit for all.
fn write(database: &Database, group: Vec<Op>) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    {
        let mut events = writing.open_table(EVENTS)?;
        let mut sockets = writing.open_table(SOCKETS)?;
        let mut ends = BTreeMap::new();
        for op in group {
            match op {
                Op::Append { space, record } => {
                    events.insert((space, record.offset), codec::seal(codec::encode(&record)).as_slice())?;
                    ends.insert(space, record.offset);
                }
                Op::Trim { space, until } => events.retain_in((space, 0)..=(space, until), |_, _| false)?,
                Op::Save { space, saved } => {
                    let json = serde_json::to_vec(&saved).unwrap_or_default();
                    sockets.insert((space, &*saved.pid), json.as_slice())?;
                }
                Op::Unsave { space, pid } => {
                    sockets.remove((space, &*pid))?;
                }
            }
        }
        let mut meta = writing.open_table(META)?;
        for (space, end) in ends {
            meta.insert(end_key(space).as_str(), end)?;
        }
    }
    writing.commit()?;
    Ok(())
}

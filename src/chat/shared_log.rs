//! A log that outlives its hub: what a disk is to a server, without a disk.
//!
//! For the simulator and for tests, where a server is to crash and to begin again with what it had kept. Everything it
//! is told is safe at once; what such a promise costs on a real disk is measured in `real`'s store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::log::{EventLog, MemoryLog, Opened, Record, Retention, Saved};

/// Clones share one log. Of the ids that senders gave their events the newest
/// [`MAX_SENDER_IDS`](SharedLog::MAX_SENDER_IDS) are kept, also when their events have been dropped.
#[derive(Debug, Clone, Default)]
pub struct SharedLog(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    events: MemoryLog,
    spaces: BTreeMap<Arc<str>, Space>,
    key: Option<u128>,
    operations: u64,
}

/// What is kept of one namespace beside its events.
#[derive(Debug, Default)]
struct Space {
    end: u64,
    saved: BTreeMap<Arc<str>, Saved>,
    sender_ids: VecDeque<(Arc<str>, u64)>,
}

impl SharedLog {
    /// Beyond it the oldest is forgotten.
    pub const MAX_SENDER_IDS: usize = 100_000;

    /// An empty log.
    pub fn new(retention: Retention) -> Self {
        SharedLog(Arc::new(Mutex::new(Kept { events: MemoryLog::new(retention), ..Kept::default() })))
    }

    /// All that is kept of a namespace, oldest first: for whoever looks into it after a run.
    pub fn records(&self, namespace: &str) -> Vec<Arc<Record>> {
        self.page(namespace, 0, usize::MAX)
    }

    /// About how many bytes that takes.
    pub fn bytes(&self, namespace: &str) -> usize {
        self.records(namespace).iter().map(|record| record.cost()).sum()
    }

    /// A hub that panicked while it held the lock has left the log between two operations, both of which are whole.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for SharedLog {
    fn open(&mut self, namespace: &Arc<str>) -> Opened {
        let kept = &mut *self.lock();
        let space = kept.spaces.entry(namespace.clone()).or_insert_with(|| {
            kept.events.open(namespace);
            Space::default()
        });
        Opened {
            end: space.end,
            saved: space.saved.values().cloned().collect(),
            sender_ids: space.sender_ids.iter().cloned().collect(),
        }
    }

    fn key(&mut self, fresh: u128) -> u128 {
        *self.lock().key.get_or_insert(fresh)
    }

    fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>) {
        let kept = &mut *self.lock();
        kept.operations += 1;
        kept.events.append(namespace, record);
        let Some(space) = kept.spaces.get_mut(namespace) else { return };
        space.end = record.offset;
        space.sender_ids.extend(record.sender_id.clone().map(|id| (id, record.offset)));
        if space.sender_ids.len() > Self::MAX_SENDER_IDS {
            space.sender_ids.pop_front();
        }
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>> {
        self.lock().events.page(namespace, after, limit)
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.lock().events.horizon(namespace)
    }

    fn forget(&mut self, now_ms: u64) {
        self.lock().events.forget(now_ms);
    }

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        let kept = &mut *self.lock();
        kept.operations += 1;
        let Some(space) = kept.spaces.get_mut(namespace) else { return };
        space.saved.insert(saved.pid.clone(), saved);
    }

    fn unsave(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        let kept = &mut *self.lock();
        kept.operations += 1;
        kept.spaces.get_mut(namespace).into_iter().for_each(|space| {
            space.saved.remove(pid);
        });
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        self.lock().operations
    }

    fn stored(&self) -> u64 {
        self.lock().operations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::log::tests::record;

    #[test]
    fn a_second_hub_finds_what_the_first_one_kept() {
        let main: Arc<str> = "/".into();
        let mut first = SharedLog::new(Retention::default());
        let mut second = first.clone();
        assert_eq!(first.open(&main), Opened::default());
        assert_eq!((first.key(7), second.key(8)), (7, 7));
        (1..=3).for_each(|offset| first.append(&main, &record(offset, 0)));
        let saved = Saved {
            pid: "pid".into(),
            sid: "sid".into(),
            start: 1,
            confirmed: 2,
            rooms: Vec::new(),
            data: "null".into(),
        };
        first.save(&main, saved.clone());
        drop(first);
        let opened = second.open(&main);
        assert_eq!((opened.end, opened.saved), (3, vec![saved]));
        assert_eq!(second.page("/", 1, 10).len(), 2);
        assert_eq!(second.records("/").len(), 3);
        assert_eq!(second.bytes("/"), (1..=3).map(|offset| record(offset, 0).cost()).sum::<usize>());
        second.unsave(&main, &"pid".into());
        assert_eq!(second.open(&main).saved, []);
        assert_eq!(second.taken(), second.stored());
    }
}

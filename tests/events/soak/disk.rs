//! A disk that is played: what the log takes is stored a little later, and a crash loses what was not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use netlayers::chat::{EventLog, Opened, Record, Saved};

/// What may be wrong with it, or with the server on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It says that all is stored when it is not.
    AcknowledgesTooSoon,
    /// Now and then a record is missing from what is read.
    ReplaysWithAHole,
    /// Sockets are not there after a crash.
    ForgetsSockets,
    /// Now and then the answer to a poll says nothing, and what it was to say is lost.
    SwallowsAPoll,
}

#[derive(Debug, Clone, Default)]
struct Space {
    records: Vec<Arc<Record>>,
    saved: BTreeMap<Arc<str>, Saved>,
}

#[derive(Debug, Default)]
struct State {
    /// What is there now, and what would be there after a crash.
    now: BTreeMap<Arc<str>, Space>,
    safe: BTreeMap<Arc<str>, Space>,
    /// What is to be made safe.
    waiting: Vec<Op>,
    key: Option<u128>,
    taken: u64,
    stored: u64,
    read: u64,
    flaw: Option<Flaw>,
}

#[derive(Debug)]
enum Op {
    Append(Arc<str>, Arc<Record>),
    Save(Arc<str>, Saved),
    Unsave(Arc<str>, Arc<str>),
}

/// The log, and its disk: clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        Disk(Arc::new(Mutex::new(State { flaw, ..State::default() })))
    }

    /// All that waits becomes safe; whether there was anything.
    pub(crate) fn commit(&self) -> bool {
        let state = &mut *self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        state.stored += waiting.len() as u64;
        let any = !waiting.is_empty();
        for op in waiting {
            apply(&mut state.safe, op);
        }
        any
    }

    /// The program ends at once.
    pub(crate) fn crash(&self) {
        let state = &mut *self.lock();
        state.waiting.clear();
        state.now = state.safe.clone();
        if state.flaw == Some(Flaw::ForgetsSockets) {
            state.now.values_mut().for_each(|space| space.saved.clear());
        }
        (state.taken, state.stored) = (0, 0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panicked with it")
    }

    fn take(&self, op: Op, again: Op) {
        let state = &mut *self.lock();
        apply(&mut state.now, op);
        state.waiting.push(again);
        state.taken += 1;
    }
}

fn apply(spaces: &mut BTreeMap<Arc<str>, Space>, op: Op) {
    match op {
        Op::Append(name, record) => spaces.entry(name).or_default().records.push(record),
        Op::Save(name, saved) => {
            spaces.entry(name).or_default().saved.insert(saved.pid.clone(), saved);
        }
        Op::Unsave(name, pid) => {
            spaces.entry(name).or_default().saved.remove(&pid);
        }
    }
}

impl EventLog for Disk {
    fn open(&mut self, namespace: &Arc<str>) -> Opened {
        let state = &mut *self.lock();
        let space = state.now.entry(namespace.clone()).or_default();
        Opened {
            end: space.records.last().map_or(0, |record| record.offset),
            saved: space.saved.values().cloned().collect(),
            sender_ids: Vec::new(),
        }
    }

    fn key(&mut self, fresh: u128) -> u128 {
        *self.lock().key.get_or_insert(fresh)
    }

    fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>) {
        let op = || Op::Append(namespace.clone(), record.clone());
        self.take(op(), op());
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>> {
        let state = &mut *self.lock();
        let Some(space) = state.now.get(namespace) else { return Vec::new() };
        let from = space.records.partition_point(|record| record.offset <= after);
        let mut page: Vec<_> = space.records[from..].iter().take(limit).cloned().collect();
        state.read += 1;
        if state.flaw == Some(Flaw::ReplaysWithAHole) && state.read.is_multiple_of(5) && page.len() > 20 {
            page.remove(page.len() / 2);
        }
        page
    }

    fn horizon(&self, _: &str) -> u64 {
        0
    }

    fn forget(&mut self, _: u64) {}

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        let op = || Op::Save(namespace.clone(), saved.clone());
        self.take(op(), op());
    }

    fn unsave(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        let op = || Op::Unsave(namespace.clone(), pid.clone());
        self.take(op(), op());
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        self.lock().taken
    }

    fn stored(&self) -> u64 {
        let state = self.lock();
        if state.flaw == Some(Flaw::AcknowledgesTooSoon) { state.taken } else { state.stored }
    }
}

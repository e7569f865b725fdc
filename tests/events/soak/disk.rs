//! A disk that is played: what the log takes is stored a little later, and a crash loses what was not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use netlayers::base::{Duration, Instant, Rng};
use netlayers::chat::{Commit, Draft, EventLog, Outcome, Record, RoomPage, Saved, Sessions, Stretch, Token};

use super::world::Flaw;

#[derive(Debug, Clone, Default)]
struct Space {
    records: Vec<Arc<Record>>,
    saved: BTreeMap<Arc<str>, Saved>,
}

#[derive(Debug)]
struct State {
    /// What is there now, and what would be there after a crash.
    now: BTreeMap<Arc<str>, Space>,
    safe: BTreeMap<Arc<str>, Space>,
    /// What is to be made safe, and when.
    waiting: Vec<Op>,
    store_at: Instant,
    time: Instant,
    rng: Rng,
    committed: VecDeque<Commit>,
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
    Remove(Arc<str>, Arc<str>),
}

/// The log, and its disk: clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(crate) fn new(flaw: Option<Flaw>, rng: Rng) -> Self {
        Disk(Arc::new(Mutex::new(State {
            now: BTreeMap::new(),
            safe: BTreeMap::new(),
            waiting: Vec::new(),
            store_at: Instant::NEVER,
            time: Instant::ZERO,
            rng,
            committed: VecDeque::new(),
            key: None,
            taken: 0,
            stored: 0,
            read: 0,
            flaw,
        })))
    }

    /// The program ends at once.
    pub(crate) fn crash(&self) {
        let state = &mut *self.lock();
        state.waiting.clear();
        state.committed.clear();
        state.store_at = Instant::NEVER;
        state.now = state.safe.clone();
        if state.flaw == Some(Flaw::ForgetsSockets) {
            state.now.values_mut().for_each(|space| space.saved.clear());
        }
        (state.taken, state.stored) = (0, 0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panicked with it")
    }
}

impl State {
    fn take(&mut self, op: Op, again: Op) {
        apply(&mut self.now, op);
        self.waiting.push(again);
        self.taken += 1;
        if self.store_at == Instant::NEVER {
            // A disk that lies is in no hurry.
            let most = if self.flaw == Some(Flaw::AcknowledgesTooSoon) { 500 } else { 25 };
            self.store_at = self.time + Duration::from_millis(2 + self.rng.below(most));
        }
    }

    /// All that waits becomes safe, when it is time.
    fn store(&mut self, now: Instant) {
        self.time = self.time.max(now);
        if self.store_at <= now {
            self.store_at = Instant::NEVER;
            let waiting = std::mem::take(&mut self.waiting);
            self.stored += waiting.len() as u64;
            waiting.into_iter().for_each(|op| apply(&mut self.safe, op));
        }
    }

    fn stored(&self) -> u64 {
        if self.flaw == Some(Flaw::AcknowledgesTooSoon) { self.taken } else { self.stored }
    }

    /// Now and then one record of a long page is missing.
    fn with_a_hole(&mut self, mut page: Vec<Arc<Record>>) -> Vec<Arc<Record>> {
        self.read += 1;
        if self.flaw == Some(Flaw::ReplaysWithAHole) && self.read.is_multiple_of(5) && page.len() > 20 {
            page.remove(page.len() / 2);
        }
        page
    }
}

fn apply(spaces: &mut BTreeMap<Arc<str>, Space>, op: Op) {
    match op {
        Op::Append(name, record) => spaces.entry(name).or_default().records.push(record),
        Op::Save(name, saved) => {
            spaces.entry(name).or_default().saved.insert(saved.pid.clone(), saved);
        }
        Op::Remove(name, pid) => {
            spaces.entry(name).or_default().saved.remove(&pid);
        }
    }
}

impl EventLog for Disk {
    fn open(&mut self, namespace: &Arc<str>, _: usize) -> u64 {
        let state = &mut *self.lock();
        let space = state.now.entry(namespace.clone()).or_default();
        space.records.last().map_or(0, |record| record.offset)
    }

    fn key(&mut self, fresh: u128) -> u128 {
        *self.lock().key.get_or_insert(fresh)
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        let state = &mut *self.lock();
        let last = state.now.get(namespace).and_then(|space| space.records.last());
        let record = Arc::new(draft.at(last.map_or(0, |record| record.offset) + 1));
        let op = || Op::Append(namespace.clone(), record.clone());
        state.take(op(), op());
        let outcome = Outcome::Event(record);
        state.committed.push_back(Commit { namespace: namespace.clone(), token: Some(token), outcome });
    }

    fn committed(&mut self, now: Instant) -> Option<Commit> {
        let state = &mut *self.lock();
        state.store(now);
        state.committed.pop_front()
    }

    fn due(&self) -> Instant {
        self.lock().store_at
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let state = &mut *self.lock();
        let Some(space) = state.now.get(namespace) else { return Some(Vec::new()) };
        let from = space.records.partition_point(|record| record.offset <= after);
        let page = space.records[from..].iter().take(limit).cloned().collect();
        Some(state.with_a_hole(page))
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let state = &mut *self.lock();
        let Some(space) = state.now.get(namespace) else { return Some(Vec::new()) };
        let until = space.records.partition_point(|record| record.offset < before);
        let page = space.records[until.saturating_sub(limit)..until].to_vec();
        Some(state.with_a_hole(page))
    }

    fn page_of_room(&self, _: &str, _: &str, _: &str, _: Stretch, _: usize) -> Option<RoomPage> {
        unreachable!("nobody in this story asks for the past of a room")
    }

    fn horizon(&self, _: &str) -> u64 {
        0
    }

    fn forget(&mut self, _: u64) {}

    fn sessions(&mut self) -> Box<dyn Sessions> {
        Box::new(self.clone())
    }

    fn taken(&self) -> u64 {
        self.lock().taken
    }

    fn stored(&self) -> u64 {
        self.lock().stored()
    }
}

impl Sessions for Disk {
    fn open(&mut self, namespace: &Arc<str>) -> Vec<Saved> {
        self.lock().now.get(namespace).map_or_else(Vec::new, |space| space.saved.values().cloned().collect())
    }

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        let op = || Op::Save(namespace.clone(), saved.clone());
        self.lock().take(op(), op());
    }

    fn remove(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        let op = || Op::Remove(namespace.clone(), pid.clone());
        self.lock().take(op(), op());
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        self.lock().taken
    }

    fn stored(&self) -> u64 {
        self.lock().stored()
    }
}

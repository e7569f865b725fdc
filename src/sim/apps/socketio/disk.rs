//! A disk: what outlives the program that wrote to it.
//!
//! It keeps the event log of a simulated server over the server's crash. A simplification: what is written is safe at
//! once, where a real disk takes milliseconds (`real::store` commits what came meanwhile as a group), and nothing is
//! ever dropped, for a scene is short.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chat::{EventLog, Opened, Record, Saved};

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<BTreeMap<Arc<str>, Kept>>>);

/// What is kept of one namespace.
#[derive(Debug, Default)]
struct Kept {
    records: Vec<Arc<Record>>,
    /// By secret.
    saved: BTreeMap<Arc<str>, Saved>,
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        Disk::default()
    }

    /// The log of a namespace.
    pub fn records(&self, namespace: &str) -> Vec<Arc<Record>> {
        self.lock().get(namespace).map_or_else(Vec::new, |kept| kept.records.clone())
    }

    /// Bytes that the log of a namespace takes.
    pub fn bytes(&self, namespace: &str) -> usize {
        self.records(namespace).iter().map(|record| record.cost()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for Disk {
    fn open(&mut self, namespace: &Arc<str>) -> Opened {
        let mut namespaces = self.lock();
        let kept = namespaces.entry(namespace.clone()).or_default();
        let ids = kept.records.iter().filter_map(|record| Some((record.sender_id.clone()?, record.offset)));
        Opened {
            end: kept.records.last().map_or(0, |record| record.offset),
            saved: kept.saved.values().cloned().collect(),
            sender_ids: ids.collect(),
        }
    }

    fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>) {
        if let Some(kept) = self.lock().get_mut(namespace) {
            kept.records.push(record.clone());
        }
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>> {
        let namespaces = self.lock();
        let Some(kept) = namespaces.get(namespace) else { return Vec::new() };
        kept.records.iter().filter(|record| record.offset > after).take(limit).cloned().collect()
    }

    fn horizon(&self, _: &str) -> u64 {
        0
    }

    fn forget(&mut self, _: u64) {}

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        if let Some(kept) = self.lock().get_mut(namespace) {
            kept.saved.insert(saved.pid.clone(), saved);
        }
    }

    fn unsave(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        if let Some(kept) = self.lock().get_mut(namespace) {
            kept.saved.remove(pid);
        }
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        0
    }

    fn stored(&self) -> u64 {
        0
    }
}

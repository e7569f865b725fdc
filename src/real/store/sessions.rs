//! The sockets in the same file as the events, written in the same groups.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::writer::Writer;
use crate::chat::{Saved, Sessions};

/// What the events and the sockets are written with: in one order, in the same groups.
pub(super) struct Shared {
    pub(super) writer: Writer,
    pub(super) spaces: Mutex<BTreeMap<Arc<str>, SocketsOnDisk>>,
}

/// What the file has of a namespace's sockets.
#[derive(Debug, Default)]
pub(super) struct SocketsOnDisk {
    /// The namespace's; it may be written to once it is open.
    pub(super) number: Option<u32>,
    /// Those that were found, until they are asked for.
    pub(super) found: Vec<Saved>,
}

impl Shared {
    /// A thread that panicked with the lock leaves a map that is whole: each change of it is one step.
    pub(super) fn spaces(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, SocketsOnDisk>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sockets, as a hub sees them.
pub(super) struct StoredSessions(pub(super) Arc<Shared>);

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

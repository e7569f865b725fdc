//! What the writer's thread writes into: the file, its witness, and now and then a smaller file that takes its place.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::compaction::{Compaction, Slack};
use super::file::{Identity, Witness};
use super::guard::Guarded;
use super::ledger::Ledger;
use super::writer::Group;
use crate::base::Duration;
use crate::real::clock::Clock;

/// How many commits lie between two looks at the size of the file.
const MEASURE_EVERY: u64 = 64;

/// The database as it is now: another one, once the file has been made smaller.
pub(super) struct Current(Mutex<Arc<Guarded>>);

impl Current {
    pub(super) fn new(database: Guarded) -> Self {
        Current(Mutex::new(Arc::new(database)))
    }

    pub(super) fn get(&self) -> Arc<Guarded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, database: Guarded) -> Arc<Guarded> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(database))
    }
}

/// How often the file was made smaller, and the longest time for which that kept commits waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// How often.
    pub times: u64,
    /// The longest pause.
    pub pause: Duration,
}

/// See the head of this file.
pub(super) struct Book {
    path: PathBuf,
    current: Arc<Current>,
    identity: Identity,
    witness: Witness,
    ledger: Ledger,
    compaction: Option<Compaction>,
    slack: Slack,
    compacted: Arc<Mutex<Compacted>>,
}

impl Book {
    /// # Errors
    /// The file is not where it was opened.
    pub(super) fn new(
        path: &Path,
        current: Arc<Current>,
        witness: Witness,
        ledger: Ledger,
        slack: Slack,
    ) -> io::Result<Self> {
        Ok(Book {
            path: path.into(),
            current,
            identity: Identity::of(path)?,
            witness,
            ledger,
            compaction: None,
            slack,
            compacted: Arc::default(),
        })
    }

    pub(super) fn compacted(&self) -> Arc<Mutex<Compacted>> {
        self.compacted.clone()
    }

    pub(super) fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// Makes a group safe.
    ///
    /// # Errors
    /// In words, for people.
    pub(super) fn commit(&mut self, group: &Group) -> Result<(), String> {
        let database = self.current.get();
        database.with(|database| self.ledger.commit(database, group)).map_err(|error| error.to_string())?;
        self.witness.write(self.ledger.commits()).map_err(|error| error.to_string())?;
        if let Some(compaction) = &self.compaction
            && compaction.commit(group).is_err()
        {
            // The first file is whole, and goes on to be used.
            self.compaction = None;
        }
        self.look()
    }

    /// Whether the file is still the one that was opened.
    pub(super) fn look(&self) -> Result<(), String> {
        match Identity::of(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => Err("another file has taken its place while it was in use".into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err("it was removed while it was in use, and what is written now would be gone with it"
                    .into())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Makes the file a piece smaller, when it is much larger than what is in it.
    pub(super) fn compact(&mut self) {
        let clock = Clock::start();
        let begun = clock.now();
        let is_time = self.ledger.commits().is_multiple_of(MEASURE_EVERY);
        if self.compaction.is_none() && is_time && self.slack.is_too_much(&self.path, self.ledger.bytes()) {
            self.compaction = Compaction::begin(&self.path).ok();
        } else if let Some(mut compaction) = self.compaction.take() {
            let database = self.current.get();
            match compaction.step(&database) {
                Ok(false) => self.compaction = Some(compaction),
                Ok(true) => self.finish(compaction, &database),
                // No room for two files, for one: the first goes on to be used.
                Err(_) => {}
            }
        } else {
            return;
        }
        let compacted = &mut *self.compacted.lock().unwrap_or_else(PoisonError::into_inner);
        compacted.pause = compacted.pause.max(clock.now().since(begun));
    }

    fn finish(&mut self, compaction: Compaction, database: &Guarded) {
        let Ok(smaller) = compaction.finish(database, &self.path, &self.ledger) else { return };
        let larger = self.current.set(smaller);
        if let Ok(identity) = Identity::of(&self.path) {
            self.identity = identity;
        }
        self.compacted.lock().unwrap_or_else(PoisonError::into_inner).times += 1;
        // To close it takes a while, and nobody needs to wait for that.
        let _ = std::thread::Builder::new().name("old event log".into()).spawn(move || drop(larger));
    }
}

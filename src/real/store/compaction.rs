//! Making the file smaller while it is written to.
//!
//! redb uses again what became free, but gives little of it back to the system; and its own compaction allows nobody
//! else in until it is done, which takes seconds. So a second file is filled beside the first: a piece at
//! a time, between two commits, and whatever is committed meanwhile goes into both. When everything has been copied the
//! second takes the place of the first. A program that ends before that leaves a file that the next start removes.

use std::fs;
use std::ops::Bound::{Excluded, Unbounded};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};

use super::file::{keep_private, open_with, sync_directory};
use super::guard::Guarded;
use super::layout::{EVENTS, SOCKETS, STATE};
use super::ledger::{Ledger, put, put_sockets};
use super::writer::Group;

/// The second file.
const FILE: &str = "events.compact";

/// Bytes copied at a time, and entries: some milliseconds, most of them to make them safe. As long a commit may be held up.
const PIECE: usize = 1 << 20;
const ENTRIES: usize = 4096;

/// How a file stands to what is in it: then it is made smaller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slack {
    /// It is at least so large,
    pub(super) bytes: u64,
    /// and `times` as large as the events in it. Half-filled pages alone make it about twice as large.
    pub(super) times: u64,
}

impl Default for Slack {
    fn default() -> Self {
        Slack { bytes: 32 << 20, times: 4 }
    }
}

impl Slack {
    pub(super) fn is_too_much(self, path: &Path, live: u64) -> bool {
        let len = fs::metadata(path).map_or(0, |file| file.len());
        len > self.bytes && len / self.times > live
    }
}

/// A second file, as far as it is filled.
pub(super) struct Compaction {
    path: PathBuf,
    database: Guarded,
    at: At,
}

/// What was copied last.
#[derive(Debug, Clone)]
enum At {
    Events(u32, u64),
    Sockets(u32, String),
    End,
}

impl Compaction {
    /// Removes what an earlier run has left.
    pub(super) fn clear(directory: &Path) -> std::io::Result<()> {
        match fs::remove_file(directory.join(FILE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn begin(log: &Path) -> Result<Compaction, redb::Error> {
        let directory = log.parent().unwrap_or(Path::new("."));
        Compaction::clear(directory)?;
        let path = directory.join(FILE);
        let database = open_with(true, false, &(Arc::new(|_| ()) as _), |builder| builder.create(&path))?;
        keep_private(&path)?;
        Ok(Compaction { path, database, at: At::Events(0, 0) })
    }

    /// What was committed to the first file goes into this one as well.
    pub(super) fn commit(&self, group: &Group) -> Result<(), redb::Error> {
        self.database.with(|database| {
            let writing = database.begin_write()?;
            put(&writing, &group.ops)?;
            put_sockets(&writing, group)?;
            writing.commit()?;
            Ok(())
        })
    }

    /// Copies a piece; whether it was the last.
    pub(super) fn step(&mut self, from: &Guarded) -> Result<bool, redb::Error> {
        let at = self.at.clone();
        self.at = from.with(|from| self.database.with(|to| copy(from, to, at)))?;
        Ok(matches!(self.at, At::End))
    }

    /// Puts the second file in the place of the first.
    pub(super) fn finish(self, from: &Guarded, log: &Path, ledger: &Ledger) -> Result<Guarded, redb::Error> {
        from.with(|from| self.database.with(|to| close_books(from, to, ledger)))?;
        fs::rename(&self.path, log)?;
        sync_directory(log.parent().unwrap_or(Path::new(".")));
        Ok(self.database)
    }
}

fn copy(from: &Database, to: &Database, mut at: At) -> Result<At, redb::Error> {
    let (reading, writing) = (from.begin_read()?, to.begin_write()?);
    let (mut bytes, mut entries) = (0, 0);
    if let At::Events(number, offset) = at {
        let events = reading.open_table(EVENTS)?;
        let mut copies = writing.open_table(EVENTS)?;
        at = At::Sockets(0, String::new());
        for entry in events.range::<(u32, u64)>((Excluded((number, offset)), Unbounded))? {
            let (key, value) = entry?;
            copies.insert(key.value(), value.value())?;
            (bytes, entries) = (bytes + value.value().len(), entries + 1);
            if bytes >= PIECE || entries >= ENTRIES {
                at = At::Events(key.value().0, key.value().1);
                break;
            }
        }
    } else if let At::Sockets(number, pid) = at {
        let sockets = reading.open_table(SOCKETS)?;
        let mut copies = writing.open_table(SOCKETS)?;
        at = At::End;
        for entry in sockets.range::<(u32, &str)>((Excluded((number, pid.as_str())), Unbounded))? {
            let (key, value) = entry?;
            copies.insert(key.value(), value.value())?;
            (bytes, entries) = (bytes + value.value().len(), entries + 1);
            if bytes >= PIECE || entries >= ENTRIES {
                at = At::Sockets(key.value().0, key.value().1.to_owned());
                break;
            }
        }
    }
    writing.commit()?;
    Ok(at)
}

/// What is left to be written; and whether everything is there.
fn close_books(from: &Database, to: &Database, ledger: &Ledger) -> Result<(), redb::Error> {
    let (reading, writing) = (from.begin_read()?, to.begin_write()?);
    {
        let mut state = writing.open_table(STATE)?;
        for entry in reading.open_table(STATE)?.iter()? {
            let (key, value) = entry?;
            state.insert(key.value(), value.value())?;
        }
    }
    ledger.write(&writing, ledger.numbers())?;
    let counts = (writing.open_table(EVENTS)?.len()?, writing.open_table(SOCKETS)?.len()?);
    if counts != ledger.counts() {
        return Err(redb::Error::Corrupted("its copy is not the same".into()));
    }
    writing.commit()?;
    Ok(())
}

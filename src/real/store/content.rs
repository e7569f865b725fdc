//! The file, read once from its beginning to its end: one that is damaged is an error before any client is served.
//!
//! redb's checksums are of pages, and it looks at them after an unclean end. Ours are of what was put in, and of its key; and
//! what is missing without a trace is found by what each namespace's [`Place`] says: its events have no gap
//! between two offsets, and its sockets a number.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};

use super::error::StoreError;
use super::guard::Guarded;
use super::layout::{EVENTS, Place, SOCKETS, SPACES, STATE, event_key, read_number, socket_key};
use super::steps::OnDisk;
use super::{FORMAT, Progress, Told, codec, file};
use crate::chat::{Retention, Saved};

/// What a file has.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) spaces: BTreeMap<Arc<str>, Found>,
    pub(super) commits: u64,
}

/// What it has of a namespace.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) disk: OnDisk,
    /// The ids that senders gave their events, with the offset of each, oldest first.
    pub(super) sender_ids: Vec<(Arc<str>, u64)>,
    pub(super) saved: Vec<Saved>,
}

impl Content {
    /// # Errors
    /// It is of another format, or not as it was written; the path is for their words.
    pub(super) fn read(
        database: &Guarded,
        path: &Path,
        retention: &Retention,
        told: &Told,
    ) -> Result<Content, StoreError> {
        let of_content = |error| StoreError::of_content(path, error);
        match database.with(file::format).map_err(of_content)? {
            FORMAT => {}
            0 => return Err(of_content(damaged("it says no format"))),
            found => return Err(StoreError::Format { path: path.into(), found }),
        }
        database
            .with(|database| Reader { reading: database.begin_read()?, retention, told }.read())
            .map_err(of_content)
    }
}

fn damaged(why: impl Into<String>) -> redb::Error {
    redb::Error::Corrupted(why.into())
}

struct Reader<'a> {
    reading: ReadTransaction,
    retention: &'a Retention,
    told: &'a Told,
}

impl Reader<'_> {
    fn read(&self) -> Result<Content, redb::Error> {
        let commits = self.reading.open_table(STATE)?.get("commits")?;
        let commits = commits.and_then(|sealed| read_number("commits", sealed.value()));
        let commits = commits.and_then(|commits| u64::try_from(commits).ok());
        let commits = commits.ok_or_else(|| damaged("the number of its commits is not as it was written"))?;
        let mut content = Content { commits, ..Content::default() };
        let (mut events, mut sockets) = (0, 0);
        for entry in self.reading.open_table(SPACES)?.iter()? {
            let (name, sealed) = entry?;
            let name: Arc<str> = name.value().into();
            let place = Place::read(&name, sealed.value());
            let place =
                place.ok_or_else(|| damaged(format!("namespace {name:?} is not as it was written")))?;
            events += place.end - place.horizon;
            sockets += place.sockets;
            content.spaces.insert(name.clone(), self.namespace(&name, place)?);
        }
        // Those of a namespace that is missing would be left over.
        if self.reading.open_table(EVENTS)?.len()? != events
            || self.reading.open_table(SOCKETS)?.len()? != sockets
        {
            return Err(damaged("a namespace is missing"));
        }
        Ok(content)
    }

    fn namespace(&self, name: &str, place: Place) -> Result<Found, redb::Error> {
        let Place { number, horizon, end, sockets } = place;
        let disk = OnDisk::new(number, horizon);
        let mut found = Found { place, disk, ..Found::default() };
        let events = self.reading.open_table(EVENTS)?;
        let mut next = horizon + 1;
        for entry in events.range((number, 0)..=(number, u64::MAX))? {
            let (key, sealed) = entry?;
            let (offset, sealed) = (key.value().1, sealed.value());
            if offset != next {
                return Err(damaged(format!("event {next} of namespace {name} is missing")));
            }
            let record = codec::unseal(&event_key(number, offset), sealed);
            let Some(record) = record.and_then(|bytes| codec::decode(offset, bytes)) else {
                return Err(damaged(format!("event {offset} of namespace {name} is not as it was written")));
            };
            found.disk.add(&record, self.retention);
            found.sender_ids.extend(record.sender_id.map(|id| (id, offset)));
            next += 1;
            if offset.is_multiple_of(100_000) {
                (self.told)(Progress::Reading(offset - horizon));
            }
        }
        if next != end + 1 {
            return Err(damaged(format!("event {next} of namespace {name} is missing")));
        }
        for entry in self.reading.open_table(SOCKETS)?.range((number, "")..)? {
            let (key, sealed) = entry?;
            let (of, pid) = key.value();
            if of != number {
                break;
            }
            let json = codec::unseal(&socket_key(number, pid), sealed.value());
            let saved = json.and_then(|json| serde_json::from_slice(json).ok());
            let why = || damaged(format!("a socket of namespace {name} is not as it was written"));
            found.saved.push(saved.ok_or_else(why)?);
        }
        if found.saved.len() as u64 != sockets {
            return Err(damaged(format!("a socket of namespace {name} is missing")));
        }
        Ok(found)
    }
}

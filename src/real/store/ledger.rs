//! One commit for everything that waits, and the books that go with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Database, WriteTransaction};

use super::codec;
use super::content::Content;
use super::layout::{EVENTS, Place, SOCKETS, SPACES, STATE, event_key, sealed_number, socket_key};
use super::writer::{Group, Op};

/// What the file says of itself: rewritten with each commit that changes it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    spaces: BTreeMap<u32, (Arc<str>, Place)>,
    /// About how many bytes the events of each namespace take.
    bytes: BTreeMap<u32, u64>,
    commits: u64,
}

impl Ledger {
    pub(super) fn of(content: &Content) -> Self {
        let spaces = content.spaces.iter();
        Ledger {
            spaces: spaces
                .clone()
                .map(|(name, found)| (found.place.number, (name.clone(), found.place)))
                .collect(),
            bytes: spaces.map(|(_, found)| (found.place.number, found.disk.bytes())).collect(),
            commits: content.commits,
        }
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// About how many bytes all events take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.values().sum()
    }

    /// Events and sockets that there should be.
    pub(super) fn counts(&self) -> (u64, u64) {
        let places = self.spaces.values().map(|(_, place)| place);
        places.fold((0, 0), |(events, sockets), place| {
            (events + place.end - place.horizon, sockets + place.sockets)
        })
    }

    /// Writes a group, safe when this returns.
    pub(super) fn commit(&mut self, database: &Database, group: &Group) -> Result<(), redb::Error> {
        let writing = database.begin_write()?;
        let mut changed = BTreeMap::new();
        for op in &group.ops {
            self.note(op, &mut changed);
        }
        put(&writing, &group.ops)?;
        for (number, more) in put_sockets(&writing, group)? {
            if let Some((name, place)) = self.spaces.get_mut(&number) {
                place.sockets = place.sockets.saturating_add_signed(more);
                changed.insert(number, name.clone());
            }
        }
        self.commits += 1;
        self.write(&writing, changed.keys())?;
        writing.commit()?;
        Ok(())
    }

    /// The books, as far as they are of these namespaces.
    pub(super) fn write<'a>(
        &self,
        writing: &WriteTransaction,
        numbers: impl Iterator<Item = &'a u32>,
    ) -> Result<(), redb::Error> {
        let mut spaces = writing.open_table(SPACES)?;
        for (name, place) in numbers.filter_map(|number| self.spaces.get(number)) {
            spaces.insert(&**name, place.sealed(name).as_slice())?;
        }
        let commits = sealed_number("commits", self.commits.into());
        writing.open_table(STATE)?.insert("commits", commits.as_slice())?;
        Ok(())
    }

    /// The numbers of all namespaces.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &u32> {
        self.spaces.keys()
    }

    fn note(&mut self, op: &Op, changed: &mut BTreeMap<u32, Arc<str>>) {
        let number = match op {
            Op::Name { space, name } => {
                self.spaces.insert(*space, (name.clone(), Place { number: *space, ..Place::default() }));
                *space
            }
            Op::Append { space, record } => {
                *self.bytes.entry(*space).or_default() += record.cost() as u64;
                self.spaces.entry(*space).and_modify(|(_, place)| place.end = record.offset);
                *space
            }
            Op::Trim { space, until, left } => {
                self.bytes.insert(*space, *left);
                self.spaces.entry(*space).and_modify(|(_, place)| place.horizon = *until);
                *space
            }
        };
        changed.extend(self.spaces.get(&number).map(|(name, _)| (number, name.clone())));
    }
}

/// The events of a group.
pub(super) fn put(writing: &WriteTransaction, ops: &[Op]) -> Result<(), redb::Error> {
    let mut events = writing.open_table(EVENTS)?;
    for op in ops {
        match op {
            Op::Name { .. } => {}
            Op::Append { space, record } => {
                let key = event_key(*space, record.offset);
                let sealed = codec::seal(&key, codec::encode(record));
                events.insert((*space, record.offset), sealed.as_slice())?;
            }
            Op::Trim { space, until, .. } => {
                events.retain_in((*space, 0)..=(*space, *until), |_, _| false)?;
            }
        }
    }
    Ok(())
}

/// The sockets of a group; how many more there are of each namespace.
pub(super) fn put_sockets(
    writing: &WriteTransaction,
    group: &Group,
) -> Result<BTreeMap<u32, i64>, redb::Error> {
    let mut sockets = writing.open_table(SOCKETS)?;
    let mut more = BTreeMap::new();
    for ((space, pid), saved) in &group.sockets {
        let was_there = match saved {
            Some(saved) => {
                let json = serde_json::to_vec(saved).unwrap_or_default();
                let sealed = codec::seal(&socket_key(*space, pid), json);
                sockets.insert((*space, &**pid), sealed.as_slice())?.is_some()
            }
            None => sockets.remove((*space, &**pid))?.is_some(),
        };
        *more.entry(*space).or_default() += i64::from(saved.is_some()) - i64::from(was_there);
    }
    Ok(more)
}

//! The sockets of a namespace that are away, and which of them are evicted when they are too many.
//!
//! One client can fill a table that all share. So the sockets that have nothing to miss go first: they were in no room
//! and are not known to have received anything. A client that joins rooms with each of its connections gets past that:
//! so next goes one of the origin whose sockets take most. The client that fills the table loses by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::sessions::Saved;
use super::config::Recovery;
use super::membership::Memberships;
use super::state::TimerId;
use crate::base::Instant;
use crate::layers::application::socketio::Value;

/// A socket whose connection broke, and when it is given up.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) id: Arc<str>,
    pub(super) pid: Arc<str>,
    pub(super) rooms: Memberships,
    pub(super) start: u64,
    pub(super) confirmed: u64,
    pub(super) data: Value,
    /// Up to when its allowance of events is spent.
    pub(super) spent_until: Instant,
    pub(super) timer: TimerId,
    /// Where the log was when it broke off: a hub that has not got so far cannot take it back yet.
    pub(super) end: u64,
    /// When its connection broke, in milliseconds since 1970.
    pub(super) left_ms: u64,
    /// Where its client came from.
    pub(super) origin: Option<Arc<str>>,
    /// The offset it last returned with, and how many returns in a row brought it no further.
    pub(super) in_vain: (Option<u64>, u32),
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct AwaySockets {
    /// By secret, with about how many bytes each takes.
    sockets: BTreeMap<Arc<str>, (Away, usize)>,
    /// The secrets of those that have nothing to miss, the longest away in front.
    idle: BTreeMap<TimerId, Arc<str>>,
    /// The others of each origin in the same order, with their bytes; and which origin takes how many.
    origins: BTreeMap<Origin, (BTreeMap<TimerId, Arc<str>>, usize)>,
    heaviest: BTreeSet<(usize, Origin)>,
    bytes: usize,
}

/// What is not known is one of them.
type Origin = Option<Arc<str>>;

impl AwaySockets {
    pub(super) fn insert(&mut self, away: Away, cost: usize) {
        self.remove(&away.pid);
        if away.has_a_past() {
            self.weigh(&away.origin, |places, bytes| {
                places.insert(away.timer, away.pid.clone());
                *bytes += cost;
            });
        } else {
            self.idle.insert(away.timer, away.pid.clone());
        }
        self.bytes += cost;
        self.sockets.insert(away.pid.clone(), (away, cost));
    }

    pub(super) fn remove(&mut self, pid: &str) -> Option<Away> {
        let (away, cost) = self.sockets.remove(pid)?;
        if away.has_a_past() {
            self.weigh(&away.origin, |places, bytes| {
                places.remove(&away.timer);
                *bytes -= cost;
            });
        } else {
            self.idle.remove(&away.timer);
        }
        self.bytes -= cost;
        Some(away)
    }

    /// Changes what there is of an origin.
    fn weigh(&mut self, origin: &Origin, change: impl FnOnce(&mut BTreeMap<TimerId, Arc<str>>, &mut usize)) {
        let (places, bytes) = self.origins.entry(origin.clone()).or_default();
        self.heaviest.remove(&(*bytes, origin.clone()));
        change(places, bytes);
        if places.is_empty() {
            self.origins.remove(origin);
        } else {
            self.heaviest.insert((*bytes, origin.clone()));
        }
    }

    /// Whether any but those of this origin have something to miss.
    pub(super) fn has_others(&self, origin: &Arc<str>) -> bool {
        self.origins.keys().any(|other| other.as_ref() != Some(origin))
    }

    pub(super) fn get(&self, pid: &str) -> Option<&Away> {
        self.sockets.get(pid).map(|(away, _)| away)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Away> {
        self.sockets.values().map(|(away, _)| away)
    }

    pub(super) fn len(&self) -> usize {
        self.sockets.len()
    }

    /// The next to be evicted, while there are too many.
    pub(super) fn too_much(&self, bounds: &Recovery) -> Option<Arc<str>> {
        if self.sockets.len() <= bounds.away && self.bytes <= bounds.away_bytes {
            return None;
        }
        let heaviest = self.heaviest.last().and_then(|(_, origin)| self.origins.get(origin));
        let first = self.idle.first_key_value();
        first.or_else(|| heaviest?.0.first_key_value()).map(|(_, pid)| pid.clone())
    }
}

impl Away {
    /// Whether it has something to miss.
    fn has_a_past(&self) -> bool {
        self.confirmed > self.start || self.rooms.current().next().is_some()
    }
}

impl Away {
    /// As another hub is to know it.
    pub(super) fn saved(self) -> Saved {
        Saved {
            pid: self.pid,
            sid: self.id,
            start: self.start,
            confirmed: self.confirmed,
            rooms: self.rooms.saved(),
            data: self.data.to_json(),
            end: self.end,
            left_ms: Some(self.left_ms),
            origin: self.origin,
        }
    }
}

impl Saved {
    /// About how many bytes it takes in memory.
    pub(super) fn cost(&self) -> usize {
        let rooms: usize = self.rooms.iter().map(|room| room.name.len() + 64).sum();
        // Parsed, its data takes a few times as much as its text.
        512 + rooms + self.data.len() * 4
    }
}

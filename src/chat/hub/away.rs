//! The sockets of a namespace that are away, and which of them are evicted when they are too many.
//!
//! One client can fill a table that all share. So the sockets that have nothing to miss go first: they were in no room
//! and are not known to have received anything. A client that joins rooms with each of its connections gets past that;
//! it has to be slowed where connections are let in.

use std::collections::BTreeMap;
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
    /// The offset it last returned with, and how many returns in a row brought it no further.
    pub(super) in_vain: (Option<u64>, u32),
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct AwaySockets {
    /// By secret, with about how many bytes each takes.
    sockets: BTreeMap<Arc<str>, (Away, usize)>,
    /// Their secrets in eviction order, the first to go in front.
    order: BTreeMap<(bool, TimerId), Arc<str>>,
    bytes: usize,
}

impl AwaySockets {
    pub(super) fn insert(&mut self, away: Away, cost: usize) {
        self.remove(&away.pid);
        self.order.insert(away.rank(), away.pid.clone());
        self.bytes += cost;
        self.sockets.insert(away.pid.clone(), (away, cost));
    }

    pub(super) fn remove(&mut self, pid: &str) -> Option<Away> {
        let (away, cost) = self.sockets.remove(pid)?;
        self.order.remove(&away.rank());
        self.bytes -= cost;
        Some(away)
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
        let is_too_much = self.sockets.len() > bounds.away || self.bytes > bounds.away_bytes;
        self.order.first_key_value().filter(|_| is_too_much).map(|(_, pid)| pid.clone())
    }
}

impl Away {
    /// Whether it has something to miss, and how long it has been away.
    fn rank(&self) -> (bool, TimerId) {
        let has_a_past = self.confirmed > self.start || self.rooms.current().next().is_some();
        (has_a_past, self.timer)
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

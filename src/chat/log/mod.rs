//! The log: the events of each namespace, in the one order that holds for everybody.
//!
//! Each namespace has an append-only log of its own. A hub does not decide an event's place in it: it *proposes* an
//! event, the log commits it and gives it its *offset*, and every hub on that log, the proposing one too, delivers what
//! the log hands back as committed, in that order. So two hubs on one log agree about what came first, and a client
//! that moves from one to the other goes on where it was: it remembers the last offset it got, and "what came after
//! that?" is all it has to ask. That one mark turns "at most once" into "exactly once in effect".
//!
//! Offsets order events and nothing else. A log may leave gaps between them, and only the log computes the next
//! one. The text of an event carries its offset, so it is proposed as a [`Draft`] with a hole where the offset goes.
//!
//! | a log | commits | what it kept outlives |
//! |---|---|---|
//! | [`MemoryLog`] | at once | nothing |
//! | `Store`, in `real` | at once; what was committed is safe on disk a little later | the program |
//! | [`SharedLog`] | at once | the hubs on it |
//! | [`Stream`] | later: its hubs reach it through a network that is played | the hubs on it |
//!
//! *Committed* is an order and *stored* is a promise. A log counts the operations it has taken and how many of them are
//! stored, and a hub lets nothing out that rests on something that is not.
//!
//! Left out: compaction by key.

mod draft;
mod memory;
mod room_index;
mod sender_ids;
mod shared;
mod stream;

use std::sync::Arc;

use crate::base::{Duration, Instant};
use crate::layers::application::socketio::Encoded;

use super::sessions::{MemorySessions, Sessions};

pub use draft::{Draft, Stamp};
pub use memory::MemoryLog;
pub(crate) use room_index::RoomIndex;
pub(crate) use sender_ids::SenderIds;
pub use shared::SharedLog;
pub use stream::{Stream, StreamDelays};

/// One kept event: its receivers, and how it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log of its namespace: above that of every earlier event. 0 is before the first.
    pub offset: u64,
    /// When it was said, in milliseconds since 1970.
    pub at_ms: u64,
    /// It is for the members of any of these rooms; when there are none, for everyone in the namespace.
    pub to: Vec<Arc<str>>,
    /// But not for the members of these.
    pub except: Vec<Arc<str>>,
    /// The id that its sender gave it, by which a second copy of the same is known.
    pub sender_id: Option<Arc<str>>,
    /// The packet as it is sent, its offset included: to replay it is to send these bytes.
    pub wire: Encoded,
}

impl Record {
    /// About how many bytes it takes.
    pub fn cost(&self) -> usize {
        // A shared text takes two words in the list, and two before it.
        let names = self.to.iter().chain(&self.except).chain(&self.sender_id).map(|name| name.len() + 32);
        self.wire.len() + names.sum::<usize>() + 128
    }
}

/// How much of the past is kept; whatever is beyond any of these goes, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// No event is kept longer than this. A client that may come back for two minutes misses events from when its
    /// connection broke, and those two minutes count from when the server noticed it: so at least the window of
    /// recovery, and the time for a ping and its pong, and a little.
    pub age: Duration,
    /// Bytes of one namespace's log; four times as many while it takes that to keep what is [`young`](Self::young).
    pub bytes: u64,
    /// What is younger may still be missed by a client that returns: no flood of large events pushes it out, short
    /// of four times [`bytes`](Self::bytes). At least the time for which a connection can be recovered, and the time
    /// that it takes to notice a break.
    pub young: Duration,
    /// Events in one namespace's log.
    pub events: u64,
}

impl Default for Retention {
    /// An hour, 64 MiB, a million events; young for three minutes.
    fn default() -> Self {
        Retention {
            age: Duration::from_secs(3600),
            bytes: 64 << 20,
            young: Duration::from_secs(180),
            events: 1_000_000,
        }
    }
}

impl Retention {
    /// Whether this many bytes are too many, when the oldest of them were said at `at_ms`.
    pub(crate) fn is_too_much(&self, bytes: u64, at_ms: u64, now_ms: u64) -> bool {
        let is_young = now_ms.saturating_sub(at_ms) < self.young.as_nanos() / 1_000_000;
        bytes > if is_young { self.bytes.saturating_mul(4) } else { self.bytes }
    }
}

/// A stretch of a log, and from which of its ends it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Above this offset.
    pub after: u64,
    /// Below this one.
    pub before: u64,
    /// What is newest counts first.
    pub newest: bool,
}

/// Events of one room and one name, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomPage {
    /// The events.
    pub records: Vec<Arc<Record>>,
    /// There are more in the same direction.
    pub more: bool,
}

/// Names a proposal; given by the hub, never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What the log has decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The namespace whose log it is in.
    pub namespace: Arc<str>,
    /// Which proposal of this hub it was; `None` for another hub's.
    pub token: Option<Token>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, after everything that was handed back before.
    Event(Arc<Record>),
    /// The log already has an event with the id that its sender gave it, at this offset: it has no second effect.
    Duplicate(u64),
}

/// Orders and keeps the events of each namespace. See the head of this file.
///
/// One hub has one of these; several hubs on one log each have a handle of their own.
pub trait EventLog: Send {
    /// Begins with a namespace, and returns its end: what is committed after that is handed back by
    /// [`committed`](EventLog::committed). The ids of this many of the newest events that had one are remembered.
    /// Called once for each namespace, before anything else of it.
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64;

    /// The key that makes offsets unguessable: what it was given at the first call of all, also by an earlier run of
    /// the program or by another hub. Only a log that ends with the program may take a `fresh` one each time.
    fn key(&mut self, fresh: u128) -> u128;

    /// Asks for an event to be committed. Proposals of one hub in one namespace are committed in the order in which
    /// they were made. May wait when storage cannot keep up, so that memory stays bounded; a caller that asks
    /// [`is_behind`](EventLog::is_behind) before it reads more does not have to.
    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft);

    /// The next event that is committed, of any namespace that was opened, from any hub. Each is handed back once.
    fn committed(&mut self, now: Instant) -> Option<Commit>;

    /// When to ask again for what is [committed](EventLog::committed), if nothing else rings first.
    fn due(&self) -> Instant {
        Instant::NEVER
    }

    /// Events above `after`, in order, up to `limit` of them. Fewer do not mean that there are no more: a log on disk
    /// reads no further when it has read much. An empty page does, or that what is next has been dropped. `None` when
    /// it has to be fetched: to be asked again when the log has rung.
    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>>;

    /// The newest events below `before`, oldest first, up to `limit` of them; otherwise the same.
    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>>;

    /// Up to `limit` events of this name that were sent to this room; fewer also where they are large. `None` when they
    /// have to be fetched: to be asked again when the log has rung. This costs what it returns, however
    /// many events of others lie between them.
    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage>;

    /// The offset of the newest event that was dropped, 0 when none was: a client that has seen everything up to it has
    /// missed nothing for good.
    fn horizon(&self, namespace: &str) -> u64;

    /// Drops what is too old.
    fn forget(&mut self, now_ms: u64);

    /// Where the sockets are kept that may come back: beside the events. In memory, when nothing outlives the hub.
    fn sessions(&mut self) -> Box<dyn Sessions> {
        Box::new(MemorySessions)
    }

    /// Whether other hubs may be on it.
    fn is_shared(&self) -> bool {
        false
    }

    /// Operations taken so far.
    fn taken(&self) -> u64 {
        0
    }

    /// How many of them are safe, in the order in which they were taken.
    fn stored(&self) -> u64 {
        self.taken()
    }

    /// Whether the backlog of what is to be stored is so long that clients should not be read from until it shrinks.
    /// That slows the senders down, and delays no client that waits for an answer.
    fn is_behind(&self) -> bool {
        false
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::layers::application::socketio::{Packet, Value};

    /// An event that says its own offset.
    pub(crate) fn record(offset: u64, at_ms: u64) -> Arc<Record> {
        let wire = Packet::event("/", "said", vec![Value::from(offset)]).encode();
        let to = vec!["room".into()];
        Arc::new(Record { offset, at_ms, to, except: Vec::new(), sender_id: None, wire })
    }
}

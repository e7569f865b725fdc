//! The sockets that may come back: what is remembered of each, and which hub has it.
//!
//! They are kept apart from the events. An event is sent once and stays as it is; a socket changes with every room it
//! joins, is wanted by its secret, and must never be at two hubs at a time.
//!
//! A hub remembers the sockets it has itself, connected and away. It writes them down here so that a crash, which gives
//! no notice, loses none; and when a client presents a secret that it does not know, it asks here whether another hub
//! has it. That hub decides as it would for a client of its own (`hub/recovery.rs`), and hands the socket over
//! or keeps it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Instant;

/// A room that a socket is or was in, and for which stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// The room's name.
    pub name: Arc<str>,
    /// A member for events with offsets above this.
    pub after: u64,
    /// And up to this; `None` while it is a member.
    pub until: Option<u64>,
}

/// What must be known of a socket to bring it back: kept from its first moment, for a crash gives no notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The secret by which its client returns.
    pub pid: Arc<str>,
    /// The socket's public id.
    pub sid: Arc<str>,
    /// The end of the log when it first connected: what came later may be for it.
    pub start: u64,
    /// An offset that its client is known to have received; one that returns with less is another client.
    pub confirmed: u64,
    /// The rooms, its own not among them.
    pub rooms: Vec<SavedRoom>,
    /// What the program keeps with the socket, as JSON.
    pub data: String,
    /// The end of the log as its hub had it when this was noted. A hub that has not got so far cannot tell yet what the
    /// offsets in here mean.
    #[serde(default)]
    pub end: u64,
    /// When its connection broke, in milliseconds since 1970; `None` while it is connected. The window in which it may come
    /// back counts from there, whichever hub or run of the program it comes back to.
    #[serde(default)]
    pub left_ms: Option<u64>,
    /// Where its client comes from, when that is known.
    #[serde(default)]
    pub origin: Option<Arc<str>>,
}

/// Names a claim: chosen by the hub that makes it, and unique among its own.
pub type ClaimId = u64;

/// What other hubs want, or answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The answer to a [`claim`](Sessions::claim): the socket, which is this hub's from now on, or nothing.
    Answered {
        /// The number of the claim that is answered.
        claim: ClaimId,
        /// The namespace of the secret.
        namespace: Arc<str>,
        /// The socket, when another hub has handed it over.
        saved: Option<Saved>,
    },
    /// The secret of a socket of this hub was presented to another one: to be
    /// [answered](Sessions::answer).
    Asked {
        /// The question, for the answer.
        question: u64,
        /// The namespace of the secret.
        namespace: Arc<str>,
        /// The secret, a socket's `pid`.
        pid: Arc<str>,
        /// The offset that it came with, if any.
        offset: Option<u64>,
    },
}

/// What a hub says that was asked for a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The other one may have it, as it is now; here it is forgotten.
    Given(Saved),
    /// It stays here: the newcomer is another client.
    Kept,
    /// It is not here: what is written of it counts.
    Unknown,
}

/// Keeps the sockets that may come back. See the head of this file.
pub trait Sessions: Send {
    /// The sockets of a namespace that this hub had when it ended. Called once for each namespace.
    fn open(&mut self, namespace: &Arc<str>) -> Vec<Saved>;

    /// Remembers a socket of this hub, in place of what it remembered of the same secret.
    fn save(&mut self, namespace: &Arc<str>, saved: Saved);

    /// Forgets a socket: it left for good, or was away for too long.
    fn remove(&mut self, namespace: &Arc<str>, pid: &Arc<str>);

    /// Whether they outlive the hub. When not, it need not save them.
    fn is_durable(&self) -> bool;

    /// Asks the other hubs for a socket. False when there are none; else a [`Notice`] has the answer.
    fn claim(&mut self, _: ClaimId, _: &Arc<str>, _: &Arc<str>, _: Option<u64>) -> bool {
        false
    }

    /// Answers a question of another hub, by its number.
    fn answer(&mut self, _: u64, _: Handover) {}

    /// What the other hubs want or answer, in order.
    fn notice(&mut self, _: Instant) -> Option<Notice> {
        None
    }

    /// When to ask again for a [`notice`](Sessions::notice), if nothing else rings first.
    fn due(&self) -> Instant {
        Instant::NEVER
    }

    /// Operations taken so far; counted together with the log's when both are in one place.
    fn taken(&self) -> u64 {
        0
    }

    /// How many of them are safe, in the order in which they were taken.
    fn stored(&self) -> u64 {
        self.taken()
    }
}

/// Nothing is kept: the hub's own memory is all there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemorySessions;

impl Sessions for MemorySessions {
    fn open(&mut self, _: &Arc<str>) -> Vec<Saved> {
        Vec::new()
    }

    fn save(&mut self, _: &Arc<str>, _: Saved) {}

    fn remove(&mut self, _: &Arc<str>, _: &Arc<str>) {}

    fn is_durable(&self) -> bool {
        false
    }
}

//! The log: what was said in each namespace, kept in order, so that nobody who was away has missed it.
//!
//! Each namespace has an append-only log of its own. An event's place in it is its *offset*: 1, 2, 3, with no gaps. A
//! client remembers the last offset it got, and "what came after 17?" is all it has to ask when it returns. That one
//! number is what turns "at most once" into "exactly once in effect": the server replays what is above it, and there
//! is nothing to compare or forget.
//!
//! The hub works on the trait [`EventLog`]. [`MemoryLog`] keeps a stretch of the past as long as the program runs; the
//! one in `real` puts it on disk. What has been appended is not yet safe: a log counts the operations it has *taken*
//! and how many of them are *stored*, and the hub lets nothing out that rests on something not stored yet.
//!
//! Left out: several servers on one log (the trait is where that will go), and compaction by key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Duration;
use crate::layers::application::socketio::Encoded;

/// One kept event: whom it was for, and how it went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log of its namespace. The first is 1.
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
    /// What is younger may still be missed by somebody who comes back: no flood of large events pushes it out, short
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
    /// Whether so many bytes are too many, when the oldest of them were said at `at_ms`.
    pub(crate) fn is_too_much(&self, bytes: u64, at_ms: u64, now_ms: u64) -> bool {
        let is_young = now_ms.saturating_sub(at_ms) < self.young.as_nanos() / 1_000_000;
        bytes > if is_young { self.bytes.saturating_mul(4) } else { self.bytes }
    }
}

/// A room that a socket is or was in, and for which stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// Its name.
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
    /// Its public id.
    pub sid: Arc<str>,
    /// The end of the log when it first connected: what came later may be for it.
    pub start: u64,
    /// An offset that its client is known to have got; one that returns with less is somebody else.
    pub confirmed: u64,
    /// The rooms, its own not among them.
    pub rooms: Vec<SavedRoom>,
    /// What the program keeps with the socket, as JSON.
    pub data: String,
}

/// What a log had when its namespace was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The offset of the last event; 0 when there has been none.
    pub end: u64,
    /// The sockets that were connected, or could still come back, when the program ended.
    pub saved: Vec<Saved>,
    /// The newest of the ids that senders gave their events, with the offset of each, oldest first.
    pub sender_ids: Vec<(Arc<str>, u64)>,
}

/// Keeps the events of each namespace in order. See the head of this file.
pub trait EventLog: Send {
    /// Begins with a namespace; what is known of it from earlier. Called once for each, before anything else of it.
    fn open(&mut self, namespace: &Arc<str>) -> Opened;

    /// The key that makes offsets unguessable: what it was given at the first call of all, also by an earlier run of
    /// the program. Only a log that ends with the program may take a `fresh` one each time.
    fn key(&mut self, fresh: u128) -> u128;

    /// Takes the next event: its offset is one above the last. May wait when storage cannot keep up, so that memory
    /// stays bounded: whoever asks [`is_behind`](EventLog::is_behind) before it reads more need not.
    fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>);

    /// Events above `after`, in order, up to `limit` of them. Fewer do not mean that there are no more: a log on disk
    /// reads no further when it has read much. An empty page does, or that what is next has been dropped.
    fn page(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>>;

    /// The offset before the oldest event that is still here: whoever has seen that one has missed nothing for good.
    fn horizon(&self, namespace: &str) -> u64;

    /// Drops what is too old.
    fn forget(&mut self, now_ms: u64);

    /// Remembers a socket, in place of what it remembered of the same secret.
    fn save(&mut self, namespace: &Arc<str>, saved: Saved);

    /// Forgets a socket: it left for good, or was away for too long.
    fn unsave(&mut self, namespace: &Arc<str>, pid: &Arc<str>);

    /// Whether it is kept beyond the end of the program. When not, the hub need not save sockets.
    fn is_durable(&self) -> bool;

    /// Operations taken so far.
    fn taken(&self) -> u64;

    /// How many of them are safe, in the order in which they were taken.
    fn stored(&self) -> u64;

    /// Whether so much waits to be stored that clients should not be listened to until less does. That slows the
    /// senders down, and holds up nobody who waits for an answer.
    fn is_behind(&self) -> bool {
        false
    }
}

/// A log in memory: gone with the program, and so never behind.
#[derive(Debug, Default)]
pub struct MemoryLog {
    retention: Retention,
    namespaces: BTreeMap<Arc<str>, Kept>,
}

/// The kept stretch of one namespace.
#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    bytes: u64,
    end: u64,
}

impl MemoryLog {
    /// An empty log.
    pub fn new(retention: Retention) -> Self {
        MemoryLog { retention, namespaces: BTreeMap::new() }
    }

    /// An empty stretch that begins behind `end`: the log on disk keeps its newest part here too.
    pub(crate) fn resume(&mut self, namespace: &Arc<str>, end: u64) {
        self.namespaces.entry(namespace.clone()).or_default().end = end;
    }
}

impl EventLog for MemoryLog {
    fn open(&mut self, namespace: &Arc<str>) -> Opened {
        self.resume(namespace, 0);
        Opened::default()
    }

    fn key(&mut self, fresh: u128) -> u128 {
        fresh
    }

    fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>) {
        let Some(kept) = self.namespaces.get_mut(namespace) else { return };
        kept.bytes += record.cost() as u64;
        kept.end = record.offset;
        kept.records.push_back(record.clone());
        kept.bound(&self.retention, record.at_ms);
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>> {
        let Some(kept) = self.namespaces.get(namespace) else { return Vec::new() };
        // Offsets have no gaps, so the place of one is a subtraction.
        let skipped = usize::try_from(after.saturating_sub(kept.horizon())).unwrap_or(usize::MAX);
        kept.records.iter().skip(skipped).take(limit).cloned().collect()
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.namespaces.get(namespace).map_or(0, Kept::horizon)
    }

    fn forget(&mut self, now_ms: u64) {
        let oldest = now_ms.saturating_sub(self.retention.age.as_nanos() / 1_000_000);
        for kept in self.namespaces.values_mut() {
            while kept.records.front().is_some_and(|record| record.at_ms < oldest) && kept.drop_oldest() {}
            kept.bound(&self.retention, now_ms);
        }
    }

    fn save(&mut self, _: &Arc<str>, _: Saved) {}

    fn unsave(&mut self, _: &Arc<str>, _: &Arc<str>) {}

    fn is_durable(&self) -> bool {
        false
    }

    fn taken(&self) -> u64 {
        0
    }

    fn stored(&self) -> u64 {
        0
    }
}

impl Kept {
    fn horizon(&self) -> u64 {
        self.records.front().map_or(self.end, |oldest| oldest.offset.saturating_sub(1))
    }

    /// Drops what is too much.
    fn bound(&mut self, retention: &Retention, now_ms: u64) {
        while let Some(oldest) = self.records.front()
            && (self.records.len() as u64 > retention.events
                || retention.is_too_much(self.bytes, oldest.at_ms, now_ms))
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.records.pop_front();
        self.bytes -= dropped.as_ref().map_or(0, |record| record.cost() as u64);
        dropped.is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::layers::application::socketio::{Packet, Value};

    pub(crate) fn record(offset: u64, at_ms: u64) -> Arc<Record> {
        let wire = Packet::event("/", "said", vec![Value::from(offset)]).encode();
        let to = vec!["room".into()];
        Arc::new(Record { offset, at_ms, to, except: Vec::new(), sender_id: None, wire })
    }

    fn log(retention: Retention) -> (MemoryLog, Arc<str>) {
        let mut log = MemoryLog::new(retention);
        let main: Arc<str> = "/".into();
        assert_eq!(log.open(&main), Opened::default());
        (log, main)
    }

    fn offsets(log: &MemoryLog, after: u64, limit: usize) -> Vec<u64> {
        log.page("/", after, limit).iter().map(|record| record.offset).collect()
    }

    #[test]
    fn a_page_holds_what_came_after_in_order() {
        let (mut log, main) = log(Retention::default());
        (1..=5).for_each(|offset| log.append(&main, &record(offset, 0)));
        assert_eq!(offsets(&log, 2, 10), [3, 4, 5]);
        assert_eq!(offsets(&log, 0, 2), [1, 2]);
        assert_eq!(offsets(&log, 5, 10), [0; 0]);
        assert_eq!(offsets(&log, u64::MAX, 10), [0; 0]);
    }

    #[test]
    fn what_is_too_much_goes_oldest_first_and_the_horizon_tells() {
        let (mut log, main) = log(Retention { events: 3, ..Retention::default() });
        assert_eq!(log.horizon("/"), 0);
        (1..=5).for_each(|offset| log.append(&main, &record(offset, 0)));
        assert_eq!(offsets(&log, 0, 10), [3, 4, 5]);
        assert_eq!(log.horizon("/"), 2);
    }

    #[test]
    fn what_is_too_old_goes_and_the_offsets_go_on() {
        let (mut log, main) = log(Retention { age: Duration::from_secs(1), ..Retention::default() });
        log.append(&main, &record(1, 1_000));
        log.append(&main, &record(2, 2_000));
        log.forget(2_500);
        assert_eq!(offsets(&log, 0, 10), [2]);
        log.forget(10_000);
        assert_eq!((log.horizon("/"), offsets(&log, 0, 10).len()), (2, 0));
        log.append(&main, &record(3, 10_000));
        assert_eq!((log.horizon("/"), offsets(&log, 0, 10)), (2, vec![3]));
    }

    #[test]
    fn the_bytes_are_bounded() {
        let (mut log, main) = log(Retention { bytes: 2_000, young: Duration::ZERO, ..Retention::default() });
        (1..=100).for_each(|offset| log.append(&main, &record(offset, 0)));
        let kept: usize = log.page("/", 0, 1000).iter().map(|record| record.cost()).sum();
        assert!((1_000..=2_000).contains(&kept), "{kept}");
    }

    #[test]
    fn a_flood_does_not_push_out_what_is_young_short_of_four_times_the_bytes() {
        let young = Duration::from_secs(10);
        let (mut log, main) = log(Retention { bytes: 2_000, young, ..Retention::default() });
        let kept = |log: &MemoryLog| log.page("/", 0, 1000).iter().map(|record| record.cost()).sum::<usize>();
        (1..=30).for_each(|offset| log.append(&main, &record(offset, 1_000)));
        assert_eq!(log.horizon("/"), 0, "{} bytes", kept(&log));
        (31..=100).for_each(|offset| log.append(&main, &record(offset, 1_000)));
        assert!((7_000..=8_000).contains(&kept(&log)), "{}", kept(&log));
        log.forget(11_000);
        assert!((1_000..=2_000).contains(&kept(&log)), "it is young no more: {}", kept(&log));
    }
}

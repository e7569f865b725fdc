//! The log of a program that keeps nothing beyond its end, and the newest stretch of every other log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{
    Commit, Draft, EventLog, Outcome, Record, Retention, RoomIndex, RoomPage, SenderIds, Stretch, Token,
};
use crate::base::Instant;

/// A log in memory: it commits at once, and is gone with the program.
#[derive(Debug)]
pub struct MemoryLog {
    retention: Retention,
    /// From one offset to the next.
    stride: u64,
    namespaces: BTreeMap<Arc<str>, Kept>,
    committed: VecDeque<Commit>,
}

/// The kept stretch of one namespace.
#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    bytes: u64,
    end: u64,
    /// The last event that was dropped.
    dropped: u64,
    sender_ids: SenderIds,
    rooms: RoomIndex,
}

/// What a log that keeps its events elsewhere, on disk, needs of its newest part in memory.
#[cfg(feature = "real")]
impl MemoryLog {
    /// An empty stretch that begins after `end`: a log that keeps everything elsewhere has its newest part here too.
    pub(crate) fn resume(&mut self, namespace: &Arc<str>, end: u64) {
        let kept = self.namespaces.entry(namespace.clone()).or_default();
        (kept.end, kept.dropped) = (end, end);
    }

    /// Takes an event that is committed.
    pub(crate) fn add(&mut self, namespace: &str, record: Arc<Record>) {
        let Some(kept) = self.namespaces.get_mut(namespace) else { return };
        kept.add(record, &self.retention);
    }

    /// Remembers the id of an event that is kept elsewhere.
    pub(crate) fn remember(&mut self, namespace: &str, id: Arc<str>, offset: u64) {
        if let Some(kept) = self.namespaces.get_mut(namespace) {
            kept.sender_ids.add(id, offset);
        }
    }
}

impl MemoryLog {
    /// An empty log, which keeps what `retention` says.
    pub fn new(retention: Retention) -> Self {
        MemoryLog { retention, stride: 1, namespaces: BTreeMap::new(), committed: VecDeque::new() }
    }

    /// With gaps between its offsets, as other logs have them.
    #[must_use]
    pub fn with_stride(self, stride: u64) -> Self {
        MemoryLog { stride: stride.max(1), ..self }
    }

    /// Where the event is that this one would be a second copy of.
    pub(crate) fn original(&self, namespace: &str, draft: &Draft) -> Option<u64> {
        self.namespaces.get(namespace)?.sender_ids.offset(draft.sender_id.as_ref()?)
    }

    /// The offset of the last event.
    pub(crate) fn end(&self, namespace: &str) -> u64 {
        self.namespaces.get(namespace).map_or(0, |kept| kept.end)
    }

    /// Events above `after`, in order, up to `limit` of them.
    pub(crate) fn above(&self, namespace: &str, after: u64, limit: usize) -> Vec<Arc<Record>> {
        let Some(kept) = self.namespaces.get(namespace) else { return Vec::new() };
        let from = kept.records.partition_point(|record| record.offset <= after);
        kept.records.range(from..).take(limit).cloned().collect()
    }

    /// The event at an offset.
    pub(crate) fn at(&self, namespace: &str, offset: u64) -> Option<&Arc<Record>> {
        let records = &self.namespaces.get(namespace)?.records;
        records.binary_search_by_key(&offset, |record| record.offset).ok().and_then(|at| records.get(at))
    }

    /// The newest events below `before`, oldest first, up to `limit` of them.
    pub(crate) fn below(&self, namespace: &str, before: u64, limit: usize) -> Vec<Arc<Record>> {
        let Some(kept) = self.namespaces.get(namespace) else { return Vec::new() };
        let until = kept.records.partition_point(|record| record.offset < before);
        kept.records.range(until.saturating_sub(limit)..until).cloned().collect()
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        MemoryLog::new(Retention::default())
    }
}

impl EventLog for MemoryLog {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        let kept = self.namespaces.entry(namespace.clone()).or_default();
        kept.sender_ids.resize(sender_ids);
        kept.end
    }

    fn key(&mut self, fresh: u128) -> u128 {
        fresh
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        let original = self.original(namespace, &draft);
        let Some(kept) = self.namespaces.get_mut(namespace) else { return };
        let outcome = match original {
            Some(offset) => Outcome::Duplicate(offset),
            None => {
                let record = Arc::new(draft.at(kept.end + self.stride));
                kept.add(record.clone(), &self.retention);
                Outcome::Event(record)
            }
        };
        self.committed.push_back(Commit { namespace: namespace.clone(), token: Some(token), outcome });
    }

    fn committed(&mut self, _: Instant) -> Option<Commit> {
        self.committed.pop_front()
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        Some(self.above(namespace, after, limit))
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        Some(self.below(namespace, before, limit))
    }

    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage> {
        let Some(kept) = self.namespaces.get(namespace) else { return Some(RoomPage::default()) };
        let stretch = Stretch { after: stretch.after.max(kept.dropped), ..stretch };
        let (offsets, more) = kept.rooms.find(room, name, stretch, limit);
        let records = offsets.into_iter().filter_map(|offset| self.at(namespace, offset).cloned()).collect();
        Some(RoomPage { records, more })
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.namespaces.get(namespace).map_or(0, |kept| kept.dropped)
    }

    fn forget(&mut self, now_ms: u64) {
        let oldest = now_ms.saturating_sub(self.retention.age.as_nanos() / 1_000_000);
        for kept in self.namespaces.values_mut() {
            while kept.records.front().is_some_and(|record| record.at_ms < oldest) && kept.drop_oldest() {}
            kept.bound(&self.retention, now_ms);
        }
    }
}

impl Kept {
    fn add(&mut self, record: Arc<Record>, retention: &Retention) {
        self.bytes += record.cost() as u64;
        self.end = record.offset;
        if let Some(id) = &record.sender_id {
            self.sender_ids.add(id.clone(), record.offset);
        }
        let at_ms = record.at_ms;
        self.rooms.add(&record, self.dropped);
        self.records.push_back(record);
        self.bound(retention, at_ms);
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
        if let Some(record) = &dropped {
            self.bytes -= record.cost() as u64;
            self.dropped = record.offset;
        }
        dropped.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Duration;
    use crate::chat::log::tests::record;

    fn log(retention: Retention) -> (MemoryLog, Arc<str>) {
        let mut log = MemoryLog::new(retention);
        let main: Arc<str> = "/".into();
        assert_eq!(log.open(&main, 10), 0);
        (log, main)
    }

    impl MemoryLog {
        /// Proposes an event, which is committed with the offset that it says.
        fn append(&mut self, namespace: &Arc<str>, record: &Arc<Record>) {
            self.propose(namespace, Token(7), Draft::of(record));
            let commit = self.committed(Instant::ZERO).map(|commit| (commit.token, commit.outcome));
            assert_eq!(commit, Some((Some(Token(7)), Outcome::Event(record.clone()))));
        }
    }

    fn page(log: &MemoryLog, after: u64, limit: usize) -> Vec<Arc<Record>> {
        log.page("/", after, limit).expect("it is in memory")
    }

    fn offsets(log: &MemoryLog, after: u64, limit: usize) -> Vec<u64> {
        page(log, after, limit).iter().map(|record| record.offset).collect()
    }

    #[test]
    fn a_page_holds_what_came_after_in_order() {
        let (mut log, main) = log(Retention::default());
        (1..=5).for_each(|offset| log.append(&main, &record(offset, 0)));
        assert_eq!(offsets(&log, 2, 10), [3, 4, 5]);
        assert_eq!(offsets(&log, 0, 2), [1, 2]);
        assert_eq!(offsets(&log, 5, 10), [0; 0]);
        assert_eq!(offsets(&log, u64::MAX, 10), [0; 0]);
        let before = |before, limit| {
            let page = log.page_before("/", before, limit).expect("it is in memory");
            page.iter().map(|record| record.offset).collect::<Vec<_>>()
        };
        assert_eq!((before(4, 2), before(u64::MAX, 1)), (vec![2, 3], vec![5]));
        assert_eq!((before(1, 9), before(0, 9)), (vec![], vec![]));
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
        let kept: usize = page(&log, 0, 1000).iter().map(|record| record.cost()).sum();
        assert!((1_000..=2_000).contains(&kept), "{kept}");
    }

    #[test]
    fn a_flood_does_not_push_out_what_is_young_short_of_four_times_the_bytes() {
        let young = Duration::from_secs(10);
        let (mut log, main) = log(Retention { bytes: 2_000, young, ..Retention::default() });
        let kept = |log: &MemoryLog| page(log, 0, 1000).iter().map(|record| record.cost()).sum::<usize>();
        (1..=30).for_each(|offset| log.append(&main, &record(offset, 1_000)));
        assert_eq!(log.horizon("/"), 0, "{} bytes", kept(&log));
        (31..=100).for_each(|offset| log.append(&main, &record(offset, 1_000)));
        assert!((7_000..=8_000).contains(&kept(&log)), "{}", kept(&log));
        log.forget(11_000);
        assert!((1_000..=2_000).contains(&kept(&log)), "it is young no more: {}", kept(&log));
    }

    #[test]
    fn a_second_copy_of_an_event_is_told_from_where_the_first_one_is() {
        let (mut log, main) = log(Retention::default());
        let mut propose = |id: &str| {
            let mut draft = Draft::of(&record(1, 0));
            draft.sender_id = Some(id.into());
            log.propose(&main, Token(1), draft);
            log.committed(Instant::ZERO).map(|commit| commit.outcome)
        };
        assert!(matches!(propose("a"), Some(Outcome::Event(record)) if record.offset == 1));
        assert!(matches!(propose("b"), Some(Outcome::Event(record)) if record.offset == 2));
        assert_eq!(propose("a"), Some(Outcome::Duplicate(1)));
    }
}

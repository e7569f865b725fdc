//! A log that outlives its hubs: what a disk is to a server, or a database to several, without either.
//!
//! For the simulator and for tests, where a server crashes and restarts with what it had kept, or where two
//! servers act as one. Every write is safe at once; what such a promise costs on a real disk is measured in
//! `real`'s store, and what distance does to it is seen with a [`Stream`](super::Stream).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::sessions::{ClaimId, Handover, Notice, Saved, Sessions};
use super::{Commit, Draft, EventLog, MemoryLog, Outcome, Record, Retention, RoomPage, Stretch, Token};
use crate::base::Instant;

/// Clones share one log, and each is the handle of one hub. No other hub is woken when one has written: it
/// sees that with its next input.
#[derive(Debug, Default)]
pub struct SharedLog {
    kept: Arc<Mutex<Kept>>,
    /// How far this hub has been handed each namespace.
    heard: BTreeMap<Arc<str>, u64>,
    /// Its own events that it has not been handed yet.
    own: BTreeMap<(Arc<str>, u64), Token>,
    duplicates: VecDeque<Commit>,
}

#[derive(Debug, Default)]
struct Kept {
    events: MemoryLog,
    sockets: BTreeMap<(Arc<str>, Arc<str>), SharedSocket>,
    /// What waits for each hub that lives.
    hubs: BTreeMap<HubId, VecDeque<Notice>>,
    /// Questions that were not answered: the hub that asked, its claim, the socket, and the hub that is to answer.
    questions: BTreeMap<u64, Question>,
    /// The next number of a hub or a question.
    next: u64,
    key: Option<u128>,
    operations: u64,
}

type HubId = u64;

/// A socket that may come back.
#[derive(Debug)]
struct SharedSocket {
    saved: Saved,
    owner: HubId,
}

#[derive(Debug)]
struct Question {
    asker: HubId,
    claim: ClaimId,
    namespace: Arc<str>,
    pid: Arc<str>,
    owner: HubId,
}

impl SharedLog {
    /// An empty log, which keeps what `retention` says.
    pub fn new(retention: Retention) -> Self {
        SharedLog::with_stride(retention, 1)
    }

    /// The same with gaps between its offsets.
    pub fn with_stride(retention: Retention, stride: u64) -> Self {
        let kept = Kept { events: MemoryLog::new(retention).with_stride(stride), ..Kept::default() };
        SharedLog { kept: Arc::new(Mutex::new(kept)), ..SharedLog::default() }
    }

    /// All that is kept of a namespace, oldest first: to look at after a run.
    pub fn records(&self, namespace: &str) -> Vec<Arc<Record>> {
        lock(&self.kept).events.above(namespace, 0, usize::MAX)
    }

    /// About how many bytes that takes.
    pub fn bytes(&self, namespace: &str) -> usize {
        self.records(namespace).iter().map(|record| record.cost()).sum()
    }
}

/// A hub that panicked while it held the lock has left the log between two operations, both of which are whole.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle that has read nothing yet.
impl Clone for SharedLog {
    fn clone(&self) -> Self {
        SharedLog { kept: self.kept.clone(), ..SharedLog::default() }
    }
}

impl EventLog for SharedLog {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        let end = lock(&self.kept).events.open(namespace, sender_ids);
        self.heard.insert(namespace.clone(), end);
        end
    }

    fn key(&mut self, fresh: u128) -> u128 {
        *lock(&self.kept).key.get_or_insert(fresh)
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        let kept = &mut *lock(&self.kept);
        kept.operations += 1;
        kept.events.propose(namespace, token, draft);
        let Some(commit) = kept.events.committed(Instant::ZERO) else { return };
        match &commit.outcome {
            Outcome::Event(record) => {
                self.own.insert((namespace.clone(), record.offset), token);
            }
            Outcome::Duplicate(_) => self.duplicates.push_back(commit),
        }
    }

    fn committed(&mut self, _: Instant) -> Option<Commit> {
        if let Some(duplicate) = self.duplicates.pop_front() {
            return Some(duplicate);
        }
        let kept = lock(&self.kept);
        let (namespace, heard) =
            self.heard.iter_mut().find(|(namespace, heard)| kept.events.end(namespace) > **heard)?;
        let record = kept.events.above(namespace, *heard, 1).pop()?;
        *heard = record.offset;
        let token = self.own.remove(&(namespace.clone(), record.offset));
        Some(Commit { namespace: namespace.clone(), token, outcome: Outcome::Event(record) })
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        lock(&self.kept).events.page(namespace, after, limit)
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        lock(&self.kept).events.page_before(namespace, before, limit)
    }

    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage> {
        lock(&self.kept).events.page_of_room(namespace, room, name, stretch, limit)
    }

    fn horizon(&self, namespace: &str) -> u64 {
        lock(&self.kept).events.horizon(namespace)
    }

    fn forget(&mut self, now_ms: u64) {
        lock(&self.kept).events.forget(now_ms);
    }

    fn sessions(&mut self) -> Box<dyn Sessions> {
        Box::new(SharedSessions::new(self))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        lock(&self.kept).operations
    }
}

/// The sockets beside a [`SharedLog`], as one hub sees them. Those of a hub that is gone go to the first that asks.
#[derive(Debug)]
pub(super) struct SharedSessions {
    kept: Arc<Mutex<Kept>>,
    me: HubId,
}

impl SharedSessions {
    pub(super) fn new(log: &SharedLog) -> Self {
        let mut kept = lock(&log.kept);
        kept.next += 1;
        let me = kept.next;
        kept.hubs.insert(me, VecDeque::new());
        SharedSessions { kept: log.kept.clone(), me }
    }
}

impl Sessions for SharedSessions {
    fn open(&mut self, namespace: &Arc<str>) -> Vec<Saved> {
        let kept = &mut *lock(&self.kept);
        let of_nobody = kept
            .sockets
            .iter_mut()
            .filter(|((of, _), socket)| of == namespace && !kept.hubs.contains_key(&socket.owner));
        of_nobody
            .map(|(_, socket)| {
                socket.owner = self.me;
                socket.saved.clone()
            })
            .collect()
    }

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        let kept = &mut *lock(&self.kept);
        kept.operations += 1;
        let name = (namespace.clone(), saved.pid.clone());
        // What was written before it was handed over may arrive after.
        let is_mine = kept.sockets.get(&name).is_none_or(|socket| socket.owner == self.me);
        if is_mine {
            kept.sockets.insert(name, SharedSocket { saved, owner: self.me });
        }
    }

    fn remove(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        let kept = &mut *lock(&self.kept);
        kept.operations += 1;
        let name = (namespace.clone(), pid.clone());
        if kept.sockets.get(&name).is_some_and(|socket| socket.owner == self.me) {
            kept.sockets.remove(&name);
        }
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn claim(&mut self, claim: ClaimId, namespace: &Arc<str>, pid: &Arc<str>, offset: Option<u64>) -> bool {
        let kept = &mut *lock(&self.kept);
        let socket = kept.sockets.get(&(namespace.clone(), pid.clone()));
        let owner = socket.map_or(self.me, |socket| socket.owner);
        kept.next += 1;
        let (question, asker) = (kept.next, self.me);
        let (namespace, pid) = (namespace.clone(), pid.clone());
        let asked = Notice::Asked { question, namespace: namespace.clone(), pid: pid.clone(), offset };
        kept.questions.insert(question, Question { asker, claim, namespace, pid, owner });
        match kept.hubs.get_mut(&owner).filter(|_| owner != asker) {
            Some(notices) => notices.push_back(asked),
            None => kept.settle(question, Handover::Unknown),
        }
        true
    }

    fn answer(&mut self, question: u64, answer: Handover) {
        lock(&self.kept).settle(question, answer);
    }

    fn notice(&mut self, _: Instant) -> Option<Notice> {
        lock(&self.kept).hubs.get_mut(&self.me)?.pop_front()
    }

    fn taken(&self) -> u64 {
        lock(&self.kept).operations
    }
}

impl Kept {
    /// Hands the answer to the hub that asked. When that one is gone, the socket goes to the next that asks.
    fn settle(&mut self, question: u64, answer: Handover) {
        let Some(Question { asker, claim, namespace, pid, .. }) = self.questions.remove(&question) else {
            return;
        };
        let name = (namespace.clone(), pid);
        let saved = match answer {
            Handover::Given(saved) => Some(saved),
            Handover::Kept => None,
            Handover::Unknown => self.sockets.get(&name).map(|socket| socket.saved.clone()),
        };
        if let Some(saved) = &saved {
            self.sockets.insert(name, SharedSocket { saved: saved.clone(), owner: asker });
        }
        if let Some(notices) = self.hubs.get_mut(&asker) {
            notices.push_back(Notice::Answered { claim, namespace, saved });
        }
    }
}

/// The hub is gone: what it was asked is answered with what is written.
impl Drop for SharedSessions {
    fn drop(&mut self) {
        let kept = &mut *lock(&self.kept);
        kept.hubs.remove(&self.me);
        let open: Vec<u64> =
            kept.questions.iter().filter(|(_, q)| q.owner == self.me).map(|(number, _)| *number).collect();
        open.into_iter().for_each(|question| kept.settle(question, Handover::Unknown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::log::tests::record;

    fn saved(pid: &str) -> Saved {
        let (pid, sid) = (pid.into(), "sid".into());
        Saved {
            pid,
            sid,
            start: 1,
            confirmed: 2,
            rooms: Vec::new(),
            data: "null".into(),
            end: 3,
            left_ms: None,
            origin: None,
        }
    }

    fn append(log: &mut SharedLog, namespace: &Arc<str>, offset: u64) {
        log.propose(namespace, Token(offset), Draft::of(&record(offset, 0)));
    }

    fn committed(log: &mut SharedLog) -> Vec<(Option<u64>, u64)> {
        let commits = std::iter::from_fn(|| log.committed(Instant::ZERO));
        commits
            .map(|commit| match commit.outcome {
                Outcome::Event(record) => (commit.token.map(|token| token.0), record.offset),
                Outcome::Duplicate(offset) => panic!("a duplicate of {offset}"),
            })
            .collect()
    }

    #[test]
    fn a_second_hub_finds_what_the_first_one_kept() {
        let main: Arc<str> = "/".into();
        let mut first = SharedLog::new(Retention::default());
        let mut second = first.clone();
        assert_eq!(first.open(&main, 10), 0);
        assert_eq!((first.key(7), second.key(8)), (7, 7));
        (1..=3).for_each(|offset| append(&mut first, &main, offset));
        let mut sessions = first.sessions();
        sessions.save(&main, saved("pid"));
        drop((first, sessions));
        assert_eq!(second.open(&main, 10), 3);
        let mut sessions = second.sessions();
        assert_eq!(sessions.open(&main), [saved("pid")]);
        assert_eq!(second.page("/", 1, 10).map(|page| page.len()), Some(2));
        assert_eq!(second.records("/").len(), 3);
        assert_eq!(second.bytes("/"), (1..=3).map(|offset| record(offset, 0).cost()).sum::<usize>());
        sessions.remove(&main, &"pid".into());
        drop(sessions);
        assert_eq!(second.sessions().open(&main), []);
        assert_eq!(second.taken(), second.stored());
    }

    #[test]
    fn every_hub_is_handed_every_event_once_in_one_order() {
        let main: Arc<str> = "/".into();
        let mut first = SharedLog::new(Retention::default());
        let mut second = first.clone();
        first.open(&main, 10);
        second.open(&main, 10);
        append(&mut first, &main, 1);
        append(&mut second, &main, 2);
        append(&mut first, &main, 3);
        assert_eq!(committed(&mut first), [(Some(1), 1), (None, 2), (Some(3), 3)]);
        assert_eq!(committed(&mut second), [(None, 1), (Some(2), 2), (None, 3)]);
        assert_eq!(committed(&mut first), []);
    }

    #[test]
    fn a_socket_is_handed_over_by_the_hub_that_has_it_or_taken_from_one_that_is_gone() {
        let (main, pid): (Arc<str>, Arc<str>) = ("/".into(), "pid".into());
        let mut log = SharedLog::default();
        let (mut first, mut second) = (log.sessions(), log.sessions());
        assert!(second.claim(1, &main, &pid, None));
        let answered = |claim, saved| Some(Notice::Answered { claim, namespace: "/".into(), saved });
        assert_eq!(second.notice(Instant::ZERO), answered(1, None), "no hub has it");
        first.save(&main, saved("pid"));
        assert!(second.claim(2, &main, &pid, Some(9)));
        let Some(Notice::Asked { question, offset: Some(9), .. }) = first.notice(Instant::ZERO) else {
            panic!("the owner is asked")
        };
        assert_eq!(second.notice(Instant::ZERO), None);
        first.answer(question, Handover::Given(Saved { end: 5, ..saved("pid") }));
        assert_eq!(second.notice(Instant::ZERO), answered(2, Some(Saved { end: 5, ..saved("pid") })));
        first.save(&main, saved("pid"));
        first.remove(&main, &pid);
        assert!(first.claim(3, &main, &pid, None));
        drop(second);
        let taken = answered(3, Some(Saved { end: 5, ..saved("pid") }));
        assert_eq!(first.notice(Instant::ZERO), taken, "what came late did not count");
        // A hub that asked and is gone: the socket that it was given is there for the next one.
        let (mut third, mut fourth) = (log.sessions(), log.sessions());
        assert!(third.claim(4, &main, &pid, None));
        let Some(Notice::Asked { question, .. }) = first.notice(Instant::ZERO) else { panic!("it is asked") };
        drop(third);
        first.answer(question, Handover::Given(Saved { end: 6, ..saved("pid") }));
        assert!(fourth.claim(5, &main, &pid, None));
        assert_eq!(fourth.notice(Instant::ZERO), answered(5, Some(Saved { end: 6, ..saved("pid") })));
    }
}

//! A log that several hubs share and that is some distance away: a stream of a database, whose network is simulated.
//!
//! What a hub proposes, saves, claims or answers arrives a little later, in order; what was committed it reads a little
//! after that, for it looks only now and then. So between a proposal and its commit other hubs' events may come first,
//! a hub may lag another one, and what is old has to be fetched. When a hub is gone, part of what it had in flight
//! arrives and the rest does not.
//!
//! It runs in virtual time: a handle says when it is to be polled again ([`EventLog::due`]). All chance comes from the
//! seed that it was given.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::sessions::{ClaimId, Handover, Notice, Saved, Sessions};
use super::shared::SharedSessions;
use super::{Commit, Draft, EventLog, Record, RoomPage, SharedLog, Stretch, Token};
use crate::base::{Duration, Instant, Rng};

/// How far the stream is from its hubs; each time is drawn between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDelays {
    /// From a hub to the stream.
    pub way: (Duration, Duration),
    /// From one look at what is new to the next.
    pub look: (Duration, Duration),
    /// Of the newest events, this many are at hand; older ones are fetched.
    pub at_hand: usize,
}

impl Default for StreamDelays {
    /// 1 to 5 ms, every 2 to 10 ms, 64 events.
    fn default() -> Self {
        let millis = Duration::from_millis;
        StreamDelays { way: (millis(1), millis(5)), look: (millis(2), millis(10)), at_hand: 64 }
    }
}

/// The handle of one hub. [`Stream::new`] on the same log makes one for the next.
#[derive(Debug)]
pub struct Stream(Arc<Mutex<Pipe>>);

/// What is between a hub and the stream.
#[derive(Debug)]
struct Pipe {
    log: SharedLog,
    sessions: SharedSessions,
    delays: StreamDelays,
    rng: Rng,
    /// When it was last asked.
    now: Instant,
    under_way: VecDeque<(Instant, Op)>,
    look_at: Instant,
    commits: VecDeque<Commit>,
    notices: VecDeque<Notice>,
    /// Pages that are being fetched, and when they are here.
    fetching: Mutex<Fetching>,
    taken: u64,
    stored: u64,
}

/// By namespace, offset and direction.
type Fetching = BTreeMap<(Arc<str>, u64, bool), Instant>;

#[derive(Debug)]
enum Op {
    Propose(Arc<str>, Token, Draft),
    Save(Arc<str>, Saved),
    Remove(Arc<str>, Arc<str>),
    Claim(ClaimId, Arc<str>, Arc<str>, Option<u64>),
    Answer(u64, Handover),
}

impl Stream {
    /// A hub's handle on this log, as far away as `delays` says.
    pub fn new(log: &SharedLog, delays: StreamDelays, rng: Rng) -> Self {
        let log = log.clone();
        let sessions = SharedSessions::new(&log);
        Stream(Arc::new(Mutex::new(Pipe {
            log,
            sessions,
            delays,
            rng,
            now: Instant::ZERO,
            under_way: VecDeque::new(),
            look_at: Instant::ZERO,
            commits: VecDeque::new(),
            notices: VecDeque::new(),
            fetching: Mutex::default(),
            taken: 0,
            stored: 0,
        })))
    }

    fn line(&self) -> MutexGuard<'_, Pipe> {
        lock(&self.0)
    }
}

/// A hub that panicked with it has left it between two operations, both of which are whole.
fn lock(line: &Mutex<Pipe>) -> MutexGuard<'_, Pipe> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipe {
    fn take(&mut self, op: Op) {
        let wait = self.draw(self.delays.way);
        let last = self.under_way.back().map_or(Instant::ZERO, |(at, _)| *at);
        self.under_way.push_back((last.max(self.now + wait), op));
        self.taken += 1;
    }

    fn draw(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let span = most.as_nanos().saturating_sub(least.as_nanos());
        least + Duration::from_nanos(self.rng.below(span + 1))
    }

    /// Time has passed: what was under way arrives, and it looks for what is new.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while self.under_way.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, op)) = self.under_way.pop_front()
        {
            self.arrive(op);
        }
        if self.look_at <= now {
            let wait = self.draw(self.delays.look);
            self.look_at = now + wait;
            self.commits.extend(std::iter::from_fn(|| self.log.committed(now)));
            self.notices.extend(std::iter::from_fn(|| self.sessions.notice(now)));
        }
    }

    fn arrive(&mut self, op: Op) {
        self.stored += 1;
        match op {
            Op::Propose(namespace, token, draft) => self.log.propose(&namespace, token, draft),
            Op::Save(namespace, saved) => self.sessions.save(&namespace, saved),
            Op::Remove(namespace, pid) => self.sessions.remove(&namespace, &pid),
            Op::Claim(claim, namespace, pid, offset) => {
                self.sessions.claim(claim, &namespace, &pid, offset);
            }
            Op::Answer(question, answer) => self.sessions.answer(question, answer),
        }
    }

    fn due(&self) -> Instant {
        let fetched = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let fetched = fetched.values().copied().filter(|at| *at > self.now).min();
        let arrives = self.under_way.front().map(|(at, _)| *at);
        arrives.into_iter().chain(fetched).fold(self.look_at, Instant::min)
    }

    /// Whether a page is here; it is fetched when it is not.
    fn is_here(&self, namespace: &str, offset: u64, is_backwards: bool) -> bool {
        let newest = self.log.page_before(namespace, u64::MAX, self.delays.at_hand).unwrap_or_default();
        let is_at_hand = newest.len() < self.delays.at_hand
            || newest.first().is_some_and(|oldest| oldest.offset <= offset);
        if is_at_hand {
            return true;
        }
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        let page = (Arc::from(namespace), offset, is_backwards);
        match fetching.get(&page) {
            Some(at) if *at <= self.now => fetching.remove(&page).is_some(),
            Some(_) => false,
            None => {
                fetching.insert(page, self.now + self.delays.way.1);
                false
            }
        }
    }
}

/// The hub is gone: of what was under way, this much arrived.
impl Drop for Pipe {
    fn drop(&mut self) {
        let arrived = self.rng.below(self.under_way.len() as u64 + 1);
        for _ in 0..arrived {
            if let Some((_, op)) = self.under_way.pop_front() {
                self.arrive(op);
            }
        }
    }
}

impl EventLog for Stream {
    fn open(&mut self, namespace: &Arc<str>, sender_ids: usize) -> u64 {
        self.line().log.open(namespace, sender_ids)
    }

    fn key(&mut self, fresh: u128) -> u128 {
        self.line().log.key(fresh)
    }

    fn propose(&mut self, namespace: &Arc<str>, token: Token, draft: Draft) {
        self.line().take(Op::Propose(namespace.clone(), token, draft));
    }

    fn committed(&mut self, now: Instant) -> Option<Commit> {
        let mut line = self.line();
        line.advance(now);
        line.commits.pop_front()
    }

    fn due(&self) -> Instant {
        self.line().due()
    }

    fn page(&self, namespace: &str, after: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let line = self.line();
        if line.is_here(namespace, after, false) { line.log.page(namespace, after, limit) } else { None }
    }

    fn page_before(&self, namespace: &str, before: u64, limit: usize) -> Option<Vec<Arc<Record>>> {
        let line = self.line();
        if line.is_here(namespace, before, true) {
            line.log.page_before(namespace, before, limit)
        } else {
            None
        }
    }

    fn page_of_room(
        &self,
        namespace: &str,
        room: &str,
        name: &str,
        stretch: Stretch,
        limit: usize,
    ) -> Option<RoomPage> {
        let line = self.line();
        let from = if stretch.newest { stretch.before } else { stretch.after };
        if line.is_here(namespace, from, stretch.newest) {
            line.log.page_of_room(namespace, room, name, stretch, limit)
        } else {
            None
        }
    }

    fn horizon(&self, namespace: &str) -> u64 {
        self.line().log.horizon(namespace)
    }

    fn forget(&mut self, now_ms: u64) {
        self.line().log.forget(now_ms);
    }

    fn sessions(&mut self) -> Box<dyn Sessions> {
        Box::new(StreamSessions(self.0.clone()))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn taken(&self) -> u64 {
        self.line().taken
    }

    fn stored(&self) -> u64 {
        self.line().stored
    }
}

/// The sockets beside the stream: on the same line.
struct StreamSessions(Arc<Mutex<Pipe>>);

impl Sessions for StreamSessions {
    fn open(&mut self, namespace: &Arc<str>) -> Vec<Saved> {
        lock(&self.0).sessions.open(namespace)
    }

    fn save(&mut self, namespace: &Arc<str>, saved: Saved) {
        lock(&self.0).take(Op::Save(namespace.clone(), saved));
    }

    fn remove(&mut self, namespace: &Arc<str>, pid: &Arc<str>) {
        lock(&self.0).take(Op::Remove(namespace.clone(), pid.clone()));
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn claim(&mut self, claim: ClaimId, namespace: &Arc<str>, pid: &Arc<str>, offset: Option<u64>) -> bool {
        lock(&self.0).take(Op::Claim(claim, namespace.clone(), pid.clone(), offset));
        true
    }

    fn answer(&mut self, question: u64, answer: Handover) {
        lock(&self.0).take(Op::Answer(question, answer));
    }

    fn notice(&mut self, now: Instant) -> Option<Notice> {
        let mut line = lock(&self.0);
        line.advance(now);
        line.notices.pop_front()
    }

    fn due(&self) -> Instant {
        lock(&self.0).due()
    }

    fn taken(&self) -> u64 {
        lock(&self.0).taken
    }

    fn stored(&self) -> u64 {
        lock(&self.0).stored
    }
}

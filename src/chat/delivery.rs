//! Three promises about a message, and what a client does for each.
//!
//! | promise | what the client does | its price |
//! |---|---|---|
//! | at most once | nothing: sent once, lost when the connection is | none; gaps |
//! | at least once | the sender keeps and repeats until it is acknowledged ([`Retry`]); the receiver drops ids it has seen ([`SeenIds`]) | a round trip of memory at the sender, a list of ids at the receiver |
//! | exactly once in effect | the receiver remembers one number ([`Cursor`]), the server keeps the log | a log, and 13 to 32 bytes an event |
//!
//! Nothing *delivers* exactly once over a network that loses messages (the two generals cannot agree); what can be had
//! is that a message has its *effect* once. These three are sans-IO and small: a chat client is made of them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::{Duration, Instant};

/// What the hub promises about an event it sends to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Delivery {
    /// For connected sockets only, and not kept; dropped for a socket with anything in its queue.
    Volatile,
    /// For connected sockets only, and not kept.
    AtMostOnce,
    /// Kept in the log: a socket that is away gets it upon return, above its offset, once.
    #[default]
    Logged,
}

/// The sender's side of "at least once": keeps each message until it is acknowledged, and says when to repeat it.
///
/// Bounded: [`push`](Retry::push) refuses more than `capacity` messages, so a sender whose messages are not
/// acknowledged notices.
#[derive(Debug)]
pub struct Retry<M> {
    waiting: VecDeque<Kept<M>>,
    capacity: usize,
    timeout: Duration,
    next: u64,
}

#[derive(Debug)]
struct Kept<M> {
    id: u64,
    message: M,
    due: Instant,
}

impl<M> Retry<M> {
    /// Keeps up to `capacity` messages and repeats each every `timeout`.
    pub fn new(capacity: usize, timeout: Duration) -> Self {
        Retry { waiting: VecDeque::new(), capacity, timeout, next: 0 }
    }

    /// Takes a message to send; its number, or the message back when too many wait. It is due at once.
    ///
    /// # Errors
    /// The message, when [`capacity`](Retry::new) of them wait.
    pub fn push(&mut self, message: M) -> Result<u64, M> {
        if self.waiting.len() >= self.capacity {
            return Err(message);
        }
        let id = self.next;
        self.next += 1;
        self.waiting.push_back(Kept { id, message, due: Instant::ZERO });
        Ok(id)
    }

    /// The next message to send now, with its number: the first time, or again.
    pub fn due(&mut self, now: Instant) -> Option<(u64, &M)> {
        let timeout = self.timeout;
        let kept = self.waiting.iter_mut().find(|kept| kept.due <= now)?;
        kept.due = now + timeout;
        Some((kept.id, &kept.message))
    }

    /// The message with this number, while it waits.
    pub fn get(&self, id: u64) -> Option<&M> {
        let at = self.waiting.binary_search_by_key(&id, |kept| kept.id).ok()?;
        self.waiting.get(at).map(|kept| &kept.message)
    }

    /// The message with this number arrived; false when that was known.
    pub fn acknowledged(&mut self, id: u64) -> bool {
        let Ok(at) = self.waiting.binary_search_by_key(&id, |kept| kept.id) else { return false };
        self.waiting.remove(at).is_some()
    }

    /// The connection is new: everything that waits is due again.
    pub fn reconnected(&mut self) {
        self.waiting.iter_mut().for_each(|kept| kept.due = Instant::ZERO);
    }

    /// When to look again.
    pub fn wake_at(&self) -> Option<Instant> {
        self.waiting.iter().map(|kept| kept.due).min()
    }

    /// How many wait for their acknowledgement.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether all is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The receiver's side of "at least once": knows which ids it has seen.
///
/// Bounded: beyond `capacity` the oldest id is forgotten, and a copy that comes later than that counts as new. So
/// choose it larger than what a sender may have under way.
#[derive(Debug)]
pub struct SeenIds {
    ids: BTreeSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
    capacity: usize,
}

impl SeenIds {
    /// Remembers up to `capacity` ids.
    pub fn new(capacity: usize) -> Self {
        SeenIds { ids: BTreeSet::new(), order: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Whether this id comes for the first time; from now on it is known.
    pub fn is_new(&mut self, id: &str) -> bool {
        if self.ids.contains(id) {
            return false;
        }
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        let id: Arc<str> = id.into();
        self.order.push_back(id.clone());
        self.ids.insert(id)
    }
}

/// The receiver's side of "exactly once in effect": the last offset whose effect it has had.
///
/// Store it together with that effect (in one transaction, when there is a database): then a crash between the two
/// cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor(u64);

impl Cursor {
    /// Begins after this offset: 0 for a receiver that has had nothing.
    pub fn after(offset: u64) -> Self {
        Cursor(offset)
    }

    /// Whether the event with this offset is news; from now on it is not.
    pub fn advance(&mut self, offset: u64) -> bool {
        let is_new = offset > self.0;
        self.0 = self.0.max(offset);
        is_new
    }

    /// The offset to ask with: "what came after this?"
    pub fn offset(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_repeated_until_it_is_acknowledged() {
        let mut retry = Retry::new(2, Duration::from_secs(1));
        let id = retry.push("hello").unwrap();
        assert_eq!(retry.due(Instant::ZERO), Some((id, &"hello")));
        assert_eq!(retry.due(Instant::from_millis(999)), None);
        assert_eq!(retry.wake_at(), Some(Instant::from_millis(1000)));
        assert_eq!(retry.due(Instant::from_millis(1000)), Some((id, &"hello")));
        assert!(retry.acknowledged(id));
        assert!(!retry.acknowledged(id));
        assert_eq!(retry.due(Instant::from_millis(5000)), None);
        assert!(retry.is_empty());
    }

    #[test]
    fn a_sender_that_is_never_acknowledged_learns_it() {
        let mut retry = Retry::new(1, Duration::from_secs(1));
        assert_eq!(retry.push(1), Ok(0));
        assert_eq!(retry.push(2), Err(2));
    }

    #[test]
    fn a_new_connection_makes_all_due_in_order() {
        let mut retry = Retry::new(9, Duration::from_secs(60));
        assert_eq!((retry.push("a"), retry.push("b")), (Ok(0), Ok(1)));
        assert!(retry.due(Instant::ZERO).is_some() && retry.due(Instant::ZERO).is_some());
        assert_eq!(retry.due(Instant::ZERO), None);
        retry.reconnected();
        let now = Instant::from_millis(5);
        assert_eq!(retry.due(now).map(|(_, m)| *m), Some("a"));
        assert_eq!(retry.due(now).map(|(_, m)| *m), Some("b"));
        assert_eq!(retry.due(now), None);
    }

    #[test]
    fn a_copy_is_seen_through_until_its_id_is_forgotten() {
        let mut seen = SeenIds::new(2);
        assert!(seen.is_new("a"));
        assert!(!seen.is_new("a"));
        assert!(seen.is_new("b"));
        assert!(seen.is_new("c"));
        assert!(!seen.is_new("c"));
        assert!(seen.is_new("a"), "it was the oldest of three and only two are kept");
    }

    #[test]
    fn a_cursor_takes_each_offset_once_and_never_goes_back() {
        let mut cursor = Cursor::after(3);
        let taken: Vec<u64> = [2, 3, 4, 4, 5, 4, 9].into_iter().filter(|&o| cursor.advance(o)).collect();
        assert_eq!(taken, [4, 5, 9]);
        assert_eq!(cursor.offset(), 9);
    }
}

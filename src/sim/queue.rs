//! The event queue: what is to happen, in order of virtual time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::base::Instant;

/// Things waiting for their time. Two at the same time come out in the order in which they went in: without that,
/// a run would not repeat.
///
/// It is bounded by what the network lets be under way: frames in flight by the queues of the links, wake-ups by
/// one for each host and program.
#[derive(Debug)]
pub struct EventQueue<T> {
    heap: BinaryHeap<Entry<T>>,
    pushed: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    order: u64,
    what: T,
}

impl<T> EventQueue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        EventQueue { heap: BinaryHeap::new(), pushed: 0 }
    }

    /// Puts `what` in for the time `at`.
    pub fn push(&mut self, at: Instant, what: T) {
        let order = self.ticket();
        self.push_as(at, order, what);
    }

    /// The place in the order of something that goes in now, and is kept elsewhere until [`push_as`](Self::push_as).
    pub fn ticket(&mut self) -> u64 {
        let order = self.pushed;
        self.pushed += 1;
        order
    }

    /// How many places have been given away.
    pub fn tickets(&self) -> u64 {
        self.pushed
    }

    /// Puts `what` in for the time `at`, as if it had been pushed when the ticket was drawn.
    pub fn push_as(&mut self, at: Instant, ticket: u64, what: T) {
        self.heap.push(Entry { at, order: ticket, what });
    }

    /// When the next thing is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Takes out the next thing.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.heap.pop().map(|entry| (entry.at, entry.what))
    }
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        EventQueue::new()
    }
}

// `BinaryHeap` gives the greatest first, so the earliest counts as the greatest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_out_by_time_and_then_by_arrival() {
        let mut queue = EventQueue::new();
        for (at, what) in [(5, "c"), (1, "a"), (5, "d"), (2, "b")] {
            queue.push(Instant::from_millis(at), what);
        }
        assert_eq!(queue.next_at(), Some(Instant::from_millis(1)));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, what)| what).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_ticket_keeps_the_place() {
        let mut queue = EventQueue::new();
        let ticket = queue.ticket();
        queue.push(Instant::ZERO, "second");
        queue.push_as(Instant::ZERO, ticket, "first");
        assert_eq!(queue.pop().map(|(_, what)| what), Some("first"));
    }
}

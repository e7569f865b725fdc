//! The ids that senders gave to their newest events: by them a second copy of the same is known.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The newest ids of one namespace, with the offset of each event.
#[derive(Debug)]
pub(crate) struct SenderIds {
    offsets: BTreeMap<Arc<str>, u64>,
    order: VecDeque<Arc<str>>,
    capacity: usize,
}

impl SenderIds {
    /// Room for this many, and for one at least; beyond it the oldest is forgotten.
    pub(crate) fn new(capacity: usize) -> Self {
        SenderIds { offsets: BTreeMap::new(), order: VecDeque::new(), capacity: capacity.max(1) }
    }

    pub(crate) fn offset(&self, id: &str) -> Option<u64> {
        self.offsets.get(id).copied()
    }

    pub(crate) fn add(&mut self, id: Arc<str>, offset: u64) {
        if self.order.len() >= self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.offsets.remove(&oldest);
        }
        if self.offsets.insert(id.clone(), offset).is_none() {
            self.order.push_back(id);
        }
    }

    /// Has room for this many from now on.
    pub(crate) fn resize(&mut self, capacity: usize) {
        self.capacity = capacity.max(1);
        while self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.offsets.remove(&oldest);
        }
    }
}

impl Default for SenderIds {
    fn default() -> Self {
        SenderIds::new(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_id_is_forgotten_when_there_is_no_more_room() {
        let mut ids = SenderIds::new(2);
        for (offset, id) in ["a", "b", "c"].into_iter().enumerate() {
            ids.add(id.into(), offset as u64);
        }
        assert_eq!((ids.offset("a"), ids.offset("b"), ids.offset("c")), (None, Some(1), Some(2)));
        ids.resize(0);
        assert_eq!((ids.offset("b"), ids.offset("c")), (None, Some(2)));
    }
}

//! What is known of a namespace's events on disk without reading them: by it retention decides what goes.

use std::collections::VecDeque;

use super::writer::Op;
use crate::chat::{Record, Retention, RoomIndex};

/// After this many events at most, their age and size are noted: retention drops these steps, one at a time.
pub(super) const STEP: u64 = 256;

/// Parts of what may be kept, by age, by bytes and by number: no step is larger, so no more than one such part is kept
/// beyond it.
const PARTS: u64 = 16;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct OnDisk {
    /// The namespace's.
    pub(super) number: u32,
    /// The offset before the oldest event.
    pub(super) horizon: u64,
    /// Steps of the log, oldest first: offset and time of the last event in each, and bytes of them all.
    steps: VecDeque<Step>,
    bytes: u64,
    /// Where the events of each room are.
    pub(super) rooms: RoomIndex,
}

#[derive(Debug, Clone, Copy, Default)]
struct Step {
    count: u64,
    last: u64,
    /// When its first event was said, and its last.
    from_ms: u64,
    at_ms: u64,
    bytes: u64,
}

impl OnDisk {
    pub(super) fn new(number: u32, horizon: u64) -> Self {
        OnDisk { number, horizon, ..OnDisk::default() }
    }

    pub(super) fn add(&mut self, record: &Record, retention: &Retention) {
        let (offset, at_ms, bytes) = (record.offset, record.at_ms, record.cost() as u64);
        self.rooms.add(record, self.horizon);
        // A step of a quiet time ends before its first event has become old: none stays for much longer than it may.
        let span_ms = retention.age.as_nanos() / 1_000_000 / PARTS;
        let is_full = |step: &Step| {
            step.count >= STEP.min(retention.events / PARTS).max(1)
                || step.bytes >= retention.bytes / PARTS
                || at_ms.saturating_sub(step.from_ms) > span_ms
        };
        if self.steps.back().is_none_or(is_full) {
            self.steps.push_back(Step { from_ms: at_ms, ..Step::default() });
        }
        if let Some(step) = self.steps.back_mut() {
            *step = Step { count: step.count + 1, last: offset, at_ms, bytes: step.bytes + bytes, ..*step };
        }
        self.bytes += bytes;
    }

    /// About how many they take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is to be written when some were dropped.
    pub(super) fn trim(&self) -> Op {
        Op::Trim { space: self.number, until: self.horizon, left: self.bytes }
    }

    /// Drops whole steps that are too old or too much; whether there were any.
    pub(super) fn forget(&mut self, now_ms: u64, retention: &Retention) -> bool {
        let oldest_ms = now_ms.saturating_sub(retention.age.as_nanos() / 1_000_000);
        let before = self.horizon;
        while let (Some(step), Some(newest)) = (self.steps.front(), self.steps.back()) {
            let events = newest.last.saturating_sub(self.horizon);
            let is_too_much =
                events > retention.events || retention.is_too_much(self.bytes, step.at_ms, now_ms);
            // However little is allowed, the newest events stay until they are too old.
            let is_last = self.steps.len() == 1;
            if step.at_ms >= oldest_ms && (!is_too_much || is_last) {
                break;
            }
            self.horizon = step.last;
            self.bytes -= step.bytes;
            self.steps.pop_front();
        }
        self.horizon > before
    }
}

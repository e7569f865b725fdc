//! Reading the past: the events of one room and one name, page by page, forwards or backwards.
//!
//! A namespace has one log for all of its rooms, so a page is found by looking through events of others. How many are
//! looked at in one call is bounded; a page says where to go on.

use super::context::{Context, PastEvent, past_event};
use super::state::Core;
use crate::layers::application::socketio::Value;

/// Which stretch of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The oldest events above this offset.
    After(u64),
    /// The newest events below this offset.
    Before(u64),
}

/// A page of the past.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// The events, oldest first.
    pub events: Vec<PastEvent>,
    /// There is more of it in the same direction. A page without events may say so too: then no more were looked at.
    pub more: bool,
    /// The offset to go on with, in a span of the same kind.
    pub next: u64,
}

/// Events looked at in one call, and bytes of them: a few milliseconds' worth on disk. A page of the past then says that
/// there may be more.
const LOOKED_AT: u64 = 2048;
const LOOKED_AT_BYTES: usize = 4 << 20;

/// Events read from the log at a time.
const PAGE: u64 = 256;

impl Context<'_> {
    /// The offset that the next kept event will have; none when nothing is kept.
    pub fn next_offset(&self) -> Option<u64> {
        self.core.config.recovery.map(|_| self.log_end() + 1)
    }

    /// A page of up to `limit` kept events of this name that were sent to this room.
    pub fn past(&self, room: &str, name: &str, span: Span, limit: usize) -> Past {
        let reader = Reader { core: self.core, space: self.space, room, name, limit };
        match span {
            Span::After(after) => reader.forwards(after),
            Span::Before(before) => reader.backwards(before),
        }
    }
}

struct Reader<'a> {
    core: &'a Core,
    space: usize,
    room: &'a str,
    name: &'a str,
    limit: usize,
}

impl Reader<'_> {
    fn forwards(&self, after: u64) -> Past {
        let space = &self.core.spaces[self.space];
        let mut at = after.max(self.core.log.horizon(&space.name));
        let last = at.saturating_add(LOOKED_AT).min(space.end);
        let mut events: Vec<PastEvent> = Vec::new();
        let mut bytes = 0;
        while at < last && bytes < LOOKED_AT_BYTES {
            let page = self.core.log.page(&space.name, at, PAGE as usize);
            let Some(end) = page.last().map(|record| record.offset) else { break };
            bytes += page.iter().map(|record| record.cost()).sum::<usize>();
            for event in page.iter().filter_map(|record| self.wanted(record)) {
                if events.len() == self.limit {
                    // One more than asked for: now it is known that there is more.
                    let next = events.last().map_or(after, |event| event.offset);
                    return Past { events, more: true, next };
                }
                events.push(event);
            }
            at = end;
        }
        Past { events, more: at < space.end, next: at }
    }

    fn backwards(&self, before: u64) -> Past {
        let space = &self.core.spaces[self.space];
        let horizon = self.core.log.horizon(&space.name);
        let mut before = before.min(space.end.saturating_add(1));
        let lowest = before.saturating_sub(LOOKED_AT).max(horizon + 1);
        let mut events: Vec<PastEvent> = Vec::new();
        let (mut bytes, mut reach) = (0, PAGE);
        while before > lowest && bytes < LOOKED_AT_BYTES {
            let after = before.saturating_sub(reach + 1).max(horizon);
            let page = self.core.log.page(&space.name, after, (before - 1 - after) as usize);
            // A page of large events ends early, and it is the newest that are asked for.
            if reach > 1 && page.last().is_none_or(|record| record.offset + 1 < before) {
                reach /= 2;
                continue;
            }
            bytes += page.iter().map(|record| record.cost()).sum::<usize>();
            for event in page.iter().rev().filter_map(|record| self.wanted(record)) {
                if events.len() == self.limit {
                    let next = events.last().map_or(before, |event| event.offset);
                    events.reverse();
                    return Past { events, more: true, next };
                }
                events.push(event);
            }
            before = after + 1;
        }
        events.reverse();
        Past { events, more: before > horizon + 1, next: before }
    }

    fn wanted(&self, record: &super::super::log::Record) -> Option<PastEvent> {
        let is_here = record.to.iter().any(|to| **to == *self.room);
        // Most events of a room may be others: only one that seems to have the name is read as a whole.
        (is_here && self.may_have_name(record))
            .then(|| past_event(record))
            .flatten()
            .filter(|event| event.name == self.name)
    }

    /// Whether the name stands where a packet has it: behind its type, namespace and number, as the first of its list.
    fn may_have_name(&self, record: &super::super::log::Record) -> bool {
        const TYPE_AND_NUMBER: usize = 32;
        let first = format!("[{}", Value::from(self.name).to_json());
        let namespace = &self.core.spaces[self.space].name;
        let head = record.wire.text.as_str().as_bytes();
        let head = &head[..head.len().min(TYPE_AND_NUMBER + namespace.len() + first.len())];
        head.windows(first.len()).any(|window| window == first.as_bytes())
    }
}

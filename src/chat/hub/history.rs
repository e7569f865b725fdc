//! Reading the past: the events of one room and one name, page by page, forwards or backwards.
//!
//! A namespace has one log for all of its rooms, so a page is found by looking through events of others. How many are
//! looked at in one call is bounded; a page says where to go on. The past ends where this hub is: what the log has
//! beyond that is still to be delivered.

use std::sync::Arc;

use super::super::log::Record;
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
    /// The newest events up to this offset.
    UpTo(u64),
}

/// A page of the past.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// The events, oldest first.
    pub events: Vec<PastEvent>,
    /// There is more of it in the same direction. A page without events may say so too: then no more were looked at.
    pub more: bool,
    /// The offset to go on with, after it or before it.
    pub next: u64,
}

/// Events looked at in one call, and bytes of them: a few milliseconds' worth on disk. A page of the past then says
/// that there may be more.
const LOOKED_AT: usize = 2048;
const LOOKED_AT_BYTES: usize = 4 << 20;

/// Events read from the log at a time.
const PAGE: usize = 256;

impl Context<'_> {
    /// A page of up to `limit` kept events of this name that were sent to this room.
    pub fn past(&self, room: &str, name: &str, span: Span, limit: usize) -> Past {
        let reader = Reader { core: self.core, space: self.space, room, name, limit };
        match span {
            Span::After(after) => reader.forwards(after),
            Span::Before(before) => reader.backwards(before, u64::MAX),
            Span::UpTo(last) => reader.backwards(u64::MAX, last),
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
        let mut events: Vec<PastEvent> = Vec::new();
        let (mut looked_at, mut bytes) = (0, 0);
        while at < space.end && looked_at < LOOKED_AT && bytes < LOOKED_AT_BYTES {
            // What has to be fetched first is asked for again by the reader.
            let Some(page) = self.core.log.page(&space.name, at, PAGE) else { break };
            let page: Vec<_> = page.into_iter().take_while(|record| record.offset <= space.end).collect();
            let Some(end) = page.last().map(|record| record.offset) else { break };
            looked_at += page.len();
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

    /// From below `before`, and from nothing above `last`.
    fn backwards(&self, mut before: u64, last: u64) -> Past {
        let space = &self.core.spaces[self.space];
        let last = last.min(space.end);
        let mut events: Vec<PastEvent> = Vec::new();
        let (mut looked_at, mut bytes) = (0, 0);
        while looked_at < LOOKED_AT && bytes < LOOKED_AT_BYTES {
            let Some(page) = self.core.log.page_before(&space.name, before, PAGE) else {
                return Past { events, more: true, next: before };
            };
            let Some(oldest) = page.first().map(|record| record.offset) else {
                events.reverse();
                return Past { events, more: false, next: before };
            };
            looked_at += page.len();
            bytes += page.iter().map(|record| record.cost()).sum::<usize>();
            let known = page.iter().rev().filter(|record| record.offset <= last);
            for event in known.filter_map(|record| self.wanted(record)) {
                if events.len() == self.limit {
                    let next = events.last().map_or(before, |event| event.offset);
                    events.reverse();
                    return Past { events, more: true, next };
                }
                events.push(event);
            }
            before = oldest;
        }
        events.reverse();
        let more = self.core.log.page_before(&space.name, before, 1).is_none_or(|page| !page.is_empty());
        Past { events, more, next: before }
    }

    fn wanted(&self, record: &Record) -> Option<PastEvent> {
        let namespace = &self.core.spaces[self.space].name;
        let is_here = record.to.iter().any(|to| **to == *self.room);
        // Most events of a room may be others: only one that has the name is read as a whole.
        (is_here && has_name(record, namespace, self.name)).then(|| past_event(record)).flatten()
    }
}

impl Core {
    /// All kept events of these names, oldest first, as far as the log has them at hand.
    pub(super) fn kept(&self, space: usize, names: &[&str]) -> Vec<PastEvent> {
        let space = &self.spaces[space];
        let mut at = self.log.horizon(&space.name);
        let mut found = Vec::new();
        while let Some(page) = self.log.page(&space.name, at, PAGE)
            && let Some(last) = page.last()
        {
            at = last.offset;
            let wanted = |record: &&Arc<Record>| {
                record.offset <= space.end && names.iter().any(|name| has_name(record, &space.name, name))
            };
            found.extend(page.iter().filter(wanted).filter_map(|record| past_event(record)));
        }
        found
    }
}

/// Whether an event has this name: it comes after the packet's type, the number of its attachments and its namespace,
/// as the first of its list. No event that is kept has a number of its own.
pub(super) fn has_name(record: &Record, namespace: &str, name: &str) -> bool {
    let text = record.wire.text.as_str();
    let attached = if text.starts_with('5') { text.find('-').unwrap_or(0) } else { 0 };
    let Some(mut rest) = text.get(attached + 1..) else { return false };
    if namespace != "/" {
        let Some(after) = rest.strip_prefix(namespace).and_then(|rest| rest.strip_prefix(',')) else {
            return false;
        };
        rest = after;
    }
    let is_plain = name.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte));
    let rest = rest.strip_prefix('[');
    match rest {
        Some(rest) if is_plain => {
            let rest = rest.strip_prefix('"').and_then(|rest| rest.strip_prefix(name));
            rest.is_some_and(|rest| rest.starts_with('"'))
        }
        Some(rest) => rest.starts_with(&Value::from(name).to_json()),
        None => false,
    }
}

//! Reading the past: the events of one room and one name, page by page, forwards or backwards.
//!
//! A namespace has one log for all of its rooms; the log knows where those of a room are, so a page costs what it returns. The
//! past ends where this hub is: what the log has beyond that is still to be delivered.

use std::sync::Arc;

use super::super::log::{Record, RoomPage, Stretch};
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
    /// There is more of it in the same direction. A page without events may say so too: then it has to be fetched.
    pub more: bool,
    /// The offset to go on with, after it or before it.
    pub next: u64,
}

/// Events read from the log at a time.
const PAGE: usize = 256;

impl Context<'_> {
    /// A page of up to `limit` kept events of this name that were sent to this room.
    pub fn past(&self, room: &str, name: &str, span: Span, limit: usize) -> Past {
        let space = &self.core.spaces[self.space];
        let from = match span {
            Span::After(after) => after,
            Span::Before(before) => before.min(space.end.saturating_add(1)),
            Span::UpTo(last) => last.min(space.end).saturating_add(1),
        };
        let newest = !matches!(span, Span::After(_));
        let (after, before) = if newest { (0, from) } else { (from, space.end.saturating_add(1)) };
        let stretch = Stretch { after, before, newest };
        // What has to be fetched first is asked for again by the reader.
        let page = self.core.log.page_of_room(&space.name, room, name, stretch, limit);
        let Some(RoomPage { records, more }) = page else {
            return Past { events: Vec::new(), more: true, next: from };
        };
        let last = if newest { records.first() } else { records.last() };
        // To the end of what this hub has when there is no more: what comes after that is for the next call.
        let next = match last {
            Some(last) if more || newest => last.offset,
            None if newest => from,
            _ => from.max(space.end),
        };
        Past { events: records.iter().filter_map(|record| past_event(record)).collect(), more, next }
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

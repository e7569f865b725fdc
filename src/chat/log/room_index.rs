//! Where the events of each room are, by name: a page of a room's past then costs what it returns, however much was
//! said elsewhere in the namespace, whose one log they share.
//!
//! It is in memory, eight bytes for each room of an event, and rebuilt from the log when that is opened.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Record, Stretch};
use crate::layers::application::socketio::Value;

/// By room and by name of event: offsets, oldest first.
type Rooms = BTreeMap<Arc<str>, BTreeMap<Box<str>, VecDeque<u64>>>;

/// The index of one namespace.
#[derive(Debug, Default)]
pub(crate) struct RoomIndex {
    rooms: Rooms,
    /// Entries, and how many were left when those of dropped events were last taken out.
    entries: usize,
    left: usize,
}

/// Fewer than this are not worth a look for what was dropped.
const FEW: usize = 1024;

impl RoomIndex {
    /// Takes in an event that came after all others, in a namespace whose log begins after `horizon`.
    pub(crate) fn add(&mut self, record: &Record, horizon: u64) {
        let Some(name) = event_name(record.wire.text.as_str()) else { return };
        for room in &record.to {
            if !self.rooms.contains_key(room) {
                self.rooms.insert(room.clone(), BTreeMap::new());
            }
            let Some(names) = self.rooms.get_mut(room) else { continue };
            match names.get_mut(name) {
                Some(offsets) => offsets.push_back(record.offset),
                None => drop(names.insert(name.into(), VecDeque::from([record.offset]))),
            }
            self.entries += 1;
        }
        // What was dropped goes when there may be as much of it as of what is kept: each entry is looked at once or twice.
        if self.entries > 2 * self.left + FEW {
            self.forget(horizon);
        }
    }

    fn forget(&mut self, horizon: u64) {
        self.entries = 0;
        self.rooms.retain(|_, names| {
            names.retain(|_, offsets| {
                offsets.drain(..offsets.partition_point(|&offset| offset <= horizon));
                // What has become much smaller gives its room back.
                if offsets.capacity() > 4 * offsets.len() {
                    offsets.shrink_to_fit();
                }
                self.entries += offsets.len();
                !offsets.is_empty()
            });
            !names.is_empty()
        });
        self.left = self.entries;
    }

    /// The offsets of up to `limit` events of this name in a room, oldest first, and whether there are more.
    pub(crate) fn find(&self, room: &str, name: &str, stretch: Stretch, limit: usize) -> (Vec<u64>, bool) {
        let quoted = Value::from(name).to_json();
        let Some(offsets) = self.rooms.get(room).and_then(|names| names.get(inside(&quoted))) else {
            return (Vec::new(), false);
        };
        let from = offsets.partition_point(|&offset| offset <= stretch.after);
        let until = offsets.partition_point(|&offset| offset < stretch.before).max(from);
        let there = until - from;
        let range =
            if stretch.newest { until - there.min(limit)..until } else { from..from + there.min(limit) };
        (offsets.range(range).copied().collect(), there > limit)
    }
}

/// The name of an event as its packet has it, between its quotation marks: after the packet's type, the number of its
/// attachments and its namespace, as the first of its list.
fn event_name(text: &str) -> Option<&str> {
    let start = text.find(['[', '/'])?;
    let list = match text.as_bytes().get(start) {
        Some(b'/') => &text[start + text[start..].find(',')? + 1..],
        _ => &text[start..],
    };
    let string = list.strip_prefix('[')?;
    let mut is_escaped = false;
    let end = string.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    string.starts_with('"').then(|| &string[1..=end])
}

fn inside(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::application::socketio::Packet;

    fn record(offset: u64, namespace: &str, name: &str, rooms: &[&str]) -> Record {
        let bytes = Value::from(bytes::Bytes::from_static(b"x"));
        Record {
            offset,
            at_ms: 0,
            to: rooms.iter().map(|room| Arc::from(*room)).collect(),
            except: Vec::new(),
            sender_id: None,
            wire: Packet::event(namespace, name, vec!["[\"other\"".into(), bytes]).encode(),
        }
    }

    fn all(after: u64, before: u64, newest: bool) -> Stretch {
        Stretch { after, before, newest }
    }

    #[test]
    fn events_are_found_by_room_and_name_from_either_end() {
        let mut index = RoomIndex::default();
        for offset in 1..=30 {
            let name = if offset % 3 == 0 { "joined" } else { "message" };
            let rooms: &[&str] = if offset % 2 == 0 { &["even", "all"] } else { &["all"] };
            index.add(&record(offset, "/", name, rooms), 0);
        }
        let find = |room, name, stretch, limit| index.find(room, name, stretch, limit);
        assert_eq!(find("even", "joined", all(0, 99, false), 9), (vec![6, 12, 18, 24, 30], false));
        assert_eq!(find("even", "joined", all(6, 30, false), 2), (vec![12, 18], true));
        assert_eq!(find("even", "joined", all(0, 30, true), 2), (vec![18, 24], true));
        assert_eq!(find("all", "message", all(26, 99, true), 9), (vec![28, 29], false));
        assert_eq!(find("all", "message", all(40, 20, true), 9), (vec![], false));
        assert_eq!(find("all", "unknown", all(0, 99, true), 9), (vec![], false));
        assert_eq!(find("unknown", "message", all(0, 99, true), 9), (vec![], false));
    }

    #[test]
    fn every_name_in_every_namespace_is_read() {
        for name in ["message", "", "a \"b\" \\", "\\", "\u{1}\n", "größe", "[/,"] {
            for namespace in ["/", "/a[b", "/a\"["] {
                let mut index = RoomIndex::default();
                index.add(&record(1, namespace, name, &["room"]), 0);
                let found = index.find("room", name, all(0, 9, false), 9);
                assert_eq!(found, (vec![1], false), "{name:?} in {namespace:?}");
            }
        }
    }

    #[test]
    fn what_was_dropped_is_forgotten_and_takes_no_memory() {
        let mut index = RoomIndex::default();
        for offset in 1..=100_000 {
            let room = format!("room {}", offset / 100);
            index.add(&record(offset, "/", "message", &[&room]), offset.saturating_sub(1000));
        }
        assert!(index.entries <= 2 * 2000 + FEW + 1, "{} entries", index.entries);
        assert!(index.rooms.len() <= 60, "{} rooms", index.rooms.len());
        assert_eq!(
            index.find("room 999", "message", all(0, u64::MAX, false), 2),
            (vec![99_900, 99_901], true)
        );
    }
}

//! The members of each room: the index that makes a broadcast cost what its receivers cost.
//!
//! A room is a sorted list of sockets, and stands here only while somebody is in it. Each socket is also in the
//! room of its own id; those are one map and not a list each, for there are as many as sockets. Others may join that
//! room too, as they may any whose name they know; what is for one socket alone is addressed by [`alone`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::key::Key;

/// The rooms of one namespace.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// Everyone, sorted.
    all: Vec<Key>,
    by_id: BTreeMap<Arc<str>, Key>,
    by_name: BTreeMap<Arc<str>, Vec<Key>>,
}

/// What the address of a single socket begins with, and the name of no room.
pub(super) const ALONE: char = '\0';

/// The address of the socket with this id alone. It is used where the names of rooms are used, also in the log.
pub(super) fn alone(id: &str) -> Arc<str> {
    format!("{ALONE}{id}").into()
}

/// The receivers of an event: the members of any room of `to` (everyone, when it is empty) without those of `except`.
/// Both are sorted, and a name is in them once, however often a client has written it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Aim {
    pub(super) to: Vec<Arc<str>>,
    pub(super) except: Vec<Arc<str>>,
}

impl Aim {
    /// No receivers at all.
    pub(super) fn nobody() -> Self {
        Aim { to: vec![alone("")], except: Vec::new() }
    }

    /// Adds a name to one of the lists, unless that is longer than it may be already.
    pub(super) fn add(names: &mut Vec<Arc<str>>, name: &str, limit: usize) {
        if names.len() <= limit
            && let Err(at) = names.binary_search_by(|other| (**other).cmp(name))
        {
            names.insert(at, name.into());
        }
    }
}

impl Rooms {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn enter(&mut self, id: &Arc<str>, socket: Key) {
        insert(&mut self.all, socket);
        self.by_id.insert(id.clone(), socket);
    }

    pub(super) fn exit(&mut self, id: &str, socket: Key) {
        remove(&mut self.all, socket);
        self.by_id.remove(id);
    }

    pub(super) fn join(&mut self, room: &Arc<str>, socket: Key) {
        insert(self.by_name.entry(room.clone()).or_default(), socket);
    }

    pub(super) fn leave(&mut self, room: &str, socket: Key) {
        if let Some(members) = self.by_name.get_mut(room) {
            remove(members, socket);
            if members.is_empty() {
                self.by_name.remove(room);
            }
        }
    }

    /// The names of rooms with members, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_name.keys()
    }

    /// The sockets in any room of `to` (all, when it is empty) and in none of `except`: sorted, each once.
    pub(super) fn select(&self, to: &[Arc<str>], except: &[Arc<str>], chosen: &mut Vec<Key>) {
        chosen.clear();
        if to.is_empty() {
            chosen.extend_from_slice(&self.all);
        }
        to.iter().for_each(|room| self.add_members(room, chosen));
        if to.len() > 1 || !chosen.is_sorted() {
            chosen.sort_unstable();
            chosen.dedup();
        }
        let mut barred = Vec::new();
        except.iter().for_each(|room| self.add_members(room, &mut barred));
        match barred[..] {
            [] => {}
            [one] => remove(chosen, one),
            _ => {
                barred.sort_unstable();
                chosen.retain(|socket| barred.binary_search(socket).is_err());
            }
        }
    }

    fn add_members(&self, room: &str, found: &mut Vec<Key>) {
        if let Some(id) = room.strip_prefix(ALONE) {
            return found.extend(self.by_id.get(id));
        }
        let members = self.by_name.get(room).map_or(&[][..], Vec::as_slice);
        found.extend_from_slice(members);
        if let Some(own) = self.by_id.get(room)
            && members.binary_search(own).is_err()
        {
            found.push(*own);
        }
    }
}

fn insert(sorted: &mut Vec<Key>, socket: Key) {
    if let Err(at) = sorted.binary_search(&socket) {
        sorted.insert(at, socket);
    }
}

fn remove(sorted: &mut Vec<Key>, socket: Key) {
    if let Ok(at) = sorted.binary_search(&socket) {
        sorted.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use slotmap::{Key as _, SlotMap};

    use super::*;

    /// The sockets of these tests, sorted.
    fn sockets() -> Vec<Key> {
        let mut table = SlotMap::<Key, ()>::with_key();
        let mut sockets: Vec<Key> = (0..5).map(|_| table.insert(())).collect();
        sockets.sort_unstable();
        sockets
    }

    /// Sockets 0 to 4 with ids "s0" to "s4"; 0, 1, 2 are in a, 2, 3 in b, and 4 in the room of socket 0.
    fn rooms() -> Rooms {
        let (mut rooms, sockets) = (Rooms::default(), sockets());
        for (number, &socket) in sockets.iter().enumerate() {
            rooms.enter(&format!("s{number}").into(), socket);
        }
        for (room, socket) in [("a", 2), ("a", 0), ("a", 1), ("b", 3), ("b", 2), ("s0", 4)] {
            rooms.join(&room.into(), sockets[socket]);
        }
        rooms
    }

    fn select(to: &[&str], except: &[&str]) -> Vec<usize> {
        let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect::<Vec<_>>();
        let mut chosen = vec![Key::null()];
        rooms().select(&names(to), &names(except), &mut chosen);
        let sockets = sockets();
        chosen.iter().map(|key| sockets.binary_search(key).expect("one of them")).collect()
    }

    #[test]
    fn the_union_of_rooms_has_each_member_once() {
        assert_eq!(select(&["a"], &[]), [0, 1, 2]);
        assert_eq!(select(&["a", "b"], &[]), [0, 1, 2, 3]);
        assert_eq!(select(&["a", "a"], &[]), [0, 1, 2]);
        assert_eq!(select(&["nobody"], &[]), [0; 0]);
        assert_eq!(select(&[], &[]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn everyone_in_an_excepted_room_is_left_out() {
        assert_eq!(select(&["a", "b"], &["s1"]), [0, 2, 3]);
        assert_eq!(select(&["a", "b"], &["b"]), [0, 1]);
        assert_eq!(select(&[], &["a", "s4"]), [3]);
        assert_eq!(select(&[], &["a", "b", "s4"]), [0; 0]);
    }

    #[test]
    fn the_room_of_an_id_holds_its_owner_and_whoever_joined_it() {
        assert_eq!(select(&["s3"], &[]), [3]);
        assert_eq!(select(&["s0"], &[]), [0, 4]);
        assert_eq!(select(&[], &["s0"]), [1, 2, 3]);
    }

    #[test]
    fn what_is_for_one_socket_alone_is_not_for_who_joined_its_room() {
        assert_eq!(select(&["\0s0"], &[]), [0]);
        assert_eq!(select(&[], &["\0s0"]), [1, 2, 3, 4]);
        assert_eq!(select(&["\0a"], &[]), [0; 0]);
        let mut chosen = vec![Key::null()];
        rooms().select(&Aim::nobody().to, &[], &mut chosen);
        assert_eq!(chosen, []);
    }

    #[test]
    fn a_room_ends_with_its_last_member() {
        let (mut rooms, sockets) = (rooms(), sockets());
        rooms.leave("b", sockets[2]);
        assert_eq!(rooms.names().count(), 3);
        rooms.leave("b", sockets[3]);
        rooms.leave("b", sockets[3]);
        assert_eq!(rooms.names().map(|name| &**name).collect::<Vec<_>>(), ["a", "s0"]);
    }
}

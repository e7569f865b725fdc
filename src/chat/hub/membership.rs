//! Which rooms a socket is in, and was in: seen from the socket, with the stretch of the log that each membership
//! covers.
//!
//! Socket.IO replays what matches the rooms at the moment of the break. That is nearly right: an event that was lost
//! on the path *before* the socket left its room would be withheld, and one from before it joined would be let through.
//! So a membership is an interval of offsets, and an event is for the sockets that were members at its offset.
//!
//! The past is dropped as soon as the client is known to have received all of it, and bounded besides.

use std::sync::Arc;

use super::super::log::Record;
use super::super::sessions::SavedRoom;
use super::rooms::ALONE;

/// The rooms of one socket, its own not among them: sorted by name, and by time under the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Memberships {
    rooms: Vec<SavedRoom>,
    past: usize,
}

impl Memberships {
    pub(super) fn restore(mut rooms: Vec<SavedRoom>) -> Self {
        rooms.sort_by(|a, b| (&a.name, a.after).cmp(&(&b.name, b.after)));
        let past = rooms.iter().filter(|room| room.until.is_some()).count();
        Memberships { rooms, past }
    }

    pub(super) fn saved(&self) -> Vec<SavedRoom> {
        self.rooms.clone()
    }

    /// The rooms it is in now, by name.
    pub(super) fn current(&self) -> impl Iterator<Item = &Arc<str>> {
        self.rooms.iter().filter(|room| room.until.is_none()).map(|room| &room.name)
    }

    /// How many rooms it is in now.
    pub(super) fn len(&self) -> usize {
        self.rooms.len() - self.past
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        self.of(name).iter().any(|room| room.until.is_none())
    }

    /// A member from here on, where `end` is the end of the log; false when it was one.
    pub(super) fn join(&mut self, name: &Arc<str>, end: u64) -> bool {
        if self.is_in(name) {
            return false;
        }
        let at = self.rooms.partition_point(|room| room.name <= *name);
        self.rooms.insert(at, SavedRoom { name: name.clone(), after: end, until: None });
        true
    }

    /// No member from here on; false when it was none.
    pub(super) fn leave(&mut self, name: &str, end: u64) -> bool {
        let Some(at) = self.rooms.iter().position(|room| &*room.name == name && room.until.is_none()) else {
            return false;
        };
        if self.rooms[at].after == end {
            // Nothing was said meanwhile.
            self.rooms.remove(at);
        } else {
            self.rooms[at].until = Some(end);
            self.past += 1;
        }
        true
    }

    /// Drops memberships that ended at or before `confirmed`: all of their events have been received.
    pub(super) fn forget(&mut self, confirmed: u64) {
        if self.past > 0 {
            self.rooms.retain(|room| room.until.is_none_or(|until| until > confirmed));
            self.past = self.rooms.iter().filter(|room| room.until.is_some()).count();
        }
    }

    /// Bytes of the names of the rooms it is in, and of those it was in.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let count = |is_past| move |room: &&SavedRoom| room.until.is_some() == is_past;
        let sum = |is_past| self.rooms.iter().filter(count(is_past)).map(|room| room.name.len()).sum();
        (sum(false), sum(true))
    }

    /// Drops memberships of the past until at most `limit` are left, with names of at most `bytes` bytes. Returns the
    /// known any more: a client that has not got so far cannot be brought back without a gap.
    pub(super) fn bound(&mut self, limit: usize, bytes: usize) -> Option<u64> {
        let mut unknown = None;
        while self.past > limit || self.bytes().1 > bytes {
            let oldest = self.rooms.iter().filter_map(|room| room.until).min()?;
            self.forget(oldest);
            unknown = Some(oldest);
        }
        unknown
    }

    /// Whether an event is for the socket with this id: in one of the rooms, and in none of the excepted, at the time.
    pub(super) fn entitle(&self, id: &str, record: &Record) -> bool {
        let was_in = |name: &Arc<str>| {
            name.strip_prefix(ALONE).unwrap_or(name) == id
                || self.of(name).iter().any(|room| {
                    room.after < record.offset && room.until.is_none_or(|until| record.offset <= until)
                })
        };
        (record.to.is_empty() || record.to.iter().any(was_in)) && !record.except.iter().any(was_in)
    }

    /// The memberships under this name.
    fn of(&self, name: &str) -> &[SavedRoom] {
        let from = self.rooms.partition_point(|room| *room.name < *name);
        let rest = &self.rooms[from..];
        &rest[..rest.partition_point(|room| *room.name == *name)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::log::tests::record;

    /// The offsets up to 9 of events to "room" that a socket is entitled to.
    fn entitled(memberships: &Memberships) -> Vec<u64> {
        (1..10).filter(|&offset| memberships.entitle("me", &record(offset, 0))).collect()
    }

    #[test]
    fn an_event_is_for_who_was_a_member_when_it_was_said() {
        let room = "room".into();
        let mut memberships = Memberships::default();
        assert!(memberships.join(&room, 2));
        assert!(!memberships.join(&room, 3));
        assert!(memberships.leave("room", 5));
        assert!(!memberships.leave("room", 6));
        assert!(memberships.join(&room, 7));
        assert_eq!(entitled(&memberships), [3, 4, 5, 8, 9]);
        assert_eq!(Memberships::restore(memberships.saved()), memberships);
    }

    #[test]
    fn a_past_that_was_received_is_forgotten() {
        let mut memberships = Memberships::default();
        memberships.join(&"room".into(), 0);
        memberships.leave("room", 5);
        memberships.forget(4);
        assert_eq!(entitled(&memberships), [1, 2, 3, 4, 5]);
        memberships.forget(5);
        assert_eq!(entitled(&memberships), [0; 0]);
        assert_eq!(memberships, Memberships::default());
    }

    #[test]
    fn a_past_that_is_too_long_is_cut_and_says_where() {
        let mut memberships = Memberships::default();
        for end in 0..100 {
            memberships.join(&"room".into(), end);
            memberships.leave("room", end + 1);
        }
        assert_eq!(memberships.bound(10, 1000), Some(90));
        assert_eq!(memberships.bound(10, 1000), None);
        assert_eq!(memberships.bytes(), (0, 40));
        assert_eq!(memberships.bound(10, 39), Some(91), "the names are too long together");
        assert_eq!((memberships.len(), memberships.saved().len()), (0, 9));
    }

    #[test]
    fn the_own_room_counts_and_so_do_exceptions() {
        let memberships = Memberships::default();
        let mut mine = (*record(1, 0)).clone();
        mine.to = vec!["me".into(), "elsewhere".into()];
        assert!(memberships.entitle("me", &mine));
        assert!(!memberships.entitle("you", &mine));
        mine.except = vec!["me".into()];
        assert!(!memberships.entitle("me", &mine));
        mine.to.clear();
        assert!(memberships.entitle("you", &mine));
    }
}

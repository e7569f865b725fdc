//! Who is here: names, rooms, and what each is doing. Three indexes of the same people, kept in step here only.
//!
//! Bounded by the hub: no more people than it has sockets, connected and away, and [`Rules`](super::Rules) bounds the
//! rooms of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rules::{Trouble, fold};
use crate::base::Instant;

/// Everyone in the chat.
#[derive(Debug, Default)]
pub(super) struct People {
    /// By the id of the socket, which stays the same when it comes back.
    by_id: BTreeMap<Arc<str>, Person>,
    /// Ids by folded name.
    by_name: BTreeMap<String, Arc<str>>,
    /// Ids by room and folded name. No room stands here without people.
    rooms: BTreeMap<Arc<str>, BTreeMap<String, Arc<str>>>,
}

#[derive(Debug)]
struct Person {
    name: Arc<str>,
    /// Its rooms, and until when it is typing there.
    rooms: BTreeMap<Arc<str>, Instant>,
    is_away: bool,
}

/// Somebody in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Here {
    pub(super) typing_until: Instant,
    pub(super) is_away: bool,
}

/// From one name to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Renamed {
    pub(super) from: Arc<str>,
    pub(super) to: Arc<str>,
}

impl People {
    /// Somebody who was here before the server ended.
    pub(super) fn restore<'a>(&mut self, id: &Arc<str>, name: &str, rooms: impl Iterator<Item = &'a str>) {
        self.enter(id, name);
        self.set_away(id, true);
        for room in rooms {
            // It was in them, so it may be.
            let _ = self.join(id, room, usize::MAX);
        }
    }

    /// Somebody comes in by this name, or by one like it that is free.
    pub(super) fn enter(&mut self, id: &Arc<str>, name: &str) -> Arc<str> {
        let numbered = (2..).map(|n: u64| format!("{name}-{n}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !self.by_name.contains_key(&fold(name))).unwrap_or_default();
        self.by_name.insert(fold(&name), id.clone());
        let name: Arc<str> = name.into();
        let person = Person { name: name.clone(), rooms: BTreeMap::new(), is_away: false };
        self.by_id.insert(id.clone(), person);
        name
    }

    /// Takes somebody out, from all rooms too; its name, and which rooms these were.
    pub(super) fn remove(&mut self, id: &str) -> Option<(Arc<str>, Vec<Arc<str>>)> {
        let rooms = self.rooms_of(id);
        rooms.iter().for_each(|room| {
            self.leave(id, room);
        });
        let person = self.by_id.remove(id)?;
        self.by_name.remove(&fold(&person.name));
        Some((person.name, rooms))
    }

    pub(super) fn name(&self, id: &str) -> Option<Arc<str>> {
        self.by_id.get(id).map(|person| person.name.clone())
    }

    /// The name, if nobody else than `id` has it.
    pub(super) fn free<'a>(&self, name: &'a str, id: Option<&str>) -> Result<&'a str, Trouble> {
        match self.by_name.get(&fold(name)) {
            Some(holder) if Some(&**holder) != id => Err(Trouble::Taken(name.into())),
            _ => Ok(name),
        }
    }

    /// Who has this folded name: id, and name as it is written.
    pub(super) fn find(&self, folded: &str) -> Option<(Arc<str>, Arc<str>)> {
        let id = self.by_name.get(folded)?;
        Some((id.clone(), self.name(id)?))
    }

    pub(super) fn rename(&mut self, id: &str, to: &str) -> Option<Renamed> {
        let (key, person) = self.by_id.get_key_value(id)?;
        let (id, from, rooms) = (key.clone(), person.name.clone(), self.rooms_of(id));
        let to: Arc<str> = to.into();
        self.by_name.remove(&fold(&from));
        self.by_name.insert(fold(&to), id.clone());
        for room in rooms {
            let members = self.rooms.entry(room).or_default();
            members.remove(&fold(&from));
            members.insert(fold(&to), id.clone());
        }
        self.by_id.get_mut(&id)?.name = to.clone();
        Some(Renamed { from, to })
    }

    /// False when there is no such person.
    pub(super) fn set_away(&mut self, id: &str, is_away: bool) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return false };
        person.is_away = is_away;
        // Whoever is away does not type.
        person.rooms.values_mut().for_each(|until| *until = Instant::ZERO);
        true
    }

    pub(super) fn is_away(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| person.is_away)
    }

    /// Into a room; false when it was there.
    pub(super) fn join(&mut self, id: &str, room: &str, limit: usize) -> Result<bool, Trouble> {
        let (id, _) = self.by_id.get_key_value(id).ok_or(Trouble::Outside)?;
        let id = id.clone();
        let person = self.by_id.get_mut(&id).ok_or(Trouble::Outside)?;
        if person.rooms.contains_key(room) {
            return Ok(false);
        }
        if person.rooms.len() >= limit {
            return Err(Trouble::TooManyRooms(limit));
        }
        let room: Arc<str> = room.into();
        person.rooms.insert(room.clone(), Instant::ZERO);
        self.rooms.entry(room).or_default().insert(fold(&person.name), id);
        Ok(true)
    }

    /// Out of a room; false when it was not there.
    pub(super) fn leave(&mut self, id: &str, room: &str) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return false };
        if person.rooms.remove(room).is_none() {
            return false;
        }
        if let Some(members) = self.rooms.get_mut(room) {
            members.remove(&fold(&person.name));
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
        true
    }

    pub(super) fn is_in(&self, id: &str, room: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| person.rooms.contains_key(room))
    }

    pub(super) fn rooms_of(&self, id: &str) -> Vec<Arc<str>> {
        self.by_id.get(id).map(|person| person.rooms.keys().cloned().collect()).unwrap_or_default()
    }

    /// Until when somebody types in a room; its name, when it is there.
    pub(super) fn set_typing(&mut self, id: &str, room: &str, until: Instant) -> Option<Arc<str>> {
        let person = self.by_id.get_mut(id)?;
        *person.rooms.get_mut(room)? = until;
        Some(person.name.clone())
    }

    /// Who is in a room, by name, and no more than so many.
    pub(super) fn here<'a>(
        &'a self,
        room: &'a str,
        most: usize,
    ) -> impl Iterator<Item = (&'a Arc<str>, Here)> {
        let members = self.rooms.get(room).into_iter().flat_map(BTreeMap::values).take(most);
        members.filter_map(move |id| {
            let person = self.by_id.get(id)?;
            let typing_until = person.rooms.get(room).copied().unwrap_or(Instant::ZERO);
            Some((&person.name, Here { typing_until, is_away: person.is_away }))
        })
    }

    /// How many are in a room.
    pub(super) fn count(&self, room: &str) -> usize {
        self.rooms.get(room).map_or(0, BTreeMap::len)
    }

    /// All rooms by name, and how many are in each.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.rooms.iter().map(|(room, members)| (room, members.len()))
    }
}

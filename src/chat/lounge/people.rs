//! Who is here: names, rooms, and what each is doing. Three indexes of the same people, kept in step here only.
//!
//! The members of a room are what the kept events say ([`People::apply`]), from whichever hub they are. People of this
//! hub are known even when they are in no room, with what only this hub knows: who is away, who is typing.
//!
//! Bounded by the hubs: no more people than they have sockets, connected and away, and [`Rules`](super::Rules) bounds
//! the rooms of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::hub::PastEvent;
use super::rules::{Trouble, fold};
use crate::base::Instant;
use crate::layers::application::socketio::Value;

/// Everyone in the chat.
#[derive(Debug, Default)]
pub(super) struct People {
    /// By the id of the socket, which stays the same when it comes back, also to another hub.
    by_id: BTreeMap<Arc<str>, Person>,
    /// Ids by folded name.
    by_name: BTreeMap<String, Arc<str>>,
    /// Folded names with ids, by room. A room without people has no entry.
    rooms: BTreeMap<Arc<str>, BTreeSet<(String, Arc<str>)>>,
}

#[derive(Debug)]
struct Person {
    name: Arc<str>,
    /// Its rooms, and until when it is typing there.
    rooms: BTreeMap<Arc<str>, Instant>,
    is_away: bool,
    /// At this hub, connected or away.
    is_here: bool,
}

/// A member of a room, as `who` shows it.
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
    /// A person who was here before the server ended.
    pub(super) fn restore<'a>(&mut self, id: &Arc<str>, name: &str, rooms: impl Iterator<Item = &'a str>) {
        self.enter(id, name);
        self.set_away(id, true);
        for room in rooms {
            self.join(id, room);
        }
    }

    /// Applies a kept event that changes a room's members.
    pub(super) fn apply(&mut self, event: &PastEvent) {
        let text = |member| event.args.first()?.get(member).and_then(Value::as_str);
        match &*event.name {
            "joined" => {
                let (Some(id), Some(name), Some(room)) =
                    (event.excepted_sockets().next(), text("name"), text("room"))
                else {
                    return;
                };
                if !self.by_id.contains_key(id) {
                    self.add(&id.into(), name.into(), false);
                }
                self.join(id, room);
            }
            "left" => {
                let (Some(id), Some(room)) = (event.excepted_sockets().next(), text("room")) else { return };
                self.leave(id, room);
                self.forget_elsewhere(id);
            }
            "renamed" => {
                // To the rooms of that person, of which one is that of its id. An event with a name alone had no other.
                let own = |room: &&Arc<str>| self.by_id.contains_key(&***room);
                let id = event.to.iter().find(own).cloned();
                if let (Some(id), Some(to)) = (id, text("to")) {
                    self.rename(&id, to);
                }
            }
            _ => {}
        }
    }

    /// A person enters under this name, or under one like it that is free.
    pub(super) fn enter(&mut self, id: &Arc<str>, name: &str) -> Arc<str> {
        let numbered = (2..).map(|n: u64| format!("{name}-{n}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !self.by_name.contains_key(&fold(name))).unwrap_or_default();
        let name: Arc<str> = name.into();
        self.add(id, name.clone(), true);
        name
    }

    fn add(&mut self, id: &Arc<str>, name: Arc<str>, is_here: bool) {
        // Two hubs may have let in two people by one name before either was in a room.
        self.by_name.entry(fold(&name)).or_insert_with(|| id.clone());
        let person = Person { name, rooms: BTreeMap::new(), is_away: false, is_here };
        self.by_id.insert(id.clone(), person);
    }

    /// Of a person at another hub only the rooms are known: without any, it is forgotten.
    fn forget_elsewhere(&mut self, id: &str) {
        if self.by_id.get(id).is_some_and(|person| !person.is_here && person.rooms.is_empty()) {
            self.remove(id);
        }
    }

    /// At this hub from now on, or at another one; false when there is no such person.
    pub(super) fn set_here(&mut self, id: &str, is_here: bool) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return false };
        person.is_here = is_here;
        self.set_away(id, false);
        self.forget_elsewhere(id);
        true
    }

    /// Removes a person, from all rooms too; returns the name, and which rooms these were.
    pub(super) fn remove(&mut self, id: &str) -> Option<(Arc<str>, Vec<Arc<str>>)> {
        let rooms = self.rooms_of(id);
        rooms.iter().for_each(|room| self.leave(id, room));
        let person = self.by_id.remove(id)?;
        self.forget_name(&person.name, id);
        Some((person.name, rooms))
    }

    fn forget_name(&mut self, name: &str, id: &str) {
        let name = fold(name);
        if self.by_name.get(&name).is_some_and(|holder| **holder == *id) {
            self.by_name.remove(&name);
        }
    }

    pub(super) fn name(&self, id: &str) -> Option<Arc<str>> {
        self.by_id.get(id).map(|person| person.name.clone())
    }

    /// The name, if no one other than `id` has it.
    pub(super) fn free<'a>(&self, name: &'a str, id: Option<&str>) -> Result<&'a str, Trouble> {
        match self.by_name.get(&fold(name)) {
            Some(holder) if Some(&**holder) != id => Err(Trouble::Taken(name.into())),
            _ => Ok(name),
        }
    }

    /// The holder of this folded name: id, and name as it is written.
    pub(super) fn find(&self, folded: &str) -> Option<(Arc<str>, Arc<str>)> {
        let id = self.by_name.get(folded)?;
        Some((id.clone(), self.name(id)?))
    }

    pub(super) fn rename(&mut self, id: &str, to: &str) -> Option<Renamed> {
        let (key, person) = self.by_id.get_key_value(id)?;
        let (id, from, rooms) = (key.clone(), person.name.clone(), self.rooms_of(id));
        let to: Arc<str> = to.into();
        self.forget_name(&from, &id);
        self.by_name.entry(fold(&to)).or_insert_with(|| id.clone());
        for room in rooms {
            let members = self.rooms.entry(room).or_default();
            members.remove(&(fold(&from), id.clone()));
            members.insert((fold(&to), id.clone()));
        }
        self.by_id.get_mut(&id)?.name = to.clone();
        Some(Renamed { from, to })
    }

    /// False when there is no such person.
    pub(super) fn set_away(&mut self, id: &str, is_away: bool) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return false };
        person.is_away = is_away;
        // A person who is away does not type.
        person.rooms.values_mut().for_each(|until| *until = Instant::ZERO);
        true
    }

    pub(super) fn is_away(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| person.is_away)
    }

    /// Whether a person may join a room: false when already in it.
    pub(super) fn may_join(&self, id: &str, room: &str, limit: usize) -> Result<bool, Trouble> {
        let person = self.by_id.get(id).ok_or(Trouble::Outside)?;
        if person.rooms.contains_key(room) {
            return Ok(false);
        }
        if person.rooms.len() >= limit { Err(Trouble::TooManyRooms(limit)) } else { Ok(true) }
    }

    /// Adds a person to a room.
    pub(super) fn join(&mut self, id: &str, room: &str) {
        let Some((id, person)) = self.by_id.get_key_value(id) else { return };
        let (id, name) = (id.clone(), fold(&person.name));
        let room: Arc<str> = room.into();
        let rooms = self.by_id.get_mut(&id).map(|person| &mut person.rooms);
        rooms.into_iter().for_each(|rooms| {
            rooms.entry(room.clone()).or_insert(Instant::ZERO);
        });
        self.rooms.entry(room).or_default().insert((name, id));
    }

    /// Out of a room.
    pub(super) fn leave(&mut self, id: &str, room: &str) {
        let Some((id, person)) = self.by_id.get_key_value(id) else { return };
        let member = (fold(&person.name), id.clone());
        if let Some(person) = self.by_id.get_mut(&member.1) {
            person.rooms.remove(room);
        }
        if let Some(members) = self.rooms.get_mut(room) {
            members.remove(&member);
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    pub(super) fn is_in(&self, id: &str, room: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| person.rooms.contains_key(room))
    }

    pub(super) fn rooms_of(&self, id: &str) -> Vec<Arc<str>> {
        self.by_id.get(id).map(|person| person.rooms.keys().cloned().collect()).unwrap_or_default()
    }

    /// Until when a person types in a room; returns the name, when it is there.
    pub(super) fn set_typing(&mut self, id: &str, room: &str, until: Instant) -> Option<Arc<str>> {
        let person = self.by_id.get_mut(id)?;
        *person.rooms.get_mut(room)? = until;
        Some(person.name.clone())
    }

    /// The members of a room, by name, at most `limit` of them.
    pub(super) fn here<'a>(
        &'a self,
        room: &'a str,
        most: usize,
    ) -> impl Iterator<Item = (&'a Arc<str>, Here)> {
        let members = self.rooms.get(room).into_iter().flatten().take(most);
        members.filter_map(move |(_, id)| {
            let person = self.by_id.get(id)?;
            let typing_until = person.rooms.get(room).copied().unwrap_or(Instant::ZERO);
            Some((&person.name, Here { typing_until, is_away: person.is_away }))
        })
    }

    /// How many are in a room.
    pub(super) fn count(&self, room: &str) -> usize {
        self.rooms.get(room).map_or(0, BTreeSet::len)
    }

    /// All rooms by name, and how many are in each.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.rooms.iter().map(|(room, members)| (room, members.len()))
    }
}

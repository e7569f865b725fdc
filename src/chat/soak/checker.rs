//! The checker of the soak: from all that the clients did and received, it decides whether the server kept its promise.
//!
//! **The promise.** Every message that the server acknowledged reaches every client that is *entitled* to it, in the
//! order of the log, exactly once; and no other client.
//!
//! **Entitled** to a message is each client that was a member of the message's room at the message's place in the log
//! (the sender too, unless it chose to be left out), and that came back within the recovery window each time its
//! connection broke. A client that says goodbye is entitled to what lies before that. A client that is half-open, and
//! comes back and is half-open again, has received something in between: else it could not be distinguished from a
//! thief of its secret (`hub/recovery.rs`).
//!
//! **How membership is known** from outside, where the place of the log at which a join took effect is not visible: a
//! member is one for a *stretch* of the log, so what it received of its room is a run of the room's log without a hole,
//! and all of its own messages are in that run, because it sent as a member only. A stretch cannot begin before the
//! last place that the client had seen when it asked to join, nor go on after a later message of its own that it sent
//! when it knew that it had left.
//!
//! **How the log is known**: each event carries its offset. What no client received has no known place; it is proven to
//! be lost when its sender's messages before and after it have one, and another client was a member all the while.
//!
//! It knows nothing of sockets and clocks, so it serves the real soak and the one in virtual time alike, and it knows
//! nothing of hubs: several that are one are checked as one.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// One client from its first entry to its goodbye; breaks and returns lie in between.
pub type Visit = usize;

/// A message: its sender, and its ordinal among that client's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// The client that sent it.
    pub client: u32,
    /// How many it has said before.
    pub number: u32,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.client, self.number)
    }
}

#[derive(Debug)]
struct Said {
    visit: Visit,
    room: u16,
    /// Its sender receives it, too.
    echo: bool,
    acknowledged: bool,
    offset: Option<u64>,
}

#[derive(Debug)]
struct Stay {
    client: u32,
    /// Offsets of what it received, in the order of arrival.
    heard: Vec<u64>,
    last: u64,
    stretches: Vec<Stretch>,
    has_quit: bool,
    /// What it did and saw of late, for the story of a violation.
    story: VecDeque<Step>,
}

/// A membership of one room, from a join to a leave.
#[derive(Debug, Clone)]
struct Stretch {
    room: u16,
    /// It began above this offset.
    floor: u64,
    /// It ended at or below this one.
    ceiling: Option<u64>,
    /// It is over for certain for messages of its own from this number on.
    left_at: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Entered,
    Returned,
    Joining(u16),
    Left(u16),
    Says(Id, u16),
    Acked(Id),
    Hears(u64, Id),
    Quit,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Entered => write!(f, "entered"),
            Step::Returned => write!(f, "came back"),
            Step::Joining(room) => write!(f, "asked to join room {room}"),
            Step::Left(room) => write!(f, "had left room {room}"),
            Step::Says(id, room) => write!(f, "said {id} in room {room}"),
            Step::Acked(id) => write!(f, "{id} was acknowledged"),
            Step::Hears(offset, id) => write!(f, "heard {id} at {offset}"),
            Step::Quit => write!(f, "said goodbye"),
        }
    }
}

/// How much was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that clients sent.
    pub said: u64,
    /// Of those, the acknowledged.
    pub acknowledged: u64,
    /// Messages that at least one client received.
    pub in_log: u64,
    /// Pairs of a message and a client that received it.
    pub deliveries: u64,
    /// Returns within the window.
    pub returns: u64,
    /// Visits that began with no past.
    pub visits: u64,
    /// Memberships of rooms.
    pub stretches: u64,
    /// Acknowledged, sent to others only, and of no known place, with no client that must have received it.
    pub unproven: u64,
    /// Broken promises.
    pub violations: u64,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Checker {
    said: BTreeMap<Id, Said>,
    by_offset: BTreeMap<u64, Id>,
    stays: Vec<Stay>,
    /// The next number of each client.
    numbers: BTreeMap<u32, u32>,
    counts: Counts,
    first: Option<String>,
}

impl Checker {
    /// Steps of a client that are printed with a violation.
    const STORY: usize = 16;

    /// What was checked so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The first violation, explained.
    pub fn violation(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// A client has entered as a new one.
    pub fn enters(&mut self, client: u32) -> Visit {
        self.counts.visits += 1;
        self.stays.push(Stay {
            client,
            heard: Vec::new(),
            last: 0,
            stretches: Vec::new(),
            has_quit: false,
            story: VecDeque::new(),
        });
        let visit = self.stays.len() - 1;
        self.note(visit, Step::Entered);
        visit
    }

    /// A client has come back within the window; `recognised` when the server knows it.
    pub fn returns(&mut self, visit: Visit, recognised: bool) {
        self.counts.returns += 1;
        self.note(visit, Step::Returned);
        if !recognised {
            self.violated(visit, "it came back within the window and was not recognised");
        }
    }

    /// Whether it is known well enough when this client last left the room for it to join again.
    pub fn may_join(&self, visit: Visit, room: u16) -> bool {
        let last = self.stays[visit].stretches.iter().rev().find(|stretch| stretch.room == room);
        last.is_none_or(|stretch| stretch.ceiling.is_some())
    }

    /// A client is about to ask for a room.
    pub(super) fn asks_to_join(&mut self, visit: Visit, room: u16) {
        self.note(visit, Step::Joining(room));
        let floor = self.stays[visit].last;
        let is_open = self.stays[visit].stretches.iter().any(|s| s.room == room && s.ceiling.is_none());
        if !is_open {
            self.counts.stretches += 1;
            self.stays[visit].stretches.push(Stretch { room, floor, ceiling: None, left_at: None });
        }
    }

    /// The server has said that the client is out of the room.
    pub fn has_left(&mut self, visit: Visit, room: u16) {
        self.note(visit, Step::Left(room));
        let next = self.numbers.get(&self.stays[visit].client).copied().unwrap_or(0);
        for stretch in &mut self.stays[visit].stretches {
            if stretch.room == room && stretch.left_at.is_none() {
                stretch.left_at = Some(next);
            }
        }
    }

    /// A client is about to say something in a room of which it is a member.
    pub fn says(&mut self, visit: Visit, room: u16, echo: bool) -> Id {
        let client = self.stays[visit].client;
        let number = self.numbers.entry(client).or_default();
        let id = Id { client, number: *number };
        *number += 1;
        self.counts.said += 1;
        self.said.insert(id, Said { visit, room, echo, acknowledged: false, offset: None });
        self.note(visit, Step::Says(id, room));
        id
    }

    /// The server has acknowledged it.
    pub fn acknowledged(&mut self, visit: Visit, id: Id) {
        self.note(visit, Step::Acked(id));
        if let Some(said) = self.said.get_mut(&id)
            && !std::mem::replace(&mut said.acknowledged, true)
        {
            self.counts.acknowledged += 1;
        }
    }

    /// A client has received an event that is no message of a room.
    pub(super) fn hears_other(&mut self, visit: Visit, offset: u64) {
        self.in_order(visit, offset, "an event");
    }

    /// A client has received a message; `intact` when it is as it was sent.
    pub fn hears(&mut self, visit: Visit, offset: u64, room: u16, id: Id, intact: bool) {
        self.note(visit, Step::Hears(offset, id));
        self.counts.deliveries += 1;
        if !intact {
            self.violated(visit, &format!("message {id} is not as it was sent"));
        }
        if !self.in_order(visit, offset, &format!("message {id}")) {
            return;
        }
        self.stays[visit].heard.push(offset);
        let Some(said) = self.said.get_mut(&id) else {
            return self.violated(visit, &format!("it heard {id}, which was never sent"));
        };
        let (said_in, own, echo) = (said.room, said.visit == visit, said.echo);
        let known = *said.offset.get_or_insert(offset);
        let other = *self.by_offset.entry(offset).or_insert(id);
        self.counts.in_log = self.by_offset.len() as u64;
        if known != offset {
            self.violated(visit, &format!("{id} is in the log twice, at {known} and {offset}"));
        } else if other != id {
            self.violated(visit, &format!("offset {offset} is that of {id}, and of {other}"));
        } else if said_in != room {
            self.violated(visit, &format!("{id} was said in room {said_in} and came as of room {room}"));
        } else if own && !echo {
            self.violated(visit, &format!("it heard its own {id}, which was for the others"));
        }
        if own {
            for stretch in &mut self.stays[visit].stretches {
                if stretch.left_at.is_some_and(|left_at| left_at <= id.number) {
                    stretch.ceiling.get_or_insert(offset);
                }
            }
        }
    }

    /// A client has said goodbye.
    pub(super) fn quits(&mut self, visit: Visit) {
        self.note(visit, Step::Quit);
        self.stays[visit].has_quit = true;
    }

    /// The run is over and every client has received the last of its own messages: what was missed?
    pub fn finish(&mut self) {
        let mut rooms: BTreeMap<u16, Vec<(u64, Id)>> = BTreeMap::new();
        let mut newest: BTreeMap<u32, Id> = BTreeMap::new();
        let log: Vec<(u64, Id)> = self.by_offset.iter().map(|(offset, id)| (*offset, *id)).collect();
        for (offset, id) in log {
            rooms.entry(self.said[&id].room).or_default().push((offset, id));
            if let Some(before) = newest.insert(id.client, id).filter(|before| before.number > id.number) {
                let visit = self.said[&id].visit;
                self.violated(visit, &format!("it said {id} before {before}, and the log has it after"));
            }
        }
        for visit in 0..self.stays.len() {
            self.check_stay(visit, &rooms);
        }
        self.check_unheard();
    }

    /// What one client received of each of its rooms.
    fn check_stay(&mut self, visit: Visit, rooms: &BTreeMap<u16, Vec<(u64, Id)>>) {
        let heard = std::mem::take(&mut self.stays[visit].heard);
        let stretches = self.stays[visit].stretches.clone();
        let mut missing = Vec::new();
        let mut covered = 0;
        for stretch in &stretches {
            let for_it = |id: &Id| {
                let said = &self.said[id];
                said.visit != visit || said.echo
            };
            let run: Vec<(u64, Id, bool)> = rooms
                .get(&stretch.room)
                .into_iter()
                .flatten()
                .filter(|(offset, id)| {
                    *offset > stretch.floor && stretch.ceiling.is_none_or(|end| *offset <= end) && for_it(id)
                })
                .map(|&(offset, id)| (offset, id, heard.binary_search(&offset).is_ok()))
                .collect();
            let Some(first) = run.iter().position(|(.., heard)| *heard) else { continue };
            let last = run.iter().rposition(|(.., heard)| *heard).unwrap_or(first);
            covered += last - first + 1;
            missing.extend(run[first..=last].iter().filter(|(.., heard)| !heard).copied());
        }
        let heard_count = heard.len();
        if let Some((offset, id, _)) = missing.first() {
            let from = heard.iter().rev().find(|before| *before < offset).copied().unwrap_or(0);
            let to = heard.iter().find(|after| *after > offset).copied().unwrap_or(0);
            let count = missing.len();
            self.violated(
                visit,
                &format!(
                    "it was a member of room {} and missed {id} at {offset} (it heard {from} before and {to} \
                     after); {count} missed in all",
                    self.said[id].room
                ),
            );
        } else if covered < heard_count {
            let stray = heard.iter().find(|&&offset| {
                let room = self.said[&self.by_offset[&offset]].room;
                !stretches
                    .iter()
                    .any(|s| s.room == room && offset > s.floor && s.ceiling.is_none_or(|end| offset <= end))
            });
            let stray = stray.map_or("something".into(), |at| format!("{} at {at}", self.by_offset[at]));
            self.violated(visit, &format!("it heard {stray} and was no member of its room then"));
        }
        self.stays[visit].heard = heard;
    }

    /// Messages that were acknowledged, and that their sender or any client should have received.
    fn check_unheard(&mut self) {
        let unheard: Vec<Id> = self
            .said
            .iter()
            .filter(|(_, s)| s.acknowledged && s.offset.is_none())
            .map(|(id, _)| *id)
            .collect();
        for id in unheard {
            let said = &self.said[&id];
            let (visit, room, echo) = (said.visit, said.room, said.echo);
            if echo && !self.stays[visit].has_quit {
                self.violated(visit, &format!("{id} was acknowledged, and its sender never heard it"));
                continue;
            }
            let known = |said: &Said| said.offset;
            let own = |range: std::ops::Range<u32>| {
                let at = |number| Id { client: id.client, number };
                self.said.range(at(range.start)..at(range.end)).map(|(_, said)| said)
            };
            let before = own(0..id.number).rev().find_map(known);
            let after = own(id.number + 1..u32::MAX).find_map(known);
            let witness =
                before.zip(after).and_then(|(before, after)| self.member(room, visit, before, after));
            match witness {
                Some(witness) => {
                    let client = self.stays[witness].client;
                    self.violated(
                        visit,
                        &format!("{id} was acknowledged, and client {client}, a member, never heard it"),
                    );
                }
                None => self.counts.unproven += 1,
            }
        }
    }

    /// Another client that received events of the room before, and after.
    fn member(&self, room: u16, except: Visit, before: u64, after: u64) -> Option<Visit> {
        let of_room = |offset: &u64| self.said[&self.by_offset[offset]].room == room;
        self.stays.iter().enumerate().position(|(visit, stay)| {
            let in_stretch = |s: &Stretch, at: u64| at > s.floor && s.ceiling.is_none_or(|end| at <= end);
            visit != except
                && stay.stretches.iter().filter(|s| s.room == room).any(|stretch| {
                    let mine = |offset: &&u64| of_room(offset) && in_stretch(stretch, **offset);
                    stay.heard.iter().filter(mine).any(|&o| o <= before)
                        && stay.heard.iter().rev().filter(mine).any(|&o| o >= after)
                })
        })
    }

    fn in_order(&mut self, visit: Visit, offset: u64, what: &str) -> bool {
        let last = self.stays[visit].last;
        if offset <= last {
            let again =
                if self.stays[visit].heard.binary_search(&offset).is_ok() { "again" } else { "too late" };
            self.violated(visit, &format!("{what} came {again}: at {offset}, after {last}"));
            return false;
        }
        self.stays[visit].last = offset;
        true
    }

    fn note(&mut self, visit: Visit, step: Step) {
        let story = &mut self.stays[visit].story;
        if story.len() == Self::STORY {
            story.pop_front();
        }
        story.push_back(step);
    }

    fn violated(&mut self, visit: Visit, what: &str) {
        self.counts.violations += 1;
        if self.first.is_none() {
            let stay = &self.stays[visit];
            let steps: Vec<String> = stay.story.iter().map(Step::to_string).collect();
            let story = steps.join("\n    ");
            self.first =
                Some(format!("client {} (visit {visit}): {what}\n  it last\n    {story}", stay.client));
        }
    }
}

//! Exercise of lesson 21: have each event's effect once.
//!
//! Read first: `chat/delivery.rs`. Left out: where the ids are kept over a crash.

use std::collections::VecDeque;

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, not_understood};
use crate::chat::delivery::SeenIds;

pub(super) const EXERCISE: Exercise = Exercise {
    id: "dedupe",
    lesson: "events",
    title: "drop the copies",
    task: "A sender that gets no acknowledgement says the same thing again, with the same id. Say for each event \
           whether it is to have its effect, so that none has it twice. You may remember as many ids as you are \
           told, and no more: when there is no room, the oldest is forgotten.",
    hints: &[
        "Keep the ids you have seen, in the order in which they came.",
        "An id that you know is a copy: no effect. A new one has its effect, and is remembered.",
        "When you remember as many as you may, drop the oldest before you add one. Rust's VecDeque has \
         push_back and pop_front, Python's deque append and popleft, a list of JavaScript push and shift.",
        "A copy does not make an id younger: it came when it came first. So do not move it to the end.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A receiver that remembers ids.
pub trait Dedupe {
    /// One that may remember `room` ids.
    fn begin(room: usize) -> Self;

    /// Whether an event with this id is to have its effect.
    fn is_new(&mut self, id: &str) -> bool;
}

/// The receiver under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<D>(Option<D>);

impl<D: Dedupe> Session<D> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line, which is `begin ROOM` or `event ID`.
    pub fn answer(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (words.as_slice(), &mut self.0) {
            (["begin", room], _) if room.parse::<usize>().is_ok() => {
                self.0 = room.parse().ok().map(D::begin);
                format!("{ANSWER}ready=yes")
            }
            (["event", id], Some(receiver)) => {
                let effect = if receiver.is_new(id) { "yes" } else { "no" };
                format!("{ANSWER}effect={effect}")
            }
            _ => not_understood("begin 3    and then: event ada-1"),
        }
    }
}

fn cases() -> Vec<Case> {
    vec![
        story(0, "each comes once", 8, &["ada-1", "ada-2", "bob-1"]),
        story(1, "one comes twice", 8, &["ada-1", "ada-1", "ada-2"]),
        story(0, "late copies", 8, &["ada-1", "ada-2", "ada-3", "ada-1", "ada-3", "ada-2"]),
        story(1, "two senders, one number", 8, &["ada-1", "bob-1", "ada-1", "bob-1"]),
        story(2, "as many as there is room for", 3, &["a", "b", "c", "a", "b", "c"]),
        story(2, "the oldest is forgotten", 3, &["a", "b", "c", "d", "a"]),
        story(2, "only the oldest", 3, &["a", "b", "c", "d", "b", "c", "d"]),
        story(3, "a copy makes no id younger", 3, &["a", "b", "a", "c", "d", "a"]),
        story(2, "room for one", 1, &["a", "a", "b", "a"]),
    ]
}

/// A case: ids in the order in which they come.
fn story(hint: usize, title: &'static str, room: usize, ids: &[&'static str]) -> Case {
    let mut receiver = SeenIds::new(room);
    let mut kept: VecDeque<&str> = VecDeque::new();
    let begin = Step {
        input: format!("begin {room}"),
        told: format!("room for {room}"),
        shown: Shown::Lines(Vec::new()),
        expected: vec![Fact::new("ready", "yes")],
        why: "Memory has an end, and a good program says where.",
    };
    let mut steps = vec![begin];
    for id in ids {
        let shown = format!("remembered: {}", Vec::from(kept.clone()).join(" "));
        let is_new = receiver.is_new(id);
        if is_new {
            if kept.len() == room {
                kept.pop_front();
            }
            kept.push_back(id);
        }
        steps.push(Step {
            input: format!("event {id}"),
            told: format!("an event with the id {id}"),
            shown: Shown::Lines(vec![shown.trim_end().to_owned()]),
            expected: vec![Fact::new("effect", if is_new { "yes" } else { "no" })],
            why: match is_new {
                true => "Its id is not remembered: as far as the receiver knows, it is new.",
                false => "Its id is remembered: it is a copy, and had its effect.",
            },
        });
    }
    Case { title, hint, steps }
}

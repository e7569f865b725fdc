//! What a lesson is: plain data with one function.

use serde::Serialize;

use super::knob::AnyKnob;
use super::scenario::Scenario;
use super::stage::{Performance, Stage};
use crate::base::Layer;

/// A lesson. It holds everything a list, a book or a teacher needs; the story is in [`script`](Lesson::script).
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    /// Its name on the command line and in links: lower case, no spaces; also the name of its file.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The layer it is mostly about.
    pub layer: Layer,
    /// How long it takes in class, in minutes.
    pub minutes: u8,
    /// What many believe before it, as they would say it.
    pub misconception: &'static str,
    /// The words that it introduces, by their names in the vocabulary, each with what it is in a few words. No lesson
    /// before it uses them, and they give no answer away: they are shown at the very beginning.
    pub words: &'static [(&'static str, &'static str)],
    /// Where it can be read up: at least one with a section.
    pub cites: &'static [Cite],
    /// What can be turned.
    pub knobs: &'static [&'static dyn AnyKnob],
    /// Material for the teacher.
    pub teacher: Teacher,
    /// The function that tells the story.
    pub script: fn(&mut Stage),
}

/// Where something can be read up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cite {
    /// The document, such as `RFC 9293`.
    pub document: &'static str,
    /// The section in it, such as `3.5` or `appendix B`; empty for the whole document.
    pub section: &'static str,
    /// What is there, as a phrase.
    pub what: &'static str,
}

/// What a teacher needs beside the lesson itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Teacher {
    /// A question for vote, discussion with the neighbour, and a second vote.
    pub vote: &'static str,
    /// The choices of the vote.
    pub choices: &'static [&'static str],
    /// What to say when the run surprises the class.
    pub surprise: &'static str,
}

impl Lesson {
    /// Its place in the course, from 1.
    pub fn number(&self) -> u8 {
        super::number(self.id)
    }

    /// Its scenario with all knobs at their defaults.
    pub fn scenario(&self) -> Scenario {
        Scenario::new(self.id, self.knobs)
    }

    /// Plays the lesson. Nothing is printed: what there is to see is in the beats.
    /// With forks in its scenario it is the other future; a fork of what there is not is a fault.
    pub fn play(&self, scenario: &Scenario) -> Performance {
        if !scenario.forks().is_empty() {
            return self.fork(scenario).map_or_else(
                |fault| {
                    let mut plain = self.play(&scenario.without_forks());
                    plain.faults.push(fault);
                    plain
                },
                |forked| forked.after,
            );
        }
        let mut stage = Stage::new(scenario.clone());
        (self.script)(&mut stage);
        stage.end()
    }

    /// The command that runs it.
    pub fn command(&self) -> String {
        format!("netlayers lesson {}", self.number())
    }
}

impl std::fmt::Display for Cite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.section {
            "" => write!(f, "{}: {}", self.document, self.what),
            section if section.starts_with(|c: char| c.is_ascii_digit()) => {
                write!(f, "{} §{section}: {}", self.document, self.what)
            }
            section => write!(f, "{}, {section}: {}", self.document, self.what),
        }
    }
}

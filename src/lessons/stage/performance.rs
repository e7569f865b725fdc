//! A scenario that has been played: its beats, and its runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lessons::beat::{Beat, Prediction};
use crate::lessons::scenario::Scenario;
use crate::trace::Trace;

/// What playing a scenario gives.
#[derive(Debug, Clone)]
pub struct Performance {
    /// What it was played with.
    pub scenario: Scenario,
    /// What it says, shows, asks and claims, in order.
    pub beats: Vec<Beat>,
    /// Its questions with their answers; beats name them by their index.
    pub predictions: Vec<Prediction>,
    /// Numbers and words of the run that have a name, for the book.
    pub facts: BTreeMap<String, String>,
    /// The runs, in order.
    pub scenes: Vec<PlayedScene>,
    /// What is wrong with the script itself, such as a question that is never answered.
    pub faults: Vec<String>,
}

/// One run of a lesson.
#[derive(Debug, Clone)]
pub struct PlayedScene {
    /// Its name, unique in the lesson.
    pub id: String,
    /// What happens in it.
    pub title: String,
    /// The trace of the run.
    pub trace: Arc<Trace>,
}

impl Performance {
    /// A scene by its id.
    pub fn scene(&self, id: &str) -> Option<&PlayedScene> {
        self.scenes.iter().find(|scene| scene.id == id)
    }

    /// A picture by its id.
    pub fn picture(&self, id: &str) -> Option<&crate::lessons::picture::Picture> {
        self.beats.iter().find_map(|beat| match beat {
            Beat::Show { picture } if picture.id == id => Some(picture),
            _ => None,
        })
    }
}

//! A lesson that has been played: its beats, the runs behind them, and whether all it claims is so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::lessons::beat::{Beat, Prediction};
use crate::lessons::knob::Scenario;
use crate::lessons::lesson::Lesson;
use crate::lessons::render::text;
use crate::trace::Trace;
use crate::view::look::Look;

/// What playing a lesson gives.
#[derive(Debug, Clone)]
pub struct Performance {
    /// The lesson.
    pub lesson: &'static Lesson,
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
    /// What happened.
    pub trace: Arc<Trace>,
}

impl Performance {
    /// Whether everything the lesson claims is so.
    ///
    /// # Errors
    /// The story up to the first claim that does not hold, or what is wrong with the script.
    pub fn verify(&self) -> Result<(), String> {
        if let Some(fault) = self.faults.first() {
            return Err(format!("{}: {fault}\n(scenario: {})", self.lesson.id, self.scenario));
        }
        let failed = self.beats.iter().position(|beat| matches!(beat, Beat::Check { holds: false, .. }));
        let Some(failed) = failed else { return Ok(()) };
        let look = Look::default();
        let story: Vec<String> = self.beats[..=failed]
            .iter()
            .map(|beat| text::beat(self, beat, None, &look).to_string())
            .collect();
        Err(format!(
            "lesson {} claims something that its run does not show. The story so far:\n\n{}\n(scenario: {})",
            self.lesson.id,
            story.join("\n"),
            self.scenario
        ))
    }

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

impl Serialize for Performance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lesson = self.lesson;
        let mut fields = serializer.serialize_struct("Performance", 12)?;
        fields.serialize_field("schema", "netlayers.lesson/1")?;
        fields.serialize_field("lesson", lesson.id)?;
        fields.serialize_field("number", &lesson.number)?;
        fields.serialize_field("title", lesson.title)?;
        fields.serialize_field("layer", &lesson.layer)?;
        fields.serialize_field("minutes", &lesson.minutes)?;
        fields.serialize_field("misconception", lesson.misconception)?;
        fields.serialize_field("cites", lesson.cites)?;
        fields.serialize_field("scenario", &self.scenario.to_string())?;
        fields.serialize_field("predictions", &self.predictions)?;
        fields.serialize_field("facts", &self.facts)?;
        fields.serialize_field("beats", &self.beats)?;
        fields.end()
    }
}

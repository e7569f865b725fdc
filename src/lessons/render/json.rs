//! A lesson as JSON, `netlayers.lesson/1`: what it is, the questions, the facts, and the beats in order.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::lessons::lesson::Lesson;
use crate::lessons::stage::Performance;

/// A lesson and its performance, to be serialized.
#[derive(Debug)]
pub struct Document<'a> {
    /// Which lesson was played.
    pub lesson: &'a Lesson,
    /// What playing it gave.
    pub performance: &'a Performance,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { lesson, performance } = self;
        let mut fields = serializer.serialize_struct("Document", 13)?;
        fields.serialize_field("schema", "netlayers.lesson/1")?;
        fields.serialize_field("lesson", lesson.id)?;
        fields.serialize_field("number", &lesson.number())?;
        fields.serialize_field("title", lesson.title)?;
        fields.serialize_field("layer", &lesson.layer)?;
        fields.serialize_field("minutes", &lesson.minutes)?;
        fields.serialize_field("misconception", lesson.misconception)?;
        let word = |(word, is): &(&str, &str)| serde_json::json!({ "word": word, "is": is });
        fields.serialize_field("words", &lesson.words.iter().map(word).collect::<Vec<_>>())?;
        fields.serialize_field("cites", lesson.cites)?;
        fields.serialize_field("scenario", &performance.scenario.to_string())?;
        fields.serialize_field("predictions", &performance.predictions)?;
        fields.serialize_field("facts", &performance.facts)?;
        fields.serialize_field("beats", &performance.beats)?;
        fields.end()
    }
}

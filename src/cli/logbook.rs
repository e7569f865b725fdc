//! A student's progress: one small file under the user's data directory.
//!
//! It holds counts and where a lesson was left, and no times, no names and no answers. A file that cannot be read is
//! set aside, never overwritten; one that a newer version wrote is left alone. Whatever goes wrong here is said and is
//! no reason to stop a lesson.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::output::remark;

/// The version of the file. A change that old versions could misread takes a new number.
const SCHEMA: &str = "netlayers.progress/1";

/// No file of ours is larger: what is, is not ours.
const MAX_FILE: u64 = 1 << 20;

/// What has been done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Logbook {
    schema: String,
    /// Lessons that were played to their end, by id.
    #[serde(default)]
    pub(super) lessons: BTreeMap<String, LessonProgress>,
    /// What was done in each exercise, by its id.
    #[serde(default)]
    pub(super) exercises: BTreeMap<String, ExerciseProgress>,
    /// The language that exercises were solved in last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
}

/// What has been done of a lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LessonProgress {
    /// How often it was played to its end, with a prediction at least.
    #[serde(default)]
    pub(super) finished: u32,
    /// How often it was played to its end without any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) seen: u32,
    /// How many predictions were made.
    #[serde(default)]
    pub(super) predictions: u32,
    /// How many of them were what happened.
    #[serde(default)]
    pub(super) as_predicted: u32,
    /// Where it was left before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
}

/// How far a telling of a lesson has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The scenario line: with other knobs it is another story.
    pub(super) scenario: String,
    /// The beat that the page began with.
    pub(super) beat: u32,
    /// How many predictions were made up to there.
    pub(super) predicted: u32,
    /// How many of them were what happened.
    pub(super) as_predicted: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// What has been done of an exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExerciseProgress {
    /// Whether its check has passed.
    #[serde(default)]
    pub(super) passed: bool,
    /// Whether something was checked that is not the starter.
    #[serde(default)]
    pub(super) tried: bool,
    /// The case that failed last, as an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<u32>,
    /// The hints that were read, as indices.
    #[serde(default)]
    pub(super) hints_read: BTreeSet<u32>,
}

impl Default for Logbook {
    fn default() -> Self {
        Logbook {
            schema: SCHEMA.into(),
            lessons: BTreeMap::new(),
            exercises: BTreeMap::new(),
            language: None,
        }
    }
}

impl Logbook {
    /// Whether a lesson was played to its end, with a prediction at least.
    pub(super) fn has_finished(&self, lesson: &str) -> bool {
        self.lessons.get(lesson).is_some_and(|lesson| lesson.finished > 0)
    }
}

/// How far a telling of this scenario of a lesson came, if it was left before its end.
pub(super) fn place(lesson: &str, scenario: &str) -> Option<Place> {
    let place = load().lessons.get(lesson)?.place.clone()?;
    (place.scenario == scenario).then_some(place)
}

/// Keeps how far a telling has come.
pub(super) fn keep_place(lesson: &str, place: Place) {
    update(|progress| progress.lessons.entry(lesson.to_owned()).or_default().place = Some(place));
}

/// What is known of the progress; nothing, when there is no file or it cannot be read.
pub(super) fn load() -> Logbook {
    match file() {
        Some(path) => read(&path).unwrap_or_default(),
        None => Logbook::default(),
    }
}

/// Changes the progress and keeps it.
pub(super) fn update(change: impl FnOnce(&mut Logbook)) {
    let Some(path) = file() else { return };
    let Some(mut progress) = read(&path) else { return };
    change(&mut progress);
    if let Err(error) = write(&path, &progress) {
        remark(format!("your progress could not be kept in {}: {error}", path.display()));
    }
}

/// Takes down that a lesson was played to its end.
pub(super) fn finish_lesson(id: &str, predictions: usize, as_predicted: usize) {
    update(|progress| progress.lessons.entry(id.to_owned()).or_default().finish(predictions, as_predicted));
}

impl LessonProgress {
    /// Once more to its end: seen, or finished if anything was predicted.
    fn finish(&mut self, predictions: usize, as_predicted: usize) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let times = if predictions > 0 { &mut self.finished } else { &mut self.seen };
        *times = times.saturating_add(1);
        self.predictions = self.predictions.saturating_add(count(predictions));
        self.as_predicted = self.as_predicted.saturating_add(count(as_predicted));
        self.place = None;
    }
}

/// Where it is kept; `None` on a system that names no place for a user's data.
///
/// `NETLAYERS_DATA` names another folder: for a class that shares an account, and for tests.
fn file() -> Option<PathBuf> {
    Some(folder()?.join("progress.json"))
}

/// The folder of this user's data.
pub(super) fn folder() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = if let Some(folder) = folder("NETLAYERS_DATA") {
        folder
    } else if cfg!(windows) {
        folder("APPDATA")?.join("netlayers")
    } else if cfg!(target_os = "macos") {
        folder("HOME")?.join("Library/Application Support/netlayers")
    } else {
        // A relative path is to be ignored: XDG Base Directory Specification.
        let xdg = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
        xdg.or_else(|| Some(folder("HOME")?.join(".local/share")))?.join("netlayers")
    };
    Some(data)
}

/// The progress in a file; `None` when a file is there that must not be overwritten.
fn read(path: &Path) -> Option<Logbook> {
    let text = match fs::metadata(path).and_then(|about| match about.len() {
        0..=MAX_FILE => fs::read_to_string(path),
        _ => Err(io::Error::new(ErrorKind::InvalidData, "it is too large")),
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(Logbook::default()),
        Err(error) if error.kind() == ErrorKind::InvalidData => return set_aside(path, &error.to_string()),
        Err(error) => {
            remark(format!("your progress cannot be read from {}: {error}", path.display()));
            return None;
        }
    };
    match serde_json::from_str::<Logbook>(&text) {
        Ok(progress) if progress.schema == SCHEMA => Some(progress),
        Ok(Logbook { schema, .. }) if schema.starts_with("netlayers.progress/") => {
            remark(format!(
                "your progress in {} was written by another version ({schema}); it is left as it is",
                path.display()
            ));
            None
        }
        Ok(_) => set_aside(path, "it is not a file of netlayers"),
        Err(error) => set_aside(path, &error.to_string()),
    }
}

/// Moves a damaged file out of the way, keeping those that were moved before.
fn set_aside(path: &Path, why: &str) -> Option<Logbook> {
    let aside = (1..100)
        .map(|number| path.with_extension(format!("damaged-{number}.json")))
        .find(|aside| !aside.exists())?;
    match fs::rename(path, &aside) {
        Ok(()) => {
            remark(format!(
                "your progress in {} cannot be read ({why}); it was set aside as {}, and starts over",
                path.display(),
                aside.display()
            ));
            Some(Logbook::default())
        }
        Err(error) => {
            remark(format!("your progress in {} cannot be read, nor set aside: {error}", path.display()));
            None
        }
    }
}

/// Writes it whole or not at all: a new file takes the place of the old one.
fn write(path: &Path, progress: &Logbook) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(progress).map_err(io::Error::other)?;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    fs::write(&new, text + "\n")?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("netlayers-progress-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = folder("again");
        let path = folder.join("progress.json");
        let mut progress = read(&path).expect("there is no file yet");
        assert_eq!(progress, Logbook::default());
        progress.lessons.insert(
            "bytes".into(),
            LessonProgress { finished: 2, predictions: 3, as_predicted: 1, ..LessonProgress::default() },
        );
        progress.exercises.insert(
            "udp-header".into(),
            ExerciseProgress {
                passed: true,
                tried: true,
                failed: Some(3),
                hints_read: BTreeSet::from([1, 4]),
            },
        );
        write(&path, &progress).expect("a folder of our own");
        assert_eq!(read(&path), Some(progress));
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1, "nothing else is left");
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_one_of_another_version_left_alone() {
        let folder = folder("damaged");
        fs::create_dir_all(&folder).expect("a folder of our own");
        let path = folder.join("progress.json");
        for damaged in [&b"{\"schema\": \"netlay"[..], b"\xff\xfe", b"{\"schema\": \"shopping/1\"}"] {
            fs::write(&path, damaged).expect("a file of our own");
            assert_eq!(read(&path), Some(Logbook::default()));
            assert!(!path.exists());
        }
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 3, "all three are kept");
        fs::write(&path, "{\"schema\": \"netlayers.progress/2\", \"lessons\": {}}")
            .expect("a file of our own");
        assert_eq!(read(&path), None);
        assert!(path.exists());
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_lesson_is_finished_by_a_prediction_and_only_seen_without_one() {
        let place = Some(Place { beat: 3, ..Place::default() });
        let mut lesson = LessonProgress { place: place.clone(), ..LessonProgress::default() };
        lesson.finish(0, 0);
        assert_eq!((lesson.finished, lesson.seen, &lesson.place), (0, 1, &None));
        lesson.place = place;
        lesson.finish(2, 1);
        assert_eq!((lesson.finished, lesson.seen, lesson.predictions, lesson.as_predicted), (1, 1, 2, 1));
        assert_eq!(lesson.place, None);
    }

    #[test]
    fn a_file_of_before_there_were_places_is_read() {
        let old = r#"{"schema": "netlayers.progress/1",
            "lessons": {"bytes": {"finished": 1, "predictions": 2, "as_predicted": 1}}}"#;
        let read: Logbook = serde_json::from_str(old).expect("the same schema");
        assert!(read.has_finished("bytes") && read.lessons["bytes"].place.is_none());
    }
}

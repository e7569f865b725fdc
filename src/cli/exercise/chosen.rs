//! Which exercise is meant, which comes next, and the command for it.

use crate::cli::error::CliError;
use crate::cli::logbook;
use crate::lessons::exercises::{ALL, Exercise};
use crate::view::look::escape;

/// An exercise that the arguments name.
pub(super) fn find(name: &str) -> Result<&'static Exercise, CliError> {
    crate::lessons::exercises::find(name).ok_or_else(|| {
        let known: Vec<String> =
            ALL.iter().map(|exercise| format!("{} {}", exercise.lesson, exercise.id)).collect();
        CliError::Usage(format!(
            "there is no exercise '{}'; expected one of: {}",
            escape(name),
            known.join(", ")
        ))
    })
}

/// The first exercise that has not passed.
pub(super) fn next() -> Option<&'static Exercise> {
    let book = logbook::load();
    ALL.iter().find(|exercise| !book.exercises.get(exercise.id).is_some_and(|done| done.passed))
}

pub(super) fn command(verb: &str, exercise: &Exercise) -> String {
    format!("netlayers {verb} {}", exercise.lesson)
}

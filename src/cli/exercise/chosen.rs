//! Which exercise is meant, which comes next, and the command for it.

use crate::cli::error::CliError;
use crate::cli::logbook::{self, Logbook};
use crate::lessons::exercises::{ALL, Exercise, find as by_name, of_lesson};
use crate::view::look::escape;

/// An exercise that the arguments name; of a lesson with several, the first that has not passed.
pub(super) fn find(name: &str) -> Result<&'static Exercise, CliError> {
    let open = || {
        let book = logbook::load();
        of_lesson(name).find(|exercise| !has_passed(&book, exercise))
    };
    open().or_else(|| by_name(name)).ok_or_else(|| {
        let known: Vec<String> =
            ALL.iter().map(|exercise| format!("{} {}", exercise.number(), exercise.id)).collect();
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
    ALL.iter().find(|exercise| !has_passed(&book, exercise))
}

fn has_passed(book: &Logbook, exercise: &Exercise) -> bool {
    book.exercises.get(exercise.id).is_some_and(|done| done.passed)
}

pub(super) fn command(verb: &str, exercise: &Exercise) -> String {
    format!("netlayers {verb} {}", exercise.called())
}

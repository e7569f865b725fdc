//! `netlayers progress`: which lessons were played to their end, which exercises pass.

use clap::Args;
use serde_json::json;

use super::chosen::{command, next};
use crate::cli::error::CliError;
use crate::cli::lesson;
use crate::cli::logbook::{self, Logbook};
use crate::cli::output::{Output, next as next_line};
use crate::lessons::ALL as LESSONS;
use crate::lessons::exercises::ALL as EXERCISES;
use crate::view::sheet::Tone;

/// `netlayers progress`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ProgressArgs {
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ProgressArgs, out: &mut Output) -> Result<(), CliError> {
    let book = logbook::load();
    if args.json {
        return as_json(&book, out);
    }
    let finished = LESSONS.iter().filter(|lesson| book.has_finished(lesson.id)).count();
    out.in_pages();
    out.toned(Tone::Strong, format!("lessons: {finished} of {} finished", LESSONS.len()))?;
    for lesson in LESSONS {
        let done = book.lessons.get(lesson.id).cloned().unwrap_or_default();
        let what = match (done.finished, done.predictions) {
            (0, _) if done.place.is_some() => "begun".into(),
            (0, _) if done.seen > 0 => "seen".into(),
            (0, _) => String::new(),
            (_, 0) => "no predictions".into(),
            (_, made) => format!("{} of {made} predictions came so", done.as_predicted),
        };
        row(done.finished > 0, lesson.number(), lesson.title, &what, out)?;
    }
    out.line("")?;
    let of = |id: &str| book.exercises.get(id).cloned().unwrap_or_default();
    let passed = EXERCISES.iter().filter(|exercise| of(exercise.id).passed).count();
    out.toned(Tone::Strong, format!("exercises: {passed} of {} pass", EXERCISES.len()))?;
    for exercise in EXERCISES {
        let done = of(exercise.id);
        let what = match done.hints_read.len() {
            0 => String::new(),
            1 => "1 hint".into(),
            hints => format!("{hints} hints"),
        };
        row(done.passed, exercise.number(), exercise.title, &what, out)?;
    }
    out.line("")?;
    let lesson =
        LESSONS.iter().any(|lesson| !book.has_finished(lesson.id)).then(|| lesson::next(&book).command());
    let exercise = next().map(|exercise| command("check", exercise));
    match (lesson, exercise) {
        (Some(lesson), Some(exercise)) => {
            let line = next_line(&lesson, "").with("    or: ", Tone::Plain).with(exercise, Tone::Strong);
            out.line(line)
        }
        (Some(open), None) | (None, Some(open)) => out.next(&open, ""),
        (None, None) => out.line("all done: netlayers compare, with a message of your own"),
    }
}

fn row(done: bool, number: u8, title: &str, what: &str, out: &mut Output) -> Result<(), CliError> {
    let mark = match (done, out.look.ascii) {
        (false, _) => " ",
        (true, true) => "x",
        (true, false) => "✔",
    };
    out.line(format!("{mark} {number:>2}  {title:<42} {what}").trim_end())
}

fn as_json(book: &Logbook, out: &mut Output) -> Result<(), CliError> {
    let lessons: Vec<_> = LESSONS
        .iter()
        .map(|lesson| {
            let done = book.lessons.get(lesson.id).cloned().unwrap_or_default();
            json!({
                "id": lesson.id,
                "number": lesson.number(),
                "finished": done.finished,
                "seen": done.seen,
                "begun": done.place.is_some(),
                "predictions": done.predictions,
                "as_predicted": done.as_predicted,
            })
        })
        .collect();
    let exercises: Vec<_> = EXERCISES
        .iter()
        .map(|exercise| {
            let done = book.exercises.get(exercise.id).cloned().unwrap_or_default();
            json!({ "id": exercise.id, "lesson": exercise.number(), "passed": done.passed, "hints": done.hints_read.len() })
        })
        .collect();
    let all = json!({ "schema": "netlayers.progress-report/1", "lessons": lessons, "exercises": exercises });
    let text = serde_json::to_string_pretty(&all)
        .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
    out.document(text + "\n")
}

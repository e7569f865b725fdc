//! `netlayers check`, `hint`, `reset`, `solution`, `progress`: exercises.
//!
//! A check needs the source tree, for it builds the student's program. Hints and solutions are inside the program.

mod chosen;
mod program;
mod progress;
mod reset;

pub(super) use progress::ProgressArgs;
pub(super) use reset::ResetArgs;

use std::path::PathBuf;

use clap::Args;

use self::chosen::{command, find, next};
use super::error::CliError;
use super::logbook;
use super::output::{Output, remark};
use crate::lessons::exercises::ALL;
use crate::lessons::exercises::check::{Outcome, input, judge, remarks};
use crate::lessons::render::exercise as render;
use crate::lessons::render::text::lines;
use crate::view::look::{escape, fit};
use crate::view::sheet::{Sheet, Tone};

/// Runs `netlayers progress`.
pub(super) fn progress(args: &ProgressArgs, out: &mut Output) -> Result<(), CliError> {
    progress::run(args, out)
}

/// Runs `netlayers reset`.
pub(super) fn reset(args: &ResetArgs, out: &mut Output) -> Result<(), CliError> {
    reset::run(args, out)
}

/// `netlayers check`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers check 6               builds exercises/src/bin/udp_header.rs and checks it
  netlayers hint 6                when it does not get on
  netlayers reset 6               starts over")]
pub(super) struct CheckArgs {
    /// The exercise, by the number of its lesson or its name; without one, the next that has not passed
    exercise: Option<String>,
    /// Check this program instead of building the one of the exercise
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// `netlayers hint`.
#[derive(Debug, Args)]
pub(super) struct HintArgs {
    /// The exercise, by the number of its lesson or its name
    exercise: String,
    /// One hint more than last time
    #[arg(long)]
    more: bool,
}

/// `netlayers solution`.
#[derive(Debug, Args)]
pub(super) struct SolutionArgs {
    /// The exercise, by the number of its lesson or its name
    exercise: String,
}

/// What the author of a program printed is shown up to here.
const MOST_REMARKS: usize = 10;

/// Runs `netlayers check`.
pub(super) fn check(args: &CheckArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = match &args.exercise {
        Some(name) => find(name)?,
        None => next().unwrap_or(&ALL[0]),
    };
    let program = match &args.program {
        Some(program) => program.clone(),
        None => program::build(exercise)?,
    };
    let cases = (exercise.cases)();
    let ran = program::run(&program, input(&cases))?;
    let outcome = judge(&cases, &ran.printed);
    let look = out.look;
    out.in_pages();
    out.sheet(&render::task(exercise, &look))?;
    out.line("")?;
    out.sheet(&render::story(&cases, &outcome, &look))?;
    match outcome {
        Outcome::Passed => {
            logbook::update(|book| book.exercises.entry(exercise.id.into()).or_default().passed = true);
            out.line("")?;
            out.line(format!("all {} cases pass", cases.len()))?;
            match next() {
                Some(next) => out.next(&command("check", next), next.title),
                None => out.next("netlayers progress", "how far you are"),
            }
        }
        Outcome::Failed { .. } => {
            author(&ran, out)?;
            out.line("")?;
            out.next(&command("hint", exercise), "")?;
            out.finish()?;
            Err(CliError::Failed(format!("{} does not pass yet", exercise.file())))
        }
    }
}

/// What the program said besides, and how it ended: a student's own traces are half of the answer.
fn author(ran: &program::Ran, out: &mut Output) -> Result<(), CliError> {
    let look = out.look;
    let room = look.columns().min(80) - 2;
    let mut said = |heading: &str, told: &mut dyn Iterator<Item = &str>| -> Result<(), CliError> {
        let told: Vec<&str> = told.filter(|line| !line.trim().is_empty()).collect();
        if told.is_empty() {
            return Ok(());
        }
        out.line("")?;
        out.line(heading)?;
        for line in told.iter().take(MOST_REMARKS) {
            out.line(format!("  {}", fit(&escape(line), room, &look).trim_end()))?;
        }
        match told.len().saturating_sub(MOST_REMARKS) {
            0 => Ok(()),
            more => out.line(format!("  ({more} lines more)")),
        }
    };
    said("your program also printed", &mut remarks(&ran.printed))?;
    said("on standard error", &mut ran.complained.lines())?;
    match &ran.end {
        Some(end) => out.line(format!("\n{end}")),
        None => Ok(()),
    }
}

/// Runs `netlayers hint`.
pub(super) fn hint(args: &HintArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    let read = logbook::load().exercises.get(exercise.id).map_or(0, |done| done.hints);
    let all = exercise.hints.len();
    let before = usize::try_from(read).unwrap_or(usize::MAX).min(all);
    let now = if args.more { before + 1 } else { before }.clamp(1, all);
    if now != before {
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        logbook::update(|book| book.exercises.entry(exercise.id.into()).or_default().hints = now);
    }
    let look = out.look;
    out.in_pages();
    out.sheet(&render::task(exercise, &look))?;
    for (number, hint) in exercise.hints.iter().take(now).enumerate() {
        out.line("")?;
        out.sheet(&Sheet::of(lines(&format!("hint {} of {all}: ", number + 1), hint, &look), Tone::Plain))?;
    }
    out.line("")?;
    let next = match now < all {
        true => format!("{} --more", command("hint", exercise)),
        false => command("solution", exercise),
    };
    out.next(&command("check", exercise), &format!("or: {next}"))
}

/// Runs `netlayers solution`.
pub(super) fn solution(args: &SolutionArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    out.document(exercise.solution)?;
    out.flush()?;
    if !logbook::load().exercises.get(exercise.id).is_some_and(|done| done.passed) {
        remark(format!("(yours need not look like it: {} judges the answers)", command("check", exercise)));
    }
    Ok(())
}

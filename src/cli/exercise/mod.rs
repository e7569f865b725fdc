//! `netlayers check`, `hint`, `reset`, `solution`, `progress`: exercises.
//!
//! A check needs the source tree, for the student's program is in it. Hints and solutions are inside this program.

mod chosen;
mod language;
mod program;
mod progress;
mod reset;

pub(super) use progress::ProgressArgs;
pub(super) use reset::ResetArgs;

use std::path::PathBuf;

use clap::Args;

use self::chosen::{command, find, next};
use self::language::LanguageArgs;
use self::program::Mine;
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
#[command(
    before_help = "\
Examples:
  netlayers check 6                     builds exercises/src/bin/udp_header.rs, and checks it
  netlayers check 6 --language python   runs exercises/python/udp_header.py, and checks it
  netlayers check 6 --program ./mine    checks a program of any language: see below
  netlayers hint 6                      when it does not get on
  netlayers reset 6                     starts over",
    after_help = "\
A program reads lines from standard input and answers each with a line: the
word answer: and what it found, as in exercise 18:

  close 03e8
  answer: told=1000

Which lines come and what is expected, each failing case shows; the starters
have it in code. Other lines that a program prints do no harm."
)]
pub(super) struct CheckArgs {
    /// The exercise, by its name or its lesson's number; without one, the next that has not passed
    exercise: Option<String>,
    #[command(flatten)]
    language: LanguageArgs,
    /// Check this program, of any language, instead of the one in exercises/
    #[arg(long, value_name = "FILE", conflicts_with = "language")]
    program: Option<PathBuf>,
}

/// `netlayers hint`.
#[derive(Debug, Args)]
pub(super) struct HintArgs {
    /// The exercise, by its name or its lesson's number
    exercise: String,
    #[command(flatten)]
    language: LanguageArgs,
    /// One hint more than last time
    #[arg(long)]
    more: bool,
}

/// `netlayers solution`.
#[derive(Debug, Args)]
pub(super) struct SolutionArgs {
    /// The exercise, by its name or its lesson's number
    exercise: String,
    #[command(flatten)]
    language: LanguageArgs,
    /// Print it without an attempt of your own
    #[arg(long)]
    spoil: bool,
}

/// What the author of a program printed is shown up to here.
const MOST_REMARKS: usize = 10;

/// Runs `netlayers check`.
pub(super) fn check(args: &CheckArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = match &args.exercise {
        Some(name) => find(name)?,
        None => next().unwrap_or(&ALL[0]),
    };
    let mine = match &args.program {
        Some(program) => Mine::any(program),
        None => {
            let language = args.language.chosen();
            language::keep(language);
            Mine::of(exercise, language)?
        }
    };
    let cases = (exercise.cases)();
    let ran = program::run(mine.command, input(&cases))?;
    let outcome = judge(&cases, &ran.printed);
    logbook::update(|book| {
        let done = book.exercises.entry(exercise.id.into()).or_default();
        done.tried |= mine.is_tried;
        done.passed |= outcome == Outcome::Passed;
        done.failed = match outcome {
            Outcome::Passed => None,
            Outcome::Failed { case, .. } => Some(index(case)),
        };
    });
    let look = out.look;
    out.in_pages();
    out.sheet(&render::task(exercise, &mine.told, &look))?;
    out.line("")?;
    out.sheet(&render::story(&cases, &outcome, &look))?;
    match outcome {
        Outcome::Passed => {
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
            out.next(&command("hint", exercise), "for this case")?;
            out.finish()?;
            Err(CliError::Failed(format!("{} does not pass yet", mine.told)))
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

/// Runs `netlayers hint`: the one that the failing case chose, and with `--more` the next after it.
pub(super) fn hint(args: &HintArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    let done = logbook::load().exercises.get(exercise.id).cloned().unwrap_or_default();
    let cases = (exercise.cases)();
    let failed = done.failed.and_then(|case| cases.get(usize::try_from(case).ok()?));
    let first = failed.map_or(0, |case| case.hint);
    let all = exercise.hints.len();
    let mut read = done.hints_read;
    // Those that were read, or the one that is wanted now.
    let is_new = read.insert(index(first));
    if args.more && !is_new {
        let following = (first..all).chain(0..first).find(|hint| !read.contains(&index(*hint)));
        read.extend(following.map(index));
    }
    logbook::update(|book| book.exercises.entry(exercise.id.into()).or_default().hints_read = read.clone());
    let look = out.look;
    out.in_pages();
    out.sheet(&render::task(exercise, &exercise.file(args.language.chosen()), &look))?;
    for (number, hint) in
        exercise.hints.iter().enumerate().filter(|(number, _)| read.contains(&index(*number)))
    {
        out.line("")?;
        if let Some(case) = failed.filter(|case| case.hint == number) {
            out.sheet(&Sheet::of(lines("for the case that failed: ", case.title, &look), Tone::Plain))?;
        }
        out.sheet(&Sheet::of(lines(&format!("hint {} of {all}: ", number + 1), hint, &look), Tone::Plain))?;
    }
    out.line("")?;
    let next = match read.len() < all {
        true => format!("{} --more", command("hint", exercise)),
        false => command("solution", exercise),
    };
    out.next(&command("check", exercise), &format!("or: {next}"))
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Runs `netlayers solution`. Without an attempt it asks for one.
pub(super) fn solution(args: &SolutionArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    let language = args.language.chosen();
    let done = logbook::load().exercises.get(exercise.id).cloned().unwrap_or_default();
    if !done.tried && !args.spoil {
        let (check, solution) = (command("check", exercise), command("solution", exercise));
        return Err(CliError::Failed(format!(
            "first an attempt of your own: change {} and run {check}\nnext: {check}    or at once: {solution} --spoil",
            exercise.file(language)
        )));
    }
    out.document(exercise.program(language).solution)?;
    out.flush()?;
    if !done.passed {
        remark(format!("(yours need not look like it: {} judges the answers)", command("check", exercise)));
    }
    Ok(())
}

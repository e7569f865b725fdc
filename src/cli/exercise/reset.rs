//! `netlayers reset`: an exercise as it was in the beginning. Work is not overwritten without a word.

use std::fs;
use std::io::ErrorKind;

use clap::Args;

use super::chosen::{command, find};
use super::program;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::view::sheet::{Line, Tone};

/// `netlayers reset`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ResetArgs {
    /// The exercise, by the number of its lesson or its name
    exercise: String,
    /// Overwrite what was changed, without asking
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: &ResetArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    let path = program::checkout()?.join(exercise.file());
    match fs::read_to_string(&path) {
        Ok(text) if same(&text, exercise.starter) => {
            return out.line(format!("{} is as it was in the beginning", exercise.file()));
        }
        Ok(_) if args.yes => {}
        Ok(_) if !may_overwrite(&exercise.file(), out)? => {
            return out.line("nothing was changed");
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // A file that is not text is no program either, but still the student's work.
        Err(error) if error.kind() == ErrorKind::InvalidData && args.yes => {}
        Err(error) => return Err(CliError::io(&format!("reading {}", path.display()), &error)),
    }
    program::write(&path, exercise.starter)?;
    out.line(format!("{} is as it was in the beginning", exercise.file()))?;
    out.next(&command("check", exercise), "")
}

/// Whether two files are the same but for their line ends, which git may have changed.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.lines().eq(b.lines())
}

fn may_overwrite(file: &str, out: &mut Output) -> Result<bool, CliError> {
    if !out.has_somebody() {
        return Err(CliError::Failed(format!(
            "{file} has been changed, and there is no terminal to ask at; with --yes it is overwritten"
        )));
    }
    out.begin(Line::of(format!("{file} has been changed. Overwrite your work? (y/N) "), Tone::Plain))?;
    let typed = out.read_line()?.unwrap_or_default();
    Ok(matches!(typed.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_make_no_difference() {
        assert!(same("a\nb\n", "a\r\nb\r\n"));
        assert!(!same("a\nb\n", "a\nc\n"));
    }
}

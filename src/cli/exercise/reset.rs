//! `netlayers reset`: an exercise as it was in the beginning. Work is not overwritten without a word.

use std::fs;
use std::io::ErrorKind;

use clap::Args;

use super::chosen::{command, find};
use super::language::{self, LanguageArgs};
use super::program;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::view::sheet::{Line, Tone};

/// `netlayers reset`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ResetArgs {
    /// The exercise, by its name or its lesson's number
    exercise: String,
    #[command(flatten)]
    language: LanguageArgs,
    /// Overwrite what was changed, without asking
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn run(args: &ResetArgs, out: &mut Output) -> Result<(), CliError> {
    let exercise = find(&args.exercise)?;
    let language = args.language.chosen();
    let (file, starter) = (exercise.file(language), exercise.program(language).starter);
    let path = program::checkout()?.join(&file);
    match fs::read_to_string(&path) {
        Ok(text) if program::same(&text, starter) => {
            return out.line(format!("{} is as it was in the beginning", file));
        }
        Ok(_) if args.yes => {}
        Ok(_) if !may_overwrite(&file, out)? => {
            return out.line("nothing was changed");
        }
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        // A file that is not text is no program either, but still the student's work.
        Err(error) if error.kind() == ErrorKind::InvalidData && args.yes => {}
        Err(error) => return Err(CliError::io(&format!("reading {}", path.display()), &error)),
    }
    program::write(&path, starter)?;
    language::keep(language);
    out.line(format!("{file} is as it was in the beginning"))?;
    out.next(&command("check", exercise), "")
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

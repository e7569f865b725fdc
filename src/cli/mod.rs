//! The command line: the only home of printing, prompts and exit codes.
//!
//! One file or folder a subcommand, with its arguments. Results go to standard output, all else to standard error; 0
//! means done, 1 failed, 2 that the command line itself was wrong.

mod args;
mod book;
mod chat;
mod compare;
mod decode;
mod dev;
mod error;
mod exercise;
mod explain;
mod knobs;
mod lesson;
mod lines;
mod listening;
mod logbook;
mod number;
mod origin;
mod output;
mod overview;
mod progress;
mod scripts;
mod style;
mod wire;
mod ws;
mod xray;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use self::error::CliError;
use self::output::Output;

/// Runs the command that the arguments ask for, the first of which is the program's own name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // Help and version are no errors, and clap marks them. A closed pipe ends quietly here too.
        Err(error) => {
            return match error.print().map_err(|error| CliError::io("writing the result", &error)) {
                Ok(()) | Err(CliError::ClosedPipe) => {
                    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
                }
                Err(unwritten) => {
                    eprintln!("error: {unwritten}");
                    ExitCode::from(unwritten.exit_code())
                }
            };
        }
    };
    let mut out = Output::new(&cli.style);
    let done = match cli.command {
        None => overview::run(&mut out),
        Some(Command::Compare(args)) => compare::run(&args, &mut out),
        Some(Command::Lesson(args)) => lesson::run(&args, &mut out),
        Some(Command::Book(command)) => book::run(&command, &mut out),
        Some(Command::Explain(args)) => explain::run(&args, &mut out),
        Some(Command::Check(args)) => exercise::check(&args, &mut out),
        Some(Command::Hint(args)) => exercise::hint(&args, &mut out),
        Some(Command::Reset(args)) => exercise::reset(&args, &mut out),
        Some(Command::Solution(args)) => exercise::solution(&args, &mut out),
        Some(Command::Progress(args)) => exercise::progress(&args, &mut out),
        Some(Command::Dev(command)) => dev::run(&command, &mut out),
        Some(Command::Decode(args)) => decode::run(&args, &mut out),
        Some(Command::Chat(command)) => chat::run(&command, &mut out),
        Some(Command::Ws(command)) => ws::run(&command, &mut out),
        Some(Command::Completions(args)) => scripts::completions(&args, &mut Cli::command(), &mut out),
        Some(Command::Man(args)) => scripts::man(&args, Cli::command(), &mut out),
    };
    match done.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::ClosedPipe) => ExitCode::SUCCESS,
        Err(error) => {
            // What was found before it went wrong comes first; if it cannot be printed, the error still counts.
            let _ = out.flush();
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

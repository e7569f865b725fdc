//! The command line: the only home of printing, prompts and exit codes.
//!
//! One file or folder a subcommand, with its arguments. Results go to standard output, all else to standard error; 0
//! means done, 1 failed, 2 that the command line itself was wrong.

mod args;
mod authority;
mod book;
mod cargo;
mod chat;
mod compare;
mod decode;
mod dev;
mod error;
mod exercise;
mod explain;
mod guest;
mod kernel;
mod knobs;
mod lesson;
mod lines;
mod listening;
mod logbook;
mod mine;
mod number;
mod origin;
mod output;
mod overview;
mod pcap;
mod progress;
mod race;
mod script;
mod scripts;
mod style;
mod svg;
mod what_if;
mod wire;
mod ws;
mod xray;

#[cfg(test)]
mod screens_tests;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use self::args::{Cli, Command};
use self::error::CliError;
use self::output::Output;
use self::style::Style;
use crate::layers::transport::tcp::congestion::Algorithm;
use crate::view::sheet::{Line, Sheet, Tone};

/// Runs the command that the arguments ask for, the first of which is the program's own name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(refused) => return told_by_clap(&refused),
    };
    if cli.command.as_ref().is_some_and(Command::names_mine) && mine::here().is_none() {
        return match mine::hand_over(args.get(1..).unwrap_or_default()) {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                output::error(&error);
                ExitCode::from(error.exit_code())
            }
        };
    }
    let mut out = Output::new(&cli.style);
    match run(cli.command, &mut out).and_then(|()| out.finish()) {
        Ok(()) | Err(CliError::ClosedPipe) => ExitCode::SUCCESS,
        Err(error) => {
            // What was found before it went wrong comes first; if it cannot be printed, the error still counts.
            let _ = out.finish();
            output::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// The same with a congestion control of your own, which is called `mine` on the command line: `race cubic mine`,
/// `compare --cc mine`. A program that is built without one looks for `examples/my_congestion_control.rs`, builds it, and
/// hands over to it.
pub fn main_with(args: impl IntoIterator<Item = OsString>, mine: Algorithm) -> ExitCode {
    mine::is(Algorithm { name: mine::NAME, ..mine });
    main(args)
}

fn run(command: Option<Command>, out: &mut Output) -> Result<(), CliError> {
    match command {
        None => overview::run(out),
        Some(Command::Compare(args)) => compare::run(&args, out),
        Some(Command::Race(args)) => race::run(&args, out),
        Some(Command::Script(args)) => script::run(&args, out),
        Some(Command::Lesson(args)) => lesson::run(&args, out),
        Some(Command::Book(command)) => book::run(&command, out),
        Some(Command::Explain(args)) => explain::run(&args, out),
        Some(Command::Check(args)) => exercise::check(&args, out),
        Some(Command::Hint(args)) => exercise::hint(&args, out),
        Some(Command::Reset(args)) => exercise::reset(&args, out),
        Some(Command::Solution(args)) => exercise::solution(&args, out),
        Some(Command::Progress(args)) => exercise::progress(&args, out),
        Some(Command::Dev(command)) => dev::run(&command, out),
        Some(Command::Decode(args)) => decode::run(&args, out),
        Some(Command::Wire(command)) => guest::run(&command, out),
        Some(Command::Chat(command)) => chat::run(&command, out),
        Some(Command::Ws(command)) => ws::run(&command, out),
        Some(Command::Completions(args)) => scripts::completions(&args, &mut Cli::command(), out),
        Some(Command::Man(args)) => scripts::man(&args, Cli::command(), out),
    }
}

/// Help and version, which are no errors, or what is wrong with the command line. A closed pipe ends quietly here too.
fn told_by_clap(told: &clap::Error) -> ExitCode {
    let exit_code = ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
    if told.use_stderr() {
        output::remark(told.render().to_string().trim_end());
        return exit_code;
    }
    let mut out = Output::new(&Style::default());
    match help(&told.render().to_string(), &mut out).and_then(|()| out.finish()) {
        Ok(()) | Err(CliError::ClosedPipe) => exit_code,
        Err(unwritten) => {
            output::error(&unwritten);
            ExitCode::from(unwritten.exit_code())
        }
    }
}

/// Help, page by page where somebody reads it; its headings stand out.
fn help(text: &str, out: &mut Output) -> Result<(), CliError> {
    let heading = |line: &str| line.ends_with(':') && !line.starts_with(' ');
    let toned = |line| Line::of(line, if heading(line) { Tone::Strong } else { Tone::Plain });
    out.in_pages();
    out.line(text.trim_end().lines().map(toned).collect::<Sheet>())
}

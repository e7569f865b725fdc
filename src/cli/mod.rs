//! The command line: the only home of printing, prompts and exit codes.

use std::process::ExitCode;

/// Runs the command that the arguments ask for.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}

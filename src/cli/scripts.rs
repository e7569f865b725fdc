//! Shell completions and the man page, both made from the command line's own description.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::error::CliError;
use super::output::Output;

/// Prints the completion script for a shell.
pub(super) fn completions(shell: Shell, out: &mut Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "netlayers", &mut script);
    out.bytes(&script)
}

/// Prints the man page.
pub(super) fn man(out: &mut Output) -> Result<(), CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| CliError::io("rendering the man page", &error))?;
    out.bytes(&page)
}

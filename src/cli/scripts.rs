//! Shell completions and the man page, both made from the command line's own description.

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::CliError;
use super::output::Output;

/// `netlayers completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Prints the completion script for a shell.
pub(super) fn completions(
    args: &CompletionsArgs,
    description: &mut Command,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, description, "netlayers", &mut script);
    out.bytes(&script)
}

/// Prints the man page.
pub(super) fn man(description: Command, out: &mut Output) -> Result<(), CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(description)
        .render(&mut page)
        .map_err(|error| CliError::io("rendering the man page", &error))?;
    out.bytes(&page)
}

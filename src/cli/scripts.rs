//! Shell completions and the man pages, both made from the command line's own description.

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::CliError;
use super::output::Output;

/// `netlayers completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell to write them for
    shell: Shell,
}

/// `netlayers man`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers man | man -l -
  netlayers man compare | man -l -
  netlayers man chat serve > netlayers-chat-serve.1")]
pub(super) struct ManArgs {
    /// The page of this command [default: of netlayers itself]
    #[arg(num_args = 0..=2)]
    command: Vec<String>,
}

/// Prints the completion script for a shell.
pub(super) fn completions(
    args: &CompletionsArgs,
    description: &mut Command,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, description, "netlayers", &mut script);
    if args.shell == Shell::Fish {
        script.extend(names_for_fish(description).into_bytes());
    }
    out.bytes(&script)
}

/// clap completes no positional arguments in fish: the names of lessons and words are added here.
fn names_for_fish(description: &Command) -> String {
    let mut lines = String::new();
    for command in description.get_subcommands() {
        for value in command.get_positionals().flat_map(clap::Arg::get_possible_values) {
            let what = value.get_help().map(ToString::to_string).unwrap_or_default().replace('\'', "\\'");
            lines += &format!(
                "complete -c netlayers -n \"__fish_netlayers_using_subcommand {}\" -f -a \"{}\" -d '{what}'\n",
                command.get_name(),
                value.get_name()
            );
        }
    }
    lines
}

/// Prints the man page of a command.
pub(super) fn man(args: &ManArgs, mut description: Command, out: &mut Output) -> Result<(), CliError> {
    // Options that every command has are known to a subcommand only then.
    description.build();
    let mut name = description.get_name().to_owned();
    for word in &args.command {
        let known = description.get_subcommands().filter(|command| !command.is_hide_set());
        let known: Vec<String> = known.map(|command| command.get_name().to_owned()).collect();
        let Some(found) = description.find_subcommand(word).cloned() else {
            return Err(CliError::Usage(format!(
                "'{name}' has no command '{}': expected one of {}",
                crate::view::look::escape(word),
                known.join(", ")
            )));
        };
        name = format!("{name} {word}");
        description = found;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(description)
        .render(&mut page)
        .map_err(|error| CliError::io("rendering the man page", &error))?;
    out.bytes(&page)
}

//! `netlayers chat`: the chat on real sockets.

mod history;
mod journal;
mod page;
mod serve;
mod service;

use clap::Subcommand;

use super::error::CliError;
use super::output::Output;
use serve::ServeArgs;

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum ChatCommand {
    /// Serve the chat, and a web page for it
    Serve(ServeArgs),
}

pub(super) fn run(command: &ChatCommand, out: &mut Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("starting the runtime", &error))?;
    match command {
        ChatCommand::Serve(args) => runtime.block_on(serve::run(args, out)),
    }
}

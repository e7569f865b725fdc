//! `netlayers chat`: the chat at the end of the course, on real sockets.

mod history;
mod join;
mod journal;
mod page;
mod serve;
mod service;

use clap::Subcommand;

use self::join::JoinArgs;
use self::serve::ServeArgs;
use super::error::CliError;
use super::output::Output;

/// `netlayers chat`.
#[derive(Debug, Subcommand)]
pub(super) enum ChatCommand {
    /// Serve the chat, and a web page for it
    Serve(ServeArgs),
    /// Join a chat from the terminal
    Join(JoinArgs),
}

pub(super) fn run(command: &ChatCommand, out: &mut Output) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("starting the runtime", &error))?;
    match command {
        ChatCommand::Serve(args) => runtime.block_on(serve::run(args, out)),
        ChatCommand::Join(args) => {
            let done = runtime.block_on(join::run(args, out));
            // A read of the keyboard cannot be called off; it ends with the program.
            runtime.shutdown_background();
            done
        }
    }
}

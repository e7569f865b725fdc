//! `netlayers ws`: WebSocket on real sockets.

mod compression;
mod connect;
mod echo;
mod xray;

use clap::Subcommand;

use self::connect::WsConnectArgs;
use self::echo::WsEchoArgs;
use super::error::CliError;
use super::output::Output;

/// `netlayers ws`.
#[derive(Debug, Subcommand)]
pub(super) enum WsCommand {
    /// Serve: send every message back
    Echo(WsEchoArgs),
    /// Connect, and send each line typed
    Connect(WsConnectArgs),
}

pub(super) fn run(command: &WsCommand, out: &mut Output) -> Result<(), CliError> {
    // One thread: on two cores it costs less per message than two threads that hand each other work.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("starting the runtime", &error))?;
    match command {
        WsCommand::Echo(args) => runtime.block_on(echo::run(args, out)),
        WsCommand::Connect(args) => {
            let done = runtime.block_on(connect::run(args, out));
            // A read of the keyboard cannot be called off; it ends with the program.
            runtime.shutdown_background();
            done
        }
    }
}

//! What can go wrong on the command line, and which exit code says so.

use std::io;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The command line asks for something that does not make sense. Says what was expected.
    #[error("{0}\n\nFor more information, try '--help'.")]
    Usage(String),
    /// Something went wrong on the way.
    #[error("{0}")]
    Failed(String),
    /// Whoever read our output has heard enough: not an error.
    #[error("the reader of the output went away")]
    ClosedPipe,
}

impl CliError {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) => 2,
            CliError::Failed(_) => 1,
            CliError::ClosedPipe => 0,
        }
    }

    /// A failure that says by itself what was being done.
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        CliError::Failed(error.to_string())
    }

    /// A failure of the system, with what was being done.
    pub(super) fn io(doing: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::ClosedPipe,
            _ => CliError::Failed(format!("{doing}: {error}")),
        }
    }
}

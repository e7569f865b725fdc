//! What can go wrong on the command line, and which exit code says so.
//!
//! An error may quote what a peer or a file said, so every error is made [`harmless`] where it becomes text: no way
//! leads from there to a terminal around it.

use std::io;

use crate::view::look::harmless;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The command line asks for something that does not make sense. Says what was expected.
    #[error("{}\n\nFor more information, try '--help'.", harmless(.0))]
    Usage(String),
    /// Something went wrong on the way.
    #[error("{}", harmless(.0))]
    Failed(String),
    /// The reader of our output closed the pipe: not an error.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_cannot_act_on_a_terminal() {
        let quoted = "got \u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\u{2066}\r\nnext: this";
        for error in [CliError::Failed(quoted.into()), CliError::Usage(quoted.into())] {
            let shown = error.to_string();
            assert!(
                !shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{2066}', '\r']),
                "{shown:?}"
            );
            assert!(shown.contains("\\u{1b}]0;owned\\u{7}") && shown.contains("\nnext: this"), "{shown:?}");
        }
    }
}

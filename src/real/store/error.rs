//! Why a log on disk could not be opened, and what to do.

use std::path::{Path, PathBuf};

use super::FORMAT;

/// Why a log on disk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program has it open.
    #[error("{path} is in use by another program; stop it, or choose another data directory")]
    Busy {
        /// The path of the file.
        path: PathBuf,
    },
    /// It is not what this program wrote.
    #[error(
        "{path} is damaged: {why}; move it away to start with an empty log, or put back a copy of the whole folder"
    )]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It was written by another version.
    #[error(
        "{path} has format {found}, and this program reads format {FORMAT}; use the version that wrote it, or move the \
         file away to start with an empty log"
    )]
    Format {
        /// The path of the file.
        path: PathBuf,
        /// The format it has.
        found: u64,
    },
    /// The operating system refused something.
    #[error("{path}: {why}; see that the directory exists, is writable and has room")]
    Refused {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl StoreError {
    /// What was found while the file was read: the system's fault, or that of what is in it.
    pub(super) fn of_content(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen => StoreError::Busy { path: path.into() },
            redb::Error::Io(error) if !is_corruption(&error) => {
                StoreError::Refused { path: path.into(), why: error.to_string() }
            }
            redb::Error::Corrupted(why) => StoreError::Damaged { path: path.into(), why },
            error => StoreError::Damaged { path: path.into(), why: error.to_string() },
        }
    }
}

/// Whether the content of the file is at fault and not the system.
fn is_corruption(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

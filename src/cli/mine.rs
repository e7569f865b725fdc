//! `mine`: a congestion control of the user's own, among those that have names here.
//!
//! It is in `examples/my_congestion_control.rs`, which is no part of this program. So a command that names it builds
//! that example, and hands over to it with all its arguments: the example is this same program, with one congestion
//! control more.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::cargo::{self, Unbuilt};
use super::error::CliError;
use crate::layers::transport::tcp::congestion::Algorithm;

/// What it is called on the command line.
pub(super) const NAME: &str = "mine";

const EXAMPLE: &str = "my_congestion_control";
const FILE: &str = "examples/my_congestion_control.rs";

/// The one of this program, if it is the example.
static MINE: OnceLock<Algorithm> = OnceLock::new();

/// This program has it.
pub(super) fn is(algorithm: Algorithm) {
    // Twice would be two examples in one.
    let _ = MINE.set(algorithm);
}

/// The congestion control, if this program has it.
pub(super) fn here() -> Option<Algorithm> {
    MINE.get().copied()
}

/// Builds the example and runs it with these arguments: its exit code.
pub(super) fn hand_over(args: &[OsString]) -> Result<u8, CliError> {
    let root = root()?;
    let program = cargo::build(&root, &["--example", EXAMPLE], EXAMPLE, FILE).map_err(|unbuilt| match unbuilt {
        Unbuilt::Failed(error) => error,
        Unbuilt::Faults => CliError::Failed(format!(
            "{FILE} does not compile yet: the compiler says above where\nnext: fix the first error, they often bring \
             others"
        )),
    })?;
    let status = Command::new(&program).args(args).status();
    let status = status.map_err(|error| CliError::io(&format!("starting {}", program.display()), &error))?;
    // What a signal has ended has no code, and did not succeed.
    Ok(status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1)))
}

/// The package that we are in, with the example.
fn root() -> Result<PathBuf, CliError> {
    let here = env::current_dir().map_err(|error| CliError::io("finding the current folder", &error))?;
    let has_it = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join(FILE).is_file();
    here.ancestors().find(has_it).map(Path::to_owned).ok_or_else(|| {
        CliError::Failed(format!(
            "there is no {FILE} here or in a folder above, and '{NAME}' is the congestion control in it\n\
             next: change into the source tree of netlayers, which has one to begin with, and try again"
        ))
    })
}

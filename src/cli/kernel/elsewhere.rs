//! The kernel wire where there is none: each command says what it needs.

use std::ffi::OsString;

use bytes::Bytes;

use super::Played;
use crate::cli::error::CliError;
use crate::lessons::Scenario;
use crate::real::scenes::RealStory;
use crate::sim::knob::Knobs;
use crate::trace::{Trace, Way};

fn needs_linux<T>() -> Result<T, CliError> {
    Err(CliError::Failed("this needs Linux, in whose namespaces it lives: use --wire real".into()))
}

pub(in crate::cli) fn enter() -> Result<(), CliError> {
    needs_linux()
}

pub(in crate::cli) fn message(_: Way, _: &Bytes, _: &Knobs) -> Result<Played, CliError> {
    needs_linux()
}

pub(in crate::cli) fn scene(_: &str, _: &Scenario) -> Result<RealStory, CliError> {
    needs_linux()
}

pub(in crate::cli) fn guest(_: &[OsString], _: Option<u16>, _: u16, _: &Knobs) -> Result<Trace, CliError> {
    needs_linux()
}

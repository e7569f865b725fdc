//! Which wire a scene is played on.

use clap::ValueEnum;

/// Which wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WireChoice {
    /// A simulated network in virtual time
    Sim,
    /// This machine's own sockets, over loopback
    Real,
}

//! Which wire a scene is played on.

use clap::ValueEnum;

/// Which wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WireChoice {
    /// A simulated network in virtual time
    Sim,
    /// This machine's own sockets, over loopback
    Real,
    /// Our stack at one end, Linux's own at the other, frame by frame and in real time
    Kernel,
}

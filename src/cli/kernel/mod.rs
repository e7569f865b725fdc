//! The kernel wire, where it meets the simulator: our stack, its link and the knobs' faults at one end, Linux at the
//! other. [`crate::real::kernel`] knows no simulator, and [`crate::sim`] no kernel.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod guest;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod recovery;
#[cfg(target_os = "linux")]
mod scenes;
#[cfg(target_os = "linux")]
mod websocket;

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{enter, guest, message, scene};
#[cfg(target_os = "linux")]
pub(super) use guest::guest;
#[cfg(target_os = "linux")]
pub(super) use linux::{enter, message};
#[cfg(target_os = "linux")]
pub(super) use scenes::scene;

use crate::real::kernel_figures::EndFigures;
use crate::trace::Run;

/// Which lessons have a scene on this wire.
pub(super) const LESSONS: &[&str] = &["stream", "handshake", "segmentation", "loss", "congestion", "control"];

/// A run on the kernel wire.
pub(super) struct Played {
    /// What happened, and what came of it.
    pub(super) run: Run,
    /// What the kernel says of its socket.
    pub(super) figures: EndFigures,
    /// Frames that it had no room for.
    pub(super) no_room: u64,
}

//! What BBR remembers of a path and of itself (draft-ietf-ccwg-bbr-06 §2).

use crate::base::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bw: f64,
    pub(super) inflight: f64,
}

pub(super) const UNBOUNDED: Bounds = Bounds { bw: f64::INFINITY, inflight: f64::INFINITY };

#[derive(Debug, Clone, Copy)]
pub(super) struct Shortest {
    pub(super) rtt: Duration,
    pub(super) at: Instant,
}

/// A round trip as packets count it (§5.5.1): until something is acknowledged that left after its beginning.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) next_delivered: u64,
    pub(super) start: bool,
    pub(super) count: u64,
}

/// The same for losses, with the best of what was delivered in it (§5.5.10.3).
#[derive(Debug, Default)]
pub(super) struct LossRound {
    pub(super) next_delivered: u64,
    pub(super) start: bool,
    pub(super) any: bool,
    pub(super) lost: u64,
    pub(super) bw: f64,
    pub(super) inflight: f64,
}

/// Looks for a bandwidth that no longer grows (§5.3.1.2).
#[derive(Debug, Default)]
pub(super) struct FullPipe {
    pub(super) bw: f64,
    pub(super) rounds: u32,
    pub(super) now: bool,
    pub(super) reached: bool,
}

#[derive(Debug)]
pub(super) struct Cycle {
    pub(super) since: Instant,
    pub(super) wait: Duration,
    pub(super) rounds: u64,
    /// Samples of the last probe are still coming.
    pub(super) probing: bool,
    /// The probe has ended, and the bandwidth that it has measured is that of this cycle.
    pub(super) stopping: bool,
    pub(super) up_rounds: u32,
    pub(super) up_acked: f64,
    pub(super) up_step: f64,
}

#[derive(Debug, Default)]
pub(super) struct ExtraAcked {
    pub(super) since: Instant,
    pub(super) delivered: f64,
    /// The most of the last five round trips, and of the five before.
    pub(super) most: [f64; 2],
    pub(super) turned: u64,
}

/// What a repair may turn out to have changed for nothing (§5.5.11).
#[derive(Debug, Clone, Copy)]
pub(super) struct Undo {
    pub(super) state: State,
    pub(super) short: Bounds,
    pub(super) long: f64,
}

//! A time to be woken at.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::coop;
use tokio::time::Sleep;

use crate::base::Instant;
use crate::real::clock::{Clock, std_duration};

/// A time to be woken at, or none. The runtime's timer is set only when a task waits for it.
#[derive(Default)]
pub(super) struct Timer {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(super) fn set(&mut self, at: Option<Instant>) {
        if self.at != at {
            self.at = at;
            self.sleep = None;
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Ready when the time has come; pending without end when there is none.
    ///
    /// Also for a task that has used up its turn, for which the runtime's timer would stay pending: it may have used
    /// it up on a peer that talks without end, and this may be the limit on that.
    pub(super) fn poll(&mut self, clock: Clock, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(std_duration(at.since(clock.now())))));
        pin!(coop::unconstrained(sleep.as_mut())).poll(cx)
    }
}

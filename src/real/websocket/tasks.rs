//! The tasks that wait for one connection, and the waker that wakes them all.
//!
//! A connection has two halves, and each may be waited for in a task of its own. But a stream remembers one waker for
//! writing, and a timer one for its time: the last that came. If each task left its own there, the one that came
//! first would never wake, and neither would when the later one had gone away meanwhile, as in a `select!`.
//!
//! So there is one shared waker that wakes all waiting tasks, and whatever concerns both halves is polled with it: the
//! stream's writing, and the timers that end a connection for both. A task counts itself in *before* the poll whose
//! answer it believes. In the other order the stream could become writable in between, on another thread, and wake
//! no task. What one half does to the other, such as closing, wakes it through the same waker.
//!
//! Reading, the machine's own timer and the end of the stream belong to the half that receives; they are polled with
//! that task's own waker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// Which half a task waits for. A connection that is not split is waited for by one task in both ways, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Sending,
    Receiving,
}

/// The tasks that wait: one for each half at most, for calls on a half exclude each other. A call that was dropped
/// leaves its task here, which is woken once for nothing, or replaced by the next.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    sending: Option<Waker>,
    receiving: Option<Waker>,
}

impl Tasks {
    /// The waker that wakes all that wait at that time.
    pub(super) fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }

    /// Counts a task in.
    pub(super) fn add(&self, half: Half, waker: &Waker) {
        let mut waiting = self.lock();
        let place = match half {
            Half::Sending => &mut waiting.sending,
            Half::Receiving => &mut waiting.receiving,
        };
        match place {
            Some(there) => there.clone_from(waker),
            None => *place = Some(waker.clone()),
        }
    }

    /// Wakes all, after which none waits.
    pub(super) fn wake_all(&self) {
        // Not under the lock: what a waker does is the runtime's affair.
        let Waiting { sending, receiving } = std::mem::take(&mut *self.lock());
        sending.into_iter().chain(receiving).for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

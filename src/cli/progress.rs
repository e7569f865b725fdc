//! A line on standard error that says how far a long piece of work is.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use super::output::{overwrite, wipe};

/// Nothing for the first second, and nothing without a terminal; then one line that is written over and over, and
/// wiped away in the end.
#[derive(Debug)]
pub(super) struct Progress {
    next: Instant,
    shown: bool,
}

impl Progress {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a person has waited is measured by the real clock"
    )]
    pub(super) fn start() -> Self {
        Progress { next: Instant::now() + Duration::from_secs(1), shown: false }
    }

    /// Says how far it is. `text` is only asked for when it will be shown.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a person has waited is measured by the real clock"
    )]
    pub(super) fn tell(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if now >= self.next && io::stderr().is_terminal() {
            self.next = now + Duration::from_millis(200);
            self.shown = true;
            overwrite(&text());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            wipe();
        }
    }
}

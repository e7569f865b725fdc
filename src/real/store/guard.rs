//! The one way to the database: where redb panics, its caller gets an error.
//!
//! redb trusts a file that was closed in order, and may panic in the middle of one that something else has written
//! into. For a server that is a failure of the log like any other, to be reported in words: so nothing here reaches the
//! database but through [`Guarded::with`], its end included, and what a panic would write on the terminal is left out.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use redb::Database;

thread_local! {
    /// Whether a panic of this thread will be reported in another way.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may panic.
///
/// # Errors
/// Its own, or [`redb::Error::Corrupted`] in place of a panic.
pub(super) fn guarded<T>(act: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                usual(panic);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    // What a panic leaves half done belongs to redb, which refuses to go on with it.
    let result = catch_unwind(AssertUnwindSafe(act));
    IS_GUARDED.set(before);
    result.unwrap_or_else(|_| Err(redb::Error::Corrupted("its structure makes no sense".into())))
}

/// A database, reached only in a way that survives its panics.
pub(super) struct Guarded(Option<Database>);

impl Guarded {
    pub(super) fn new(database: Database) -> Self {
        Guarded(Some(database))
    }

    /// # Errors
    /// See [`guarded`].
    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        match &self.0 {
            Some(database) => guarded(|| act(database)),
            None => Err(redb::Error::DatabaseClosed),
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let database = self.0.take();
        // What was acknowledged is stored. What closing would add spares the next start a repair, no more.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_the_next_one_outside_is_a_panic() {
        let error = guarded(|| -> Result<(), redb::Error> { panic!("in the middle of a page") }).unwrap_err();
        assert_eq!(error.to_string(), "DB corrupted: its structure makes no sense");
        assert!(!IS_GUARDED.get());
        assert_eq!(guarded(|| guarded(|| Ok(7))).expect("no panic"), 7);
    }
}

//! A script is left before its end when only one of its scenes was asked for.

use std::panic::resume_unwind;

/// Ends a script whose scene has been played: what follows was not asked for.
pub(in crate::lessons) struct SceneIsOver;

/// Leaves the script.
pub(in crate::lessons) fn leave_the_script() -> ! {
    resume_unwind(Box::new(SceneIsOver))
}

//! The clients of other makers, which `tests/peers/install.sh` installs.

use std::path::{Path, PathBuf};

use super::support::did_not_run;

/// The folder they are in.
///
/// # Panics
/// When it is missing and required.
pub(crate) fn folder() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let folder = target.join("peers");
    if folder.join("node_modules/socket.io-client").exists() && folder.join("venv/bin/python").exists() {
        return Some(folder);
    }
    did_not_run(
        &format!("there are no clients in {}", folder.display()),
        "run tests/peers/install.sh (it needs node, npm and python3)",
    );
    None
}

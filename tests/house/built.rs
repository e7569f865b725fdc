//! Programs that `cargo test` has built before the tests run.

use std::path::{Path, PathBuf};

/// The program of an example.
///
/// # Panics
/// When it is older than its source: `cargo test --test NAME` builds no examples.
pub(crate) fn example(name: &str, source: &Path) -> PathBuf {
    let own = std::env::current_exe().expect("a test has a program");
    let target = own.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps/TEST");
    let program = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let changed = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified());
    let fresh = match (changed(&program), changed(source)) {
        (Ok(built), Ok(written)) => built >= written,
        _ => false,
    };
    assert!(fresh, "{name} is not up to date: `cargo build --examples` makes it");
    program
}

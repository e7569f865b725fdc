//! Programs that `cargo test` has built before the tests run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

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

/// The library that the examples are linked with. Cargo says where it is.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let own = std::env::current_exe().expect("a test has a program");
        let profile = own.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps/TEST");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "tcp_lossy", "--message-format=json"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        let output = build.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8_lossy(&output.stdout);
        let artifact = |line: &str| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let is_ours = message["target"]["name"] == "netlayers" && message["target"]["kind"][0] == "lib";
            let files = message["filenames"].as_array().filter(|_| is_ours)?;
            files
                .iter()
                .filter_map(|file| file.as_str())
                .find(|file| file.ends_with(".rlib"))
                .map(PathBuf::from)
        };
        messages.lines().find_map(artifact).expect("cargo names the library")
    })
}

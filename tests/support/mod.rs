//! Helpers that the tests of the outside share.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program `name`, which a test compares us with, when it is installed.
///
/// When it is not, the test says so and does not run; with `NETLAYERS_PEERS=required`, as in CI, it fails instead.
///
/// # Panics
/// When the program is missing and required.
#[allow(dead_code, reason = "each test program uses its own part of this module")]
pub(crate) fn peer(name: &str) -> Option<Command> {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok() {
        return Some(Command::new(name));
    }
    let required = std::env::var("NETLAYERS_PEERS").is_ok_and(|value| value == "required");
    assert!(!required, "NETLAYERS_PEERS=required, but {name} is not installed: {}", how_to_install(name));
    eprintln!("DID NOT RUN: {name} is not installed. {}", how_to_install(name));
    None
}

/// The folder with the clients of other makers that `tests/peers/install.sh` installs.
///
/// # Panics
/// When it is missing and required.
#[allow(dead_code, reason = "each test program uses its own part of this module")]
pub(crate) fn peers() -> Option<std::path::PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        std::path::PathBuf::from,
    );
    let folder = target.join("peers");
    if folder.join("node_modules/socket.io-client").exists() && folder.join("venv/bin/python").exists() {
        return Some(folder);
    }
    let required = std::env::var("NETLAYERS_PEERS").is_ok_and(|value| value == "required");
    let how = "run tests/peers/install.sh (it needs node, npm and python3)";
    assert!(!required, "NETLAYERS_PEERS=required, but there are no clients in {}: {how}", folder.display());
    eprintln!("DID NOT RUN: no clients in {}: {how}", folder.display());
    None
}

fn how_to_install(name: &str) -> String {
    let package = match name {
        "tshark" => "tshark",
        "editcap" => "wireshark-common",
        "ip" => "iproute2",
        "nc" => "netcat-openbsd",
        other => other,
    };
    format!("On Debian: apt-get install {package}")
}

/// The program of an example, which `cargo test` has built before the tests run.
///
/// # Panics
/// When it is older than its source: `cargo test --test NAME` builds no examples.
#[allow(dead_code, reason = "each test program uses its own part of this module")]
pub(crate) fn built_example(name: &str, source: &Path) -> PathBuf {
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

/// The program `name` when it can also do what `check` asks of it, such as find a package. `install` says how to make
/// it so.
///
/// # Panics
/// When it cannot and peers are required.
#[allow(dead_code, reason = "each test program uses its own part of this module")]
pub(crate) fn peer_with(name: &str, check: &[&str], install: &str) -> Option<Command> {
    let found = Command::new(name).args(check).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(Command::new(name));
    }
    let required = std::env::var("NETLAYERS_PEERS").is_ok_and(|value| value == "required");
    assert!(!required, "NETLAYERS_PEERS=required, but {name} cannot do {check:?}: {install}");
    eprintln!("DID NOT RUN: {name} cannot do {check:?}. {install}");
    None
}

//! Helpers that the tests of the outside share.

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

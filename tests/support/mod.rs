//! Programs by others, which tests compare us with.

use std::process::{Command, Stdio};

/// The program `name`, when it is installed.
///
/// # Panics
/// When the program is missing and required.
pub(crate) fn peer(name: &str) -> Option<Command> {
    let package = match name {
        "editcap" => "wireshark-common",
        "ip" => "iproute2",
        "nc" => "netcat-openbsd",
        "unshare" => "util-linux",
        other => other,
    };
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        did_not_run(&format!("{name} is not installed"), &format!("on Debian: apt-get install {package}"));
        return None;
    }
    Some(Command::new(name))
}

/// A test says that it does not run, why, and how to mend that.
///
/// # Panics
/// With `NETLAYERS_PEERS=required`, as in CI.
pub(crate) fn did_not_run(why: &str, mend: &str) {
    let required = std::env::var("NETLAYERS_PEERS").is_ok_and(|value| value == "required");
    assert!(!required, "NETLAYERS_PEERS=required, but {why}: {mend}");
    eprintln!("DID NOT RUN: {why}: {mend}");
}

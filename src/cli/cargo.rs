//! Builds a program of the user's own with cargo, and says where cargo put it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::error::CliError;
use super::output::remark;

/// For how long nothing is said of a build.
const SILENT: Duration = Duration::from_secs(1);

/// Why there is no program.
#[derive(Debug)]
pub(super) enum Unbuilt {
    /// The compiler was called and found faults, which it has told to the user itself.
    Faults,
    /// All else: the words for it.
    Failed(CliError),
}

/// Builds in `root` what the arguments name, of which `name` is the program and `file` its source. What the compiler has
/// to say, it says to the user itself.
pub(super) fn build(root: &Path, what: &[&str], name: &str, file: &str) -> Result<PathBuf, Unbuilt> {
    let failed = |text: String| Unbuilt::Failed(CliError::Failed(text));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Path::new(&cargo).display();
    let mut command = Command::new(&cargo);
    command.current_dir(root).args(["build", "--quiet"]).args(what);
    command.arg("--message-format=json-render-diagnostics");
    // The profile that we were built with ourselves: its library is there already.
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = during(file, || command.output())
        .map_err(|error| failed(format!("starting {told}: {error}; Rust comes from https://rustup.rs")))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() && !has_built(&messages) {
        return Err(failed(format!(
            "{told} could not begin to build, and says above why: this is not about your program\nnext: cargo build {}",
            what.join(" ")
        )));
    }
    if !output.status.success() {
        return Err(Unbuilt::Faults);
    }
    executable(&messages, name).ok_or_else(|| failed(format!("cargo does not say where it put {name}")))
}

/// Does something that may take long, and says so when it does: one line, for the compiler may speak meanwhile.
fn during<T>(file: &str, work: impl FnOnce() -> T) -> T {
    let (done, waits) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if waits.recv_timeout(SILENT) == Err(RecvTimeoutError::Timeout) {
                remark(format!("(building {file}: the first time takes longest)"));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// Whether cargo came so far as to call the compiler: the end of a build is its last message.
fn has_built(messages: &str) -> bool {
    let mut read = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    read.any(|message| message["reason"] == "build-finished")
}

/// Where cargo put a program: it says so in a line of JSON.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_what_cargo_says() {
        let messages = "not json\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"netlayers\"},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"packet\"},\"executable\":\"/t/packet\"}\n";
        assert_eq!(executable(messages, "packet"), Some(PathBuf::from("/t/packet")));
        assert_eq!(executable(messages, "netlayers"), None);
        assert_eq!(executable("", "x"), None);
    }
}

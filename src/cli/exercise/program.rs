//! The student's program: where it is, how it is built, and how it is run without trust in it.

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::cargo::{self, Unbuilt};
use crate::cli::error::CliError;
use crate::cli::output::remark;
use crate::lessons::exercises::{Exercise, Language};
use crate::view::look::escape;

/// A check takes milliseconds: what runs longer goes round in circles.
const LONGEST: Duration = Duration::from_secs(10);
/// The most that a program may print; what goes beyond is not read.
const MOST_OUTPUT: u64 = 1 << 20;

/// A program that has run.
#[derive(Debug)]
pub(super) struct Ran {
    /// What it wrote to standard output.
    pub(super) printed: String,
    /// What it wrote to standard error.
    pub(super) complained: String,
    /// How it ended, where that was not well.
    pub(super) end: Option<String>,
}

/// The root of the source tree that we are in.
pub(super) fn checkout() -> Result<PathBuf, CliError> {
    let here = env::current_dir().map_err(|error| CliError::io("finding the current folder", &error))?;
    let is_root = |folder: &&Path| {
        folder.join("exercises").is_dir()
            && fs::read_to_string(folder.join("Cargo.toml"))
                .is_ok_and(|text| text.lines().any(|line| line.trim() == "name = \"netlayers\""))
    };
    here.ancestors().find(is_root).map(Path::to_owned).ok_or_else(|| {
        CliError::Failed(
            "exercises are edited and built in the source tree of netlayers: change into it and try again"
                .into(),
        )
    })
}

/// The program that is to be checked.
#[derive(Debug)]
pub(super) struct Mine {
    /// What runs it.
    pub(super) command: Command,
    /// The file that the student works in.
    pub(super) told: String,
    /// Whether anything was done to it.
    pub(super) is_tried: bool,
}

impl Mine {
    /// One of any language. A name without a folder is a file that is here before it is a command.
    pub(super) fn any(program: &Path) -> Mine {
        let here = Path::new(".").join(program);
        let path = if here.is_file() { here.as_path() } else { program };
        Mine { command: Command::new(path), told: escape(&*program.to_string_lossy()), is_tried: true }
    }

    /// The one of an exercise in a language; the first time it is there only now.
    pub(super) fn of(exercise: &Exercise, language: Language) -> Result<Mine, CliError> {
        let root = checkout()?;
        let (file, starter) = (exercise.file(language), exercise.program(language).starter);
        let source = root.join(&file);
        if !source.exists() {
            write(&source, starter)?;
            remark(format!("(this is your program, to be fixed: {file})"));
        }
        let command = match language.runner() {
            None => Command::new(build(exercise, &root)?),
            Some((runner, _)) => {
                let mut command = Command::new(runner);
                command.arg(&source);
                command
            }
        };
        // What is no text was not written by us.
        let is_tried = !fs::read_to_string(&source).is_ok_and(|text| same(&text, starter));
        Ok(Mine { command, told: file, is_tried })
    }
}

/// Builds a program of Rust.
fn build(exercise: &Exercise, root: &Path) -> Result<PathBuf, CliError> {
    let what = ["--package", "exercises", "--bin", exercise.id];
    let file = exercise.file(Language::Rust);
    cargo::build(root, &what, exercise.id, &file).map_err(|unbuilt| match unbuilt {
        Unbuilt::Failed(error) => error,
        Unbuilt::Faults => CliError::Failed(format!(
            "{file} does not compile yet: the compiler says above where\nnext: fix the first error, they often \
             bring others; netlayers hint {} helps",
            exercise.called()
        )),
    })
}

/// Whether two files are the same but for their line ends, which git may have changed.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.lines().eq(b.lines())
}

/// Writes a file whole or not at all: a new one takes the place of the old one.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| fs::write(&new, text)).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| CliError::io(&format!("writing {}", path.display()), &error))
}

/// Runs a program on the lines of a check, for a bounded time and with bounded output.
#[expect(clippy::disallowed_methods, reason = "how long a program may run is measured by the real clock")]
pub(super) fn run(mut program: Command, input: String) -> Result<Ran, CliError> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(&program, &error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writer = thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            // A program that stopped does not read on: its answers say so.
            let _ = stdin.write_all(input.as_bytes());
        }
    });
    let printed = thread::spawn(move || read(stdout));
    let complained = thread::spawn(move || read(stderr));
    let deadline = Instant::now() + LONGEST;
    let mut end = None;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(Some(status)) => {
                end = Some(format!("Your program stopped in the middle ({status})."));
                break;
            }
            Ok(None) if Instant::now() >= deadline => {
                end = Some(format!(
                    "Your program still ran after {} seconds and was stopped: is there a loop without an end?",
                    LONGEST.as_secs()
                ));
                stop(&mut child);
                break;
            }
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(CliError::io("waiting for the program", &error)),
        }
    }
    let _ = writer.join();
    let printed = printed.join().unwrap_or_default();
    let complained = complained.join().unwrap_or_default();
    Ok(Ran { printed, complained, end })
}

/// Why a program does not start, and what to do.
fn not_started(program: &Command, error: &io::Error) -> CliError {
    let name = escape(&*program.get_program().to_string_lossy());
    let runner = Language::ALL.into_iter().filter_map(Language::runner).find(|(runner, _)| *runner == name);
    let next = match (runner, error.kind()) {
        (Some((_, from)), _) => from.to_owned(),
        (None, ErrorKind::PermissionDenied) => {
            format!("next: chmod +x {name}    it is not executable yet")
        }
        (None, ErrorKind::NotFound) => "expected a program: a path, or a command".into(),
        (None, _) => "expected a program, or a script whose first line says what runs it, such as \
                      #!/usr/bin/env python3"
            .into(),
    };
    CliError::Failed(format!("starting {name}: {error}\n{next}"))
}

fn stop(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
        remark(format!("the program could not be stopped: {error}"));
    }
}

fn read(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read before an error is what counts.
        let _ = from.take(MOST_OUTPUT).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_make_no_difference() {
        assert!(same("a\nb\n", "a\r\nb\r\n"));
        assert!(!same("a\nb\n", "a\nc\n"));
    }
}

//! Exercises as students meet them: starters fail and say where, solutions pass, work is never lost without a word.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use netlayers::lessons::exercises::{ALL, Exercise, Language, Program, find};

use super::{built, support};

/// The exercise that these tests know by heart: the only one of lesson 6.
fn sample() -> &'static Exercise {
    find("udp_header").expect("it is there")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exercises-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder of our own");
    folder
}

/// The program away from any terminal, in `place`; what it keeps goes to `data`.
fn netlayers(args: &[&str], place: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    for name in ["COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM"] {
        command.env_remove(name);
    }
    command.args(args).current_dir(place).stdin(Stdio::null()).env("NETLAYERS_DATA", data);
    command
}

fn run(mut command: Command) -> Output {
    command.output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks a program that is built already.
fn check(exercise: &Exercise, program: &Path, data: &Path) -> Output {
    let program = program.to_str().expect("a path of ours is UTF-8");
    run(netlayers(&["check", exercise.id, "--program", program], &root(), data))
}

/// The folder of an exercise.
fn home(exercise: &Exercise) -> PathBuf {
    root().join("src/lessons/exercises").join(exercise.id)
}

/// A starter or a solution, compiled against the library that `cargo test` has built, without a warning.
fn compiled(source: &Path, folder: &Path) -> PathBuf {
    let (library, program) = (built::library(), folder.join("program"));
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "-Dwarnings", "-o"])
        .arg(&program)
        .arg(format!("--extern=netlayers={}", library.display()))
        .arg(format!("-Ldependency={}", library.parent().expect("target/PROFILE/deps").display()))
        .arg(source)
        .output()
        .expect("rustc starts");
    assert!(output.status.success(), "{}:\n{}", source.display(), stderr(&output));
    program
}

#[test]
fn starters_compile_and_fail_with_a_story() {
    for exercise in ALL {
        let data = folder(&format!("starter-{}", exercise.id));
        let program = compiled(&home(exercise).join("starter.rs"), &data);
        let output = check(exercise, &program, &data);
        assert_eq!(output.status.code(), Some(1), "{}: {}", exercise.id, stderr(&output));
        let told = stdout(&output);
        for expected in
            ["✗", "expected", "got", "why: ", &format!("next: netlayers hint {}", exercise.called())]
        {
            assert!(told.contains(expected), "{}: no {expected} in\n{told}", exercise.id);
        }
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
        assert!(!stdout(&run(netlayers(&["progress"], &root(), &data))).contains('✔'));
    }
}

#[test]
fn the_first_story_shows_the_bytes_under_their_offsets() {
    let exercise = sample();
    let data = folder("story");
    // `cat` answers nothing: the story is about the first step of the first case.
    let Some(_) = support::peer("cat") else { return };
    let told = stdout(&check(exercise, Path::new("cat"), &data));
    assert!(told.contains("offset   0  1  2") && told.contains("byte    c0 00 23 29"), "{told}");
    assert!(told.contains("^^ ^^") && told.contains("no answer"), "{told}");
    assert!(told.contains("your program also printed\n  decode c0002329"), "{told}");
}

#[test]
fn solutions_pass_and_that_is_remembered() {
    let data = folder("solutions");
    for exercise in ALL {
        let program = compiled(&home(exercise).join("solution.rs"), &data);
        let output = check(exercise, &program, &data);
        assert!(output.status.success(), "{}:\n{}{}", exercise.id, stdout(&output), stderr(&output));
    }
    let told = stdout(&run(netlayers(&["progress"], &root(), &data)));
    assert!(told.contains(&format!("exercises: {0} of {0} pass", ALL.len())), "{told}");
    let json = stdout(&run(netlayers(&["progress", "--json"], &root(), &data)));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["exercises"].as_array().is_some_and(|all| all.iter().all(|one| one["passed"] == true)));
}

#[test]
fn every_file_of_an_exercise_is_there_and_none_besides() {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder of the exercises");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let mut expected: Vec<&str> = ALL.iter().map(|exercise| exercise.id).collect();
    expected.sort_unstable();
    let mut found = names(&root().join("src/lessons/exercises"));
    found.retain(|name| !name.ends_with(".rs"));
    assert_eq!(found, expected);
    for exercise in ALL {
        let mut expected: Vec<String> = Language::ALL
            .iter()
            .flat_map(|language| {
                ["starter", "solution"].map(|name| format!("{name}.{}", language.extension()))
            })
            .collect();
        expected.push("mod.rs".into());
        expected.sort();
        assert_eq!(names(&home(exercise)), expected, "{}", exercise.id);
        for language in Language::ALL {
            let Program { starter, solution } = exercise.program(language);
            for text in [starter, solution] {
                let head = text.lines().take(2).collect::<Vec<_>>().join(" ");
                let begins = match language {
                    Language::Rust => head.starts_with("//! "),
                    Language::Python => head.starts_with("#!/usr/bin/env python3 \"\"\""),
                    Language::JavaScript => head.starts_with("#!/usr/bin/env node /"),
                };
                assert!(begins && text.contains(" Try this:"), "{}", exercise.id);
                assert!(text.lines().count() <= 90, "{} is no screenful", exercise.id);
                assert!(text.lines().all(|line| line.chars().count() <= 120), "{}", exercise.id);
            }
        }
    }
}

#[test]
fn hints_grow_and_end_with_the_solution() {
    let data = folder("hints");
    let exercise = sample();
    let hints = |told: &str| told.matches(&format!(" of {}: ", exercise.hints.len())).count();
    let lesson = exercise.number().to_string();
    let told = |args: &[&str]| {
        let output = run(netlayers(args, &root(), &data));
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(hints(&told(&["hint", &lesson])), 1);
    assert_eq!(hints(&told(&["hint", &lesson])), 1, "without --more it says the same again");
    for expected in 2..=exercise.hints.len() {
        assert_eq!(hints(&told(&["hint", &lesson, "--more"])), expected);
    }
    let last = told(&["hint", &lesson, "--more"]);
    assert_eq!(hints(&last), exercise.hints.len());
    assert!(last.contains(&format!("netlayers solution {lesson}")), "{last}");
    assert_eq!(told(&["solution", &lesson, "--spoil"]), exercise.program(Language::Rust).solution);
    assert!(told(&["progress"]).contains(&format!("{} hints", exercise.hints.len())));
}

/// A source tree with nothing in it but what the commands look for.
fn checkout(name: &str) -> PathBuf {
    let folder = folder(name);
    fs::create_dir_all(folder.join("exercises")).expect("a folder of our own");
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"netlayers\"\n").expect("a file of our own");
    folder
}

#[test]
fn every_language_has_a_starter_that_fails_and_a_solution_that_passes() {
    for language in [Language::Python, Language::JavaScript] {
        let Some(_) = language.runner().and_then(|(runner, _)| support::peer(runner)) else { continue };
        let place = checkout(language.name());
        let data = place.join("data");
        for exercise in ALL {
            let (n, file) = (exercise.called(), exercise.file(language));
            let Program { starter, solution } = exercise.program(language);
            let run = |args: &[&str]| run(netlayers(args, &place, &data));
            let first = run(&["check", &n, "--language", language.name()]);
            let told = stdout(&first);
            assert_eq!(first.status.code(), Some(1), "{file}: {}", stderr(&first));
            for expected in
                ["✗", "got", "why: ", &format!("edit: {file}"), &format!("next: netlayers hint {n}")]
            {
                assert!(told.contains(expected), "{file}: no {expected} in\n{told}");
            }
            assert!(!told.contains("on standard error"), "{file}: {told}");
            assert_eq!(fs::read_to_string(place.join(&file)).expect("it is there now"), starter);
            fs::write(place.join(&file), solution).expect("a file of our own");
            // The language is that of last time.
            let second = run(&["check", &n]);
            assert!(second.status.success(), "{file}:\n{}{}", stdout(&second), stderr(&second));
            assert_eq!(stdout(&run(&["solution", &n])), solution);
        }
    }
}

#[test]
fn the_case_that_fails_chooses_the_hint() {
    let exercise = sample();
    let data = folder("chosen");
    let hint =
        |args: &[&str]| stdout(&run(netlayers(&[&["hint", exercise.id], args].concat(), &root(), &data)));
    let Some(_) = support::peer("python3") else { return };
    // It knows everything but that bytes may be missing.
    let Program { solution, .. } = exercise.program(Language::Python);
    let program = data.join("mine.py");
    let broken = solution.replace("if length > len(datagram):", "if False:");
    assert_ne!(broken, solution);
    fs::write(&program, broken).expect("a file of our own");
    let check = |program: &str| run(netlayers(&["check", exercise.id, "--program", program], &data, &data));
    let refused = stderr(&check("mine.py"));
    assert!(refused.contains("chmod +x ./mine.py"), "{refused}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let told = stdout(&check("mine.py"));
        assert!(told.contains("✗ cut short") && told.contains("edit: mine.py"), "{told}");
        let told = hint(&[]);
        assert!(told.contains("for the case that failed: cut short\nhint 4 of 5: "), "{told}");
        assert!(!told.contains("hint 1 of 5"), "{told}");
        let more = hint(&["--more"]);
        assert!(more.contains("hint 5 of 5") && !more.contains("hint 1 of 5"), "{more}");
        fs::write(&program, solution).expect("a file of our own");
        assert!(check("mine.py").status.success());
        assert!(!hint(&[]).contains("that failed"), "nothing fails any more");
    }
}

#[test]
fn a_solution_wants_an_attempt() {
    let Some(_) = support::peer("python3") else { return };
    let place = checkout("attempt");
    let data = place.join("data");
    let run = |args: &[&str]| run(netlayers(args, &place, &data));
    let is_refused = || {
        let output = run(&["solution", "6"]);
        let refused = output.status.code() == Some(1) && output.stdout.is_empty();
        assert!(!refused || stderr(&output).contains("netlayers solution 6 --spoil"), "{}", stderr(&output));
        refused
    };
    assert!(is_refused());
    assert!(!run(&["check", "6", "--language", "python"]).status.success());
    assert!(is_refused(), "the starter as it is, is no attempt");
    let file = place.join(sample().file(Language::Python));
    fs::write(&file, "print('answer: hello')\n").expect("a file of our own");
    assert!(!run(&["check", "6"]).status.success());
    assert!(!is_refused());
}

#[test]
fn reset_restores_the_starter_but_overwrites_no_work_unasked() {
    let place = checkout("reset");
    let data = place.join("data");
    let exercise = sample();
    let file = place.join(exercise.file(Language::Rust));
    let reset = |args: &[&str]| run(netlayers(&[&["reset", exercise.id], args].concat(), &place, &data));

    assert!(reset(&[]).status.success(), "a file that is not there is no work");
    assert_eq!(fs::read_to_string(&file).expect("written"), exercise.program(Language::Rust).starter);
    assert!(stdout(&reset(&[])).contains("as it was"));

    fs::write(&file, "my work").expect("a file of our own");
    let refused = reset(&[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--yes"), "{}", stderr(&refused));
    assert_eq!(fs::read_to_string(&file).expect("still there"), "my work");

    assert!(reset(&["--yes"]).status.success());
    assert_eq!(fs::read_to_string(&file).expect("written"), exercise.program(Language::Rust).starter);
    assert_eq!(
        fs::read_dir(place.join("exercises/src/bin")).expect("the folder").count(),
        1,
        "nothing is left behind"
    );
}

#[test]
fn what_cannot_be_done_is_said_and_why() {
    let data = folder("refused");
    let said = |args: &[&str], place: &Path, code: i32| {
        let output = run(netlayers(args, place, &data));
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        stderr(&output)
    };
    assert!(said(&["check", "77"], &root(), 2).contains("expected one of: 3 is_ours"));
    assert!(!said(&["hint", "\x1b[31m"], &root(), 2).contains('\x1b'));
    let outside = std::env::temp_dir();
    assert!(said(&["check", "6"], &outside, 1).contains("source tree"));
    let missing = said(&["check", "6", "--program", "/no/such/program"], &root(), 1);
    assert!(missing.contains("/no/such/program") && missing.contains("expected a program"), "{missing}");
    assert!(said(&["check", "6", "--language", "latin"], &root(), 2).contains("rust, python, javascript"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A shell script as a program.
    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("program.sh");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file of our own");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        path
    }

    #[test]
    fn what_the_compiler_says_is_shown_and_a_broken_program_is_not_run() {
        let place = checkout("compile");
        // A compiler that was called and found a fault: cargo's last message says that the build is over.
        let finished = r#"echo '{"reason":"build-finished","success":false}'"#;
        let cargo =
            script(&place, &format!("echo \"error: mismatched types: $*\" >&2; {finished}; exit 101"));
        let check = || {
            let mut command = netlayers(&["check", "6"], &place, &place.join("data"));
            command.env("CARGO", &cargo);
            run(command)
        };
        let output = check();
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        for expected in [
            "your program, to be fixed: exercises/src/bin/udp_header.rs",
            "mismatched types",
            "--package exercises --bin udp_header",
            "does not compile yet",
        ] {
            assert!(said.contains(expected), "no {expected} in {said}");
        }
        let file = place.join(sample().file(Language::Rust));
        assert_eq!(
            fs::read_to_string(&file).expect("it is there now"),
            sample().program(Language::Rust).starter
        );
        fs::write(&file, "my work").expect("a file of our own");
        assert!(!stderr(&check()).contains("to be fixed"));
        assert_eq!(fs::read_to_string(&file).expect("still there"), "my work");
    }

    #[test]
    fn a_cargo_that_cannot_begin_is_not_a_program_that_does_not_compile() {
        let place = checkout("no-cargo");
        let cargo = script(&place, "echo 'error: no toolchain is installed' >&2; exit 1");
        let mut command = netlayers(&["check", "6"], &place, &place.join("data"));
        command.env("CARGO", &cargo);
        let said = stderr(&run(command));
        assert!(said.contains("could not begin to build") && !said.contains("does not compile"), "{said}");
        let mut command = netlayers(&["check", "6"], &place, &place.join("data"));
        command.env("CARGO", place.join("no-such-cargo"));
        let said = stderr(&run(command));
        assert!(said.contains("Rust comes from https://rustup.rs"), "{said}");
    }

    #[test]
    fn a_program_that_dies_is_quoted() {
        let place = folder("dies");
        let program = script(&place, "echo 'I read the ports'; echo 'thread main panicked' >&2; exit 3");
        let told = stdout(&check(sample(), &program, &place));
        for expected in ["I read the ports", "thread main panicked", "stopped in the middle"] {
            assert!(told.contains(expected), "no {expected} in\n{told}");
        }
    }

    #[test]
    fn a_program_that_prints_without_end_is_cut_off() {
        let place = folder("prints");
        let program = script(&place, "while echo 'and on'; do :; done");
        let output = check(sample(), &program, &place);
        assert_eq!(output.status.code(), Some(1));
        assert!(stdout(&output).contains("lines more)"), "{}", stdout(&output));
    }
}

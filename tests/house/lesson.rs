//! Lessons as students meet them: what a run prints, how it is reproduced, and what is kept of it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use netlayers::lessons::ALL;
use netlayers::view::sheet::width;

/// The program away from any terminal; what it keeps goes to `data`.
fn netlayers(args: &[&str], data: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    for name in ["COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null()).env("NETLAYERS_DATA", folder(data));
    command.output().expect("the program starts")
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lesson-{name}"))
}

fn stdout(args: &[&str]) -> String {
    let output = netlayers(args, "nobody");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a command that must be refused says.
fn refused(args: &[&str]) -> String {
    let output = netlayers(args, "nobody");
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[test]
fn the_scenario_line_of_a_run_reproduces_it_byte_for_byte() {
    for args in
        [&["lesson", "bytes", "--text", "a b'c\"$"][..], &["lesson", "8", "--drop", "syn-ack", "--seed", "9"]]
    {
        let told = stdout(args);
        let line = told.lines().find_map(|line| line.strip_prefix("scenario: ")).expect("a scenario line");
        assert_eq!(stdout(&["lesson", "--scenario", line]), told, "{line}");
    }
}

#[test]
fn no_line_of_a_lesson_is_wider_than_eighty_columns_and_plain_means_ascii() {
    for (place, lesson) in ALL.iter().enumerate() {
        let told = stdout(&["lesson", lesson.id]);
        // Who follows these lines alone goes through the whole course.
        if let Some(next) = ALL.get(place + 1) {
            let last = told.lines().last().unwrap_or_default();
            assert_eq!(last, format!("next: {}    {}", next.command(), next.title));
        }
        for line in told.lines().filter(|line| !line.starts_with("scenario: ")) {
            assert!(line.chars().count() <= 80, "{}: {line}", lesson.id);
        }
        assert!(!told.contains('\x1b'), "{}", lesson.id);
    }
    let told = stdout(&["lesson", "handshake", "--ascii"]);
    let other: Vec<char> = told.chars().filter(|c| !c.is_ascii()).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn a_prediction_is_laid_beside_what_happened() {
    let told = stdout(&["lesson", "handshake", "--answer", "2", "--answer", "c"]);
    assert!(told.contains("your prediction: 2 segments"), "{told}");
    assert!(told.contains("what happened:   3 segments"), "{told}");
    assert!(told.contains("As you said."), "{told}");
    assert!(!told.to_lowercase().contains("wrong"), "nobody is shamed: {told}");
    let skipped = stdout(&["lesson", "handshake", "--skip"]);
    assert!(!skipped.contains("your prediction"), "{skipped}");
}

#[test]
fn json_is_beats_with_a_schema() {
    for lesson in ALL {
        let document: serde_json::Value =
            serde_json::from_str(&stdout(&["lesson", lesson.id, "--json"])).expect("JSON");
        assert_eq!(document["schema"], "netlayers.lesson/1");
        assert_eq!(document["lesson"], lesson.id);
        assert!(document["beats"].as_array().is_some_and(|beats| beats.len() > 5));
        assert!(document["predictions"].as_array().is_some_and(|asked| !asked.is_empty()));
    }
}

#[test]
fn every_view_of_every_lesson_can_be_had() {
    for lesson in ALL {
        for view in ["ladder", "table", "hex", "header", "layers", "json"] {
            let told = stdout(&["lesson", lesson.id, "--view", view]);
            assert!(told.lines().count() > 3, "{} {view}: {told}", lesson.id);
            for line in told.lines().filter(|_| view != "json") {
                assert!(width(line) <= 80, "{} {view}: {line}", lesson.id);
            }
        }
    }
}

#[test]
fn what_makes_no_sense_is_answered_with_what_was_expected() {
    for (args, expected) in [
        (&["lesson", "handshak"][..], "did you mean 'handshake'?"),
        (&["lesson", "99"], "expected one of"),
        (&["lesson", "8", "--drop", "cake"], "expected one of: none, syn"),
        (&["lesson", "8", "--delay", "9s"], "expected 0ms to 400ms"),
        (&["lesson", "8", "--text", "x"], "has no knob 'text'"),
        (&["lesson", "8", "--answer", "three"], "expected a whole number"),
        (&["lesson", "8", "--answer", "3", "--answer", "x"], "expected a letter from a to d"),
        (&["lesson", "8", "--scenario", "handshake"], "cannot be used with"),
        (&["lesson", "--scenario", "handshake drop"], "KNOB=VALUE"),
        (&["lesson", "8", "--view", "hex", "--scene", "x"], "has no scene 'x'"),
        (&["lesson", "8", "--wire", "real", "--json"], "need --wire sim"),
    ] {
        let said = refused(args);
        assert!(said.contains(expected), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn progress_is_kept_shown_and_a_damaged_file_set_aside() {
    let data = folder("progress");
    let _ = fs::remove_dir_all(&data);
    let overview = || String::from_utf8(netlayers(&[], "progress").stdout).expect("UTF-8");
    assert!(overview().contains("next: netlayers lesson 1"));
    assert!(!data.exists(), "looking leaves nothing behind");

    let first = ALL[0].id;
    assert!(netlayers(&["lesson", first, "--answer", "1"], "progress").status.success());
    assert!(overview().contains(&format!("1 of {} lessons finished", ALL.len())));
    assert!(overview().contains("next: netlayers lesson 2"));

    fs::write(data.join("progress.json"), "{oh dear").expect("a folder of our own");
    let said = String::from_utf8(netlayers(&[], "progress").stderr).expect("UTF-8");
    assert!(said.contains("set aside as"), "{said}");
    assert!(overview().contains("next: netlayers lesson 1"));
}

#[test]
fn the_course_passes_its_own_check() {
    assert!(stdout(&["dev", "check"]).contains("no faults"));
}

#[test]
fn real_sockets_show_what_they_can_and_explain_what_differs() {
    let mut shown = Vec::new();
    for lesson in ALL {
        let output = netlayers(&["lesson", lesson.id, "--wire", "real"], "nobody");
        if output.status.code() == Some(2) {
            let said = String::from_utf8(output.stderr).expect("UTF-8");
            assert!(said.contains("has no --wire real"), "{said}");
            continue;
        }
        let told = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{}: {told}", lesson.id);
        assert!(told.contains("where the simulation differs"), "{told}");
        assert!(told.contains("expected because"), "{told}");
        shown.push(lesson.id);
    }
    assert_eq!(
        shown,
        [
            "bytes",
            "fragments",
            "ports",
            "udp",
            "stream",
            "handshake",
            "segmentation",
            "flow",
            "nagle",
            "closing",
            "upgrade",
            "frames",
            "control"
        ]
    );
}

#[test]
fn a_lessons_own_knobs_turn_its_scene_on_real_sockets() {
    let told = stdout(&["lesson", "fragments", "--size", "1234", "--wire", "real"]);
    assert!(told.contains("one send() of 1234 bytes, one recv() of 1234"), "{told}");
}

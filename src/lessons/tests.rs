//! The course as a whole, and the lines that name one of its runs.

use proptest::prelude::*;

use super::beat::Beat;
use super::*;

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in "\\PC{0,60}") {
        let _ = scenario(&line);
    }
}

#[test]
fn numbers_have_no_gap_and_find_their_lessons() {
    for (place, lesson) in ALL.iter().enumerate() {
        assert_eq!(usize::from(lesson.number()), place + 1);
        assert_eq!(find(&lesson.number().to_string()).map(|found| found.id), Some(lesson.id));
    }
    assert_eq!(number("juggling"), 0);
    assert!(find("0").is_none());
}

#[test]
fn what_a_lesson_says_to_type_names_a_lesson_and_an_exercise_of_its_own() {
    for lesson in ALL {
        for beat in &lesson.play(&lesson.scenario()).beats {
            let Beat::Try { command, .. } = beat else { continue };
            let words: Vec<&str> = command.split_whitespace().collect();
            match words[..] {
                ["netlayers", "lesson", name, ..] => {
                    let found = find(name).unwrap_or_else(|| panic!("{}: {command}", lesson.id));
                    // A number is what it was typed as; a lesson of another name is meant.
                    assert!(found.id == lesson.id || name == found.id, "{}: {command}", lesson.id);
                }
                ["netlayers", "check", name, ..] => {
                    let found = exercises::find(name).unwrap_or_else(|| panic!("{}: {command}", lesson.id));
                    assert_eq!(found.lesson, lesson.id, "{command}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_scenario_line_gives_the_scenario_back() {
    for lesson in ALL {
        for knob in lesson.knobs {
            for value in knob.samples() {
                let mut turned = lesson.scenario();
                turned.turn(knob.name(), &value).expect("a sample is a value");
                let (found, again) = scenario(&turned.to_string()).expect("a line of ours");
                assert_eq!((found.id, again), (lesson.id, turned));
            }
        }
    }
}

#[test]
fn a_scenario_line_reads_as_it_was_typed() {
    let (_, turned) = scenario("chat loss=3% delay=0.05s").expect("a line as one types it");
    assert_eq!(turned.to_string(), "chat loss=3% outage=5s delay=50ms seed=1");
}

#[test]
fn what_is_not_a_scenario_is_answered_with_what_was_expected() {
    for (line, expected) in [
        ("", "is empty"),
        ("juggling", "names no lesson"),
        ("handshake drop", "KNOB=VALUE"),
        ("handshake drop=cake", "expected one of"),
        ("handshake colour=red", "has no knob"),
        ("handshake drop=syn drop=ack", "twice"),
        ("bytes text=%4", "%XX"),
    ] {
        let error = scenario(line).expect_err(line);
        assert!(error.contains(expected), "{line}: {error}");
    }
}

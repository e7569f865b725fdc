//! The course as a whole, and the lines that name one of its runs.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line in "\\PC{0,60}") {
        let _ = scenario(&line);
    }
}

#[test]
fn every_number_of_the_course_is_a_lesson_or_one_to_come() {
    let mut numbers: Vec<u8> = ALL.iter().map(|lesson| lesson.number).collect();
    numbers.extend(TO_COME.iter().map(|(number, _)| number));
    numbers.sort_unstable();
    let last = ALL.iter().map(|lesson| lesson.number).max().expect("a course has lessons");
    assert_eq!(numbers, (1..=last).collect::<Vec<u8>>());
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

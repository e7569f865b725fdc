//! What every lesson must have, checked: `netlayers dev check` prints the faults, and a test fails with them.

use std::collections::BTreeSet;

use super::beat::Beat;
use super::lesson::Lesson;

/// Every fault of every lesson, each as a line; none, when the course is in order.
pub fn faults(lessons: &'static [Lesson]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    for lesson in lessons {
        let mut fault = |what: String| faults.push(format!("{}: {what}", lesson.id));
        if !ids.insert(lesson.id) {
            fault("another lesson has the same id".into());
        }
        of_one(lesson, &mut fault);
    }
    faults
}

fn of_one(lesson: &'static Lesson, fault: &mut dyn FnMut(String)) {
    if lesson.id.is_empty() || !lesson.id.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        fault("an id is lower case letters and underscores".into());
    }
    if !(5..=90).contains(&lesson.minutes) {
        fault(format!("expected 5 to 90 minutes, got {}", lesson.minutes));
    }
    for (what, text) in [
        ("a title", lesson.title),
        ("a misconception", lesson.misconception),
        ("a question to vote on", lesson.teacher.vote),
        ("what to say when the run surprises", lesson.teacher.surprise),
    ] {
        if text.trim().is_empty() {
            fault(format!("it has no {}", what.trim_start_matches("a ")));
        }
    }
    if !lesson.cites.iter().any(|cite| !cite.section.is_empty()) {
        fault("expected at least one citation with a section".into());
    }
    for knob in lesson.knobs {
        if let Err(expected) = knob.read(knob.default()) {
            return fault(format!("the default of '{}' is none of its values: {expected}", knob.name()));
        }
    }
    let performance = lesson.play(&lesson.scenario());
    let count = |wanted: fn(&Beat) -> bool| performance.beats.iter().filter(|beat| wanted(beat)).count();
    for (what, least, found) in [
        ("prediction", 1, count(|beat| matches!(beat, Beat::Ask { .. }))),
        ("checked claim", 1, count(|beat| matches!(beat, Beat::Check { .. }))),
        ("picture", 1, count(|beat| matches!(beat, Beat::Show { .. }))),
        ("thing to try next", 1, count(|beat| matches!(beat, Beat::Try { .. }))),
        ("answer to its misconception", 1, count(|beat| matches!(beat, Beat::Instead { .. }))),
    ] {
        if found < least {
            fault(format!("expected at least {least} {what}, found {found}"));
        }
    }
    if let Err(story) = performance.verify() {
        fault(story);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::ALL;
    use crate::lessons::render::json::Document;

    #[test]
    fn the_course_is_in_order() {
        let faults = faults(ALL);
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }

    #[test]
    fn what_every_lesson_claims_holds_however_a_knob_stands() {
        for lesson in ALL {
            for knob in lesson.knobs {
                for value in knob.samples() {
                    let mut scenario = lesson.scenario();
                    scenario.turn(knob.name(), &value).expect("a sample is a value");
                    if let Err(story) = lesson.play(&scenario).verify() {
                        panic!("{story}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_scenario_gives_the_same_lesson_byte_for_byte() {
        for lesson in ALL {
            let scenario = lesson.scenario();
            let told = || {
                let document = Document { lesson, performance: &lesson.play(&scenario) };
                serde_json::to_string(&document).expect("beats are plain data")
            };
            assert_eq!(told(), told(), "{}", lesson.id);
        }
    }

    #[test]
    fn the_rules_can_be_broken() {
        static BAD: &[Lesson] = &[Lesson {
            id: "Bad",
            title: "",
            minutes: 0,
            cites: &[],
            script: |stage| {
                let guess = stage.ask_number("how many?", "frames");
                let _ = guess;
                stage.check("one is two", |_| false);
            },
            ..super::super::ALL[0]
        }];
        let faults = faults(BAD).join("\n");
        for expected in
            ["lower case", "minutes", "title", "citation", "picture", "try next", "never answered"]
        {
            assert!(faults.contains(expected), "no word of {expected} in:\n{faults}");
        }
    }
}

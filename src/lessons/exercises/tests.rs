//! The rules of the manifest, and of how answers are judged.

use std::collections::BTreeSet;

use super::check::{ANSWER, Outcome, input, judge, remarks};
use super::*;
use crate::lessons::render::exercise::{story, task};
use crate::view::look::Look;

/// The answers that pass, line by line.
fn right(cases: &[Case]) -> Vec<String> {
    let answer = |step: &Step| {
        let facts: Vec<String> =
            step.expected.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
        format!("{ANSWER}{}", facts.join(" "))
    };
    cases.iter().flat_map(|case| &case.steps).map(answer).collect()
}

#[test]
fn the_manifest_is_in_order() {
    let mut ids = BTreeSet::new();
    for exercise in ALL {
        let id = exercise.id;
        assert!(ids.insert(id), "{id} is there twice");
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{id}");
        assert!((3..=6).contains(&exercise.hints.len()), "{id} has {} hints", exercise.hints.len());
        for language in Language::ALL {
            let Program { starter, solution } = exercise.program(language);
            assert_ne!(starter, solution, "{id}");
            assert!(starter.contains(&format!("netlayers check {}", exercise.called())), "{id}");
            assert!(exercise.file(language).ends_with(&format!("/{id}.{}", language.extension())), "{id}");
        }
        let (mut titles, mut hints) = (BTreeSet::new(), BTreeSet::new());
        for case in (exercise.cases)() {
            assert!(titles.insert(case.title) && !case.steps.is_empty(), "{id}: {}", case.title);
            assert!(case.hint < exercise.hints.len(), "{id}: {} has no hint", case.title);
            hints.insert(case.hint);
        }
        assert!(hints.len() >= 3, "{id}: where one fails decides about the hint, but it is one of {hints:?}");
        assert_eq!(find(id).map(|found| found.lesson), Some(exercise.lesson));
        assert_eq!(find(&exercise.called()).map(|found| found.id), Some(id));
        assert_eq!(find(&exercise.number().to_string()).map(|found| found.lesson), Some(exercise.lesson));
    }
    assert!(ALL.windows(2).all(|pair| pair[0].number() <= pair[1].number()), "in the order of the lessons");
}

#[test]
fn right_answers_pass_and_a_wrong_one_is_found_wherever_it_is() {
    for exercise in ALL {
        let cases = (exercise.cases)();
        let answers = right(&cases);
        assert_eq!(input(&cases).lines().count(), answers.len());
        assert_eq!(judge(&cases, &answers.join("\n")), Outcome::Passed);
        for wrong in 0..answers.len() {
            let mut answers = answers.clone();
            answers[wrong].push_str(" more=1");
            assert!(matches!(judge(&cases, &answers.join("\n")), Outcome::Failed { got: Some(_), .. }));
            answers.truncate(wrong);
            assert!(matches!(judge(&cases, &answers.join("\n")), Outcome::Failed { got: None, .. }));
        }
    }
}

#[test]
fn what_a_program_prints_besides_does_no_harm() {
    let cases = (ALL[0].cases)();
    let printed: Vec<String> = right(&cases).iter().map(|answer| format!("here I am\n{answer}")).collect();
    assert_eq!(judge(&cases, &printed.join("\n")), Outcome::Passed);
    assert_eq!(remarks(&printed.join("\n")).count(), printed.len());
}

#[test]
fn no_story_is_wider_than_eighty_columns_and_plain_means_ascii() {
    for exercise in ALL {
        let cases = (exercise.cases)();
        let answers = right(&cases);
        for wrong in 0..answers.len() {
            let mut answers = answers.clone();
            answers[wrong] = format!("{ANSWER}payload={} \x1b[31m=x refused=\u{202e}", "5".repeat(300));
            for printed in [answers.join("\n"), answers[..wrong].join("\n")] {
                let outcome = judge(&cases, &printed);
                for look in [Look::default(), Look::plain()] {
                    let told = task(exercise, "mine.rs", &look).to_string()
                        + &story(&cases, &outcome, &look).to_string();
                    for line in told.lines() {
                        assert!(line.chars().count() <= 80, "{}: {line}", exercise.id);
                        assert!(!look.ascii || line.is_ascii(), "{}: {line}", exercise.id);
                        assert!(!line.contains('\x1b') && !line.contains('\u{202e}'), "{line:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_line_that_is_no_line_of_the_check_is_answered_in_words() {
    let refuse = |_: &[u8]| Err(udp_header::Refused::Incomplete);
    for line in ["", "decode", "decode 0", "decode zz", "hello"] {
        assert!(udp_header::answer(line, refuse).starts_with("not understood"), "{line}");
    }
    assert_eq!(udp_header::answer("decode -", refuse), format!("{ANSWER}refused=incomplete"));
}

#[test]
fn the_numbers_of_some_case_wrap_around() {
    let cases = (find("reassemble").expect("it is there").cases)();
    let acks: Vec<u32> = cases
        .iter()
        .flat_map(|case| &case.steps)
        .flat_map(|step| &step.expected)
        .filter(|fact| fact.name == "ack")
        .map(|fact| fact.value.parse().expect("a number"))
        .collect();
    assert!(acks.iter().any(|ack| *ack > u32::MAX - 10) && acks.iter().any(|ack| *ack < 20));
}

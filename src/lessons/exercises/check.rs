//! How answers are judged: step by step, up to the first that is wrong.

use std::collections::BTreeMap;

use super::Case;

/// What a line of the program begins with when it is an answer. All other lines are for its author.
pub const ANSWER: &str = "answer: ";

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All answers are right.
    Passed,
    /// One is not. Those before it are; those after it were not looked at.
    Failed {
        /// The index of the case.
        case: usize,
        /// The index of the step in it.
        step: usize,
        /// What the answer says, by name; `None` when there is none.
        got: Option<BTreeMap<String, String>>,
    },
}

/// The lines that a program is given, one for each step.
pub fn input(cases: &[Case]) -> String {
    cases.iter().flat_map(|case| &case.steps).map(|step| format!("{}\n", step.input)).collect()
}

/// Judges what a program printed.
pub fn judge(cases: &[Case], printed: &str) -> Outcome {
    let mut answers = printed.lines().filter_map(|line| line.strip_prefix(ANSWER));
    for (case, asked) in cases.iter().enumerate() {
        for (step, asked) in asked.steps.iter().enumerate() {
            let got = answers.next().map(facts);
            let right = got.as_ref().is_some_and(|got| {
                got.len() == asked.expected.len()
                    && asked.expected.iter().all(|fact| got.get(fact.name) == Some(&fact.value))
            });
            if !right {
                return Outcome::Failed { case, step, got };
            }
        }
    }
    Outcome::Passed
}

/// What the program printed for its author: all lines that are no answers.
pub fn remarks(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter(|line| !line.starts_with(ANSWER))
}

/// The words `name=value` of an answer; a word of another form keeps an empty value.
fn facts(answer: &str) -> BTreeMap<String, String> {
    let fact = |word: &str| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        (name.to_owned(), value.to_owned())
    };
    answer.split_whitespace().map(fact).collect()
}

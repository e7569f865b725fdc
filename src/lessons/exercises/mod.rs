//! Exercises: programs that compile and are wrong, cases that say where, hints that grow, and solutions that pass.
//!
//! | file | what |
//! |---|---|
//! | [`check`] | how answers are judged |
//! | [`language`] | what the programs are written in |
//! | `udp_header`, `reassemble`, `timeout` and so on | the exercises, in the list below |
//!
//! Each is a folder with these files:
//!
//! - `mod.rs` has its entry, an [`Exercise`] with task, hints and cases, and what its programs in Rust call;
//! - `starter.rs`, `starter.py`, `starter.mjs` are what the student's program begins as;
//! - `solution.rs`, `solution.py`, `solution.mjs` pass.
//!
//! The student's own program is `exercises/src/bin/ID.rs`, which Cargo finds there by itself, `exercises/python/ID.py`
//! or `exercises/javascript/ID.mjs`. `netlayers check` puts it there the first time, `netlayers reset` puts the starter
//! there again.
//!
//! The program reads a line for each step of the check, and answers each with a line ([`check::ANSWER`] and words
//! `name=value`). What it prints besides is for its author. So `netlayers check` needs to know nothing of what is
//! inside, a program in any language can be checked (`--program`), and a student can type a line to it by hand.
//!
//! # Adding one
//!
//! A folder as above, and its name in the list below. `tests/house/exercises.rs` builds and runs all programs and says
//! what is missing.

pub mod check;
pub mod language;

use std::ops::Range;

pub use language::{Language, Program};

/// An exercise: a program to be fixed, and how it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Exercise {
    /// Its name on the command line, and the name of its files.
    pub id: &'static str,
    /// The lesson it belongs to, by its id.
    pub lesson: &'static str,
    /// What is to be made.
    pub title: &'static str,
    /// What to do, in a few sentences.
    pub task: &'static str,
    /// Hints, each one telling more than the one before.
    pub hints: &'static [&'static str],
    /// Its programs, in the order of [`Language::ALL`].
    pub programs: [Program; Language::ALL.len()],
    /// What is asked of the program.
    pub cases: fn() -> Vec<Case>,
}

/// A case of a check: a short story in one or more steps.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is about.
    pub title: &'static str,
    /// The hint that helps when it fails, as an index.
    pub hint: usize,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A line that the program is given, and what it is to answer.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line that the program reads.
    pub input: String,
    /// What it says, in words.
    pub told: String,
    /// What it says, as a picture.
    pub shown: Shown,
    /// What is expected in the answer.
    pub expected: Vec<Fact>,
    /// Why that is right, with the section.
    pub why: &'static str,
}

/// The picture of an input.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Bytes, to be shown under a ruler of offsets.
    Bytes(Vec<u8>),
    /// Lines as they are, in ASCII.
    Lines(Vec<String>),
}

/// One thing that an answer says: `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The name of the fact, such as `length`.
    pub name: &'static str,
    /// Its value, without blanks.
    pub value: String,
    /// Which bytes of the input say so; empty when none do.
    pub from: Range<usize>,
}

impl Fact {
    /// A fact that no single bytes of the input say.
    pub fn new(name: &'static str, value: impl std::fmt::Display) -> Self {
        Fact { name, value: value.to_string(), from: 0..0 }
    }

    /// The bytes of the input that say it.
    pub fn at(self, from: Range<usize>) -> Self {
        Fact { from, ..self }
    }
}

/// Declares the folders of the exercises and lists them: one line for each.
macro_rules! exercises {
    ($($id:ident,)*) => {
        $(pub mod $id;)*
        /// All exercises, in the order of their lessons.
        pub static ALL: &[Exercise] = &[$($id::EXERCISE),*];
    };
}

exercises! {
    is_ours,
    arp_cache,
    udp_header,
    reassemble,
    timeout,
    duplicates,
    usable,
    announce,
    gather,
    delayed,
    reno,
    drop_tail,
    states,
    half_close,
    length_prefix,
    slip,
    frame_header,
    close_codes,
    payload,
    packet,
    dedupe,
}

/// An exercise by its name, or the first one of a lesson by the lesson's number.
pub fn find(name: &str) -> Option<&'static Exercise> {
    let name = name.replace('-', "_");
    ALL.iter().find(|exercise| exercise.id == name).or_else(|| of_lesson(&name).next())
}

/// The exercises of a lesson, by its number.
pub fn of_lesson(number: &str) -> impl Iterator<Item = &'static Exercise> {
    ALL.iter().filter(move |exercise| exercise.number().to_string() == number)
}

impl Exercise {
    /// The number of its lesson.
    pub fn number(&self) -> u8 {
        super::number(self.lesson)
    }

    /// What it is called in commands: the number of its lesson, or its name where that lesson has others.
    pub fn called(&self) -> String {
        let number = self.number().to_string();
        if of_lesson(&number).count() == 1 { number } else { self.id.into() }
    }

    /// The file that a student edits, from the root of the project.
    pub fn file(&self, language: Language) -> String {
        format!("{}/{}.{}", language.folder(), self.id, language.extension())
    }

    /// Its starter and its solution in a language.
    pub fn program(&self, language: Language) -> Program {
        self.programs[language as usize]
    }
}

/// Bytes as one word of an answer; `-` for none.
pub fn hex(bytes: &[u8]) -> String {
    match bytes.is_empty() {
        true => "-".into(),
        false => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Bytes from a word of an input; `None` when it is none of ours.
fn bytes(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let digits: Option<Vec<u8>> = word.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits?;
    (digits.len() % 2 == 0).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// A step that a line says in words, with nothing to be drawn.
fn line(input: impl Into<String>, expected: Vec<Fact>, why: &'static str) -> Step {
    let input = input.into();
    Step { told: input.clone(), input, shown: Shown::Lines(Vec::new()), expected, why }
}

/// A program's answer to a line: what `facts` makes of its words, or, when that is nothing, what was expected.
fn answer_to(line: &str, example: &str, facts: impl FnOnce(&[&str]) -> Option<Vec<Fact>>) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some(facts) = facts(&words) else { return not_understood(example) };
    let facts: Vec<String> = facts.iter().map(|fact| format!("{}={}", fact.name, fact.value)).collect();
    format!("{}{}", check::ANSWER, facts.join(" "))
}

/// What a program answers to a line that the check never sends: a person typed it.
fn not_understood(expected: &str) -> String {
    format!("not understood: expected a line such as: {expected}")
}

#[cfg(test)]
mod tests;

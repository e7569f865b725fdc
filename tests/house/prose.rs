//! The house's English, checked: a few phrases that are always wrong here, each with the better word.
//!
//! The list is short on purpose: only what has no right use in code, book or documents. The rest is for reviewers (see
//! CONTRIBUTING.md).

use std::fs;
use std::path::Path;

use super::architecture::root;

/// What is read: all text below these.
const READ: [&str; 6] = ["src", "book/src", "examples", "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

/// A phrase, and what to write.
const WRONG: [(&str, &str); 14] = [
    ("so many", "the number, or the name of the parameter: at most `limit` bytes"),
    ("anew", "again; restarted, recomputed"),
    ("whoever", "the caller, the client, the program"),
    ("is told", "learns, gets, is notified; or say what is sent to it"),
    ("are told", "learn, get, are notified; or say what is sent to them"),
    ("stands in", "is in"),
    ("stands at", "is at; a knob has a value, a field an offset"),
    ("stands behind", "comes after"),
    ("goes by", "passes; depends on"),
    ("for ever", "without end"),
    ("one behind the other", "one after the other"),
    ("how-manieth", "ordinal"),
    ("mended", "fixed"),
    ("somebody else", "another client, another program"),
];

/// The phrases of the list in a line, as words of their own.
fn wrong_in(line: &str) -> Vec<(&'static str, &'static str)> {
    let line = line.to_lowercase();
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let contains = |phrase: &str| {
        line.match_indices(phrase).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + phrase.len()..]);
            !is_part(before.chars().next_back()) && !is_part(after.chars().next())
        })
    };
    WRONG.into_iter().filter(|(phrase, _)| contains(phrase)).collect()
}

/// Adds every text below `path`, a file or a folder, with its name. Hidden files are other programs' notes.
fn read(path: &Path, texts: &mut Vec<(String, String)>) {
    if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
        return;
    }
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder of the project");
        entries.for_each(|entry| read(&entry.expect("its entry").path(), texts));
    } else if let Ok(text) = fs::read_to_string(path) {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        texts.push((name, text));
    }
}

#[test]
fn no_text_uses_a_phrase_that_is_always_wrong() {
    let mut texts = Vec::new();
    READ.into_iter().for_each(|name| read(&root().join(name), &mut texts));
    assert!(texts.len() > 500, "only {} texts were found", texts.len());

    let mut faults = Vec::new();
    for (name, text) in &texts {
        for (line, number) in text.lines().zip(1..) {
            for (phrase, better) in wrong_in(line) {
                faults.push(format!("{name}:{number}: \"{phrase}\": better: {better}\n    {}", line.trim()));
            }
        }
    }
    faults.sort();
    assert!(faults.is_empty(), "{} phrases:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn phrases_are_found_as_words_and_not_inside_others() {
    let phrases = |line| wrong_in(line).into_iter().map(|(phrase, _)| phrase).collect::<Vec<_>>();
    assert_eq!(phrases("/// At most so many bytes, for whoever asks."), ["so many", "whoever"]);
    assert_eq!(phrases("Whoever reads"), ["whoever"]);
    assert_eq!(phrases("janew(), is_told, stands inside"), [""; 0]);
}

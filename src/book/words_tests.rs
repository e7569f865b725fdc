//! No word of the vocabulary is used before a lesson has introduced it: not in a lesson, and not in its chapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::lessons::beat::{Beat, Form};
use crate::lessons::vocabulary::{Term, all, find};
use crate::lessons::{ALL, Lesson};
use crate::view::look::Look;

/// Words that a lesson uses in another sense than the vocabulary's: an everyday one, or that of another protocol.
const OTHERWISE: &[(&str, &str)] = &[
    ("fragments", "room"),
    ("udp", "room"),
    ("ports", "listener"),
    ("handshake", "listener"),
    ("upgrade", "switch"),
    ("flow", "room"),
    // Frames that wait for a link.
    ("congestion", "queue"),
    ("congestion", "room"),
    // Who gets a copy of an event.
    ("events", "routing"),
];

/// All sentences of a lesson as a student reads them, and its tables; not the pictures of packets.
fn sentences(lesson: &Lesson) -> String {
    let performance = lesson.play(&lesson.scenario());
    let mut told = vec![lesson.title.to_owned(), lesson.misconception.to_owned()];
    told.extend(lesson.words.iter().map(|(_, is)| (*is).to_owned()));
    for asked in &performance.predictions {
        told.extend([asked.question.clone(), asked.why.clone()]);
        if let Form::Choice(choices) = &asked.form {
            told.extend(choices.clone());
        }
    }
    for beat in performance.beats {
        told.push(match beat {
            Beat::Say { text, .. } | Beat::Instead { text, .. } => text,
            Beat::Scene { title, .. } => title,
            Beat::Check { claim, .. } => claim,
            Beat::Try { what, .. } => what,
            Beat::Show { picture } if picture.kind() == "columns" => {
                format!("{}\n{}", picture.draw(&Look::default()), picture.caption)
            }
            Beat::Show { picture } => picture.caption,
            Beat::Ask { .. } | Beat::Reveal { .. } => continue,
        });
    }
    told.join("\n")
}

/// The sentences of a lesson's chapter, without code and directives, and the words that it links to what they mean.
fn chapter(lesson: &Lesson) -> (String, Vec<&'static str>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join(format!("book/src/lesson-{}.md", lesson.id)));
    let page = page.unwrap_or_else(|error| panic!("the chapter of {}: {error}", lesson.id));
    let mut linked = Vec::new();
    let mut text = String::new();
    for piece in page.split("{{") {
        let (directive, prose) = piece.split_once("}}").unwrap_or(("", piece));
        linked.extend(directive.strip_prefix("#word ").and_then(find).map(|term| term.name));
        text.extend(prose.split('`').step_by(2));
    }
    (text, linked)
}

/// What a word is called in sentences: its name, and other names that are no English words.
fn called(term: &'static Term) -> impl Iterator<Item = &'static str> {
    let name = term.name;
    let coined = move |other: &&str| *other == name || other.chars().any(char::is_uppercase);
    term.names().filter(coined)
}

/// Takes a name out of a text, in the singular and the plural; whether it was there. Capitals are a difference, but for
/// the first letter of a sentence.
fn take(text: &mut String, name: &str) -> bool {
    let is_inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut found = false;
    let mut from = 0;
    while let Some(at) = text[from..].to_lowercase().find(&name.to_lowercase()).map(|at| from + at) {
        let end = at + name.len();
        let (before, word, after) = (&text[..at], &text[at..end], &text[end..]);
        let after = after.strip_prefix('s').filter(|rest| !rest.starts_with(is_inside)).unwrap_or(after);
        let begins = before.trim_end_matches([' ', '"', '(']).ends_with(['.', ':', '?', '!', '\n']);
        let is_it = word == name || (begins && word[1..] == name[1..]);
        if is_it && !before.ends_with(|c| is_inside(c) || c == '.') && !after.starts_with(is_inside) {
            found = true;
            text.replace_range(at..end, &"~".repeat(name.len()));
        }
        from = end;
    }
    found
}

#[test]
fn no_word_is_used_in_a_lesson_before_one_has_introduced_it() {
    // Longer names first: server-sent events are no events.
    let mut names: Vec<(&str, &Term)> =
        all().into_iter().flat_map(|term| called(term).map(move |name| (name, term))).collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut introduced: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for lesson in ALL {
        for (word, is) in lesson.words {
            assert_eq!(find(word).map(|term| term.name), Some(*word), "{}: {word} is no word", lesson.id);
            assert!(is.chars().count() <= 60 && !is.ends_with('.'), "{}: {word}: {is}", lesson.id);
            if let Some(before) = introduced.insert(word, lesson.id) {
                faults.push(format!("{}: {word} was introduced in {before}", lesson.id));
            }
        }
        let (mut told, (mut prose, linked)) = (sentences(lesson), chapter(lesson));
        let mut used = BTreeSet::new();
        for (name, term) in &names {
            let (is_told, is_in_chapter) = (take(&mut told, name), take(&mut prose, name));
            if OTHERWISE.contains(&(lesson.id, term.name)) {
                continue;
            }
            used.extend(is_told.then_some(term.name));
            if !introduced.contains_key(term.name)
                && (is_told || is_in_chapter && !linked.contains(&term.name))
            {
                faults.push(format!("{}: {name} is new", lesson.id));
            }
        }
        let mine = lesson.words.iter().filter(|(word, _)| !used.contains(word));
        faults.extend(mine.map(|(word, _)| format!("{}: {word} is introduced and not used", lesson.id)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // What a lesson shows, it or one before it has introduced.
    for (word, lesson) in introduced {
        let by = crate::lessons::find(lesson).map(|lesson| lesson.number());
        let term = find(word).expect("a word");
        assert!(
            !term.is_lesson_here() || by <= term.lesson_number(),
            "{word} is introduced after its lesson"
        );
    }
}

//! Every lesson as pages: whatever a lesson says, asks and shows has its form in the book.

use std::path::Path;

use super::expand::Expander;
use super::{directive, figure, quiz, story};
use crate::lessons::beat::{Answer, Beat, Form, Prediction};
use crate::lessons::{ALL, exercises};

#[test]
fn every_question_of_every_lesson_has_one_answer_on_its_page() {
    for lesson in ALL {
        let performance = lesson.play(&lesson.scenario());
        let page = story::story(lesson, &performance);
        assert_eq!(page.matches("<details").count(), page.matches("</details>").count(), "{}", lesson.id);
        let answers: Vec<&str> =
            page.split("data-for=\"").skip(1).filter_map(|after| after.split('"').next()).collect();
        for index in 0..performance.predictions.len() {
            let id = story::quiz_id(lesson.id, index);
            let answering = answers.iter().filter(|ids| ids.split(' ').any(|other| other == id)).count();
            assert_eq!(answering, 1, "{id}");
        }
        let pictures = performance.beats.iter().filter(|beat| matches!(beat, Beat::Show { .. })).count();
        assert_eq!(page.matches("<figure").count(), pictures, "{}", lesson.id);
        // An empty line would end a figure in the middle: Markdown begins again after it.
        let figures = page.split("<figure").skip(1).filter_map(|after| after.split("</figure>").next());
        assert!(figures.clone().all(|figure| !figure.contains('\n')), "{}", lesson.id);
    }
}

/// A page as a reader sees it who has opened nothing: no folds, no choices of questions, no markup.
fn closed(page: &str) -> String {
    let mut closed = page.to_string();
    for (start, end) in
        [("<details", "</details>"), ("<fieldset", "</fieldset>"), ("<svg", "</svg>"), ("<", ">")]
    {
        while let Some(from) = closed.find(start) {
            let Some(len) = closed[from..].find(end) else { break };
            closed.replace_range(from..from + len + end.len(), " ");
        }
    }
    closed.replace("&quot;", "\"").replace("&#39;", "'")
}

const NUMBERS: &[&str] = &[
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
];

/// Whether a text gives the answer away: in its own words, by its reason, or as a number of what was asked for.
fn gives_away(text: &str, prediction: &Prediction) -> bool {
    let plain = |text: &str| text.replace('`', "").to_lowercase();
    let (text, reason) = (plain(text), plain(&prediction.why));
    let reason = reason.split(". ").next().unwrap_or_default();
    if reason.split(' ').count() > 2 && text.contains(reason.trim_end_matches('.')) {
        return true;
    }
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|w| !w.is_empty()).collect();
    match (&prediction.answer, &prediction.form) {
        (Answer::Number(n), Form::Number { unit }) if unit.is_empty() => {
            *n > 99 && words.contains(&n.to_string().as_str())
        }
        (Answer::Number(n), Form::Number { unit }) => {
            let is_n = |word: &str| {
                word == n.to_string() || usize::try_from(*n).is_ok_and(|n| NUMBERS.get(n) == Some(&word))
            };
            let stem = unit.strip_suffix('s').unwrap_or(unit);
            words.windows(2).any(|pair| is_n(pair[0]) && pair[1].starts_with(stem))
        }
        // Of a choice of one or two words each word is in any text.
        (answer, _) => {
            let said = plain(&prediction.in_words(answer));
            let said = said.split_once(") ").map_or(said.as_str(), |(_, said)| said);
            said.split(' ').count() > 2 && text.contains(said)
        }
    }
}

#[test]
fn no_answer_stands_outside_its_fold_in_any_chapter() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut expander = Expander::new(tree);
    let mut found = Vec::new();
    for lesson in ALL {
        let path = tree.join(format!("book/src/lesson-{}.md", lesson.id));
        let chapter = std::fs::read_to_string(&path).expect("a lesson has a chapter");
        let page = directive::replace(&chapter, |directive| expander.expand(directive)).expect("no faults");
        let seen = closed(&page);
        assert!(!seen.contains("What happened:"), "{}", lesson.id);
        assert!(!seen.contains(lesson.misconception), "{}: the belief is in its fold", lesson.id);
        let early = lesson.cites.iter().filter(|cite| seen.contains(cite.what));
        found.extend(
            early.map(|cite| format!("{}: the citation '{}' is outside its fold", lesson.id, cite.what)),
        );
        let performance = lesson.play(&lesson.scenario());
        for (number, prediction) in performance.predictions.iter().enumerate() {
            if gives_away(&seen, prediction) {
                found.push(format!(
                    "{} {}: {}",
                    lesson.id,
                    number + 1,
                    prediction.in_words(&prediction.answer)
                ));
            }
            // And the folds of the other questions do not hold it either.
            let reason = figure::inline(&prediction.why);
            let folds = page
                .split("data-for=\"")
                .skip(1)
                .filter(|fold| fold.split("</details>").next().is_some_and(|fold| fold.contains(&reason)));
            let folds: Vec<&str> = folds.filter_map(|fold| fold.split('"').next()).collect();
            assert_eq!(folds[0], story::quiz_id(lesson.id, number), "{}: {reason}", lesson.id);
        }
    }
    assert!(found.is_empty(), "on the page before anything is opened:\n{}", found.join("\n"));
}

#[test]
fn what_is_read_before_the_lessons_shows_no_run_of_theirs() {
    for name in ["start", "reading"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("book/src/{name}.md"));
        let page = std::fs::read_to_string(path).expect("a page of the book");
        for lesson in ALL {
            assert!(!page.contains(&format!("#figure {}/", lesson.id)), "{name}: {}", lesson.id);
        }
    }
}

#[test]
fn an_answer_on_the_page_would_be_found() {
    let ask = |form, answer, why: &str| Prediction { question: String::new(), form, answer, why: why.into() };
    let frames =
        ask(Form::Number { unit: "frames".into() }, Answer::Number(3), "Each is padded to 60 bytes. So.");
    for text in ["It takes 3 frames.", "(three frames)", "because each is padded to 60 bytes"] {
        assert!(gives_away(text, &frames), "{text}");
    }
    assert!(!gives_away("13 frames, or 3 packets", &frames));
    let chosen = Form::Choice(vec!["it is sent again".into(), "nothing at all".into()]);
    let chosen = ask(chosen, Answer::Choice(1), "no");
    assert!(gives_away("It reads nothing at all.", &chosen) && !gives_away("it is sent again", &chosen));
    assert_eq!(closed("a<details x>b</details><p>c</p>").trim(), "a  c");
}

#[test]
fn a_lesson_with_exercises_names_them_in_its_chapter() {
    let chapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src");
    for exercise in exercises::ALL {
        let lesson = ALL.iter().find(|lesson| lesson.id == exercise.lesson).expect("a lesson");
        let chapter =
            std::fs::read_to_string(chapters.join(format!("lesson-{}.md", lesson.id))).expect("a chapter");
        assert!(chapter.contains(&format!("\n{{{{#lesson {} exercises}}}}\n", lesson.id)), "{}", exercise.id);
    }
}

#[test]
fn every_ladder_has_a_form_that_fits_a_telephone() {
    for lesson in ALL {
        let page = story::story(lesson, &lesson.play(&lesson.scenario()));
        for figure in page.split("<figure").skip(1).filter(|figure| figure.contains("-ladder")) {
            let (_, narrow) = figure.split_once("<div class=\"nl-narrow\">").expect("a narrow form");
            // An arrow that is lost ends in a cross; with many hosts a line names both ends.
            assert!(["►", "◄", "✗", "→"].iter().any(|end| narrow.contains(end)), "{}: {narrow}", lesson.id);
        }
    }
}

#[test]
fn what_a_lesson_says_cannot_become_markup() {
    assert_eq!(figure::inline("a < b & `c<d>`"), "a &lt; b &amp; <code>c&lt;d&gt;</code>");
    assert_eq!(figure::text("<x>\n\ny"), "<pre class=\"nl-text\">&lt;x&gt;&#10;&#10;y</pre>");
    let prediction = Prediction {
        question: "is 1 < 2?".into(),
        form: Form::Choice(vec!["<b>".into(), "no".into()]),
        answer: Answer::Choice(0),
        why: "a&b".into(),
    };
    let asked = quiz::question(&prediction, "q");
    assert!(asked.contains("is 1 &lt; 2?") && asked.contains("a) &lt;b&gt;"), "{asked}");
    assert!(asked.contains("type=\"radio\"") && !asked.contains("data-answer"), "{asked}");
    let fold = quiz::open_answer(&prediction, "q", &["q".into()], (1, 1));
    assert!(fold.contains("data-for=\"q\"") && fold.contains("data-answer=\"a\""), "{fold}");
    assert!(quiz::answer(&prediction).contains("a&amp;b"));
}

/// A text of the source tree.
fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_files_of_lessons_and_exercises_begin_with_the_number_that_they_have() {
    for lesson in ALL {
        let folder = format!("src/lessons/{}/mod.rs", lesson.id);
        let file = format!("src/lessons/{}.rs", lesson.id);
        let text = source(if Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).exists() {
            &folder
        } else {
            &file
        });
        assert!(text.starts_with(&format!("//! Lesson {}: ", lesson.number())), "{}", lesson.id);
    }
    for exercise in exercises::ALL {
        let (number, folder) = (exercise.number(), format!("src/lessons/exercises/{}", exercise.id));
        for (file, expected) in [
            ("mod.rs", format!("Exercise of lesson {number}: ")),
            ("starter.rs", format!("Exercise of lesson {number}: ")),
            ("starter.py", format!("Exercise of lesson {number}: ")),
            ("starter.mjs", format!("Exercise of lesson {number}: ")),
            ("solution.rs", format!("A solution of lesson {number}'s exercise: ")),
            ("solution.py", format!("A solution of lesson {number}'s exercise: ")),
            ("solution.mjs", format!("A solution of lesson {number}'s exercise: ")),
        ] {
            assert!(source(&format!("{folder}/{file}")).contains(&expected), "{folder}/{file}: {expected}");
        }
    }
}

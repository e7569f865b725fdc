//! Every lesson as pages: whatever a lesson says, asks and shows has its form in the book.

use super::{figure, quiz, story};
use crate::lessons::ALL;
use crate::lessons::beat::{Answer, Beat, Form, Prediction};

#[test]
fn every_question_of_every_lesson_has_one_answer_on_its_page() {
    for lesson in ALL {
        let performance = lesson.play(&lesson.scenario());
        let page = story::story(&performance);
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

#[test]
fn no_answer_is_on_the_page_before_it_is_opened() {
    for lesson in ALL {
        let performance = lesson.play(&lesson.scenario());
        let mut closed = story::story(&performance);
        while let (Some(start), Some(end)) = (closed.find("<details"), closed.find("</details>")) {
            closed.replace_range(start..end + "</details>".len(), "");
        }
        assert!(!closed.contains("What happened:"), "{}: {closed}", lesson.id);
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
    assert!(asked.contains("data-answer=\"a\"") && asked.contains("type=\"radio\""), "{asked}");
    assert!(quiz::answer(&prediction).contains("a&amp;b"));
}

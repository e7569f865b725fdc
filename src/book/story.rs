//! A lesson as a page: its beats in order. What answers a question stays closed until the reader opens it.

use super::{figure, quiz};
use crate::lessons::beat::Beat;
use crate::lessons::{Lesson, Performance};

/// The whole story.
pub fn story(performance: &Performance) -> String {
    let mut page = String::new();
    // Questions that were asked and not answered yet; and whether an answer is open on the page.
    let (mut asked, mut open) = (0_usize, false);
    for beat in &performance.beats {
        let begins_something = matches!(
            beat,
            Beat::Ask { .. }
                | Beat::Scene { .. }
                | Beat::Say { .. }
                | Beat::Instead { .. }
                | Beat::Try { .. }
        );
        if open && asked == 0 && begins_something {
            page.push_str(quiz::close_answer());
            open = false;
        }
        match beat {
            Beat::Ask { prediction } => {
                if open {
                    // Another question before the first is answered: both are answered behind the second.
                    page.push_str(quiz::close_answer());
                }
                let id = quiz_id(performance.lesson, *prediction);
                page.push_str(&quiz::question(&performance.predictions[*prediction], &id));
                page.push_str(&quiz::open_answer(&id));
                (asked, open) = (asked + 1, true);
            }
            Beat::Reveal { prediction } => {
                page.push_str(&quiz::answer(&performance.predictions[*prediction]));
                asked = asked.saturating_sub(1);
            }
            // Inside an answer a heading would be in the table of contents and not on the page.
            Beat::Scene { id, title } if open => {
                page.push_str(&format!(
                    "<p class=\"nl-scene\" id=\"{}-{id}\">{}</p>\n",
                    performance.lesson.id,
                    figure::inline(title)
                ));
            }
            Beat::Show { picture } => {
                page.push_str(&figure::figure(picture, &picture_id(performance.lesson, &picture.id)));
            }
            other => page.push_str(&simple(performance, other)),
        }
        page.push('\n');
    }
    if open {
        page.push_str(quiz::close_answer());
    }
    page
}

/// One beat that needs no answer.
fn simple(performance: &Performance, beat: &Beat) -> String {
    match beat {
        Beat::Scene { id, title } => {
            format!("## {} {{#{}-{id}}}\n", figure::inline(title), performance.lesson.id)
        }
        Beat::Say { text } => format!("<p>{}</p>\n", figure::inline(text)),
        Beat::Check { claim, .. } => format!("<p class=\"nl-check\">✔ {}</p>\n", figure::inline(claim)),
        Beat::Instead { text } => format!(
            "<blockquote><p>Many think: “{}”.</p><p>The run says: {}</p></blockquote>\n",
            figure::inline(performance.lesson.misconception),
            figure::inline(text)
        ),
        Beat::Try { command, what } => format!(
            "<p class=\"nl-try\">Try: <code>{}</code><br>{}</p>\n",
            crate::view::svg::escape(command),
            figure::inline(what)
        ),
        Beat::Show { .. } | Beat::Ask { .. } | Beat::Reveal { .. } => String::new(),
    }
}

/// The id of a question.
pub fn quiz_id(lesson: &Lesson, prediction: usize) -> String {
    format!("quiz-{}-{}", lesson.id, prediction + 1)
}

/// The id of a picture.
pub fn picture_id(lesson: &Lesson, picture: &str) -> String {
    format!("fig-{}-{}", lesson.id, picture.replace('/', "-"))
}

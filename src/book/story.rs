//! A lesson as a page: its beats in order. What answers a question stays closed until the reader opens it.

use super::{figure, quiz};
use crate::lessons::Performance;
use crate::lessons::beat::Beat;

/// The whole story of a lesson, as Markdown.
pub fn story(performance: &Performance) -> String {
    let mut page = String::new();
    // Questions whose answer is not on the page yet; those asked just now; and whether an answer is open.
    let (mut unanswered, mut asked, mut open) = (0_usize, Vec::new(), false);
    for beat in &performance.beats {
        let is_question = matches!(beat, Beat::Ask { .. });
        let begins_something =
            matches!(beat, Beat::Scene { .. } | Beat::Say { .. } | Beat::Instead { .. } | Beat::Try { .. });
        if open && (is_question || unanswered == 0 && begins_something) {
            page.push_str(quiz::close_answer());
            open = false;
        }
        // Questions that are asked together are answered together.
        if !is_question && !asked.is_empty() {
            page.push_str(&quiz::open_answer(&std::mem::take(&mut asked)));
            open = true;
        }
        match beat {
            Beat::Ask { prediction } => {
                let id = quiz_id(performance.scenario.id, *prediction);
                page.push_str(&quiz::question(&performance.predictions[*prediction], &id));
                asked.push(id);
                unanswered += 1;
            }
            Beat::Reveal { prediction } => {
                page.push_str(&quiz::answer(&performance.predictions[*prediction]));
                unanswered = unanswered.saturating_sub(1);
            }
            // Inside an answer a heading would be in the table of contents and not on the page.
            Beat::Scene { id, title } if open => {
                page.push_str(&format!(
                    "<p class=\"nl-scene\" id=\"{}-{id}\">{}</p>\n",
                    performance.scenario.id,
                    figure::inline(title)
                ));
            }
            Beat::Show { picture } => {
                page.push_str(&figure::figure(picture, &picture_id(performance.scenario.id, &picture.id)));
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
            format!("## {} {{#{}-{id}}}\n", figure::inline(title), performance.scenario.id)
        }
        Beat::Say { text } => format!("<p>{}</p>\n", figure::inline(text)),
        Beat::Check { claim, .. } => format!("<p class=\"nl-check\">✔ {}</p>\n", figure::inline(claim)),
        Beat::Instead { believed, text } => format!(
            "<blockquote><p>Many think: “{}”.</p><p>The run says: {}</p></blockquote>\n",
            figure::inline(believed),
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
pub fn quiz_id(lesson: &str, prediction: usize) -> String {
    format!("quiz-{lesson}-{}", prediction + 1)
}

/// The id of a picture.
pub fn picture_id(lesson: &str, picture: &str) -> String {
    format!("fig-{lesson}-{}", picture.replace('/', "-"))
}

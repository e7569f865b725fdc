//! A lesson as a page: its beats in order. Behind a question everything is folded, text and tables too, until the reader
//! opens the answer; only what leads in to the next question ([`Beat::Say`]) stays open.
//!
//! Each question has a fold of its own. Of questions that are asked together, the first fold shows the run, and every
//! fold the answer to its question. At the end, as in the terminal: what many believe, what to try, where to read on.

use super::{figure, quiz};
use crate::lessons::Performance;
use crate::lessons::beat::Beat;
use crate::lessons::lesson::Lesson;

/// The whole story.
pub fn story(lesson: &Lesson, performance: &Performance) -> String {
    let mut story = Story { performance, page: String::new(), waiting: Vec::new(), together: 0, open: false };
    for (at, beat) in performance.beats.iter().enumerate() {
        story.beat(at, beat);
    }
    story.close();
    story.page.push_str(&read_on(lesson));
    story.page
}

struct Story<'a> {
    performance: &'a Performance,
    page: String,
    /// Questions that are asked and not answered yet.
    waiting: Vec<usize>,
    /// How many questions were asked together before the run that answers them.
    together: usize,
    /// Whether a fold is open.
    open: bool,
}

impl Story<'_> {
    fn beat(&mut self, at: usize, beat: &Beat) {
        match beat {
            Beat::Ask { prediction } => {
                self.close();
                let id = quiz_id(self.performance.scenario.id, *prediction);
                self.page.push_str(&quiz::question(&self.performance.predictions[*prediction], &id));
                self.waiting.push(*prediction);
                self.together = self.waiting.len();
            }
            Beat::Say { leads_in: true, .. } if self.waiting.is_empty() => {
                self.close();
                self.page.push_str(&simple(self.performance, beat));
            }
            // They answer the whole lesson: behind the questions, and with a fold of its own for the belief.
            Beat::Instead { .. } | Beat::Try { .. } => {
                self.close();
                self.page.push_str(&simple(self.performance, beat));
            }
            Beat::Reveal { prediction } => {
                self.gate(at);
                self.page.push_str(&quiz::answer(&self.performance.predictions[*prediction]));
                self.waiting.retain(|other| other != prediction);
                if !self.waiting.is_empty() {
                    self.close();
                }
            }
            other => {
                self.gate(at);
                self.folded(other);
            }
        }
        self.page.push('\n');
    }

    /// A beat that may be inside a fold.
    fn folded(&mut self, beat: &Beat) {
        let lesson = self.performance.scenario.id;
        match beat {
            // Inside an answer a heading would be in the table of contents and not on the page.
            Beat::Scene { id, title } if self.open => {
                let title = figure::inline(title);
                self.page.push_str(&format!("<p class=\"nl-scene\" id=\"{lesson}-{id}\">{title}</p>\n"));
            }
            Beat::Show { picture } => {
                self.page.push_str(&figure::figure(picture, &picture_id(lesson, &picture.id)));
            }
            other => self.page.push_str(&simple(self.performance, other)),
        }
    }

    /// Once a question has been asked, what follows is folded: opens the fold of the question that is answered next.
    fn gate(&mut self, at: usize) {
        if self.open || self.together == 0 {
            return;
        }
        let next = self.performance.beats[at..].iter().find_map(|beat| match beat {
            Beat::Reveal { prediction } if self.waiting.contains(prediction) => Some(*prediction),
            _ => None,
        });
        let Some(next) = next else { return };
        let ids: Vec<String> =
            self.waiting.iter().map(|other| quiz_id(self.performance.scenario.id, *other)).collect();
        let prediction = &self.performance.predictions[next];
        let of = (1 + self.together - self.waiting.len(), self.together);
        self.page.push_str(&quiz::open_answer(
            prediction,
            &quiz_id(self.performance.scenario.id, next),
            &ids,
            of,
        ));
        self.open = true;
    }

    fn close(&mut self) {
        if self.open {
            self.page.push_str(quiz::close_answer());
            self.open = false;
        }
    }
}

/// One beat that needs no answer.
fn simple(performance: &Performance, beat: &Beat) -> String {
    match beat {
        Beat::Scene { id, title } => {
            format!("## {} {{#{}-{id}}}\n", figure::inline(title), performance.scenario.id)
        }
        Beat::Say { text, .. } => format!("<p>{}</p>\n", figure::inline(text)),
        Beat::Check { claim, .. } => format!("<p class=\"nl-check\">✔ {}</p>\n", figure::inline(claim)),
        Beat::Instead { believed, text } => format!(
            "<details class=\"nl-answer nl-instead\"><summary>Many think: “{}”. What does the run say?</summary>\
             <p>{}</p></details>\n",
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

/// Where to read on. It is the last word: a citation may say what a question asks.
fn read_on(lesson: &Lesson) -> String {
    let cites: Vec<String> =
        lesson.cites.iter().map(|cite| format!("<li>{}</li>", figure::inline(&cite.to_string()))).collect();
    format!(
        "<details class=\"nl-answer nl-read\"><summary>Where to read on</summary><ul>{}</ul></details>\n\n",
        cites.concat()
    )
}

/// The id of a question.
pub(super) fn quiz_id(lesson: &str, prediction: usize) -> String {
    format!("quiz-{lesson}-{}", prediction + 1)
}

/// The id of a picture.
pub(super) fn picture_id(lesson: &str, picture: &str) -> String {
    format!("fig-{lesson}-{}", picture.replace('/', "-"))
}

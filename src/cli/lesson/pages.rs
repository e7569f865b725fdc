//! The pages of a lesson: what of its story is on the screen at once.
//!
//! A page ends where new text follows something to look at, where a question is asked, and where the screen
//! is full. What fits a screen is not cut.

use crate::cli::output::next;
use crate::cli::output::pages::{Page, Pages, Screen};
use crate::lessons::beat::{Answer, Beat};
use crate::lessons::render::text;
use crate::lessons::{ALL, Lesson, Performance};
use crate::view::look::Look;
use crate::view::sheet::{Line, Sheet, Tone};

/// How a story is cut into pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The screen; without one, a page is as long as it gets.
    pub(super) screen: Option<Screen>,
    /// Whether a question ends a page, to be answered there.
    pub(super) asks: bool,
    /// Whether the notes for teachers are shown, too.
    pub(super) teacher: bool,
}

/// All pages, with what was predicted so far.
pub(super) fn pages(
    lesson: &Lesson,
    performance: &Performance,
    guesses: &[Option<Answer>],
    cut: Cut,
    look: &Look,
) -> Vec<Page> {
    let Cut { screen, asks, teacher } = cut;
    let mut book = Pages::new(screen);
    book.print(
        text::opening(lesson, look).into_iter().flat_map(|line| line.folded(look.columns(), 2)).collect(),
        0,
    );
    let mut before: Option<&Beat> = None;
    for (number, beat) in performance.beats.iter().enumerate() {
        if screen.is_some() && before.is_some_and(|before| is_a_step(before, beat)) {
            book.turn();
        }
        let together = |beat: &Beat| matches!(beat, Beat::Check { .. } | Beat::Try { .. });
        if !(together(beat) && before.is_some_and(together)) {
            book.gap(number);
        }
        let guess = match beat {
            Beat::Reveal { prediction } => guesses[*prediction].as_ref(),
            _ => None,
        };
        book.print(text::beat(performance, beat, guess, look), number);
        if let (Beat::Ask { prediction }, true) = (beat, asks) {
            book.ask(*prediction);
        }
        before = Some(beat);
    }
    let last = performance.beats.len();
    book.gap(last);
    let notes = if teacher { notes(lesson, look) } else { String::new() };
    let foot = Sheet::of(notes + &text::foot(lesson, &performance.scenario, look), Tone::Plain);
    let next = next_line(lesson).folded(look.columns(), 2);
    book.print(foot.into_iter().chain(next).collect(), last);
    book.finish()
}

/// What to type after the lesson.
fn next_line(lesson: &Lesson) -> Line {
    match ALL.iter().find(|next| next.number() > lesson.number()) {
        Some(after) => next(&after.command(), after.title),
        None => next("netlayers", "the course, and your progress"),
    }
}

/// Whether a reader should have time between two beats: after something to look at, before something new is said.
fn is_a_step(before: &Beat, next: &Beat) -> bool {
    let seen = matches!(before, Beat::Show { .. } | Beat::Check { .. } | Beat::Reveal { .. });
    let new = matches!(
        next,
        Beat::Say { .. } | Beat::Scene { .. } | Beat::Show { .. } | Beat::Ask { .. } | Beat::Instead { .. }
    );
    seen && new
}

/// What a teacher needs beside the story.
fn notes(lesson: &Lesson, look: &Look) -> String {
    let mut notes = text::lines("to vote on: ", lesson.teacher.vote, look);
    for choice in lesson.teacher.choices {
        notes.push_str(&text::lines("  - ", choice, look));
    }
    notes.push_str(&text::lines("if the run surprises: ", lesson.teacher.surprise, look));
    notes
}

//! The pages of a lesson: what of its story is on the screen at once.
//!
//! A page ends where new text follows something to look at, where a question is asked, and where the screen
//! is full. What fits a screen is not cut.

use crate::lessons::beat::{Answer, Beat};
use crate::lessons::render::text;
use crate::lessons::{Lesson, Performance};
use crate::view::look::Look;
use crate::view::sheet::{Line, Sheet, Tone};

/// What is on the screen at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The page's lines.
    pub(super) sheet: Sheet,
    /// The beat that it begins with, or goes on with.
    pub(super) first_beat: usize,
    /// The question that it ends with.
    pub(super) asks: Option<usize>,
}

/// How a story is cut into pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Rows of the screen; without any, a page is as long as it gets.
    pub(super) rows: Option<usize>,
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
    let Cut { rows, asks, teacher } = cut;
    let mut book = Pages { done: Vec::new(), page: Page::default(), used: 0, rows };
    book.print(text::opening(lesson, look), 0);
    let mut before: Option<&Beat> = None;
    for (number, beat) in performance.beats.iter().enumerate() {
        if rows.is_some() && before.is_some_and(|before| is_a_step(before, beat)) {
            book.turn();
        }
        // A new screen needs no blank line at its top.
        let together = |beat: &Beat| matches!(beat, Beat::Check { .. } | Beat::Try { .. });
        if book.used > 0 && !(together(beat) && before.is_some_and(together)) {
            book.line(Line::new(), number);
        }
        let guess = match beat {
            Beat::Reveal { prediction } => guesses[*prediction].as_ref(),
            _ => None,
        };
        book.print(text::beat(performance, beat, guess, look), number);
        if let (Beat::Ask { prediction }, true) = (beat, asks) {
            book.page.asks = Some(*prediction);
            book.turn();
        }
        before = Some(beat);
    }
    let last = performance.beats.len();
    book.line(Line::new(), last);
    if teacher {
        book.print(Sheet::of(notes(lesson, look), Tone::Plain), last);
    }
    let foot = text::foot(lesson, &performance.scenario, look);
    book.print(Sheet::of(foot, Tone::Plain), last);
    book.turn();
    book.done
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

struct Pages {
    done: Vec<Page>,
    page: Page,
    /// Lines on the page so far.
    used: usize,
    rows: Option<usize>,
}

impl Pages {
    fn print(&mut self, told: Sheet, beat: usize) {
        let lines = told.height();
        // What fits on a screen is not cut: it begins on a new one.
        if self.rows.is_some_and(|rows| self.used > 0 && self.used + lines > rows && lines <= rows) {
            self.turn();
        }
        told.into_iter().for_each(|line| self.line(line, beat));
    }

    fn line(&mut self, line: Line, beat: usize) {
        if self.rows.is_some_and(|rows| self.used >= rows) {
            self.turn();
        }
        if self.used == 0 {
            self.page.first_beat = beat;
        }
        self.page.sheet.push(line);
        self.used += 1;
    }

    /// Ends the page, if there is something on it.
    fn turn(&mut self) {
        if self.used > 0 {
            self.done.push(std::mem::take(&mut self.page));
            self.used = 0;
        }
    }
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

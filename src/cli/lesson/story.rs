//! A lesson told on a terminal, page by page: it stops where a screen is full and for a prediction, goes back, and
//! leaves when asked. What has been reached is kept, so that the lesson goes on there next time.
//!
//! Off a terminal, or with `--answer` or `--skip`, no question waits for an answer; without a terminal nothing waits.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::args::LessonArgs;
use super::pages::{Cut, Page, pages};
use crate::cli::error::CliError;
use crate::cli::logbook::{self, Place};
use crate::cli::output::Output;
use crate::lessons::beat::{Answer, Match, Prediction};
use crate::lessons::{ALL, Lesson, Performance};
use crate::view::look::escape;

/// Tells the story of a lesson that has been played.
pub(super) fn tell(
    lesson: &'static Lesson,
    performance: &Performance,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    let somebody = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut teller = Teller {
        lesson,
        performance,
        asks: somebody && !args.skip && args.answer.is_empty(),
        pauses: somebody && !args.no_pause,
        keeps: somebody && !args.no_pause,
        teacher: args.teacher,
        guesses: given(performance, &args.answer)?,
        before: Place::default(),
    };
    if teller.pauses && !args.from_start {
        teller.before = logbook::place(lesson.id, &performance.scenario.to_string()).unwrap_or_default();
    }
    let end = teller.tell(out, &mut read_line)?;
    match end {
        End::Left { .. } => return Ok(()),
        End::Told if somebody || !args.answer.is_empty() => {
            logbook::finish_lesson(lesson.id, teller.predicted(), teller.as_predicted());
        }
        End::Told => {}
    }
    let next = ALL.iter().find(|next| next.number > lesson.number);
    out.line(match next {
        Some(next) => format!("next: {}    {}", out.look.bold(&next.command()), next.title),
        None => format!("next: {}    the course, and your progress", out.look.bold("netlayers")),
    })
}

/// For each question, what was predicted on the command line, read and checked.
fn given(performance: &Performance, answers: &[String]) -> Result<Vec<Option<Answer>>, CliError> {
    let asked = performance.predictions.len();
    if answers.len() > asked {
        let questions = if asked == 1 { "one question".into() } else { format!("{asked} questions") };
        return Err(CliError::Usage(format!(
            "--answer was given {} times, but the lesson asks {questions}",
            answers.len()
        )));
    }
    let read = |(prediction, answer): (&Prediction, &String)| {
        prediction.read(answer).map_err(|expected| {
            CliError::Usage(format!(
                "--answer '{}': {expected}, for: {}",
                escape(answer),
                prediction.question
            ))
        })
    };
    let read: Result<Vec<Answer>, CliError> = performance.predictions.iter().zip(answers).map(read).collect();
    let mut given: Vec<Option<Answer>> = read?.into_iter().map(Some).collect();
    given.resize(asked, None);
    Ok(given)
}

/// Reads a line from the keyboard; `None` at the end of the input.
pub(super) type Keyboard<'a> = &'a mut dyn FnMut() -> Result<Option<String>, CliError>;

fn read_line() -> Result<Option<String>, CliError> {
    let mut typed = String::new();
    let read = io::stdin().lock().read_line(&mut typed);
    match read.map_err(|error| CliError::io("reading the keyboard", &error))? {
        0 => Ok(None),
        _ => Ok(Some(typed)),
    }
}

/// How the telling ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the story.
    Told,
    /// Before it, at this page, counted from 1.
    Left { page: usize },
}

/// What the student typed at the end of a page.
enum Turn {
    On,
    Back,
    Leave,
}

pub(super) struct Teller<'a> {
    pub(super) lesson: &'static Lesson,
    pub(super) performance: &'a Performance,
    pub(super) asks: bool,
    pub(super) pauses: bool,
    /// Keeps how far it came, in this user's data.
    pub(super) keeps: bool,
    pub(super) teacher: bool,
    /// What was predicted, for each question.
    pub(super) guesses: Vec<Option<Answer>>,
    /// How far an earlier telling came.
    pub(super) before: Place,
}

impl Teller<'_> {
    /// Tells the story to its end, or until the student leaves.
    pub(super) fn tell(&mut self, out: &mut Output, keyboard: Keyboard<'_>) -> Result<End, CliError> {
        let (first, pages) = (self.before.beat as usize, self.pages(out));
        let reached = pages.iter().rposition(|page| page.first_beat <= first).filter(|_| first > 0);
        let mut number = reached.unwrap_or(0);
        if number > 0 {
            let all = pages.len();
            let going_on = format!(
                "(going on at page {} of {all}, where you left; --from-start starts over)",
                number + 1
            );
            out.line(out.look.faint(&going_on))?;
            out.line("")?;
        }
        loop {
            let pages = self.pages(out);
            // With a prediction more or less there may be a page less.
            number = number.min(pages.len() - 1);
            let (page, is_last) = (&pages[number], number + 1 == pages.len());
            out.sheet(&page.sheet)?;
            if self.keeps && !is_last {
                self.keep(page);
            }
            let turn = match page.asks {
                Some(prediction) => self.predict(prediction, number > 0, out, keyboard)?,
                None if is_last => Turn::On,
                None => self.pause(number, pages.len(), out, keyboard)?,
            };
            match turn {
                Turn::On if is_last => return Ok(End::Told),
                Turn::On => number += 1,
                Turn::Back => number = number.saturating_sub(1),
                Turn::Leave => {
                    out.line(format!(
                        "left at page {} of {}: {} goes on there",
                        number + 1,
                        pages.len(),
                        out.look.bold(&self.command())
                    ))?;
                    return Ok(End::Left { page: number + 1 });
                }
            }
        }
    }

    /// The command that tells the same story.
    fn command(&self) -> String {
        let scenario = &self.performance.scenario;
        match *scenario == self.lesson.scenario() {
            true => self.lesson.command(),
            false => format!("netlayers lesson --scenario \"{scenario}\""),
        }
    }

    fn pages(&self, out: &Output) -> Vec<Page> {
        let rows = self.pauses.then(|| out.rows());
        let cut = Cut { rows, asks: self.asks, teacher: self.teacher };
        pages(self.lesson, self.performance, &self.guesses, cut, &out.look)
    }

    /// How many predictions were made, now and before an interruption.
    pub(super) fn predicted(&self) -> usize {
        (self.before.predicted as usize + self.guesses.iter().flatten().count()).min(self.guesses.len())
    }

    /// How many of them were what happened.
    pub(super) fn as_predicted(&self) -> usize {
        let right = |(guess, asked): &(&Option<Answer>, &Prediction)| {
            guess.as_ref().is_some_and(|guess| asked.compare(guess) == Match::Same)
        };
        let now = self.guesses.iter().zip(&self.performance.predictions).filter(right).count();
        (self.before.as_predicted as usize + now).min(self.guesses.len())
    }

    /// Keeps how far it came.
    fn keep(&self, page: &Page) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        logbook::keep_place(
            self.lesson.id,
            Place {
                scenario: self.performance.scenario.to_string(),
                beat: count(page.first_beat),
                predicted: count(self.predicted()),
                as_predicted: count(self.as_predicted()),
            },
        );
    }

    /// A prediction, if there is one to be had.
    fn predict(
        &mut self,
        prediction: usize,
        can_go_back: bool,
        out: &mut Output,
        keyboard: Keyboard<'_>,
    ) -> Result<Turn, CliError> {
        let asked = &self.performance.predictions[prediction];
        loop {
            out.text("your prediction (Enter alone to go on without one): ")?;
            let Some(typed) = ask(out, keyboard)? else { return Ok(Turn::Leave) };
            match typed.trim() {
                "" => return Ok(Turn::On),
                "q" | "quit" => return Ok(Turn::Leave),
                "<" | "back" if can_go_back => return Ok(Turn::Back),
                typed => match asked.read(typed) {
                    Ok(answer) => {
                        self.guesses[prediction] = Some(answer);
                        return Ok(Turn::On);
                    }
                    Err(expected) => out.line(format!("{expected}; or: q leaves, < goes back"))?,
                },
            }
        }
    }

    fn pause(
        &self,
        number: usize,
        all: usize,
        out: &mut Output,
        keyboard: Keyboard<'_>,
    ) -> Result<Turn, CliError> {
        if !self.pauses {
            return Ok(Turn::On);
        }
        let back = if number > 0 { ", b back" } else { "" };
        loop {
            let line = format!("-- {} of {all}: Enter to go on{back}, q to leave --", number + 1);
            out.text(out.look.faint(&line))?;
            let Some(typed) = ask(out, keyboard)? else { return Ok(Turn::Leave) };
            match typed.trim() {
                "" => return Ok(Turn::On),
                "q" | "quit" => return Ok(Turn::Leave),
                "b" | "back" | "<" if number > 0 => return Ok(Turn::Back),
                _ => {}
            }
        }
    }
}

fn ask(out: &mut Output, keyboard: Keyboard<'_>) -> Result<Option<String>, CliError> {
    out.flush()?;
    let typed = keyboard()?;
    if typed.is_none() {
        out.line("")?;
    }
    Ok(typed)
}

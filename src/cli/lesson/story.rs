//! A lesson told on a terminal, page by page: it stops where a screen is full and for a prediction, goes back, and
//! leaves when asked. What has been reached is kept, so that the lesson goes on there next time.
//!
//! Off a terminal, or with `--answer` or `--skip`, no question waits for an answer; without a terminal nothing waits.

use super::args::LessonArgs;
use super::pages::{Cut, pages};
use crate::cli::error::CliError;
use crate::cli::logbook::{self, Place};
use crate::cli::output::Output;
use crate::cli::output::pager::{Turn, pause, rule};
use crate::cli::output::pages::Page;
use crate::lessons::beat::{Answer, Match, Prediction};
use crate::lessons::{Lesson, Performance};
use crate::view::look::escape;
use crate::view::sheet::{Line, Tone, width};

/// Tells the story of a lesson that has been played.
pub(super) fn tell(
    lesson: &'static Lesson,
    performance: &Performance,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    let somebody = out.has_somebody();
    let mut teller = Teller {
        lesson,
        performance,
        asks: somebody && !args.skip && args.answer.is_empty(),
        pauses: out.pauses(),
        keeps: out.pauses(),
        teacher: args.teacher,
        guesses: given(performance, &args.answer)?,
        before: Place::default(),
    };
    if teller.pauses && !args.from_start {
        teller.before = logbook::place(lesson.id, &performance.scenario.to_string()).unwrap_or_default();
    }
    let end = teller.tell(out)?;
    match end {
        End::Left { .. } => {}
        End::Told if somebody || !args.answer.is_empty() => {
            logbook::finish_lesson(lesson.id, teller.predicted(), teller.as_predicted());
        }
        End::Told => {}
    }
    Ok(())
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

/// How the telling ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the story.
    Told,
    /// Before it, at this page, counted from 1.
    Left { page: usize },
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
    pub(super) fn tell(&mut self, out: &mut Output) -> Result<End, CliError> {
        let mut number = match self.before.beat as usize {
            0 => 0,
            beat => page_of(&self.pages(out), beat),
        };
        let mut goes_on = number > 0;
        loop {
            let pages = self.pages(out);
            // With a prediction more or less there may be a page less.
            number = number.min(pages.len() - 1);
            let (page, is_last) = (&pages[number], number + 1 == pages.len());
            if number > 0 {
                let title = self.title(std::mem::take(&mut goes_on), out);
                out.sheet(&rule(&title, number, pages.len(), out).into())?;
            }
            out.sheet(&page.sheet)?;
            if self.keeps && !is_last {
                self.keep(page);
            }
            let turn = match page.asks {
                Some(prediction) => self.predict(prediction, number > 0, out)?,
                None if is_last || !self.pauses => Turn::On,
                None => pause(number, pages.len(), out)?,
            };
            match turn {
                Turn::On if is_last => return Ok(End::Told),
                Turn::On => number += 1,
                Turn::Back => number = number.saturating_sub(1),
                Turn::Leave => {
                    let left = format!("left at page {} of {}: ", number + 1, pages.len());
                    let left = Line::of(left, Tone::Plain).with(self.command(), Tone::Strong);
                    out.line(left.with(" goes on there", Tone::Plain))?;
                    return Ok(End::Left { page: number + 1 });
                }
            }
        }
    }

    /// What stands above a page: what it belongs to, or that the story goes on where it was left. As much as fits.
    fn title(&self, goes_on: bool, out: &Output) -> String {
        let short = format!("lesson {}", self.lesson.number());
        let titles = match goes_on {
            true => [
                format!("{short} goes on where you left; --from-start starts over"),
                format!("{short} goes on"),
            ],
            false => [format!("{short}: {}", self.lesson.title), short],
        };
        let [long, short] = titles;
        if width(&long) + 20 <= out.look.columns() { long } else { short }
    }

    /// The command that tells the same story.
    fn command(&self) -> String {
        let scenario = &self.performance.scenario;
        match *scenario == self.lesson.scenario() {
            true => self.lesson.command(),
            false => format!("netlayers lesson --scenario \"{scenario}\""),
        }
    }

    fn pages(&self, out: &mut Output) -> Vec<Page> {
        let screen = out.screen();
        let screen = self.pauses.then_some(screen);
        let cut = Cut { screen, asks: self.asks, teacher: self.teacher };
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
                beat: count(page.first),
                predicted: count(self.predicted()),
                as_predicted: count(self.as_predicted()),
            },
        );
    }

    /// A prediction, if there is one to be had.
    fn predict(&mut self, prediction: usize, can_go_back: bool, out: &mut Output) -> Result<Turn, CliError> {
        let asked = &self.performance.predictions[prediction];
        let prompt = match out.look.columns() >= 60 {
            true => "your prediction (Enter alone to go on without one): ",
            false => "your prediction, or Enter: ",
        };
        loop {
            out.begin(Line::of(prompt, Tone::Plain))?;
            let Some(typed) = out.read_line()? else { return Ok(Turn::Leave) };
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
}

/// Where a story goes on that was left at this beat: at the page that begins with it, or else the last one before.
fn page_of(pages: &[Page], beat: usize) -> usize {
    let begins = pages.iter().position(|page| page.first == beat);
    begins.or_else(|| pages.iter().rposition(|page| page.first <= beat)).unwrap_or(0)
}

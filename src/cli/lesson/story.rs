//! A lesson told on a terminal: it stops for a prediction, and where a screen is full.
//!
//! Off a terminal, or with `--answer` or `--skip`, nobody is asked; without a terminal nothing waits.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, IsTerminal as _};

use super::args::LessonArgs;
use crate::cli::error::CliError;
use crate::cli::logbook;
use crate::cli::output::Output;
use crate::lessons::beat::{Answer, Beat, Match, Prediction};
use crate::lessons::render::text;
use crate::lessons::{ALL, Lesson, Performance};
use crate::view::look::escape;
use crate::view::sheet::{Sheet, Tone};

/// Tells the story of a lesson that has been played.
pub(super) fn tell(performance: &Performance, args: &LessonArgs, out: &mut Output) -> Result<(), CliError> {
    let somebody = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut teller = Teller {
        performance,
        given: given(performance, &args.answer)?,
        asks: somebody && !args.skip && args.answer.is_empty(),
        pauses: somebody && !args.no_pause,
        guesses: vec![None; performance.predictions.len()],
        used: 0,
        out,
    };
    teller.print(&text::head(performance.lesson))?;
    let mut before: Option<&Beat> = None;
    for beat in &performance.beats {
        if before.is_some_and(|before| is_a_step(before, beat)) {
            teller.pause()?;
        }
        teller.beat(beat, before)?;
        before = Some(beat);
    }
    teller.line("")?;
    if args.teacher {
        teller.print(&Sheet::of(teacher(performance.lesson, teller.out), Tone::Plain))?;
    }
    teller.print(&Sheet::of(text::foot(performance, &teller.out.look), Tone::Plain))?;
    if somebody || !args.answer.is_empty() {
        let guesses = std::mem::take(&mut teller.guesses);
        let right = |(guess, asked): &(&Option<Answer>, &Prediction)| {
            guess.as_ref().is_some_and(|guess| asked.compare(guess) == Match::Same)
        };
        let predicted = guesses.iter().flatten().count();
        let as_predicted = guesses.iter().zip(&performance.predictions).filter(right).count();
        logbook::finish_lesson(performance.lesson.id, predicted, as_predicted);
    }
    let next = ALL.iter().find(|lesson| lesson.number > performance.lesson.number);
    out.line(match next {
        Some(next) => format!("next: {}    {}", out.look.bold(&next.command()), next.title),
        None => format!("next: {}    the course, and your progress", out.look.bold("netlayers")),
    })
}

/// What was predicted on the command line, read and checked.
fn given(performance: &Performance, answers: &[String]) -> Result<VecDeque<Answer>, CliError> {
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
    performance.predictions.iter().zip(answers).map(read).collect()
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

struct Teller<'a> {
    performance: &'a Performance,
    /// Predictions from the command line that are still to be used.
    given: VecDeque<Answer>,
    asks: bool,
    pauses: bool,
    /// What was predicted, for each question.
    guesses: Vec<Option<Answer>>,
    /// Lines on the screen since the last pause.
    used: usize,
    out: &'a mut Output,
}

impl Teller<'_> {
    fn beat(&mut self, beat: &Beat, before: Option<&Beat>) -> Result<(), CliError> {
        let together = |beat: &Beat| matches!(beat, Beat::Check { .. } | Beat::Try { .. });
        // A new screen needs no blank line at its top.
        let begun = self.used > 0;
        if begun && !(together(beat) && before.is_some_and(together)) {
            self.line("")?;
        }
        let guess = match beat {
            Beat::Reveal { prediction } => self.guesses[*prediction].clone(),
            _ => None,
        };
        let told = text::beat(self.performance, beat, guess.as_ref(), &self.out.look);
        self.print(&told)?;
        if let Beat::Ask { prediction } = beat {
            self.guesses[*prediction] = self.predict(&self.performance.predictions[*prediction])?;
        }
        Ok(())
    }

    /// A prediction, if there is one to be had.
    fn predict(&mut self, prediction: &Prediction) -> Result<Option<Answer>, CliError> {
        if let Some(given) = self.given.pop_front() {
            return Ok(Some(given));
        }
        if !self.asks {
            return Ok(None);
        }
        loop {
            self.out.text("your prediction (Enter alone to go on without one): ")?;
            let Some(typed) = self.read_line()? else { return Ok(None) };
            if typed.trim().is_empty() {
                return Ok(None);
            }
            match prediction.read(&typed) {
                Ok(answer) => return Ok(Some(answer)),
                Err(expected) => self.line(expected)?,
            }
        }
    }

    /// Prints lines, and waits where the screen is full.
    fn print(&mut self, told: &Sheet) -> Result<(), CliError> {
        let rows = self.out.rows();
        let lines = told.height();
        // What fits on a screen is not cut: it begins on a new one.
        if self.pauses && self.used > 0 && self.used + lines > rows && lines <= rows {
            self.pause()?;
        }
        for line in told.lines() {
            if self.pauses && self.used >= rows {
                self.pause()?;
            }
            self.used += 1;
            self.out.sheet(&line.clone().into())?;
        }
        Ok(())
    }

    fn line(&mut self, text: impl AsRef<str>) -> Result<(), CliError> {
        self.used += 1;
        self.out.line(text)
    }

    fn pause(&mut self) -> Result<(), CliError> {
        if self.pauses {
            self.out.text(self.out.look.faint("-- Enter to go on --"))?;
            // Whoever ends the input will not press Enter again.
            self.pauses = self.read_line()?.is_some();
        }
        Ok(())
    }

    /// A line from the keyboard; `None` at the end of the input.
    fn read_line(&mut self) -> Result<Option<String>, CliError> {
        self.out.flush()?;
        self.used = 0;
        let mut typed = String::new();
        let read = io::stdin()
            .lock()
            .read_line(&mut typed)
            .map_err(|error| CliError::io("reading the keyboard", &error))?;
        if read == 0 {
            self.asks = false;
            self.out.line("")?;
            return Ok(None);
        }
        Ok(Some(typed))
    }
}

/// What a teacher needs beside the story.
fn teacher(lesson: &Lesson, out: &Output) -> String {
    let look = &out.look;
    let mut notes = text::lines("to vote on: ", lesson.teacher.vote, look);
    for choice in lesson.teacher.choices {
        notes.push_str(&text::lines("  - ", choice, look));
    }
    notes.push_str(&text::lines("if the run surprises: ", lesson.teacher.surprise, look));
    notes
}

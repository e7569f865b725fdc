//! `netlayers` alone: the course, the student's progress, and the next thing to type. All of it is seen at once on
//! 80x24, so the course is in two columns where there is room for them.

use super::error::CliError;
use super::lesson;
use super::logbook::{self, Logbook};
use super::output::Output;
use crate::lessons::ALL;
use crate::view::sheet::{Line, Tone};

/// The other commands, each with what one sees.
const COMMANDS: &[(&str, &str)] = &[
    ("netlayers compare \"hello, layers\"", "one message, three ways"),
    ("netlayers compare \"hello\" --loss 20% --seed 7", "the same over a lossy link"),
    ("netlayers explain MSS", "a word, with a picture"),
    ("netlayers decode 45000054...", "your own bytes, or a capture"),
    ("netlayers chat serve", "the chat, in your browser"),
    ("netlayers --help", "all commands"),
];

/// Columns from which on the course is in two of them.
const WIDE: usize = 72;

/// Prints the overview of the course.
pub(super) fn run(out: &mut Output) -> Result<(), CliError> {
    let progress = logbook::load();
    let look = out.look;
    out.in_pages();
    let name = Line::of("netlayers", Tone::Strong);
    out.line(name.with(": what happens to a message on its way through a network", Tone::Plain))?;
    out.line("")?;
    course(&progress, out)?;
    out.line("")?;
    for (command, what) in COMMANDS {
        let (command, what) = match look.width < WIDE {
            true => (format!("  {command}"), what.split_at(0).0),
            false => (format!("  {command:<46} "), *what),
        };
        out.line(Line::of(command, Tone::Plain).with(what, Tone::Faint))?;
    }
    out.line("")?;
    let next = lesson::next(&progress);
    out.next(&next.command(), next.title)
}

fn course(progress: &Logbook, out: &mut Output) -> Result<(), CliError> {
    let look = out.look;
    let finished = ALL.iter().filter(|lesson| progress.has_finished(lesson.id)).count();
    out.toned(Tone::Strong, format!("the course: {finished} of {} lessons finished", ALL.len()))?;
    let done = if look.ascii { "x" } else { "✔" };
    let rows: Vec<String> = ALL
        .iter()
        .map(|lesson| {
            let mark = if progress.has_finished(lesson.id) { done } else { " " };
            format!("{mark} {:>2}  {}", lesson.number(), lesson.title)
        })
        .collect();
    let more = if look.ascii { "..." } else { "…" };
    if look.width < WIDE {
        return rows.iter().try_for_each(|row| out.line(cut(row, look.columns(), more)));
    }
    let column = look.width / 2;
    let (left, right) = rows.split_at(rows.len().div_ceil(2));
    let left = left.iter().map(|row| cut(row, column - 2, more));
    let right = right.iter().map(|row| cut(row, column, more)).chain(std::iter::repeat(String::new()));
    left.zip(right).try_for_each(|(left, right)| out.line(format!("{left:<column$}{right}").trim_end()))
}

/// At most `width` characters of a title.
fn cut(title: &str, width: usize, more: &str) -> String {
    if title.chars().count() <= width {
        return title.to_owned();
    }
    let kept: String = title.chars().take(width - more.chars().count()).collect();
    kept.trim_end_matches([' ', ',']).to_owned() + more
}

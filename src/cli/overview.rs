//! `netlayers` alone: the course, how far somebody has come, and the next thing to type.

use super::error::CliError;
use super::lesson;
use super::logbook::{self, Logbook};
use super::output::Output;
use crate::lessons::ALL;

/// The other commands, each with what one sees.
const COMMANDS: &[(&str, &str)] = &[
    ("netlayers compare \"hello, layers\"", "one message, three ways"),
    ("netlayers compare \"hello\" --loss 20% --seed 7", "the same over a lossy link"),
    ("netlayers compare \"hello\" --wire real", "on this machine's own sockets"),
    ("netlayers explain MSS", "a word, with a picture"),
    ("netlayers compare \"hello\" --pcap run.pcapng", "for Wireshark"),
    ("netlayers decode 45000054...", "your own bytes, or a capture"),
];

/// Prints the overview.
pub(super) fn run(out: &mut Output) -> Result<(), CliError> {
    let progress = logbook::load();
    let look = out.look;
    out.line(format!("{}: what happens to a message on its way through a network", look.bold("netlayers")))?;
    out.line("")?;
    course(&progress, out)?;
    out.line("")?;
    for (command, what) in COMMANDS {
        out.line(format!("  {command:<46} {}", look.faint(what)).trim_end())?;
    }
    out.line("")?;
    let next = lesson::next(&progress);
    out.line(format!("next: {}    {}", look.bold(&next.command()), next.title))?;
    out.line("all commands: netlayers --help")
}

fn course(progress: &Logbook, out: &mut Output) -> Result<(), CliError> {
    let look = out.look;
    let finished = ALL.iter().filter(|lesson| progress.has_finished(lesson.id)).count();
    out.line(look.bold(&format!("the course: {finished} of {} lessons finished", ALL.len())))?;
    let done = if look.ascii { "x" } else { "✔" };
    for lesson in ALL {
        let mark = if progress.has_finished(lesson.id) { done } else { " " };
        let minutes = format!("{} min", lesson.minutes);
        out.line(format!(
            "{mark} {:>2}  {:<12} {:<47} {:>6}",
            lesson.number, lesson.id, lesson.title, minutes
        ))?;
    }
    Ok(())
}

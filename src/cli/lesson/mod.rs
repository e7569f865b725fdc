//! `netlayers lesson`: a lesson on a terminal, as pictures, as JSON, or on the operating system's own sockets.

mod args;
mod kernel;
mod pages;
mod pictures;
mod real;
mod story;
mod what_if;

#[cfg(test)]
mod tests;

pub(super) use args::LessonArgs;

use super::error::CliError;
use super::logbook::{self, Logbook};
use super::output::Output;
use super::pcap::{self, Written};
use super::what_if::{Asked, needs_sim, quietly};
use super::wire::WireChoice;
use crate::lessons::render::json::Document;
use crate::lessons::{ALL, Lesson, Performance, Scenario};
use crate::view::pcapng::PcapngOptions;

pub(super) fn run(args: &LessonArgs, out: &mut Output) -> Result<(), CliError> {
    let (lesson, mut scenario) = chosen(args)?;
    let asked = args.what_if.asked()?;
    if let Asked::Forks(forks) = &asked {
        scenario.what_if(args.scene.clone(), forks.clone());
    }
    if asked != Asked::Nothing || !scenario.forks().is_empty() {
        needs_sim(args.wire)?;
    }
    match args.wire {
        WireChoice::Sim => {}
        WireChoice::Real => return real::run(lesson, &scenario, args, out),
        WireChoice::Kernel => return kernel::run(lesson, &scenario, args, out),
    }
    if asked == Asked::All {
        return what_if::all(lesson, &scenario, args, out);
    }
    let forked = match scenario.forks() {
        [] => None,
        _ => Some(quietly(|| lesson.fork(&scenario)).map_err(CliError::Usage)?),
    };
    let performance = match &forked {
        Some(forked) => forked.after.clone(),
        None => lesson.play(&scenario),
    };
    if let Some(path) = &args.pcap
        && write_pcap(&performance, path, out)? == Written::Stdout
    {
        return Ok(());
    }
    if args.json {
        let text = serde_json::to_string_pretty(&Document { lesson, performance: &performance })
            .map_err(|error| CliError::Failed(format!("writing JSON: {error}")))?;
        return out.document(text + "\n");
    }
    if let Some(view) = args.view {
        return pictures::show(&performance, view, args, out);
    }
    match &forked {
        Some(forked) => what_if::tell(lesson, forked, out),
        None => story::tell(lesson, &performance, args, out),
    }
}

/// The lesson that the arguments name, with its knobs turned.
pub(super) fn chosen(args: &LessonArgs) -> Result<(&'static Lesson, Scenario), CliError> {
    let (lesson, mut scenario) = match (&args.scenario, &args.lesson) {
        (Some(line), _) => crate::lessons::scenario(line).map_err(CliError::Usage)?,
        (None, Some(name)) => {
            let lesson = find(name)?;
            (lesson, lesson.scenario())
        }
        (None, None) => {
            let lesson = next(&logbook::load());
            (lesson, lesson.scenario())
        }
    };
    for (name, value) in &args.knobs.0 {
        scenario.turn(name, value).map_err(CliError::Usage)?;
    }
    Ok((lesson, scenario))
}

/// The first lesson that is not finished; the first one of all, when all are.
pub(super) fn next(progress: &Logbook) -> &'static Lesson {
    ALL.iter().find(|lesson| !progress.has_finished(lesson.id)).unwrap_or(&ALL[0])
}

/// A lesson by number or name, or what may have been meant.
fn find(name: &str) -> Result<&'static Lesson, CliError> {
    if let Some(lesson) = crate::lessons::find(name) {
        return Ok(lesson);
    }
    let near = ALL.iter().map(|lesson| (strsim::levenshtein(lesson.id, name), lesson.id)).min();
    let meant = match near {
        // Half of the letters at least must be right, or every short name would do.
        Some((distance, id)) if distance <= (name.chars().count() / 2).min(3) => {
            format!("did you mean '{id}'?")
        }
        _ => {
            let known: Vec<String> =
                ALL.iter().map(|lesson| format!("{} {}", lesson.number(), lesson.id)).collect();
            format!("expected one of: {}", known.join(", "))
        }
    };
    Err(CliError::Usage(format!("there is no lesson '{}'; {meant}", crate::view::look::escape(name))))
}

fn write_pcap(
    performance: &Performance,
    path: &std::path::Path,
    out: &mut Output,
) -> Result<Written, CliError> {
    let traces: Vec<_> = performance.scenes.iter().map(|scene| scene.trace.as_ref()).collect();
    pcap::write(path, &traces, PcapngOptions { fcs: false }, out)
}

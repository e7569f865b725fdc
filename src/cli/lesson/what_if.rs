//! The other future of a lesson's scene, and which loss of it costs most.

use super::args::LessonArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::what_if::{in_words, quietly, show, title};
use crate::lessons::beat::{Answer, Form, Prediction};
use crate::lessons::fork::Forked;
use crate::lessons::render::text;
use crate::lessons::{Lesson, Scenario};
use crate::view::fork::Costs;
use crate::view::look::escape;
use crate::view::sheet::{Line, Tone};
use crate::view::table::table;

/// Shows both futures of a scene.
pub(super) fn tell(lesson: &'static Lesson, forked: &Forked, out: &mut Output) -> Result<(), CliError> {
    let Some(traces) = forked.traces() else {
        return Err(CliError::Failed(format!(
            "the scene '{}' is not played in the other future",
            forked.scene
        )));
    };
    out.in_pages();
    let scenario = &forked.after.scenario;
    let (number, scene) = (lesson.number(), &forked.scene);
    title(&format!("lesson {number}, {scene}: what if {}?", in_words(scenario.forks())), out)?;
    show(scenario.forks(), traces, false, out)?;
    if forked.ends_early {
        let told = "The lesson's script could not go on in the other future: the run ends where it left off.";
        out.line(text::lines("", told, &out.look).trim_end())?;
    }
    out.line("")?;
    out.line(format!("scenario: {scenario}"))?;
    out.next(&format!("netlayers lesson {number} --scene {scene} --what-if all"), "which loss costs most?")
}

/// Loses each frame of a scene in turn: asks which loss costs most, and tells.
pub(super) fn all(
    lesson: &'static Lesson,
    scenario: &Scenario,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    if args.view.is_some() || args.json || args.pcap.is_some() {
        return Err(CliError::Usage(
            "--what-if all is a table of many runs: expected no --view, --json or --pcap; one fork has them"
                .into(),
        ));
    }
    let (scene, run, losses) =
        quietly(|| lesson.losses(scenario, args.scene.as_deref())).map_err(CliError::Usage)?;
    let costs = Costs::of(&run, losses.iter().map(|loss| (loss.frame, loss.trace.as_ref())));
    let Some((costliest, _)) = costs.costliest() else {
        return out.line(format!("no frame is sent in the scene '{scene}': nothing can be lost"));
    };
    let asks = out.has_somebody() && !args.skip && args.answer.is_empty();
    if !asks {
        out.in_pages();
    }
    let number = lesson.number();
    title(&format!("lesson {number}, {scene}: one of these frames is lost"), out)?;
    out.line("")?;
    out.sheet(&table(run.whole(), &out.look))?;
    out.line("")?;
    let mut asked = Prediction {
        question: "Which loss costs most? Its frame's number:".into(),
        form: Form::Number { unit: String::new() },
        answer: Answer::Number(costliest),
        why: costs.in_words(),
    };
    out.sheet(&text::question(&asked, &out.look))?;
    let guess = match asks {
        true => predicted(&asked, losses.len() as u64, out)?,
        false => given(&asked, losses.len() as u64, &args.answer)?,
    };
    // Of several losses that cost the same, each is the costliest.
    if let Some(frame) = guess.filter(|frame| costs.is_costliest(*frame)) {
        asked.answer = Answer::Number(frame);
    }
    out.sheet(&text::answer(&asked, guess.map(Answer::Number).as_ref(), &out.look))?;
    out.line("")?;
    out.sheet(&costs.draw(&out.look))?;
    out.line("")?;
    out.line(format!("scenario: {}", scenario.without_forks()))?;
    let command = format!("netlayers lesson {number} --scene {scene} --what-if {costliest}=lost");
    out.next(&command, "see what it costs")
}

/// The prediction that is typed, if one is.
fn predicted(asked: &Prediction, last: u64, out: &mut Output) -> Result<Option<u64>, CliError> {
    loop {
        out.begin(Line::of("your prediction, or Enter: ", Tone::Plain))?;
        let Some(typed) = out.read_line()? else { return Ok(None) };
        if typed.trim().is_empty() {
            return Ok(None);
        }
        match frame(asked, last, &typed) {
            Ok(frame) => return Ok(Some(frame)),
            Err(expected) => out.line(expected)?,
        }
    }
}

/// The prediction that the command line brings.
fn given(asked: &Prediction, last: u64, answers: &[String]) -> Result<Option<u64>, CliError> {
    match answers {
        [] => Ok(None),
        [answer] => frame(asked, last, answer)
            .map(Some)
            .map_err(|expected| CliError::Usage(format!("--answer '{}': {expected}", escape(answer)))),
        several => Err(CliError::Usage(format!(
            "--answer was given {} times, but --what-if all asks one question",
            several.len()
        ))),
    }
}

fn frame(asked: &Prediction, last: u64, typed: &str) -> Result<u64, String> {
    match asked.read(typed)? {
        Answer::Number(frame) if (1..=last).contains(&frame) => Ok(frame),
        _ => Err(format!("expected the number of a frame, from 1 to {last}")),
    }
}

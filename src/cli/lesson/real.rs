//! A lesson's scene on the operating system's own sockets, with each difference explained.

use super::args::LessonArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::lessons::render::text;
use crate::lessons::{Lesson, RealScene, Scenario};
use crate::real::RealError;
use crate::real::compare::{RealKnobs, run as run_message};
use crate::real::scenes::{self, RealStory};
use crate::view::ladder;

/// Runs what the lesson names.
pub(super) fn run(
    lesson: &'static Lesson,
    scenario: &Scenario,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some(scene) = lesson.real else {
        return Err(CliError::Usage(format!(
            "lesson {} has no --wire real: the kernel does not show a program what it is about",
            lesson.number
        )));
    };
    if args.view.is_some() || args.json || args.pcap.is_some() {
        return Err(CliError::Usage(
            "--view, --json and --pcap need --wire sim: on real sockets a program sees no frame".into(),
        ));
    }
    let story = play(scene, scenario).map_err(|error| CliError::Failed(error.to_string()))?;
    let look = out.look;
    out.sheet(&text::head(lesson))?;
    out.line("")?;
    out.line("on this machine's own sockets, over 127.0.0.1; times as measured")?;
    out.line("")?;
    out.sheet(&ladder::single(&story.trace, &look))?;
    out.line("")?;
    for said in &story.said {
        out.text(text::lines("- ", said, &look))?;
    }
    out.line("")?;
    out.line(look.bold("where the simulation differs"))?;
    for difference in &story.differences {
        let text = format!(
            "{}: simulated {}, real {}; expected because {}",
            difference.what, difference.sim, difference.real, difference.because
        );
        out.text(text::lines("- ", &text, &look))?;
    }
    out.line("")?;
    out.line(format!("next: {}    the simulation of it", look.bold(&lesson.command())))
}

fn play(scene: RealScene, scenario: &Scenario) -> Result<RealStory, RealError> {
    let count = |knob| scenario.value(knob).and_then(|value| value.parse().ok()).unwrap_or(1);
    match scene {
        RealScene::Message(way) => {
            let text = scenario.value("text").unwrap_or("hello").to_owned();
            let real = run_message(way, text.into(), &RealKnobs::default())?;
            Ok(scenes::message(&real))
        }
        RealScene::ConnectBeforeAccept => scenes::connect_before_accept(),
        RealScene::BigDatagram => scenes::big_datagram(count("size")),
        RealScene::ManyClients => scenes::many_clients(count("clients")),
        RealScene::Datagrams => scenes::datagrams(),
        RealScene::LateRead => scenes::late_read(count("writes"), count("each")),
        RealScene::Upgrade => scenes::upgrade(),
        RealScene::Frames => scenes::frames(scenario.value("text").unwrap_or("Hello")),
        RealScene::Control => scenes::control(count("fragments")),
        RealScene::OneWrite => {
            scenes::one_write(count("size"), u16::try_from(count("mss")).unwrap_or(u16::MAX))
        }
    }
}

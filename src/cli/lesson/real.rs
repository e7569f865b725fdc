//! A lesson's scene on the operating system's own sockets, with each difference explained.
//!
//! A lesson knows no real socket and a real scene knows no lesson: here they meet, a line for each lesson that has a
//! counterpart there.

use super::args::LessonArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::lessons::render::text;
use crate::lessons::{Lesson, Scenario, bytes, control, fragments, frames, ports, segmentation, stream};
use crate::real::RealError;
use crate::real::compare::{RealKnobs, run as run_message};
use crate::real::scenes::{self, RealStory};
use crate::trace::Way;
use crate::view::ladder;
use crate::view::sheet::{Sheet, Tone};

/// A scene on real sockets, with the knobs that its lesson has.
type RealScene = fn(&Scenario) -> Result<RealStory, RealError>;

/// What real sockets show of a lesson, by the lesson's id.
const SCENES: &[(&str, RealScene)] = &[
    ("bytes", |knobs| {
        let real = run_message(Way::Udp, knobs.get(&bytes::TEXT).into(), &RealKnobs::default())?;
        Ok(scenes::message(&real))
    }),
    ("fragments", |knobs| scenes::big_datagram(knobs.get(&fragments::SIZE))),
    ("ports", |knobs| scenes::many_clients(knobs.get(&ports::CLIENTS))),
    ("udp", |_| scenes::datagrams()),
    ("stream", |knobs| scenes::late_read(knobs.get(&stream::WRITES), knobs.get(&stream::EACH))),
    ("handshake", |_| scenes::connect_before_accept()),
    ("segmentation", |knobs| {
        scenes::one_write(knobs.get(&segmentation::SIZE), knobs.get(&segmentation::ANNOUNCED))
    }),
    ("flow", |_| scenes::stopped_reader()),
    ("nagle", |_| scenes::two_writes()),
    ("closing", |_| scenes::two_closes()),
    ("upgrade", |_| scenes::upgrade()),
    ("frames", |knobs| scenes::frames(&knobs.get(&frames::TEXT))),
    ("control", |knobs| scenes::control(knobs.get(&control::FRAGMENTS))),
];

/// Runs the scene of the lesson.
pub(super) fn run(
    lesson: &'static Lesson,
    scenario: &Scenario,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some((_, play)) = SCENES.iter().find(|(id, _)| *id == lesson.id) else {
        return Err(CliError::Usage(format!(
            "lesson {} has no --wire real: the kernel does not show a program what it is about",
            lesson.number()
        )));
    };
    if args.view.is_some() || args.json || args.pcap.is_some() {
        return Err(CliError::Usage(
            "--view, --json and --pcap need --wire sim: on real sockets a program sees no frame".into(),
        ));
    }
    let story = play(scenario).map_err(CliError::failed)?;
    tell(lesson, &story, "on this machine's own sockets, over 127.0.0.1; times as measured", out)
}

/// Tells a scene: its ladder, what to notice, and where the simulation differs.
pub(super) fn tell(
    lesson: &'static Lesson,
    story: &RealStory,
    place: &str,
    out: &mut Output,
) -> Result<(), CliError> {
    out.in_pages();
    let look = out.look;
    out.line(text::head(lesson))?;
    out.line("")?;
    out.line(place)?;
    out.line("")?;
    out.sheet(&ladder::single(&story.trace, &look))?;
    out.line("")?;
    for said in &story.said {
        out.sheet(&Sheet::of(text::lines("- ", said, &look), Tone::Plain))?;
    }
    out.line("")?;
    out.toned(Tone::Strong, "where the simulation differs")?;
    for difference in &story.differences {
        let text = format!(
            "{}: simulated {}, real {}; expected because {}",
            difference.what, difference.sim, difference.real, difference.because
        );
        out.sheet(&Sheet::of(text::lines("- ", &text, &look), Tone::Plain))?;
    }
    out.line("")?;
    out.next(&lesson.command(), "the simulation of it")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_real_scene_belongs_to_a_lesson_of_its_own() {
        let ids: BTreeSet<_> = SCENES.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), SCENES.len());
        for id in ids {
            assert!(crate::lessons::find(id).is_some(), "{id}");
        }
    }
}

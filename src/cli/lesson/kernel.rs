//! A lesson's scene between our stack and Linux's, with each difference from the simulation explained.

use super::args::LessonArgs;
use super::real::tell;
use crate::cli::error::CliError;
use crate::cli::kernel::{self, LESSONS};
use crate::cli::output::Output;
use crate::cli::pcap::{self, Written};
use crate::lessons::{Lesson, Scenario};
use crate::view::pcapng::PcapngOptions;

/// Runs the scene of the lesson.
pub(super) fn run(
    lesson: &'static Lesson,
    scenario: &Scenario,
    args: &LessonArgs,
    out: &mut Output,
) -> Result<(), CliError> {
    if !LESSONS.contains(&lesson.id) {
        let others = LESSONS.join(", ");
        return Err(CliError::Usage(format!(
            "lesson {} has no --wire kernel: the kernel's TCP adds nothing to what it is about; those that have it: \
             {others}",
            lesson.number()
        )));
    }
    if args.view.is_some() || args.json {
        return Err(CliError::Usage(
            "--view and --json need --wire sim; --pcap has every frame of --wire kernel".into(),
        ));
    }
    kernel::enter()?;
    let story = kernel::scene(lesson.id, scenario)?;
    if let Some(path) = &args.pcap
        && pcap::write(path, &[&story.trace], PcapngOptions { fcs: false }, out)? == Written::Stdout
    {
        return Ok(());
    }
    tell(lesson, &story, "our stack at one end, Linux's at the other; times as measured", out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_belongs_to_a_lesson() {
        for id in LESSONS {
            assert!(crate::lessons::find(id).is_some(), "{id}");
        }
    }
}

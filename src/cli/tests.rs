//! Commands as lessons suggest them and people type them.

use clap::Parser as _;

use super::args::{Cli, Command};
use crate::lessons::ALL;
use crate::lessons::beat::Beat;

#[test]
fn every_command_that_a_lesson_suggests_is_one() {
    for lesson in ALL {
        for beat in lesson.play(&lesson.scenario()).beats {
            let Beat::Try { command, .. } = beat else { continue };
            let parsed = Cli::try_parse_from(command.split(' '));
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            if let Some(Command::Lesson(args)) = parsed.command {
                super::lesson::chosen(&args)
                    .unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            }
        }
    }
}

#[test]
fn every_knob_of_every_lesson_is_an_option() {
    for lesson in ALL {
        for knob in lesson.knobs {
            let flag = format!("--{}", knob.name());
            let typed = ["netlayers", "lesson", lesson.id, &flag, knob.default()];
            let parsed = Cli::try_parse_from(typed).unwrap_or_else(|error| panic!("{}: {error}", lesson.id));
            let Some(Command::Lesson(args)) = parsed.command else { panic!("it is the lesson command") };
            super::lesson::chosen(&args).unwrap_or_else(|error| panic!("{}: {error}", lesson.id));
        }
    }
}

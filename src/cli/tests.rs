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
            let parsed = Cli::try_parse_from(words(&command));
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            if let Some(Command::Lesson(args)) = parsed.command {
                super::lesson::chosen(&args)
                    .unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            }
        }
    }
}

/// The words of a command line as a shell parts them; what is in single quotes is one of them.
fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split('\'').enumerate().flat_map(|(number, part)| {
        let quoted = number % 2 == 1;
        part.split(move |c| !quoted && c == ' ').filter(move |word| quoted || !word.is_empty())
    })
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

#[test]
fn what_is_no_number_is_answered_with_what_one_looks_like() {
    use clap::CommandFactory as _;
    let mut command = Cli::command();
    command.build();
    let mut numbers = 0;
    let mut look_at = vec![(vec!["netlayers".to_owned()], command)];
    while let Some((path, command)) = look_at.pop() {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            look_at.push(([path.as_slice(), &[sub.get_name().to_owned()]].concat(), sub.clone()));
        }
        for arg in command.get_arguments() {
            let units = ["N", "P", "PORT", "BYTES", "SECONDS"];
            let unit = arg.get_value_names().and_then(|names| names.first()).map(|name| name.to_string());
            let (Some(unit), Some(long)) = (unit, arg.get_long()) else { continue };
            if !units.contains(&unit.as_str()) || path[1] == "lesson" && long != "frame" {
                continue;
            }
            let typed = path.iter().cloned().chain([format!("--{long}"), "many".into()]);
            let refused = Cli::try_parse_from(typed).map(|_| ()).expect_err(long).to_string();
            assert!(
                refused.contains("such as") && !refused.contains("invalid digit"),
                "{path:?} --{long}: {refused}"
            );
            numbers += 1;
        }
    }
    assert!(numbers >= 12, "{numbers} options take a number");
}

#[test]
fn every_knob_of_the_network_is_a_flag_of_compare_with_its_default_in_the_help() {
    use clap::CommandFactory as _;
    let command = Cli::command();
    let compare = command.find_subcommand("compare").expect("a command");
    for knob in crate::sim::knob::network::NETWORK {
        let flag =
            compare.get_arguments().find(|arg| arg.get_long() == Some(knob.name())).expect("each is one");
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with(knob.what()), "{help}");
        assert!(help.contains(&format!("[default: {}", knob.default())) || knob.default() == "0%", "{help}");
    }
}

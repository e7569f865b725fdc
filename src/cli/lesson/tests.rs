//! A lesson as a screen shows it, and its commands as somebody types them.

use clap::Parser as _;

use crate::cli::args::{Cli, Command};
use crate::lessons::beat::{Answer, Beat};
use crate::lessons::render::text;
use crate::lessons::{ALL, Performance, Scenario};
use crate::view::look::Look;

fn played(id: &str) -> Performance {
    let lesson = crate::lessons::find(id).expect("a lesson of the course");
    lesson.play(&Scenario::of(lesson))
}

#[test]
fn a_lesson_reads_well_at_eighty_columns() {
    let performance = played("handshake");
    let look = Look::default();
    let scene = |id: &str| {
        let begins = |beat: &Beat| matches!(beat, Beat::Scene { id: found, .. } if found == id);
        performance.beats.iter().position(begins).expect("a scene of the lesson")
    };
    // From the question before the scene to the next question.
    let shown: Vec<String> = performance.beats[scene("lossy") - 1..scene("closed") - 1]
        .iter()
        .map(|beat| text::beat(&performance, beat, Some(&Answer::Choice(0)), &look).to_string())
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    ? The last ACK is lost, and then the client sends "hello". What happens?
      a) the server answers the data with a reset: to it there is no connection
      b) a timer runs out, a segment is sent again, and then "hello" arrives
      c) "hello" arrives as if nothing had been lost
      d) both wait for ever

    ── The same; last ACK is lost ──

        ms           client                                        server
                    10.0.0.1                                      10.0.0.2
                        │                                             │
       0.0     SYN-SENT ├── SYN seq=0 win=65535 mss=1460 ────────────►│
      20.1              │◄── SYN ACK seq=0 ack=1 win=65535 mss=1460 ──┤ SYN-RECEIVED
      40.1  ESTABLISHED ├── ACK seq=1 ack=1 ───✗ loses the ACK        │
      50.1    write 5 B ├── seq=1 ack=1 len=5 ───────────────────────►│
      70.2              │◄─────────────── ACK seq=1 ack=6 win=65530 ──┤ ESTABLISHED
                        │                                             │ read "hello"
                        │                                             │
           ✗ lost
    An arrow that ends in a cross was lost.

      your prediction: a) the server answers the data with a reset: to it there is
                       no connection
      what happened:   c) "hello" arrives as if nothing had been lost
      The segment with the data carries the same acknowledgment as the lost ACK:
      every segment after the first SYN has one. It takes the server to ESTABLISHED,
      and its data count at once.

    ✔ the server's program got "hello" all the same
    "#);
    insta::assert_snapshot!(text::head(performance.lesson), @r"
    lesson 8: the three-way handshake
    transport layer, 25 minutes
    ");
    insta::assert_snapshot!(text::foot(&performance, &look), @r"
    read: RFC 9293 §3.5: establishing a connection
    read: RFC 9293 §3.3.2: the states of a connection
    read: RFC 9293 §3.4.1: why a sequence does not begin at 0
    read: RFC 6298 §5: when a segment is sent again
    scenario: handshake drop=ack delay=20ms seed=1
    ");
}

#[test]
fn every_command_that_a_lesson_suggests_is_one() {
    for lesson in ALL {
        for beat in played(lesson.id).beats {
            let Beat::Try { command, .. } = beat else { continue };
            let parsed = Cli::try_parse_from(command.split(' '));
            let parsed = parsed.unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            if let Some(Command::Lesson(args)) = parsed.command {
                super::chosen(&args).unwrap_or_else(|error| panic!("{}: {command}: {error}", lesson.id));
            }
        }
    }
}

#[test]
fn every_knob_of_every_lesson_is_an_option() {
    for lesson in ALL {
        for knob in lesson.knobs {
            let flag = format!("--{}", knob.name);
            let typed = ["netlayers", "lesson", lesson.id, &flag, knob.default];
            let parsed = Cli::try_parse_from(typed).unwrap_or_else(|error| panic!("{}: {error}", lesson.id));
            let Some(Command::Lesson(args)) = parsed.command else { panic!("it is the lesson command") };
            assert_eq!(args.knobs.0.get(knob.name).map(String::as_str), Some(knob.default));
        }
    }
}

#[test]
fn a_word_that_is_nearly_a_lesson_is_answered_with_the_lesson() {
    for (typed, meant) in [("byte", "'bytes'"), ("lawyers", "'layers'"), ("handshakes", "'handshake'")] {
        assert!(super::find(typed).is_err_and(|error| error.to_string().contains(meant)), "{typed}");
    }
}

//! A lesson as a screen shows it, and its name as students type it.

use super::story::{End, Teller};
use crate::cli::logbook::Place;
use crate::cli::output::Output;
use crate::cli::output::pages::Screen;
use crate::lessons::beat::{Answer, Beat};
use crate::lessons::render::text;
use crate::lessons::{Lesson, Performance, Scenario};
use crate::view::look::Look;

fn lesson(id: &str) -> &'static Lesson {
    crate::lessons::find(id).expect("a lesson of the course")
}

#[test]
fn a_lesson_reads_well_at_eighty_columns() {
    let lesson = lesson("handshake");
    let performance: Performance = lesson.play(&lesson.scenario());
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
      b) a timer expires, a segment is retransmitted, and then "hello" arrives
      c) "hello" arrives as if nothing had been lost
      d) both wait forever

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
      every segment after the first SYN has one. It moves the server to ESTABLISHED,
      and its data is accepted at once.

    ✔ the server's program still got "hello"
    "#);
    insta::assert_snapshot!(text::head(lesson), @r"
    lesson 8: the three-way handshake
    transport layer, 25 minutes
    ");
    insta::assert_snapshot!(text::foot(lesson, &performance.scenario, &look), @r"
    read: RFC 9293 §3.5: establishing a connection
    read: RFC 9293 §3.3.2: the states of a connection
    read: RFC 9293 §3.4.1: why a sequence does not begin at 0
    read: RFC 6298 §5: when a segment is retransmitted
    scenario: handshake drop=ack flood=0 syn-cookies=off delay=20ms seed=1
    ");
}

#[test]
fn a_word_that_is_nearly_a_lesson_is_answered_with_the_lesson() {
    for (typed, meant) in [("byte", "'bytes'"), ("lawyers", "'layers'"), ("handshakes", "'handshake'")] {
        assert!(super::find(typed).is_err_and(|error| error.to_string().contains(meant)), "{typed}");
    }
}

/// Plays a lesson to a student who types these lines, and then ends the input; returns what is on the screen, too.
fn told(id: &str, typed: &[&str], before: Place) -> (End, String, usize) {
    let lesson = lesson(id);
    told_of(lesson, &lesson.scenario(), typed, before)
}

fn told_of(
    lesson: &'static Lesson,
    scenario: &Scenario,
    typed: &[&str],
    before: Place,
) -> (End, String, usize) {
    let performance = lesson.play(scenario);
    let mut teller = Teller {
        lesson,
        performance: &performance,
        asks: true,
        pauses: true,
        keeps: false,
        teacher: false,
        guesses: vec![None; performance.predictions.len()],
        before,
    };
    let mut out = Output::script(Screen { rows: 24, columns: 80 }, typed);
    let end = teller.tell(&mut out).expect("nothing fails in memory");
    (end, out.into_sheet().to_string(), teller.predicted())
}

#[test]
fn a_lesson_with_a_knob_turned_is_left_with_the_line_that_leads_back() {
    let lesson = lesson("handshake");
    let mut scenario = lesson.scenario();
    scenario.turn("drop", "syn").expect("a word of the knob");
    let (end, screen, _) = told_of(lesson, &scenario, &["q"], Place::default());
    assert_eq!(end, End::Left { page: 1 });
    assert!(
        screen
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("netlayers lesson --scenario \"handshake drop=syn flood=0 syn-cookies=off delay=20ms seed=1\" goes on there"),
        "{screen}"
    );
}

/// Enter, as often as any lesson needs it.
const ENTER: [&str; 60] = [""; 60];

#[test]
fn a_page_says_which_it_is_and_q_and_the_end_of_the_input_leave() {
    let (end, screen, _) = told("handshake", &["q"], Place::default());
    assert_eq!(end, End::Left { page: 1 });
    assert!(screen.contains("left at page 1 of ") && screen.contains("netlayers lesson 8"), "{screen}");
    // Ctrl-D.
    let (end, screen, _) = told("bytes", &[], Place::default());
    assert_eq!(end, End::Left { page: 1 }, "{screen}");
    let (end, screen, _) = told("bytes", &["", "", "q"], Place::default());
    assert_eq!(end, End::Left { page: 3 }, "{screen}");
    assert!(screen.contains("q to leave --") && screen.contains(" of "), "{screen}");
}

#[test]
fn b_goes_back_and_a_prediction_can_be_made_again() {
    let (_, there, _) = told("bytes", &["", ""], Place::default());
    let (_, back, _) = told("bytes", &["", "<"], Place::default());
    let head = "physical layer, 20 minutes";
    assert_eq!(there.matches(head).count(), 1, "{there}");
    assert_eq!(back.matches(head).count(), 2, "{back}");
    // The first page ends with a question: what was predicted first is not what counts.
    let (_, screen, predicted) = told("bytes", &["1", "<", "6"], Place::default());
    let (first, second) = (screen.find("your prediction: 1 byte\n"), screen.find("your prediction: 6 bytes"));
    assert!(first.is_some() && first < second, "{screen}");
    assert_eq!(predicted, 1);
}

#[test]
fn to_press_enter_to_the_end_predicts_nothing() {
    let (end, screen, predicted) = told("handshake", &ENTER, Place::default());
    assert_eq!((end, predicted), (End::Told, 0), "{screen}");
    assert!(
        screen.contains("scenario: handshake drop=ack flood=0 syn-cookies=off delay=20ms seed=1"),
        "{screen}"
    );
}

#[test]
fn a_lesson_that_was_left_goes_on_there_and_remembers_how_much_was_predicted() {
    let whole = told("handshake", &ENTER, Place::default()).1;
    let before = Place { beat: 8, predicted: 1, as_predicted: 1, ..Place::default() };
    let (end, screen, predicted) = told("handshake", &ENTER, before);
    assert_eq!((end, predicted), (End::Told, 1));
    assert!(
        screen.starts_with("── lesson 8 goes on where you left; --from-start starts over ──"),
        "{screen}"
    );
    assert!(screen.len() < whole.len() && !screen.contains("transport layer, 25 minutes"), "{screen}");
}

#[test]
fn what_is_no_answer_is_refused_and_asked_again() {
    let (_, screen, _) = told("bytes", &["many", "q"], Place::default());
    assert!(screen.contains("expected a whole number of bytes, such as 7; or: q leaves"), "{screen}");
}

/// What `netlayers` with these arguments shows to somebody who types these lines.
fn all_losses(arguments: &[&str], typed: &[&str]) -> String {
    use clap::Parser as _;
    let cli = crate::cli::args::Cli::try_parse_from(arguments).expect("a command line");
    let Some(crate::cli::args::Command::Lesson(args)) = cli.command else { panic!("a lesson") };
    let mut out = Output::script(Screen { rows: 24, columns: 80 }, typed);
    super::run(&args, &mut out).expect("nothing fails in memory");
    out.into_sheet().to_string()
}

#[test]
fn which_loss_costs_most_is_asked_first_and_what_is_no_frame_asked_again() {
    let command = ["netlayers", "lesson", "segmentation", "--what-if", "all"];
    let screen = all_losses(&command, &["many", "77", "3"]);
    let order = [
        "? Which loss costs most?",
        "expected a whole number",
        "expected the number of a frame, from 1 to 9",
    ];
    let order = order.into_iter().chain(["your prediction: 3", "what happened:", "programs read"]);
    let places: Vec<Option<usize>> = order.map(|text| screen.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{screen}");
    let none = all_losses(&command, &[""]);
    assert!(!none.contains("your prediction: ") || !none.contains("As you said"), "{none}");
    assert!(none.contains("what happened:"), "{none}");
}

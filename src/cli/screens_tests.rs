//! Every page of every command, on screens of three sizes: no page is taller than the screen, and no line wider but
//! those that are there to be copied.

use clap::Parser as _;

use super::args::Cli;
use super::output::Output;
use super::output::pages::Screen;
use crate::lessons::{ALL, vocabulary};
use crate::view::sheet::{Line, Sheet};

/// The sizes that are played.
const SCREENS: [Screen; 3] =
    [Screen { rows: 24, columns: 80 }, Screen { rows: 24, columns: 60 }, Screen { rows: 20, columns: 40 }];

/// What the screen shows each time it waits, of a student who only presses Enter.
fn played(args: &[&str], screen: Screen) -> Vec<Sheet> {
    let enter = [""; 400];
    let mut out = Output::script(screen, &enter);
    let cli = std::iter::once(&"netlayers").chain(args);
    let cli = Cli::try_parse_from(cli).unwrap_or_else(|error| panic!("{args:?}: {error}"));
    let done = super::run(cli.command, &mut out).and_then(|()| out.finish());
    // What is wrong with the bytes of a packet is found, and said.
    assert_eq!(done.is_ok(), !args.contains(&BROKEN) || args.contains(&"table"), "{args:?}: {done:?}");
    out.finish().expect("nothing fails in memory");
    out.into_screens()
}

/// Lines in one piece, however long: commands, scenario lines, addresses.
fn is_to_be_copied(line: &Line) -> bool {
    let line = line.to_string();
    line.starts_with("scenario: ") || line.starts_with("try: ")
}

/// What is wrong with the pages of a command.
fn faults(args: &[&str], screens: &[Sheet], screen: Screen, faults: &mut Vec<String>) {
    let place = format!("{args:?} at {}x{}", screen.columns, screen.rows);
    for (number, page) in screens.iter().enumerate() {
        // Below the last page the shell has its prompt.
        let prompt = usize::from(number + 1 == screens.len());
        let height = screen.height_of(page) + prompt;
        if height > screen.rows {
            faults.push(format!("{place}: page {} has {height} rows:\n{page}", number + 1));
        }
        for line in page.lines().iter().filter(|line| !is_to_be_copied(line)) {
            if line.width() > screen.columns {
                faults.push(format!("{place}: page {}: {} columns: {line}", number + 1, line.width()));
            }
        }
    }
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_page_of_every_lesson_fits_the_screen() {
    let mut found = Vec::new();
    for screen in SCREENS {
        let mut pages = 0;
        for lesson in ALL {
            for args in
                [&["lesson", lesson.id, "--from-start"][..], &["lesson", lesson.id, "--skip", "--teacher"]]
            {
                let screens = played(args, screen);
                assert!(screens.len() > 3, "{args:?} waits");
                pages += screens.len();
                faults(args, &screens, screen, &mut found);
            }
        }
        assert!(pages > 200, "{pages} pages at {screen:?}");
    }
    none(&found);
}

#[test]
fn every_page_of_every_picture_of_a_lesson_fits_the_screen() {
    let mut found = Vec::new();
    for screen in SCREENS {
        for lesson in ALL {
            for view in ["ladder", "table", "cut", "boxes", "frames", "hex", "header", "layers"] {
                let args = ["lesson", lesson.id, "--view", view];
                faults(&args, &played(&args, screen), screen, &mut found);
            }
        }
    }
    none(&found);
}

/// An Ethernet frame with a TCP segment, as hexadecimal text.
const FRAME: &str = "02000000000202000000000108004500002800004000400600000a0000010a000002c000005000000001\
                     00000000500210000000000000000000";

/// The same with a header of TCP that is too short to be one.
const BROKEN: &str = "02000000000202000000000108004500002800004000400600000a0000010a000002c000005000000001\
                      00000000000210000000000000000000";

#[test]
fn every_page_of_the_other_commands_fits_the_screen() {
    let loss = ["compare", "--file", "LICENSE-MIT", "--loss", "20%", "--seed", "7"];
    let with = |more: &[&'static str]| [&loss[..], more].concat();
    let mut commands = vec![
        vec![],
        vec!["progress"],
        vec!["explain"],
        vec!["hint", "6"],
        vec!["compare", "hello, layers"],
        vec!["compare", "hello", "--only", "udp"],
        vec!["compare", "hello", "--view", "plot:cwnd"],
        vec!["compare", "--file", "LICENSE-MIT", "--only", "tcp", "--view", "plot:seq"],
        vec!["race", "cubic", "newreno", "--time", "2s"],
        vec!["race", "cubic", "newreno", "none", "--time", "1s", "--view", "plot:queue"],
        vec!["race", "cubic", "--time", "500ms", "--view", "plot:loss"],
        loss.to_vec(),
        with(&["--whole"]),
        vec!["compare", "hello", "--wire", "real"],
        vec!["script", "tests/tcp/prr.txt"],
        vec!["script", "tests/tcp/zero-window.txt", "--whole"],
        vec!["script", "tests/tcp/open-active.txt", "--view", "header"],
        vec!["script", "tests/tcp/slow-start.txt", "--view", "plot:cwnd"],
        vec!["decode", FRAME],
        vec!["decode", BROKEN],
        vec!["decode", BROKEN, "--view", "table"],
    ];
    for view in ["ladder", "table", "hex", "header", "layers"] {
        commands.push(with(&["--view", view]));
    }
    for view in ["table", "conversations", "ladder", "hex", "header", "layers"] {
        commands.push(vec!["decode", FRAME, "--view", view]);
    }
    commands.extend(vocabulary::all().iter().map(|term| vec!["explain", term.name]));
    let mut found = Vec::new();
    for screen in SCREENS {
        for args in &commands {
            faults(args, &played(args, screen), screen, &mut found);
        }
    }
    none(&found);
}

#[test]
fn every_page_of_every_help_fits_the_screen() {
    use clap::CommandFactory as _;
    let mut found = Vec::new();
    for screen in SCREENS {
        let mut command = Cli::command().term_width(screen.columns);
        command.build();
        let mut open = vec![command];
        while let Some(mut command) = open.pop() {
            open.extend(command.get_subcommands().filter(|sub| sub.get_name() != "help").cloned());
            let mut out = Output::script(screen, &[""; 400]);
            let help = command.render_long_help().to_string();
            super::help(&help, &mut out).and_then(|()| out.finish()).expect("nothing fails in memory");
            faults(&[command.get_name(), "--help"], &out.into_screens(), screen, &mut found);
        }
    }
    none(&found);
}

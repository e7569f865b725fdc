//! The scripts of `tests/tcp`: what the RFCs ask of one end of a connection, segment by segment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use netlayers::sim::script::{parse, play};

/// All scripts by their names.
fn scripts() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tcp");
    let entries = fs::read_dir(folder).expect("tests/tcp").map(|entry| entry.expect("an entry").path());
    let named = |path: std::path::PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(&path).expect("a script"))
    };
    entries.filter(|path| path.extension().is_some_and(|end| end == "txt")).map(named).collect()
}

#[test]
fn every_script_holds_and_says_what_it_shows() {
    let scripts = scripts();
    assert!(scripts.len() >= 60, "only {} scripts", scripts.len());
    let mut faults = Vec::new();
    for (name, bytes) in &scripts {
        let script = match parse(bytes) {
            Ok(script) => script,
            Err(error) => {
                faults.push(format!("tests/tcp/{name}.txt: {error}"));
                continue;
            }
        };
        let cites = ["RFC ", "Jacobson", "most systems"].iter().any(|source| script.title.contains(source));
        if !cites || script.len() < 3 {
            faults.push(format!(
                "tests/tcp/{name}.txt: its first line says what it shows, and by which section"
            ));
        }
        let played = play(&script);
        if let Err(failure) = played.ending {
            faults.push(format!("tests/tcp/{name}.txt, {failure}\n{}", played.story.join("\n")));
        }
    }
    assert!(faults.is_empty(), "{} of {} scripts:\n{}", faults.len(), scripts.len(), faults.join("\n"));
}

#[test]
fn the_scripts_of_the_book_hold() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/scripts.md");
    let page = fs::read_to_string(page).expect("the page");
    let scripts: Vec<&str> =
        page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(scripts.len(), 2);
    for text in scripts {
        let script = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(play(&script).ending, Ok(()), "{text}");
    }
}

/// What a script says is looked at: with any number of it changed, a line does not hold any more.
#[test]
fn a_script_with_a_wrong_number_does_not_hold() {
    let scripts = scripts();
    for (name, right, wrong) in [
        ("fast-retransmit", "info ssthresh=5000", "info ssthresh=6000"),
        ("syn-again", "+2s     > SYN", "+3s     > SYN"),
        ("sack-receiver", "<sack=1001-1501>", "<sack=1001-1500>"),
        ("close-active", "quiet 59s", "quiet 60s"),
        ("urgent-received", "urgent=60", "urgent=59"),
        ("ecn-receiver", "> ACK ECE ack=2001", "> ACK ack=2001"),
        ("timestamps-echo", "ts=*/11", "ts=*/12"),
        ("silly-window-receiver", "win=3000", "win=3001"),
        ("close-unread", "> RST ACK", "> FIN ACK"),
    ] {
        let text = String::from_utf8(scripts[name].clone()).expect("a script is text");
        assert!(text.contains(right), "{name}: {right}");
        let script = parse(text.replace(right, wrong).as_bytes()).expect("it reads");
        assert!(play(&script).ending.is_err(), "{name}: {wrong}");
    }
}

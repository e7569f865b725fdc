//! The other future as its users meet it: two ladders, an account, a table, and clear words for what is no fork.

use super::cli::{netlayers, refused, run, scratch, stderr, stdout, text};

fn shown(args: &[&str], columns: &str) -> String {
    let output = netlayers(args).env("COLUMNS", columns).output().expect("the program starts");
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn a_forked_lesson_shows_both_ladders_and_what_differs() {
    let args = ["lesson", "handshake", "--what-if", "2=lost"];
    insta::assert_snapshot!("what_if_80", shown(&args, "80"));
    insta::assert_snapshot!("what_if_60", shown(&args, "60"));
    insta::assert_snapshot!("what_if_40", shown(&[&args[..], &["--ascii"]].concat(), "40"));
}

#[test]
fn each_fate_and_several_at_once_fit_80_60_and_40_columns() {
    for forks in ["5=lost", "5=late=200ms", "5=twice", "5=corrupt", "1=lost,4=twice,6=late=1s", "all"] {
        for (columns, ascii) in [("80", false), ("60", true), ("40", true)] {
            let lesson = ["lesson", "segmentation", "--what-if", forks];
            let compare = ["compare", "hello, layers", "--only", "tcp", "--what-if", forks];
            for args in [&lesson[..], &compare[..]] {
                let args = [args, if ascii { &["--ascii"][..] } else { &[] }].concat();
                let shown = shown(&args, columns);
                // The scenario line and the next command are to be copied, and so whole.
                let lines =
                    shown.lines().filter(|line| !line.starts_with("scenario:") && !line.starts_with("next:"));
                for line in lines {
                    let width = line.chars().count();
                    assert!(width <= columns.parse().expect("a number"), "{args:?} at {columns}: {line}");
                }
                assert!(!ascii || shown.is_ascii(), "{args:?}:\n{shown}");
            }
        }
    }
}

#[test]
fn the_scenario_line_of_a_fork_reproduces_it() {
    let first = stdout(&run(&["lesson", "loss", "--what-if", "3=lost,5=late=50ms"]));
    let line = first.lines().find_map(|line| line.strip_prefix("scenario: ")).expect("a scenario line");
    assert!(line.contains("/3=lost,5=late=50ms"), "{line}");
    assert_eq!(stdout(&run(&["lesson", "--scenario", line])), first);
    let flags = ["lesson", "loss", "--what-if", "5=late=50ms", "--what-if", "3=lost"];
    assert_eq!(stdout(&run(&flags)), first, "the flag twice, in any order");
}

#[test]
fn a_script_that_cannot_go_on_ends_early_and_says_so_in_words() {
    let output = run(&["lesson", "upgrade", "--scene", "accept", "--what-if", "1=lost"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(shown.contains("The lesson's script could not go on in the other future"), "{shown}");
    assert!(shown.contains("what-if=accept/1=lost"), "{shown}");
}

#[test]
fn json_says_which_fates_were_changed_and_only_then() {
    let json =
        |args: &[&str]| -> serde_json::Value { serde_json::from_slice(&run(args).stdout).expect("JSON") };
    let lesson = json(&["lesson", "handshake", "--what-if", "2=lost", "--json"]);
    assert!(
        lesson["scenario"].as_str().is_some_and(|line| line.ends_with("what-if=clean/2=lost")),
        "{lesson}"
    );
    let compare = json(&["compare", "hello", "--only", "tcp", "--what-if", "4=lost", "--json"]);
    assert_eq!(compare["what_if"], "4=lost");
    assert_eq!((&compare["ways"][0]["lost"], &compare["ways"][0]["arrived"]), (&1.into(), &true.into()));
    assert!(json(&["compare", "hello", "--json"]).get("what_if").is_none());
}

#[test]
fn the_table_of_all_losses_has_a_row_a_frame_and_the_costliest_first() {
    let shown = stdout(&run(&["lesson", "segmentation", "--what-if", "all", "--answer", "3"]));
    let (before, table) = shown.split_once("programs read\n").expect("a table");
    assert!(
        before.contains("? Which loss costs most?") && before.contains("your prediction: 3\n"),
        "{shown}"
    );
    let rows: Vec<&str> = table
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|row| row.contains("the same"))
        .collect();
    let mut frames: Vec<u64> =
        rows.iter().filter_map(|row| row.split_whitespace().next()?.parse().ok()).collect();
    let first = frames[0];
    assert!(before.contains(&format!("what happened:   {first}\n")), "{shown}");
    frames.sort_unstable();
    assert_eq!(frames, (1..=9).collect::<Vec<_>>(), "{shown}");
    assert!(shown.contains(&format!("The loss of frame {first} costs most")), "{shown}");
    assert!(shown.contains(&format!("--what-if {first}=lost")), "{shown}");
}

#[test]
fn udp_pays_for_a_loss_with_bytes_and_tcp_with_time() {
    let shown = stdout(&run(&["compare", "hello", "--what-if", "all"]));
    let (udp, tcp) = shown.split_once("\nTCP: which").expect("a table each way");
    assert!(udp.contains("The loss of frame 1 costs most: 5 bytes are not read by the end."), "{shown}");
    assert!(tcp.contains("costs most: all is read "), "{shown}");
}

#[test]
fn a_way_without_the_frame_says_so_and_the_others_are_forked() {
    let shown = stdout(&run(&["compare", "hello", "--what-if", "4=lost"]));
    assert!(shown.contains("UDP: there is no frame 4: the last is frame 1"), "{shown}");
    assert_eq!(shown.matches("as it was  what if").count(), 2, "{shown}");
}

#[test]
fn a_script_is_forked_up_to_the_line_that_no_longer_holds() {
    let script = scratch(
        "forked.txt",
        b"# One write\nconnect\n> SYN seq=0\n+20ms < SYN ACK seq=0 ack=1 win=8000 <mss=1000>\n> ACK seq=1 ack=1\n",
    );
    let script = text(&script);
    let lost = run(&["script", script, "--what-if", "2=lost"]);
    assert!(lost.status.success(), "{}", stderr(&lost));
    let flat = |shown: String| shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let lost = flat(stdout(&lost));
    assert!(lost.contains("the script holds no longer: line 5: expected > ACK seq=1 ack=1"), "{lost}");
    let late = flat(stdout(&run(&["script", script, "--what-if", "2=late=10ms"])));
    assert!(late.contains("the script holds no longer: line 5"), "{late}");
    let twice = stdout(&run(&["script", script, "--what-if", "2=twice"]));
    assert!(twice.contains("delivered twice"), "{twice}");
    let corrupt = stdout(&run(&["script", script, "--what-if", "2=corrupt"]));
    assert!(flat(corrupt.clone()).contains("frames lost or refused 0 1"), "{corrupt}");
    assert!(refused(&["script", script, "--what-if", "9=lost"], 2).contains("the last is frame 3"));
    assert!(refused(&["script", script, "--what-if", "all"], 2).contains("such as 2=lost"));
}

#[test]
fn what_is_no_fork_is_refused_with_what_was_expected() {
    for (args, says) in [
        (
            &["lesson", "handshake", "--what-if", "99=lost"][..],
            "there is no frame 99: the last is frame 5, in the scene 'clean'",
        ),
        (
            &["lesson", "handshake", "--what-if", "2=los"],
            "expected lost, late=200ms, twice or corrupt; did you mean 'lost'?",
        ),
        (&["lesson", "handshake", "--what-if", "al"], "or all, which loses each frame in turn"),
        (&["lesson", "handshake", "--what-if", "all", "--what-if", "2=lost"], "--what-if all stands alone"),
        (&["lesson", "handshake", "--what-if", "2=lost", "--scene", "losy"], "did you mean 'lossy'?"),
        (&["lesson", "handshake", "--what-if", "2=lost", "--wire", "real"], "--what-if needs --wire sim"),
        (&["lesson", "handshake", "--what-if", "all", "--json"], "expected no --view, --json or --pcap"),
        (
            &["lesson", "segmentation", "--what-if", "all", "--answer", "77"],
            "expected the number of a frame, from 1 to 9",
        ),
        (
            &["lesson", "segmentation", "--what-if", "all", "--answer", "1", "--answer", "2"],
            "asks one question",
        ),
        (&["lesson", "--scenario", "handshake what-if=2=eaten"], "there is no fate 'eaten'"),
        (&["compare", "hello", "--what-if", "2=lost", "--wire", "kernel"], "--what-if needs --wire sim"),
        (&["compare", "hello", "--what-if", "99=lost"], "UDP: there is no frame 99: the last is frame 1"),
    ] {
        let said = refused(args, 2);
        assert!(said.contains(says), "{args:?} said: {said}");
    }
}

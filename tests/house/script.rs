//! `netlayers script`: what it shows, what it answers to a script that does not hold or is none, and how it ends.

use std::io::Write as _;
use std::process::Stdio;

use super::cli::{netlayers, refused, run, scratch, stderr, stdout, text};

#[test]
fn a_script_is_a_ladder_and_a_verdict_and_its_exit_code_says_how_it_ended() {
    let output = run(&["script", "tests/tcp/zero-window-probe-taken.txt"]);
    assert!(output.status.success(), "{}", stderr(&output));
    insta::assert_snapshot!("script_zero_window", stdout(&output));
    let script = std::fs::read_to_string("tests/tcp/zero-window-probe-taken.txt").expect("a script");
    let wrong = scratch("wrong.txt", script.replace("+1s ", "+2s ").as_bytes());
    let output = run(&["script", text(&wrong), "--ascii"]);
    assert_eq!(output.status.code(), Some(1));
    let (said, told) = (stdout(&output), stderr(&output));
    assert!(said.is_ascii() && said.contains("1020.000 ms  > ACK seq=101 ack=1 len=1 win=65535"), "{said}");
    assert!(
        told.contains("line 11: expected +2s     > ACK len=1 seq=101 at 2020.000 ms, got > ACK"),
        "{told}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&run(&["script", text(&wrong), "--json"]))).expect("JSON");
    assert_eq!(
        (&json["schema"], &json["holds"], &json["line"]),
        (&"netlayers.script/1".into(), &false.into(), &11.into())
    );
    let said = refused(&["script", text(&scratch("none.txt", b"connect\n > SIN seq=0\n"))], 2);
    assert!(said.contains("none.txt is no script: line 2, column 4: expected a flag"), "{said}");
    assert!(said.contains("did you mean SYN?"), "{said}");
}

/// A file that is not there is a failure, as with `decode`; one in which nothing happens is no script. Neither becomes a
/// picture.
#[test]
fn what_cannot_be_played_is_refused_and_not_drawn() {
    let drawn = scratch("drawn.svg", b"");
    std::fs::remove_file(&drawn).expect("it was there");
    let comment = scratch("nothing.txt", b"# A title, a knob, and no line.\nmin-rto 200ms\n\n");
    let blank = scratch("blank.txt", b"");
    for more in [vec![], vec!["--svg", text(&drawn)]] {
        let refused = |script: &str, code| refused(&[&["script", script], more.as_slice()].concat(), code);
        let said = refused("no/such/file.txt", 1);
        assert!(said.contains("no/such/file.txt cannot be read"), "{said}");
        assert!(!said.contains("--help"), "the command line was right: {said}");
        for (script, name) in [(&comment, "nothing.txt"), (&blank, "blank.txt")] {
            let said = refused(text(script), 2);
            assert!(said.contains(&format!("{name} is no script: there is nothing to play")), "{said}");
            assert!(said.contains("such as: connect, > SYN seq=0"), "{said}");
        }
        assert!(!drawn.exists());
    }
}

#[test]
fn a_script_may_come_from_a_pipe_and_becomes_a_capture() {
    let mut child = netlayers(&["script", "-", "--pcap", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"connect\n > SYN seq=0\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(output.stdout[..4], [0x0a, 0x0d, 0x0d, 0x0a], "a pcapng file");
}

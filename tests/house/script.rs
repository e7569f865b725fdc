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
    let said = refused(&["script", "no/such/file.txt"], 2);
    assert!(said.contains("no/such/file.txt cannot be read"), "{said}");
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

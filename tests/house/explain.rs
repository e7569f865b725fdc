//! `netlayers explain` as students meet it.

use std::process::{Command, Output, Stdio};

fn explain(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    for name in ["COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM"] {
        command.env_remove(name);
    }
    command.arg("explain").args(args).stdin(Stdio::null()).output().expect("the program starts")
}

fn stdout(args: &[&str]) -> String {
    let output = explain(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_word_is_told_with_a_picture_from_a_run() {
    let told = stdout(&["handshake"]);
    for expected in ["SYN ACK seq=0 ack=1", "RFC 9293 §3.5", "src/layers/transport/tcp/state.rs", "OSI:    4"]
    {
        assert!(told.contains(expected), "no {expected} in\n{told}");
    }
    assert_eq!(told, stdout(&["three-way", "handshake"]), "other names lead to the same");
    assert!(stdout(&["MSS"]).contains("1460"));
    assert!(stdout(&["header", "--ascii"]).contains("+-+-+"));
    assert!(stdout(&["window"]).contains("lesson: netlayers lesson 11: flow control"));
    assert!(stdout(&["ARP"]).contains("lesson: netlayers lesson 3: frames, addresses, ARP"));
}

#[test]
fn a_mistyped_word_is_answered_with_the_one_that_was_meant() {
    for (typed, expected) in [("handshak", "did you mean 'handshake'"), ("\x1b[31m", "lists all words")] {
        let output = explain(&[typed]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected) && !said.contains('\x1b'), "{said}");
    }
}

#[test]
fn all_words_fit_one_screen() {
    let told = stdout(&[]);
    assert!(told.lines().count() <= 23, "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    for word in ["WebSocket", "transport layer (OSI 4)", "MSS", "namespace"] {
        assert!(told.contains(word), "no {word} in\n{told}");
    }
}

#[test]
fn programs_get_json() {
    let one: serde_json::Value = serde_json::from_str(&stdout(&["mtu", "--json"])).expect("JSON");
    assert_eq!(one["schema"], "netlayers.term/1");
    assert_eq!(one["term"]["term"], "MTU");
    assert_eq!(one["term"]["place"]["layer"], "link");
    assert!(one["term"]["picture"]["text"].as_str().is_some_and(|text| text.contains("1500")));
    let all: serde_json::Value = serde_json::from_str(&stdout(&["--json"])).expect("JSON");
    assert!(all["terms"].as_array().is_some_and(|terms| terms.len() > 40));
}

//! The examples run, and each checks its own result. `cargo test` builds them first; here they are started.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::built;

/// Runs a built example and gives what it printed.
fn run(name: &str) -> String {
    let program = built::example(name, &folder().join(format!("{name}.rs")));
    let output = Command::new(&program)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}: `cargo build --examples` makes it", program.display()));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} failed:\n{out}\n{err}");
    for line in out.lines() {
        assert!(line.chars().count() <= 80, "{name} prints a line of more than 80 columns:\n{line}");
    }
    out.into_owned()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn the_udp_client_asks_again_when_its_answer_is_lost() {
    let out = run("udp_exchange");
    assert!(out.contains("asked 2 times"), "{out}");
    assert!(out.contains("✗"), "the loss is in the ladder:\n{out}");
}

#[test]
fn the_tcp_stream_is_whole_though_a_segment_is_lost() {
    let out = run("tcp_lossy");
    assert!(out.contains("lose the third") && out.contains("↻ seq=2001"), "{out}");
    assert!(out.contains("sent again: 1"), "{out}");
}

#[test]
fn the_websocket_echo_is_drawn_from_handshake_to_close() {
    let out = run("websocket_sim");
    for step in ["GET / HTTP/1.1", "101 Switching", "WS text", "WS close"] {
        assert!(out.contains(step), "no {step} in\n{out}");
    }
}

#[test]
fn the_websocket_echo_works_on_real_sockets() {
    let out = run("websocket_real");
    assert!(out.contains("\"hello, layers\" came back") && out.contains("closed with 1000"), "{out}");
}

#[test]
fn a_congestion_control_of_a_screenful_races_against_cubic() {
    let out = run("my_congestion_control");
    assert!(out.contains("cubic ") && out.contains("mine ") && out.contains("fairness (Jain): 0."), "{out}");
    assert!(out.contains("c cubic   m mine"), "the plot has its legend:\n{out}");
}

#[test]
fn the_event_programs_for_class_say_what_they_show() {
    for (name, shown) in [
        ("events_auth", "E_TOKEN"),
        ("events_bot", "that makes 42"),
        ("events_dedupe", "exactly once in effect: [\"one\", \"two\", \"three\"]"),
        ("events_pool", "2349 cents"),
        ("events_rooms", "Cleo hears [\"food!\"]"),
    ] {
        let out = run(name);
        assert!(out.contains(shown), "{name} does not show {shown}:\n{out}");
    }
}

#[test]
fn a_websocket_takes_over_the_stream_of_another_server() {
    for name in ["axum_upgrade", "hyper_upgrade"] {
        assert!(run(name).contains("it came back"), "{name}");
    }
}

#[test]
fn every_example_is_a_screenful_that_ends_with_things_to_try() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("examples/") {
        let path = entry.expect("entry").path();
        let text = std::fs::read_to_string(&path).expect("an example is UTF-8");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        names.push(name.clone());
        // Three are programs for use rather than for class: tests/events/, tests/websocket/peers.rs and the suites of
        // stock clients try them.
        if ["client_suite_server", "event_server", "ws_echo_client"].contains(&name.as_str()) {
            continue;
        }
        let lines = text.lines().count();
        assert!(lines <= 90, "{name} has {lines} lines: no screenful");
        let tail = text.rsplit_once("// Try this:").map(|(_, tail)| tail);
        assert!(
            tail.is_some_and(|tail| tail.lines().all(|line| line.is_empty() || line.starts_with("// "))),
            "{name}"
        );
        assert!(text.contains("assert"), "{name} checks nothing");
        assert!(!text.contains("crate::"), "{name} uses more than the public API");
    }
    names.sort();
    assert_eq!(
        names,
        [
            "axum_upgrade",
            "client_suite_server",
            "event_server",
            "events_auth",
            "events_bot",
            "events_dedupe",
            "events_pool",
            "events_rooms",
            "hyper_upgrade",
            "my_congestion_control",
            "tcp_lossy",
            "udp_exchange",
            "websocket_real",
            "websocket_sim",
            "ws_echo_client",
            "wss_server",
        ],
        "each has a test above"
    );
}

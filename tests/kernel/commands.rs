//! The commands that use this wire, each in namespaces that it makes itself.

use std::process::{Command, Output};

use netlayers::view::sheet::width;

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "commands::compare_sends_a_message_three_ways_to_the_kernel",
        compare_sends_a_message_three_ways_to_the_kernel,
    ),
    (
        "commands::compare_fits_eighty_columns_and_asks_the_kernel",
        compare_fits_eighty_columns_and_asks_the_kernel,
    ),
    ("commands::six_lessons_have_a_scene_and_others_say_so", six_lessons_have_a_scene_and_others_say_so),
    ("commands::a_program_of_the_users_talks_to_our_stack", a_program_of_the_users_talks_to_our_stack),
    ("commands::our_stack_calls_a_program_of_the_users", our_stack_calls_a_program_of_the_users),
    ("commands::a_program_that_is_not_there_is_named", a_program_that_is_not_there_is_named),
    (
        "commands::where_namespaces_are_forbidden_the_step_is_named",
        where_namespaces_are_forbidden_the_step_is_named,
    ),
];

fn netlayers(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(args)
        .env_remove("COLUMNS")
        .output()
        .expect("netlayers runs")
}

/// Standard output of a command that succeeds.
fn told(args: &[&str]) -> String {
    let output = netlayers(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Standard error of a command that fails so.
fn refused(args: &[&str], code: i32) -> String {
    let output = netlayers(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).expect("text")
}

fn fits(text: &str) {
    for line in text.lines() {
        assert!(width(line) <= 80, "{line}");
    }
}

fn compare_sends_a_message_three_ways_to_the_kernel() {
    let text = told(&["compare", "hello, kernel", "--wire", "kernel", "--delay", "1ms", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["wire"], "kernel");
    assert_eq!(document["conditions"]["delay_ns"], 1_000_000);
    let ways = document["ways"].as_array().expect("three ways");
    assert_eq!(ways.len(), 3);
    for way in ways {
        assert_eq!(
            (&way["wire"], &way["arrived"], &way["lost"]),
            (&"kernel".into(), &true.into(), &0.into()),
            "{way}"
        );
    }
    assert_eq!(ways[2]["returned"], true);
}

fn compare_fits_eighty_columns_and_asks_the_kernel() {
    let text = told(&["compare", "hello", "--wire", "kernel", "--sack", "yes", "--timestamps", "yes"]);
    fits(&text);
    assert!(text.contains("what the kernel says: TCP"), "{text}");
    assert!(text.contains("timestamps, SACK, wscale"), "{text}");
    assert!(text.contains("came back, byte for byte"), "{text}");
    let told = refused(&["compare", "--wire", "kernal"], 2);
    assert!(told.contains("kernel"), "{told}");
}

fn six_lessons_have_a_scene_and_others_say_so() {
    for (lesson, says) in [
        ("handshake", "the kernel's SYN-ACK offers MSS 1460, window scale"),
        ("segmentation", "the kernel made 3 segments of one write of 4000 bytes: 1448 + 1448 + 1104"),
        ("stream", "10 writes of 5 bytes left in"),
        ("loss", "number 2 of 8 segments was lost; 6 came behind it"),
        ("congestion", "the kernel's window began with 10 segments"),
        ("control", "its one receive gave \"part 1. part 2. part 3. \""),
    ] {
        let text = told(&["lesson", lesson, "--wire", "kernel"]);
        fits(&text);
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(says), "{lesson}: {text}");
    }
    assert!(refused(&["lesson", "udp", "--wire", "kernel"], 2).contains("has no --wire kernel"));
    assert!(refused(&["lesson", "8", "--wire", "kernel", "--json"], 2).contains("need --wire sim"));
}

fn a_program_of_the_users_talks_to_our_stack() {
    let talk = "exec 3<>/dev/tcp/10.0.0.1/9000; echo one line >&3; head -n 1 <&3";
    let text = told(&["wire", "kernel", "--delay", "1ms", "--", "bash", "-c", talk]);
    fits(&text);
    assert!(text.starts_with("one line\n"), "{text}");
    assert!(text.contains("SYN") && text.contains("who has 10.0.0.1?"), "{text}");
    let table = told(&["wire", "kernel", "--view", "table", "--listen", "9001", "--", "true"]);
    assert!(!table.contains("SYN"), "{table}");
}

fn our_stack_calls_a_program_of_the_users() {
    // A program that listens late: our stack tries again.
    let listens = "import socket, time; time.sleep(0.4); s = socket.create_server(('10.0.0.2', 9000)); \
                   c, _ = s.accept(); c.sendall(b'and back\\n'); print(c.recv(100).decode().strip()); c.close()";
    let Some(_) = crate::support::peer("python3") else { return };
    let text =
        told(&["wire", "kernel", "--delay", "1ms", "--connect", "9000", "--", "python3", "-c", listens]);
    assert!(text.starts_with("hello from a stack that is not the kernel's\n"), "{text}");
    assert!(text.contains("RST"), "the first SYN is refused: {text}");
}

fn a_program_that_is_not_there_is_named() {
    let told = refused(&["wire", "kernel", "--", "no-such-program"], 1);
    assert!(told.contains("starting no-such-program failed"), "{told}");
    assert!(refused(&["wire", "kernel"], 2).contains("COMMAND"));
}

/// A user of a namespace in which it has no name may make none.
fn where_namespaces_are_forbidden_the_step_is_named() {
    let Some(mut unshare) = crate::support::peer("unshare") else { return };
    let output =
        unshare.args(["--user", env!("CARGO_BIN_EXE_netlayers"), "compare", "--wire", "kernel"]).output();
    let output = output.expect("unshare runs");
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("(unshare) failed: Operation not permitted"), "{told}");
    assert!(told.contains("seccomp=unconfined") && told.contains("--wire real"), "{told}");
}

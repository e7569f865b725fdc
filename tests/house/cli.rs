//! The command line as its users meet it: what it prints, what it answers to nonsense, and how it ends.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program, away from any terminal and from the settings of whoever runs the tests.
pub(super) fn netlayers(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    for name in ["COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM"] {
        command.env_remove(name);
    }
    command.env("NETLAYERS_DATA", concat!(env!("CARGO_TARGET_TMPDIR"), "/nobody"));
    command
}

pub(super) fn run(args: &[&str]) -> Output {
    netlayers(args).output().expect("the program starts")
}

pub(super) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("what it prints is UTF-8")
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("what it prints is UTF-8")
}

/// Runs what must be refused as a wrong command line, and gives what it says.
pub(super) fn refused(args: &[&str], exit_code: i32) -> String {
    let output = run(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(exit_code), "{args:?} said: {said}");
    assert!(said.starts_with("error: "), "{args:?} said: {said}");
    assert!(!said.contains("panicked"), "{args:?} said: {said}");
    said
}

pub(super) fn scratch(name: &str, contents: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    std::fs::write(&path, contents).expect("a scratch file can be written");
    path
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("the target directory has a UTF-8 name")
}

#[test]
fn compare_shows_three_ladders_a_table_a_verdict_and_the_next_command() {
    let output = run(&["compare", "hello, layers"]);
    assert!(output.status.success());
    insta::assert_snapshot!("compare_hello", stdout(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn a_lossy_run_marks_what_was_lost_and_what_was_sent_again() {
    let output = run(&["compare", "--file", "LICENSE-MIT", "--loss", "20%", "--seed", "7", "--ascii"]);
    assert!(output.status.success());
    insta::assert_snapshot!("compare_lossy_ascii", stdout(&output));
    assert!(stdout(&output).is_ascii());
}

#[test]
fn a_queue_that_overflows_is_named_as_the_cause_and_what_it_dropped_is_not_counted_as_sent() {
    let file = scratch("zeros", &[0; 60_000]);
    let capture = scratch("full-queue.pcapng", b"");
    let args = ["compare", "--file", text(&file), "--mtu", "68", "--only", "tcp", "--cc", "none"];
    let said = stdout(&run(&[&args[..], &["--pcap", text(&capture)]].concat()));
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("the queue in front of the link was full"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&run(&[&args[..], &["--json"]].concat()))).unwrap();
    let facts = &json["ways"][0];
    assert!(facts["queue_full"].as_u64().unwrap() > 0, "{facts}");
    assert_eq!(facts["lost"], 0, "nothing was lost on the way: {facts}");
    let trace = stdout(&run(&[&args[..], &["--view", "json"]].concat()));
    let sent = trace.matches("\"kind\": \"sent\"").count() as u64;
    assert_eq!(facts["wire_bytes"]["frames"].as_u64(), Some(sent));
    let listed = stdout(&run(&["decode", text(&capture)]));
    assert!(!listed.contains("queue full"), "what never left is in no capture");
    assert!(
        run(&["compare", "hello"]).stdout.windows(10).all(|words| words != b"queue in f"),
        "only when it was full"
    );
}

#[test]
fn the_same_command_prints_the_same_bytes() {
    for view in ["ladder", "table", "hex", "header", "layers", "json"] {
        let args = ["compare", "--file", "LICENSE-MIT", "--loss", "10%", "--seed", "3", "--view", view];
        let (first, second) = (run(&args), run(&args));
        assert!(first.status.success(), "{}", stderr(&first));
        assert!(!first.stdout.is_empty());
        assert_eq!(first.stdout, second.stdout, "--view {view}");
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [40, 60, 80, 120] {
        for extra in
            [&["compare", "hello, layers"][..], &["compare", "--file", "LICENSE-MIT", "--loss", "20%"]]
        {
            let output = netlayers(extra).env("COLUMNS", columns.to_string()).output().expect("it runs");
            assert!(output.status.success());
            // The table has a width of its own, and needs 76 columns.
            let ladders = stdout(&output);
            let ladders = ladders.split("first byte read after").next().expect("there is a beginning");
            for line in ladders.lines() {
                let width = line.chars().count();
                assert!(width <= columns.max(76), "{width} columns at {columns}: {line}");
            }
        }
    }
}

#[test]
fn the_help_of_every_command_fits_80_columns_and_shows_examples_first() {
    for command in [
        &["--help"][..],
        &["compare", "--help"],
        &["lesson", "--help"],
        &["decode", "--help"],
        &["script", "--help"],
    ] {
        let output = netlayers(command).env("COLUMNS", "80").output().expect("it runs");
        let help = stdout(&output);
        assert!(help.trim_start().starts_with("Examples:"), "{command:?}: {help}");
        let examples = help.split("\n\n").next().expect("the first paragraph");
        for line in examples.lines().skip(1) {
            let example = line.trim_start();
            assert!(example.starts_with("netlayers") || example.contains("| netlayers"), "wrapped: {line}");
        }
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}

#[test]
fn the_packet_list_says_what_a_frame_is_even_when_much_befell_it() {
    let faults = ["--duplicate", "100%", "--reorder", "50%", "--only", "tcp", "--view", "table"];
    let output = netlayers(&["compare", "x"]).args(faults).env("COLUMNS", "80").output().expect("it runs");
    let list = stdout(&output);
    assert!(
        list.contains("[doubled, held back] SYN, ACK") || list.contains("[doubled, held back] ACK"),
        "{list}"
    );
}

#[test]
fn colour_is_off_unless_a_terminal_or_the_user_asks_for_it() {
    assert!(!stdout(&run(&["compare"])).contains('\x1b'));
    assert!(stdout(&run(&["compare", "--color", "always"])).contains('\x1b'));
}

#[test]
fn json_is_json_with_a_schema() {
    for (args, schema) in [
        (&["compare", "x", "--json"][..], "netlayers.compare/2"),
        (&["compare", "x", "--only", "tcp", "--view", "json"], "netlayers.trace/1"),
        (&["compare", "x", "--wire", "real", "--json"], "netlayers.compare/2"),
        (&["race", "newreno", "--time", "100ms", "--json"], "netlayers.race/1"),
    ] {
        let output = run(args);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(value["schema"], schema, "{args:?}");
    }
}

#[test]
fn plots_have_axes_with_units_a_legend_and_80_columns() {
    let args =
        ["compare", "--file", "LICENSE-MIT", "--only", "tcp", "--cc", "cubic", "--loss", "10%", "--view"];
    for (view, shown) in [
        ("plot:cwnd", ["c cwnd", "f in flight", "kB"]),
        ("plot:rtt", ["o RTO", "r RTT sample", "ms"]),
        ("plot:seq", ["a ACK", "d data", "B"]),
        ("plot:throughput", ["frames sent by client", "read by server", "bit/s"]),
        ("plot:queue", ["client, link 0", "waiting", "frames"]),
    ] {
        let said = stdout(&run(&[&args[..], &[view]].concat()));
        for word in shown {
            assert!(said.contains(word), "no {word} in {view}:\n{said}");
        }
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
        assert!(said.contains('┤') && said.contains(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{said}");
        assert!(stdout(&run(&[&args[..], &[view, "--ascii"]].concat())).is_ascii());
    }
    let said = refused(&["compare", "x", "--view", "plot:cwn"], 2);
    assert!(said.contains("plot:throughput") && said.contains("'plot:cwnd'"), "{said}");
}

#[test]
fn a_race_says_who_got_how_much_and_the_same_each_time() {
    let args = ["race", "newreno", "cubic", "--time", "3s", "--loss", "1%", "--seed", "7"];
    let (first, second) = (run(&args), run(&args));
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(first.stdout, second.stdout);
    let said = stdout(&first);
    for word in ["goodput", "Jain's index", "found the queue full", "1 newreno   2 cubic", "kB", "time s"] {
        assert!(said.contains(word), "no {word} in:\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert!(stdout(&run(&[&args[..], &["--ascii", "--view", "plot:queue"]].concat())).is_ascii());
    let document = run(&[&args[..], &["--json"]].concat());
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).expect("JSON");
    let shares: f64 = (0..2).map(|flow| document["flows"][flow]["share"].as_f64().expect("a share")).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    assert!(document["jain"].as_f64() > Some(0.5) && document["bottleneck"]["lost"].as_u64() > Some(0));
    let said = refused(&["race", "cubik"], 2);
    assert!(
        said.contains("expected none, tahoe, reno, newreno") && said.contains("did you mean cubic?"),
        "{said}"
    );
}

#[test]
fn goodput_over_loss_stands_beside_the_law() {
    let args = ["race", "newreno", "cubic", "--view", "plot:loss", "--time", "1s", "--rate", "2mbit"];
    let said = stdout(&run(&args));
    for word in ["law Mbit/s", "0.25", "8.00", "L law: 1.22 MSS", "1 newreno", "2 cubic", "Mbit/s", "loss %"]
    {
        assert!(said.contains(word), "no {word} in:\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert!(stdout(&run(&[&args[..], &["--ascii"]].concat())).is_ascii());
    let said = refused(&[&args[..], &["--loss", "1%"]].concat(), 2);
    assert!(said.contains("turns the loss itself"), "{said}");
    let many = ["none", "tahoe", "reno", "newreno", "cubic", "--view", "plot:loss"];
    assert!(refused(&[&["race"], &many[..]].concat(), 2).contains("at most 4 controls, got 5"));
}

#[test]
fn a_plot_in_a_picture_is_made_of_curves() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("race.svg");
    let args = ["race", "newreno", "cubic", "--time", "2s", "--svg"];
    let output = run(&[&args[..], &[path.to_str().expect("a path in UTF-8")]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let svg = std::fs::read_to_string(&path).expect("the picture");
    // One for each flow, in different dashes, and the words of the legend.
    assert_eq!(svg.matches(" stroke-width=\"1.8\"").count(), 2, "{svg}");
    assert_eq!(svg.matches("stroke-dasharray=\"7 3\"").count(), 1, "{svg}");
    for word in [">1 newreno<", ">cwnd kB<", ">time s<", "congestion windows; cwnd over time; newreno, cubic"]
    {
        assert!(svg.contains(word), "no {word} in {svg}");
    }
}

#[test]
fn compare_has_one_schema_on_every_wire() {
    let document = |args: &[&str]| -> serde_json::Value {
        let output = run(&[&["compare", "hello", "--json"][..], args].concat());
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let sim = document(&[]);
    let real = document(&["--wire", "real"]);
    assert_eq!(keys("", &sim, &real), keys("", &real, &sim));
    assert!(keys("", &sim, &real).contains(&"/ways/retransmitted".to_owned()));
    assert_eq!((&sim["wire"], &real["wire"]), (&"sim".into(), &"real".into()));
    assert_eq!(sim["conditions"]["delay_ns"], 20_000_000);
    assert_eq!(sim["conditions"]["rate_bits_per_second"], 10_000_000);
    assert_eq!(sim["conditions"]["mss"], 1460);
    assert_eq!(sim["conditions"]["datagram"], 1472);
    // What the system decides by itself is no condition of ours.
    assert!(real["conditions"]["loss"].is_null() && real["conditions"]["mss"].is_null());
    assert_eq!(real["conditions"]["datagram"], 1472);
    let turned = document(&["--wire", "real", "--mss", "500"]);
    assert_eq!(turned["conditions"]["mss"], 500);
}

/// The path of every key in a document; of a list, those of its first item; below what is null in `other`, none.
fn keys(path: &str, value: &serde_json::Value, other: &serde_json::Value) -> Vec<String> {
    use serde_json::Value;
    match (value, other) {
        (Value::Object(fields), Value::Object(_)) => fields
            .iter()
            .flat_map(|(key, value)| {
                let path = format!("{path}/{key}");
                [vec![path.clone()], keys(&path, value, &other[key])].concat()
            })
            .collect(),
        (Value::Array(items), Value::Array(_)) => keys(path, &items[0], &other[0]),
        _ => Vec::new(),
    }
}

#[test]
fn a_knob_refuses_a_negative_number_in_its_own_words() {
    for (args, expected) in [
        (&["compare", "--loss", "-5%"][..], "expected 0% to 100%"),
        (&["compare", "--delay", "-5ms"], "expected a time with its unit"),
        (&["compare", "--rate", "-1mbit"], "expected bits per second"),
        (&["compare", "--mtu", "-1"], "expected 68 to 65535 bytes"),
        (&["compare", "--datagram", "-1"], "expected 1 to 65507 bytes"),
        (&["compare", "--seed", "-1"], "expected a whole number, such as 1"),
        (&["race", "cubic", "--time", "-1s"], "expected a time with its unit"),
        (&["lesson", "handshake", "--delay", "-5ms"], "expected a time with its unit"),
        (&["lesson", "udp", "--sends", "-1"], "expected 1 to 100, such as 3"),
    ] {
        let said = refused(args, 2);
        assert!(said.contains(expected), "{args:?} said: {said}");
    }
}

#[test]
fn real_sockets_deliver_and_the_differences_are_explained() {
    let output = run(&["compare", "hello, layers", "--wire", "real"]);
    let said = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    for expected in [
        "TCP: the message arrived byte for byte",
        "WebSocket over TCP: the message arrived and came back, byte for byte",
        "where the simulation differs",
        "expected because",
        "local address",
    ] {
        assert!(said.contains(expected), "{expected:?} is missing in:\n{said}");
    }
}

#[test]
fn knobs_out_of_range_are_answered_with_what_was_expected() {
    for (args, expected) in [
        (&["compare", "--loss", "150%"][..], "0% to 100%"),
        (&["compare", "--mtu", "20"], "68 to 65535"),
        (&["compare", "--mss", "0"], "1 to 65495 bytes"),
        (&["compare", "--mss", "1461"], "at most 1460"),
        (&["compare", "--mtu", "576", "--mss", "600"], "at most 536"),
        (&["compare", "--delay", "20"], "20ms"),
        (&["compare", "--rate", "fast"], "10mbit"),
        (&["compare", "--seed", "-1"], "--seed"),
        (&["compare", "--view", "picture"], "ladder"),
        (&["compare", "--wire", "real", "--loss", "5%"], "--wire sim"),
        (&["compare", "--wire", "real", "--pcap", "x.pcapng"], "tcpdump"),
        (&["comapre"], "compare"),
        (&["compare", "--los", "5%"], "--loss"),
        (&["compare", "a", "--file", "b"], "--file"),
        (&["decode", "zz"], "character 0"),
        (&["decode", "450"], "even number"),
        (&["decode", ""], "no bytes"),
    ] {
        let said = refused(args, 2);
        assert!(said.contains(expected), "{args:?} said: {said}");
    }
}

#[test]
fn what_cannot_be_read_fails_with_the_reason() {
    let directory = env!("CARGO_MANIFEST_DIR");
    assert!(refused(&["compare", "--file", "no/such/file"], 1).contains("no such file"));
    assert!(refused(&["compare", "--file", directory], 1).contains("directory"));
    assert!(refused(&["decode", "no-such.pcap"], 1).contains("no file"));
    assert!(refused(&["decode", "Cargo.toml"], 1).contains("magic number"));
    assert!(refused(&["compare", "--pcap", "no/such/folder/x.pcapng"], 1).contains("no/such/folder"));
}

#[test]
fn a_message_beyond_the_limit_is_refused_and_one_at_the_limit_is_sent() {
    let too_large = scratch("too-large", &vec![0; (16 << 20) + 1]);
    assert!(refused(&["compare", "--file", text(&too_large)], 2).contains("16 MiB"));
    let empty = scratch("empty", b"");
    let output = run(&["compare", "--file", text(&empty)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("WebSocket over TCP: the message arrived"));
}

#[test]
fn a_message_can_come_from_standard_input() {
    let mut child = netlayers(&["compare", "--file", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(b"12345").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(value["message_bytes"], 5);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = netlayers(&["compare", "--file", "LICENSE-APACHE", "--view", "hex", "--whole"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn a_capture_that_we_wrote_is_read_back_and_a_cut_one_is_answered() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("run.pcapng");
    let output = run(&["compare", "hello", "--pcap", text(&path)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let listed = stdout(&run(&["decode", text(&path)]));
    assert!(listed.contains("GET / HTTP/1.1"), "{listed}");
    assert!(listed.contains("WebSocket  text"), "{listed}");

    let whole = std::fs::read(&path).expect("the capture is there");
    for cut in [1, 10, 100, whole.len() / 2, whole.len() - 1] {
        let cut_file = scratch("cut.pcapng", &whole[..cut]);
        let output = run(&["decode", text(&cut_file)]);
        assert_ne!(output.status.code(), None, "no crash at {cut}");
        assert!(!stderr(&output).contains("panicked"), "cut at {cut}: {}", stderr(&output));
        // Cut between two blocks it is a shorter capture; anywhere else it is damaged, and says where.
        assert!(
            output.status.success() || stderr(&output).contains("byte"),
            "cut at {cut}: {}",
            stderr(&output)
        );
    }
    let refused = refused(&["decode", text(&path), "--frame", "1000"], 1);
    assert!(refused.contains("no packet 1000"), "{refused}");
}

#[test]
fn decode_points_at_the_first_wrong_byte() {
    // A UDP datagram in IPv4 whose header checksum, at byte 10, is off by one.
    let packet = "4500001e d3fa0000 401192d3 0a000001 0a000002 c0002329 000aa044 6869";
    let output = run(&["decode", packet]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("IPv4 header checksum at byte 10"), "{}", stderr(&output));
    assert!(stdout(&output).contains("^^"), "{}", stdout(&output));
    let right = packet.replace("92d3", "92d2");
    assert!(run(&["decode", &right]).status.success());
}

#[test]
fn what_comes_from_outside_reaches_no_terminal_unescaped() {
    let file = scratch("escape", b"\x1b]0;owned\x07\x1b[2J hello \xe2\x80\xae evil");
    for view in ["ladder", "table", "hex", "header", "layers"] {
        let output = run(&["compare", "--file", text(&file), "--view", view]);
        let said = stdout(&output);
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(output.status.success());
        assert!(!said.contains(bad), "--view {view} lets a control character through");
    }
    let said = stderr(&run(&["decode", "\x1b[31mzz"]));
    assert!(!said.contains('\x1b'), "{said:?}");
}

#[test]
fn without_arguments_it_says_what_there_is_and_what_to_type_next() {
    let output = run(&[]);
    assert!(output.status.success());
    let said = stdout(&output);
    assert!(said.contains("next: netlayers lesson 1"), "{said}");
    assert!(said.contains("netlayers compare"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
}

#[test]
fn what_it_says_without_arguments_is_seen_at_once_on_80_by_24() {
    let printed = stdout(&run(&[]));
    let widest = printed.lines().map(|line| line.chars().count()).max();
    assert!(printed.lines().count() < 24 && widest <= Some(80), "{printed}");
    let narrow = stdout(&netlayers(&[]).env("COLUMNS", "40").output().expect("the program runs"));
    assert!(narrow.lines().count() > printed.lines().count(), "two columns have no room there: {narrow}");
}

#[test]
fn every_command_has_a_man_page() {
    for (args, expected) in [
        (&["man"][..], "netlayers \\- Shows what happens"),
        (&["man", "compare"], "netlayers\\-compare \\- Send one message"),
        (&["man", "lesson"], "netlayers\\-lesson \\- Play a lesson"),
        (&["man", "chat", "serve"], "netlayers\\-chat\\-serve \\- Serve the chat"),
    ] {
        let output = run(args);
        let page = stdout(&output);
        assert!(output.status.success() && page.contains(expected), "{args:?}: {page}");
    }
    assert!(stdout(&run(&["man", "compare"])).contains("How many of the frames are lost"));
    assert!(refused(&["man", "comapre"], 2).contains("expected one of compare"));
}

#[test]
fn shells_complete_the_names_of_lessons_and_words_and_the_values_of_knobs() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(&["completions", shell]));
        for expected in ["compare", "handshake", "segmentation", "sequence-number", "Socket.IO", "syn-ack"] {
            assert!(script.contains(expected), "{shell}: {expected} is missing");
        }
    }
}

#[test]
fn bash_completes_what_was_begun() {
    let complete = |words: &str| {
        let program = env!("CARGO_BIN_EXE_netlayers");
        let script = format!(
            "source <('{program}' completions bash); COMP_WORDS=(netlayers {words}); \
             COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); \
             _netlayers netlayers \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output();
        output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(lesson) = complete("lesson hand") else {
        assert!(std::env::var("NETLAYERS_PEERS").is_err(), "bash is missing");
        println!("DID NOT RUN: bash is missing");
        return;
    };
    assert_eq!(lesson, "handshake");
    assert_eq!(complete("explain sequence").as_deref(), Some("sequence-number"));
    assert_eq!(complete("lesson handshake --drop syn").as_deref(), Some("syn syn-ack"));
}

#[test]
fn the_help_of_a_lessons_knobs_says_which_values_they_take() {
    let help = stdout(&run(&["lesson", "--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "(which segment of the handshake is lost) [default: ack] [possible values: none, syn, syn-ack, ack]",
        "(how many datagrams the client sends; 1 to 100) [default: 3]",
        "(propagation delay of the link, one way; 0ms to 400ms) [default: 20ms]",
    ] {
        assert!(help.contains(expected), "{expected} is missing in: {help}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_cannot_be_written_is_an_error() {
    for args in [&["--help"][..], &["compare", "--help"], &["--version"], &["explain"], &["man"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device of Linux");
        let output = netlayers(args).stdout(full).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).starts_with("error: writing the result"), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_port_that_is_taken_is_answered_with_one_that_may_be_free() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for command in [&["ws", "echo"][..], &["chat", "serve", "--memory"], &["book", "serve"]] {
        let dest = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("served");
        let dest = ["--dest", text(&dest)];
        let more: &[&str] = if command[0] == "book" { &dest } else { &[] };
        let said = refused(&[command, &["--port", &port], more].concat(), 1);
        assert!(said.contains(&format!("port {port} of 127.0.0.1 is in use by another program")), "{said}");
        assert!(said.contains("--port 0 for any that is free"), "{said}");
    }
}

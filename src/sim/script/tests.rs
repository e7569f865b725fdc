//! The language itself: what is read, what is refused with which words, and how a line fails.

use proptest::prelude::*;

use super::*;

fn played(text: &str) -> Result<(), Failure> {
    let script = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    play(&script).ending
}

fn refused(text: &str) -> String {
    parse(text.as_bytes()).expect_err("it is no script").to_string()
}

fn failed(text: &str) -> String {
    played(text).expect_err("it does not hold").to_string()
}

const OPEN: &str = "\
# A handshake
mss 1000
 connect
 > SYN seq=0 win=65535 <mss=1000 wscale=0>
+20ms < SYN ACK seq=0 ack=1 win=8000 <mss=1000>
 > ACK seq=1 ack=1
 state ESTABLISHED
";

fn open(more: &str) -> String {
    format!("{OPEN}{more}")
}

#[test]
fn what_is_not_said_of_a_segment_is_what_a_peer_would_say() {
    let script = open(
        "write 2500\n> ACK len=1000 seq=1\n> ACK len=1000 seq=1001\n+20ms < ACK\n> ACK PSH len=500 seq=2001\n\
         +20ms < ACK FIN len=10\n> ACK seq=2501 ack=12\nread 10\nread end\nstate CLOSE-WAIT\nclose\n\
         > FIN ACK\n< ACK\nstate CLOSED\nevent closed\n",
    );
    assert_eq!(played(&script), Ok(()));
}

#[test]
fn a_line_that_does_not_hold_says_what_was_expected_and_what_came() {
    for (more, said) in [
        (
            "write 10\n> ACK PSH seq=1 ack=1 len=11",
            "line 9: expected > ACK PSH seq=1 ack=1 len=11 at 20.000 ms, got > ACK PSH seq=1 ack=1 len=10 win=65535 at 20.000 ms; other than said: len",
        ),
        ("+5ms > ACK", "line 8: expected +5ms > ACK, got nothing until 25.000 ms"),
        (
            "write 10\nquiet 1ms",
            "got > ACK PSH seq=1 ack=1 len=10 win=65535 at 20.000 ms, of which no line speaks",
        ),
        ("write 10", "line 9: expected the end of the script, got > ACK PSH"),
        ("state CLOSED", "line 8: expected state CLOSED (CLOSED), got ESTABLISHED"),
        ("info rto=2s", "line 8: expected info rto=2s (2 s), got 1 s"),
        ("read 5", "expected read 5 (5 bytes), got nothing"),
        ("event closed", "expected event closed, got Connected"),
        ("@1ms close", "got a time before the line above, at 20.000 ms"),
    ] {
        let got = failed(&open(more));
        assert!(got.contains(said), "{got}\n{said}");
    }
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_column_with_what_was_meant() {
    for (text, said) in [
        ("cc newrono\n", "line 1, column 4: expected one of: none,"),
        ("cc newrono\n", "got 'newrono'; did you mean newreno?"),
        (
            "sakc yes",
            "line 1, column 1: expected a knob of TCP, a segment or a call, got 'sakc'; did you mean sack?",
        ),
        (
            " conect",
            "line 1, column 2: expected a knob of TCP, a segment or a call, got 'conect'; did you mean connect?",
        ),
        (
            "connect\n > SYM seq=0",
            "line 2, column 4: expected a flag such as SYN or ACK, or seq=, ack=, len=, win=, urg= or <options>, got 'SYM'; did you mean SYN?",
        ),
        ("connect\n > SYN sec=0", "column 8: expected seq=, ack=, len=, win= or urg=, got 'sec=0'"),
        ("< SYN seq=x", "column 11: expected a number that counts from the SYN, such as 1001, got 'x'"),
        ("< SYN <mss=1460 wcsale=3>", "column 17: expected an option: mss="),
        ("< SYN <mss=1460", "column 7: expected '>' after the options, got '<mss=1460'"),
        ("connect\nstate ESTABLISHD", "got 'ESTABLISHD'; did you mean ESTABLISHED?"),
        ("+20 connect", "column 2: expected a time with its unit"),
        ("+1s..2s close", "expected > after a time from..to"),
        (
            "connect\nwrite",
            "line 2, column 7: expected how many bytes, such as 1000, got the end of the line",
        ),
        ("min-rto", "line 1, column 9: expected its value, got the end of the line"),
        ("listen now", "column 8: expected the end of the line, got 'now'"),
        (
            "connect\nmss 1000",
            "line 2, column 1: expected < or > and a segment, or a call such as write, got 'mss'",
        ),
    ] {
        let got = refused(text);
        assert!(got.contains(said), "{got}\n{said}");
    }
    assert_eq!(
        parse(b"listen\n\xff").expect_err("no text").to_string(),
        "line 2, column 1: expected text in UTF-8, got bytes that are none"
    );
}

#[test]
fn a_story_has_a_line_for_each_line_and_for_what_was_sent() {
    let script = parse(open("write 10\nstate CLOSED").as_bytes()).expect("it reads");
    let story = play(&script).story.join("\n");
    assert!(story.contains("20.000 ms  < SYN ACK seq=0 ack=1 win=8000 <mss=1000>"), "{story}");
    assert!(story.ends_with("20.000 ms  > ACK PSH seq=1 ack=1 len=10 win=65535"), "{story}");
}

fn word() -> impl Strategy<Value = String> {
    let known = "connect listen accept < > SYN ACK FIN RST PSH !PSH CE ECT URG seq=0 ack=1 len=9 win=0 urg=3 <mss=9> \
                 <ts> <ts=*/4> <sack=1-2,3-4> <option=254:ca> write read 10 end nothing takes fails close abort shutdown \
                 set nodelay keep-alive user-timeout none yes icmp too-big 576 quiet 1ms state CLOSED info rto=1s \
                 event connected +1ms @5ms +1ms..2ms # cc newreno isn 4294967295 -4 = .. é"
        .split(' ')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    prop::sample::select(known)
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_words_are_refused_or_played_to_an_end(
        lines in prop::collection::vec(prop::collection::vec(word(), 0..6), 0..12),
    ) {
        let text: Vec<String> = lines.iter().map(|words| words.join(" ")).collect();
        let text = text.join("\n");
        match parse(text.as_bytes()) {
            Ok(script) => drop(play(&script)),
            Err(error) => prop_assert!(error.line <= lines.len() && error.column > 0, "{}", error),
        }
    }
}

//! `netlayers decode` as its users meet it: captures of every kind of origin, filters, and output for other programs.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs the program with bytes on its standard input, away from any terminal.
fn run(args: &[impl AsRef<OsStr>], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    for name in ["COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    let input = input.to_vec();
    // What refuses its input early closes it: no matter.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join().expect("the writer ends");
    output
}

/// What it prints when it succeeds.
fn said(args: &[&str], input: &[u8]) -> String {
    let output = run(args, input);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).expect("it is UTF-8")
}

fn refused(args: &[&str], input: &[u8]) -> String {
    let output = run(args, input);
    assert!(!output.status.success(), "{args:?}");
    let errors = String::from_utf8(output.stderr).expect("it is UTF-8");
    assert!(errors.contains("error: ") && !errors.contains("panicked"), "{errors}");
    errors
}

/// The capture of a run: UDP, TCP and WebSocket.
fn capture() -> Vec<u8> {
    let output = run(&["compare", "hello", "--pcap", "-"], b"");
    assert!(output.status.success());
    assert!(output.stdout.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]), "a capture, and nothing before it");
    output.stdout
}

/// The same, compressed by hand: stored blocks (RFC 1951 §3.2.4), so that no compressor is needed.
fn gzipped(data: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = data.chunks(60_000).count();
    for (i, block) in data.chunks(60_000).enumerate() {
        file.push(u8::from(i + 1 == blocks));
        let len = block.len() as u16;
        file.extend(len.to_le_bytes());
        file.extend((!len).to_le_bytes());
        file.extend(block);
    }
    file.extend(netlayers::layers::physical::crc32::crc32(data).to_le_bytes());
    file.extend((data.len() as u32).to_le_bytes());
    file
}

fn scratch(name: impl AsRef<OsStr>, contents: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name.as_ref());
    std::fs::write(&path, contents).expect("a scratch file can be written");
    path
}

#[test]
fn a_capture_is_read_from_a_file_a_pipe_and_compressed() {
    let capture = capture();
    let path = scratch("decode.pcapng", &capture);
    let listed = said(&["decode", path.to_str().unwrap()], b"");
    assert!(listed.contains("GET / HTTP/1.1") && listed.contains("SYN Seq=0"), "{listed}");
    assert_eq!(said(&["decode", "-"], &capture), listed);
    assert_eq!(said(&["decode", "-"], &gzipped(&capture)), listed);
    let packed = scratch("decode.pcapng.gz", &gzipped(&capture));
    assert_eq!(said(&["decode", packed.to_str().unwrap()], b""), listed);
    // A capture that breaks off is shown up to there, and the end of it is said.
    let output = run(&["decode", "-"], &capture[..capture.len() - 10]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).lines().count() > 10);
    assert!(String::from_utf8_lossy(&output.stderr).contains("in the middle of a block"));
}

#[cfg(unix)]
#[test]
fn names_are_taken_as_the_system_has_them_and_devices_for_files() {
    use std::os::unix::ffi::OsStrExt as _;
    let capture = capture();
    let path = scratch(OsStr::from_bytes(b"caf\xe9.pcapng"), &capture);
    let output = run(&[OsStr::new("decode"), path.as_os_str()], b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What has no end to seek to, and is no regular file.
    let piped = said(&["decode", "/dev/stdin"], &capture);
    assert_eq!(piped, String::from_utf8(output.stdout).expect("it is UTF-8"));
    std::fs::remove_file(path).expect("it was there");
}

#[test]
fn a_hexdump_is_a_packet_wherever_it_comes_from() {
    let packet = "4500001ed3fa0000401192d20a0000010a000002c0002329000aa0446869";
    let header = said(&["decode", packet, "--view", "header"], b"");
    let own = said(&["decode", packet, "--view", "hex"], b"");
    let xxd = "00000000: 4500 001e d3fa 0000 4011 92d2 0a00 0001  E.......@.......\n\
               00000010: 0a00 0002 c000 2329 000a a044 6869       ......#)...Dhi\n";
    // The letters are Latin-1: a byte that is no UTF-8.
    let latin = b"0000   45 00 00 1e d3 fa 00 00 40 11 92 d2 0a 00 00 01   E...\xd3\xfa..@.......\n\
                  0010   0a 00 00 02 c0 00 23 29 00 0a a0 44 68 69         ....\xc0.#)..\xa0Dhi\n";
    for text in [own.as_bytes(), xxd.as_bytes(), latin, packet.as_bytes()] {
        assert_eq!(
            said(&["decode", "-", "--view", "header"], text),
            header,
            "{}",
            String::from_utf8_lossy(text)
        );
    }
    // Two of them are a list.
    let two = format!("{xxd}\n{xxd}");
    assert_eq!(said(&["decode", "-"], two.as_bytes()).matches("49152 > 9001 Len=2").count(), 2);
    assert_eq!(said(&["decode", "-"], two.as_bytes()).matches("10.0.0.1:49152 > 10.0.0.2:9001").count(), 2);
    assert!(refused(&["decode", "-"], b"0000  45 00\n0010  00 01").contains("missing"));
    assert!(refused(&["decode", "-"], b"hello").contains("not hexadecimal"));
    assert!(refused(&["decode", "-"], b"\x7fELF\x00\x01").contains("magic number"));
}

#[test]
fn filters_and_conversations_choose_packets() {
    let capture = capture();
    let count = |args: &[&str]| {
        let args = [&["decode", "-"][..], args].concat();
        said(&args, &capture).lines().filter(|line| line.contains(" ms ")).count()
    };
    let (all, udp, tcp) = (count(&[]), count(&["--filter", "udp"]), count(&["--filter", "tcp"]));
    assert!(udp > 0 && tcp > 0 && udp + tcp == all, "{udp} + {tcp} = {all}");
    assert_eq!((count(&["--filter", "ip"]), count(&["--filter", "arp"])), (all, 0));
    assert_eq!(count(&["--filter", "host 10.0.0.1"]), all);
    assert_eq!(count(&["--filter", "http"]), 2);
    assert!(refused(&["decode", "-", "--filter", "htp"], &capture).contains("expected"));

    let listed = said(&["decode", "-", "--view", "conversations"], &capture);
    let of = |what: &str| {
        let line = listed.lines().find(|line| line.contains(what)).expect("it is there");
        line.split_whitespace().next().expect("a number").to_owned()
    };
    let http = of("GET / HTTP/1.1");
    let conversation = said(&["decode", "-", "--conversation", &http], &capture);
    assert!(conversation.contains("GET /") && !conversation.contains("UDP"), "{conversation}");
    assert!(refused(&["decode", "-", "--conversation", "99"], &capture).contains("--view conversations"));
}

#[test]
fn lines_are_whole_when_nobody_watches() {
    let capture = capture();
    let narrow = said(&["decode", "-"], &capture);
    let longest = narrow.lines().map(|line| line.chars().count()).max();
    assert!(longest > Some(80), "{longest:?}");
    assert!(!narrow.contains('…'), "nothing is cut");
}

#[test]
fn json_is_one_document_with_a_packet_a_line() {
    let capture = capture();
    let text = said(&["decode", "-", "--json"], &capture);
    let document: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(document["schema"], "netlayers.decode/1");
    let packets = document["packets"].as_array().expect("a list");
    assert_eq!(packets.len() + 2, text.lines().count());
    let request = packets
        .iter()
        .find(|packet| packet["info"].as_str().is_some_and(|info| info.contains("GET / HTTP/1.1")))
        .expect("the request");
    assert_eq!((&request["protocol"], &request["link"]), (&"HTTP".into(), &"ethernet".into()));
    assert_eq!(request["captured"], request["len"]);
    assert!(request["conversation"].is_u64() && request["problems"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(request["parts"][1]["fields"][8]["name"], "TTL");
    // What is filtered out leaves its number behind.
    let filtered = said(&["decode", "-", "--json", "--filter", "http"], &capture);
    let filtered: serde_json::Value = serde_json::from_str(&filtered).expect("it is JSON");
    assert_eq!(filtered["packets"][0]["number"], request["number"]);
    let none = said(&["decode", "-", "--json", "--filter", "port 1"], &capture);
    let none: serde_json::Value = serde_json::from_str(&none).expect("it is JSON");
    assert_eq!(none["packets"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_conversation_is_drawn_as_a_ladder_and_as_a_diagram_for_markdown() {
    let capture = capture();
    let listed = said(&["decode", "-", "--view", "conversations"], &capture);
    let line = listed.lines().find(|line| line.contains("GET / HTTP/1.1")).expect("it is there");
    let words: Vec<&str> = line.split_whitespace().collect();
    let (number, ends) = (words[0], &words[2..4]);

    let ladder = said(&["decode", "-", "--view", "ladder", "--conversation", number], &capture);
    for end in ends {
        assert!(ladder.lines().next().expect("a head").contains(end), "{end}: {ladder}");
    }
    assert!(ladder.contains("SYN seq=0") && ladder.contains("GET / ") && ladder.contains("►"), "{ladder}");
    // A capture does not tell what arrived.
    assert!(!ladder.contains("delivered") && !ladder.contains("on its way"), "{ladder}");

    let diagram = said(&["decode", "-", "--view", "mermaid", "--conversation", number], &capture);
    let lines: Vec<&str> = diagram.lines().map(str::trim_start).collect();
    assert_eq!((lines[0], lines[1], lines[lines.len() - 1]), ("```mermaid", "sequenceDiagram", "```"));
    assert_eq!(
        lines[2..4],
        [format!("participant h0 as {}", ends[0]), format!("participant h1 as {}", ends[1])]
    );
    assert!(
        lines.iter().any(|line| line.starts_with("h0->>h1: ") && line.contains("GET / HTTP/1.1")),
        "{diagram}"
    );

    // Without a choice all hosts are in it, without their ports.
    let all = said(&["decode", "-", "--view", "mermaid"], &capture);
    assert!(all.contains("participant h0 as 10.0.0.1\n") && all.contains("datagram"), "{all}");
    let run = said(&["compare", "hello", "--only", "tcp", "--view", "mermaid"], b"");
    assert!(run.contains("participant h0 as client 10.0.0.1\n") && run.contains("h0->>h1: "), "{run}");
}

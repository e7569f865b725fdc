//! `netlayers chat join` as its users meet it: two people, a server, pipes instead of terminals.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Long enough for the slowest machine; nothing waits this long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that is running, and what it prints.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    fn start(args: &[&str]) -> Self {
        let mut child = command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = channel();
        forward(child.stdout.take().expect("piped"), sender.clone());
        forward(child.stderr.take().expect("piped"), sender);
        Program { stdin: child.stdin.take(), child, lines, seen: Vec::new() }
    }

    fn join(url: &str, name: &str, more: &[&str]) -> Self {
        let args: Vec<&str> =
            ["chat", "join", url, "--name", name].into_iter().chain(more.iter().copied()).collect();
        let mut program = Program::start(&args);
        program.wait("-- in #");
        program
    }

    fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("it reads");
    }

    /// The next line that has `part` in it.
    fn wait(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no line with {part:?}; there were:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// A line that has `part` in it, were it before those waited for: results and remarks come by two pipes, and which
    /// of two lines on different ones is read first is not known.
    fn find(&mut self, part: &str) -> String {
        let known = self.seen.iter().find(|line| line.contains(part)).cloned();
        known.unwrap_or_else(|| self.wait(part))
    }

    /// The end of the input; the exit code, and all that was printed.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let code = self.child.wait().expect("it ends").code();
        self.seen.extend(self.lines.iter());
        (code, self.seen.join("\n"))
    }

    fn kill(&mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlayers"));
    command.args(args).env("NO_COLOR", "1").env_remove("COLUMNS");
    command
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // It may have ended before it read anything.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn forward(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

/// `netlayers chat serve` on a port (0 for a free one), kept in a folder or, without one, in memory; and its address.
fn serve(port: &str, data: &str) -> (Program, String) {
    let kept = if data.is_empty() { vec!["--memory"] } else { vec!["--data", data] };
    let args: Vec<&str> = ["chat", "serve", "--port", port].into_iter().chain(kept).collect();
    let mut program = Program::start(&args);
    let line = program.wait("listening on ");
    let url = line.split("listening on ").nth(1).expect("an address").trim().to_owned();
    (program, url)
}

#[test]
fn two_people_talk_and_each_sees_the_same_in_the_same_order() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &["--room", "tea"]);
    let mut bob = Program::join(&url, "bob", &["--room", "#tea"]);
    ada.wait("bob joined");
    ada.say("hello");
    bob.wait("#tea ada: hello");
    bob.say("hello yourself");
    ada.wait("#tea ada: hello");
    ada.wait("#tea bob: hello yourself");
    bob.say("/who");
    let who = bob.wait("#tea: ");
    assert!(who.contains("ada") && who.contains("bob (you)"), "{who}");
    bob.say("/rooms");
    assert!(bob.wait("2 people").starts_with("#tea"));
    bob.say("/nick robert");
    ada.wait("bob is now robert");
    let (code, _) = bob.end();
    assert_eq!(code, Some(0));
    ada.wait("robert left");
}

#[test]
fn history_is_shown_to_who_comes_later_and_older_messages_on_request() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &[]);
    for i in 0..60 {
        ada.say(&format!("message {i}"));
    }
    ada.wait("message 59");
    let mut bob = Program::join(&url, "bob", &[]);
    let first = bob.find("message 10  (");
    assert!(first.starts_with("· #lobby ada: message 10") || first.starts_with(". "), "{first}");
    bob.find("message 59  (");
    bob.say("/history");
    bob.wait("message 0  (");
    bob.wait("message 9  (");
    let (_, all) = bob.end();
    assert_eq!(all.matches("ada: message ").count(), 60, "each once:\n{all}");
}

#[test]
fn what_is_said_to_one_is_heard_by_one_and_rooms_are_kept_apart() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &[]);
    let mut bob = Program::join(&url, "bob", &[]);
    let mut eve = Program::join(&url, "eve", &[]);
    ada.say("/msg bob the door is open");
    let line = bob.wait("the door is open");
    assert!(line.contains("ada") && line.contains("bob") && !line.contains('#'), "{line}");
    ada.say("/join attic");
    ada.wait("-- in #attic");
    ada.say("up here");
    ada.wait("#attic ada: up here");
    ada.say("/join lobby");
    ada.say("/leave attic");
    ada.wait("left #attic");
    ada.say("down again");
    eve.wait("#lobby ada: down again");
    let (_, all) = eve.end();
    assert!(!all.contains("door") && !all.contains("up here"), "{all}");
    ada.say("/msg nobody hello");
    ada.wait("nobody here is called nobody");
    ada.say("/jion tea");
    ada.wait("did you mean /join?");
}

#[test]
fn nothing_that_others_say_or_are_called_acts_on_a_terminal() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &["--xray=full"]);
    let mut bob = Program::join(&url, "bob", &[]);
    bob.say("a\u{1b}[2Jb\u{1b}]0;title\u{7}c\u{9b}31md\u{202e}e\u{7f}");
    let line = ada.wait("bob: a");
    ada.wait("below: the kernel's");
    bob.end();
    let (_, all) = ada.end();
    let acting = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!all.chars().any(acting), "{all:?}");
    assert!(!line.chars().any(acting), "{line:?}");
}

#[test]
fn the_xray_goes_down_the_layers_under_each_message_in_80_columns() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &["--xray=full"]);
    ada.say("hello, layers");
    ada.wait("hello, layers");
    let (_, all) = ada.end();
    for part in [
        "GET /socket.io/?EIO=4&transport=websocket",
        "101 Switching Protocols",
        r#"["say","lobby","hello, layers""#,
        "type 2 EVENT, namespace /, ack id",
        "type 4 message",
        "FIN 1, opcode 1, MASK 1 ",
        "FIN 1, opcode 1, MASK 0",
        "written by this program; below: the kernel's, computed",
        "127.0.0.1 to 127.0.0.1",
    ] {
        assert!(all.contains(part), "no {part:?} in\n{all}");
    }
    if cfg!(target_os = "linux") {
        assert!(all.contains("ESTABLISHED, cwnd "), "{all}");
    }
    let long: Vec<&str> = all.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_xray_in_short_is_one_sum_a_message() {
    let (_server, url) = serve("0", "");
    let mut ada = Program::join(&url, "ada", &["--xray"]);
    ada.say("hello, layers");
    ada.wait("hello, layers");
    let (_, all) = ada.end();
    assert!(all.contains("event + 2 Socket.IO + 1 Engine.IO + 6 WebSocket + "), "{all}");
    let sums = all.lines().filter(|line| line.starts_with("  sent: ") || line.starts_with("  received: "));
    assert!((5..20).contains(&sums.count()) && !all.contains("FIN 1, opcode"), "{all}");
}

/// A folder of its own, that is gone afterwards.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_server_that_is_killed_and_begins_again_costs_nobody_a_message() {
    let folder = Folder::new("chat-join");
    let data = folder.0.to_str().expect("a path that is text");
    let (mut server, url) = serve("0", data);
    let port = url.rsplit(':').next().expect("a port").to_owned();
    let mut ada = Program::join(&url, "ada", &[]);
    let mut bob = Program::join(&url, "bob", &[]);
    ada.say("before");
    bob.wait("ada: before");
    server.kill();
    ada.wait("-- connection lost");
    bob.wait("-- connection lost");
    ada.say("while it was down");
    ada.wait("waits for the connection");
    let (_server, _) = serve(&port, data);
    for who in [&mut ada, &mut bob] {
        who.wait("-- connected again as the one you were");
    }
    bob.wait("ada: while it was down");
    bob.say("after");
    ada.wait("bob: after");
    for who in [ada, bob] {
        let (code, all) = who.end();
        assert_eq!(code, Some(0), "{all}");
        for once in ["ada: before", "ada: while it was down", "bob: after"] {
            assert_eq!(all.matches(once).count(), 1, "{once}:\n{all}");
        }
    }
}

#[test]
fn a_server_that_has_forgotten_everybody_is_joined_anew_and_what_waits_is_said() {
    let (mut server, url) = serve("0", "");
    let port = url.rsplit(':').next().expect("a port").to_owned();
    let mut ada = Program::join(&url, "ada", &["--room", "tea"]);
    server.kill();
    ada.wait("-- connection lost");
    ada.say("still here");
    let (_server, _) = serve(&port, "");
    ada.wait("-- connected again, as a new client");
    ada.wait("#tea ada: still here");
    let (code, all) = ada.end();
    assert_eq!((code, all.matches("ada: still here").count()), (Some(0), 1), "{all}");
}

#[test]
fn a_script_says_what_it_has_to_say_and_leaves() {
    let (_server, url) = serve("0", "");
    let output = run(&["chat", "join", &url, "--name", "bot"], "one\n/who\n//two\n/quit\nnever\n");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text, "#lobby bot: one\n#lobby: bot (you)\n#lobby bot: /two\n");
}

#[test]
fn what_cannot_be_joined_is_told_with_what_to_do() {
    let output = run(&["chat", "join", "127.0.0.1:1", "--name", "ada"], "");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("start one with: netlayers chat serve"), "{text}");

    let (_server, url) = serve("0", "");
    let output = run(&["chat", "join", &format!("{url}/nowhere/"), "--name", "ada"], "");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("404"), "{text}");

    let _ada = Program::join(&url, "ada", &[]);
    let output = run(&["chat", "join", &url, "--name", "Ada"], "");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("taken") && text.contains("--name"), "{text}");
}

#[test]
fn a_wrong_command_line_is_told_as_one() {
    for args in
        [&["chat", "join"][..], &["chat", "join", "ftp://a"], &["chat", "join", "a:b"], &["chat", "dance"]]
    {
        let output = run(args, "");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
}

//! The event server from outside: stock clients of other people's making, and what no client of any making may do.

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// `examples/event_server` on a port of its own, ended with the test.
struct EventServer {
    child: Child,
    port: u16,
}

impl EventServer {
    fn start(profile: &str) -> Self {
        let mut child = Command::new(example())
            .args(["--port", "0", "--profile", profile])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let port = line.trim().strip_prefix("listening on 127.0.0.1:").and_then(|port| port.parse().ok());
        EventServer { port: port.unwrap_or_else(|| panic!("{line:?}")), child }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it accepts");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
        stream
    }

    /// Sends bytes, and reads until the server closes the connection.
    fn until_closed(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // It may answer and close before all is written.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn request(&self, method: &str, target: &str, fields: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let answer = self.until_closed(
            format!(
                "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n{fields}\r\n{body}"
            )
            .as_bytes(),
        );
        let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }

    /// A session by polling that has entered the main namespace; its id.
    fn session(&self) -> String {
        let (status, open) = self.request("GET", "/socket.io/?EIO=4&transport=polling", "", "");
        assert_eq!(status, 200, "{open}");
        let sid = open.split('"').nth(3).expect("a sid").to_owned();
        self.post(&sid, "40");
        let mut said = String::new();
        while !said.contains("auth") {
            said.push_str(&self.poll(&sid).1);
        }
        sid
    }

    fn poll(&self, sid: &str) -> (u16, String) {
        self.request("GET", &format!("/socket.io/?EIO=4&transport=polling&sid={sid}"), "", "")
    }

    fn post(&self, sid: &str, body: &str) -> (u16, String) {
        self.request("POST", &format!("/socket.io/?EIO=4&transport=polling&sid={sid}"), "", body)
    }

    /// A client that was there before, and one that comes now, are both served.
    fn assert_lives(&self, witness: &str) {
        for sid in [witness.to_owned(), self.session()] {
            assert_eq!(self.post(&sid, r#"42["message","still here"]"#).0, 200);
            let (status, said) = self.poll(&sid);
            assert!(
                status == 200 && said.starts_with(r#"42["message-back","still here""#),
                "{status} {said}"
            );
        }
    }
}

impl Drop for EventServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example, built by whoever comes first: cargo builds examples with all tests, and not with a single one.
fn example() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut folder = std::env::current_exe().expect("this test has a path");
        folder.pop();
        folder.pop();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", "event_server"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().is_ok_and(|status| status.success()), "the example builds");
        folder.join("examples/event_server")
    })
}

/// Runs a client's script in the folder where its packages are, for each transport.
fn run_client(program: &str, script: &str, profile: &str) {
    let Some(folder) = support::peers() else { return };
    let server = EventServer::start(profile);
    for transports in ["polling", "websocket", "polling,websocket"] {
        let output = Command::new(program.replace("{peers}", &folder.display().to_string()))
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
            .args([&server.port.to_string(), transports, profile])
            .current_dir(&folder)
            .output()
            .expect("the client runs");
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} by {transports}, {profile}:\n{said}\n{failed}");
        assert!(said.lines().filter(|line| line.starts_with("ok ")).count() >= 10, "{said}");
    }
}

#[test]
fn the_javascript_client_by_polling_by_websocket_and_with_upgrade() {
    run_client("node", "socketio.mjs", "suite");
}

#[test]
fn the_javascript_client_gets_what_it_missed() {
    run_client("node", "socketio.mjs", "chat");
}

#[test]
fn the_python_client_by_polling_by_websocket_and_with_upgrade() {
    run_client("{peers}/venv/bin/python", "socketio.py", "suite");
    run_client("{peers}/venv/bin/python", "socketio.py", "chat");
}

#[test]
fn deep_nesting_ends_the_one_who_sent_it() {
    let server = EventServer::start("chat");
    let witness = server.session();
    for open in ["[", r#"{"a":"#] {
        let offender = server.session();
        let nested = format!(r#"42["message",{}"#, open.repeat(5000));
        server.post(&offender, &nested);
        let (status, said) = server.poll(&offender);
        assert!(status == 400 || said.ends_with('1'), "{status} {said}");
    }
    server.assert_lives(&witness);
}

#[test]
fn a_declared_body_over_the_limit_is_refused_before_it_comes() {
    let server = EventServer::start("chat");
    let witness = server.session();
    let head = format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={witness} HTTP/1.1\r\nHost: h\r\nContent-Length: 2000001\r\n\r\n"
    );
    // Not one byte of the body is sent: the answer does not wait for it.
    let answer = server.until_closed(head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunked = head.replace("Content-Length: 2000001", "Transfer-Encoding: chunked") + "fffffff\r\n";
    let offender = server.session();
    let answer = server.until_closed(chunked.replace(&witness, &offender).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    server.assert_lives(&witness);
}

#[test]
fn nonsense_of_every_kind_disturbs_nobody() {
    let server = EventServer::start("chat");
    let witness = server.session();
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let long_head = format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(10_000));
    for nonsense in [
        "\0\u{1}\u{2}\r\n\r\n",
        "GET\r\n\r\n",
        &long_line,
        &long_head,
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = server.until_closed(nonsense.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer:?}");
    }
    for packet in [
        "4",
        "47",
        "42",
        "42[]",
        "42{}",
        r#"42["disconnect"]"#,
        "451-[\"e\"]\u{1e}4hi",
        "bAAAA",
        "\u{1e}",
        "9",
    ] {
        let offender = server.session();
        server.post(&offender, packet);
        let (status, said) = server.poll(&offender);
        assert!(status == 400 || said.ends_with('1'), "{packet:?}: {status} {said}");
    }
    // Many connections that say nothing, or begin and do not go on.
    let silent: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut stream = server.connect();
            if n % 2 == 0 {
                stream.write_all(b"GET /socket.io/?EIO").expect("it is open");
            }
            stream
        })
        .collect();
    server.assert_lives(&witness);
    drop(silent);
    server.assert_lives(&witness);
}

#[test]
fn a_page_from_elsewhere_may_not_connect() {
    let server = EventServer::start("chat");
    let open = "/socket.io/?EIO=4&transport=polling";
    let (status, body) = server.request("GET", open, "Origin: http://evil.example\r\n", "");
    assert_eq!((status, body.as_str()), (403, r#"{"code":4,"message":"Forbidden"}"#));
    assert_eq!(server.request("GET", open, "Origin: http://localhost:5173\r\n", "").0, 200);
    assert_eq!(server.request("OPTIONS", open, "Origin: http://localhost:5173\r\n", "").0, 204);
}

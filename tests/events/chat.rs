//! `netlayers chat serve` from outside: a stock client, browsers on its page, and what happens when it ends.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::stock_clients;
use super::support;

/// A chat server in a process of its own, ended with the test.
struct Chat {
    child: Child,
    port: u16,
    /// What it wrote to standard error.
    log: Arc<Mutex<String>>,
    /// Ends when standard error does: then all of it is in the log.
    reader: Option<JoinHandle<()>>,
}

impl Chat {
    fn serve(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_netlayers"))
            .args(["chat", "serve"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, written) = (child.stderr.take().expect("piped"), log.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                written.lock().expect("no panic").push_str(&(line + "\n"));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let port =
            line.trim().strip_prefix("listening on http://127.0.0.1:").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{line:?} {}", log.lock().expect("no panic")));
        Chat { child, port, log, reader: Some(reader) }
    }

    /// Ends it as an administrator would; its exit code.
    fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().is_ok_and(|status| status.success()));
        let code = self.child.wait().expect("it ends").code();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("it read all of the log");
        }
        code
    }

    fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// A request, and the whole answer.
    fn request(&self, head: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it accepts");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
        write!(stream, "{head}\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// A folder that is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("netlayers-chat-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A way to the server that can be cut.
struct Cable {
    port: u16,
    /// Both ends of what goes through it; nothing does while it is cut.
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Cable {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let cable = Cable {
            port: listener.local_addr().expect("an address").port(),
            open: Arc::new(Mutex::new(Some(Vec::new()))),
        };
        let open = cable.open.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut streams = open.lock().expect("no panic");
                let Some(streams) = streams.as_mut() else { continue };
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) =
                        (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Both);
                    });
                }
                streams.extend([near, far]);
            }
        });
        cable
    }

    fn cut(&self) {
        let streams = self.open.lock().expect("no panic").take();
        for stream in streams.into_iter().flatten() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    fn mend(&self) {
        *self.open.lock().expect("no panic") = Some(Vec::new());
    }
}

/// Runs a client's script against a server that keeps its log in `folder`; the script says when something is to
/// happen to the server, and when a check has passed. Returns how many have.
fn play(script: &str, folder: &Path) -> usize {
    let data = Folder::new(script);
    let mut chat = Chat::serve(&["--port", "0", "--data", data.name()]);
    let cable = Cable::to(chat.port);
    let port = chat.port.to_string();
    let mut client = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script))
        .args([&port, &cable.port.to_string()])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut answer = client.stdin.take().expect("piped");
    let said = BufReader::new(client.stdout.take().expect("piped"));
    let mut stderr = client.stderr.take().expect("piped");
    let (tell, complaint) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        let _ = tell.send(text);
    });
    let mut passed = 0;
    for line in said.lines().map_while(Result::ok) {
        match line.as_str() {
            "cut" => cable.cut(),
            "mend" => cable.mend(),
            "restart" => {
                assert_eq!(chat.terminate(), Some(0), "it ends well\n{}", chat.log());
                assert!(chat.log().contains(" info stopped"), "{}", chat.log());
                chat = Chat::serve(&["--port", &port, "--data", data.name()]);
            }
            "kill" => {
                chat.child.kill().expect("killed");
                chat.child.wait().expect("it ends");
                chat = Chat::serve(&["--port", &port, "--data", data.name()]);
            }
            "forget" => {
                chat.child.kill().expect("killed");
                chat.child.wait().expect("it ends");
                std::fs::remove_dir_all(&data.0).expect("its log is removed");
                chat = Chat::serve(&["--port", &port, "--data", data.name()]);
            }
            check => {
                assert!(check.starts_with("ok "), "{check}");
                passed += 1;
                continue;
            }
        }
        writeln!(answer, "done").expect("it listens");
    }
    let status = client.wait().expect("it ends");
    let complaint = complaint.recv().unwrap_or_default();
    assert!(
        status.success(),
        "{script}: {passed} checks passed, then:\n{complaint}\nthe server:\n{}",
        chat.log()
    );
    passed
}

#[test]
fn a_stock_client_chats_and_misses_nothing_when_the_server_ends_or_is_killed() {
    let Some(folder) = stock_clients::folder() else { return };
    assert_eq!(play("chat.mjs", &folder), 9);
}

#[test]
fn clients_that_poll_lose_nothing_and_get_nothing_twice_when_the_server_ends_or_is_killed() {
    let Some(folder) = stock_clients::folder() else { return };
    assert_eq!(play("chat_polling.mjs", &folder), 3);
}

#[test]
fn browsers_chat_on_the_page_and_miss_nothing() {
    let Some(folder) = stock_clients::folder() else { return };
    if support::peer("chromium").is_none() {
        return;
    }
    assert_eq!(play("chat_page.mjs", &folder), 14);
}

#[test]
fn the_page_is_served_with_everything_a_browser_should_know() {
    let chat = Chat::serve(&["--port", "0", "--memory"]);
    let page = chat.request("GET / HTTP/1.1\r\nHost: localhost");
    let (head, body) = page.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    for field in [
        "Content-Type: text/html; charset=utf-8",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; script-src 'self'",
    ] {
        assert!(head.contains(field), "{field}\n{head}");
    }
    assert!(body.starts_with("<!doctype html>"), "{body}");

    let alone = chat.request("HEAD / HTTP/1.1\r\nHost: localhost");
    let (head, body) = alone.split_once("\r\n\r\n").expect("a head");
    assert!(
        head.contains(&format!("Content-Length: {}", page.split_once("\r\n\r\n").expect("a body").1.len()))
    );
    assert_eq!(body, "");

    for (target, kind) in
        [("/chat.js", "text/javascript"), ("/style.css", "text/css"), ("/icon.svg", "image/svg+xml")]
    {
        let file = chat.request(&format!("GET {target} HTTP/1.1\r\nHost: localhost"));
        assert!(
            file.starts_with("HTTP/1.1 200 ") && file.contains(&format!("Content-Type: {kind}")),
            "{file}"
        );
    }
    assert!(chat.request("GET /page/chat.js HTTP/1.1\r\nHost: localhost").starts_with("HTTP/1.1 404 "));
    let open =
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example";
    assert!(chat.request(open).starts_with("HTTP/1.1 403 "));
}

#[test]
fn a_port_that_is_in_use_is_said_with_the_next_step() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let output = Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(["chat", "serve", "--memory", "--port", &port.to_string()])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(said.contains(&format!("port {port} of 127.0.0.1 is in use")), "{said}");
    assert!(said.contains("next: netlayers chat serve --port "), "{said}");
}

#[test]
fn a_folder_serves_one_chat_at_a_time_and_the_second_says_so() {
    let data = Folder::new("busy");
    let mut first = Chat::serve(&["--port", "0", "--data", data.name()]);
    let second = Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(["chat", "serve", "--port", "0", "--data", data.name()])
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("is in use by another program"), "{said}");
    assert_eq!(first.terminate(), Some(0));
}

#[test]
fn names_from_the_network_are_escaped_in_the_log() {
    let chat = Chat::serve(&["--port", "0", "--memory"]);
    let open = chat.request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost");
    let sid =
        open.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a sid").to_owned();
    let connect = "40{\"name\":\"\\u001b[2J\\nevil\"}";
    let answer = chat.request(&format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{connect}",
        connect.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for _ in 0..100 {
        if chat.log().contains("refused") {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = chat.log();
    assert!(log.contains(r#"warn refused code=E_NAME name="\u{1b}[2J\nevil""#), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

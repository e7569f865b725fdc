//! Our WebSocket against those that others wrote: the npm package `ws`, Python's `websockets`, libcurl, Chromium.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support;

const NPM: &str = "npm install --prefix DIR ws, then NODE_PATH=DIR/node_modules";
const PIP: &str = "pip install --target DIR websockets curl_cffi, then PYTHONPATH=DIR";

/// A server in a process of its own, stopped when the test ends.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(command: &mut Command) -> Server {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Server { process, url: format!("ws://{address}/") }
    }

    fn ours() -> Server {
        Server::start(netlayers().args(["ws", "echo", "--port", "0", "--compress", "6", "--takeover"]))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program `name` when it can do what `check` asks of it: find a package.
///
/// # Panics
/// When it cannot and peers are required.
fn peer_with(name: &str, check: &[&str], install: &str) -> Option<Command> {
    let found = support::peer(name)?.args(check).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        support::did_not_run(&format!("{name} cannot do {check:?}"), install);
        return None;
    }
    Some(Command::new(name))
}

fn netlayers() -> Command {
    Command::new(env!("CARGO_BIN_EXE_netlayers"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}

#[test]
fn the_npm_package_ws_talks_to_our_server() {
    let Some(mut node) = peer_with("node", &["-e", "require('ws')"], NPM) else { return };
    let server = Server::ours();
    let said = output(node.arg(script("ws.cjs")).args(["client", &server.url]));
    assert!(said.contains("extensions: permessage-deflate"), "{said}");
    assert!(said.contains("pong: are you there"), "{said}");
    assert!(said.contains("echoed: 6, closed: 4000"), "{said}");
}

#[test]
fn our_client_talks_to_the_npm_package_ws() {
    let Some(mut node) = peer_with("node", &["-e", "require('ws')"], NPM) else { return };
    let server = Server::start(node.arg(script("ws.cjs")).arg("server"));
    let long = "compressible ".repeat(1000);
    let said = typed(&server.url, &format!("hello\näöü €\n{long}\n/hex 00 ff\n"));
    assert_eq!(said, format!("hello\näöü €\n{long}\n00 ff\n"));
}

#[test]
fn our_client_talks_to_our_server() {
    let server = Server::ours();
    assert_eq!(typed(&server.url, "one\n\n/ping x\n/hex 41\n"), "one\n\n41\n");
}

/// What our terminal client prints when these lines are typed.
fn typed(url: &str, lines: &str) -> String {
    let mut client = netlayers()
        .args(["ws", "connect", "--deflate", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    client.stdin.take().expect("stdin").write_all(lines.as_bytes()).expect("typed");
    let output = client.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_client_shows_each_frame_and_its_mask() {
    let server = Server::ours();
    let mut client = netlayers()
        .args(["ws", "connect", "--xray=full", "--ascii", &server.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client starts");
    client.stdin.take().expect("stdin").write_all(b"Hello\n").expect("typed");
    let output = client.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    for part in
        ["GET / HTTP/1.1", "sent: a frame, 5 bytes", "before    48 65 6c 6c 6f", "masking key", "\nHello\n"]
    {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
}

#[test]
fn python_websockets_talks_to_our_server() {
    let Some(mut python) = peer_with("python3", &["-c", "import websockets"], PIP) else { return };
    let server = Server::ours();
    let said = output(python.arg(script("websockets_client.py")).arg(&server.url));
    assert!(said.contains("PerMessageDeflate"), "{said}");
    assert!(said.contains("echoed: 6 closed: 1000"), "{said}");
}

#[test]
fn libcurl_talks_to_our_server() {
    let Some(mut python) = peer_with("python3", &["-c", "import curl_cffi"], PIP) else { return };
    let server = Server::ours();
    let said = output(python.arg(script("curl_client.py")).arg(&server.url));
    assert!(said.contains("echoed: 4"), "{said}");
}

#[test]
fn a_browser_talks_to_our_server() {
    let Some(mut browser) = support::peer("chromium") else {
        return;
    };
    let server = Server::ours();
    // The page tells its result by asking for a picture whose name is the result.
    let report = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = report.local_addr().expect("address");
    let html = std::fs::read_to_string(script("browser.html")).expect("the page");
    let html = html.replace("URL", &server.url).replace("REPORT", &format!("http://{address}/"));
    let page = std::env::temp_dir().join(format!("netlayers-{}.html", std::process::id()));
    std::fs::write(&page, html).expect("written");
    let profile = std::env::temp_dir().join(format!("netlayers-{}-profile", std::process::id()));
    let mut process = browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    report.set_nonblocking(true).expect("non-blocking");
    let mut said = String::new();
    for _ in 0..300 {
        if let Ok((stream, _)) = report.accept() {
            stream.set_nonblocking(false).expect("blocking");
            BufReader::new(stream).read_line(&mut said).expect("a request");
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let _ = (process.kill(), process.wait());
    let _ = (std::fs::remove_file(&page), std::fs::remove_dir_all(&profile));
    let said = said.replace("%20", " ");
    let expected = "echoed 4 same true closed 4001 clean true extensions permessage-deflate";
    assert!(said.contains(expected), "{said}");
}

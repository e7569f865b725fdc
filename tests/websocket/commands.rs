//! `netlayers ws echo` and `ws connect` as people meet them: what they refuse, how they end, what they say.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use netlayers::layers::application::websocket::CloseCode;
use netlayers::layers::application::websocket::handshake::accept_key;
use netlayers::real::websocket::Builder;

fn netlayers() -> Command {
    Command::new(env!("CARGO_BIN_EXE_netlayers"))
}

/// `ws echo`, and the address that it said.
pub(super) fn echo(more: &[&str]) -> (Child, String) {
    let mut echo = netlayers();
    echo.args(["ws", "echo", "--port", "0"]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = echo.spawn().expect("the server starts");
    let address = address_of(&mut process);
    (process, address)
}

/// The address that a server says on its first line.
pub(super) fn address_of(process: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    line.trim().strip_prefix("listening on ").expect("an address").to_owned()
}

/// Ends it as a service manager does.
fn terminate(process: &Child) {
    let status = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// `ws connect` to a server that is `serve` for one connection. Its exit code, and what it says on stderr.
fn connect(serve: impl FnOnce(TcpStream, String) + Send + 'static) -> (Option<i32>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        serve(stream, String::from_utf8_lossy(&head).into_owned());
    });
    let output = netlayers()
        .args(["ws", "connect", "--stay", &url])
        .stdin(Stdio::null())
        .output()
        .expect("the client runs");
    serving.join().expect("the server did its part");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Waits until the client has closed its end.
fn until_it_leaves(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn options_that_would_serve_nobody_are_refused() {
    for (option, value) in [("--max-connections", "0"), ("--max-message", "0"), ("--origin", "")] {
        let output =
            netlayers().args(["ws", "echo", "--port", "0", option, value]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {said}");
        assert!(said.contains("expected"), "{option}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_says_that_it_goes_away() {
    let (mut process, address) = echo(&["--host", "localhost"]);
    let mut client = Builder::new().connect(&format!("ws://{address}/")).await.unwrap();
    client.send("hello").await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
    terminate(&process);
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close_reason().unwrap().code, CloseCode::GOING_AWAY);
    assert!(process.wait().unwrap().success());
}

#[test]
fn tls_on_the_port_is_answered_in_words() {
    let (mut process, address) = echo(&[]);
    let mut stream = TcpStream::connect(&address).unwrap();
    // The header of a record with a client's first message (RFC 8446 §5.1).
    stream.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&answer));
    terminate(&process);
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("not https:// or wss://"), "{said}");
    process.wait().unwrap();
}

/// The server keeps the connection open: the client does not wait for that.
#[test]
fn a_refusal_says_where_to_go_or_how_to_authenticate_and_is_not_waited_for() {
    for (answer, expected) in [
        ("302 Found\r\nLocation: /chat", "302 Found, Location: /chat"),
        ("401 Unauthorized\r\nWWW-Authenticate: Bearer", "401 Unauthorized, WWW-Authenticate: Bearer"),
    ] {
        let (code, said) = connect(move |mut stream, _| {
            stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap();
            until_it_leaves(stream);
        });
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_connection_that_is_lost_is_a_failure() {
    let (code, said) = connect(|mut stream, head| {
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        stream.write_all(answer.as_bytes()).unwrap();
    });
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("1006"), "{said}");
}

//! Slow and malicious WebSocket peers on real sockets: each is cut off for its own reason, and none costs a peer that
//! behaves anything. And what a network could learn from the randomness that we send.
//!
//! Limits are set small, so that they are reached soon. Nothing here asserts how long anything takes; the long
//! timeouts only end a test that would hang.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use netlayers::base::Duration;
use netlayers::layers::application::websocket::deflate::codec::Compressor;
use netlayers::layers::application::websocket::{Deflate, Keepalive, Message};
use netlayers::real::websocket::{Builder, Server, WebSocket, WebSocketError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const MAX_MESSAGE: usize = 64 << 10;

fn strict() -> Builder {
    let brief = Duration::from_millis(300);
    Builder::new()
        .deflate(Deflate::default())
        .max_message(MAX_MESSAGE)
        .max_frame(MAX_MESSAGE)
        .handshake_timeout(brief)
        .head(netlayers::layers::application::http::Limits::default(), 64)
        .close_timeout(brief)
        .write_buffer(64 << 10)
        .write_timeout(brief)
        // Long enough for the good peer on a machine that is busy with other things.
        .keepalive(Some(Keepalive { idle: Duration::from_millis(500), timeout: Duration::from_secs(3) }))
        .origins(["https://good.example"])
        .max_connections(50)
}

/// An echo server, and what it says about connections that ended badly.
struct Echo {
    address: SocketAddr,
    reports: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start(builder: Builder) -> Echo {
        let server = Server::bind("127.0.0.1:0", builder).await.unwrap();
        let address = server.local_addr();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let told = reports.clone();
        let report = move |_, error: &WebSocketError| told.lock().unwrap().push(error.to_string());
        tokio::spawn(server.serve(echo, report));
        Echo { address, reports }
    }

    /// A connection on which anything can be sent. It takes little at a time, so that whoever writes to it soon waits.
    async fn raw(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// The same after the handshake.
    async fn open(&self) -> TcpStream {
        let mut stream = self.raw().await;
        let request = format!("{REQUEST}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
        stream
    }

    fn reported(&self, words: &str) -> bool {
        self.reports.lock().unwrap().iter().any(|report| report.contains(words))
    }
}

async fn echo(mut socket: WebSocket<TcpStream>, _: SocketAddr) -> Result<(), WebSocketError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// Ends a test that would hang.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("still waiting: {what}"))
}

/// Everything that comes until the server ends the connection.
async fn until_the_end(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // Reset or closed: both are an end.
    let _ = stream.read_to_end(&mut all).await;
    all
}

/// A frame header of a client for more than 125 bytes, with a key of zeros.
fn header(first: u8, len: usize) -> Vec<u8> {
    match u16::try_from(len) {
        Ok(len) => [&[first, 0xfe][..], &len.to_be_bytes(), &[0; 4]].concat(),
        Err(_) => [&[first, 0xff][..], &(len as u64).to_be_bytes(), &[0; 4]].concat(),
    }
}

/// A peer says this and waits for the end; what it is told.
async fn says(mut stream: TcpStream, bytes: Vec<u8>) -> Vec<u8> {
    let _ = stream.write_all(&bytes).await;
    until_the_end(stream).await
}

/// A peer says this again and again, and reads nothing, until it is cut off.
async fn floods(mut stream: TcpStream, bytes: Vec<u8>) -> Vec<u8> {
    while stream.write_all(&bytes).await.is_ok() {}
    Vec::new()
}

/// A head that comes byte by byte, as fast as they are taken.
async fn trickles(mut stream: TcpStream) -> Vec<u8> {
    stream.set_nodelay(true).unwrap();
    let head = REQUEST.bytes().chain("X-Slow: ".bytes()).chain(std::iter::repeat_n(b'x', 6000));
    for byte in head {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    until_the_end(stream).await
}

fn bomb() -> Vec<u8> {
    let mut compressed = bytes::BytesMut::new();
    assert!(Compressor::new(9, 15, false).compress(&vec![0; 4 << 20], &mut compressed));
    [header(0xc2, compressed.len()), compressed.to_vec()].concat()
}

/// What a Close frame with this code and a short reason looks like, unmasked.
fn is_close(bytes: &[u8], code: u16) -> bool {
    bytes.len() > 4 && bytes[0] == 0x88 && bytes[2..4] == code.to_be_bytes()
}

#[tokio::test]
async fn bad_peers_are_cut_off_and_cost_a_good_one_nothing() {
    let bomb = bomb();
    let echo = Echo::start(strict()).await;
    let mut good = Builder::new().connect(&format!("ws://{}/", echo.address)).await.unwrap();

    let mut bad = tokio::task::JoinSet::new();
    let mut peers: Vec<&str> = Vec::new();
    macro_rules! peer {
        ($name:literal, $work:expr) => {{
            let work = $work;
            peers.push($name);
            bad.spawn(async move { ($name, work.await) });
        }};
    }
    peer!("silent", says(echo.raw().await, Vec::new()));
    peer!("half a head", says(echo.raw().await, REQUEST.into()));
    peer!("trickled head", trickles(echo.raw().await));
    peer!("long line", says(echo.raw().await, format!("GET /{}", "x".repeat(9000)).into()));
    peer!("many fields", says(echo.raw().await, format!("{REQUEST}{}", "X: 1\r\n".repeat(200)).into()));
    peer!(
        "evil page",
        says(echo.raw().await, format!("{REQUEST}Origin: https://evil.example\r\n\r\n").into())
    );
    peer!("half a frame", says(echo.open().await, [header(0x82, 5000), vec![7; 100]].concat()));
    peer!("huge length", says(echo.open().await, header(0x82, usize::MAX >> 1)));
    peer!("bomb", says(echo.open().await, bomb));
    let message = [header(0x82, MAX_MESSAGE), vec![7; MAX_MESSAGE]].concat();
    peer!("never reads", floods(echo.open().await, message));
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[7; 125]].concat();
    peer!("floods pings", floods(echo.open().await, ping.clone()));
    // And one that floods and reads too: nothing is wrong with it, but it must not take the others' turns.
    let pings = {
        let (mut from, mut to) = echo.open().await.into_split();
        tokio::spawn(async move {
            let discard = async { while from.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
            let flood = async { while to.write_all(&ping.repeat(100)).await.is_ok() {} };
            tokio::join!(discard, flood);
        })
    };

    // The good peer is answered, one message at a time, until all the others are gone and some more.
    let mut ended = Vec::new();
    let mut rounds = 0u32;
    while ended.len() < peers.len() || rounds < 20 {
        let said = Message::from(format!("round {rounds}"));
        let talk = async {
            good.send(said.clone()).await.unwrap();
            good.recv().await.unwrap()
        };
        assert_eq!(soon(&format!("round {rounds}, {ended:?} have ended"), talk).await, Some(said));
        while let Some(over) = bad.try_join_next() {
            let (name, told) = over.unwrap();
            let text = String::from_utf8_lossy(&told).into_owned();
            match name {
                "silent" | "half a head" | "trickled head" => {
                    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{name}: {text}");
                }
                "long line" => assert!(text.starts_with("HTTP/1.1 414"), "{name}: {text}"),
                "many fields" => assert!(text.starts_with("HTTP/1.1 431"), "{name}: {text}"),
                "evil page" => assert!(text.starts_with("HTTP/1.1 403"), "{name}: {text}"),
                "half a frame" => assert_eq!(told[..2], [0x89, 0x00], "a ping, then nothing"),
                "huge length" | "bomb" => assert!(is_close(&told, 1009), "{name}: {told:x?}"),
                _ => {}
            }
            ended.push(name);
        }
        rounds += 1;
    }
    pings.abort();
    for reason in ["a whole head in time", "Origin", "pong", "the peer has read nothing"] {
        assert!(echo.reported(reason), "{reason}: {:?}", echo.reports.lock().unwrap());
    }
    good.close(netlayers::layers::application::websocket::CloseCode::NORMAL).await.unwrap();
}

#[tokio::test]
async fn peers_that_say_nothing_do_not_keep_their_places() {
    let echo = Echo::start(strict().max_connections(3)).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(echo.raw().await);
    }
    // Full: whoever comes now is told so, until the first three have had their time.
    let url = format!("ws://{}/", echo.address);
    let mut good = soon("a place", async {
        loop {
            match Builder::new().connect(&url).await {
                Ok(socket) => return socket,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    good.send("room again").await.unwrap();
    assert_eq!(good.recv().await.unwrap(), Some("room again".into()));
}

/// The key of the request and the mask of the first frame that `netlayers ws connect` sends in a process of its own.
fn keys_of_a_new_process() -> (String, [u8; 4]) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let mut client = Command::new(env!("CARGO_BIN_EXE_netlayers"))
        .args(["ws", "connect", &url])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut key = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("Sec-WebSocket-Key: ") {
            key = value.trim().into();
        }
        if line == "\r\n" {
            break;
        }
    }
    let accept = netlayers::layers::application::websocket::handshake::accept_key(&key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    let mut frame = [0; 11];
    reader.read_exact(&mut frame).unwrap();
    assert_eq!(frame[..2], [0x81, 0x85], "a masked text of five bytes");
    let mask = [frame[2], frame[3], frame[4], frame[5]];
    let text: Vec<u8> = frame[6..].iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    assert_eq!(text, b"hello");
    drop(reader);
    let _ = client.wait();
    (key, mask)
}

#[test]
fn two_runs_of_the_program_share_no_key_and_no_mask() {
    // A seed inside the program would give both the same: chance comes from the system.
    let ((key, mask), (other_key, other_mask)) = (keys_of_a_new_process(), keys_of_a_new_process());
    assert_ne!(key, other_key);
    assert_ne!(mask, other_mask);
}

#[cfg(unix)]
#[test]
fn the_program_raises_its_limit_of_open_files_to_serve_its_connections() {
    // As a shell sets it for everybody, only much lower; the hard limit stays.
    let program = concat!("ulimit -Sn 30; exec '", env!("CARGO_BIN_EXE_netlayers"), "' ws echo --port 0");
    let mut server = Command::new("sh")
        .args(["-c", program])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address: SocketAddr = first.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
            stream.write_all(format!("{REQUEST}\r\n").as_bytes()).unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).map(|()| assert_eq!(&answer, b"HTTP/1.1 101")).map(|()| stream)
        })
        .collect();
    let _ = server.kill();
    let _ = server.wait();
    assert_eq!(clients.iter().filter(|client| client.is_ok()).count(), 40);
}

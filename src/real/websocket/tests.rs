//! The driver against itself over a pipe in memory, and against peers that break the rules.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::base::Duration;
use crate::layers::application::websocket::handshake::accept_key;
use crate::layers::application::websocket::{
    CloseCode, Config, Deflate, Keepalive, Message, Policy, Utf8Bytes,
};

async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Config,
    policy: Policy,
) -> Result<WebSocket<S>, WebSocketError> {
    Builder::new().config(config).policy(policy).accept(stream).await
}

async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    path: &str,
    config: Config,
) -> Result<WebSocket<S>, WebSocketError> {
    Builder::new().config(config).open(stream, host, path).await
}

type Ends = (WebSocket<DuplexStream>, WebSocket<DuplexStream>);

/// A close timeout short enough for a test that waits for it to run out.
fn hasty() -> Config {
    Config { close_timeout: Duration::from_millis(50), ..Config::default() }
}

/// An open connection over a pipe in memory that holds `pipe` bytes each way.
async fn pair(pipe: usize, server_config: Config) -> Ends {
    let (near, far) = duplex(pipe);
    tokio::try_join!(
        open(near, "test", "/", Config::default()),
        accept(far, server_config, Policy::default())
    )
    .unwrap()
}

/// A client by hand: the handshake done on the bare stream, so that a test can send what no client of ours would.
async fn by_hand(config: Config) -> (DuplexStream, WebSocket<DuplexStream>) {
    by_hand_with(&Builder::new().config(config)).await
}

pub(super) async fn by_hand_with(builder: &Builder) -> (DuplexStream, WebSocket<DuplexStream>) {
    by_hand_over(builder, |stream| stream).await
}

/// The same, with the server's end of the pipe made into another kind of stream.
pub(super) async fn by_hand_over<S: AsyncRead + AsyncWrite + Unpin>(
    builder: &Builder,
    over: impl FnOnce(DuplexStream) -> S,
) -> (DuplexStream, WebSocket<S>) {
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    let (mut near, far) = duplex(4096);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    near.write_all(request.as_bytes()).await.unwrap();
    let server = builder.accept(over(far)).await.unwrap();
    let mut answer = vec![0; 4096];
    let len = near.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..len]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 101") && answer.contains(&accept_key(KEY)), "{answer}");
    (near, server)
}

/// A server by hand, and a client that does not know.
pub(super) async fn client_by_hand<S: AsyncRead + AsyncWrite + Unpin>(
    builder: &Builder,
    over: impl FnOnce(DuplexStream) -> S,
) -> (DuplexStream, WebSocket<S>) {
    let (mut near, far) = duplex(4096);
    let serving = async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(near.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        near.write_all(answer.as_bytes()).await.unwrap();
    };
    let (client, ()) = tokio::join!(builder.open(over(far), "test", "/"), serving);
    (near, client.unwrap())
}

pub(super) fn text(text: &str) -> Message {
    Message::Text(Utf8Bytes::from(text))
}

#[tokio::test]
async fn messages_go_both_ways_and_the_closing_handshake_ends_both() {
    let (mut client, mut server) = pair(1 << 16, Config::default()).await;
    assert_eq!(server.opening().unwrap().resource, "/");
    client.send(text("hello")).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text("hello")));
    let binary = Message::Binary(Bytes::from_static(&[0xff, 0, 1]));
    server.send(binary.clone()).await.unwrap();
    assert_eq!(client.recv().await.unwrap(), Some(binary));

    let (reason, end) = tokio::join!(client.close(CloseCode::NORMAL), server.recv());
    assert_eq!(reason.unwrap().code, CloseCode::NORMAL);
    assert_eq!(end.unwrap(), None);
    assert_eq!(server.close_reason().unwrap().code, CloseCode::NORMAL);
    // What is over stays over.
    assert_eq!(client.recv().await.unwrap(), None);
    assert_eq!(client.close(CloseCode::NORMAL).await.unwrap().code, CloseCode::NORMAL);
    let error = client.send(text("late")).await.unwrap_err();
    assert!(error.to_string().contains("not open"), "{error}");
}

#[tokio::test]
async fn the_server_may_close_first_as_well() {
    let (mut client, mut server) = pair(1 << 16, Config::default()).await;
    let (reason, end) = tokio::join!(server.close(CloseCode::GOING_AWAY), client.recv());
    assert_eq!((reason.unwrap().code, end.unwrap()), (CloseCode::GOING_AWAY, None));
    assert_eq!(client.close_reason().unwrap().code, CloseCode::GOING_AWAY);
}

#[tokio::test]
async fn a_message_larger_than_the_pipe_passes_through_it() {
    let (mut client, mut server) = pair(100, Config::default()).await;
    let large = Message::Binary(vec![7; 300_000].into());
    let (sent, received) = tokio::join!(client.send(large.clone()), server.recv());
    sent.unwrap();
    assert_eq!(received.unwrap(), Some(large));
}

/// One poll, then the future is dropped, as a `select!` would do.
pub(super) async fn only_begun<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn a_recv_that_is_dropped_loses_nothing() {
    let (mut near, mut server) = by_hand(Config::default()).await;
    // "Hello", masked (RFC 6455 §5.7), a byte at a time.
    let frame = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let mut got = None;
    for byte in frame {
        assert_eq!(got, None);
        near.write_all(&[byte]).await.unwrap();
        // Twice: once to take the byte, once to find that there is no other.
        for _ in 0..2 {
            got = got.or(only_begun(server.recv()).await.map(Result::unwrap));
        }
    }
    assert_eq!(got, Some(Some(text("Hello"))));
}

#[tokio::test]
async fn a_send_that_is_dropped_is_finished_by_the_next_one() {
    let (mut client, mut server) = pair(64, Config::default()).await;
    let first = Message::Binary(vec![1; 500].into());
    assert!(only_begun(client.send(first.clone())).await.is_none());
    let both = async { (server.recv().await.unwrap(), server.recv().await.unwrap()) };
    let (sent, received) = tokio::join!(client.send(text("second")), both);
    sent.unwrap();
    assert_eq!(received, (Some(first), Some(text("second"))));
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up() {
    let hasty = Config { handshake_timeout: Duration::from_millis(50), ..hasty() };
    let (near, far) = duplex(1024);
    let error = accept(far, hasty.clone(), Policy::default()).await.unwrap_err();
    assert!(matches!(error, WebSocketError::Failed(_)), "{error}");
    drop(near);
    let (near, far) = duplex(1024);
    let error = open(near, "test", "/", hasty).await.unwrap_err();
    assert!(matches!(error, WebSocketError::Failed(_)), "{error}");
    drop(far);
}

#[tokio::test]
async fn a_peer_that_does_not_even_read_the_request_is_given_up() {
    let hasty = Config { handshake_timeout: Duration::from_millis(50), ..hasty() };
    let (near, _far) = duplex(8);
    let opening = tokio::time::timeout(std::time::Duration::from_secs(20), open(near, "test", "/", hasty));
    assert!(matches!(opening.await.expect("the handshake timeout ends it"), Err(WebSocketError::Failed(_))));
}

#[tokio::test]
async fn a_peer_that_does_not_answer_a_close_is_given_up() {
    let (_silent, mut server) = by_hand(hasty()).await;
    assert_eq!(server.close(CloseCode::NORMAL).await.unwrap().code, CloseCode::ABNORMAL);
}

#[tokio::test]
async fn a_peer_that_does_not_read_cannot_hold_up_the_end() {
    let (near, mut server) = by_hand(hasty()).await;
    // The pipe is full of a message that is not read, so that our Close frame has no room.
    let stuck = Message::Binary(vec![0; 100_000].into());
    assert!(only_begun(server.send(stuck)).await.is_none());
    let limit = std::time::Duration::from_secs(5);
    let closing = tokio::time::timeout(limit, server.close(CloseCode::NORMAL)).await;
    let reason = closing.expect("the close timeout ends it").unwrap();
    assert_eq!(reason.code, CloseCode::ABNORMAL);
    drop(near);
}

#[tokio::test]
async fn a_broken_rule_is_told_to_both() {
    let (mut near, mut server) = by_hand(hasty()).await;
    near.write_all(&[0x81, 0x00]).await.unwrap();
    let error = server.recv().await.unwrap_err();
    assert!(
        matches!(&error, WebSocketError::Failed(failure) if failure.code == Some(CloseCode::PROTOCOL_ERROR))
    );
    let mut close = [0; 4];
    near.read_exact(&mut close).await.unwrap();
    assert_eq!((close[0], &close[2..]), (0x88, &1002u16.to_be_bytes()[..]));
    assert_eq!(server.recv().await.unwrap(), None);
}

#[tokio::test]
async fn a_message_too_big_ends_the_connection_with_1009() {
    let (mut client, mut server) = pair(1 << 16, Config { max_message: 10, ..Config::default() }).await;
    client.send(text("longer than ten")).await.unwrap();
    let (end, failed) = tokio::join!(client.recv(), server.recv());
    assert_eq!(end.unwrap(), None);
    assert!(failed.is_err());
    assert_eq!(client.close_reason().unwrap().code, CloseCode::TOO_BIG);
}

#[tokio::test]
async fn a_refused_request_is_an_error_at_both_ends() {
    let (near, far) = duplex(4096);
    let policy = Policy { paths: Some(vec!["/chat".into()]), ..Policy::default() };
    let (client, server) =
        tokio::join!(open(near, "test", "/other", Config::default()), accept(far, Config::default(), policy));
    let (client, server) = (client.unwrap_err().to_string(), server.unwrap_err().to_string());
    assert!(client.contains("404"), "{client}");
    assert!(server.contains("/other"), "{server}");
}

#[tokio::test]
async fn a_peer_that_is_gone_is_the_end_without_a_close_frame() {
    let (client, mut server) = pair(4096, Config::default()).await;
    drop(client);
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.close_reason().unwrap().code, CloseCode::ABNORMAL);
}

#[tokio::test]
async fn a_code_that_must_not_be_sent_is_refused_and_the_connection_lives() {
    let (mut client, mut server) = pair(4096, Config::default()).await;
    assert!(matches!(client.close(CloseCode::ABNORMAL).await, Err(WebSocketError::Send(_))));
    client.send(text("still here")).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text("still here")));
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Builder::new().connect(&format!("ws://{address}/")).await.unwrap_err();
    assert!(error.to_string().starts_with("connecting: "), "{error}");
}

#[tokio::test]
async fn halves_send_and_receive_in_two_tasks() {
    let (client, mut server) = pair(1000, Config::default()).await;
    let (mut sender, mut receiver) = client.split();
    let count = 200;
    let sending = async move {
        for i in 0..count {
            sender.send(format!("message {i}")).await.unwrap();
        }
        sender
    };
    let receiving = async move {
        for i in 0..count {
            assert_eq!(receiver.recv().await.unwrap(), Some(format!("message {i}").into()));
        }
        receiver
    };
    let echoing = async move {
        for _ in 0..count {
            let message = server.recv().await.unwrap().unwrap();
            server.send(message).await.unwrap();
        }
        server
    };
    let (mut sender, mut receiver, mut server) = tokio::join!(sending, receiving, echoing);
    let (closed, end, at_server) =
        tokio::join!(sender.close(CloseCode::NORMAL), receiver.recv(), server.recv());
    closed.unwrap();
    assert_eq!((end.unwrap(), at_server.unwrap()), (None, None));
    assert_eq!(receiver.close_reason().unwrap().code, CloseCode::NORMAL);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off_with_its_reason() {
    let (near, far) = duplex(4096);
    let builder = Builder::new().write_buffer(100_000).write_timeout(Duration::from_millis(100));
    let default = Builder::new();
    let (near, server) = tokio::join!(default.open(near, "test", "/"), builder.accept(far));
    let (near, mut server) = (near.unwrap(), server.unwrap());
    let message = Message::Binary(vec![0; 10_000].into());
    let error = loop {
        if let Err(error) = server.send(message.clone()).await {
            break error;
        }
    };
    let WebSocketError::NotReading { waiting, .. } = error else { panic!("{error}") };
    assert!(waiting <= 120_000, "{waiting} bytes");
    assert_eq!(server.recv().await.unwrap(), None);
    drop(near);
}

#[tokio::test]
async fn what_is_sent_while_messages_wait_is_flushed_when_the_input_has_run_dry() {
    let (mut near, mut server) = by_hand_with(&Builder::new().linger(Duration::from_secs(60))).await;
    // Three times "a", masked with a key of zeros.
    near.write_all(&b"\x81\x81\0\0\0\0a".repeat(3)).await.unwrap();
    for _ in 0..2 {
        let message = server.recv().await.unwrap().unwrap();
        server.send(message).await.unwrap();
    }
    let mut back = [0; 100];
    assert!(only_begun(near.read(&mut back)).await.is_none(), "the third is still to come");
    let message = server.recv().await.unwrap().unwrap();
    server.send(message).await.unwrap();
    assert_eq!(near.read(&mut back).await.unwrap(), 9);
}

#[tokio::test]
async fn a_program_that_is_slow_delays_a_reply_by_one_message_and_not_by_all() {
    let (mut near, mut server) = by_hand_with(&Builder::new().linger(Duration::ZERO)).await;
    near.write_all(&b"\x81\x81\0\0\0\0a".repeat(3)).await.unwrap();
    let message = server.recv().await.unwrap().unwrap();
    server.send(message).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text("a")));
    let mut back = [0; 100];
    assert_eq!(near.read(&mut back).await.unwrap(), 3, "the third is still to come");
}

#[tokio::test]
async fn two_ends_that_send_before_they_receive_do_not_wait_for_each_other() {
    async fn send_then_receive(socket: &mut WebSocket<DuplexStream>) {
        let message = Message::Binary(vec![7; 10_000].into());
        for _ in 0..50 {
            socket.send(message.clone()).await.unwrap();
        }
        for _ in 0..50 {
            assert_eq!(socket.recv().await.unwrap(), Some(message.clone()));
        }
        socket.flush().await.unwrap();
    }
    let (mut client, mut server) = pair(1000, Config::default()).await;
    tokio::join!(send_then_receive(&mut client), send_then_receive(&mut server));
}

#[tokio::test]
async fn no_more_is_read_ahead_than_may_wait_to_be_written() {
    let (mut near, mut server) = by_hand_with(&Builder::new().write_buffer(10_000)).await;
    assert!(only_begun(server.send(vec![0; 100_000])).await.is_none(), "it is not read");
    // Long enough that it no longer waits for the peer to read.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let mut taken = 0;
    let mut idle = 0;
    while idle < 10 {
        match only_begun(near.write(&b"\x82\x81\0\0\0\0a".repeat(100))).await {
            Some(written) => taken += written.unwrap(),
            None => idle += 1,
        }
        let _ = only_begun(server.flush()).await;
        tokio::task::yield_now().await;
    }
    assert!((10_000..30_000).contains(&taken), "{taken} bytes");
}

#[tokio::test]
async fn a_silent_peer_is_given_up_after_a_ping() {
    let keepalive = Keepalive { idle: Duration::from_millis(50), timeout: Duration::from_millis(50) };
    let config = Config { keepalive: Some(keepalive), ..hasty() };
    let (mut near, mut server) = by_hand(config).await;
    let error = server.recv().await.unwrap_err();
    assert!(error.to_string().contains("pong"), "{error}");
    let mut sent = [0; 2];
    near.read_exact(&mut sent).await.unwrap();
    assert_eq!(sent, [0x89, 0x00]);
}

#[tokio::test]
async fn one_connection_more_than_there_may_be_is_told_so_and_the_others_live() {
    let server = Server::bind("127.0.0.1:0", Builder::new().max_connections(1)).await.unwrap();
    let url = format!("ws://{}/", server.local_addr());
    let echo = |mut socket: WebSocket<tokio::net::TcpStream>, _| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    };
    let serving = tokio::spawn(server.serve(echo, |_, _| {}));
    let mut first = Builder::new().connect(&url).await.unwrap();
    let error = Builder::new().connect(&url).await.unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    first.send("still here").await.unwrap();
    assert_eq!(first.recv().await.unwrap(), Some("still here".into()));
    first.close(CloseCode::NORMAL).await.unwrap();
    // Its place is free again, as soon as the server has noticed.
    let deadline = std::time::Duration::from_secs(10);
    let again = tokio::time::timeout(deadline, async {
        loop {
            if let Ok(socket) = Builder::new().connect(&url).await {
                return socket;
            }
        }
    });
    assert_eq!(again.await.unwrap().close(CloseCode::NORMAL).await.unwrap().code, CloseCode::NORMAL);
    serving.abort();
}

#[tokio::test]
async fn a_page_that_is_not_on_the_list_is_refused() {
    for (origin, allowed) in [("https://good.example", true), ("https://evil.example", false)] {
        let (near, far) = duplex(4096);
        let server = Builder::new().origins(["https://good.example"]);
        let client = Builder::new().origin(origin).close_timeout(Duration::from_millis(50));
        let (client, _server) = tokio::join!(client.open(near, "test", "/"), server.accept(far));
        match client {
            Ok(_) => assert!(allowed),
            Err(error) => assert!(!allowed && error.to_string().contains("403"), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let (mut near, far) = duplex(4096);
    let builder = Builder::new().head(Default::default(), 50).close_timeout(Duration::from_millis(50));
    let trickling = async {
        let mut written = 0;
        for byte in b"GET / HTTP/1.1\r\nHost: test\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if near.write_all(&[*byte]).await.is_err() || written > 1000 {
                return written;
            }
            written += 1;
            tokio::task::yield_now().await;
        }
        written
    };
    let (written, server) = tokio::join!(trickling, builder.accept(far));
    assert!(server.is_err());
    assert!(written <= 1001, "{written}");
}

#[tokio::test]
async fn compressed_messages_pass_and_a_bomb_is_stopped() {
    let (near, far) = duplex(4096);
    let client = Builder::new().deflate(Deflate::default());
    let server = Builder::new().deflate(Deflate::default()).max_message(1 << 20);
    let (client, server) = tokio::join!(client.open(near, "test", "/"), server.accept(far));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert!(client.opening().unwrap().deflate.is_some());
    let long = Message::from("compressible ".repeat(1000));
    client.send(long.clone()).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(long));
    let bomb = async {
        // The server need not take all of it.
        let _ = client.send(vec![0; 10 << 20]).await;
        client.recv().await
    };
    let (end, failed) = tokio::join!(bomb, server.recv());
    assert_eq!(end.unwrap(), None);
    assert!(failed.unwrap_err().to_string().contains("at most"));
    assert_eq!(client.close_reason().unwrap().code, CloseCode::TOO_BIG);
}

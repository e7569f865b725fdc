//! Who may connect is the program's decision, before the 101; and how a server ends.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::base::Duration;
use crate::layers::application::http::{Headers, Incoming, Rejection};
use crate::layers::application::websocket::CloseCode;

const REQUEST: &str = "GET /chat?token=secret HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn by_token(request: &Incoming) -> Result<Headers, Rejection> {
    match request.header("Authorization") {
        Some("Bearer secret") => Ok(Headers::new().with("Set-Cookie", "known=1")),
        _ => Err(Rejection::unauthorized("Bearer").body("a token, please\n")),
    }
}

async fn echo(mut socket: WebSocket<TcpStream>, _: SocketAddr) -> Result<(), WebSocketError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_gate_answers_before_the_101_with_its_own_status_fields_and_words() {
    let builder = Builder::new().gate(by_token);
    let (mut near, far) = duplex(4096);
    near.write_all(REQUEST.as_bytes()).await.unwrap();
    let (refused, answer) = tokio::join!(builder.accept(far), async {
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        drop(near);
        answer
    });
    assert!(refused.is_err());
    assert_eq!(
        answer,
        "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; charset=UTF-8\r\nWWW-Authenticate: Bearer\r\n\
         Content-Length: 16\r\nConnection: close\r\n\r\na token, please\n"
    );
    let (near, far) = duplex(4096);
    let client = Builder::new().header("Authorization", "Bearer secret");
    let (client, server) = tokio::join!(client.open(near, "test", "/"), builder.accept(far));
    assert!(server.is_ok());
    assert_eq!(client.unwrap().opening().unwrap().headers.get("Set-Cookie"), Some("known=1"));
}

#[tokio::test]
async fn a_program_may_take_its_time_over_a_request_and_then_accept_or_refuse() {
    for accepts in [true, false] {
        let (mut near, far) = duplex(4096);
        near.write_all(REQUEST.as_bytes()).await.unwrap();
        // A frame that came with the head.
        near.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
        let requested = Builder::new().receive(far, Some(([192, 0, 2, 1], 7).into())).await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(requested.request().parameter("token").as_deref(), Some("secret"));
        assert_eq!(requested.request().address.unwrap().port(), 7);
        if accepts {
            let headers = Headers::new().with("Set-Cookie", "known=1").with("Sec-WebSocket-Accept", "no");
            let mut socket = requested.accept_with(headers).await.unwrap();
            assert_eq!(socket.recv().await.unwrap(), Some("x".into()));
        } else {
            let rejection = Rejection::new(429).header("Retry-After", "5");
            let (refused, answer) = tokio::join!(requested.refuse(&rejection), async {
                let mut answer = String::new();
                near.read_to_string(&mut answer).await.unwrap();
                drop(near);
                answer
            });
            refused.unwrap();
            assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n"), "{answer}");
            continue;
        }
        let mut answer = vec![0; 4096];
        let length = near.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 101") && answer.contains("Set-Cookie: known=1\r\n"), "{answer}");
        assert_eq!(answer.matches("Sec-WebSocket-Accept").count(), 1, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read_or_never_comes_is_refused_as_always() {
    for (bytes, status) in [("GET / HTTP/1.1\r\nBad Field: x\r\n\r\n", "400"), ("GET / HT", "408")] {
        let (mut near, far) = duplex(4096);
        near.write_all(bytes.as_bytes()).await.unwrap();
        let builder = Builder::new();
        let (refused, answer) = tokio::join!(builder.receive(far, None), async {
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.unwrap();
            drop(near);
            answer
        });
        assert!(refused.is_err());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[tokio::test]
async fn a_server_that_goes_down_says_1001_to_all_and_waits_for_them() {
    // A listener of the program's own.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::from_listener(listener, Builder::new()).unwrap();
    let url = format!("ws://{}/", server.local_addr());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(
        async {
            let _ = stopped.await;
        },
        echo,
        |_, _| {},
    ));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Builder::new().connect(&url).await.unwrap();
        client.send("hello").await.unwrap();
        assert_eq!(client.recv().await.unwrap(), Some("hello".into()));
        clients.push(client);
    }
    stop.send(()).unwrap();
    for client in &mut clients {
        assert_eq!(client.recv().await.unwrap(), None);
        assert_eq!(client.close_reason().unwrap().code, CloseCode::GOING_AWAY);
    }
    serving.await.unwrap();
    assert!(Builder::new().connect(&url).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn who_does_not_hear_that_the_server_goes_down_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = Builder::new().close_timeout(Duration::from_millis(50));
    let server = Server::from_listener(listener, builder).unwrap();
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel::<()>();
    let stubborn = |_: Requested<TcpStream>, _| std::future::pending();
    let stop_asked = async {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(server.serve_requests(stop_asked, stubborn, |_, _| {}));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(client.read(&mut [0; 16]).await.unwrap_or_default(), 0);
}

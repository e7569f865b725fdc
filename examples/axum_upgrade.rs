//! A WebSocket in a program of axum's: `cargo run --example axum_upgrade`.
//!
//! axum reads the requests and finds the handler; [`Builder::answer`] says what the handler answers; then the stream is
//! ours. `examples/hyper_upgrade.rs` does the same without axum.

use std::error::Error;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use netlayers::layers::application::http::{Headers, RequestHead, ResponseHead, Version};
use netlayers::layers::application::websocket::{CloseCode, Role};
use netlayers::real::websocket::Builder;
use tokio::net::TcpListener;

/// Answers by a WebSocket, or says why not.
async fn echo(mut request: Request) -> Response {
    let builder = Builder::new().max_message(1 << 20);
    let (head, opening) = match builder.answer(&head_of(&request)) {
        Ok(agreed) => agreed,
        Err(refusal) => return response(&refusal.response, refusal.body.into_vec().into()),
    };
    // The stream is given away when the answer has been written, so another task waits for it.
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = TokioIo::new(upgrading.await?);
        let mut socket = builder.upgraded(stream, Role::Server, opening).await?;
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    });
    response(&head, Body::empty())
}

/// The head of a request, as the WebSocket wants it.
fn head_of(request: &Request) -> RequestHead {
    let mut headers = Headers::new();
    for (name, value) in request.headers() {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let version =
        if request.version() == hyper::Version::HTTP_11 { Version::Http11 } else { Version::Http10 };
    RequestHead { method: request.method().to_string(), target: request.uri().to_string(), version, headers }
}

/// An answer, as axum wants it.
fn response(head: &ResponseHead, body: Body) -> Response {
    let builder = Response::builder().status(head.status);
    let builder = head.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder.body(body).expect("an answer of ours has no field that HTTP forbids")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let program = Router::new().route("/", get(|| async { "a page" })).route("/echo", get(echo));
    // Port 0: the kernel chooses one that is free.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, program).await });

    let mut client = Builder::new().connect(&format!("ws://{address}/echo")).await?;
    client.send("hello, axum").await?;
    assert_eq!(client.recv().await?, Some("hello, axum".into()), "an echo is what was sent");
    client.close(CloseCode::NORMAL).await?;
    println!("it came back");
    Ok(())
}

// Try this:
// 1. Connect to `/` instead: what does the client say of an answer that is a page?
// 2. Give the handler a `State` with a list of those who are there, and say to all what one says.
// 3. Give the builder a `gate` that wants a cookie: which status does a browser see without one?

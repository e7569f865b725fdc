//! A WebSocket of an HTTP server of hyper's: `cargo run --example hyper_upgrade`.
//!
//! hyper reads the request and writes the answer that [`Builder::answer`] gives it; then the stream is ours. So it is
//! with what is built on hyper: `examples/axum_upgrade.rs` does it in a handler of axum.

use std::error::Error;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use netlayers::layers::application::http::{Headers, RequestHead, ResponseHead, Version};
use netlayers::layers::application::websocket::{CloseCode, Role};
use netlayers::real::websocket::Builder;
use tokio::net::TcpListener;

/// The head of a request, as the WebSocket wants it.
fn head_of<B>(request: &Request<B>) -> RequestHead {
    let mut headers = Headers::new();
    for (name, value) in request.headers() {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    let version =
        if request.version() == hyper::Version::HTTP_11 { Version::Http11 } else { Version::Http10 };
    RequestHead { method: request.method().to_string(), target: request.uri().to_string(), version, headers }
}

/// An answer, as hyper wants it.
fn response(head: &ResponseHead, body: String) -> Result<Response<String>, hyper::http::Error> {
    let response = Response::builder().status(head.status);
    head.headers.iter().fold(response, |response, (name, value)| response.header(name, value)).body(body)
}

/// Answers one request: by a WebSocket at `/echo`, by words elsewhere.
async fn handle(mut request: Request<Incoming>) -> Result<Response<String>, hyper::http::Error> {
    let builder = Builder::new();
    match builder.answer(&head_of(&request)) {
        Ok((head, opening)) => {
            // hyper gives the stream away when it has written the answer, so another task waits for it.
            let upgrading = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let stream = TokioIo::new(upgrading.await?);
                let mut socket = builder.upgraded(stream, Role::Server, opening).await?;
                while let Some(message) = socket.recv().await? {
                    socket.send(message).await?;
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            });
            response(&head, String::new())
        }
        Err(refusal) => response(&refusal.response, String::from_utf8_lossy(&refusal.body).into_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Port 0: the kernel chooses one that is free.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(handle);
            let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(serving.with_upgrades());
        }
    });

    let mut client = Builder::new().connect(&format!("ws://{address}/echo")).await?;
    client.send("hello, hyper").await?;
    assert_eq!(client.recv().await?, Some("hello, hyper".into()), "an echo is what was sent");
    client.close(CloseCode::NORMAL).await?;
    println!("it came back");
    Ok(())
}

// Try this:
// 1. Give the builder `max_message(5)`: the limits are the connection's own, whichever program has read the request.
// 2. Give it a `gate` that wants a token: who writes the 401?
// 3. Take out `with_upgrades`: what does each end say?
// 4. Ask for it with a browser, as a page: what is the answer, and which field of the request was missing?

//! A WebSocket echo server and its client over real sockets, in one program: `cargo run --example websocket_real`.

use std::error::Error;

use netlayers::layers::application::websocket::{CloseCode, Message};
use netlayers::real::websocket::{Builder, WebSocket, WebSocketError};
use tokio::net::{TcpListener, TcpStream};

/// Sends every message back until the client closes.
async fn echo(stream: TcpStream) -> Result<usize, WebSocketError> {
    let mut socket = WebSocket::accept(stream).await?;
    let mut count = 0;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
        count += 1;
    }
    Ok(count)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Port 0: the kernel chooses one that is free.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        let (stream, _) =
            listener.accept().await.map_err(|source| WebSocketError::Io { step: "accepting", source })?;
        echo(stream).await
    });

    let mut client = Builder::new().connect(&format!("ws://{address}/echo")).await?;
    for text in ["hello, layers", "", "äöü and 🦀"] {
        let message = Message::from(text);
        client.send(message.clone()).await?;
        let back = client.recv().await?;
        assert_eq!(back, Some(message), "an echo is what was sent");
        println!("{text:?} came back");
    }

    let reason = client.close(CloseCode::NORMAL).await?;
    println!("closed with {}; the server had {} messages", reason.code.0, server.await??);
    assert_eq!(reason.code, CloseCode::NORMAL);
    Ok(())
}

// Try this:
// 1. Send `Message::Binary` with a million bytes: one message, however many segments TCP makes of it.
// 2. Let the server allow `Builder::max_message(10)`: which close code does the client get, and what does the error say?
// 3. Let the server serve only one path (`Builder::policy` with `paths`) and ask for another: what does the client see?
// 4. Forget the client's `close` and drop it: what does the server learn, and how (RFC 6455 §7.1.5)?
// 5. Point a browser at it: in the console, `new WebSocket("ws://127.0.0.1:PORT/echo")`. Let the server run on for it.

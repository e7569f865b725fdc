//! A WebSocket client that sends every message back until its peer closes, at each URL in turn:
//! `cargo run --example ws_echo_client -- ws://127.0.0.1:9001/`.

use std::error::Error;

use netlayers::layers::application::websocket::Deflate;
use netlayers::real::websocket::{Builder, WebSocketError};

async fn echo(builder: &Builder, url: &str) -> Result<usize, WebSocketError> {
    let mut socket = builder.connect(url).await?;
    let mut count = 0;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
        count += 1;
    }
    Ok(count)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        return Err("usage: ws_echo_client ws://HOST:PORT/PATH...".into());
    }
    let builder = Builder::new().deflate(Deflate::default());
    for url in urls {
        // One peer that breaks a rule does not keep the others from being visited.
        match echo(&builder, &url).await {
            Ok(count) => println!("{url}: {count} messages"),
            Err(error) => println!("{url}: {error}"),
        }
    }
    Ok(())
}

// Try this:
// 1. At `netlayers ws echo` it waits without end: both ends only answer. Let it say something before the loop, and stop
//    after a thousand messages. How long does one take there and back?
// 2. Ask for a window that is kept from message to message: `Deflate { client_context_takeover: true,
//    ..Deflate::default() }`. The server must allow it too: `netlayers ws echo --takeover`. What do messages that are
//    alike cost now? (Wireshark shows it.)
// 3. Count bytes instead of messages.

//! An echo server by TLS: `cargo run --example wss_server`, then, in another terminal, what it says.
//!
//! A WebSocket is accepted on any stream, so on one that TLS has made. The certificate is made on the spot, for
//! `localhost`, and has signed itself: clients have to be told to believe it. One that all believe comes from an
//! authority, as two files, which `CertificateDer::pem_file_iter` and `PrivateKeyDer::from_pem_file` read.

use std::error::Error;
use std::sync::Arc;

use netlayers::real::websocket::{Builder, Trust, WebSocketError};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

/// Sends every message back until the client closes.
async fn echo(stream: TlsStream<TcpStream>) -> Result<(), WebSocketError> {
    let mut socket = Builder::new().accept(stream).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, client)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client may be slow with either handshake; others do not wait for it.
            let ended = match acceptor.accept(stream).await {
                Ok(stream) => echo(stream).await.map_err(|error| error.to_string()),
                Err(error) => Err(format!("no TLS: {error}")),
            };
            println!("{client} has left: {}", ended.err().unwrap_or_else(|| "in good order".into()));
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    let file = std::env::temp_dir().join("wss_server.pem");
    std::fs::write(&file, cert.pem())?;
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())?;
    let acceptor = TlsAcceptor::from(Arc::new(config));

    // Port 0: the kernel chooses one that is free.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let serving = tokio::spawn(serve(listener, acceptor));
    let trust = Trust::authorities(cert.pem().as_bytes())?;
    let mut client = Builder::new().trust(trust).connect(&format!("wss://localhost:{port}/")).await?;
    client.send("hello, TLS").await?;
    assert_eq!(client.recv().await?, Some("hello, TLS".into()), "an echo is what was sent");
    drop(client);
    println!("netlayers ws connect wss://localhost:{port}/ --xray --ca {}", file.display());
    Ok(serving.await?)
}

// Try this:
// 1. Leave out --ca: what does the client say, and what does the server learn of it?
// 2. Connect to wss://127.0.0.1 instead: the same server, another name.
// 3. Connect to ws://localhost: what comes back that is not HTTP?
// 4. A client that never says anything holds its task without end: give `acceptor.accept` a `tokio::time::timeout`.
// 5. Capture the loopback interface, and `netlayers decode` it: what of the handshake can still be read, what of a
//    message?

//! `netlayers ws echo`: a server that sends every message back.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::failed;
use crate::base::Duration;
use crate::cli::args::WsEchoArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, remark};
use crate::layers::application::websocket::{Deflate, Keepalive};
use crate::real::websocket::{Builder, Server, WebSocket, WebSocketError};

pub(super) async fn run(args: &WsEchoArgs, out: &mut Output) -> Result<(), CliError> {
    let keepalive = Keepalive { idle: Duration::from_secs(args.idle.into()), ..Keepalive::default() };
    let mut builder =
        Builder::new().max_connections(args.max_connections).keepalive((args.idle > 0).then_some(keepalive));
    if args.deflate {
        builder = builder.deflate(Deflate::default());
    }
    if let Some(bytes) = args.max_message {
        builder = builder.max_message(bytes).max_frame(frame_of(bytes, args.deflate));
    }
    if !args.origin.is_empty() {
        builder = builder.origins(&args.origin);
    }
    let server = Server::bind((args.host, args.port), builder).await.map_err(|error| failed(&error))?;
    let address = server.local_addr();
    out.line(format!("listening on {address}"))?;
    out.flush()?;
    let quiet = args.quiet;
    let report = move |peer: SocketAddr, error: &WebSocketError| {
        if !quiet {
            remark(format_args!("{peer}: {error}"));
        }
    };
    server.serve(echo, report).await;
    Ok(())
}

/// How long a frame must be let become that carries a message of so many bytes. What cannot be compressed becomes longer
/// by being compressed: with the fixed codes of DEFLATE by an eighth, and by the headers of its blocks.
fn frame_of(message: usize, deflate: bool) -> usize {
    if deflate { message.saturating_add(message / 8).saturating_add(1 << 10) } else { message }
}

async fn echo(mut socket: WebSocket<TcpStream>, _peer: SocketAddr) -> Result<(), WebSocketError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::application::websocket::deflate::codec::Compressor;

    #[test]
    fn a_message_within_the_limit_fits_a_frame_also_when_compressing_makes_it_longer() {
        let mut rng = crate::base::Rng::new(1);
        for len in [1, 2000, 100_000] {
            let noise: Vec<u8> = (0..len).map(|_| rng.next_u32() as u8).collect();
            for level in 1..=9 {
                let mut compressed = bytes::BytesMut::new();
                assert!(Compressor::new(level, 15, true).compress(&noise, &mut compressed));
                assert!(compressed.len() > len && compressed.len() <= frame_of(len, true));
            }
        }
        assert_eq!(frame_of(2000, false), 2000);
        assert_eq!(frame_of(usize::MAX, true), usize::MAX);
    }
}

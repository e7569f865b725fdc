//! `netlayers ws echo`: a server that sends every message back.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::failed;
use super::harmless::harmless;
use crate::base::Duration;
use crate::cli::args::WsEchoArgs;
use crate::cli::error::CliError;
use crate::cli::output::{Output, remark};
use crate::layers::application::websocket::{Deflate, Keepalive};
use crate::real::own_address;
use crate::real::websocket::{Builder, Server, WebSocket, WebSocketError};

pub(super) async fn run(args: &WsEchoArgs, out: &mut Output) -> Result<(), CliError> {
    let keepalive = Keepalive { idle: Duration::from_secs(args.idle.into()), ..Keepalive::default() };
    let mut builder =
        Builder::new().max_connections(args.max_connections).keepalive((args.idle > 0).then_some(keepalive));
    if args.deflate {
        builder = builder.deflate(Deflate::default());
    }
    if let Some(bytes) = args.max_message {
        builder = builder.max_message(bytes);
    }
    if !args.origin.is_empty() {
        builder = builder.origins(&args.origin);
    }
    let server = Server::bind((args.host, args.port), builder).await.map_err(|error| failed(&error))?;
    let address = server.local_addr();
    out.line(format!("listening on {address}"))?;
    out.flush()?;
    if address.ip().is_unspecified() {
        match own_address::for_others(address) {
            Some(own) => remark(format_args!("others can open ws://{own}/")),
            None => remark("this machine has no address that others could open: no network found"),
        }
    }
    let quiet = args.quiet;
    let report = move |peer: SocketAddr, error: &WebSocketError| {
        if !quiet {
            remark(format_args!("{peer}: {}", harmless(&error.to_string())));
        }
    };
    server.serve(echo, report).await;
    Ok(())
}

async fn echo(mut socket: WebSocket<TcpStream>, _peer: SocketAddr) -> Result<(), WebSocketError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

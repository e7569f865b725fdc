//! `netlayers ws echo`: a server that sends every message back.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use clap::Args;
use tokio::net::TcpStream;

use super::compression::Compression;
use crate::base::Duration;
use crate::cli::error::CliError;
use crate::cli::listening::Wanted;
use crate::cli::number::{number, number_from};
use crate::cli::origin::origin;
use crate::cli::output::{Output, remark};
use crate::layers::application::websocket::Keepalive;
use crate::real::own_address;
use crate::real::shutdown;
use crate::real::websocket::{Builder, Server, WebSocket, WebSocketError};

/// `netlayers ws echo`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers ws echo --port 9001
  netlayers ws echo --port 9001 --compress 6 --max-message 1000000
  netlayers ws echo --port 9001 --origin https://example.org")]
pub(in crate::cli) struct WsEchoArgs {
    /// The port to listen on; 0 for one that is free
    #[arg(long, value_name = "P", default_value_t = 9001, value_parser = number(0_u16, u16::MAX, 9001))]
    port: u16,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    host: IpAddr,
    #[command(flatten)]
    compression: Compression,
    /// Bytes of a message, at most [default: 64 MiB]
    #[arg(long, value_name = "BYTES", value_parser = number_from(1_usize, 1_000_000))]
    max_message: Option<usize>,
    /// Connections at the same time, at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = number_from(1_usize, 10_000))]
    max_connections: usize,
    /// Ping a client that has been silent for so long, and give it up 20 s later; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = number_from(0_u32, 30))]
    idle: u32,
    /// A web page whose scripts may connect; may be given more than once [default: all]
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    origin: Vec<String>,
    /// A subprotocol to take when it is offered; may be given more than once [default: the first that is offered]
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// Say nothing about connections that end badly
    #[arg(long)]
    quiet: bool,
}

/// An address of this machine, or a name for one, such as localhost.
fn address(text: &str) -> Result<IpAddr, String> {
    let found = text.parse().ok().or_else(|| {
        let mut found = (text, 0).to_socket_addrs().ok()?;
        found.next().map(|address| address.ip())
    });
    found.ok_or_else(|| "expected an address, or a name of this machine such as localhost".into())
}

pub(super) async fn run(args: &WsEchoArgs, out: &mut Output) -> Result<(), CliError> {
    let keepalive = Keepalive { idle: Duration::from_secs(args.idle.into()), ..Keepalive::default() };
    let mut builder =
        Builder::new().max_connections(args.max_connections).keepalive((args.idle > 0).then_some(keepalive));
    if let Some(wishes) = args.compression.wishes() {
        builder = builder.deflate(wishes);
    }
    if let Some(bytes) = args.max_message {
        builder = builder.max_message(bytes);
    }
    if !args.origin.is_empty() {
        builder = builder.origins(&args.origin);
    }
    if !args.subprotocol.is_empty() {
        builder = builder.subprotocols(&args.subprotocol);
    }
    let server =
        Server::bind((args.host, args.port), builder).await.map_err(|error| cannot_listen(args, error))?;
    let address = server.local_addr();
    // Every client then learns, by 1001, that its server goes away.
    let asked = shutdown::requested();
    out.line(format!("listening on {address}"))?;
    out.flush()?;
    if address.ip().is_unspecified() {
        match own_address::for_others(address) {
            Some(own) => remark(format!("others can open ws://{own}/")),
            None => remark("this machine has no address that others could open: no network found"),
        }
    }
    let quiet = args.quiet;
    let report = move |peer: SocketAddr, error: &WebSocketError| {
        if !quiet {
            remark(format!("{peer}: {error}"));
        }
    };
    server.serve_until(asked, echo, report).await;
    Ok(())
}

fn cannot_listen(args: &WsEchoArgs, error: WebSocketError) -> CliError {
    let (address, port) = (args.host, args.port);
    let wanted =
        Wanted { command: "netlayers ws echo", address_option: "--host", address, port, usual: 9001 };
    match error {
        WebSocketError::Io { source, .. } => wanted.refused(&source),
        other => CliError::failed(other),
    }
}

async fn echo(mut socket: WebSocket<TcpStream>, _peer: SocketAddr) -> Result<(), WebSocketError> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

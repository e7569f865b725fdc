//! `netlayers ws connect`: a client for people. Lines go out as messages, messages come in as lines.
//!
//! A file or a program gets messages as they are. A person at a terminal sees what in them a terminal would obey.

use clap::Args;

use super::compression::Compression;
use super::xray::XRay;
use crate::cli::authority::Authority;
use crate::cli::error::CliError;
use crate::cli::lines::{self, Lines};
use crate::cli::number::number_from;
use crate::cli::output::{Output, remark};
use crate::cli::xray::Detail;
use crate::layers::application::websocket::{CloseCode, CloseReason, Event, Message};
use crate::real::tap::Tap;
use crate::real::websocket::{Builder, Url, WebSocket, WebSocketError};

/// `netlayers ws connect`.
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  netlayers ws connect ws://127.0.0.1:9001/
  netlayers ws connect ws://127.0.0.1:9001/ --xray
  netlayers ws connect ws://127.0.0.1:9001/ --xray=full
  netlayers ws connect wss://localhost:9443/ --ca wss_server.pem
  echo hello | netlayers ws connect ws://127.0.0.1:9001/

Lines are sent as text. Also:
  /ping TEXT      send a ping
  /hex 00ff41     send bytes
  /close CODE WHY close the connection")]
pub(in crate::cli) struct WsConnectArgs {
    /// Where to, such as ws://127.0.0.1:9001/chat; wss:// by TLS
    url: String,
    /// Show each frame on a line; with `=full` its header as a box, and its payload before and after masking
    #[arg(long, value_enum, value_name = "DETAIL", num_args = 0..=1, require_equals = true, default_missing_value = "short")]
    xray: Option<Detail>,
    #[command(flatten)]
    authority: Authority,
    #[command(flatten)]
    compression: Compression,
    /// Bytes of a message, at most [default: 64 MiB]
    #[arg(long, value_name = "BYTES", value_parser = number_from(1_usize, 1_000_000))]
    max_message: Option<usize>,
    /// The Origin to send
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A subprotocol to offer; may be given more than once
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// Stay connected when the input ends, and show what comes
    #[arg(long)]
    stay: bool,
}

/// What a line asks for.
#[derive(Debug, PartialEq)]
enum Command {
    Send(Message),
    Ping(String),
    Close(CloseReason),
    Wrong(&'static str),
}

pub(super) async fn run(args: &WsConnectArgs, out: &mut Output) -> Result<(), CliError> {
    let mut builder = Builder::new().subprotocols(&args.subprotocol);
    if let Some(wishes) = args.compression.wishes() {
        builder = builder.deflate(wishes);
    }
    if let Some(origin) = &args.origin {
        builder = builder.origin(origin);
    }
    if let Some(bytes) = args.max_message {
        builder = builder.max_message(bytes);
    }
    let url: Url = args.url.parse().map_err(|error: WebSocketError| CliError::Usage(error.to_string()))?;
    builder = args.authority.trusted_by(builder)?;
    let stream = builder.connect_stream(&url).await.map_err(|error| match error {
        WebSocketError::Io { source, .. } => CliError::io(&format!("connecting to {url}"), &source),
        other => CliError::failed(other),
    })?;
    let mut xray = args.xray.map(|detail| XRay::new(detail, out.look));
    let stream = Tap::new(stream, xray.as_ref().map(XRay::seen));
    let socket = builder.open(stream, &url.authority(), &url.resource).await;
    show(&mut xray, out)?;
    let mut socket = socket.map_err(CliError::failed)?;
    let chosen = socket.opening().and_then(|opening| opening.subprotocol.clone());
    let with = chosen.map_or(String::new(), |name| format!(", subprotocol {name}"));
    remark(format!("connected to {url}{with}; /ping, /hex and /close are commands"));

    let mut keyboard = Lines::of(tokio::io::stdin());
    let (mut typing, mut we_close) = (true, false);
    loop {
        let event = tokio::select! {
            event = socket.event() => event.map_err(CliError::failed)?,
            line = keyboard.next(), if typing => {
                let line = line.map_err(|error| CliError::io("reading the keyboard", &error))?;
                // The end of input is a wish to end: what was sent is still answered before the Close frame is.
                typing = match line {
                    Some(lines::Line::Text(line)) => {
                        let goes_on = act(&mut socket, understand(&line)).await?;
                        we_close |= !goes_on;
                        goes_on
                    }
                    Some(lines::Line::Wrong(why)) => {
                        remark(why);
                        true
                    }
                    None if args.stay => false,
                    None => {
                        we_close = true;
                        act(&mut socket, Command::Close(CloseCode::NORMAL.into())).await?;
                        false
                    }
                };
                show(&mut xray, out)?;
                continue;
            }
        };
        show(&mut xray, out)?;
        match event {
            Some(Event::Close(reason)) if !we_close && !is_good_end(reason.code) => {
                return Err(CliError::Failed(format!(
                    "the server closed the connection: {} {}",
                    reason.code.0,
                    reason.text.as_str()
                )));
            }
            Some(event) => tell(&event, out)?,
            None => return Ok(()),
        }
        out.flush()?;
    }
}

/// Whether a server that closes so has come to its end in good order: 1000, 1001 for a server that goes down, and 1005
/// for a Close frame without a code (RFC 6455 §7.4.1).
fn is_good_end(code: CloseCode) -> bool {
    matches!(code.0, 1000 | 1001 | 1005)
}

/// Does what a line asks; false when that is to close.
async fn act(socket: &mut WebSocket<Tap>, line: Command) -> Result<bool, CliError> {
    let done = match line {
        Command::Send(message) => socket.send(message).await,
        Command::Ping(text) => socket.ping(text).await,
        Command::Close(reason) => {
            return match socket.send_close(reason).await {
                Ok(()) => Ok(false),
                Err(WebSocketError::Send(error)) => {
                    remark(error.to_string());
                    Ok(true)
                }
                Err(error) => Err(CliError::failed(error)),
            };
        }
        Command::Wrong(why) => {
            remark(why);
            return Ok(true);
        }
    };
    match done {
        Ok(()) => Ok(true),
        Err(WebSocketError::Send(error)) => {
            remark(error.to_string());
            Ok(true)
        }
        Err(error) => Err(CliError::failed(error)),
    }
}

fn understand(line: &str) -> Command {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "/ping" => Command::Ping(rest.to_owned()),
        "/close" if rest.is_empty() => Command::Close(CloseCode::NORMAL.into()),
        "/close" => {
            let (code, words) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            code.parse().map_or(Command::Wrong("/close takes a number, such as /close 1000 done"), |code| {
                Command::Close(CloseReason::new(CloseCode(code), words.trim()))
            })
        }
        "/hex" => bytes(rest)
            .map_or(Command::Wrong("/hex takes pairs of digits, such as /hex 00 ff 41"), |bytes| {
                Command::Send(bytes.into())
            }),
        _ => Command::Send(line.into()),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn tell(event: &Event, out: &mut Output) -> Result<(), CliError> {
    match event {
        // No fragments are asked for.
        Event::Open(_) | Event::Fragment(_) => Ok(()),
        Event::Message(Message::Text(text)) => out.document(format!("{}\n", text.as_str())),
        Event::Message(Message::Binary(bytes)) => out.line(hex(bytes)),
        Event::Ping(payload) => {
            remark(format!("ping {}", hex(payload)));
            Ok(())
        }
        Event::Pong(payload) => {
            remark(format!("pong {}", String::from_utf8_lossy(payload)));
            Ok(())
        }
        Event::Close(reason) => {
            remark(format!("closed: {} {}", reason.code.0, reason.text.as_str()));
            Ok(())
        }
        Event::Failed(failure) => Err(CliError::Failed(failure.to_string())),
    }
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

fn show(xray: &mut Option<XRay>, out: &mut Output) -> Result<(), CliError> {
    let Some(pictures) = xray.as_mut().map(XRay::take).filter(|pictures| pictures.height() > 0) else {
        return Ok(());
    };
    out.sheet(&pictures)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_and_commands() {
        assert_eq!(understand("hello /ping"), Command::Send("hello /ping".into()));
        assert_eq!(understand("/ping are you there"), Command::Ping("are you there".into()));
        assert_eq!(understand("/close"), Command::Close(CloseCode::NORMAL.into()));
        assert_eq!(understand("/close 4000"), Command::Close(CloseCode(4000).into()));
        let lunch = CloseReason::new(CloseCode(4001), "gone to lunch");
        assert_eq!(understand("/close 4001 gone to lunch"), Command::Close(lunch));
        assert_eq!(understand("/hex 00 fF41"), Command::Send(vec![0, 255, 0x41].into()));
        for wrong in ["/close x", "/close 70000", "/hex 0", "/hex zz"] {
            assert!(matches!(understand(wrong), Command::Wrong(_)), "{wrong}");
        }
    }
}

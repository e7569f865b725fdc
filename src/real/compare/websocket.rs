//! The WebSocket scene: a message there, the same message back as one of the server's own, then the closing handshake
//! (RFC 6455 §4, §5, §7), all by our own machine over the kernel's TCP.

use bytes::Bytes;
use tokio::net::TcpStream;

use super::observed::Observed;
use super::stage::{CLIENT, SERVER, Stage};
use super::tcp::{Pair, connect};
use super::{MAX_MESSAGE, Played, RealKnobs};
use crate::base::Duration;
use crate::layers::application::websocket::{CloseCode, Config, Message, Utf8Bytes};
use crate::real::error::{RealError, during};
use crate::real::kernel_figures::{EndFigures, KernelFigures};
use crate::real::websocket::{Builder, WebSocket};
use crate::trace::{Flow, Kind, Outcome, Way};

pub(super) async fn play(stage: &Stage, message: Bytes, knobs: &RealKnobs) -> Played {
    let Pair { client, server, flow } = connect(stage, knobs).await?;
    let builder = builder(knobs.timeout);
    let host = flow.remote().to_string();
    let (mut client, mut server) = tokio::try_join!(
        during("the client's handshake", builder.open(client, &host, "/")),
        during("the server's handshake", builder.accept(server)),
    )?;

    let there_and_back = async {
        stage.record(stage.now(), CLIENT, Kind::MessageSent { flow, len: message.len() });
        during("sending the message", client.send(of_its_kind(&message))).await?;
        let back = during("waiting for the message to come back", client.recv()).await?;
        let len = back.as_ref().map_or(0, |message| message.as_bytes().len());
        if back.is_some() {
            stage.record(stage.now(), CLIENT, Kind::MessageReceived { flow, len });
        }
        Ok::<_, RealError>(back)
    };
    let (returned, received) = tokio::try_join!(there_and_back, echo(stage, flow.reversed(), &mut server))?;

    // Now both messages are through and the connection is still established.
    let mut kernel = KernelFigures::new(Way::WebSocket, of_tcp(&client), of_tcp(&server));
    // The server learns of the end as any server would: by asking for the next message.
    tokio::try_join!(
        during("closing", client.close(CloseCode::NORMAL)),
        during("being closed", server.recv()),
    )?;
    kernel.close(client.get_ref().stream(), server.get_ref().stream());

    let pieces = |message: Option<Message>| message.iter().map(|m| m.as_bytes().clone()).collect();
    let outcome = Outcome {
        sent: vec![message.clone()],
        message,
        received: pieces(received),
        returned: Some(pieces(returned)),
    };
    Ok((outcome, kernel))
}

/// What a WebSocket of this scene is like: room for the longest message, and as much time as the scene has.
pub(in crate::real) fn builder(timeout: Duration) -> Builder {
    Builder::new().config(Config {
        max_frame: MAX_MESSAGE,
        max_message: MAX_MESSAGE,
        handshake_timeout: timeout,
        close_timeout: timeout,
        ..Config::default()
    })
}

/// The server's part: it sends the first message back, and returns it.
pub(in crate::real) async fn echo(
    stage: &Stage,
    flow: Flow,
    server: &mut WebSocket<Observed<'_>>,
) -> Result<Option<Message>, RealError> {
    let received = during("waiting for the message", server.recv()).await?;
    if let Some(message) = &received {
        let len = message.as_bytes().len();
        stage.record(stage.now(), SERVER, Kind::MessageReceived { flow, len });
        stage.record(stage.now(), SERVER, Kind::MessageSent { flow, len });
        during("sending the message back", server.send(message.clone())).await?;
    }
    Ok(received)
}

/// Text when it is UTF-8, for that is what a text message must be (§5.6); else binary.
fn of_its_kind(message: &Bytes) -> Message {
    match Utf8Bytes::try_from(message.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(message.clone()),
    }
}

fn of_tcp(websocket: &WebSocket<Observed<'_>>) -> EndFigures {
    let stream: &TcpStream = websocket.get_ref().stream();
    EndFigures::of_tcp(stream)
}

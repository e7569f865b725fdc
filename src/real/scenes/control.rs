//! A ping between the fragments of a message, both ends speaking at once, and the close, over the kernel's TCP
//! (RFC 6455 §5.4, §5.5, §7.1).
//!
//! The server is the library's. The client drives the same sans-IO machine by hand, because it is to stop between two
//! fragments.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play};
use crate::base::{Duration, Machine as _};
use crate::layers::application::websocket::{
    CloseCode, CloseReason, Config, Connection, Event, Input, MessageKind, Output, Request,
};
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::Stage;
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::real::random;
use crate::real::websocket::{Builder, WebSocket, WebSocketError};
use crate::trace::Way;

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
const PING: &str = "are you there?";

/// Plays the scene with a message in `fragments` fragments.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn control(fragments: usize) -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::WebSocket);
    let said = play(scene(&stage, fragments.clamp(2, 20)))?;
    let differences = vec![
        Difference {
            what: "how long a ping takes",
            sim: "a round trip of the link".into(),
            real: "what the lines above say".into(),
            because: "on loopback there is no way to go: what is measured is two programs and a kernel taking turns"
                .into(),
        },
        Difference {
            what: "a cable that is cut",
            sim: "shown".into(),
            real: "not shown".into(),
            because: "loopback has no cable; between two machines, pull it, and compare `ss -to` at both ends".into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage, fragments: usize) -> Result<Vec<String>, RealError> {
    let Pair { client, server, flow } = connect(stage, &RealKnobs::default()).await?;
    // As the library's own `connect` does: a small frame is not to wait for the acknowledgment of another (Nagle).
    for end in [&client, &server] {
        end.stream().set_nodelay(true).during("setting TCP_NODELAY", NEXT)?;
    }
    let mut client = Client::new(stage, client, flow.remote().to_string())?;
    let builder = Builder::new();
    let accept = async { builder.accept(server).await.map_err(during("the server's handshake")) };
    let (open, mut server) =
        tokio::try_join!(client.wait_for(|event| matches!(event, Event::Open(_))), accept)?;
    debug_assert!(matches!(open, Event::Open(_)));

    // The server's program waits for a message, and for nothing else.
    let (took, message) = tokio::try_join!(in_fragments(stage, &mut client, fragments), next(&mut server))?;
    let mut said = vec![
        format!("the pong came {took} after the ping, when one of {fragments} fragments was sent"),
        format!("the server's program did nothing but wait: its one receive gave \"{message}\""),
    ];

    let at = stage.now();
    client.machine.send_text("from the client").map_err(|error| during("sending")(error.into()))?;
    tokio::try_join!(client.flush(), async {
        server.send("from the server").await.map_err(during("sending from the server"))
    })?;
    let (event, message) =
        tokio::try_join!(client.wait_for(|event| matches!(event, Event::Message(_))), next(&mut server))?;
    let both = stage.now().since(at);
    if let Event::Message(got) = event {
        let got = String::from_utf8_lossy(got.as_bytes()).into_owned();
        said.push(format!(
            "both wrote before either had read: {both} later they had \"{got}\" and \"{message}\""
        ));
    }

    let reason = CloseReason::new(CloseCode::NORMAL, "done");
    client.machine.close(stage.now(), &reason).map_err(|error| during("closing")(error.into()))?;
    let (closed, end) = tokio::try_join!(client.wait_for(|event| matches!(event, Event::Close(_))), async {
        server.recv().await.map_err(during("being closed"))
    })?;
    if let (Event::Close(answer), None) = (closed, end) {
        let told = server.close_reason().map_or_else(String::new, |reason| reason.code.0.to_string());
        said.push(format!("the server's program got {told}; its machine answered {}", answer.code.0));
    }
    let refused = CloseReason::new(CloseCode::ABNORMAL, "").payload();
    if let Err(error) = refused {
        said.push(format!("a Close with code {}: {error}", CloseCode::ABNORMAL.0));
    }
    Ok(said)
}

/// Sends a message in fragments, with a ping after the first; the others follow when it is answered. Returns how long
/// that took.
async fn in_fragments(
    stage: &Stage,
    client: &mut Client<'_>,
    fragments: usize,
) -> Result<Duration, RealError> {
    let mut pinged = None;
    for number in 1..=fragments {
        let part = format!("part {number}. ");
        let sent = client.machine.send_fragment(MessageKind::Text, part, number == fragments);
        sent.map_err(|error| during("sending a fragment")(error.into()))?;
        client.flush().await?;
        if number == 1 {
            client.machine.ping(PING).map_err(|error| during("sending a ping")(error.into()))?;
            let at = stage.now();
            client.wait_for(|event| matches!(event, Event::Pong(_))).await?;
            pinged = Some(stage.now().since(at));
        }
    }
    Ok(pinged.unwrap_or(Duration::ZERO))
}

/// The next message of the server's program, as text.
async fn next(server: &mut WebSocket<Observed<'_>>) -> Result<String, RealError> {
    let message = server.recv().await.map_err(during("receiving"))?;
    Ok(message.map_or_else(String::new, |message| String::from_utf8_lossy(message.as_bytes()).into_owned()))
}

/// A machine and its stream: what a driver is, in its shortest form.
struct Client<'a> {
    stage: &'a Stage,
    stream: Observed<'a>,
    machine: Connection,
    events: Vec<Event>,
}

impl<'a> Client<'a> {
    fn new(stage: &'a Stage, stream: Observed<'a>, host: String) -> Result<Self, RealError> {
        let mut numbers = random::numbers();
        let (first, second) = (numbers().to_be_bytes(), numbers().to_be_bytes());
        let nonce = std::array::from_fn(|i| if i < 8 { first[i] } else { second[i - 8] });
        let masks = Box::new(move || {
            let [a, b, c, d, ..] = numbers().to_be_bytes();
            Some([a, b, c, d])
        });
        let request = Request::new(host, "/", nonce);
        let machine =
            Connection::client(stage.now(), Config::default(), request, masks).map_err(|error| {
                RealError::WebSocket { step: "asking", source: WebSocketError::Request(error.into()) }
            })?;
        Ok(Client { stage, stream, machine, events: Vec::new() })
    }

    /// Writes what the machine wants written.
    async fn flush(&mut self) -> Result<(), RealError> {
        while let Some(output) = self.machine.poll(self.stage.now()) {
            match output {
                Output::Send(bytes) => self.stream.write_all(&bytes).await.during("writing", NEXT)?,
                Output::Event(event) => self.events.push(event),
                // Nothing here takes long enough to be timed out: the scene itself is.
                Output::WakeAt(_) | Output::Finished => {}
            }
        }
        Ok(())
    }

    /// Reads until the machine reports what is wanted; other events are skipped.
    async fn wait_for(&mut self, wanted: fn(&Event) -> bool) -> Result<Event, RealError> {
        let mut room = [0; 4096];
        loop {
            self.flush().await?;
            let found = self.events.iter().position(wanted);
            if let Some(found) = found {
                return Ok(self.events.drain(..=found).next_back().expect("it was found there"));
            }
            let read = self.stream.read(&mut room).await.during("reading", NEXT)?;
            let input = match read {
                0 => Input::Eof,
                read => Input::Bytes(bytes::Bytes::copy_from_slice(&room[..read])),
            };
            self.machine.handle(self.stage.now(), input);
        }
    }
}

fn during(step: &'static str) -> impl FnOnce(WebSocketError) -> RealError {
    move |source| RealError::WebSocket { step, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_between_fragments_is_answered_and_the_message_is_whole() {
        let story = control(3).expect("TCP on loopback");
        let said = story.said.join("\n");
        assert!(said.contains("part 1. part 2. part 3. "), "{said}");
        assert!(said.contains("\"from the server\" and \"from the client\""), "{said}");
        assert!(said.contains("got 1000; its machine answered 1000"), "{said}");
    }
}

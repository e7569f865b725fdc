//! The opening handshake as text over the kernel's TCP, and a request that is refused (RFC 6455 §4).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play, stream_of};
use crate::layers::application::websocket::handshake::accept_key;
use crate::layers::application::websocket::wire::head_of;
use crate::layers::application::websocket::{CloseCode, Request};
use crate::real::compare::stage::{CLIENT, SERVER, Stage};
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError, during};
use crate::real::websocket::Builder;
use crate::trace::{PlaceId, Trace, Way};

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn upgrade() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::WebSocket);
    play(agreed(&stage))?;
    let trace = stage.into_trace();
    let (request, response) = (head(&trace, CLIENT), head(&trace, SERVER));
    let key = value(&request, "Sec-WebSocket-Key");
    let mut said: Vec<String> = request.iter().map(|line| format!("the client wrote: {line}")).collect();
    said.extend(response.iter().map(|line| format!("the server wrote: {line}")));
    said.push(format!("the answer to the key {key}, computed once more: {}", accept_key(&key)));
    let refusal = play(refused())?;
    said.push(format!("a request for version 8, on a connection of its own, is answered: {refusal}"));
    let differences = vec![
        Difference {
            what: "the key",
            sim: "from the run's seed, or that of the RFC's example".into(),
            real: format!("{key}, from the operating system's randomness"),
            because: "it must not be guessable (RFC 6455 §4.1); only a simulation may repeat one".into(),
        },
        Difference {
            what: "what can be seen of the connection",
            sim: "every segment".into(),
            real: "writes and reads: the same text".into(),
            because:
                "the kernel adds and takes off all headers below; HTTP and WebSocket are the program's own"
                    .into(),
        },
    ];
    Ok(RealStory { trace, said, differences })
}

async fn agreed(stage: &Stage) -> Result<(), RealError> {
    let Pair { client, server, flow } = connect(stage, &RealKnobs::default()).await?;
    let host = flow.remote().to_string();
    let builder = Builder::new();
    let (mut client, mut server) = tokio::try_join!(
        during("the client's handshake", builder.open(client, &host, "/chat")),
        during("the server's handshake", builder.accept(server)),
    )?;
    tokio::try_join!(
        during("closing", client.close(CloseCode::NORMAL)),
        during("being closed", server.recv()),
    )?;
    Ok(())
}

/// The first line of the answer to a request for another version, and the version it names.
async fn refused() -> Result<String, RealError> {
    let stage = Stage::new(Way::WebSocket);
    let Pair { mut client, server, flow } = connect(&stage, &RealKnobs::default()).await?;
    let request = Request::new(flow.remote().to_string(), "/chat", [7; 16]).head(&[]);
    let text = request.emit().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let text = text.replace("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8");
    let ask = async {
        client.write_all(text.as_bytes()).await.during("writing the request", NEXT)?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.during("reading the answer", NEXT)?;
        client.shutdown().await.during("closing", NEXT)?;
        Ok::<_, RealError>(lines(&answer[..head_of(&answer)]))
    };
    let builder = Builder::new();
    // That it refuses is what this is about.
    let judge = async { Ok(builder.accept(server).await.err()) };
    let (answer, refusal) = tokio::try_join!(ask, judge)?;
    let status = answer.first().cloned().unwrap_or_default();
    let version = value(&answer, "Sec-WebSocket-Version");
    let why = refusal.map_or_else(String::new, |error| format!("; the server's program gets: {error}"));
    Ok(format!("\"{status}\", with version {version}{why}"))
}

/// The lines of the head that an end wrote.
fn head(trace: &Trace, place: PlaceId) -> Vec<String> {
    let written = stream_of(trace, place);
    lines(&written[..head_of(&written)])
}

fn lines(head: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(head);
    text.split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn value(lines: &[String], name: &str) -> String {
    let mut fields = lines.iter().filter_map(|line| line.split_once(": "));
    fields.find(|(field, _)| *field == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_fits_the_key_and_another_version_is_refused() {
        let story = upgrade().expect("TCP on loopback");
        let said = story.said.join("\n");
        assert!(said.contains("GET /chat HTTP/1.1") && said.contains("101 Switching Protocols"), "{said}");
        assert!(said.contains("426 ") && said.contains("with version 13"), "{said}");
    }
}

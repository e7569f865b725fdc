//! Messages as frames, both ways, over the kernel's TCP: what our machine writes, and what the kernel makes of it
//! (RFC 6455 §5.2, §5.3).

use tokio::net::TcpStream;

use super::{RealStory, play, stream_of};
use crate::base::Duration;
use crate::layers::application::websocket::CloseCode;
use crate::layers::application::websocket::wire::WireFrame;
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::{CLIENT, SERVER, Stage};
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError, during};
use crate::real::tcp_info::TcpInfo;
use crate::real::websocket::{Builder, WebSocket};
use crate::trace::{PlaceId, Trace, Way};

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
/// The sizes that the lesson sends at once in the simulator.
const AT_ONCE: [usize; 4] = [1800, 300, 300, 300];
/// Bytes of a frame that are written out.
const SHOWN: usize = 16;

/// Plays the scene with a text that is sent and sent back.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn frames(text: &str) -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::WebSocket);
    let [together, at_once] = play(scene(&stage, text))?;
    let trace = stage.into_trace();
    let (client, server) = (frames_of(&trace, CLIENT), frames_of(&trace, SERVER));
    let mut said = Vec::new();
    if let Some(frame) = client.first() {
        let key = frame.header.mask.unwrap_or_default();
        said.push(format!("the client's header, key included: {}", hex(&frame.head)));
        said.push(format!("its payload before masking: {}", hex(&frame.payload())));
        said.push(format!("its payload on the wire, XORed with the key {}: {}", hex(&key), hex(&frame.wire)));
    }
    if let Some(frame) = server.first() {
        said.push(format!(
            "the server sent the same back, header {}, payload {}: nothing is masked",
            hex(&frame.head),
            hex(&frame.wire)
        ));
    }
    let sizes: Vec<String> = AT_ONCE.iter().map(usize::to_string).collect();
    said.push(format!(
        "messages of {} bytes, written one right after the other: {}, all read {} after the first write",
        sizes.join(" + "),
        together.told(),
        together.took
    ));
    said.push(format!("the same with TCP_NODELAY: {}, all read after {}", at_once.told(), at_once.took));
    let differences = vec![
        Difference {
            what: "where keys come from",
            sim: "the run's seed: the same in every run".into(),
            real: "the operating system's randomness: other ones in every run".into(),
            because: "a key must not be guessable (RFC 6455 §5.3); only a simulation may repeat one".into(),
        },
        Difference {
            what: "how long small frames wait for a large one",
            sim: "a round trip, until the large one is acknowledged (Nagle)".into(),
            real: format!("{}; with TCP_NODELAY {}", together.took, at_once.took),
            because: "a kernel may also delay its acknowledgments, which ours does not (RFC 9293 §3.8.6.3); TCP_NODELAY ends the \
                      waiting, and our library's own `connect` sets it"
                .into(),
        },
    ];
    Ok(RealStory { trace, said, differences })
}

/// What several frames became that were written one right after the other.
struct Sent {
    segments: Option<u32>,
    took: Duration,
}

impl Sent {
    fn told(&self) -> String {
        match self.segments {
            Some(1) => "1 segment".into(),
            Some(n) => format!("{n} segments"),
            None => "a number of segments that this system does not tell".into(),
        }
    }
}

async fn scene(stage: &Stage, text: &str) -> Result<[Sent; 2], RealError> {
    let Pair { client, server, flow } = connect(stage, &RealKnobs::default()).await?;
    let host = flow.remote().to_string();
    let builder = Builder::new();
    let (mut client, mut server) = tokio::try_join!(
        during("the client's handshake", builder.open(client, &host, "/")),
        during("the server's handshake", builder.accept(server)),
    )?;
    there_and_back(&mut client, &mut server, text).await?;
    let together = several(stage, &mut client, &mut server).await?;
    stream(&client).set_nodelay(true).during("setting TCP_NODELAY", NEXT)?;
    let at_once = several(stage, &mut client, &mut server).await?;
    tokio::try_join!(
        during("closing", client.close(CloseCode::NORMAL)),
        during("being closed", server.recv()),
    )?;
    Ok([together, at_once])
}

/// Sends messages one right after the other, and waits until the server's program has all of them.
async fn several(
    stage: &Stage,
    client: &mut WebSocket<Observed<'_>>,
    server: &mut WebSocket<Observed<'_>>,
) -> Result<Sent, RealError> {
    let (before, at) = (segments_of(client), stage.now());
    for size in AT_ONCE {
        let letters: String = ('a'..='z').cycle().take(size).collect();
        during("sending", client.send(letters)).await?;
    }
    for _ in AT_ONCE {
        during("receiving", server.recv()).await?;
    }
    let took = stage.now().since(at);
    let segments = before.zip(segments_of(client)).map(|(before, after)| after.saturating_sub(before));
    Ok(Sent { segments, took })
}

async fn there_and_back(
    client: &mut WebSocket<Observed<'_>>,
    server: &mut WebSocket<Observed<'_>>,
    text: &str,
) -> Result<(), RealError> {
    during("sending", client.send(text)).await?;
    if let Some(message) = during("receiving", server.recv()).await? {
        during("sending back", server.send(message)).await?;
        during("receiving", client.recv()).await?;
    }
    Ok(())
}

fn stream<'a>(websocket: &'a WebSocket<Observed<'_>>) -> &'a TcpStream {
    websocket.get_ref().stream()
}

fn segments_of(websocket: &WebSocket<Observed<'_>>) -> Option<u32> {
    TcpInfo::of(stream(websocket)).ok().and_then(|info| info.segs_out)
}

/// The frames that an end wrote.
fn frames_of(trace: &Trace, place: PlaceId) -> Vec<WireFrame> {
    WireFrame::all(&stream_of(trace, place))
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > SHOWN { " and so on" } else { "" };
    if shown.is_empty() { "nothing".into() } else { shown.join(" ") + more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_masked_and_comes_back_in_clear() {
        let story = frames("Hello").expect("TCP on loopback");
        let (client, server) = (frames_of(&story.trace, CLIENT), frames_of(&story.trace, SERVER));
        assert_eq!(client[0].payload(), b"Hello");
        assert!(client[0].header.mask.is_some());
        assert_eq!(server[0].bytes(), b"\x81\x05Hello");
        assert!(story.said.iter().any(|said| said.contains("48 65 6c 6c 6f")), "{:?}", story.said);
    }
}

//! A connection that is closed in both directions, and one whose end goes without having read.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{RealStory, play};
use crate::base::Duration;
use crate::real::clock::std_duration;
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::Stage;
use crate::real::compare::{Pair, RealKnobs, connect};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::real::tcp_info::TcpInfo;
use crate::trace::Way;

const NEXT: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";
/// Time for the kernel to exchange what there is, delayed ACKs included.
const MOMENT: Duration = Duration::from_millis(100);

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn two_closes() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    let mut said = play(politely(&stage))?;
    said.push(play(unread())?);
    let differences = vec![Difference {
        what: "where TIME-WAIT can be seen",
        sim: "at the end that closed first, for a minute".into(),
        real: "not on the socket".into(),
        because: "Linux replaces the socket by a smaller record when TIME-WAIT begins; `ss -tan state time-wait` lists them"
            .into(),
    }];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

fn state(stream: &Observed<'_>) -> &'static str {
    TcpInfo::of(stream.stream()).map_or("not shown by this system", |info| info.state)
}

/// The client closes its direction, still gets an answer, and then the server closes too.
async fn politely(stage: &Stage) -> Result<Vec<String>, RealError> {
    let Pair { mut client, mut server, .. } = connect(stage, &RealKnobs::default()).await?;
    let mut room = [0; 64];
    client.write_all(b"question").await.during("writing", NEXT)?;
    client.shutdown().await.during("closing the client's direction", NEXT)?;
    while server.read(&mut room).await.during("reading", NEXT)? > 0 {}
    tokio::time::sleep(std_duration(MOMENT)).await;
    client.look("a moment");
    let half = (state(&client), state(&server));
    server.write_all(b"the answer").await.during("answering", NEXT)?;
    let answer = client.read(&mut room).await.during("reading the answer", NEXT)?;
    server.shutdown().await.during("closing the server's direction", NEXT)?;
    let end = client.read(&mut room).await.during("reading the end", NEXT)?;
    tokio::time::sleep(std_duration(MOMENT)).await;
    server.look("a moment");
    Ok(vec![
        format!("after the client's shutdown() the client is in {}, the server in {}", half.0, half.1),
        format!("the answer of {answer} bytes came after the client's FIN; the next read gave {end}"),
        format!("when both have closed, the server's socket says {}", state(&server)),
    ])
}

/// What a client learns when the server's program ends without having read.
async fn unread() -> Result<String, RealError> {
    let stage = Stage::new(Way::Tcp);
    let Pair { mut client, server, .. } = connect(&stage, &RealKnobs::default()).await?;
    client.write_all(b"nobody reads this").await.during("writing", NEXT)?;
    tokio::time::sleep(std_duration(MOMENT)).await;
    drop(server);
    tokio::time::sleep(std_duration(MOMENT)).await;
    Ok(match client.read(&mut [0; 64]).await {
        Ok(0) => "an end that goes without having read: the client reads the end of the stream".into(),
        Ok(len) => format!("an end that goes without having read: the client reads {len} bytes"),
        Err(error) => {
            format!("an end that goes without having read: the client's read says \"{}\"", error.kind())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn half_of_a_connection_is_closed_and_unread_data_is_answered_by_a_reset() {
        let story = two_closes().expect("TCP on loopback");
        assert!(story.said[0].contains("in FIN-WAIT-2, the server in CLOSE-WAIT"), "{:?}", story.said);
        assert!(story.said[1].contains("10 bytes") && story.said[1].ends_with("gave 0"), "{:?}", story.said);
        assert!(story.said[3].contains("connection reset"), "{:?}", story.said);
    }
}

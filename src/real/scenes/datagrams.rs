//! Datagrams that wait for their program, a read with too little room, and a port without a socket.
//!
//! What a datagram does not fit into is cut off and gone (recv(2)); RFC 1122 §4.1.3.1 says that a port without
//! a socket SHOULD be answered by ICMP, and §4.1.3.3 that UDP MUST pass that answer to the program.

use bytes::Bytes;
use tokio::net::UdpSocket;

use super::{RealStory, UDP_NEXT as NEXT, play, udp_pair};
use crate::base::Duration;
use crate::real::clock::std_duration;
use crate::real::compare::stage::{CLIENT, SERVER, Stage};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::trace::{Flow, Kind, Way};

const WORDS: [&str; 4] = ["one", "two", "three", "four"];
/// How long an ICMP error may take.
const SOON: Duration = Duration::from_millis(100);

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn datagrams() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Udp);
    let said = play(scene(&stage))?;
    let differences = vec![
        Difference {
            what: "loss",
            sim: "one datagram is lost on the way".into(),
            real: "none".into(),
            because: "loopback is memory, and loses nothing until the receiver's buffer is full".into(),
        },
        Difference {
            what: "the time from send to receive",
            sim: "the delay of the link".into(),
            real: "as late as the program asks".into(),
            because: "a datagram is in the receiver's buffer before send() comes back".into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage) -> Result<Vec<String>, RealError> {
    let (client, server, flow) = udp_pair().await?;

    for word in WORDS {
        let at = stage.now();
        client.send(word.as_bytes()).await.during("sending a datagram", NEXT)?;
        stage.record(at, CLIENT, Kind::AppWrote { flow, bytes: Bytes::from_static(word.as_bytes()) });
    }
    let mut said = vec![format!("{} datagrams were sent before the first receive", WORDS.len())];
    for room in [1000, 1000, 2, 1000] {
        let got = receive(stage, &server, flow, room).await?;
        said.push(format!("a receive with room for {room} bytes gave \"{}\"", String::from_utf8_lossy(&got)));
    }
    said.push("what had no room is gone: the next receive gave the next datagram".into());
    drop(server);
    said.push(nobody(&client).await?);
    Ok(said)
}

async fn receive(stage: &Stage, server: &UdpSocket, flow: Flow, room: usize) -> Result<Bytes, RealError> {
    let mut buffer = vec![0; room];
    let at = stage.now();
    let read = server.recv(&mut buffer).await.during("receiving a datagram", NEXT)?;
    let bytes = Bytes::copy_from_slice(&buffer[..read]);
    stage.record(at, SERVER, Kind::AppRead { flow: flow.reversed(), bytes: bytes.clone() });
    Ok(bytes)
}

/// What a sender gets when the port it sends to has no socket.
async fn nobody(client: &UdpSocket) -> Result<String, RealError> {
    client.send(b"anybody?").await.during("sending to a closed port", NEXT)?;
    let mut room = [0; 16];
    let answer = tokio::time::timeout(std_duration(SOON), client.recv(&mut room)).await;
    Ok(match answer {
        Ok(Err(error)) => format!(
            "the server's socket is closed; send() succeeds, and the next call says \"{}\": an ICMP message came back",
            error.kind()
        ),
        _ => "the server's socket is closed; send() succeeds nevertheless, and reports no error".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receive_gives_one_datagram_and_what_has_no_room_is_gone() {
        let story = datagrams().expect("UDP on loopback");
        for expected in ["gave \"one\"", "gave \"two\"", "2 bytes gave \"th\"", "gave \"four\""] {
            assert!(story.said.iter().any(|said| said.contains(expected)), "{expected}: {:?}", story.said);
        }
    }
}

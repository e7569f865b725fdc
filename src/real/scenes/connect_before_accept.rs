//! A client connects and writes while the server's program has not called `accept()`: what makes the handshake?
//!
//! RFC 9293 §3.5 knows no accept. The kernel completes the handshake and puts the connection into the listener's
//! queue; `accept()` takes it out (listen(2), accept(2)).

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{RealStory, play};
use crate::base::{Duration, Instant};
use crate::real::clock::std_duration;
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::{ANY_PORT, CLIENT, SERVER, Stage, flow};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::real::tcp_info::TcpInfo;
use crate::trace::{Flow, Kind, Protocol, Way};

const NEXT: &str = "see whether a firewall or a sandbox forbids TCP on 127.0.0.1";
const MESSAGE: &[u8] = b"hello";

/// How long the server's program does nothing.
const IDLE: Duration = Duration::from_millis(50);
/// From one question to the next how much the server's kernel has acknowledged.
const LOOK: Duration = Duration::from_micros(100);

/// Plays the scene.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn connect_before_accept() -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    let said = play(scene(&stage))?;
    let differences = vec![
        Difference {
            what: "what can be seen of the handshake",
            sim: "three segments".into(),
            real: "that connect() takes a moment".into(),
            because: "the kernel sends and answers them; a program only learns that it is done".into(),
        },
        Difference {
            what: "the call of accept()",
            sim: "none: the program gets an event for a new connection".into(),
            real: "the program, when it likes".into(),
            because: "the kernel keeps finished connections in the listener's queue until they are asked for"
                .into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage) -> Result<Vec<String>, RealError> {
    let listener = TcpListener::bind(ANY_PORT).await.during("listening", NEXT)?;
    let address = listener.local_addr().during("asking for the listener's address", NEXT)?;

    let begun = stage.now();
    let client = TcpStream::connect(address).await.during("connecting", NEXT)?;
    let took = stage.now().since(begun);
    let local = client.local_addr().during("asking for the client's address", NEXT)?;
    let flow = flow(Protocol::Tcp, local, address);
    let mut client = Observed::new(stage, CLIENT, flow, client, "CLOSED", "connect()");
    stage.note(CLIENT, format!("connect() came back after {took}"));
    let state = TcpInfo::of(client.stream()).map_or("not shown by this system", |info| info.state);

    client.write_all(MESSAGE).await.during("writing before accept()", NEXT)?;
    let idle_until = stage.now() + IDLE;
    let acknowledged = acknowledged(stage, &client, idle_until, flow.reversed()).await;
    tokio::time::sleep(std_duration(idle_until.since(stage.now()))).await;

    let accepted_at = stage.now();
    // Any program on this machine may have connected to our port; only the client's connection counts.
    let server = loop {
        let (stream, from) = listener.accept().await.during("accepting", NEXT)?;
        if from == local {
            break stream;
        }
    };
    let waited = accepted_at.since(begun);
    // The state that the socket shows now, it has had for long: accept() changes none.
    stage.note(SERVER, "the program calls accept()".into());
    let before = TcpInfo::of(&server).map_or("LISTEN", |info| info.state);
    let mut server = Observed::new(stage, SERVER, flow.reversed(), server, before, "accept()");
    let mut room = [0; 64];
    let read = server.read(&mut room).await.during("reading", NEXT)?;
    let got = Bytes::copy_from_slice(&room[..read]);

    let mut said = vec![
        format!("connect() came back after {took}: the client's connection was {state}"),
        format!("the server's program called accept() {waited} after the client began"),
        format!("write() took {} bytes before that, and the first read() gave {}", MESSAGE.len(), got.len()),
    ];
    // Linux counts the SYN as one byte that was acknowledged.
    if let Some(bytes) = acknowledged {
        said.push(format!(
            "before accept(), the server's kernel had acknowledged {bytes} bytes (the SYN counts as one): an ACK does not mean that a program read anything"
        ));
    }
    said.push(refused().await?);
    Ok(said)
}

/// How many bytes the server's kernel has acknowledged, all of them if it does so in time; `None` where the system
/// does not show it. When the first byte of the message is among them, the server's end is established: bytes
/// are acknowledged in no earlier state (RFC 9293 §3.10.7.4). That is the earliest moment at which it can be seen.
async fn acknowledged(stage: &Stage, client: &Observed<'_>, until: Instant, server: Flow) -> Option<u64> {
    // Linux counts the SYN as one byte that was acknowledged.
    let all = MESSAGE.len() as u64 + 1;
    let mut stands = false;
    loop {
        let bytes = TcpInfo::of(client.stream()).ok()?.bytes_acked?;
        if bytes > 1 && !stands {
            stands = true;
            let why = Box::new("seen when its kernel had acknowledged a byte of the client's".into());
            let kind = Kind::StateChanged { flow: server, from: "LISTEN", to: "ESTABLISHED", why };
            stage.record(stage.now(), SERVER, kind);
        }
        if bytes >= all || stage.now() >= until {
            return Some(bytes);
        }
        tokio::time::sleep(std_duration(LOOK)).await;
    }
}

/// The answer of a port on which no socket listens.
async fn refused() -> Result<String, RealError> {
    let listener = TcpListener::bind(ANY_PORT).await.during("listening", NEXT)?;
    let address = listener.local_addr().during("asking for the listener's address", NEXT)?;
    drop(listener);
    Ok(match TcpStream::connect(address).await {
        Err(error) => format!("no socket listens on a closed port: connect() says \"{}\"", error.kind()),
        Ok(_) => "another program took the closed port in the meantime: run it again".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_stands_and_takes_bytes_before_it_is_accepted() {
        let story = connect_before_accept().expect("TCP on loopback");
        let place =
            |wanted: fn(&Kind) -> bool| story.trace.events.iter().position(|event| wanted(&event.kind));
        let wrote = place(|kind| matches!(kind, Kind::AppWrote { .. })).expect("the client wrote");
        let read = place(|kind| matches!(kind, Kind::AppRead { .. })).expect("the server read");
        assert!(wrote < read);
        // Where the system shows it: the server's end was established before its program read, and before it called
        // accept().
        let stood = story.trace.events.iter().position(|event| {
            event.place == SERVER && matches!(event.kind, Kind::StateChanged { to: "ESTABLISHED", .. })
        });
        let accepted = place(|kind| matches!(kind, Kind::Note { text } if text.contains("accept()")));
        if let Some(stood) = stood {
            assert!(stood < accepted.expect("the program accepts") && stood < read);
        }
        assert!(stood.is_some() || !cfg!(target_os = "linux"));
        assert!(story.said.iter().any(|said| said.contains("gave 5")), "{:?}", story.said);
        assert!(story.said.iter().any(|said| said.contains("connection refused")), "{:?}", story.said);
    }
}

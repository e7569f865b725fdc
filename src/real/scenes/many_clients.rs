//! Several clients of one listener: which ports are in use? And what happens at a port that is taken?

use std::collections::BTreeSet;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::{RealStory, play};
use crate::real::compare::observed::Observed;
use crate::real::compare::stage::{ANY_PORT, CLIENT, SERVER, Stage, flow};
use crate::real::differences::Difference;
use crate::real::error::{During as _, RealError};
use crate::trace::{Protocol, Way};

const NEXT: &str = "see whether a firewall or a sandbox forbids TCP on 127.0.0.1";

/// Plays the scene with `clients` clients.
///
/// # Errors
/// When the system refuses a socket or a call.
pub fn many_clients(clients: usize) -> Result<RealStory, RealError> {
    let stage = Stage::new(Way::Tcp);
    let said = play(scene(&stage, clients))?;
    let differences = vec![
        Difference {
            what: "the server's port",
            sim: "80".into(),
            real: "one that the system chose".into(),
            because: "ports below 1024 need a privilege on most systems, and this run takes what is free"
                .into(),
        },
        Difference {
            what: "the clients' addresses",
            sim: "a laptop's and a phone's".into(),
            real: "127.0.0.1, all of them".into(),
            because: "one machine talks to itself; so only the clients' ports tell them apart".into(),
        },
        Difference {
            what: "the clients' ports",
            sim: "from 49152 on, the dynamic ports of RFC 6335 §6".into(),
            real: "whatever this system gives out".into(),
            because:
                "each system has a range of its own; Linux takes 32768 to 60999 unless it is set otherwise"
                    .into(),
        },
    ];
    Ok(RealStory { trace: stage.into_trace(), said, differences })
}

async fn scene(stage: &Stage, clients: usize) -> Result<Vec<String>, RealError> {
    let listener = TcpListener::bind(ANY_PORT).await.during("listening", NEXT)?;
    let address = listener.local_addr().during("asking for the listener's address", NEXT)?;
    let mut ends = Vec::new();
    let mut said = vec![format!("one socket listens on port {}", address.port())];
    for number in 1..=clients {
        let client = TcpStream::connect(address).await.during("connecting", NEXT)?;
        let local = client.local_addr().during("asking for the client's address", NEXT)?;
        // Any program on this machine may have connected to our port; only the client's connection counts.
        let server = loop {
            let (stream, from) = listener.accept().await.during("accepting", NEXT)?;
            if from == local {
                break stream;
            }
        };
        let own = server.local_addr().during("asking for the connection's address", NEXT)?;
        let flow = flow(Protocol::Tcp, local, address);
        let mut client = Observed::new(stage, CLIENT, flow, client, "CLOSED", "connect()");
        let mut server = Observed::new(stage, SERVER, flow.reversed(), server, "LISTEN", "accept()");
        let words = Bytes::from(format!("I am client {number}"));
        client.write_all(&words).await.during("writing", NEXT)?;
        let mut room = vec![0; 64];
        let read = server.read(&mut room).await.during("reading", NEXT)?;
        let text = String::from_utf8_lossy(&room[..read]).into_owned();
        said.push(format!(
            "socket {}: from port {} to port {}, says \"{text}\"",
            number + 1,
            local.port(),
            own.port()
        ));
        ends.push((client, server, own.port()));
    }
    let ports: BTreeSet<u16> = ends.iter().map(|(_, _, port)| *port).collect();
    said.push(format!("ports of the server in use for {clients} clients: {}", ports.len()));
    said.push(match TcpListener::bind(address).await {
        Err(error) => format!("a second program wants to listen there: bind() says \"{}\"", error.kind()),
        Ok(_) => "a second listener was let in: this system shares ports".into(),
    });
    said.push(match UdpSocket::bind(address).await {
        Ok(_) => format!("UDP port {} is another port, and was free", address.port()),
        Err(error) => {
            format!("UDP port {} is another port; here it was taken: {}", address.port(), error.kind())
        }
    });
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clients_share_one_port_of_the_server() {
        let story = many_clients(3).expect("TCP on loopback");
        assert!(story.said.iter().any(|said| said.ends_with("for 3 clients: 1")), "{:?}", story.said);
        assert!(story.said.iter().any(|said| said.contains("address in use")), "{:?}", story.said);
    }
}

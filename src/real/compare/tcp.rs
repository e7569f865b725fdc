//! The TCP scene: a stream of bytes one way, closed at both ends.
//!
//! The kernel sends SYN, acknowledgments and FIN by itself. What the program sees of the three-way handshake is that
//! `connect` takes a moment (RFC 9293 §3.5).

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

use super::observed::Observed;
use super::stage::{ANY_PORT, CLIENT, SERVER, Stage, flow};
use super::{Played, RealKnobs};
use crate::real::error::{During, RealError};
use crate::real::kernel_figures::{EndFigures, KernelFigures};
use crate::trace::{Flow, Kind, Outcome, Protocol, Way};

const NEXT: &str = "see whether a firewall or a sandbox forbids TCP on 127.0.0.1";
const AGAIN: &str = "run it again; if it fails again, see what ends connections on 127.0.0.1";

/// The server reads into room for this many bytes at a time.
const READ: usize = 64 << 10;

pub(super) async fn play(stage: &Stage, message: Bytes, knobs: &RealKnobs) -> Played {
    let Pair { mut client, mut server, flow } = connect(stage, knobs).await?;

    let send = async {
        client.write_all(&message).await.during("writing the message", AGAIN)?;
        // The last part of it went when the last write began.
        let at = client.last_write().unwrap_or_else(|| stage.now());
        stage.record(at, CLIENT, Kind::MessageSent { flow, len: message.len() });
        client.shutdown().await.during("closing the client's half", AGAIN)?;
        Ok(())
    };
    let ((), received) = tokio::try_join!(send, read_to_end(&mut server))?;
    // TCP has no messages: that it was whole is only known by the end of the stream.
    let len = received.iter().map(Bytes::len).sum();
    stage.record(stage.now(), SERVER, Kind::MessageReceived { flow: flow.reversed(), len });

    // Now the server has read everything and the connection is still established.
    let mut kernel = KernelFigures::new(
        Way::Tcp,
        EndFigures::of_tcp(client.stream()),
        EndFigures::of_tcp(server.stream()),
    );
    server.shutdown().await.during("closing the server's half", AGAIN)?;
    // The server of this scene only reads, so what comes back is the end of the stream.
    read_to_end(&mut client).await?;
    server.look("the client read the end of the stream");
    kernel.close(client.stream(), server.stream());

    let sent = if message.is_empty() { Vec::new() } else { vec![message.clone()] };
    Ok((Outcome { message, sent, received, returned: None }, kernel))
}

pub(in crate::real) async fn read_to_end(stream: &mut Observed<'_>) -> Result<Vec<Bytes>, RealError> {
    let mut pieces = Vec::new();
    let mut room = vec![0; READ];
    loop {
        match stream.read(&mut room).await.during("reading the stream", AGAIN)? {
            0 => return Ok(pieces),
            len => pieces.push(Bytes::copy_from_slice(&room[..len])),
        }
    }
}

/// Both ends of one TCP connection.
pub(in crate::real) struct Pair<'a> {
    pub(in crate::real) client: Observed<'a>,
    pub(in crate::real) server: Observed<'a>,
    /// From the client's end.
    pub(in crate::real) flow: Flow,
}

/// Connects to ourselves over loopback.
pub(in crate::real) async fn connect<'a>(stage: &'a Stage, knobs: &RealKnobs) -> Result<Pair<'a>, RealError> {
    let listener = TcpListener::bind(ANY_PORT).await.during("binding the server's TCP socket", NEXT)?;
    let server_address = listener.local_addr().during("asking for the server's address", NEXT)?;
    let socket = TcpSocket::new_v4().during("making the client's TCP socket", NEXT)?;
    socket.bind(ANY_PORT).during("binding the client's TCP socket", NEXT)?;
    let client_address = socket.local_addr().during("asking for the client's address", NEXT)?;
    if let Some(mss) = knobs.mss {
        set_mss(&socket, mss)?;
    }

    let begun = stage.now();
    let client = socket.connect(server_address).await.during("connecting", NEXT)?;
    let took = stage.now().since(begun);
    let flow = flow(Protocol::Tcp, client_address, server_address);
    let client = Observed::new(stage, CLIENT, flow, client, "CLOSED", "connect()");
    stage.note(CLIENT, format!("connect() took {took}: SYN, SYN-ACK and ACK were exchanged inside it"));

    // The kernel has completed the handshake already: accepting only hands the connection over. Any program on this
    // machine may have connected to our port; only the client's connection counts.
    let server = loop {
        let (stream, from) = listener.accept().await.during("accepting the connection", NEXT)?;
        if from == client_address {
            break stream;
        }
    };
    let server = Observed::new(stage, SERVER, flow.reversed(), server, "LISTEN", "accept()");
    Ok(Pair { client, server, flow })
}

/// The client's limit alone is enough: it announces it in its SYN, and keeps to it itself (RFC 9293 §3.7.1).
#[cfg(unix)]
fn set_mss(socket: &TcpSocket, mss: u16) -> Result<(), RealError> {
    socket2::SockRef::from(socket).set_tcp_mss(u32::from(mss)).map_err(|error| RealError::Knob {
        knob: "mss",
        got: mss.to_string(),
        why: format!("the kernel refused TCP_MAXSEG ({error}); Linux takes 88 to 32,767"),
    })
}

#[cfg(not(unix))]
fn set_mss(_: &TcpSocket, mss: u16) -> Result<(), RealError> {
    let why = "this system has no TCP_MAXSEG; leave it out".to_owned();
    Err(RealError::Knob { knob: "mss", got: mss.to_string(), why })
}

//! The UDP scene: datagrams in one direction, with neither end to notice a lost one.
//!
//! UDP informs a receiver neither how many datagrams there are nor that the last has come. Here both ends are in one
//! program, so the sender says when it is done; real ones need a protocol above for that.

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::stage::{ANY_PORT, CLIENT, SERVER, Stage, flow};
use super::{Played, RealKnobs};
use crate::base::Duration;
use crate::real::clock::std_duration;
use crate::real::error::{During, RealError};
use crate::real::kernel_figures::{EndFigures, KernelFigures};
use crate::trace::{Flow, Kind, Outcome, Protocol, Way};

/// The largest payload of a UDP datagram in an IPv4 packet: 65,535 bytes less 20 of IPv4 and 8 of UDP.
pub(super) const MAX_DATAGRAM: usize = 65_507;

/// More datagrams than this are not sent: each is an event of the trace.
pub(super) const MAX_DATAGRAMS: usize = 65_536;

/// How long the receiver waits for a datagram after the last one was sent. On loopback a datagram is in the
/// receiver's queue before `send` returns, so this is long.
const QUIET: Duration = Duration::from_millis(250);

/// The receive buffer asked for. The kernel gives what its limit allows (`net.core.rmem_max` on Linux).
const RECEIVE_BUFFER: usize = 4 << 20;

const NEXT: &str = "see whether a firewall or a sandbox forbids UDP on 127.0.0.1";

pub(super) async fn play(stage: &Stage, message: Bytes, knobs: &RealKnobs) -> Played {
    let server = UdpSocket::bind(ANY_PORT).await.during("binding the server's UDP socket", NEXT)?;
    let client = UdpSocket::bind(ANY_PORT).await.during("binding the client's UDP socket", NEXT)?;
    // A smaller buffer than asked for is not an error: what it loses is reported.
    let _ = socket2::SockRef::from(&server).set_recv_buffer_size(RECEIVE_BUFFER);
    let server_address = server.local_addr().during("asking for the server's address", NEXT)?;
    let client_address = client.local_addr().during("asking for the client's address", NEXT)?;
    // For UDP this sends nothing: it fixes where `send` sends to and from where `recv` receives.
    client.connect(server_address).await.during("connecting the client's UDP socket", NEXT)?;
    let flow = flow(Protocol::Udp, client_address, server_address);

    let pieces = cut(&message, knobs.datagram);
    let (done, is_done) = watch::channel(false);
    let sender = async {
        let result = send(stage, &client, flow, &pieces).await;
        // The receiver may have failed and be gone; then its error is the one to tell.
        let _ = done.send(true);
        result
    };
    let (_, received) =
        tokio::try_join!(sender, receive(stage, &server, flow.reversed(), pieces.len(), is_done))?;

    let lost = pieces.len() - received.len().min(pieces.len());
    if lost > 0 {
        let total = pieces.len();
        stage.note(
            SERVER,
            format!("{lost} of {total} datagrams had not arrived {QUIET} after the last was sent"),
        );
    }
    let kernel = KernelFigures::new(Way::Udp, EndFigures::of_udp(&client), EndFigures::of_udp(&server));
    Ok((Outcome { message, sent: pieces, received, returned: None }, kernel))
}

/// Cuts a message into datagrams. An empty message is one empty datagram, for UDP can send that.
fn cut(message: &Bytes, size: usize) -> Vec<Bytes> {
    match message.len() {
        0 => vec![Bytes::new()],
        len => (0..len).step_by(size).map(|at| message.slice(at..len.min(at + size))).collect(),
    }
}

async fn send(stage: &Stage, socket: &UdpSocket, flow: Flow, pieces: &[Bytes]) -> Result<(), RealError> {
    for (index, piece) in pieces.iter().enumerate() {
        // Loopback is never full, so the sender would fill the receiver's buffer before it is read once. Giving the
        // other task its turn is all the pacing it takes.
        if index > 0 {
            tokio::task::yield_now().await;
        }
        let at = loop {
            socket.writable().await.during("waiting to send a datagram", NEXT)?;
            let begun = stage.now();
            match socket.try_send(piece) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                result => {
                    result.during("sending a datagram", "try a smaller datagram size")?;
                    break begun;
                }
            }
        };
        stage.record(at, CLIENT, Kind::AppWrote { flow, bytes: piece.clone() });
        if index + 1 == pieces.len() {
            let len = pieces.iter().map(Bytes::len).sum();
            stage.record(at, CLIENT, Kind::MessageSent { flow, len });
        }
    }
    Ok(())
}

/// Takes datagrams until all have come, or none has for a while after the last was sent.
async fn receive(
    stage: &Stage,
    socket: &UdpSocket,
    flow: Flow,
    expected: usize,
    mut is_done: watch::Receiver<bool>,
) -> Result<Vec<Bytes>, RealError> {
    let mut received = Vec::new();
    let mut buffer = vec![0; MAX_DATAGRAM];
    while received.len() < expected {
        let quiet = async {
            // An error means that the sender is gone, which is as good as done.
            let _ = is_done.wait_for(|done| *done).await;
            tokio::time::sleep(std_duration(QUIET)).await;
        };
        tokio::select! {
            biased;
            readable = socket.readable() => readable.during("waiting for a datagram", NEXT)?,
            () = quiet => break,
        }
        let begun = stage.now();
        match socket.try_recv_from(&mut buffer) {
            // Any program on this machine may send to our port; only the client's datagrams count.
            Ok((_, from)) if from != flow.remote() => {}
            Ok((len, _)) => {
                let bytes = Bytes::copy_from_slice(&buffer[..len]);
                stage.record(begun, SERVER, Kind::AppRead { flow, bytes: bytes.clone() });
                received.push(bytes);
                if received.len() == expected {
                    let len = received.iter().map(Bytes::len).sum();
                    stage.record(begun, SERVER, Kind::MessageReceived { flow, len });
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).during("receiving a datagram", NEXT),
        }
    }
    Ok(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_into_full_datagrams_and_a_rest() {
        let pieces = cut(&Bytes::from_static(b"abcdefg"), 3);
        assert_eq!(pieces, ["abc", "def", "g"]);
        assert_eq!(cut(&Bytes::from_static(b"abcdef"), 3), ["abc", "def"]);
    }

    #[test]
    fn an_empty_message_is_one_empty_datagram() {
        assert_eq!(cut(&Bytes::new(), 3), [""]);
    }

    #[tokio::test]
    async fn a_lost_datagram_is_not_waited_for_for_ever_and_a_strangers_does_not_count() {
        let stage = Stage::new(Way::Udp);
        let bind = || UdpSocket::bind(ANY_PORT);
        let (server, client, stranger) = tokio::try_join!(bind(), bind(), bind()).unwrap();
        let address = server.local_addr().unwrap();
        stranger.send_to(b"not for you", address).await.unwrap();
        client.send_to(b"one of two", address).await.unwrap();
        let flow = flow(Protocol::Udp, address, client.local_addr().unwrap());
        let (_done, is_done) = watch::channel(true);
        let received = receive(&stage, &server, flow, 2, is_done).await.unwrap();
        assert_eq!(received, ["one of two"]);
        let trace = stage.into_trace();
        assert_eq!(trace.count(|kind| matches!(kind, Kind::AppRead { .. })), 1);
        assert_eq!(trace.count(|kind| matches!(kind, Kind::MessageReceived { .. })), 0);
    }
}

//! What the operating system's own sockets can show of a lesson: one file a scene.
//!
//! A scene gives a [`RealStory`]: the trace of its system calls, what to notice in them, and where the simulation of
//! the same differs and why. All run on 127.0.0.1, and bind ports that the system chooses.

mod big_datagram;
mod connect_before_accept;
mod control;
mod datagrams;
mod frames;
mod late_read;
mod many_clients;
mod one_write;
mod stopped_reader;
mod two_closes;
mod two_writes;
mod upgrade;

use std::future::Future;

pub use big_datagram::big_datagram;
pub use connect_before_accept::connect_before_accept;
pub use control::control;
pub use datagrams::datagrams;
pub use frames::frames;
pub use late_read::late_read;
pub use many_clients::many_clients;
pub use one_write::one_write;
pub use stopped_reader::stopped_reader;
pub use two_closes::two_closes;
pub use two_writes::two_writes;
pub use upgrade::upgrade;

use tokio::net::UdpSocket;

use super::clock::std_duration;
use super::compare::stage::{ANY_PORT, flow};
use super::compare::{RealRun, runtime};
use super::differences::Difference;
use super::error::{During as _, RealError};
use crate::base::Duration;
use crate::trace::{Flow, Kind, PlaceId, Protocol, Trace};

/// A scene on real sockets.
#[derive(Debug, Clone)]
pub struct RealStory {
    /// The bytes on the real stream, as a trace.
    pub trace: Trace,
    /// What to notice, as sentences.
    pub said: Vec<String>,
    /// Where the simulation differs.
    pub differences: Vec<Difference>,
}

#[cfg(test)]
impl RealStory {
    /// How many bytes each read brought.
    fn reads(&self) -> Vec<usize> {
        let reads = self.trace.events.iter().filter_map(|event| match &event.kind {
            Kind::AppRead { bytes, .. } => Some(bytes.len()),
            _ => None,
        });
        reads.collect()
    }
}

/// How long a scene may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Plays a scene to its end, or to the end of its time.
fn play<T>(scene: impl Future<Output = Result<T, RealError>>) -> Result<T, RealError> {
    runtime()?.block_on(async {
        let timed_out = RealError::TimedOut { step: "the scene", limit: LIMIT };
        tokio::time::timeout(std_duration(LIMIT), scene).await.unwrap_or(Err(timed_out))
    })
}

/// All bytes that an end wrote.
fn stream_of(trace: &Trace, place: PlaceId) -> Vec<u8> {
    let here = trace.events.iter().filter(|event| event.place == place);
    let writes = here.filter_map(|event| match &event.kind {
        Kind::AppWrote { bytes, .. } => Some(&bytes[..]),
        _ => None,
    });
    writes.collect::<Vec<_>>().concat()
}

/// What to try when UDP fails.
const UDP_NEXT: &str = "see whether a firewall or a sandbox forbids UDP on 127.0.0.1";

/// Two UDP sockets, client and server, each connected to the other, and the way from client to server.
async fn udp_pair() -> Result<(UdpSocket, UdpSocket, Flow), RealError> {
    let server = UdpSocket::bind(ANY_PORT).await.during("binding the server's UDP socket", UDP_NEXT)?;
    let client = UdpSocket::bind(ANY_PORT).await.during("binding the client's UDP socket", UDP_NEXT)?;
    let to = server.local_addr().during("asking for the server's address", UDP_NEXT)?;
    let from = client.local_addr().during("asking for the client's address", UDP_NEXT)?;
    client.connect(to).await.during("connecting the client's UDP socket", UDP_NEXT)?;
    server.connect(from).await.during("connecting the server's UDP socket", UDP_NEXT)?;
    let flow = flow(Protocol::Udp, from, to);
    Ok((client, server, flow))
}

/// A message that was sent one way, as a scene of a lesson.
pub fn message(real: &RealRun) -> RealStory {
    let (run, sizes) = (&real.run, |pieces: &[bytes::Bytes]| {
        let sizes: Vec<String> = pieces.iter().map(|piece| piece.len().to_string()).collect();
        if sizes.is_empty() { "nothing".to_string() } else { sizes.join(" + ") + " bytes" }
    });
    let frames = run.trace.count(|kind| matches!(kind, Kind::Sent { .. }));
    RealStory {
        trace: run.trace.clone(),
        said: vec![
            format!("the program handed over {}", sizes(&run.outcome.sent)),
            format!("the other program got {}", sizes(&run.outcome.received)),
            match run.outcome.arrived_exactly() {
                true => "byte for byte, what was sent is what arrived".into(),
                false => "what arrived is not what was sent".into(),
            },
        ],
        differences: vec![Difference {
            what: "what can be seen",
            sim: "every frame with its headers".into(),
            real: format!("{frames} frames: only the calls of both programs"),
            because: "the kernel adds and takes off all headers; a program never sees them".into(),
        }],
    }
}

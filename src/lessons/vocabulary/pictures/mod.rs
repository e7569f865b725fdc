//! The pictures of the words: each a short run, and one view of it.
//!
//! What a caption says of a run is computed from it, or claimed with `check`: a test plays them all. One file for the
//! words of each layer; here are the runs that several of them show.

mod application;
mod events;
mod everywhere;
mod lower;
mod tcp;
mod transport;

use std::sync::Arc;

use bytes::Bytes;

use crate::base::Duration;
use crate::lessons::picture::View;
use crate::lessons::stage::{Host, Socket, Stage};
use crate::sim::scene::{self, Knobs};
use crate::trace::{Recorder, Trace, Way, Wire};
use crate::view::dissect::{TracedPacket, dissect_trace};

pub(super) use application::*;
pub(super) use events::*;
pub(super) use everywhere::*;
pub(super) use lower::*;
pub(super) use tcp::*;
pub(super) use transport::*;

const MESSAGE: &str = "hello";
const PORT: u16 = 80;
/// What is longer than one packet of Ethernet.
const LONG: usize = 4000;

/// One datagram from the client to the server, and its frame.
fn datagram_of(stage: &mut Stage, payload: &[u8]) -> (Host, Host) {
    stage.scene("udp", "One datagram");
    let (client, server) = stage.two_hosts();
    stage.bind(server, PORT);
    let socket = stage.bind(client, 0);
    stage.send_to(socket, server, PORT, payload);
    stage.run();
    (client, server)
}

/// A connection, and the segments of its handshake out of the way.
fn connection(stage: &mut Stage) -> (Host, Host, Socket) {
    stage.scene("tcp", "A connection");
    let (client, server) = stage.two_hosts();
    stage.listen(server, PORT);
    let socket = stage.connect(client, server, PORT);
    let rtt = stage.network_knobs().rtt();
    stage.run_for(rtt * 2 + Duration::from_millis(10));
    (client, server, socket)
}

/// What `compare` plays, by WebSocket.
fn websocket_run() -> Trace {
    let message = Bytes::from_static(MESSAGE.as_bytes());
    let run = scene::run(Way::WebSocket, &message, &Knobs::bare(), Recorder::on("", Wire::Sim));
    Trace { title: String::new(), ..run.trace }
}

/// Shows a view of a run that was not played on the stage.
fn show(stage: &mut Stage, trace: Trace, view: View, caption: impl Into<String>) {
    let trace = Arc::new(trace);
    stage.draw(view.name(), caption, move |look| view.draw(trace.whole(), look));
}

/// The first frame of a run that carries bytes of the given protocol.
fn with_header(trace: &Trace, protocol: &str) -> Option<TracedPacket> {
    dissect_trace(trace).into_iter().find(|packet| packet.packet.dissection.header(protocol).is_some())
}

fn number_of_syn(stage: &Stage) -> Option<(u64, u16)> {
    let run = stage.seen();
    let syn = run.segments().find(|segment| segment.tcp.flags.syn)?;
    Some((syn.packet.packet.number, syn.tcp.mss?))
}

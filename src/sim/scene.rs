//! The scene that `compare` plays: two hosts, one link, one message.

use std::net::SocketAddr;

use bytes::Bytes;

use super::apps::{tcp, udp, websocket};
use super::fate::Turn;
pub use super::knob::Knobs;
use super::network::{AppId, HostId, Network};
use super::node::NodeId;
use super::open::OpenNetwork;
use crate::base::{Duration, Instant};
use crate::layers::internet::prefix::v4;
use crate::layers::link::ethernet::MacAddr;
use crate::trace::{Outcome, Recorder, Run, Trace, Way, Wire};

/// A run that takes longer than this in virtual time is cut off, and says so.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The port of the receiving program, for each way one of its own, so that captures tell them apart.
const fn port(way: Way) -> u16 {
    match way {
        Way::Udp => 9001,
        Way::Tcp => 9002,
        Way::WebSocket => 9003,
    }
}

/// Two hosts on one link that know each other's hardware addresses, under the knobs' faults in both directions.
pub fn two_hosts(knobs: &Knobs, recorder: Recorder) -> (Network, HostId, HostId) {
    let mut network = Network::new(knobs.seed, recorder);
    let config = knobs.stack();
    let client = network.host("client", "10.0.0.1/24", &config);
    let server = network.host("server", "10.0.0.2/24", &config);
    network.link(client, server, knobs.link());
    network.introduce_neighbours();
    knobs.faults(&mut network, client, server);
    (network, client, server)
}

/// Plays the scene one way.
pub fn run(way: Way, message: &Bytes, knobs: &Knobs, recorder: Recorder) -> Run {
    run_watched(way, message, knobs, recorder, &mut |_, _| ())
}

/// The same, telling `watch` now and then how far it is: the virtual time, and the frames sent so far.
pub fn run_watched(
    way: Way,
    message: &Bytes,
    knobs: &Knobs,
    recorder: Recorder,
    watch: &mut dyn FnMut(Instant, u64),
) -> Run {
    run_forked(way, message, knobs, recorder, &[], watch)
}

/// The same, with other fates for some frames.
pub fn run_forked(
    way: Way,
    message: &Bytes,
    knobs: &Knobs,
    recorder: Recorder,
    turns: &[Turn],
    watch: &mut dyn FnMut(Instant, u64),
) -> Run {
    const STEPS_BETWEEN: usize = 4096;
    let (mut network, client, server) = two_hosts(knobs, recorder);
    network.what_if(turns);
    let to = SocketAddr::new(network.stack(server).address(), port(way));
    let cast = Cast::put_on(way, &mut network, (client, server), to, message, knobs);
    while network.now() < Instant::ZERO + LONGEST && (0..STEPS_BETWEEN).all(|_| network.step()) {
        watch(network.now(), network.frames());
    }
    let outcome = cast.outcome(&network, message, knobs);
    Run { way, trace: network.into_trace(), server: server.place(), outcome }
}

/// The same, all three ways, recorded.
pub fn run_all(message: &Bytes, knobs: &Knobs) -> Vec<Run> {
    Way::ALL.iter().map(|way| run(*way, message, knobs, Recorder::on(way.name(), Wire::Sim))).collect()
}

/// The client's part of a scene: a host whose one link, with the knobs' faults, leads out of the simulation. The server is
/// beyond.
#[derive(Debug)]
pub struct ClientOnly {
    /// The network with the client.
    pub open: OpenNetwork,
    way: Way,
    client: AppId,
    beyond: NodeId,
    to: SocketAddr,
}

impl ClientOnly {
    /// The client of the scene one way, and a place for the server that the trace calls `beyond`.
    pub fn new(way: Way, message: &Bytes, knobs: &Knobs, recorder: Recorder, beyond: &str) -> Self {
        let to = SocketAddr::new(v4(10, 0, 0, 2), port(way));
        let mut open = OpenNetwork::new(Network::new(knobs.seed, recorder));
        let client = open.network.host("client", "10.0.0.1/24", &knobs.stack());
        let beyond = open.open(beyond, to.ip());
        open.network.link(client, beyond, knobs.link());
        knobs.faults(&mut open.network, client, beyond);
        // A burst of datagrams would not fit what waits for an answer of ARP.
        open.introduce(client, beyond, to.ip());
        let client = put_client_on(way, &mut open.network, client, to, message, knobs);
        ClientOnly { open, way, client, beyond, to }
    }

    /// Where the server is to be.
    pub fn server(&self) -> SocketAddr {
        self.to
    }

    /// The hardware address that the server's interface should have.
    pub fn mac(&mut self) -> MacAddr {
        self.open.mac(self.beyond)
    }

    /// How many pieces the client sends, such as datagrams.
    pub fn pieces(&self, message: &Bytes, knobs: &Knobs) -> usize {
        sent(self.way, message, knobs).len()
    }

    /// The run, when it is over: with what the server received, and what was recorded there by the same clock.
    pub fn into_run(self, message: &Bytes, knobs: &Knobs, received: Vec<Bytes>, server: Trace) -> Run {
        let outcome = Outcome {
            message: message.clone(),
            sent: sent(self.way, message, knobs),
            received,
            returned: returned(self.way, &self.open.network, self.client),
        };
        let trace = self.open.network.into_trace().joined(server);
        Run { way: self.way, trace, server: self.beyond.place(), outcome }
    }
}

/// The two programs of a scene.
struct Cast {
    way: Way,
    client: AppId,
    server: AppId,
}

impl Cast {
    fn put_on(
        way: Way,
        network: &mut Network,
        (client, server): (HostId, HostId),
        to: SocketAddr,
        message: &Bytes,
        knobs: &Knobs,
    ) -> Cast {
        let server = match way {
            Way::Udp => network.app(server, udp::Receiver::new(to.port())),
            Way::Tcp => network.app(server, tcp::Receiver::new(to.port())),
            Way::WebSocket => network.app(server, websocket::EchoServer::new(to.port())),
        };
        let client = put_client_on(way, network, client, to, message, knobs);
        Cast { way, client, server }
    }

    fn outcome(&self, network: &Network, message: &Bytes, knobs: &Knobs) -> Outcome {
        let received = match self.way {
            Way::Udp => network.app_ref::<udp::Receiver>(self.server).datagrams(),
            Way::Tcp => network.app_ref::<tcp::Receiver>(self.server).pieces(),
            Way::WebSocket => network.app_ref::<websocket::EchoServer>(self.server).received(),
        };
        Outcome {
            message: message.clone(),
            sent: sent(self.way, message, knobs),
            received: received.to_vec(),
            returned: returned(self.way, network, self.client),
        }
    }
}

fn put_client_on(
    way: Way,
    network: &mut Network,
    client: HostId,
    to: SocketAddr,
    message: &Bytes,
    knobs: &Knobs,
) -> AppId {
    let message = message.clone();
    match way {
        Way::Udp => network.app(client, udp::Sender::new(to, message, knobs.datagram_len())),
        Way::Tcp => network.app(client, tcp::Sender::new(to, message)),
        Way::WebSocket => network.app(client, websocket::Client::new(to, message)),
    }
}

/// What the client hands over, piece by piece.
fn sent(way: Way, message: &Bytes, knobs: &Knobs) -> Vec<Bytes> {
    match way {
        Way::Udp => datagrams(message, knobs.datagram_len()),
        Way::Tcp | Way::WebSocket => vec![message.clone()],
    }
}

/// What came back to the client.
fn returned(way: Way, network: &Network, client: AppId) -> Option<Vec<Bytes>> {
    (way == Way::WebSocket).then(|| network.app_ref::<websocket::Client>(client).received().to_vec())
}

/// The message cut into datagrams; an empty message is one empty datagram.
fn datagrams(message: &Bytes, len: usize) -> Vec<Bytes> {
    let count = message.len().div_ceil(len).max(1);
    (0..count).map(|i| message.slice(i * len..message.len().min((i + 1) * len))).collect()
}

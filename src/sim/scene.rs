//! The scene that `compare` plays: two hosts, one link, one message.

use std::net::SocketAddr;

use bytes::Bytes;

use super::apps::{tcp, udp, websocket};
pub use super::knob::Knobs;
use super::network::{AppId, HostId, Network};
use crate::base::{Duration, Instant};
use crate::trace::{Outcome, Recorder, Run, Way, Wire};

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
    const STEPS_BETWEEN: usize = 4096;
    let (mut network, client, server) = two_hosts(knobs, recorder);
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
        let message = message.clone();
        let (server, client) = match way {
            Way::Udp => (
                network.app(server, udp::Receiver::new(to.port())),
                network.app(client, udp::Sender::new(to, message, knobs.datagram_len())),
            ),
            Way::Tcp => (
                network.app(server, tcp::Receiver::new(to.port())),
                network.app(client, tcp::Sender::new(to, message)),
            ),
            Way::WebSocket => (
                network.app(server, websocket::EchoServer::new(to.port())),
                network.app(client, websocket::Client::new(to, message)),
            ),
        };
        Cast { way, client, server }
    }

    fn outcome(&self, network: &Network, message: &Bytes, knobs: &Knobs) -> Outcome {
        let message = message.clone();
        match self.way {
            Way::Udp => Outcome {
                sent: datagrams(&message, knobs.datagram_len()),
                received: network.app_ref::<udp::Receiver>(self.server).datagrams().to_vec(),
                returned: None,
                message,
            },
            Way::Tcp => Outcome {
                sent: vec![message.clone()],
                received: network.app_ref::<tcp::Receiver>(self.server).pieces().to_vec(),
                returned: None,
                message,
            },
            Way::WebSocket => Outcome {
                sent: vec![message.clone()],
                received: network.app_ref::<websocket::EchoServer>(self.server).received().to_vec(),
                returned: Some(network.app_ref::<websocket::Client>(self.client).received().to_vec()),
                message,
            },
        }
    }
}

/// The message cut into datagrams; an empty message is one empty datagram.
fn datagrams(message: &Bytes, len: usize) -> Vec<Bytes> {
    let count = message.len().div_ceil(len).max(1);
    (0..count).map(|i| message.slice(i * len..message.len().min((i + 1) * len))).collect()
}

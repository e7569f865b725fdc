//! The scene that `compare` plays: two hosts, one link, one message.

use std::net::SocketAddr;

use bytes::Bytes;

use super::apps::{tcp, udp, websocket};
use super::fault::{self, Damage};
use super::link::LinkConfig;
use super::network::{AppId, HostId, Network};
use crate::base::{Duration, Instant};
use crate::layers::internet::ipv4;
use crate::layers::physical::delay::Rate;
use crate::layers::stack::StackConfig;
use crate::layers::transport::{tcp as tcp_layer, udp as udp_layer};
use crate::trace::{Outcome, Recorder, Run, Way, Wire};

/// What can be turned in a scene. Everything random follows from `seed`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knobs {
    /// Probability that a frame is lost, in each direction.
    pub loss: f64,
    /// Probability that a frame arrives twice.
    pub duplicate: f64,
    /// Probability that a bit of a frame is flipped on the wire.
    pub corrupt: f64,
    /// Probability that a frame is held back so that later ones overtake it.
    pub reorder: f64,
    /// Propagation delay in one direction.
    pub delay: Duration,
    /// Most random extra delay.
    pub jitter: Duration,
    /// Bits per second of the link; `None` for a link that takes no time to send.
    pub rate: Option<Rate>,
    /// Largest IP packet of the link, in bytes.
    pub mtu: u16,
    /// Largest TCP segment payload that both ends announce; `None` takes what the MTU allows.
    pub mss: Option<u16>,
    /// Most bytes in one UDP datagram; `None` takes what the MTU allows, as programs do that avoid fragments.
    pub datagram: Option<usize>,
    /// How long TCP tries before it tells the program that the peer cannot be reached (RFC 9293 §3.8.3 asks for at
    /// least 100 s); `None` never gives up.
    pub patience: Option<Duration>,
    /// The seed of all chance.
    pub seed: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            loss: 0.0,
            duplicate: 0.0,
            corrupt: 0.0,
            reorder: 0.0,
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
            rate: Some(Rate::mbit(10)),
            mtu: 1500,
            mss: None,
            datagram: None,
            // Near Linux's default of 15 tries, 924 s.
            patience: Some(Duration::from_secs(900)),
            seed: 1,
        }
    }
}

impl Knobs {
    /// The smallest MTU that IPv4 allows (RFC 791 §3.2: every module must forward 68 bytes unfragmented).
    pub const MIN_MTU: u16 = 68;

    /// The round-trip time of the link itself, without the time that frames take to leave.
    pub fn rtt(&self) -> Duration {
        self.delay * 2
    }

    /// Most bytes in one UDP datagram.
    pub fn datagram_len(&self) -> usize {
        let fits = usize::from(self.mtu).saturating_sub(ipv4::MIN_HEADER_LEN + udp_layer::HEADER_LEN);
        self.datagram.unwrap_or(fits).clamp(1, udp_layer::MAX_PAYLOAD)
    }

    /// The MSS that both ends announce (RFC 9293 §3.7.1: at most the MTU without both headers).
    pub fn announced_mss(&self) -> u16 {
        let fits = self.mtu.saturating_sub((ipv4::MIN_HEADER_LEN + tcp_layer::MIN_HEADER_LEN) as u16);
        self.mss.unwrap_or(fits).min(fits)
    }

    /// The link that they describe.
    pub fn link(&self) -> LinkConfig {
        LinkConfig {
            rate: self.rate,
            delay: self.delay,
            jitter: self.jitter,
            mtu: self.mtu,
            ..LinkConfig::default()
        }
    }

    /// The hosts that they describe.
    pub fn stack(&self) -> StackConfig {
        let tcp = tcp_layer::Config {
            mss: self.announced_mss(),
            user_timeout: self.patience,
            ..tcp_layer::Config::default()
        };
        StackConfig { tcp, ..StackConfig::default() }
    }

    /// Puts their faults on the link between two neighbours, in both directions.
    pub fn faults(&self, network: &mut Network, a: HostId, b: HostId) {
        for (from, to) in [(a, b), (b, a)] {
            if self.loss > 0.0 {
                network.rule(from, to, fault::loss(self.loss));
            }
            if self.duplicate > 0.0 {
                network.rule(from, to, fault::duplicate(self.duplicate));
            }
            if self.corrupt > 0.0 {
                network.rule(from, to, fault::corrupt(self.corrupt, Damage::Wire));
            }
            if self.reorder > 0.0 {
                // Held back by half a round trip: long enough for a burst of frames to pass by.
                let held = self.delay.max(Duration::from_millis(1));
                network.rule(from, to, fault::reorder(self.reorder, held));
            }
        }
    }
}

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

//! The network as its knobs set it up: the link, the hosts, the faults.

use crate::base::Duration;
use crate::layers::internet::ipv4;
use crate::layers::stack::StackConfig;
use crate::layers::transport::{tcp, udp};
use crate::sim::fault::{self, Damage};
use crate::sim::link::LinkConfig;
use crate::sim::network::Network;
use crate::sim::node::NodeId;

/// The values of all knobs of the network, as it takes them. Everything random follows from `seed`.
#[derive(Debug, Clone, PartialEq)]
pub struct Knobs {
    /// Probability that a frame is lost, in each direction.
    pub loss: f64,
    /// Probability that a frame arrives twice.
    pub duplicate: f64,
    /// Probability that a bit of a frame is flipped on the wire.
    pub corrupt: f64,
    /// Probability that a frame is held back so that later ones overtake it.
    pub reorder: f64,
    /// Larger IP packets than this are lost, and no ICMP error says so.
    pub black_hole: Option<u16>,
    /// The link: rate, delay, jitter, MTU, queue.
    pub link: LinkConfig,
    /// TCP at both ends; its MSS is [`announced_mss`](Knobs::announced_mss).
    pub tcp: tcp::Config,
    /// Largest TCP segment payload that both ends announce; `None` takes what the MTU allows.
    pub mss: Option<u16>,
    /// Most bytes in one UDP datagram; `None` takes what the MTU allows, as programs do that avoid fragments.
    pub datagram: Option<usize>,
    /// The seed of all chance.
    pub seed: u64,
}

/// RFC 9293 §3.8.3 asks for at least 100 s; Linux's default of 15 tries takes 924 s.
const USER_TIMEOUT: Duration = Duration::from_secs(900);

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            loss: 0.0,
            duplicate: 0.0,
            corrupt: 0.0,
            reorder: 0.0,
            black_hole: None,
            link: LinkConfig::default(),
            tcp: tcp::Config { user_timeout: Some(USER_TIMEOUT), ..tcp::Config::default() },
            mss: None,
            datagram: None,
            seed: 1,
        }
    }
}

impl Knobs {
    /// The same network with a bare TCP (see [`tcp::Config::bare`]): what the lessons begin with.
    pub fn bare() -> Self {
        let tcp = tcp::Config { user_timeout: Some(USER_TIMEOUT), ..tcp::Config::bare() };
        Knobs { tcp, ..Knobs::default() }
    }

    /// The smallest MTU that IPv4 allows (RFC 791 §3.2: every module must forward 68 bytes unfragmented).
    pub const MIN_MTU: u16 = 68;

    /// The round-trip time of the link itself, without the time that frames take to leave.
    pub fn rtt(&self) -> Duration {
        self.link.delay * 2
    }

    /// Most bytes in one UDP datagram.
    pub fn datagram_len(&self) -> usize {
        let fits = usize::from(self.link.mtu).saturating_sub(ipv4::MIN_HEADER_LEN + udp::HEADER_LEN);
        self.datagram.unwrap_or(fits).clamp(1, udp::MAX_PAYLOAD)
    }

    /// The largest MSS that fits the MTU (RFC 9293 §3.7.1: the MTU without both headers).
    pub fn largest_mss(&self) -> u16 {
        self.link.mtu.saturating_sub((ipv4::MIN_HEADER_LEN + tcp::MIN_HEADER_LEN) as u16)
    }

    /// The MSS that both ends announce.
    pub fn announced_mss(&self) -> u16 {
        let fits = self.largest_mss();
        self.mss.unwrap_or(fits).min(fits)
    }

    /// The link that they describe.
    pub fn link(&self) -> LinkConfig {
        self.link
    }

    /// The hosts that they describe.
    pub fn stack(&self) -> StackConfig {
        let tcp = tcp::Config { mss: self.announced_mss(), ..self.tcp.clone() };
        StackConfig { tcp, ..StackConfig::default() }
    }

    /// Puts their faults on the link between two neighbours, in both directions.
    pub fn faults(&self, network: &mut Network, a: impl Into<NodeId>, b: impl Into<NodeId>) {
        let (a, b) = (a.into(), b.into());
        for (from, to) in [(a, b), (b, a)] {
            if let Some(most) = self.black_hole {
                network.rule(from, to, fault::black_hole(most));
            }
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
                let held = self.link.delay.max(Duration::from_millis(1));
                network.rule(from, to, fault::reorder(self.reorder, held));
            }
        }
    }
}

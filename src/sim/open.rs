//! A network with open ends: links that lead out of the simulation, to a network interface or another simulator.
//!
//! Whatever has an open end is a node like any other, so its link has a rate, a delay, a queue and fault rules, and all
//! its frames are in the trace. What is beyond is not: of the host at the other end the trace has only what it sends.
//!
//! As a machine it is driven like a host: frames in, frames out, and a time to be woken. Time is the driver's: what is
//! due by the time of an input happens first, each at its own time.

use std::collections::VecDeque;
use std::net::IpAddr;

use bytes::Bytes;

use super::device::{self, Device};
use super::network::{HostId, Network};
use super::node::NodeId;
use crate::base::{Alarm, Instant, Machine};
use crate::layers::link::ethernet::MacAddr;
use crate::layers::link::port::{Input, Output};

/// A network, and its ends as ports: the first that was opened is port 0.
#[derive(Debug)]
pub struct OpenNetwork {
    /// The network, for its programs, rules and trace. Only [`handle`](Machine::handle) lets its time pass.
    pub network: Network,
    ends: Vec<NodeId>,
    alarm: Alarm,
}

impl OpenNetwork {
    /// A network without an open end yet.
    pub fn new(network: Network) -> Self {
        OpenNetwork { network, ends: Vec::new(), alarm: Alarm::new() }
    }

    /// Adds a node for what is beyond: a host that the trace calls `name`. It has room for one link.
    ///
    /// # Panics
    /// After 65,536 nodes.
    pub fn open(&mut self, name: &str, address: IpAddr) -> NodeId {
        let end = self.network.device(name, OpenEnd::default());
        self.network.recorder().add_address(end.place(), address);
        self.ends.push(end);
        end
    }

    /// Makes a host know the hardware address of the neighbour beyond an open end, for good: it need not ask by ARP.
    ///
    /// # Panics
    /// When the neighbour is in no subnet of the host's.
    pub fn introduce(&mut self, host: HostId, end: NodeId, neighbour: IpAddr) {
        let (now, mac) = (self.network.now(), self.mac(end));
        let stack = &mut self.network.host_mut(host).stack;
        let interface = stack.interface_towards(neighbour).expect("a neighbour is in a subnet of the host's");
        stack.learn_neighbour(now, interface, neighbour, mac);
    }

    /// The hardware address that the host beyond an open end should have, once its link is laid: no other port has it.
    pub fn mac(&mut self, end: NodeId) -> MacAddr {
        self.network.call_device(end, |end: &mut OpenEnd| end.mac)
    }
}

impl Machine for OpenNetwork {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, now: Instant, input: Input) {
        self.network.wait_until(now);
        match input {
            Input::Wake => self.alarm.rang(),
            Input::Frame { port, bytes } => {
                let Some(end) = self.ends.get(port) else { return };
                self.network.call_device(*end, |end: &mut OpenEnd| end.enters.push_back(bytes));
            }
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        for (port, end) in self.ends.iter().enumerate() {
            let leaves = self.network.call_device(*end, |end: &mut OpenEnd| end.leaves.pop_front());
            if let Some(bytes) = leaves {
                return Some(Output::Frame { port, bytes });
            }
        }
        self.alarm.poll(self.network.next_at()).map(Output::WakeAt)
    }
}

/// The device at an open end. Bounded by what arrives at one instant: it is drained after every input.
#[derive(Debug, Default)]
struct OpenEnd {
    mac: MacAddr,
    enters: VecDeque<Bytes>,
    leaves: VecDeque<Bytes>,
}

impl Device for OpenEnd {
    fn add_port(&mut self, mac: MacAddr) {
        self.mac = mac;
    }
}

impl Machine for OpenEnd {
    type Input = device::Input;
    type Output = device::Output;

    fn handle(&mut self, _now: Instant, input: device::Input) {
        if let device::Input::Frame { bytes, .. } = input {
            self.leaves.push_back(bytes);
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<device::Output> {
        Some(device::Output::Frame { port: 0, bytes: self.enters.pop_front()? })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::layers::internet::prefix::v4;
    use crate::sim::apps::tcp;
    use crate::sim::fault::{self, Verdict};
    use crate::sim::{LinkConfig, StackConfig};
    use crate::trace::{Kind, Recorder, Wire};

    const A: IpAddr = v4(10, 0, 0, 1);
    const B: IpAddr = v4(10, 0, 0, 2);

    /// A host whose only link leads out of its network, to `other`.
    fn half(address: &str, other: IpAddr) -> (OpenNetwork, HostId, NodeId) {
        let mut open = OpenNetwork::new(Network::new(1, Recorder::on("half", Wire::Kernel)));
        let host = open.network.host("here", address, &StackConfig::default());
        let end = open.open("beyond", other);
        open.network.link(host, end, LinkConfig::default());
        (open, host, end)
    }

    /// Two networks, each the other's beyond, and when each is to be woken.
    struct Joined {
        halves: [OpenNetwork; 2],
        due: [Instant; 2],
    }

    impl Joined {
        fn run_until(&mut self, end: Instant) {
            while let Some(now) = self.due.into_iter().min().filter(|now| *now <= end) {
                for side in [0, 1] {
                    self.due[side] = Instant::NEVER;
                    self.give(side, now, Input::Wake);
                }
            }
        }

        fn give(&mut self, side: usize, now: Instant, input: Input) {
            self.halves[side].handle(now, input);
            while let Some(output) = self.halves[side].poll(now) {
                match output {
                    Output::WakeAt(at) => self.due[side] = at,
                    Output::Frame { bytes, .. } => self.give(1 - side, now, Input::Frame { port: 0, bytes }),
                }
            }
        }
    }

    #[test]
    fn a_message_crosses_from_one_network_to_another_and_both_links_have_their_delay_and_their_rules() {
        let message = Bytes::from_static(b"from one simulator to another");
        let ((mut a, client, end), (mut b, server, _)) = (half("10.0.0.1/24", B), half("10.0.0.2/24", A));
        a.network.app(client, tcp::Sender::new(SocketAddr::new(B, 9), message.clone()));
        let receiver = b.network.app(server, tcp::Receiver::new(9));
        // What comes in from beyond passes the rules, too: the answer to the SYN is lost once.
        let lost = fault::nth("the SYN-ACK", 1, |frame| frame.segment().is_some(), Verdict::Drop);
        a.network.rule(end, client, lost);
        let mut joined = Joined { halves: [a, b], due: [Instant::ZERO; 2] };
        joined.run_until(Instant::from_millis(100_000));

        let [a, b] = joined.halves;
        assert_eq!(b.network.app_ref::<tcp::Receiver>(receiver).pieces().concat(), message);
        let trace = a.network.into_trace();
        assert_eq!(trace.count(|kind| matches!(kind, Kind::Dropped { .. })), 1);
        assert!(trace.events.is_sorted_by_key(|event| event.at));
        assert_eq!(trace.places[1].addresses, [B]);
        let connected = trace
            .events
            .iter()
            .find(|event| matches!(event.kind, Kind::StateChanged { to: "ESTABLISHED", .. }));
        // ARP and SYN take a round trip each, of two links' delay both ways, and the SYN is sent again after a second.
        assert!(connected.is_some_and(|event| event.at > Instant::from_millis(1_080)), "{connected:?}");
    }

    #[test]
    fn a_port_that_is_not_there_takes_no_frame() {
        let (mut open, ..) = half("10.0.0.1/24", B);
        open.handle(Instant::ZERO, Input::Frame { port: 7, bytes: Bytes::from_static(&[0; 60]) });
        assert_eq!(open.poll(Instant::ZERO), None);
    }
}

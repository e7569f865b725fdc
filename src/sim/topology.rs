//! How a network is built: hosts, routers and devices, the links between them, addresses and routes, rules and cables.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::device::Device;
use super::fault::Rule;
use super::link::{End, Link, LinkConfig, Transmitter};
use super::network::{HostId, Network};
use super::node::{Host, Node, NodeId, NodeKind, Port};
use crate::layers::internet::prefix::{Cidr, Prefix};
use crate::layers::link::ethernet::MacAddr;
use crate::layers::stack::{Stack, StackConfig};
use crate::trace::{LinkId, Place};

/// The address of an interface, however it is written: `"10.0.0.1/24"`, or an address alone.
pub trait IntoCidr {
    /// The address with the length of its prefix.
    fn into_cidr(self) -> Cidr;
}

impl IntoCidr for Cidr {
    fn into_cidr(self) -> Cidr {
        self
    }
}

/// An address alone: no neighbour shares its prefix.
impl IntoCidr for IpAddr {
    fn into_cidr(self) -> Cidr {
        self.into()
    }
}

/// As written, with or without a prefix. Panics when the text is no address: a scene knows its own.
impl IntoCidr for &str {
    fn into_cidr(self) -> Cidr {
        match self.parse::<IpAddr>().map(Cidr::from).or_else(|_| self.parse()) {
            Ok(cidr) => cidr,
            Err(error) => panic!("{error}"),
        }
    }
}

/// One end of a link to be: a node, or a host with the address of the interface that it gets.
pub trait IntoEnd {
    /// The node, and the address.
    fn into_end(self) -> (NodeId, Option<Cidr>);
}

impl IntoEnd for NodeId {
    fn into_end(self) -> (NodeId, Option<Cidr>) {
        (self, None)
    }
}

impl IntoEnd for HostId {
    fn into_end(self) -> (NodeId, Option<Cidr>) {
        (self.into(), None)
    }
}

impl<A: IntoCidr> IntoEnd for (HostId, A) {
    fn into_end(self) -> (NodeId, Option<Cidr>) {
        (self.0.into(), Some(self.1.into_cidr()))
    }
}

impl Network {
    /// Adds a host. Its address, such as `"10.0.0.1/24"`, is that of the interface which its first link makes.
    ///
    /// # Panics
    /// After 65,536 nodes, and when the text is no address.
    pub fn host(&mut self, name: &str, address: impl IntoCidr, config: &StackConfig) -> HostId {
        self.add_host(name, Some(address.into_cidr()), config)
    }

    /// Adds a router: a host that forwards what is not for itself. Its links give it its addresses: see
    /// [`link`](Network::link).
    ///
    /// # Panics
    /// After 65,536 nodes.
    pub fn router(&mut self, name: &str, config: &StackConfig) -> HostId {
        let router = self.add_host(name, None, config);
        self.forward(router);
        router
    }

    /// Adds a device, such as a repeater or a switch.
    ///
    /// # Panics
    /// After 65,536 nodes.
    pub fn device(&mut self, name: &str, device: impl Device) -> NodeId {
        self.tampered = true;
        self.add_node(name, Vec::new(), NodeKind::Device(Box::new(device)))
    }

    /// Joins two nodes by a link. Each end gets a port, on a host an interface, of its own; two nodes may have several
    /// links.
    ///
    /// An end is a node, or a host with the address of its new interface: `(router, "10.0.1.254/24")`. The first
    /// interface that is given none has the host's own address. One more is unnumbered and borrows that, as on a line
    /// between routers (RFC 1812 §2.2.7). A neighbour that is not in a subnet of the interface gets a route of its own.
    ///
    /// # Panics
    /// After 32,767 links, and when the text is no address.
    pub fn link(&mut self, a: impl IntoEnd, b: impl IntoEnd, config: LinkConfig) -> LinkId {
        let ((a, a_address), (b, b_address)) = (a.into_end(), b.into_end());
        // So that each end has a number of its own for its hardware address.
        assert!(self.links.len() < usize::from(u16::MAX / 2), "at most 32,767 links in a network");
        let link = LinkId(self.links.len() as u16);
        // Another source of chance, or links side by side would lose the same frames.
        // Counted at the end that has fewer: a router may have thousands.
        let ports = |node: NodeId| self.nodes[node.index()].ports.len();
        let (few, many) = if ports(a) <= ports(b) { (a, b) } else { (b, a) };
        let twin = match self.links_between(few, many).count() {
            0 => String::new(),
            others => format!(" {}", others + 1),
        };
        let mut end = |side: usize, node: NodeId, peer: NodeId, address| {
            let label = format!("{}>{}{twin}", self.nodes[node.index()].name, self.nodes[peer.index()].name);
            let transmitter = Transmitter::new(config, self.rng.fork(&label));
            End { node, port: self.plug_in(node, Port { link, side }, address, config.mtu), transmitter }
        };
        let ends = [end(0, a, b, a_address), end(1, b, a, b_address)];
        self.links.push(Link { ends });
        self.route_to_neighbour(link, 0);
        self.route_to_neighbour(link, 1);
        link
    }

    /// Gives an interface one more address, of either family.
    ///
    /// # Panics
    /// When the host has no such interface, and when the text is no address.
    pub fn address(&mut self, host: HostId, interface: usize, address: impl IntoCidr) {
        let address = address.into_cidr();
        self.host_mut(host).stack.add_address(interface, address);
        self.recorder().add_address(host.place(), address.address());
    }

    /// The default route: what is for no subnet of the host goes to `gateway`, a router in one of them.
    ///
    /// # Panics
    /// When no interface of the host has a neighbour of that address.
    pub fn gateway(&mut self, host: HostId, gateway: impl IntoCidr) {
        let gateway = gateway.into_cidr().address();
        let stack = &mut self.host_mut(host).stack;
        let interface = stack.interface_towards(gateway).expect("a gateway is a neighbour");
        stack.add_route(Prefix::new(gateway, 0), interface, Some(gateway));
    }

    /// What `host` has for `prefix` goes to its neighbour `via`, which must forward.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn route(&mut self, host: HostId, prefix: Prefix, via: HostId) {
        let (link, side) = self.links_between(host, via).next().expect("the two hosts have a link");
        let [here, there] = self.ports(link, side);
        let gateway = self.host_ref(via).stack.address_towards(there, prefix.network());
        self.host_mut(host).stack.add_route(prefix, here, gateway);
    }

    /// Makes a host a router: it forwards packets that are not for itself.
    pub fn forward(&mut self, host: HostId) {
        self.host_mut(host).stack.set_forwarding(true);
    }

    /// All neighbours know each other's hardware addresses, for good: no ARP is needed between them. Neighbours are the
    /// hosts at both ends of a link, and those with only devices between them.
    pub fn introduce_neighbours(&mut self) {
        let now = self.now();
        for host in 0..self.nodes.len() {
            if self.nodes[host].as_host().is_none() {
                continue;
            }
            for interface in 0..self.nodes[host].ports.len() {
                for (peer, peer_interface) in self.neighbours(NodeId::of(host), interface) {
                    let Some(Host { stack, .. }) = self.nodes[peer.index()].as_host() else { continue };
                    let known: Vec<_> = stack.addresses_on(peer_interface).collect();
                    let mac = stack.mac(peer_interface);
                    let Some(Host { stack, .. }) = self.nodes[host].as_host_mut() else { continue };
                    known.into_iter().for_each(|address| stack.learn_neighbour(now, interface, address, mac));
                }
            }
        }
    }

    /// Adds a fault rule for frames from `from` to its neighbour `to`, to be asked after those added before. With
    /// several links between them it is the first one's: see [`rule_on`](Network::rule_on).
    ///
    /// # Panics
    /// When the two have no link.
    pub fn rule(&mut self, from: impl Into<NodeId>, to: impl Into<NodeId>, rule: impl Rule + 'static) {
        let from = from.into();
        let (link, _) = self.links_between(from, to).next().expect("the two nodes have a link");
        self.rule_on(link, from, rule);
    }

    /// Adds a fault rule for what `from` sends on one of its links.
    ///
    /// # Panics
    /// When the link does not end at that node.
    pub fn rule_on(&mut self, link: LinkId, from: impl Into<NodeId>, rule: impl Rule + 'static) {
        let from = from.into();
        let end = self.links[link.index()].ends.iter_mut().find(|end| end.node == from);
        end.expect("the link ends at that node").transmitter.rules.push(Box::new(rule));
    }

    /// Pulls all cables between two neighbours out (`false`), or puts them back. What is on the wire already arrives;
    /// what is handed to it from now on is lost, and the hosts do not notice: as when it is pulled beyond a switch.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn plug(&mut self, a: impl Into<NodeId>, b: impl Into<NodeId>, plugged: bool) {
        let links: Vec<_> = self.links_between(a, b).collect();
        assert!(!links.is_empty(), "the two nodes have a link");
        links.into_iter().for_each(|(link, _)| self.plug_link(link, plugged));
    }

    /// Pulls the cable of one link out (`false`), or puts it back.
    pub fn plug_link(&mut self, link: LinkId, plugged: bool) {
        for end in &mut self.links[link.index()].ends {
            end.transmitter.unplugged = !plugged;
        }
    }

    /// The stack of a host.
    pub fn stack(&self, host: HostId) -> &Stack {
        &self.host_ref(host).stack
    }

    fn add_host(&mut self, name: &str, address: Option<Cidr>, config: &StackConfig) -> HostId {
        let config = StackConfig { trace: self.recorder().is_on(), ..config.clone() };
        let host = Host::new(Stack::new(&config, &self.rng.fork(name)), address);
        let addresses = address.into_iter().map(Cidr::address).collect();
        self.add_node(name, addresses, NodeKind::Host(Box::new(host))).into_host()
    }

    fn add_node(&mut self, name: &str, addresses: Vec<IpAddr>, kind: NodeKind) -> NodeId {
        let place = self.recorder().place(Place { name: name.into(), addresses });
        self.nodes.push(Node::new(name, kind));
        NodeId::of(usize::from(place.0))
    }

    /// Gives a node one more port, for the end of a link.
    fn plug_in(&mut self, id: NodeId, port: Port, address: Option<Cidr>, mtu: u16) -> usize {
        // Numbered from 1 on, so that no two ports of the network have the same address.
        let mac = MacAddr::local(2 * port.link.0 + port.side as u16 + 1);
        let node = &mut self.nodes[id.index()];
        if node.ports.is_empty() {
            // Most nodes have one.
            node.ports.reserve_exact(1);
        }
        node.ports.push(port);
        match &mut node.kind {
            NodeKind::Device(device) => device.add_port(mac),
            NodeKind::Host(host) => {
                let interface = host.stack.add_interface(mac, mtu);
                if let Some(own) = address.or_else(|| host.unplaced.take()) {
                    host.stack.add_address(interface, own);
                    self.recorder().add_address(id.place(), own.address());
                }
            }
        }
        self.nodes[id.index()].ports.len() - 1
    }

    /// Gives the host at one end of a link a route to the one at the other, where no subnet implies it.
    fn route_to_neighbour(&mut self, link: LinkId, side: usize) {
        let [here, there] = self.ports(link, side);
        let [end, peer] = self.ends(link, side).map(|end| end.node.index());
        let Some(neighbour) = self.nodes[peer].as_host() else { return };
        let known: Vec<_> = neighbour.stack.addresses_on(there).collect();
        let Some(host) = self.nodes[end].as_host_mut() else { return };
        for address in known {
            if host.stack.interface_towards(address) != Some(here)
                && !host.stack.has_route(Prefix::host(address))
            {
                host.stack.add_route(Prefix::host(address), here, None);
            }
        }
    }

    /// The links between two nodes, each with the side on which the first one is.
    fn links_between(
        &self,
        from: impl Into<NodeId>,
        to: impl Into<NodeId>,
    ) -> impl Iterator<Item = (LinkId, usize)> {
        let (from, to) = (from.into(), to.into());
        let ports = self.nodes[from.index()].ports.iter().map(|port| (port.link, port.side));
        ports.filter(move |(link, side)| self.links[link.index()].ends[1 - side].node == to)
    }

    /// The end of a link on one side, and the other one.
    fn ends(&self, link: LinkId, side: usize) -> [&End; 2] {
        let ends = &self.links[link.index()].ends;
        [&ends[side], &ends[1 - side]]
    }

    /// The ports that these are plugged into.
    fn ports(&self, link: LinkId, side: usize) -> [usize; 2] {
        self.ends(link, side).map(|end| end.port)
    }

    /// The hosts that frames of an interface reach without passing another host, and by which interface.
    fn neighbours(&self, node: NodeId, port: usize) -> Vec<(NodeId, usize)> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([(node, port)]);
        let mut sends = vec![(node, port)];
        while let Some((node, port)) = sends.pop() {
            let Port { link, side } = self.nodes[node.index()].ports[port];
            let End { node: peer, port: arrives_at, .. } = *self.ends(link, side)[1];
            let reached = &self.nodes[peer.index()];
            if reached.as_host().is_some() {
                found.push((peer, arrives_at));
                continue;
            }
            let others = (0..reached.ports.len()).filter(|port| *port != arrives_at);
            sends.extend(others.map(|port| (peer, port)).filter(|port| seen.insert(*port)));
        }
        found.retain(|(peer, _)| *peer != node);
        found
    }

    pub(super) fn host_ref(&self, host: HostId) -> &Host {
        self.nodes[host.index()].as_host().expect("the id of a host is a host's")
    }

    pub(super) fn host_mut(&mut self, host: HostId) -> &mut Host {
        self.nodes[host.index()].as_host_mut().expect("the id of a host is a host's")
    }
}

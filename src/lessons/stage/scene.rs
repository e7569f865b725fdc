//! The verbs of a run: hosts, links, rules, sockets, and time that passes.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::cast::{Host, Scene, Socket};
use super::puppet::Puppet;
use super::telling::Stage;
use crate::base::{Duration, Instant};
use crate::layers::internet::prefix::{Cidr, Prefix, v4};
use crate::layers::stack::StackConfig;
use crate::sim::device::Repeater;
use crate::sim::fault::Rule;
use crate::sim::{IntoCidr as _, LinkConfig, Network};
use crate::trace::{Flow, Recorder, Wire};

/// What a run that does not come to rest is cut off at: longer than any timer of a connection.
const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Stage {
    /// Begins a new run at time zero, on a network that is empty. What was shown of the one before stays.
    ///
    /// `id` names its pictures; `title` says what happens in it.
    pub fn scene(&mut self, id: &str, title: &str) {
        self.end_scene(true);
        let recorder = Recorder::on(title, Wire::Sim);
        let network = Network::new(self.network_knobs().seed, recorder);
        self.open_scene(Scene { id: id.into(), title: title.into(), network, hosts: 0 });
    }

    /// Adds a host. Its address is 10.0.0.1, 10.0.0.2 and so on.
    pub fn host(&mut self, name: &str) -> Host {
        self.host_with(name, &self.network_knobs().stack())
    }

    /// Adds a host whose stack is not the usual one: other buffers, another TCP.
    pub fn host_with(&mut self, name: &str, config: &StackConfig) -> Host {
        let scene = self.running();
        scene.hosts = scene.hosts.saturating_add(1);
        let address = v4(10, 0, 0, scene.hosts);
        let id = scene.network.host(name, Cidr::new(address, 24), config);
        Host { id, app: scene.network.app(id, Puppet::default()), address }
    }

    /// Adds a host with an address of its own choice, such as `"10.0.1.1/24"`.
    ///
    /// # Panics
    /// When the text is no address.
    pub fn host_at(&mut self, name: &str, address: &str) -> Host {
        let config = self.network_knobs().stack();
        let address: Cidr = address.into_cidr();
        let network = &mut self.running().network;
        let id = network.host(name, address, &config);
        Host { id, app: network.app(id, Puppet::default()), address: address.address() }
    }

    /// Plugs hosts into a hub, by links as the knobs describe them: each hears what any of the others sends.
    pub fn hub(&mut self, hosts: &[Host]) {
        let link = self.network_knobs().link();
        let network = &mut self.running().network;
        let hub = network.device("hub", Repeater::default());
        for host in hosts {
            network.link(host.id, hub, link);
        }
    }

    /// Joins two hosts by a link as the knobs describe it, faults included.
    pub fn link(&mut self, a: Host, b: Host) {
        let knobs = self.network_knobs();
        self.link_with(a, b, knobs.link());
        knobs.faults(&mut self.running().network, a.id, b.id);
    }

    /// Joins two hosts by a link of its own kind, without faults.
    pub fn link_with(&mut self, a: Host, b: Host, config: LinkConfig) {
        self.running().network.link(a.id, b.id, config);
    }

    /// All neighbours know each other's hardware addresses, as if they had talked before: no ARP is seen.
    pub fn introduce(&mut self) {
        self.running().network.introduce_neighbours();
    }

    /// The most common cast: a client and a server on one link, their ARP caches warm.
    pub fn two_hosts(&mut self) -> (Host, Host) {
        let (client, server) = (self.host("client"), self.host("server"));
        self.link(client, server);
        self.introduce();
        (client, server)
    }

    /// Makes `router` forward, and routes `a` and `b` to each other through it. All have their links already.
    pub fn route_through(&mut self, router: Host, a: Host, b: Host) {
        let network = &mut self.running().network;
        network.forward(router.id);
        network.route(a.id, Prefix::host(b.address), router.id);
        network.route(b.id, Prefix::host(a.address), router.id);
    }

    /// Adds a fault for what goes from one host to its neighbour: see [`packet`](super::packet) for which frames.
    pub fn rule(&mut self, from: Host, to: Host, rule: impl Rule + 'static) {
        self.running().network.rule(from.id, to.id, rule);
    }

    /// The program of `host` reads only when the script says so, from now on.
    pub fn read_late(&mut self, host: Host) {
        self.running().network.call(host.app, |puppet: &mut Puppet, _| puppet.reads_late = true);
    }

    /// Listens for TCP connections.
    ///
    /// # Panics
    /// When the port is taken: a script knows which ports it gave away.
    pub fn listen(&mut self, host: Host, port: u16) -> Socket {
        let opened = self.running().network.call(host.app, |_: &mut Puppet, io| io.tcp_listen(port));
        Socket { host, id: opened.expect("the script listens on a free port") }
    }

    /// Opens a TCP connection: the SYN leaves now. It is established when time has passed.
    ///
    /// # Panics
    /// When there is no way to that host: a script knows its links.
    pub fn connect(&mut self, from: Host, to: Host, port: u16) -> Socket {
        let to = SocketAddr::new(to.address, port);
        let opened = self.running().network.call(from.app, |_: &mut Puppet, io| io.tcp_connect(to));
        Socket { host: from, id: opened.expect("the script connects to a host that can be reached") }
    }

    /// The connections that `host` has accepted, the first one first.
    pub fn accepted(&mut self, host: Host) -> Vec<Socket> {
        let puppet: &Puppet = self.running().network.app_ref(host.app);
        puppet.accepted.iter().map(|id| Socket { host, id: *id }).collect()
    }

    /// Writes to a connection, and says how many bytes the socket took at once. The others follow when there is room.
    /// Before the connection is established, they wait for it.
    pub fn send(&mut self, socket: Socket, bytes: impl AsRef<[u8]>) -> usize {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        let network = &mut self.running().network;
        network.call(socket.host.app, |puppet: &mut Puppet, io| puppet.write(socket.id, bytes, io))
    }

    /// One read with much room: all that has arrived on a connection, as read(2) gives it; empty when there is nothing.
    pub fn read(&mut self, socket: Socket) -> Bytes {
        self.read_at_most(socket, usize::MAX)
    }

    /// One read with room for `max` bytes.
    pub fn read_at_most(&mut self, socket: Socket, max: usize) -> Bytes {
        let network = &mut self.running().network;
        network.call(socket.host.app, |puppet: &mut Puppet, io| puppet.read(socket.id, max, io))
    }

    /// Opens a UDP socket; port 0 takes any free one.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn bind(&mut self, host: Host, port: u16) -> Socket {
        let opened = self.running().network.call(host.app, |_: &mut Puppet, io| io.udp_bind(port));
        Socket { host, id: opened.expect("the script binds a free port") }
    }

    /// What a UDP socket sends from now on must not be cut: its packets have DF set.
    pub fn dont_fragment(&mut self, socket: Socket) {
        let network = &mut self.running().network;
        network.call(socket.host.app, |_: &mut Puppet, io| io.stack().udp_set_dont_fragment(socket.id, true));
    }

    /// Sends one datagram; says whether the socket took it.
    pub fn send_to(&mut self, socket: Socket, to: Host, port: u16, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        let to = SocketAddr::new(to.address, port);
        let network = &mut self.running().network;
        network.call(socket.host.app, |_: &mut Puppet, io| io.udp_send(socket.id, to, bytes).is_ok())
    }

    /// Takes the next datagram that has arrived.
    pub fn receive(&mut self, socket: Socket) -> Option<Bytes> {
        let network = &mut self.running().network;
        network.call(socket.host.app, |puppet: &mut Puppet, io| puppet.receive(socket.id, io))
    }

    /// Pings an address: asks its host for an echo of these bytes, by ICMP. Says whether there was a way to it.
    pub fn ping_to(&mut self, from: Host, to: IpAddr, number: u16, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = Bytes::copy_from_slice(bytes.as_ref());
        let network = &mut self.running().network;
        network.call(from.app, |_: &mut Puppet, io| {
            let now = io.now();
            io.stack().ping(now, to, 1, number, bytes).is_ok()
        })
    }

    /// How many of a host's pings were answered since this was asked last.
    pub fn pongs(&mut self, host: Host) -> usize {
        let network = &mut self.running().network;
        network.call(host.app, |_: &mut Puppet, io| std::iter::from_fn(|| io.stack().pong()).count())
    }

    /// What was read from a socket so far, read by read.
    pub fn reads(&mut self, socket: Socket) -> Vec<Bytes> {
        let puppet: &Puppet = self.running().network.app_ref(socket.host.app);
        puppet.reads.iter().filter(|(id, _)| *id == socket.id).map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Sends no more on a connection: a FIN follows the last byte.
    pub fn close(&mut self, socket: Socket) {
        let network = &mut self.running().network;
        network.call(socket.host.app, |_: &mut Puppet, io| io.tcp_shutdown(socket.id));
    }

    /// Neither sends nor reads any more on a connection, as when its program ends.
    pub fn close_both(&mut self, socket: Socket) {
        let network = &mut self.running().network;
        network.call(socket.host.app, |_: &mut Puppet, io| io.tcp_close(socket.id));
    }

    /// The 4-tuple of a socket.
    pub fn flow(&mut self, socket: Socket) -> Flow {
        self.running().network.stack(socket.host.id).flow(socket.id)
    }

    /// The state of a connection now, by its name in RFC 9293 §3.3.2; `CLOSED` when it is gone.
    pub fn state(&mut self, socket: Socket) -> &'static str {
        let info = self.running().network.stack(socket.host.id).tcp_info(socket.id);
        info.map_or("CLOSED", |info| info.state.name())
    }

    /// The time of the run.
    pub fn now(&mut self) -> Instant {
        self.running().network.now()
    }

    /// Lets time pass until nothing is left to happen; after an hour of the run's own time it is cut off.
    ///
    /// For the end of a scene. A timer that is no longer needed still expires, so the time may be a second
    /// later than the last thing one saw: between two steps, use [`run_for`](Stage::run_for).
    pub fn run(&mut self) {
        self.running().network.run_until(Instant::ZERO + LONGEST);
    }

    /// Lets time pass until `end`.
    pub fn run_until(&mut self, end: Instant) {
        self.running().network.wait_until(end);
    }

    /// Lets this much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now() + time;
        self.run_until(end);
    }

    /// Lets time pass until a connection is in `state`, such as `ESTABLISHED`; says whether it came to it.
    pub fn run_until_state(&mut self, socket: Socket, state: &str) -> bool {
        while self.state(socket) != state {
            let network = &mut self.running().network;
            if network.now() > Instant::ZERO + LONGEST || !network.step() {
                return false;
            }
        }
        true
    }

    /// The network itself, for what has no verb of its own here.
    pub fn network(&mut self) -> &mut Network {
        &mut self.running().network
    }
}

//! The network: hosts, the links between them, and the one loop that lets time pass.

use std::any::Any;
use std::net::Ipv4Addr;

use bytes::{Bytes, BytesMut};

use super::app::{App, Io};
use super::fault::{Damage, Passing, Rule, Verdict};
use super::link::{LinkConfig, Passage, Transmitter};
use super::queue::EventQueue;
use crate::base::{Instant, Machine as _, Rng};
use crate::layers::internet::route::Prefix;
use crate::layers::link::ethernet::MacAddr;
use crate::layers::physical::crc32::crc32;
use crate::layers::stack::{Input, Output, SocketEvent, SocketId, Stack, StackConfig};
use crate::trace::{FrameId, Kind, Place, PlaceId, Recorder, Trace};

/// A host, by the order in which it was added. It is also its [`PlaceId`] in the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(u16);

/// A program on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId {
    host: HostId,
    index: usize,
}

/// A simulated network.
///
/// Everything that happens is an entry of one queue in virtual time: a frame arrives, a host or a program is woken.
/// All else follows at the same instant. Hosts take no time to compute: a simplification, as is a link without
/// collisions.
pub struct Network {
    now: Instant,
    rng: Rng,
    hosts: Vec<Host>,
    transmitters: Vec<Transmitter>,
    queue: EventQueue<Happening>,
    recorder: Recorder,
    /// What will be recorded when a frame that waits begins to leave: known at once, and written down in its turn, so
    /// that the trace is in the order of time. Empty when nothing is recorded.
    departures: EventQueue<(PlaceId, Kind)>,
    /// When the last frame that a link accepted begins to leave.
    last_departure: Instant,
    /// Frames handed to links.
    frames: u64,
    /// Of those, frames that found the queue full and never left.
    turned_away: u64,
    started: bool,
}

struct Host {
    name: String,
    stack: Stack,
    /// For each interface of the stack: the transmitter it sends with, and who is at the other end.
    ports: Vec<Port>,
    apps: Vec<AppSlot>,
    /// Whose sockets are whose: sorted by socket.
    owners: Vec<(SocketId, usize)>,
    /// When the stack is to be woken; [`Instant::NEVER`] for not at all. An earlier entry in the queue is void.
    wake_at: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Port {
    transmitter: usize,
    peer: HostId,
    peer_interface: usize,
}

struct AppSlot {
    app: Box<dyn App>,
    rng: Rng,
    wake_at: Option<Instant>,
}

enum Happening {
    Arrival { host: HostId, interface: usize, frame: FrameId, bytes: Bytes, check: Option<u32> },
    WakeStack { host: HostId },
    WakeApp { app: AppId },
    Unblock { host: HostId, interface: usize },
}

impl Network {
    /// An empty network. The seed decides every random thing in it.
    pub fn new(seed: u64, recorder: Recorder) -> Self {
        Network {
            now: Instant::ZERO,
            rng: Rng::new(seed),
            hosts: Vec::new(),
            transmitters: Vec::new(),
            queue: EventQueue::new(),
            recorder,
            departures: EventQueue::new(),
            last_departure: Instant::ZERO,
            frames: 0,
            turned_away: 0,
            started: false,
        }
    }

    /// Adds a host with one address; its interface comes with its first [`link`](Network::link).
    ///
    /// # Panics
    /// After 65,536 hosts.
    pub fn host(&mut self, name: &str, address: Ipv4Addr, config: &StackConfig) -> HostId {
        let place = self.recorder.place(Place { name: name.into(), address });
        let mut config = config.clone();
        config.trace = self.recorder.is_on();
        self.hosts.push(Host {
            name: name.into(),
            stack: Stack::new(address, &config, &self.rng.fork(name)),
            ports: Vec::new(),
            apps: Vec::new(),
            owners: Vec::new(),
            wake_at: Instant::NEVER,
        });
        HostId(place.0)
    }

    /// Joins two hosts by a link of their own. Each reaches the other directly, and nobody else: see
    /// [`route`](Network::route).
    ///
    /// # Panics
    /// After 65,535 interfaces, two for each link.
    pub fn link(&mut self, a: HostId, b: HostId, config: LinkConfig) {
        let (port_a, port_b) = (self.hosts[a.index()].ports.len(), self.hosts[b.index()].ports.len());
        for (from, to, to_port) in [(a, b, port_b), (b, a, port_a)] {
            let label = format!("{}>{}", self.hosts[from.index()].name, self.hosts[to.index()].name);
            let transmitter = self.transmitters.len();
            self.transmitters.push(Transmitter::new(config, self.rng.fork(&label)));
            let peer_address = self.hosts[to.index()].stack.address();
            let host = &mut self.hosts[from.index()];
            // Numbered from 1 on, so that no two interfaces of the network have the same address.
            let number = u16::try_from(transmitter + 1).expect("at most 65,535 interfaces in a network");
            let interface = host.stack.add_interface(MacAddr::local(number), config.mtu);
            host.stack.add_route(Prefix::host(peer_address), interface, None);
            host.ports.push(Port { transmitter, peer: to, peer_interface: to_port });
        }
    }

    /// Tells `host` to send what is for `prefix` to its neighbour `via`, which must forward.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn route(&mut self, host: HostId, prefix: Prefix, via: HostId) {
        let gateway = self.hosts[via.index()].stack.address();
        let interface = self.port_towards(host, via);
        self.hosts[host.index()].stack.add_route(prefix, interface, Some(gateway));
    }

    /// Makes a host a router: it forwards packets that are not for itself.
    pub fn forward(&mut self, host: HostId) {
        self.hosts[host.index()].stack.set_forwarding(true);
    }

    /// Tells all neighbours each other's hardware addresses, for good: no ARP is needed between them.
    pub fn introduce_neighbours(&mut self) {
        for a in 0..self.hosts.len() {
            for (interface, port) in self.hosts[a].ports.clone().into_iter().enumerate() {
                let peer = &self.hosts[port.peer.index()].stack;
                let (address, mac) = (peer.address(), peer.mac(port.peer_interface));
                self.hosts[a].stack.learn_neighbour(self.now, interface, address, mac);
            }
        }
    }

    /// Adds a fault rule for frames from `from` to its neighbour `to`, to be asked after those added before.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn rule(&mut self, from: HostId, to: HostId, rule: impl Rule + 'static) {
        let port = self.port_towards(from, to);
        let transmitter = self.hosts[from.index()].ports[port].transmitter;
        self.transmitters[transmitter].rules.push(Box::new(rule));
    }

    /// Pulls the cable between two neighbours out (`false`), or puts it back. What is on the wire already arrives; what
    /// is handed to it from now on is lost, and the hosts are not told: as when it is pulled behind a switch.
    ///
    /// # Panics
    /// When the two have no link.
    pub fn plug(&mut self, a: HostId, b: HostId, plugged: bool) {
        for (from, to) in [(a, b), (b, a)] {
            let port = self.port_towards(from, to);
            let transmitter = self.hosts[from.index()].ports[port].transmitter;
            self.transmitters[transmitter].unplugged = !plugged;
        }
    }

    /// Puts a program on a host. It starts when the network does.
    pub fn app(&mut self, host: HostId, app: impl App) -> AppId {
        let rng = self.rng.fork(&format!("app {} {}", host.0, self.hosts[host.index()].apps.len()));
        let apps = &mut self.hosts[host.index()].apps;
        apps.push(AppSlot { app: Box::new(app), rng, wake_at: None });
        AppId { host, index: apps.len() - 1 }
    }

    /// A program, to ask it what it saw.
    ///
    /// # Panics
    /// When that program is not an `A`.
    pub fn app_ref<A: App>(&self, id: AppId) -> &A {
        let app: &dyn Any = self.hosts[id.host.index()].apps[id.index].app.as_ref();
        app.downcast_ref().expect("an app is asked for by its own type")
    }

    /// Calls a program from outside, with its host's sockets at hand: how a scene's script plays a person at the
    /// keyboard. What follows from it at this instant follows.
    ///
    /// # Panics
    /// When that program is not an `A`.
    pub fn call<A: App, T>(&mut self, id: AppId, call: impl FnOnce(&mut A, &mut Io<'_>) -> T) -> T {
        self.start();
        let mut result = None;
        self.with_app(id, |app, io| {
            let app: &mut dyn Any = app;
            result = Some(call(app.downcast_mut().expect("an app is called by its own type"), io));
        });
        self.settle(id.host, None);
        result.expect("the program was called")
    }

    /// The stack of a host.
    pub fn stack(&self, host: HostId) -> &Stack {
        &self.hosts[host.index()].stack
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many frames were put on a link. What found its queue full is not among them.
    pub fn frames(&self) -> u64 {
        self.frames - self.turned_away
    }

    /// What was recorded so far.
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// What was recorded so far, in the order of time.
    pub fn trace(&self) -> &Trace {
        self.recorder.trace()
    }

    /// The trace, when the run is over.
    pub fn into_trace(self) -> Trace {
        self.recorder.into_trace()
    }

    /// Lets time pass until nothing is left to happen, or until `end`. Says whether everything came to rest.
    pub fn run_until(&mut self, end: Instant) -> bool {
        self.start();
        while let Some(at) = self.queue.next_at() {
            if at > end {
                self.advance(end);
                return false;
            }
            self.step();
        }
        // Of a frame that is lost nothing follows, but it leaves all the same.
        self.advance(self.last_departure.min(end));
        self.last_departure <= end
    }

    /// Lets time pass until `end`, also when nothing is left to happen before it.
    pub fn wait_until(&mut self, end: Instant) {
        if self.run_until(end) {
            self.advance(end);
        }
    }

    /// Lets the next thing happen; says whether there was one.
    pub fn step(&mut self) -> bool {
        self.start();
        let Some((at, happening)) = self.queue.pop() else {
            self.advance(self.last_departure);
            return false;
        };
        self.advance(at);
        match happening {
            Happening::Arrival { host, interface, frame, bytes, check } => {
                self.arrive(host, interface, frame, bytes, check);
            }
            Happening::WakeStack { host } => {
                if self.hosts[host.index()].wake_at == at {
                    self.hosts[host.index()].wake_at = Instant::NEVER;
                    self.hosts[host.index()].stack.handle(at, Input::Wake);
                    self.settle(host, None);
                }
            }
            Happening::WakeApp { app } => {
                let slot = &mut self.hosts[app.host.index()].apps[app.index];
                if slot.wake_at == Some(at) {
                    slot.wake_at = None;
                    self.with_app(app, |app, io| app.wake(io));
                    self.settle(app.host, None);
                }
            }
            Happening::Unblock { host, interface } => {
                let host_state = &mut self.hosts[host.index()];
                let backlog = self.transmitters[host_state.ports[interface].transmitter].backlog(at);
                host_state.stack.handle(at, Input::Backlog { interface, bytes: backlog });
                self.settle(host, None);
            }
        }
        true
    }

    /// It is `to` now, if it was not later before. Frames that waited until then begin to leave.
    fn advance(&mut self, to: Instant) {
        self.now = self.now.max(to);
        while self.departures.next_at().is_some_and(|at| at <= self.now) {
            let Some((at, (place, kind))) = self.departures.pop() else { return };
            self.recorder.record(at, place, || kind);
        }
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for host in 0..self.hosts.len() {
            let host = HostId(host as u16);
            for index in 0..self.hosts[host.index()].apps.len() {
                self.with_app(AppId { host, index }, |app, io| app.start(io));
                self.settle(host, None);
            }
        }
    }

    fn arrive(&mut self, host: HostId, interface: usize, frame: FrameId, bytes: Bytes, check: Option<u32>) {
        // The frame check sequence of an untouched frame is right by construction, so only others are checked.
        if let Some(expected) = check {
            let got = crc32(&bytes);
            if got != expected {
                let why = format!(
                    "frame check sequence: the frame says {expected:08x}, its bits give {got:08x} (IEEE 802.3 §3.2.9)"
                );
                self.recorder.record(self.now, host.place(), || Kind::Discarded { frame, why: why.into() });
                return;
            }
        }
        self.recorder.record(self.now, host.place(), || Kind::Delivered { frame });
        self.hosts[host.index()].stack.handle(self.now, Input::Frame { interface, bytes });
        self.settle(host, Some(frame));
    }

    /// Carries out everything a host's stack asks for, and all that follows from it at this instant.
    fn settle(&mut self, id: HostId, handling: Option<FrameId>) {
        while let Some(output) = self.hosts[id.index()].stack.poll(self.now) {
            match output {
                Output::Frame { interface, bytes } => self.transmit(id, interface, bytes),
                Output::Event(event) => self.tell(id, event),
                Output::Trace(kind) => self.recorder.record(self.now, id.place(), || kind),
                Output::Discarded(why) => {
                    if let Some(frame) = handling {
                        self.recorder
                            .record(self.now, id.place(), || Kind::Discarded { frame, why: why.into() });
                    }
                }
                Output::Blocked { interface, until_backlog } => {
                    let port = self.hosts[id.index()].ports[interface];
                    let at = self.transmitters[port.transmitter].when_backlog_is(until_backlog, self.now);
                    self.queue.push(at, Happening::Unblock { host: id, interface });
                }
                Output::WakeAt(at) => {
                    let host = &mut self.hosts[id.index()];
                    if at < host.wake_at {
                        host.wake_at = at.max(self.now);
                        self.queue.push(host.wake_at, Happening::WakeStack { host: id });
                    }
                }
            }
        }
    }

    /// Tells the program that owns the socket. A connection that was accepted belongs to the owner of the listener.
    fn tell(&mut self, id: HostId, event: SocketEvent) {
        let host = &mut self.hosts[id.index()];
        if let SocketEvent::Accepted { listener, socket } = event
            && let Some(owner) = host.owner(listener)
        {
            host.own(socket, owner);
        }
        let Some(index) = host.owner(event.socket()) else { return };
        if let SocketEvent::Closed { socket, .. } = event {
            host.disown(socket);
        }
        self.with_app(AppId { host: id, index }, |app, io| app.handle(event, io));
    }

    /// Calls a program with its host's sockets at hand.
    fn with_app(&mut self, id: AppId, call: impl FnOnce(&mut dyn App, &mut Io<'_>)) {
        let host = &mut self.hosts[id.host.index()];
        let slot = &mut host.apps[id.index];
        let mut opened = Vec::new();
        let before = slot.wake_at;
        let mut io = Io {
            now: self.now,
            place: id.host.place(),
            stack: &mut host.stack,
            recorder: &mut self.recorder,
            rng: &mut slot.rng,
            opened: &mut opened,
            wake_at: &mut slot.wake_at,
        };
        call(slot.app.as_mut(), &mut io);
        if let Some(at) = slot.wake_at
            && slot.wake_at != before
        {
            let at = at.max(self.now);
            slot.wake_at = Some(at);
            self.queue.push(at, Happening::WakeApp { app: id });
        }
        for socket in opened {
            host.own(socket, id.index);
        }
    }

    /// Hands a frame to the link: it is queued, judged by the rules, and arrives or does not.
    fn transmit(&mut self, from: HostId, interface: usize, bytes: Bytes) {
        let Network { now, hosts, transmitters, queue, recorder, departures, frames, .. } = self;
        let port = hosts[from.index()].ports[interface];
        let transmitter = &mut transmitters[port.transmitter];
        let (to, frame) = (port.peer, FrameId(*frames));
        *frames += 1;

        let Some(Passage { starts, mut arrives }) = transmitter.accept(*now, bytes.len()) else {
            self.turned_away += 1;
            recorder.record(*now, from.place(), || Kind::Dropped { frame, by: "queue full".into() });
            return;
        };
        self.last_departure = self.last_departure.max(starts);
        if starts > *now {
            recorder.record(*now, from.place(), || Kind::Queued { frame, to: to.place() });
        }
        // What happens to the frame as it leaves.
        let mut departs = Departing { at: starts, now: *now, recorder, departures };
        departs.record(from.place(), || Kind::Sent { frame, to: to.place(), bytes: bytes.clone() });
        hosts[from.index()]
            .stack
            .handle(*now, Input::Backlog { interface, bytes: transmitter.backlog(*now) });

        if transmitter.unplugged {
            departs.record(to.place(), || Kind::Dropped { frame, by: "cable pulled".into() });
            return;
        }
        let (mut bytes, mut check, mut copies) = (bytes, None, 0u32);
        let Transmitter { rules, rng, .. } = transmitter;
        for rule in rules {
            let passing = Passing { at: *now, from: from.place(), to: to.place(), frame, bytes: &bytes };
            match rule.judge(&passing, rng) {
                Verdict::Pass => {}
                Verdict::Drop => {
                    departs.record(to.place(), || Kind::Dropped { frame, by: rule.name() });
                    return;
                }
                Verdict::Delay(extra) => {
                    arrives += extra;
                    departs.record(to.place(), || Kind::Delayed { frame, by: rule.name(), extra });
                }
                Verdict::Duplicate => {
                    copies += 1;
                    let copy = FrameId(*frames);
                    *frames += 1;
                    departs.record(to.place(), || Kind::Duplicated { frame, copy, by: rule.name() });
                }
                Verdict::Corrupt { byte, bits, place } => {
                    let mut damaged = BytesMut::from(&bytes[..]);
                    let offset = byte.min(damaged.len().saturating_sub(1));
                    damaged[offset] ^= bits;
                    if place == Damage::Wire {
                        check.get_or_insert_with(|| crc32(&bytes));
                    }
                    bytes = damaged.freeze();
                    departs.record(to.place(), || Kind::Corrupted { frame, by: rule.name(), offset });
                }
            }
        }
        // The copies follow at once; each is a frame of its own, numbered after the first.
        let first_copy = frames.saturating_sub(u64::from(copies));
        for copy in 0..=copies {
            let frame = if copy == 0 { frame } else { FrameId(first_copy + u64::from(copy) - 1) };
            let bytes = bytes.clone();
            let interface = port.peer_interface;
            queue.push(arrives, Happening::Arrival { host: to, interface, frame, bytes, check });
        }
    }

    fn port_towards(&self, from: HostId, to: HostId) -> usize {
        let ports = &self.hosts[from.index()].ports;
        ports.iter().position(|port| port.peer == to).expect("the two hosts have a link")
    }
}

/// Writes down what happens at the moment when a frame begins to leave: now, or in its turn.
struct Departing<'a> {
    at: Instant,
    now: Instant,
    recorder: &'a mut Recorder,
    departures: &'a mut EventQueue<(PlaceId, Kind)>,
}

impl Departing<'_> {
    fn record(&mut self, place: PlaceId, kind: impl FnOnce() -> Kind) {
        if self.at <= self.now {
            self.recorder.record(self.at, place, kind);
        } else if self.recorder.is_on() {
            self.departures.push(self.at, (place, kind()));
        }
    }
}

impl Host {
    fn owner(&self, socket: SocketId) -> Option<usize> {
        let found = self.owners.binary_search_by_key(&socket, |(socket, _)| *socket).ok()?;
        Some(self.owners[found].1)
    }

    fn own(&mut self, socket: SocketId, app: usize) {
        match self.owners.binary_search_by_key(&socket, |(socket, _)| *socket) {
            Ok(found) => self.owners[found].1 = app,
            Err(place) => self.owners.insert(place, (socket, app)),
        }
    }

    fn disown(&mut self, socket: SocketId) {
        if let Ok(found) = self.owners.binary_search_by_key(&socket, |(socket, _)| *socket) {
            self.owners.remove(found);
        }
    }
}

impl HostId {
    fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The host's place in the trace.
    pub fn place(self) -> PlaceId {
        PlaceId(self.0)
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(|host| &host.name).collect();
        f.debug_struct("Network")
            .field("now", &self.now)
            .field("hosts", &hosts)
            .field("frames", &self.frames())
            .finish()
    }
}

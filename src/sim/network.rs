//! The network: nodes, the links between them, and the one loop that lets time pass.
//!
//! How one is built is in `topology`; what a link does to a frame in `link`.

use std::any::Any;

use bytes::Bytes;

use super::app::{App, Io};
use super::departures::Departures;
use super::device::{self, Device};
use super::fate::Turn;
use super::fault::Passing;
use super::link::{Admission, Arriving, Departing, End, InFlight, Link, Passage};
use super::node::{AppSlot, Node, NodeId, NodeKind, Port};
use super::queue::EventQueue;
use crate::base::{Instant, Machine as _, Rng, Writer};
use crate::layers::physical::crc32::crc32;
use crate::layers::stack::{Input, Output, SocketEvent};
use crate::trace::{FrameId, Kind, LinkId, PlaceId, Recorder, Trace};

/// A node that is a host: it has addresses, sockets and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(NodeId);

/// A program on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId {
    host: HostId,
    index: usize,
}

/// A simulated network.
///
/// Everything that happens is an entry of one queue in virtual time: a frame arrives, a node or a program is woken.
/// All else follows at the same instant. Nodes take no time to compute: a simplification, as is a link without
/// collisions.
pub struct Network {
    now: Instant,
    pub(super) rng: Rng,
    pub(super) nodes: Vec<Node>,
    pub(super) links: Vec<Link>,
    queue: EventQueue<Scheduled>,
    recorder: Recorder,
    departures: Departures,
    /// Where frames are built, by the host that is at work.
    writer: Writer,
    /// When the last frame that a link accepted begins to leave.
    last_departure: Instant,
    /// Frames handed to links.
    frames: u64,
    /// The fates that some frames get instead of their own.
    turns: Vec<Turn>,
    /// How often a node was asked for an output.
    polls: u64,
    /// Of the frames, those that found the queue full and never left.
    turned_away: u64,
    /// Some frame may carry a checksum that is wrong, for a rule has changed its bits, or a device might. From then on
    /// every host verifies.
    pub(super) tampered: bool,
    started: bool,
}

enum Scheduled {
    /// The first frame that is on its way from this end of the link.
    Arrival {
        link: LinkId,
        side: usize,
    },
    /// A frame that overtakes others.
    Overtaking {
        link: LinkId,
        side: usize,
        frame: Box<InFlight>,
    },
    WakeNode {
        node: NodeId,
    },
    WakeApp {
        app: AppId,
    },
    Unblock {
        node: NodeId,
        port: usize,
    },
}

impl Network {
    /// An empty network. The seed decides every random thing in it.
    pub fn new(seed: u64, recorder: Recorder) -> Self {
        Network {
            now: Instant::ZERO,
            rng: Rng::new(seed),
            nodes: Vec::new(),
            links: Vec::new(),
            queue: EventQueue::new(),
            recorder,
            departures: Departures::default(),
            writer: Writer::new(),
            last_departure: Instant::ZERO,
            frames: 0,
            turns: Vec::new(),
            polls: 0,
            turned_away: 0,
            tampered: false,
            started: false,
        }
    }

    /// Gives some frames other fates than their own: before the first frame is sent.
    pub fn what_if(&mut self, turns: &[Turn]) {
        self.turns = turns.to_vec();
    }

    /// Puts a program on a host. It starts when the network does.
    pub fn app(&mut self, host: HostId, app: impl App) -> AppId {
        let rng = self.rng.fork(&format!("app {} {}", host.index(), self.host_ref(host).apps.len()));
        let apps = &mut self.host_mut(host).apps;
        if apps.is_empty() {
            // Nearly always the only one.
            apps.reserve_exact(1);
        }
        apps.push(AppSlot { app: Box::new(app), rng, wake_at: None });
        AppId { host, index: apps.len() - 1 }
    }

    /// A program, to ask it what it saw.
    ///
    /// # Panics
    /// When that program is not an `A`.
    pub fn app_ref<A: App>(&self, id: AppId) -> &A {
        let app: &dyn Any = self.host_ref(id.host).apps[id.index].app.as_ref();
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
        self.at_work(id.host.into(), None, |network| {
            network.with_app(id, |app, io| {
                let app: &mut dyn Any = app;
                result = Some(call(app.downcast_mut().expect("an app is called by its own type"), io));
            });
        });
        result.expect("the program was called")
    }

    /// Calls a device from outside; what follows from it at this instant follows.
    ///
    /// # Panics
    /// When that node is not a `D`.
    pub(super) fn call_device<D: Device, T>(&mut self, id: NodeId, call: impl FnOnce(&mut D) -> T) -> T {
        let NodeKind::Device(device) = &mut self.nodes[id.index()].kind else {
            panic!("the node is a device")
        };
        let device: &mut dyn Any = device.as_mut();
        let result = call(device.downcast_mut().expect("a device is called by its own type"));
        self.settle(id, None);
        result
    }

    /// When the next thing happens, if nothing comes in from outside.
    pub fn next_at(&self) -> Option<Instant> {
        self.queue.next_at()
    }

    /// The simulated time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many frames were put on a link. What found its queue full is not among them.
    pub fn frames(&self) -> u64 {
        self.frames - self.turned_away
    }

    /// How much has happened: entries of the queue, and polls of nodes. A packet should not make more of it in a
    /// large network than in a small one.
    pub fn happenings(&self) -> u64 {
        self.queue.tickets() + self.polls
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
        // A lost frame has no consequences, but it leaves like any other.
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
            Scheduled::Arrival { link, side } => {
                let in_flight = &mut self.links[link.index()].ends[side].transmitter.in_flight;
                let arriving = in_flight.pop_front();
                if let Some(next) = in_flight.front() {
                    self.queue.push_as(next.at, next.ticket, Scheduled::Arrival { link, side });
                }
                if let Some(arriving) = arriving {
                    self.arrive(link, 1 - side, arriving);
                }
            }
            Scheduled::Overtaking { link, side, frame } => self.arrive(link, 1 - side, *frame),
            Scheduled::WakeNode { node } => {
                let woken = &mut self.nodes[node.index()];
                if woken.wake_at == at {
                    woken.wake_at = Instant::NEVER;
                    self.at_work(node, None, |network| match &mut network.nodes[node.index()].kind {
                        NodeKind::Host(host) => host.stack.handle(at, Input::Wake),
                        NodeKind::Device(device) => device.handle(at, device::Input::Wake),
                    });
                }
            }
            Scheduled::WakeApp { app } => {
                let slot = &mut self.host_mut(app.host).apps[app.index];
                if slot.wake_at == Some(at) {
                    slot.wake_at = None;
                    self.at_work(app.host.into(), None, |network| {
                        network.with_app(app, |app, io| app.wake(io));
                    });
                }
            }
            Scheduled::Unblock { node, port } => {
                self.at_work(node, None, |network| network.tell_backlog(node, port));
            }
        }
        true
    }

    /// It is `to` now, if it was not later before. Frames that waited until then begin to leave.
    fn advance(&mut self, to: Instant) {
        self.now = self.now.max(to);
        while let Some((at, place, kind)) = self.departures.pop(self.now) {
            self.recorder.record(at, place, || kind);
        }
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for id in (0..self.nodes.len()).map(NodeId::of) {
            let programs = self.nodes[id.index()].as_host().map_or(0, |host| host.apps.len());
            for index in 0..programs {
                self.at_work(id, None, |network| {
                    network.with_app(AppId { host: HostId(id), index }, |app, io| app.start(io));
                });
            }
        }
    }

    /// A frame arrives at this end of a link.
    fn arrive(&mut self, link: LinkId, side: usize, arriving: InFlight) {
        let InFlight { frame, bytes, check, .. } = arriving;
        let End { node, port, .. } = self.links[link.index()].ends[side];
        // The frame check sequence of an untouched frame is right by construction, so only others are checked.
        if let Some(expected) = check {
            let got = crc32(&bytes);
            if got != expected {
                let why = format!(
                    "frame check sequence: the frame says {expected:08x}, its bits give {got:08x} (IEEE 802.3 §3.2.9)"
                );
                self.recorder.record(self.now, node.place(), || Kind::Discarded { frame, why: why.into() });
                return;
            }
        }
        self.recorder.record(self.now, node.place(), || Kind::Delivered { frame });
        let intact = self.spares_checksums();
        self.at_work(node, Some(frame), |network| match &mut network.nodes[node.index()].kind {
            NodeKind::Host(host) => {
                host.stack.handle(network.now, Input::Frame { interface: port, bytes, intact });
            }
            NodeKind::Device(device) => device.handle(network.now, device::Input::Frame { port, bytes }),
        });
    }

    /// Whether hosts may leave out the verification of checksums, which are right by construction: a tenth of a
    /// packet's cost. A simulator that only ever trusted itself would not notice its own mistakes, so this is for
    /// release builds, and for runs that are only measured.
    fn spares_checksums(&self) -> bool {
        !cfg!(debug_assertions) && !self.recorder.is_on() && !self.tampered
    }

    /// Lets a node do something, and carries out all that follows from it at this instant. `handling` is the frame that
    /// it is given. Meanwhile it has the memory where frames are built.
    fn at_work(&mut self, id: NodeId, handling: Option<FrameId>, work: impl FnOnce(&mut Network)) {
        self.pass_writer(id);
        work(self);
        self.settle(id, handling);
        self.pass_writer(id);
    }

    /// Gives a host the memory where frames are built, or takes it back.
    fn pass_writer(&mut self, id: NodeId) {
        if let NodeKind::Host(host) = &mut self.nodes[id.index()].kind {
            host.stack.swap_writer(&mut self.writer);
        }
    }

    /// Carries out everything a node asks for.
    fn settle(&mut self, id: NodeId, handling: Option<FrameId>) {
        loop {
            self.polls += 1;
            match &mut self.nodes[id.index()].kind {
                NodeKind::Host(host) => match host.stack.poll(self.now) {
                    None => return,
                    Some(Output::Frame { interface, bytes }) => self.transmit(id, interface, bytes),
                    Some(Output::Event(event)) => self.tell(HostId(id), event),
                    Some(Output::Trace(kind)) => self.recorder.record(self.now, id.place(), || kind),
                    Some(Output::Discarded(why)) => self.discarded(id, handling, why),
                    Some(Output::Blocked { interface, until_backlog }) => {
                        let Port { link, side } = self.nodes[id.index()].ports[interface];
                        let transmitter = &self.links[link.index()].ends[side].transmitter;
                        let at = transmitter.when_backlog_is(until_backlog, self.now);
                        self.queue.push(at, Scheduled::Unblock { node: id, port: interface });
                    }
                    Some(Output::WakeAt(at)) => self.wake_node(id, at),
                },
                NodeKind::Device(device) => match device.poll(self.now) {
                    None => return,
                    Some(device::Output::Frame { port, bytes }) => self.transmit(id, port, bytes),
                    Some(device::Output::Trace(kind)) => self.recorder.record(self.now, id.place(), || kind),
                    Some(device::Output::Discarded(why)) => self.discarded(id, handling, why),
                    Some(device::Output::WakeAt(at)) => self.wake_node(id, at),
                },
            }
        }
    }

    fn discarded(&mut self, id: NodeId, handling: Option<FrameId>, why: String) {
        if let Some(frame) = handling {
            self.recorder.record(self.now, id.place(), || Kind::Discarded { frame, why: why.into() });
        }
    }

    fn wake_node(&mut self, id: NodeId, at: Instant) {
        let node = &mut self.nodes[id.index()];
        if at < node.wake_at {
            node.wake_at = at.max(self.now);
            self.queue.push(node.wake_at, Scheduled::WakeNode { node: id });
        }
    }

    /// Lets a host know how much waits on the link of one of its interfaces. A device need not know.
    fn tell_backlog(&mut self, id: NodeId, port: usize) {
        let node = &mut self.nodes[id.index()];
        let Port { link, side } = node.ports[port];
        if let NodeKind::Host(host) = &mut node.kind {
            let bytes = self.links[link.index()].ends[side].transmitter.backlog(self.now);
            host.stack.handle(self.now, Input::Backlog { interface: port, bytes });
        }
    }

    /// Hands the event to the program that owns the socket. The owner of a listener owns the connections it accepted.
    fn tell(&mut self, id: HostId, event: SocketEvent) {
        let host = self.host_mut(id);
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
        let Some(host) = self.nodes[id.host.index()].as_host_mut() else { return };
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
            self.queue.push(at, Scheduled::WakeApp { app: id });
        }
        for socket in opened {
            host.own(socket, id.index);
        }
    }

    /// Hands a frame to the link: it is queued, judged by the rules, and arrives or does not.
    fn transmit(&mut self, from: NodeId, port: usize, bytes: Bytes) {
        let (now, frame) = (self.now, FrameId(self.frames));
        self.frames += 1;
        let turned = self.turns.iter().find(|turn| turn.frame == frame).map(|turn| turn.fate);
        let Port { link, side } = self.nodes[from.index()].ports[port];
        let ends = &mut self.links[link.index()].ends;
        let to = ends[1 - side].node;
        let (from_place, to_place) = (from.place(), to.place());

        let (Passage { starts, arrives }, marked) = match ends[side].transmitter.accept(now, &bytes) {
            Admission::Passes(passage, marked) => (passage, marked),
            Admission::Refused(by) => {
                self.turned_away += 1;
                self.recorder.record(now, from_place, || Kind::Dropped { frame, by: by.into() });
                return;
            }
            Admission::DroppedAt(at, by) => {
                self.turned_away += 1;
                let Network { recorder, departures, .. } = self;
                recorder.record(now, from_place, || Kind::Queued { frame, link, to: to_place });
                let mut departs = Departing { at, now, from: (link, side), recorder, departures };
                departs.record(from_place, || Kind::Dropped { frame, by: by.into() });
                return self.tell_backlog(from, port);
            }
        };
        self.tell_backlog(from, port);
        self.last_departure = self.last_departure.max(starts);
        let Network { recorder, departures, .. } = self;
        if starts > now {
            recorder.record(now, from_place, || Kind::Queued { frame, link, to: to_place });
        }
        // What happens to the frame as it leaves.
        let mut departs = Departing { at: starts, now, from: (link, side), recorder, departures };
        let bytes = match marked {
            Some((marked, by)) => {
                departs.record(from_place, || Kind::Marked { frame, by: by.into() });
                marked
            }
            None => bytes,
        };
        departs.record(from_place, || Kind::Sent { frame, link, to: to_place, bytes: bytes.clone() });
        let passing = Passing { at: now, from: from_place, to: to_place, frame, bytes: &bytes };
        let transmitter = &mut self.links[link.index()].ends[side].transmitter;
        let judged = match turned {
            None => transmitter.judge(passing, arrives, &mut self.frames, &mut departs),
            Some(fate) => transmitter.judge_as(fate, passing, arrives, &mut self.frames, &mut departs),
        };
        let Some(Arriving { at, damaged, check, copies }) = judged else { return };
        self.tampered |= damaged.is_some();
        let bytes = damaged.unwrap_or(bytes);
        let Some((last, others)) = copies.split_last() else {
            return self.under_way(link, side, at, (frame, bytes, check));
        };
        for frame in std::iter::once(&frame).chain(others) {
            self.under_way(link, side, at, (*frame, bytes.clone(), check));
        }
        self.under_way(link, side, at, (*last, bytes, check));
    }

    /// A frame is on its way, and will arrive at the time `at`.
    fn under_way(&mut self, link: LinkId, side: usize, at: Instant, frame: (FrameId, Bytes, Option<u32>)) {
        let ticket = self.queue.ticket();
        let (frame, bytes, check) = frame;
        let coming = InFlight { at, ticket, frame, bytes, check };
        let in_flight = &mut self.links[link.index()].ends[side].transmitter.in_flight;
        match in_flight.back() {
            Some(last) if at < last.at => {
                let frame = Box::new(coming);
                self.queue.push_as(at, ticket, Scheduled::Overtaking { link, side, frame });
            }
            Some(_) => in_flight.push_back(coming),
            None => {
                in_flight.push_back(coming);
                self.queue.push_as(at, ticket, Scheduled::Arrival { link, side });
            }
        }
    }
}

impl NodeId {
    pub(super) fn of(index: usize) -> Self {
        NodeId(index as u16)
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// What was added as a host is one.
    pub(super) fn into_host(self) -> HostId {
        HostId(self)
    }

    /// The node's place in the trace.
    pub fn place(self) -> PlaceId {
        PlaceId(self.0)
    }
}

impl HostId {
    pub(super) fn index(self) -> usize {
        self.0.index()
    }

    /// The host's place in the trace.
    pub fn place(self) -> PlaceId {
        self.0.place()
    }
}

impl From<HostId> for NodeId {
    fn from(host: HostId) -> NodeId {
        host.0
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes: Vec<_> = self.nodes.iter().map(|node| &node.name).collect();
        f.debug_struct("Network")
            .field("now", &self.now)
            .field("nodes", &nodes)
            .field("frames", &self.frames())
            .finish()
    }
}

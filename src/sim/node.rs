//! A node of the network, as the network keeps it: a host with its programs, or a device; and its ports.

use super::app::App;
use super::device::Device;
use crate::base::{Instant, Rng};
use crate::layers::internet::prefix::Cidr;
use crate::layers::stack::{SocketId, Stack};
use crate::trace::LinkId;

/// A node, by the order in which it was added. It is also its [`PlaceId`](crate::trace::PlaceId) in the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u16);

/// A node: what frames arrive at, and what sends them.
pub(super) struct Node {
    pub(super) name: String,
    /// A host's are its interfaces, in the same order.
    pub(super) ports: Vec<Port>,
    /// When it is to be woken; [`Instant::NEVER`] for not at all. An earlier entry in the queue is void.
    pub(super) wake_at: Instant,
    pub(super) kind: NodeKind,
}

pub(super) enum NodeKind {
    Host(Box<Host>),
    Device(Box<dyn Device>),
}

/// Which end of which link is plugged in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Port {
    pub(super) link: LinkId,
    pub(super) side: usize,
}

/// A stack and the programs on it.
pub(super) struct Host {
    pub(super) stack: Stack,
    /// The host's own address, until an interface has it.
    pub(super) unplaced: Option<Cidr>,
    pub(super) apps: Vec<AppSlot>,
    /// The program that owns each socket, by the socket's slot.
    owners: Vec<Option<(SocketId, u32)>>,
}

/// A program, and what it has of its own.
pub(super) struct AppSlot {
    pub(super) app: Box<dyn App>,
    pub(super) rng: Rng,
    pub(super) wake_at: Option<Instant>,
}

impl Node {
    pub(super) fn new(name: &str, kind: NodeKind) -> Self {
        Node { name: name.into(), ports: Vec::new(), wake_at: Instant::NEVER, kind }
    }

    pub(super) fn as_host(&self) -> Option<&Host> {
        match &self.kind {
            NodeKind::Host(host) => Some(host),
            NodeKind::Device(_) => None,
        }
    }

    pub(super) fn as_host_mut(&mut self) -> Option<&mut Host> {
        match &mut self.kind {
            NodeKind::Host(host) => Some(host),
            NodeKind::Device(_) => None,
        }
    }
}

impl Host {
    pub(super) fn new(stack: Stack, address: Option<Cidr>) -> Self {
        Host { stack, unplaced: address, apps: Vec::new(), owners: Vec::new() }
    }

    pub(super) fn owner(&self, socket: SocketId) -> Option<usize> {
        let (owned, app) = (*self.owners.get(socket.slot())?)?;
        (owned == socket).then_some(app as usize)
    }

    pub(super) fn own(&mut self, socket: SocketId, app: usize) {
        let slot = socket.slot();
        if slot >= self.owners.len() {
            self.owners.resize(slot + 1, None);
        }
        self.owners[slot] = Some((socket, app as u32));
    }

    pub(super) fn disown(&mut self, socket: SocketId) {
        if self.owner(socket).is_some() {
            self.owners[socket.slot()] = None;
        }
    }
}

//! The cast of a run: hosts, their sockets, the network.

use std::net::IpAddr;

use crate::layers::stack::SocketId;
use crate::sim::{AppId, HostId, Network};

/// A host of the scene, with a program on it that does what the script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    pub(super) id: HostId,
    pub(super) app: AppId,
    /// The address of its first interface.
    pub address: IpAddr,
}

/// A socket of a host's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The host that it belongs to.
    pub host: Host,
    pub(super) id: SocketId,
}

/// A run under way.
pub(super) struct Scene {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) network: Network,
    pub(super) hosts: u8,
}

impl Host {
    /// Its id in the network.
    pub fn id(self) -> HostId {
        self.id
    }
}

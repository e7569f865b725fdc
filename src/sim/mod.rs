//! A network in virtual time: hosts, links, faults, and programs.
//!
//! | file | concern |
//! |---|---|
//! | [`network`] | nodes, the links between them, and the loop that lets time pass |
//! | [`topology`] | how a network is built: hosts, routers, devices, links, addresses |
//! | [`device`] | what a node is that is no host: a repeater, a switch |
//! | [`open`] | links that lead out of the simulation, to a real network interface |
//! | `node` | a host with its programs, or a device; and its ports |
//! | [`queue`] | what is to happen, in order |
//! | `departures` | what is recorded when a frame that waits begins to leave |
//! | [`link`] | rate, delay, jitter and the bounded queue of a wire |
//! | [`fault`] | rules: lose, delay, duplicate, corrupt |
//! | [`fork`] | the same run with the fate of some frames changed |
//! | [`app`] | programs on hosts, and the socket calls they can make |
//! | [`apps`], [`scene`] | the programs and the scene that `compare` plays |
//! | [`race`] | flows with one congestion control each, side by side through one bottleneck |
//! | [`script`] | a script that plays the peer of one TCP connection, and says what ours must do |
//! | [`websocket`] | a WebSocket machine on a simulated host's TCP socket |
//! | [`session`] | a client's session of Engine.IO on a simulated host: polling, WebSocket, or one after the other |
//! | [`knob`] | what can be turned: one table of knobs, and their values as people write them |
//!
//! The same seed and the same knobs give the same run, byte for byte: nothing in here reads a clock, and all chance
//! comes from [`Rng`](crate::base::Rng).

pub mod app;
pub mod apps;
mod departures;
pub mod device;
pub mod fate;
pub mod fault;
pub mod fork;
pub mod knob;
pub mod link;
pub mod network;
mod node;
pub mod open;
pub mod outgoing;
pub mod queue;
pub mod race;
pub mod scene;
pub mod script;
pub mod session;
pub mod topology;
pub mod websocket;

// What every program on a host needs of the stack below it.
pub use crate::layers::stack::{SendError, SocketEvent, SocketId, StackConfig};
pub use app::{App, Io};
pub use device::Device;
pub use link::LinkConfig;
pub use network::{AppId, HostId, Network};
pub use node::NodeId;
pub use open::OpenNetwork;
pub use topology::{IntoCidr, IntoEnd};

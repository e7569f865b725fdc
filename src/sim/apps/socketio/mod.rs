//! Socket.IO on simulated hosts: an event server, and clients by polling, by WebSocket, or by both.
//!
//! The protocols are machines of `layers` and `chat`; here they get TCP connections and times. Whoever writes a scene
//! plays the people: they emit, hang up, come back, and pull the server's plug.

mod client;
mod disk;
mod server;

pub use client::{Client, Transport};
pub use disk::Disk;
pub use server::{Beat, Server};

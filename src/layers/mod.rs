//! The stack: one folder a layer, one file or folder a protocol.
//!
//! | folder | TCP/IP layer | protocols |
//! |---|---|---|
//! | [`physical`] | (below the link layer) | CRC-32, the delay of a link |
//! | [`link`] | link | Ethernet II, ARP |
//! | [`internet`] | internet | IPv4, fragments, ICMP, routes |
//! | [`transport`] | transport | UDP, TCP |
//! | [`application`] | application | HTTP/1.1 upgrade, WebSocket |
//! | [`stack`] | all of them, joined into one host | |
//!
//! A layer may use the ones below it and never one above it: `tests/house/architecture.rs` keeps it so.

pub mod application;
pub mod internet;
pub mod link;
pub mod physical;
pub mod stack;
pub mod transport;

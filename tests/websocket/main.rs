//! The WebSocket on real sockets from outside: its commands, other implementations, hostile peers, and memory.

mod commands;
mod hardening;
mod memory;
mod peers;
#[path = "../support/mod.rs"]
mod support;
mod tls;

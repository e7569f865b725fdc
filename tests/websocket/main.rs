//! The WebSocket on real sockets from outside: other implementations, hostile peers, and memory.

mod hardening;
mod memory;
mod peers;
#[path = "../support/mod.rs"]
mod support;

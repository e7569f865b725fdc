//! The programs that `compare` runs on its hosts: one pair for each way to send a message.

pub mod socketio;
pub mod tcp;
pub mod udp;
pub mod websocket;

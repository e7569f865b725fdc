//! The programs on simulated hosts: for `compare` one pair for each way to send a message, and the event system's two
//! ends for the lessons that end in a chat.
//!
//! Of the latter there are two pairs. `event_server` and `event_client` are programs that come back by themselves, on
//! WebSocket; those in `socketio` do what a lesson's script says, on every transport, and their server can be killed.

pub mod event_client;
pub mod event_server;
pub mod socketio;
pub mod tcp;
pub mod udp;
pub mod websocket;

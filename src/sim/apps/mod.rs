//! The programs on simulated hosts: for `compare` one pair for each way to send a message, and the event system's two
//! ends for the lessons that end in a chat.

pub mod event_client;
pub mod event_server;
pub mod polling;
pub mod tcp;
pub mod udp;
pub mod websocket;

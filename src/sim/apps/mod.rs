//! The programs on simulated hosts. The protocols are machines of `layers` and `chat`; a program gives them connections
//! and times, and says what is to happen.
//!
//! | program | what it does |
//! |---|---|
//! | [`udp`] | a message in datagrams, and its receiver: for `compare`, as the next two |
//! | [`tcp`] | a message as a byte stream, and its receiver |
//! | [`websocket`] | a message over WebSocket, and a server that sends it back |
//! | [`event_server`] | the event system's server, on every transport; it can be killed and restarted |
//! | [`event_client`] | its client, on every transport; it **reconnects by itself**, or when the scene says so |
//!
//! What a server is to remember over a crash is a [`SharedLog`](crate::chat::SharedLog) that the scene holds.

pub mod event_client;
pub mod event_server;
pub mod tcp;
pub mod udp;
pub mod websocket;

//! Layers 5 to 7 of OSI, one layer in TCP/IP: what programs say to each other.
//!
//! | concept | where | source |
//! |---|---|---|
//! | Engine.IO: sessions by polling or WebSocket | [`engineio`] | engine.io-protocol v4 |
//! | messages in a stream: a delimiter, a length in front | [`framing`] | RFC 1055, RFC 6455 §5.2 |
//! | HTTP/1.1 request and response heads, the text that asks for an upgrade | [`http`] | RFC 9110, RFC 9112 |
//! | Socket.IO: events, acknowledgements, namespaces | [`socketio`] | socket.io-protocol v5 |
//! | DNS, DHCP and TLS, as far as an observer can read them | [`dns`], [`dhcp`], [`tls`] | RFC 1035, RFC 2131, RFC 8446 |
//! | WebSocket: messages both ways at once over one TCP connection | [`websocket`] | RFC 6455 |

pub mod dhcp;
pub mod dns;
pub mod engineio;
pub mod framing;
pub mod http;
pub mod socketio;
pub mod tls;
pub mod websocket;

//! WebSocket: messages both ways at once over one TCP connection (RFC 6455).

pub mod close;
pub mod frame;
pub mod handshake;
pub mod mask;
pub mod message;
pub mod utf8;

pub use frame::{FrameHeader, Opcode};

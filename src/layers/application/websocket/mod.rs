//! WebSocket: messages both ways at once over one TCP connection (RFC 6455).

pub mod frame;

pub use frame::{FrameHeader, Opcode};

//! A port: where frames enter and leave whatever has one, a host or a whole network of them.
//!
//! It is all that a driver of real network interfaces needs to know of what it drives: frames in, frames out, and when
//! it wants to be woken. What drives it knows no simulator, and what is driven no operating system.

use bytes::Bytes;

use crate::base::Instant;

/// What can happen at the ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A frame comes in.
    Frame {
        /// By which port.
        port: usize,
        /// The whole frame, without its frame check sequence.
        bytes: Bytes,
    },
    /// Time has passed.
    Wake,
}

/// What is to happen at the ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A frame goes out.
    Frame {
        /// By which port.
        port: usize,
        /// The whole frame, without its frame check sequence.
        bytes: Bytes,
    },
    /// Wake it at this time; it comes when the time is another one than before.
    WakeAt(Instant),
}

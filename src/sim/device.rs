//! Devices between hosts: they forward frames, and have no address of their own.
//!
//! A device has ports, numbered from 0 in the order in which links were plugged in. It is a
//! [`Machine`] like every protocol: a frame comes in at a port, and frames go out at ports. What it
//! looks at decides what it is: a repeater looks at nothing, a switch at Ethernet addresses. (A router is a host that
//! forwards: [`Network::router`](super::Network::router).)

use std::any::Any;

use bytes::Bytes;

use crate::base::{Instant, Machine};
use crate::layers::link::ethernet::MacAddr;
use crate::trace::Kind;

/// What can happen to a device.
#[derive(Debug)]
pub enum Input {
    /// A frame arrived, its frame check sequence checked and taken off.
    Frame {
        /// The port on which it arrived.
        port: usize,
        /// The whole frame, as it was on the wire.
        bytes: Bytes,
    },
    /// The time has come that it asked for.
    Wake,
}

/// What a device asks for.
#[derive(Debug)]
pub enum Output {
    /// Send a frame.
    Frame {
        /// The port to send it from.
        port: usize,
        /// The frame, without its frame check sequence.
        bytes: Bytes,
    },
    /// The frame that came in last goes no further.
    Discarded(String),
    /// A line for the trace.
    Trace(Kind),
    /// Call again at this time with [`Input::Wake`].
    WakeAt(Instant),
}

/// A node that is no host.
pub trait Device: Any + Machine<Input = Input, Output = Output> {
    /// A link was plugged into the next port. `mac` is the port's own address, for devices that speak themselves.
    fn add_port(&mut self, mac: MacAddr);
}

//! Devices between hosts: they forward frames, and have no address of their own.
//!
//! A device has ports, numbered from 0 in the order in which links were plugged in. It is a
//! [`Machine`] like every protocol: a frame comes in at a port, and frames go out at ports. What it
//! looks at decides what it is: a repeater looks at nothing, a switch at Ethernet addresses. (A router is a host that
//! forwards: [`Network::router`](super::Network::router).)

use std::any::Any;
use std::collections::VecDeque;

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

/// A repeater with several ports, called a hub: what comes in at one port goes out at all others. It looks at nothing,
/// so every host that is plugged into it hears every frame.
#[derive(Debug, Default)]
pub struct Repeater {
    ports: usize,
    /// At most one frame for each other port: the network drains it after each frame that comes in.
    out: VecDeque<Output>,
}

impl Machine for Repeater {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _now: Instant, input: Input) {
        if let Input::Frame { port, bytes } = input {
            let others = (0..self.ports).filter(|other| *other != port);
            self.out.extend(others.map(|port| Output::Frame { port, bytes: bytes.clone() }));
        }
    }

    fn poll(&mut self, _now: Instant) -> Option<Output> {
        self.out.pop_front()
    }
}

impl Device for Repeater {
    fn add_port(&mut self, _mac: MacAddr) {
        self.ports += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeater_sends_a_frame_out_of_every_port_but_the_one_it_came_in_at() {
        let mut hub = Repeater::default();
        (0..4).for_each(|_| hub.add_port(MacAddr::ZERO));
        hub.handle(Instant::ZERO, Input::Frame { port: 2, bytes: Bytes::from_static(b"frame") });
        let mut ports = Vec::new();
        while let Some(Output::Frame { port, bytes }) = hub.poll(Instant::ZERO) {
            assert_eq!(bytes, "frame");
            ports.push(port);
        }
        assert_eq!(ports, [0, 1, 3]);
    }
}

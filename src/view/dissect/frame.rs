//! One frame, looked at alone.

use super::{Dissection, Part};
use crate::base::Layer;

/// Takes an Ethernet frame apart, from the destination address to the last byte of payload or padding (no frame
/// check sequence).
pub fn dissect_frame(frame: &[u8]) -> Dissection {
    Dissection { parts: vec![Part::data(Layer::Link, 0..frame.len())], problems: Vec::new() }
}

/// Takes an IPv4 packet apart.
pub fn dissect_packet(packet: &[u8]) -> Dissection {
    Dissection { parts: vec![Part::data(Layer::Internet, 0..packet.len())], problems: Vec::new() }
}

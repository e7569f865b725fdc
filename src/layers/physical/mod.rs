//! Layer 1: what a link does to bits.
//!
//! | where | concept |
//! |---|---|
//! | [`crc32`] | the frame check sequence: finding bits that the wire changed |
//! | [`delay`] | how long a frame takes: bits through the interface, then the way along the wire |
//!
//! A real interface makes its check sequence in hardware, which is why it stands here and not with
//! [`link`](super::link). Line coding is left out: how bits become voltages or light differs from medium to medium, and
//! no layer above can see it.

pub mod crc32;
pub mod delay;

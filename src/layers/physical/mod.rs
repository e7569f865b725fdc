//! Layer 1: what a link does to bits.
//!
//! | where | concept |
//! |---|---|
//! | [`line`](mod@line) | line coding: bits as changes of a level |
//! | [`crc32`] | the frame check sequence: finding bits that the wire changed |
//! | [`delay`] | how long a frame takes: bits through the interface, then the way along the wire |
//!
//! A real interface makes its check sequence in hardware, which is why it is here and not with
//! [`link`](super::link). The simulator's links carry bytes, not levels: how bits become voltages or light differs from
//! medium to medium, and no layer above can see it. [`line`](mod@line) shows three ways.

pub mod crc32;
pub mod delay;
pub mod line;

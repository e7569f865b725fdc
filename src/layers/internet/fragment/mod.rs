//! Fragments: a packet too large for a link is cut where that link begins, and joined at its destination
//! (RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2).
//!
//! | where | concept |
//! |---|---|
//! | [`mod@split`] | cutting: multiples of 8 bytes, and which options go along |
//! | [`reassembler`] | joining: holes, overlaps, memory and time |
//! | [`holes`] | which bytes are still missing (RFC 815) |
//!
//! It was meant as a help and is now avoided: one lost fragment loses all, a router works harder, and only the first
//! fragment has the ports that a filter looks for (RFC 8900). TCP therefore learns the path's MTU and sends no more than
//! fits (RFC 1191); UDP programs mostly keep their messages small.

pub mod holes;
pub mod reassembler;
pub mod split;

pub use reassembler::{Expired, Outcome, Reassembler, TIMEOUT};
pub use split::{CannotFragment, Fragments, split};

#[cfg(test)]
mod tests;

//! Layer 2: frames between neighbours on one link.
//!
//! | where | concept |
//! |---|---|
//! | [`ethernet`] | the frame: addresses, type, padding, check sequence |
//! | [`arp`] | the question "who has this IPv4 address?" and its answer |

pub mod arp;
pub mod ethernet;

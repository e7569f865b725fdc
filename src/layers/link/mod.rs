//! Layer 2: frames between neighbours on one link.
//!
//! | where | concept |
//! |---|---|
//! | [`ethernet`] | the frame: addresses, type, padding, check sequence |
//! | [`arp`] | the question "who has this IPv4 address?" and its answer |
//! | [`arp_cache`] | what a host remembers of the answers, and what waits for one |

pub mod arp;
pub mod arp_cache;
pub mod ethernet;

//! Layer 3: packets between hosts, across links.
//!
//! | where | concept |
//! |---|---|
//! | [`ipv4`] | the header: addresses, TTL, checksum |
//! | [`options`] | what may stand behind it |
//! | [`icmp`] | echo, and the errors that routers and hosts report |

pub mod icmp;
pub mod ipv4;
pub mod options;

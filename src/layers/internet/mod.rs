//! Layer 3: packets between hosts, across links.
//!
//! | where | concept |
//! |---|---|
//! | [`ipv4`] | the header: addresses, TTL, checksum |
//! | [`options`] | what may follow it |
//! | [`fragment`] | packets too large for a link: cut on the way, joined at the end |
//! | [`icmp`] | echo, and the errors that routers and hosts report |
//! | [`icmp_error`] | whether an error may be reported at all, and what it quotes |
//! | [`prefix`] | blocks of addresses, and the address of an interface |
//! | [`route`] | which neighbour a packet goes to next |

pub mod fragment;
pub mod icmp;
pub mod icmp_error;
pub mod ipv4;
pub mod options;
pub mod prefix;
pub mod route;

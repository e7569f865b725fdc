//! Layer 3: packets between hosts, across links.
//!
//! | where | concept |
//! |---|---|
//! | [`ipv4`] | the header: addresses, TTL, checksum |
//! | [`options`] | what may follow it |
//! | [`fragment`] | packets too large for a link: cut on the way, joined at the end |
//! | [`icmp`] | echo, and the errors that routers and hosts report |
//! | [`icmp_error`] | whether an error may be reported at all, and what it quotes |
//! | [`path_mtu`] | what is known of paths that take smaller packets than their first link |
//! | [`prefix`] | blocks of addresses, and the address of an interface |
//! | [`route`] | which neighbour a packet goes to next |
//! | [`source_route`] | routers that the sender names |
//!
//! Read by observers only, for real captures have them:
//!
//! | where | concept |
//! |---|---|
//! | [`ipv6`] | the header of version 6 |
//! | [`ipv6_extension`] | what may stand behind it: options, routes, fragments |
//! | [`icmpv6`] | errors, echo, and how neighbours find each other |
//! | [`gre`] | packets in packets |

pub mod fragment;
pub mod gre;
pub mod icmp;
pub mod icmp_error;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod ipv6_extension;
pub mod options;
pub mod path_mtu;
pub mod prefix;
pub mod route;
pub mod source_route;

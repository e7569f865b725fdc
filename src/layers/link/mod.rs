//! Layer 2: frames between neighbours on one link.
//!
//! | where | concept |
//! |---|---|
//! | [`ethernet`] | the frame: addresses, type, padding, check sequence |
//! | [`arp`] | the question "who has this IPv4 address?" and its answer |
//! | [`arp_cache`] | what a host remembers of the answers, and what waits for one |
//! | [`aqm`] | what a queue does before it is full: RED, CoDel |
//! | [`port`] | where frames enter and leave: what a driver of network interfaces knows of a host |
//!
//! Read by observers only, for real captures have them:
//!
//! | where | concept |
//! |---|---|
//! | [`vlan`] | several networks on one cable |
//! | [`llc`] | frames with a length where the type is |
//! | [`pppoe`] | a telephone line's protocol on Ethernet |
//! | [`mpls`] | switching by labels |
//! | [`linux_cooked`] | what stands before a packet captured on all interfaces at once |

pub mod aqm;
pub mod arp;
pub mod arp_cache;
pub mod ethernet;
pub mod linux_cooked;
pub mod llc;
pub mod mpls;
pub mod port;
pub mod pppoe;
pub mod vlan;

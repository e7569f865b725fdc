//! The kernel wire: our own stack at one end, Linux's at the other, and nothing but frames between them.
//!
//! No privilege is needed. The process moves into a user namespace of its own, in which it is root and nobody outside
//! minds, and there into a network namespace of its own, which has no network yet. In it a pair of virtual Ethernet
//! interfaces is laid: the kernel's end has an address and carries whatever programs in this namespace send; our end is
//! a packet socket (packet(7)), which hands out whole frames. The kernel's end does all work in software, with nothing
//! left to a network card, so every frame is one packet with its checksums.
//!
//! ```text
//!   our stack, its link, its rules ── frames ── packet socket ═ veth ═ kernel's interface ── Linux's TCP/IP ── a program
//!                [driver]                        [device]                                                   [programs]
//! ```
//!
//! | file | what |
//! |---|---|
//! | [`namespace`] | a user and a network namespace of our own |
//! | [`device`] | the pair of interfaces, and the frames at our end of it |
//! | `netlink`, `packet_address` | how the kernel is asked for it |
//! | [`driver`] | frames and time for whatever has ports |
//! | [`programs`] | the programs at the kernel's end of the scene of `compare` |
//!
//! Linux only. What drives the ports knows no simulator: the network with our stack is handed in.

pub mod device;
pub mod driver;
pub mod namespace;
mod netlink;
mod packet_address;
pub mod programs;

pub use device::Device;
pub use driver::run;
pub use namespace::{enter, enter_network};

//! The address of a packet socket: which interface it is bound to, and frames of which type it gets (packet(7)).
#![allow(unsafe_code)] // No crate in use has this address; the one conversion is at the end of this file.

use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};

/// All frames of one interface, whatever they carry.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketAddress {
    /// The interface's number.
    pub(super) index: u32,
}

// SAFETY: `f` gets a pointer to a whole `sockaddr_ll` on the stack, which outlives the call, and its size.
unsafe impl SocketAddrArg for PacketAddress {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        let address = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
            sll_ifindex: self.index as i32,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        f((&raw const address).cast(), size_of_val(&address) as SocketAddrLen)
    }
}

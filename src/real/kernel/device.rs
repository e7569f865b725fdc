//! A pair of virtual interfaces: the kernel's end, which programs use like any other, and ours, which hands out frames.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, netdevice, socket_with, sockopt};

use super::netlink::{Netlink, do_all_in_software};
use super::packet_address::PacketAddress;
use crate::layers::internet::prefix::Cidr;
use crate::layers::link::ethernet::MacAddr;
use crate::real::error::{During as _, RealError};

const NEXT: &str = "see whether this kernel has virtual Ethernet (modprobe veth), or use --wire real";

/// What the interface of the kernel is to be.
#[derive(Debug, Clone, Copy)]
pub struct KernelEnd {
    /// Its address, and which others are on the link.
    pub address: Cidr,
    /// Its hardware address.
    pub mac: MacAddr,
    /// The largest packet that it sends, in bytes.
    pub mtu: u16,
}

/// Our end of the pair. When it is dropped its socket is closed; the interfaces go with their namespace.
#[derive(Debug)]
pub struct Device {
    socket: OwnedFd,
}

/// What became of a frame that was handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// It has it.
    Over,
    /// It had no room, and the frame is lost.
    NoRoom,
}

/// Frames that wait to be read, in bytes of the kernel's memory; it gives what its limit allows (`net.core.rmem_max`),
/// and drops what comes beyond, as a network card does.
const RECEIVE_BUFFER: usize = 8 << 20;

impl Device {
    /// Lays a pair in this namespace. The kernel's end is called `name`, ours the same with a `-wire`.
    ///
    /// # Errors
    /// With the step that failed, as every step does outside of a namespace of our own.
    pub fn lay(name: &str, kernel: &KernelEnd) -> Result<Device, RealError> {
        let ours = format!("{name}-wire");
        let mut netlink = Netlink::route().during("asking the kernel for interfaces (netlink)", NEXT)?;
        netlink
            .add_pair(name, kernel.mac, &ours, kernel.mtu)
            .during("laying a pair of virtual interfaces", NEXT)?;
        let socket = socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            // Nothing arrives until it is bound, and then nothing of other interfaces.
            None,
        );
        let socket = socket.map_err(io::Error::from).during("opening a packet socket", NEXT)?;
        let index = |name: &str| netdevice::name_to_index(&socket, name).map_err(io::Error::from);
        let kernel_index = index(name).during("finding the kernel's interface", NEXT)?;
        let our_index = index(&ours).during("finding our interface", NEXT)?;
        do_all_in_software(kernel_index)
            .during("keeping checksums and segmentation in software (ethtool)", NEXT)?;
        let step = "setting up the kernel's interface";
        netlink.add_address(kernel_index, kernel.address).during(step, NEXT)?;
        for index in [kernel_index, our_index, LOOPBACK] {
            // Without IPv6 there is nothing to keep quiet.
            let _ = netlink.keep_quiet(index);
            netlink.up(index).during(step, NEXT)?;
        }
        let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
        bind(&socket, &PacketAddress { index: our_index })
            .map_err(io::Error::from)
            .during("binding the packet socket to our interface", NEXT)?;
        Ok(Device { socket })
    }

    /// Takes the next frame that the kernel has sent; says how much of `room` it fills.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) while there is none, others when the interface is gone.
    pub fn take(&self, room: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(&self.socket, &mut *room))?)
    }

    /// Hands the kernel a frame.
    ///
    /// # Errors
    /// When the interface is gone, or the frame is longer than it takes.
    pub fn hand(&self, frame: &[u8]) -> io::Result<Handed> {
        match rustix::io::write(&self.socket, frame) {
            Ok(_) => Ok(Handed::Over),
            Err(Errno::AGAIN | Errno::NOBUFS) => Ok(Handed::NoRoom),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The number of the interface `lo`: the first of every network namespace.
const LOOPBACK: u32 = 1;

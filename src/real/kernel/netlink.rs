//! Netlink: how Linux is asked for interfaces, addresses and features (netlink(7), rtnetlink(7)).
//!
//! A message is a header and attributes, each with a length, a type and a value, all in the machine's own byte order
//! and padded to four bytes. The kernel answers every one with an error number, 0 for success.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType, netlink, send, socket};

use crate::layers::internet::prefix::Cidr;
use crate::layers::link::ethernet::MacAddr;

// From linux/netlink.h, linux/rtnetlink.h, linux/if_link.h and linux/if_addr.h.
const NLMSG_ERROR: u16 = 2;
const REQUEST_AND_ACK: u16 = 0x1 | 0x4;
const CREATE_AND_NO_OTHER: u16 = 0x400 | 0x200;
const RTM_NEWLINK: u16 = 16;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;
const IFA_LOCAL: u16 = 2;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u16 = 10;
const NESTED: u16 = 0x8000;

// From linux/genetlink.h and linux/ethtool_netlink.h.
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const ETHTOOL_MSG_FEATURES_SET: u8 = 12;
const ETHTOOL_A_FEATURES_HEADER: u16 = 1;
const ETHTOOL_A_HEADER_DEV_INDEX: u16 = 1;
const ETHTOOL_A_FEATURES_WANTED: u16 = 3;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;

/// A socket to ask the kernel with.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// Interfaces, addresses, routes.
    pub(super) fn route() -> io::Result<Self> {
        // NETLINK_ROUTE is 0, and none is named by no protocol.
        Netlink::open(None)
    }

    fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let socket = socket(AddressFamily::NETLINK, SocketType::RAW, protocol)?;
        Ok(Netlink { socket, sequence: 0 })
    }

    /// Lays a pair of virtual interfaces: the one called `name` has the address `mac`, `peer` is its other end.
    pub(super) fn add_pair(&mut self, name: &str, mac: MacAddr, peer: &str, mtu: u16) -> io::Result<()> {
        let ends = |message: &mut Message, name: &str| {
            message.text(IFLA_IFNAME, name);
            message.attribute(IFLA_MTU, &u32::from(mtu).to_ne_bytes());
        };
        let mut message = Message::new(RTM_NEWLINK, CREATE_AND_NO_OTHER);
        message.bytes(&link(0, 0));
        ends(&mut message, name);
        message.attribute(IFLA_ADDRESS, &mac.0);
        message.nested(IFLA_LINKINFO, |message| {
            message.text(IFLA_INFO_KIND, "veth");
            message.nested(IFLA_INFO_DATA, |message| {
                message.nested(VETH_INFO_PEER, |message| {
                    message.bytes(&link(0, 0));
                    ends(message, peer);
                });
            });
        });
        self.ask(message).map(drop)
    }

    /// The interface makes itself no address of IPv6, and so says nothing by itself. A system without IPv6 refuses, and
    /// needs it not.
    pub(super) fn keep_quiet(&mut self, index: u32) -> io::Result<()> {
        let mut message = Message::new(RTM_SETLINK, 0);
        message.bytes(&link(index, 0));
        message.nested(IFLA_AF_SPEC, |message| {
            message.nested(AF_INET6, |message| {
                message.attribute(IFLA_INET6_ADDR_GEN_MODE, &[IN6_ADDR_GEN_MODE_NONE]);
            });
        });
        self.ask(message).map(drop)
    }

    /// Switches an interface on.
    pub(super) fn up(&mut self, index: u32) -> io::Result<()> {
        let mut message = Message::new(RTM_SETLINK, 0);
        message.bytes(&link(index, IFF_UP));
        self.ask(message).map(drop)
    }

    /// Gives an interface an address of IPv4.
    pub(super) fn add_address(&mut self, index: u32, address: Cidr) -> io::Result<()> {
        let std::net::IpAddr::V4(ip) = address.address() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an address of IPv4 is needed"));
        };
        let mut message = Message::new(RTM_NEWADDR, CREATE_AND_NO_OTHER);
        message.bytes(&[AF_INET, address.prefix().bits(), 0, 0]);
        message.bytes(&index.to_ne_bytes());
        message.attribute(IFA_LOCAL, &ip.octets());
        self.ask(message).map(drop)
    }

    /// Sends a message and gives what comes before its acknowledgment.
    fn ask(&mut self, mut message: Message) -> io::Result<Vec<u8>> {
        self.sequence += 1;
        let len = u32::try_from(message.0.len()).expect("a message of some hundred bytes");
        message.0[..4].copy_from_slice(&len.to_ne_bytes());
        message.0[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
        send(&self.socket, &message.0, SendFlags::empty())?;
        let (mut answer, mut room) = (Vec::new(), vec![0; 16 << 10]);
        loop {
            let got = rustix::io::read(&self.socket, &mut room)?;
            let mut rest = &room[..got];
            while let Some((kind, body, after)) = first_message(rest) {
                rest = after;
                match kind {
                    NLMSG_ERROR => {
                        let code = body.first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                        return if code == 0 { Ok(answer) } else { Err(io::Error::from_raw_os_error(-code)) };
                    }
                    _ => answer.extend_from_slice(body),
                }
            }
        }
    }
}

/// Leaves nothing to an interface that a network card would do: large blocks that it cuts, checksums that it fills in.
/// What needs checksums needs them in software then, so the one switch turns the others off as well.
pub(super) fn do_all_in_software(index: u32) -> io::Result<()> {
    let mut netlink = Netlink::open(Some(netlink::GENERIC))?;
    let mut message = Message::generic(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
    message.text(CTRL_ATTR_FAMILY_NAME, "ethtool");
    let answer = netlink.ask(message)?;
    // The header of generic netlink has four bytes.
    let family = attributes(answer.get(4..).unwrap_or_default())
        .find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID)
        .and_then(|(_, value)| value.first_chunk().map(|id| u16::from_ne_bytes(*id)))
        .ok_or_else(|| io::Error::other("the kernel does not know ethtool's messages (Linux 5.6)"))?;
    let mut message = Message::generic(family, ETHTOOL_MSG_FEATURES_SET);
    message.nested(ETHTOOL_A_FEATURES_HEADER, |message| {
        message.attribute(ETHTOOL_A_HEADER_DEV_INDEX, &index.to_ne_bytes());
    });
    // A bit that is named without a value is switched off.
    message.nested(ETHTOOL_A_FEATURES_WANTED, |message| {
        message.nested(ETHTOOL_A_BITSET_BITS, |message| {
            for feature in ["tx-checksum-ip-generic", "tx-generic-segmentation", "tx-tcp-segmentation"] {
                message.nested(ETHTOOL_A_BITSET_BITS_BIT, |message| {
                    message.text(ETHTOOL_A_BITSET_BIT_NAME, feature);
                });
            }
        });
    });
    netlink.ask(message).map(drop)
}

/// `struct ifinfomsg`: family, type, index, flags, and which flags are to change.
fn link(index: u32, flags: u32) -> Vec<u8> {
    [0, index, flags, flags].iter().flat_map(|word: &u32| word.to_ne_bytes()).collect()
}

/// A message in the making: `struct nlmsghdr`, whose length and sequence number are filled in last, and what follows.
#[derive(Debug)]
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; 16];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(REQUEST_AND_ACK | flags).to_ne_bytes());
        Message(bytes)
    }

    /// A message of a family of generic netlink: a command, and a version.
    fn generic(family: u16, command: u8) -> Self {
        let mut message = Message::new(family, 0);
        message.bytes(&[command, 1, 0, 0]);
        message
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.with(kind, |message| message.0.extend_from_slice(value));
    }

    /// A text ends with a zero byte, as in C.
    fn text(&mut self, kind: u16, text: &str) {
        self.with(kind, |message| message.0.extend(text.bytes().chain([0])));
    }

    fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        self.with(kind | NESTED, fill);
    }

    fn with(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.0.extend([0; 2].into_iter().chain(kind.to_ne_bytes()));
        fill(self);
        let len = u16::try_from(self.0.len() - start).expect("an attribute of some hundred bytes");
        self.0[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

/// The type and the body of the first message, and what follows it.
fn first_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = u32::from_ne_bytes(*bytes.first_chunk()?) as usize;
    let kind = u16::from_ne_bytes([*bytes.get(4)?, *bytes.get(5)?]);
    let body = bytes.get(16..len)?;
    Some((kind, body, bytes.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

/// The types and the values of attributes.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        let kind = u16::from_ne_bytes([*bytes.get(2)?, *bytes.get(3)?]);
        let value = bytes.get(4..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !NESTED, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_out_as_they_went_in() {
        let mut message = Message::new(RTM_NEWLINK, 0);
        message.text(IFLA_IFNAME, "kernel");
        message.nested(IFLA_LINKINFO, |message| message.attribute(IFLA_MTU, &[1, 2]));
        assert_eq!(message.0.len() % 4, 0);
        let read: Vec<_> = attributes(&message.0[16..]).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0], (IFLA_IFNAME, &b"kernel\0"[..]));
        let inner: Vec<_> = attributes(read[1].1).collect();
        assert_eq!((read[1].0, inner), (IFLA_LINKINFO, vec![(IFLA_MTU, &[1, 2][..])]));
    }

    #[test]
    fn an_answer_that_is_cut_short_has_nothing_in_it() {
        let whole = [20_u32.to_ne_bytes(), [2, 0, 0, 0], [0; 4], [0; 4], (-1_i32).to_ne_bytes()].concat();
        assert!(first_message(&whole).is_some_and(|(_, body, after)| body.len() == 4 && after.is_empty()));
        for len in 0..whole.len() {
            assert_eq!(first_message(&whole[..len]), None, "{len} bytes");
        }
    }
}

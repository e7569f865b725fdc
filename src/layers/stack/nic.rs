//! The interfaces of a host, and the addresses they have (RFC 1122 §3.3.4).
//!
//! An interface may have several addresses, each with the prefix of its link. One without any is *unnumbered*, as on a
//! line between two routers: it borrows the host's first address (RFC 1812 §2.2.7).
//!
//! The host is a "weak" one (RFC 1122 §3.3.4.2): a packet for any of its addresses is taken on every interface. What
//! it sends on its own account has an address of the interface that it leaves by, so that answers find the same way
//! back.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use super::ip::Ip;
use crate::layers::internet::prefix::{Cidr, Prefix};
use crate::layers::internet::route::{Hop, NextHop, Route};
use crate::layers::link::arp_cache::ArpCache;
use crate::layers::link::ethernet::MacAddr;

/// One interface of a host.
#[derive(Debug)]
pub(super) struct Nic {
    pub(super) mac: MacAddr,
    pub(super) mtu: u16,
    pub(super) addresses: Vec<Cidr>,
    /// The addresses that mean all hosts of one of its subnets (RFC 1122 §3.3.6): asked for with every packet.
    broadcasts: Vec<Ipv4Addr>,
    /// Bytes that wait on the link, as it last said.
    pub(super) backlog: usize,
    /// Bytes in frames that wait to be polled.
    pub(super) unpolled: usize,
    /// The neighbours' hardware addresses; packets wait here for an answer, as the cache's own limit allows.
    pub(super) arp: ArpCache<Bytes>,
}

/// How a host's own packets leave towards a destination.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// The address they are from.
    pub(super) source: IpAddr,
    /// The interface they leave by.
    pub(super) interface: usize,
    /// The largest packet that can leave in one piece.
    pub(super) mtu: u16,
}

impl Nic {
    fn new(mac: MacAddr, mtu: u16) -> Self {
        Nic {
            mac,
            mtu,
            addresses: Vec::new(),
            broadcasts: Vec::new(),
            backlog: 0,
            unpolled: 0,
            arp: ArpCache::default(),
        }
    }

    /// Its address in the subnet of `neighbour`; where it has none there, its first one.
    fn address_near(&self, neighbour: IpAddr) -> Option<IpAddr> {
        let mut family = self.addresses.iter().filter(|own| own.address().is_ipv4() == neighbour.is_ipv4());
        let first = family.clone().next();
        family.find(|own| own.prefix().contains(neighbour)).or(first).map(|own| own.address())
    }

    /// True for the address that means all hosts of one of its subnets (RFC 1122 §3.3.6).
    pub(super) fn is_subnet_broadcast(&self, address: Ipv4Addr) -> bool {
        self.broadcasts.contains(&address)
    }
}

impl Ip {
    pub(super) fn add_interface(&mut self, mac: MacAddr, mtu: u16) -> usize {
        let number = self.nics.len();
        if number == 0 {
            // Most hosts have one.
            self.nics.reserve_exact(1);
        }
        self.nics.push(Nic::new(mac, mtu));
        // The limited broadcast has no interface of its own (RFC 1122 §3.3.6): the first one serves.
        if number == 0 {
            self.add_route(Prefix::host(Ipv4Addr::BROADCAST.into()), number, None);
        }
        number
    }

    /// Gives an interface one more address. All others of its prefix are on the link.
    pub(super) fn add_address(&mut self, interface: usize, address: Cidr) {
        self.nics[interface].addresses.push(address);
        if let Some(IpAddr::V4(broadcast)) = address.prefix().broadcast() {
            self.nics[interface].broadcasts.push(broadcast);
        }
        if let Err(place) = self.own.binary_search(&address.address()) {
            self.own.insert(place, address.address());
        }
        if address.prefix() != Prefix::host(address.address()) {
            self.add_route(address.prefix(), interface, None);
        }
    }

    pub(super) fn add_route(&mut self, prefix: Prefix, interface: usize, via: Option<IpAddr>) {
        let next_hop = via.map_or(NextHop::OnLink, NextHop::Via);
        self.routes.add(Route { prefix, next_hop, interface });
    }

    /// All addresses of the host, interface by interface.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Cidr> {
        self.nics.iter().flat_map(|nic| nic.addresses.iter().copied())
    }

    /// The first address of the family of `like`: the host's name where any of its addresses would do.
    pub(super) fn first_address(&self, like: IpAddr) -> Option<IpAddr> {
        self.addresses().map(Cidr::address).find(|own| own.is_ipv4() == like.is_ipv4())
    }

    /// Whether an address is one of the host's.
    pub(super) fn is_own(&self, address: impl Into<IpAddr>) -> bool {
        let address = address.into();
        match &self.own[..] {
            // Nearly every host has one or two, and is asked for each packet.
            few if few.len() <= 4 => few.contains(&address),
            many => many.binary_search(&address).is_ok(),
        }
    }

    /// Whether a packet that came by `interface` is for all hosts there.
    pub(super) fn is_broadcast(&self, interface: usize, address: Ipv4Addr) -> bool {
        address.is_broadcast() || self.nics[interface].is_subnet_broadcast(address)
    }

    /// The interface that packets for `to` leave by, those of other hosts too.
    pub(super) fn hop(&self, to: IpAddr) -> Option<Hop> {
        self.routes.lookup(to)
    }

    /// How the host's own packets leave towards `to`, and which address they are from (RFC 1122 §3.3.4.3). There is no
    /// path to the host itself, for there is no loopback here; and none over IPv6 yet.
    pub(super) fn path(&self, to: IpAddr) -> Option<Path> {
        if self.is_own(to) || !to.is_ipv4() {
            return None;
        }
        let Hop { neighbour, interface } = self.hop(to)?;
        let source = self.address_towards(interface, neighbour)?;
        Some(Path { source, interface, mtu: self.nics[interface].mtu })
    }

    /// The address under which `neighbour`, on the link of `interface`, knows this host.
    pub(super) fn address_towards(&self, interface: usize, neighbour: IpAddr) -> Option<IpAddr> {
        self.nics[interface].address_near(neighbour).or_else(|| self.first_address(neighbour))
    }

    /// The addresses under which the neighbours on the link of `interface` know this host.
    pub(super) fn addresses_on(&self, interface: usize) -> impl Iterator<Item = IpAddr> {
        let own = &self.nics[interface].addresses;
        let borrowed = self.addresses().next().filter(|_| own.is_empty());
        own.iter().copied().chain(borrowed).map(Cidr::address)
    }

    /// Whether a question for `address` that came by `interface` is about this host.
    pub(super) fn answers_for(&self, interface: usize, address: Ipv4Addr) -> bool {
        let asked = IpAddr::from(address);
        let nic = &self.nics[interface];
        match nic.address_near(asked) {
            Some(_) => nic.addresses.iter().any(|own| own.address() == asked),
            None => self.first_address(asked) == Some(asked),
        }
    }

    /// Bytes that wait to leave by an interface, wherever they wait.
    pub(super) fn waiting(&self, interface: usize) -> usize {
        self.nics[interface].backlog + self.nics[interface].unpolled
    }
}

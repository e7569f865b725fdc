//! Routes: to which neighbour a packet goes next (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3, RFC 4632).
//!
//! Of all routes whose prefix holds the destination, the one with the longest prefix wins: the most particular
//! knowledge. A host's table is two lines long (its own link, and a gateway for all else). Left out: metrics, redirects,
//! and every way of *learning* routes (RIP, OSPF, BGP): tables here are written by hand.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::base::{Errors, Layer, ParseError};

/// A block of addresses that begin with the same bits, written `10.1.0.0/16` (RFC 4632 §3.1).
///
/// The bits behind the prefix are always zero, so that equal blocks are equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: Ipv4Addr,
    len: u8,
}

impl Prefix {
    /// All addresses: the prefix of a default route.
    pub const ALL: Prefix = Prefix { address: Ipv4Addr::UNSPECIFIED, len: 0 };

    /// The block of `len` bits (at most 32; more count as 32) in which `address` lies.
    pub const fn new(address: Ipv4Addr, len: u8) -> Self {
        let len = if len > 32 { 32 } else { len };
        Prefix { address: Ipv4Addr::from_bits(address.to_bits() & mask(len)), len }
    }

    /// The block with this one address.
    pub const fn host(address: Ipv4Addr) -> Self {
        Prefix { address, len: 32 }
    }

    /// The first address, whose bits behind the prefix are all zero.
    pub const fn network(self) -> Ipv4Addr {
        self.address
    }

    /// How many bits all addresses have in common.
    pub const fn bits(self) -> u8 {
        self.len
    }

    /// The common bits as a mask, such as 255.255.255.0.
    pub const fn netmask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(mask(self.len))
    }

    /// True when `address` is in the block.
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.len) == self.address.to_bits()
    }

    /// The address that means all hosts of the block: the last one. Blocks of one or two addresses have none
    /// (RFC 3021 §2.1).
    pub const fn broadcast(self) -> Option<Ipv4Addr> {
        if self.len >= 31 {
            return None;
        }
        Some(Ipv4Addr::from_bits(self.address.to_bits() | !mask(self.len)))
    }
}

/// The first `len` bits set.
const fn mask(len: u8) -> u32 {
    match u32::MAX.checked_shl(32 - len as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.address, self.len))
    }
}

/// Read as written, `10.1.0.0/16`. Bits behind the prefix must be zero: `10.1.0.7/16` is refused as a likely slip.
impl FromStr for Prefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let errors = Errors::of(Layer::Internet, "IPv4");
        let wrong = |field, offset, expected: String, got: &str| {
            errors.misuse(field, offset, expected, format!("'{got}'"))
        };
        let (address, len) = text
            .split_once('/')
            .ok_or_else(|| wrong("prefix", 0, "an address and a length, such as 10.1.0.0/16".into(), text))?;
        let behind = address.len() + 1;
        let ip: Ipv4Addr =
            address.parse().map_err(|_| wrong("address", 0, "four numbers from 0 to 255".into(), address))?;
        // `parse` alone would take "+8".
        let bits =
            Some(len).filter(|len| len.bytes().all(|b| b.is_ascii_digit())).and_then(|len| len.parse().ok());
        let bits = bits
            .filter(|bits| *bits <= 32)
            .ok_or_else(|| wrong("prefix length", behind, "a number from 0 to 32".into(), len))?;
        let prefix = Prefix::new(ip, bits);
        if prefix.address != ip {
            let expected = format!("{}, with no bits set behind the prefix", prefix.address);
            return Err(wrong("address", 0, expected, address));
        }
        Ok(prefix)
    }
}

/// Where a packet goes from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// To the destination itself, which is on the link.
    OnLink,
    /// To this router on the link, which will pass it on.
    Via(Ipv4Addr),
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// For which destinations.
    pub prefix: Prefix,
    /// Where to.
    pub next_hop: NextHop,
    /// Through which of the host's interfaces, by its index.
    pub interface: usize,
}

/// The answer to a look-up: whose Ethernet address to ask for, and on which link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The neighbour's address: the gateway's, or the destination itself.
    pub neighbour: Ipv4Addr,
    /// The index of the interface.
    pub interface: usize,
}

/// A routing table.
///
/// A plain list, the longest prefix first, so that the first match is the best: for the few lines of a table written by
/// hand nothing is faster, and it reads as the rule does. Routers with a million lines use a trie.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
}

impl RouteTable {
    /// An empty table: nothing can be reached.
    pub fn new() -> Self {
        RouteTable::default()
    }

    /// Adds a route. One for the same prefix is replaced, so the table is never longer than the prefixes it was given.
    pub fn add(&mut self, route: Route) {
        self.remove(route.prefix);
        let at = self.routes.partition_point(|r| r.prefix.bits() >= route.prefix.bits());
        self.routes.insert(at, route);
    }

    /// Takes out the route for exactly this prefix.
    pub fn remove(&mut self, prefix: Prefix) -> Option<Route> {
        let at = self.routes.iter().position(|r| r.prefix == prefix)?;
        Some(self.routes.remove(at))
    }

    /// Where a packet for `destination` goes next; `None` when no route leads there (ICMP: net unreachable).
    pub fn lookup(&self, destination: Ipv4Addr) -> Option<Hop> {
        let route = self.routes.iter().find(|r| r.prefix.contains(destination))?;
        let neighbour = match route.next_hop {
            NextHop::OnLink => destination,
            NextHop::Via(router) => router,
        };
        Some(Hop { neighbour, interface: route.interface })
    }

    /// All routes, the longest prefix first.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_wins_whatever_the_order_of_adding() {
        let mut table = RouteTable::new();
        let gateway = Ipv4Addr::new(10, 0, 0, 254);
        table.add(Route { prefix: Prefix::ALL, next_hop: NextHop::Via(gateway), interface: 0 });
        table.add(Route { prefix: prefix("10.0.0.0/24"), next_hop: NextHop::OnLink, interface: 0 });
        table.add(Route { prefix: prefix("10.0.0.0/8"), next_hop: NextHop::OnLink, interface: 1 });
        table.add(Route { prefix: prefix("10.0.0.9/32"), next_hop: NextHop::OnLink, interface: 2 });
        let to = |a, b, c, d| {
            let hop = table.lookup(Ipv4Addr::new(a, b, c, d)).unwrap();
            (hop.neighbour, hop.interface)
        };
        assert_eq!(to(10, 0, 0, 9), (Ipv4Addr::new(10, 0, 0, 9), 2));
        assert_eq!(to(10, 0, 0, 8), (Ipv4Addr::new(10, 0, 0, 8), 0));
        assert_eq!(to(10, 9, 0, 8), (Ipv4Addr::new(10, 9, 0, 8), 1));
        assert_eq!(to(192, 0, 2, 1), (gateway, 0));
        assert_eq!(table.remove(Prefix::ALL).map(|r| r.interface), Some(0));
        assert_eq!(table.lookup(Ipv4Addr::new(192, 0, 2, 1)), None);
    }

    #[test]
    fn a_route_for_the_same_prefix_takes_the_place_of_the_old_one() {
        let mut table = RouteTable::new();
        for interface in 0..5 {
            table.add(Route { prefix: Prefix::ALL, next_hop: NextHop::OnLink, interface });
        }
        assert_eq!(table.routes().len(), 1);
        assert_eq!(table.lookup(Ipv4Addr::LOCALHOST).unwrap().interface, 4);
    }

    #[test]
    fn a_prefix_knows_its_edges() {
        let block = prefix("192.168.4.0/22");
        assert_eq!(block.netmask(), Ipv4Addr::new(255, 255, 252, 0));
        assert_eq!(block.broadcast(), Some(Ipv4Addr::new(192, 168, 7, 255)));
        assert!(
            block.contains(Ipv4Addr::new(192, 168, 7, 1)) && !block.contains(Ipv4Addr::new(192, 168, 8, 0))
        );
        assert_eq!(Prefix::ALL.netmask(), Ipv4Addr::UNSPECIFIED);
        assert_eq!(prefix("10.0.0.0/31").broadcast(), None);
    }

    #[test]
    fn slips_in_writing_are_told() {
        let field = |text: &str| text.parse::<Prefix>().map_err(|e| (e.field, e.offset));
        assert_eq!(field("10.0.0.0"), Err(("prefix", 0)));
        assert_eq!(field("10.0.0/8"), Err(("address", 0)));
        assert_eq!(field("10.0.0.0/33"), Err(("prefix length", 9)));
        assert_eq!(field("10.0.0.0/+8"), Err(("prefix length", 9)));
        assert_eq!(field("10.0.0.0/"), Err(("prefix length", 9)));
        let slip = "10.1.0.7/16".parse::<Prefix>().unwrap_err();
        assert!(slip.to_string().contains("expected 10.1.0.0"), "{slip}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_written_prefix_is_read_back(address: [u8; 4], len in 0u8..=32) {
            let block = Prefix::new(address.into(), len);
            prop_assert!(block.contains(address.into()));
            prop_assert_eq!(block.to_string().parse::<Prefix>().unwrap(), block);
        }

        #[test]
        fn the_table_agrees_with_the_rule(blocks in proptest::collection::vec((any::<[u8; 4]>(), 0u8..=32), 0..12), to: [u8; 4]) {
            let mut table = RouteTable::new();
            for (interface, (address, len)) in blocks.iter().enumerate() {
                table.add(Route { prefix: Prefix::new((*address).into(), *len), next_hop: NextHop::OnLink, interface });
            }
            let best = blocks.iter().map(|(a, len)| Prefix::new((*a).into(), *len))
                .filter(|p| p.contains(to.into())).map(Prefix::bits).max();
            let found = table.lookup(to.into()).map(|hop| blocks[hop.interface].1);
            prop_assert_eq!(found, best);
        }
    }
}

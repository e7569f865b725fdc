//! Routes: to which neighbour a packet goes next (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3, RFC 4632).
//!
//! Of all routes whose prefix holds the destination, the one with the longest prefix wins: the most particular
//! knowledge. A host's table is two lines long (its own link, and a gateway for all else). Left out: metrics,
//! redirects, and every way of *learning* routes (RIP, OSPF, BGP): tables here are written by hand.

use std::net::IpAddr;

use super::prefix::Prefix;

/// Where a packet goes from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// To the destination itself, which is on the link.
    OnLink,
    /// To this router on the link, which will pass it on.
    Via(IpAddr),
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// The destinations that it is for.
    pub prefix: Prefix,
    /// The neighbour to forward to, or the link itself.
    pub next_hop: NextHop,
    /// Through which of the host's interfaces, by its index.
    pub interface: usize,
}

/// The answer to a look-up: the address to ask ARP for, and the link to send on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The neighbour's address: the gateway's, or the destination itself.
    pub neighbour: IpAddr,
    /// The index of the interface.
    pub interface: usize,
}

/// A routing table.
///
/// A look-up asks for the destination's own block of each length that the table has, the longest first: the first one
/// found is the best. Tables of students' networks have two or three lengths, and a router's may have many lines of
/// each. Routers with a million lines use a trie.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// The longest prefixes first; none is empty.
    lengths: Vec<OfLength>,
}

/// The routes whose prefixes have a length in common, sorted by prefix.
#[derive(Debug, Clone)]
struct OfLength {
    bits: u8,
    routes: Vec<Route>,
}

impl OfLength {
    fn find(&self, prefix: Prefix) -> Result<usize, usize> {
        self.routes.binary_search_by(|route| route.prefix.cmp(&prefix))
    }
}

impl RouteTable {
    /// An empty table: nothing can be reached.
    pub fn new() -> Self {
        RouteTable::default()
    }

    fn length(&self, bits: u8) -> Result<usize, usize> {
        self.lengths.binary_search_by(|length| bits.cmp(&length.bits))
    }

    /// Adds a route. One for the same prefix is replaced, so the table is never longer than the prefixes it was given.
    pub fn add(&mut self, route: Route) {
        let bits = route.prefix.bits();
        let at = self.length(bits).unwrap_or_else(|at| {
            // A host's default route stays the only one of its length.
            self.lengths.insert(at, OfLength { bits, routes: Vec::with_capacity(1) });
            at
        });
        let length = &mut self.lengths[at];
        match length.find(route.prefix) {
            Ok(at) => length.routes[at] = route,
            Err(at) => length.routes.insert(at, route),
        }
    }

    /// Takes out the route for exactly this prefix.
    pub fn remove(&mut self, prefix: Prefix) -> Option<Route> {
        let at = self.length(prefix.bits()).ok()?;
        let length = &mut self.lengths[at];
        let route = length.routes.remove(length.find(prefix).ok()?);
        if length.routes.is_empty() {
            self.lengths.remove(at);
        }
        Some(route)
    }

    /// The route for exactly this prefix.
    pub fn get(&self, prefix: Prefix) -> Option<&Route> {
        let length = &self.lengths[self.length(prefix.bits()).ok()?];
        Some(&length.routes[length.find(prefix).ok()?])
    }

    /// Where a packet for `destination` goes next; `None` when no route leads there (ICMP: net unreachable).
    pub fn lookup(&self, destination: IpAddr) -> Option<Hop> {
        let route = self.lengths.iter().find_map(|length| match &length.routes[..] {
            // As in the table of a host: no block has to be made to be looked for.
            few if few.len() <= 4 => few.iter().find(|route| route.prefix.contains(destination)),
            routes => Some(&routes[length.find(Prefix::new(destination, length.bits)).ok()?]),
        })?;
        let neighbour = match route.next_hop {
            NextHop::OnLink => destination,
            NextHop::Via(router) => router,
        };
        Some(Hop { neighbour, interface: route.interface })
    }

    /// All routes, the longest prefix first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.lengths.iter().flat_map(|length| &length.routes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prefix::v4;
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_wins_whatever_the_order_of_adding() {
        let mut table = RouteTable::new();
        let gateway = v4(10, 0, 0, 254);
        table.add(Route { prefix: Prefix::ALL, next_hop: NextHop::Via(gateway), interface: 0 });
        table.add(Route { prefix: prefix("10.0.0.0/24"), next_hop: NextHop::OnLink, interface: 0 });
        table.add(Route { prefix: prefix("10.0.0.0/8"), next_hop: NextHop::OnLink, interface: 1 });
        table.add(Route { prefix: prefix("10.0.0.9/32"), next_hop: NextHop::OnLink, interface: 2 });
        let to = |a, b, c, d| {
            let hop = table.lookup(v4(a, b, c, d)).unwrap();
            (hop.neighbour, hop.interface)
        };
        assert_eq!(to(10, 0, 0, 9), (v4(10, 0, 0, 9), 2));
        assert_eq!(to(10, 0, 0, 8), (v4(10, 0, 0, 8), 0));
        assert_eq!(to(10, 9, 0, 8), (v4(10, 9, 0, 8), 1));
        assert_eq!(to(192, 0, 2, 1), (gateway, 0));
        assert_eq!(table.remove(Prefix::ALL).map(|r| r.interface), Some(0));
        assert_eq!(table.lookup(v4(192, 0, 2, 1)), None);
    }

    #[test]
    fn both_families_share_a_table_and_no_route() {
        let mut table = RouteTable::new();
        let (near, far): (IpAddr, IpAddr) =
            ("2001:db8::7".parse().unwrap(), "2001:db8:1::7".parse().unwrap());
        table.add(Route { prefix: prefix("2001:db8::/64"), next_hop: NextHop::OnLink, interface: 1 });
        assert_eq!(table.lookup(near), Some(Hop { neighbour: near, interface: 1 }));
        assert_eq!(table.lookup(far), None);
        table.add(Route { prefix: Prefix::ALL, next_hop: NextHop::OnLink, interface: 2 });
        assert_eq!(table.lookup(far), None, "the default route of IPv4");
        table.add(Route { prefix: prefix("::/0"), next_hop: NextHop::Via(near), interface: 3 });
        assert_eq!(table.lookup(far), Some(Hop { neighbour: near, interface: 3 }));
        assert_eq!(table.lookup(v4(192, 0, 2, 1)).unwrap().interface, 2);
    }

    #[test]
    fn a_route_for_the_same_prefix_takes_the_place_of_the_old_one() {
        let mut table = RouteTable::new();
        for interface in 0..5 {
            table.add(Route { prefix: Prefix::ALL, next_hop: NextHop::OnLink, interface });
        }
        assert_eq!(table.routes().count(), 1);
        assert_eq!(table.lookup(v4(127, 0, 0, 1)).unwrap().interface, 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

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

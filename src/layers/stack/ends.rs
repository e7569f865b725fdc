//! Which connection of a host a segment is for: an index of both ends.

use std::net::{IpAddr, SocketAddr};

use super::tcp::TcpKey;
use crate::layers::transport::tcp::Connection;

/// Most of what identifies one of a host's connections, in one number: both ports and the remote address, that of IPv6
/// folded. Connections that have it in common are rare, and their own ends tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends(u64);

impl Ends {
    pub(super) fn new(local: SocketAddr, remote: SocketAddr) -> Self {
        let address = match remote.ip() {
            IpAddr::V4(ip) => ip.to_bits(),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                let half = (bits ^ bits >> 64) as u64;
                (half ^ half >> 32) as u32
            }
        };
        let ports = u32::from(local.port()) << 16 | u32::from(remote.port());
        Ends(u64::from(ports) << 32 | u64::from(address))
    }

    pub(super) fn of(connection: &Connection) -> Self {
        Ends::new(connection.local(), connection.remote())
    }
}

/// Keys by ends: a table of places, of which a key has the first free one from that on which its ends give.
///
/// A `HashMap` would do the same in an order that differs from run to run, and a tree takes ten steps where a table of
/// a thousand takes one or two: this is asked for every segment.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two, at most half of them taken; or none.
    places: Vec<Option<(Ends, TcpKey)>>,
    taken: usize,
}

impl Index {
    /// The place where the search for these ends begins: the upper bits of a product, which depend on all bits of both
    /// ends (Fibonacci hashing; Knuth, volume 3, section 6.4). There must be places.
    fn first_place(&self, ends: Ends) -> usize {
        let product = (ends.0 ^ ends.0 >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (product >> (u64::BITS - self.places.len().trailing_zeros())) as usize
    }

    /// The keys with these ends.
    pub(super) fn alike(&self, ends: Ends) -> impl Iterator<Item = TcpKey> {
        let first = if self.places.is_empty() { 0 } else { self.first_place(ends) };
        let (before, behind) = self.places.split_at(first);
        let searched = behind.iter().chain(before).map_while(|place| *place);
        searched.filter(move |(its, _)| *its == ends).map(|(_, key)| key)
    }

    pub(super) fn insert(&mut self, ends: Ends, key: TcpKey) {
        if (self.taken + 1) * 2 > self.places.len() {
            let places = vec![None; (self.places.len() * 2).max(4)];
            let old = std::mem::replace(&mut self.places, places);
            old.into_iter().flatten().for_each(|(ends, key)| self.put((ends, key)));
        }
        self.put((ends, key));
        self.taken += 1;
    }

    fn put(&mut self, entry: (Ends, TcpKey)) {
        let mut place = self.first_place(entry.0);
        while self.places[place].is_some() {
            place = (place + 1) % self.places.len();
        }
        self.places[place] = Some(entry);
    }

    pub(super) fn remove(&mut self, ends: Ends, key: TcpKey) {
        if self.places.is_empty() {
            return;
        }
        let mut place = self.first_place(ends);
        while self.places[place] != Some((ends, key)) {
            if self.places[place].is_none() {
                return;
            }
            place = (place + 1) % self.places.len();
        }
        self.places[place] = None;
        self.taken -= 1;
        // Those behind it may have found its place taken: each looks for its own once more.
        loop {
            place = (place + 1) % self.places.len();
            let Some(entry) = self.places[place].take() else { return };
            self.put(entry);
        }
    }

    /// All keys, in the order of their ends.
    pub(super) fn keys(&self) -> Vec<TcpKey> {
        let mut entries: Vec<_> = self.places.iter().flatten().copied().collect();
        entries.sort_unstable();
        entries.into_iter().map(|(_, key)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use slotmap::SlotMap;
    use std::collections::BTreeSet;

    #[test]
    fn each_half_of_a_connection_counts() {
        let end = |text: &str| text.parse::<SocketAddr>().unwrap();
        let ends = |local, remote| Ends::new(end(local), end(remote));
        let one = ends("10.0.0.1:80", "10.0.0.2:5000");
        assert_eq!(one, ends("10.0.0.9:80", "10.0.0.2:5000"), "told apart by the connections themselves");
        for other in [
            ends("10.0.0.1:81", "10.0.0.2:5000"),
            ends("10.0.0.1:80", "10.0.0.2:5001"),
            ends("10.0.0.1:80", "10.0.0.3:5000"),
            ends("[2001:db8::1]:80", "[2001:db8::2]:5000"),
        ] {
            assert_ne!(one, other);
        }
    }

    proptest! {
        #[test]
        fn it_holds_what_a_set_holds(steps in prop::collection::vec((0u64..40, any::<bool>()), 1..400)) {
            let (mut index, mut set) = (Index::default(), BTreeSet::new());
            let mut slots = SlotMap::<TcpKey, ()>::with_key();
            for (number, add) in steps {
                // Few different ends, many of them with a place in common.
                let ends = Ends((number / 4) << 60);
                let same: Vec<TcpKey> =
                    set.iter().filter(|(its, _)| *its == ends).map(|(_, key)| *key).collect();
                if add {
                    let key = slots.insert(());
                    index.insert(ends, key);
                    set.insert((ends, key));
                } else if let Some(key) = same.get(number as usize % same.len().max(1)) {
                    index.remove(ends, *key);
                    set.remove(&(ends, *key));
                }
                let mut found: Vec<TcpKey> = index.alike(ends).collect();
                found.sort_unstable();
                let expected: Vec<TcpKey> =
                    set.iter().filter(|(its, _)| *its == ends).map(|(_, key)| *key).collect();
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!(index.keys(), set.into_iter().map(|(_, key)| key).collect::<Vec<_>>());
        }
    }
}

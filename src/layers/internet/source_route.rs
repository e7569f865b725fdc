//! Loose source routes: a sender names routers that its packet is to pass (RFC 791 §3.1, RFC 1122 §3.2.1.8 (c)).
//!
//! ```text
//! +--------+--------+--------+---------+---------+---
//! |10000011| length | pointer| address | address | ...
//! +--------+--------+--------+---------+---------+---
//! ```
//!
//! The packet is always on its way to the destination in its header. Who is reached there swaps it for the address at
//! the pointer, leaves its own in that place, and moves the pointer on: so the list of routers to come becomes, as the
//! packet goes, the list of those that it passed. It has arrived when the pointer is past the list, and the answer
//! takes the same way back. Routers and firewalls drop such packets on today's Internet, for a route that a stranger
//! chose goes round what guards a network (RFC 7126 §4.3); on a network of one's own they show how a path is made.

use std::net::Ipv4Addr;

use super::ipv4::Ipv4Header;
use super::options::Options;

/// The kind of a loose source route: copied to every fragment, class 0, number 3.
const LOOSE: u8 = 131;
/// Bytes before the addresses.
const FIXED: usize = 3;
/// The pointer counts from the kind, which is 1: the first address is at 4.
const FIRST: usize = FIXED + 1;

/// The routers that a packet passes on its way, in order: none, or up to 9.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SourceRoute(Vec<Ipv4Addr>);

impl SourceRoute {
    /// More do not fit into a header.
    pub const MOST: usize = (Options::MAX_LEN - FIXED) / 4;

    /// Through these routers; `None` when there are more than [`MOST`](Self::MOST).
    pub fn through(routers: &[Ipv4Addr]) -> Option<SourceRoute> {
        (routers.len() <= Self::MOST).then(|| SourceRoute(routers.to_vec()))
    }

    /// The routers.
    pub fn routers(&self) -> &[Ipv4Addr] {
        &self.0
    }

    /// How many bytes of options it takes in a header.
    pub fn options_len(&self) -> usize {
        if self.0.is_empty() { 0 } else { (FIXED + 4 * self.0.len()).next_multiple_of(4) }
    }

    /// Sends a packet this way: its header gets the first router for its destination, and the option with the rest of
    /// the way and the host that is meant.
    pub fn direct(&self, header: Ipv4Header) -> Ipv4Header {
        let Some((first, rest)) = self.0.split_first() else { return header };
        let way = rest.iter().chain([&header.destination]);
        let mut option = vec![LOOSE, (FIXED + 4 * self.0.len()) as u8, FIRST as u8];
        option.extend(way.flat_map(Ipv4Addr::octets));
        let options = Options::new(&option).expect("at most 9 addresses fit, and the length is theirs");
        Ipv4Header { destination: *first, ..header }.with_options(options)
    }

    /// The way back that a packet's completed route gives (RFC 1122 §3.2.1.8 (c)): the routers it passed, the last one
    /// first. `None` for a packet that has no route, or has not passed it to the end.
    #[inline]
    pub fn back(header: &Ipv4Header) -> Option<SourceRoute> {
        let (at, way) = find(&header.options)?;
        if at < way.len() {
            return None;
        }
        let passed = way.chunks_exact(4).map(address).rev();
        // Some put themselves first, as if they were a router; a packet back has to end there, not pass.
        Some(SourceRoute(passed.filter(|router| *router != header.source).collect()))
    }
}

/// What the one whose address is a packet's destination makes of its source route: the header with which the packet
/// goes on to the next router named, in place of which `own` is recorded, the address by which it leaves. `None` when
/// it has arrived.
#[inline]
pub fn forward(header: &Ipv4Header, own: impl FnOnce(Ipv4Addr) -> Ipv4Addr) -> Option<Ipv4Header> {
    let (at, way) = find(&header.options)?;
    let next = way.get(at..at + 4).map(address)?;
    let start =
        header.options.iter().take_while(|option| option.kind != LOOSE).map(|option| option.bytes.len());
    let start: usize = start.sum();
    let mut bytes = header.options.as_bytes().to_vec();
    bytes[start + 2] += 4;
    bytes[start + FIXED + at..][..4].copy_from_slice(&own(next).octets());
    let options = Options::new(&bytes).ok()?;
    Some(Ipv4Header { destination: next, options, ..*header })
}

/// The host that a packet is meant for: the end of its source route, where it has one that goes on.
pub fn ultimate(header: &Ipv4Header) -> Ipv4Addr {
    let way = find(&header.options).filter(|(at, way)| *at < way.len());
    way.and_then(|(_, way)| way.rchunks_exact(4).next().map(address)).unwrap_or(header.destination)
}

/// Where in the list the pointer is, in bytes, and the list. `None` without a route, or with one that is damaged: a
/// pointer between two addresses.
#[inline]
fn find(options: &Options) -> Option<(usize, Vec<u8>)> {
    if options.is_empty() { None } else { find_among(options) }
}

fn find_among(options: &Options) -> Option<(usize, Vec<u8>)> {
    let option = options.iter().find(|option| option.kind == LOOSE)?;
    let (pointer, way) = (usize::from(*option.bytes.get(2)?), option.bytes.get(FIXED..)?);
    (pointer >= FIRST && pointer % 4 == 0 && way.len() % 4 == 0).then(|| (pointer - FIRST, way.to_vec()))
}

fn address(bytes: &[u8]) -> Ipv4Addr {
    bytes.try_into().map_or(Ipv4Addr::UNSPECIFIED, |bytes: [u8; 4]| bytes.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const G1: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
    const G2: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 1);
    const D: Ipv4Addr = Ipv4Addr::new(10, 0, 3, 1);

    fn packet() -> Ipv4Header {
        Ipv4Header::new(S, D, 6, 20)
    }

    #[test]
    fn the_first_router_is_the_destination_and_the_option_has_the_rest() {
        // RFC 1122 §3.2.1.8, case (A): {>>G2, D}, to G1.
        let sent = SourceRoute::through(&[G1, G2]).expect("two fit").direct(packet());
        assert_eq!((sent.source, sent.destination), (S, G1));
        assert_eq!(sent.options.as_bytes(), [131, 11, 4, 10, 0, 2, 1, 10, 0, 3, 1, 0]);
        assert_eq!(sent.total_len, 20 + 12 + 20);
        assert_eq!(ultimate(&sent), D);
        assert_eq!(SourceRoute::back(&sent), None, "it is under way");
    }

    #[test]
    fn each_router_leaves_its_own_address_and_the_way_back_is_the_same_reversed() {
        let sent = SourceRoute::through(&[G1, G2]).expect("two fit").direct(packet());
        let out1 = Ipv4Addr::new(10, 0, 1, 254);
        let at_g1 = forward(&sent, |next| if next == G2 { out1 } else { S }).expect("G2 is next");
        assert_eq!(at_g1.destination, G2);
        assert_eq!(at_g1.options.as_bytes(), [131, 11, 8, 10, 0, 1, 254, 10, 0, 3, 1, 0]);
        let at_g2 = forward(&at_g1, |_| G2).expect("D is next");
        assert_eq!(at_g2.destination, D);
        assert_eq!(forward(&at_g2, |_| D), None, "it has arrived");
        assert_eq!(ultimate(&at_g2), D);
        assert_eq!(SourceRoute::back(&at_g2), SourceRoute::through(&[G2, out1]));
    }

    #[test]
    fn a_sender_that_put_itself_first_is_not_passed_on_the_way_back() {
        // Case (B), which is wrong and has to be borne.
        let options = Options::new(&[131, 11, 12, 10, 0, 0, 1, 10, 0, 1, 1]).expect("an option");
        let arrived = packet().with_options(options);
        assert_eq!(SourceRoute::back(&arrived), SourceRoute::through(&[G1]));
    }

    #[test]
    fn nine_routers_fit_and_ten_do_not() {
        let sent = SourceRoute::through(&[G1; 9]).expect("nine fit").direct(packet());
        assert_eq!(sent.options.as_bytes().len(), 40);
        assert_eq!(SourceRoute::through(&[G1; 9]).map(|route| route.options_len()), Some(40));
        assert_eq!(SourceRoute::through(&[G1; 10]), None);
    }

    proptest! {
        #[test]
        fn any_options_are_borne(wire in proptest::collection::vec(any::<u8>(), 0..40), kind in 0..3) {
            let mut wire = wire;
            if kind == 0 && !wire.is_empty() {
                wire[0] = LOOSE;
            }
            if let Ok(options) = Options::new(&wire) {
                let header = packet().with_options(options);
                if let Some(next) = forward(&header, |_| G1) {
                    prop_assert!(SourceRoute::back(&header).is_none());
                    prop_assert_eq!(next.total_len, header.total_len);
                }
            }
        }
    }
}

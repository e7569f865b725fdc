//! Tests of cutting packets into fragments and joining them again.

use std::net::Ipv4Addr;

use bytes::Bytes;
use proptest::prelude::*;

use super::reassembler::{MAX_BYTES, MAX_DATAGRAMS, Refusal, TIMEOUT};
use super::*;
use crate::base::{Header, Instant, Layer, Reader};
use crate::layers::internet::ipv4::{Ecn, Ipv4Header, protocol};
use crate::layers::internet::options::Options;

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn packet(identification: u16, len: usize) -> (Ipv4Header, Bytes) {
    let payload: Vec<u8> = (0..len).map(|n| (n * 7 + n / 251) as u8).collect();
    (Ipv4Header { identification, ..Ipv4Header::new(A, B, protocol::UDP, len) }, payload.into())
}

/// A fragment of `len` bytes, each `fill`, at `offset` bytes.
fn part(id: u16, offset: usize, len: usize, more: bool, fill: u8) -> (Ipv4Header, Bytes) {
    let header = Ipv4Header {
        identification: id,
        fragment_offset: (offset / 8) as u16,
        more_fragments: more,
        ..Ipv4Header::new(A, B, protocol::UDP, len)
    };
    (header, vec![fill; len].into())
}

fn cut(header: &Ipv4Header, payload: &Bytes, mtu: usize) -> Vec<(Ipv4Header, Bytes)> {
    split(header, payload, mtu).unwrap().collect()
}

fn give(r: &mut Reassembler, (header, payload): (Ipv4Header, Bytes)) -> Outcome {
    r.accept(Instant::ZERO, &header, payload)
}

#[test]
fn a_packet_of_4000_bytes_crosses_an_ethernet_in_three() {
    // The example of many a textbook: 20 + 3980 bytes over an MTU of 1500.
    let (header, payload) = packet(1, 3980);
    let parts = cut(&header, &payload, 1500);
    let seen: Vec<_> =
        parts.iter().map(|(h, _)| (h.total_len, h.fragment_offset, h.more_fragments)).collect();
    assert_eq!(seen, [(1500, 0, true), (1500, 185, true), (1040, 370, false)]);
}

#[test]
fn a_packet_that_fits_is_left_as_it_is() {
    let (header, payload) = packet(1, 1480);
    let header = Ipv4Header { dont_fragment: true, ..header };
    assert_eq!(cut(&header, &payload, 1500), [(header, payload)]);
}

#[test]
fn what_may_not_be_cut_is_refused_with_the_reason() {
    let (header, payload) = packet(1, 100);
    assert_eq!(split(&header, &payload, 27).err(), Some(CannotFragment::MtuTooSmall));
    let df = Ipv4Header { dont_fragment: true, ..header };
    assert_eq!(split(&df, &payload, 119).err(), Some(CannotFragment::DontFragment));
    let far = Ipv4Header { fragment_offset: 0x1fff, ..header };
    assert_eq!(split(&far, &payload, 1500).err(), Some(CannotFragment::TooLong));
}

#[test]
fn later_fragments_have_only_the_options_with_the_copied_flag() {
    let (header, payload) = packet(1, 200);
    // A record route (not copied) and a strict source route (copied).
    let options = Options::new(&[7, 7, 4, 0, 0, 0, 0, 137, 7, 4, 10, 0, 0, 9]).unwrap();
    let header = Ipv4Header { options, ..header }.with_payload_len(200);
    let parts = cut(&header, &payload, 100);
    assert_eq!(parts[0].0.options, options);
    assert_eq!(parts[1].0.options, Options::new(&[137, 7, 4, 10, 0, 0, 9]).unwrap());
    assert_eq!(parts[0].0.header_len() + parts[0].1.len(), 36 + 64);
    assert_eq!(parts[1].0.header_len() + parts[1].1.len(), 28 + 72);
    let mut r = Reassembler::new();
    let outcomes: Vec<_> = parts.into_iter().rev().map(|p| give(&mut r, p)).collect();
    assert_eq!(outcomes.last(), Some(&Outcome::Complete(header, payload)));
}

#[test]
fn a_packet_that_was_never_cut_passes_without_being_copied() {
    let (header, payload) = packet(1, 100);
    let mut r = Reassembler::new();
    let Outcome::Complete(same, out) = r.accept(Instant::ZERO, &header, payload.clone()) else { panic!() };
    assert_eq!((same, out.as_ptr()), (header, payload.as_ptr()));
}

#[test]
fn where_fragments_overlap_the_latest_bytes_count() {
    let mut r = Reassembler::new();
    assert_eq!(give(&mut r, part(1, 0, 16, true, b'a')), Outcome::Waiting);
    assert_eq!(give(&mut r, part(1, 8, 16, true, b'b')), Outcome::Waiting);
    let Outcome::Complete(_, whole) = give(&mut r, part(1, 16, 12, false, b'c')) else { panic!() };
    assert_eq!(&whole[..], b"aaaaaaaabbbbbbbbcccccccccccc");
    assert!(r.is_empty());
    assert_eq!(r.bytes(), 0);
}

#[test]
fn fragments_that_contradict_each_other_about_the_end_are_refused() {
    let mut r = Reassembler::new();
    give(&mut r, part(1, 16, 8, false, 0));
    assert_eq!(give(&mut r, part(1, 24, 8, true, 0)), Outcome::Refused(Refusal::EndsDiffer));
    assert_eq!(give(&mut r, part(1, 8, 8, false, 0)), Outcome::Refused(Refusal::EndsDiffer));
    give(&mut r, part(2, 16, 8, true, 0));
    assert_eq!(give(&mut r, part(2, 8, 8, false, 0)), Outcome::Refused(Refusal::EndsDiffer));
    assert!(matches!(give(&mut r, part(1, 0, 16, true, 0)), Outcome::Complete(..)));
}

#[test]
fn a_fragment_that_ends_beyond_the_largest_packet_is_refused() {
    let mut r = Reassembler::new();
    assert_eq!(give(&mut r, part(1, 65_528, 8, false, 0)), Outcome::Refused(Refusal::TooLong));
    assert_eq!(give(&mut r, part(1, 0, 12, true, 0)), Outcome::Refused(Refusal::NotInEights));
    assert_eq!(give(&mut r, part(1, 8, 0, false, 0)), Outcome::Refused(Refusal::Empty));
    // With 40 bytes of options in the first header, 65,515 bytes of payload are too many.
    give(&mut r, part(1, 65_512, 3, false, 0));
    let (first, payload) = part(1, 0, 8, true, 0);
    let first = Ipv4Header { options: Options::new(&[1; 40]).unwrap(), ..first };
    assert_eq!(r.accept(Instant::ZERO, &first, payload), Outcome::Refused(Refusal::TooLong));
}

#[test]
fn congestion_marked_on_one_fragment_is_marked_on_the_whole() {
    let mark = |(header, payload), ecn| (Ipv4Header { ecn, ..header }, payload);
    let mut r = Reassembler::new();
    give(&mut r, mark(part(1, 0, 8, true, 0), Ecn::Ect0));
    let Outcome::Complete(header, _) = give(&mut r, mark(part(1, 8, 8, false, 0), Ecn::Ce)) else { panic!() };
    assert_eq!(header.ecn, Ecn::Ce);
    give(&mut r, mark(part(2, 0, 8, true, 0), Ecn::NotEct));
    let mixed = give(&mut r, mark(part(2, 8, 8, false, 0), Ecn::Ce));
    assert_eq!(mixed, Outcome::Refused(Refusal::MixedEcn));
    assert!(r.is_empty());
}

#[test]
fn what_takes_more_than_a_minute_is_given_up_and_quoted_if_its_start_came() {
    let mut r = Reassembler::new();
    r.accept(Instant::from_millis(5), &part(1, 0, 800, true, 9).0, vec![9; 800].into());
    r.accept(Instant::from_millis(7), &part(2, 8, 8, true, 9).0, vec![9; 8].into());
    // A later fragment does not prolong the time.
    r.accept(Instant::from_millis(50_000), &part(1, 800, 8, true, 9).0, vec![9; 8].into());
    assert_eq!(r.deadline(), Some(Instant::from_millis(5) + TIMEOUT));
    assert_eq!(r.expire(Instant::from_millis(60_004)), []);
    let gone = r.expire(Instant::from_millis(60_007));
    assert_eq!((gone.len(), gone[0].source, &gone[1].first), (2, A, &None));
    let quote = gone[0].first.clone().unwrap();
    assert_eq!(quote.len(), 548);
    let header = Ipv4Header::parse_quoted(&mut Reader::new(Layer::Internet, "IPv4", &quote)).unwrap();
    assert_eq!(header, part(1, 0, 800, true, 9).0);
    assert_eq!((r.len(), r.bytes(), r.deadline()), (0, 0, None));
}

#[test]
fn the_oldest_datagram_makes_room_for_a_new_one() {
    let mut r = Reassembler::new();
    for id in 0..100u16 {
        let (header, payload) = part(id, 0, 8, true, 0);
        r.accept(Instant::from_millis(u64::from(id)), &header, payload);
    }
    assert_eq!((r.len(), r.bytes()), (MAX_DATAGRAMS, MAX_DATAGRAMS * 8));
    assert_eq!(give(&mut r, part(0, 8, 8, false, 0)), Outcome::Waiting);
    assert!(matches!(give(&mut r, part(99, 8, 8, false, 0)), Outcome::Complete(..)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fragments_in_any_order_doubled_overlapping_and_cut_twice_give_the_datagram_back(
        len in 1usize..6000, mtus in proptest::collection::vec(68usize..1600, 1..4), again in 28usize..400, seed: u64,
    ) {
        let (header, payload) = packet(7, len);
        // The same packet goes several ways, each with an MTU of its own, and all parts of all ways arrive: so they
        // overlap. Those of the first way are cut once more.
        let mut parts = Vec::new();
        for (way, mtu) in mtus.iter().enumerate() {
            for (h, p) in cut(&header, &payload, *mtu) {
                prop_assert!(h.header_len() + p.len() <= *mtu);
                prop_assert_eq!(usize::from(h.total_len), h.header_len() + p.len());
                parts.extend(if way == 0 { cut(&h, &p, again) } else { vec![(h, p)] });
            }
        }
        let mut rng = crate::base::Rng::new(seed);
        for i in (1..parts.len()).rev() {
            parts.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let mut r = Reassembler::new();
        let mut whole = 0;
        for p in parts {
            match give(&mut r, p) {
                Outcome::Complete(h, p) => {
                    whole += 1;
                    prop_assert_eq!((h, &p), (header, &payload));
                }
                Outcome::Waiting => {}
                Outcome::Refused(why) => prop_assert!(false, "{}", why.why()),
            }
        }
        prop_assert!(whole >= 1);
    }

    #[test]
    fn memory_stays_bounded_and_counted_whatever_comes(
        parts in proptest::collection::vec((0u16..200, 0u16..0x2000, 0usize..64, any::<bool>(), 0u8..4), 1..300),
    ) {
        let mut r = Reassembler::new();
        let mut now = Instant::ZERO;
        for (id, offset, len, more, ecn) in parts {
            now += crate::base::Duration::from_millis(100);
            let ecn = [Ecn::NotEct, Ecn::Ect1, Ecn::Ect0, Ecn::Ce][usize::from(ecn)];
            let (header, payload) = part(id, usize::from(offset) * 8, len, more, 1);
            if let Outcome::Complete(header, payload) = r.accept(now, &Ipv4Header { ecn, ..header }, payload) {
                prop_assert_eq!(header.payload_len(), payload.len());
            }
            prop_assert!(r.len() <= MAX_DATAGRAMS && r.bytes() <= MAX_BYTES);
            prop_assert_eq!(r.is_empty(), r.bytes() == 0);
        }
        r.expire(now + TIMEOUT);
        prop_assert_eq!((r.len(), r.bytes()), (0, 0));
    }

    #[test]
    fn the_list_of_holes_agrees_with_a_map_of_bytes(parts in proptest::collection::vec((0usize..40, 1usize..20), 1..30)) {
        let mut list = super::holes::Holes::new();
        let mut map = [false; 60];
        for (start, len) in parts {
            list.fill(start..start + len, false);
            map[start..start + len].fill(true);
            // Runs of missing bytes, the endless one at the end included.
            let runs = (0..60).filter(|i| !map[*i] && (*i == 0 || map[i - 1])).count();
            prop_assert_eq!(list.count(), runs + usize::from(map[59]));
        }
        list.fill(0..60, true);
        prop_assert!(list.none());
    }
}

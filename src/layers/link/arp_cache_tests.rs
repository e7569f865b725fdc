//! Tests of the ARP cache.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

const US: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const THEM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const US_MAC: MacAddr = MacAddr::local(1);
const THEM_MAC: MacAddr = MacAddr::local(2);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn is_us(ip: Ipv4Addr) -> bool {
    ip == US
}

#[test]
fn the_first_packet_asks_the_others_wait_and_all_leave_in_order() {
    let mut cache = ArpCache::new();
    assert_eq!(cache.resolve(at(0), THEM, 'a'), Resolution::Ask);
    assert_eq!(cache.resolve(at(5), THEM, 'b'), Resolution::Wait { dropped: None });
    let answer = ArpPacket::request(US_MAC, US, THEM).reply(THEM_MAC);
    let learned = cache.receive(at(10), &answer, is_us, US_MAC);
    assert_eq!(learned, Learned { reply: None, ready: vec!['a', 'b'] });
    assert_eq!(cache.resolve(at(11), THEM, 'c'), Resolution::Send { mac: THEM_MAC, packet: 'c' });
    assert_eq!(cache.deadline(), None);
}

#[test]
fn a_neighbour_in_doubt_is_asked_for_again_but_not_too_soon_and_not_if_set_for_good() {
    let mut cache = ArpCache::new();
    assert_eq!(cache.resolve(at(0), THEM, ()), Resolution::Ask);
    cache.insert(at(5), THEM, THEM_MAC);
    cache.doubt(at(100), THEM);
    assert_eq!(cache.lookup(at(999), THEM), Some(THEM_MAC), "the last question is not a second old");
    assert_eq!(cache.resolve(at(1_000), THEM, ()), Resolution::Ask);
    cache.insert(at(1_005), THEM, THEM_MAC);
    cache.doubt(at(9_000), THEM);
    assert_eq!(cache.lookup(at(9_000), THEM), None);
    cache.insert_for_good(at(9_000), THEM, THEM_MAC);
    cache.doubt(at(9_000), THEM);
    assert_eq!(cache.lookup(at(90_000), THEM), Some(THEM_MAC));
}

#[test]
fn an_answer_is_believed_for_a_minute() {
    let mut cache = ArpCache::new();
    cache.insert(at(0), THEM, THEM_MAC);
    assert_eq!(cache.lookup(at(59_999), THEM), Some(THEM_MAC));
    assert_eq!(cache.lookup(at(60_000), THEM), None);
    assert_eq!(cache.resolve(at(60_000), THEM, ()), Resolution::Ask);
}

#[test]
fn nobody_is_asked_more_than_once_a_second_and_three_times_in_all() {
    let mut cache = ArpCache::new();
    cache.resolve(at(0), THEM, 1);
    assert_eq!(cache.deadline(), Some(at(1000)));
    assert_eq!(cache.expire(at(999)), []);
    assert_eq!(cache.expire(at(1000)), [Due::Ask(THEM)]);
    assert_eq!(cache.expire(at(1000)), []);
    assert_eq!(cache.expire(at(2000)), [Due::Ask(THEM)]);
    assert_eq!(cache.resolve(at(2500), THEM, 2), Resolution::Wait { dropped: None });
    assert_eq!(cache.expire(at(3000)), [Due::GiveUp { ip: THEM, packets: vec![1, 2] }]);
    assert!(cache.is_empty());
    assert_eq!(cache.resolve(at(3000), THEM, 3), Resolution::Ask);
}

#[test]
fn when_too_many_wait_the_oldest_is_dropped_and_the_latest_kept() {
    let mut cache = ArpCache::new();
    for n in 0..MAX_WAITING {
        cache.resolve(at(0), THEM, n);
    }
    assert_eq!(cache.resolve(at(0), THEM, 99), Resolution::Wait { dropped: Some(0) });
    let ready = cache.insert(at(1), THEM, THEM_MAC);
    assert_eq!((ready.len(), ready[0], ready.last()), (MAX_WAITING, 1, Some(&99)));
}

#[test]
fn a_question_to_us_is_answered_and_teaches_us_the_asker() {
    let mut cache = ArpCache::<()>::new();
    let question = ArpPacket::request(THEM_MAC, THEM, US);
    let learned = cache.receive(at(0), &question, is_us, US_MAC);
    assert_eq!(learned.reply, Some(question.reply(US_MAC)));
    assert_eq!(cache.lookup(at(0), THEM), Some(THEM_MAC));
}

#[test]
fn a_question_to_others_updates_but_never_adds() {
    let mut cache = ArpCache::<()>::new();
    let overheard = ArpPacket::request(THEM_MAC, THEM, Ipv4Addr::new(10, 0, 0, 3));
    assert_eq!(cache.receive(at(0), &overheard, is_us, US_MAC), Learned { reply: None, ready: vec![] });
    assert_eq!(cache.lookup(at(0), THEM), None);
    cache.insert(at(0), THEM, MacAddr::local(77));
    cache.receive(at(1), &overheard, is_us, US_MAC);
    assert_eq!(cache.lookup(at(1), THEM), Some(THEM_MAC));
}

#[test]
fn an_entry_for_good_never_ends_and_is_not_changed_by_a_reply() {
    let mut cache = ArpCache::<()>::new();
    cache.insert_for_good(at(0), THEM, THEM_MAC);
    let liar = ArpPacket::request(MacAddr::local(77), THEM, US);
    assert!(cache.receive(at(1), &liar, is_us, US_MAC).reply.is_some());
    cache.expire(at(1_000_000));
    assert_eq!(cache.lookup(at(1_000_000), THEM), Some(THEM_MAC));
}

#[test]
fn a_probe_a_group_address_and_our_own_address_teach_nothing() {
    let mut cache = ArpCache::<()>::new();
    let probe = ArpPacket::request(THEM_MAC, Ipv4Addr::UNSPECIFIED, US);
    assert!(cache.receive(at(0), &probe, is_us, US_MAC).reply.is_some());
    cache.receive(at(0), &ArpPacket::request(MacAddr::BROADCAST, THEM, US), is_us, US_MAC);
    cache.receive(at(0), &ArpPacket::request(THEM_MAC, US, US), is_us, US_MAC);
    assert!(cache.is_empty());
}

#[test]
fn a_full_table_forgets_the_oldest_answer_but_never_a_question() {
    let ip = |n: usize| Ipv4Addr::from_bits(0x0a00_0000 + n as u32);
    let mut cache = ArpCache::new();
    for n in 0..MAX_ENTRIES {
        cache.insert(at(n as u64), ip(n), THEM_MAC);
    }
    assert_eq!(cache.resolve(at(300), ip(1000), ()), Resolution::Ask);
    assert_eq!((cache.len(), cache.lookup(at(300), ip(0))), (MAX_ENTRIES, None));
    for n in 1001..2000 {
        cache.resolve(at(300), ip(n), ());
    }
    assert_eq!(cache.len(), MAX_ENTRIES);
    assert_eq!(cache.resolve(at(300), ip(5000), ()), Resolution::Full { packet: () });
    assert_eq!(cache.expire(at(1300)).len(), MAX_ENTRIES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever happens in whatever order: requests keep their distance, no packet is lost without a word, none comes
    /// out twice, and the table stays small.
    #[test]
    fn requests_keep_their_distance_and_every_packet_is_accounted_for(
        steps in proptest::collection::vec((0u8..4, 0u32..6, 0u64..900), 1..200),
    ) {
        let mut cache = ArpCache::new();
        let mut now = Instant::ZERO;
        let mut asked = BTreeMap::<Ipv4Addr, Instant>::new();
        let (mut given, mut out) = (0u32, Vec::new());
        for (what, who, wait) in steps {
            now += Duration::from_millis(wait);
            let ip = Ipv4Addr::from_bits(0x0a00_0002 + who);
            let mut asks = Vec::new();
            match what {
                0 | 1 => {
                    match cache.resolve(now, ip, given) {
                        Resolution::Send { packet, .. } | Resolution::Full { packet } => out.push(packet),
                        Resolution::Ask => asks.push(ip),
                        Resolution::Wait { dropped } => out.extend(dropped),
                    }
                    given += 1;
                }
                2 => out.extend(cache.insert(now, ip, THEM_MAC)),
                _ => for due in cache.expire(now) {
                    match due {
                        Due::Ask(ip) => asks.push(ip),
                        Due::GiveUp { packets, .. } => out.extend(packets),
                    }
                },
            }
            for ip in asks {
                if let Some(before) = asked.insert(ip, now) {
                    prop_assert!(now.since(before) >= RETRY_INTERVAL);
                }
            }
        }
        for _ in 0..=MAX_REQUESTS {
            now += RETRY_INTERVAL;
            for due in cache.expire(now) {
                if let Due::GiveUp { packets, .. } = due {
                    out.extend(packets);
                }
            }
        }
        out.sort_unstable();
        prop_assert_eq!(out, (0..given).collect::<Vec<_>>());
        prop_assert_eq!(cache.deadline(), None);
    }
}

//! The list of sent ranges says of each number what happened to it, and stays within its bound.

use super::*;
use proptest::prelude::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_burst_of_one_instant_is_one_range() {
    let mut sent = Sent::default();
    sent.push(1, 101, at(0));
    sent.push(101, 201, at(0));
    sent.push(201, 301, at(1));
    assert_eq!(sent.ranges.len(), 2);
}

#[test]
fn the_round_trip_is_that_of_what_was_sent_last() {
    let mut sent = Sent::default();
    sent.push(1, 101, at(0));
    sent.push(101, 201, at(10));
    sent.push(201, 301, at(20));
    assert_eq!(sent.acknowledge(201, at(50)), Some(ms(40)));
    assert_eq!(sent.acknowledge(250, at(60)), Some(ms(40)));
    assert_eq!(sent.acknowledge(250, at(70)), None);
}

#[test]
fn what_was_sent_twice_gives_no_round_trip() {
    let mut sent = Sent::default();
    sent.push(1, 101, at(0));
    sent.push(101, 201, at(10));
    sent.push_again(1, 101, at(20));
    assert_eq!(sent.acknowledge(201, at(50)), None);
}

#[test]
fn what_is_sent_again_is_cut_to_its_segment_and_the_rest_stays_lost() {
    let mut sent = Sent::default();
    sent.push(1, 1_001, at(0));
    sent.lose_all(Resend::Timeout);
    assert_eq!((sent.first_lost(), sent.gone()), (Some((1, Resend::Timeout)), 1_000));
    sent.push_again(1, 301, at(5));
    assert_eq!((sent.first_lost(), sent.gone()), (Some((301, Resend::Timeout)), 700));
    assert!(!sent.first_is_lost());
    sent.acknowledge(301, at(9));
    assert!(sent.first_is_lost());
}

#[test]
fn of_a_burst_only_the_first_segment_is_lost() {
    let mut sent = Sent::default();
    sent.push(1, 1_001, at(0));
    sent.lose_first(100, Resend::DuplicateAcks);
    assert_eq!((sent.first_lost(), sent.gone()), (Some((1, Resend::DuplicateAcks)), 100));
    sent.lose_first(100, Resend::PartialAck);
    assert_eq!((sent.first_lost(), sent.gone()), (Some((1, Resend::PartialAck)), 100));
}

#[test]
fn the_list_is_bounded_and_what_does_not_fit_joins_the_last_range() {
    let mut sent = Sent::default();
    for i in 0..2 * LIMIT as u64 {
        sent.push(1 + i, 2 + i, at(i));
    }
    assert_eq!(sent.ranges.len(), LIMIT);
    let end = 1 + 2 * LIMIT as u64;
    assert_eq!(sent.ranges.back().map(|last| (last.start, last.end)), Some((LIMIT as u64, end)));
    sent.lose_all(Resend::Timeout);
    sent.push(end, end + 1, at(0));
    assert_eq!(sent.gone(), LIMIT as u64 - 1);
}

#[test]
fn what_lies_below_three_blocks_or_more_than_two_segments_is_lost() {
    let mut sent = Sent::default();
    (0..10).for_each(|i| sent.push(1 + i * 100, 101 + i * 100, at(i)));
    sent.sack(201, 401, at(99));
    assert!(!sent.find_losses(100), "two segments may have overtaken");
    sent.sack(201, 402, at(99));
    assert!(sent.find_losses(100));
    assert_eq!((sent.first_lost(), sent.gone()), (Some((1, Resend::Hole)), 200 + 201));
    assert!(!sent.find_losses(100), "known");
    sent.push_again(1, 101, at(20));
    assert_eq!(sent.first_lost(), Some((101, Resend::Hole)));
    assert!(!sent.find_losses(100), "what was sent again is not judged");
    // Single bytes, in three places.
    let mut sent = Sent::default();
    sent.push(1, 101, at(0));
    assert!(sent.sack(50, 51, at(99)) && sent.sack(60, 61, at(99)));
    assert!(!sent.find_losses(100));
    sent.sack(70, 71, at(99));
    assert!(sent.find_losses(100));
    assert_eq!((sent.first_lost(), sent.gone()), (Some((1, Resend::Hole)), 49 + 3));
}

#[test]
fn a_peer_that_acknowledges_every_other_byte_does_not_make_the_list_longer_than_its_bound() {
    let mut sent = Sent::default();
    sent.push(1, 100_001, at(0));
    let news = (0..50_000).filter(|i| sent.sack(1 + 2 * i, 2 + 2 * i, at(99))).count();
    assert!(sent.ranges.len() <= LIMIT && news > 1_000, "{} {news}", sent.ranges.len());
    assert_eq!(sent.sacked, sent.ranges.iter().filter(|range| range.mark == Mark::Sacked).count() as u64);
}

/// What the list says of each sequence number, in order.
fn spelled_out(sent: &Sent) -> Vec<(u64, Instant, u32, Mark)> {
    let numbers = |range: &Range| {
        let range = *range;
        (range.start..range.end).map(move |n| (n, range.sent_at, range.transmissions, range.mark))
    };
    sent.ranges.iter().flat_map(numbers).collect()
}

proptest! {
    #[test]
    fn the_list_says_of_each_number_what_happened_to_it(
        steps in prop::collection::vec((0u8..5, 0u64..30, 1u64..20), 1..60),
    ) {
        let mut sent = Sent::default();
        // One entry a number: where it is in the stream, when and how often it was sent, what became of it.
        let mut each: Vec<(u64, Instant, u32, Mark)> = Vec::new();
        let mut next = 1;
        for (i, (what, skip, len)) in steps.into_iter().enumerate() {
            let now = at(i as u64);
            let first = each.first().map_or(next, |(number, ..)| *number);
            match what {
                0 => {
                    sent.push(next, next + len, now);
                    each.extend((next..next + len).map(|number| (number, now, 1, Mark::InFlight)));
                    next += len;
                }
                1 => {
                    let ack = (first + skip).min(next);
                    sent.acknowledge(ack, now);
                    each.retain(|(number, ..)| *number >= ack);
                }
                2 => {
                    let start = (first + skip).min(next);
                    let end = (start + len).min(next);
                    sent.push_again(start, end, now);
                    let covered = |number: u64| (start..end).contains(&number);
                    let often = each.iter().filter(|(number, ..)| covered(*number)).map(|each| each.2).max();
                    for each in each.iter_mut().filter(|(number, ..)| covered(*number)) {
                        *each = (each.0, now, often.unwrap_or(0) + 1, Mark::InFlight);
                    }
                }
                3 => {
                    let start = (first + skip).min(next);
                    let end = (start + len).min(next);
                    let news = sent.sack(start, end, at(99));
                    let mut known = true;
                    for each in each.iter_mut().filter(|(number, ..)| (start..end).contains(number)) {
                        known &= each.3 == Mark::Sacked;
                        each.3 = Mark::Sacked;
                    }
                    prop_assert_eq!(news, !known);
                }
                _ => {
                    sent.lose_all(Resend::Timeout);
                    each.iter_mut().for_each(|each| each.3 = Mark::Lost(Resend::Timeout));
                }
            }
            prop_assert_eq!(&spelled_out(&sent), &each);
            let gone = each.iter().filter(|(.., mark)| *mark != Mark::InFlight).count();
            prop_assert_eq!(sent.gone(), gone as u64);
        }
    }
}

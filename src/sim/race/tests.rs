//! What physics and fairness ask of a race.

use super::*;
use crate::layers::physical::delay::Rate;

/// Payload of a full segment with timestamps, and the bytes of time that its frame takes.
const PAYLOAD: f64 = 1448.0;
const ON_THE_WIRE: f64 = 1538.0;

fn track(rate: Rate, delay: u64) -> Knobs {
    let mut knobs = knobs();
    knobs.link.rate = Some(rate);
    knobs.link.delay = Duration::from_millis(delay);
    knobs.link.queue = fitting_queue(&knobs.link);
    knobs
}

#[test]
fn one_flow_has_the_line_rate_less_headers_within_one_percent() {
    let race = run(&[Algorithm::NEWRENO], &track(Rate::mbit(100), 10), Duration::from_millis(2500));
    let ideal = 100e6 * PAYLOAD / ON_THE_WIRE;
    // The first two fifths are for slow start and what it overshoots.
    let goodput = race.goodput_after(0, 0.4);
    assert!((0.99 * ideal..=1.001 * ideal).contains(&goodput), "{goodput} of {ideal}");
    assert_eq!(race.bottleneck.lost, 0);
}

#[test]
fn two_flows_of_newreno_share_the_link() {
    let race = run(&[Algorithm::NEWRENO; 2], &track(Rate::mbit(10), 10), Duration::from_secs(20));
    assert!(race.jain_after(0.25) > 0.9, "{}", race.jain_after(0.25));
    assert!(race.bottleneck.utilisation > Some(0.95), "{:?}", race.bottleneck.utilisation);
    assert!(race.bottleneck.turned_away > 0, "they fill the queue until something is lost");
    assert!(race.flows.iter().all(|flow| flow.retransmissions > 0));
    assert!(race.bottleneck.longest.iter().all(|longest| *longest <= race.queue));
    assert!(race.bottleneck.mean > 0.0 && race.bottleneck.mean < race.queue as f64);
}

#[test]
fn the_same_seed_gives_the_same_race_and_another_one_another() {
    let entrants = [Algorithm::CUBIC, Algorithm::NEWRENO];
    let race = |seed| {
        let knobs = Knobs { loss: 0.01, seed, ..track(Rate::mbit(10), 10) };
        run(&entrants, &knobs, Duration::from_secs(3))
    };
    let (first, second, other) = (race(1), race(1), race(2));
    assert_eq!(first, second);
    assert_ne!(first.flows, other.flows);
    assert!(first.bottleneck.lost > 0, "one percent of some thousands");
}

#[test]
fn without_congestion_control_the_link_is_busy_with_what_it_carried_before() {
    let knobs = track(Rate::mbit(10), 10);
    let time = Duration::from_secs(3);
    let (polite, rude) =
        (run(&[Algorithm::CUBIC; 2], &knobs, time), run(&[Algorithm::NONE; 2], &knobs, time));
    assert!(rude.flows[0].cwnd.iter().all(Option::is_none), "no window");
    assert!(rude.bottleneck.turned_away > 2 * polite.bottleneck.turned_away, "{:?}", rude.bottleneck);
    assert!(rude.total() < polite.total(), "{} and {}", rude.total(), polite.total());
}

#[test]
fn fairness_is_1_for_equals_and_1_of_n_for_one_that_has_everything() {
    assert_eq!(jain(&[5.0, 5.0, 5.0]), 1.0);
    assert_eq!(jain(&[9.0, 0.0, 0.0, 0.0]), 0.25);
    assert_eq!(jain(&[0.0, 0.0]), 1.0);
    assert_eq!(fitting_queue(&LinkConfig::default()), 32, "40 ms at 10 Mbit/s and 1538 bytes a frame");
}

//! The soak in the simulator: a hundred clients join, talk, break off in every way and return, over TCP on lossy links,
//! to a server that crashes, or to two that share a stream, and the checker watches. And the proof that this checker can
//! fail: servers that are broken on purpose, and observers that are.
//!
//! All machines are the real ones, from Ethernet to the hub; clock, links and disk are played. A run is its seed: it can
//! be repeated to the byte.

mod disk;
mod visitor;
mod world;

use netlayers::chat::soak::{Counts, Sabotage};
use world::{Flaw, Plan, World};

/// Plays a run and gives what the checker says.
fn run(plan: &Plan) -> (Counts, Option<String>, world::Faults) {
    let mut world = World::new(plan);
    world.play();
    let shared = world.shared.borrow();
    (shared.checker.counts(), shared.checker.violation().map(str::to_owned), shared.faults)
}

#[test]
fn a_hundred_clients_get_everything_they_are_entitled_to_through_breaks_and_crashes() {
    let (counts, violation, faults) = run(&Plan::default());
    assert_eq!(violation, None, "{counts:?} {faults:?}");
    assert_eq!(counts.violations, 0);
    // It was no quiet run.
    assert!(counts.acknowledged > 1000 && counts.deliveries > 20_000, "{counts:?}");
    assert!(counts.returns > 200 && counts.stretches > 300, "{counts:?}");
    let world::Faults {
        hung_up, ended, reset, half_open, slow, quit, upgraded, upgrade_cut, crashes, ..
    } = faults;
    let many = [hung_up, ended, reset, half_open, slow, quit, upgraded];
    assert!(many.iter().all(|&n| n > 10) && crashes == 3, "{faults:?}");
    // One in five polls to the end, and one in five begins with it: their requests, and their upgrades, were cut.
    let world::Faults { get_cut, get_torn, post_torn, answer_lost, .. } = faults;
    let few = [get_cut, get_torn, post_torn, answer_lost];
    assert!(few.iter().chain(&upgrade_cut).all(|&n| n > 3), "{faults:?}");
}

#[test]
fn two_servers_on_one_stream_are_one_and_clients_go_from_one_to_the_other() {
    let (counts, violation, faults) = run(&Plan { servers: 2, ..Plan::default() });
    assert_eq!(violation, None, "{counts:?} {faults:?}");
    assert!(counts.acknowledged > 1000 && counts.deliveries > 20_000, "{counts:?}");
    assert!(counts.returns > 200 && counts.stretches > 300, "{counts:?}");
    assert!(faults.moved > 100 && faults.half_open > 10 && faults.crashes == 3, "{faults:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let small = || Plan { clients: 20, seconds: 6, ..Plan::default() };
    assert_eq!(run(&small()), run(&small()));
    assert_ne!(run(&small()).0, run(&Plan { seed: 8, ..small() }).0);
}

#[test]
fn the_checker_sees_whatever_goes_wrong_with_a_delivery() {
    // Those who poll, those who poll and upgrade, and those on WebSocket.
    for ((name, sabotage), witness) in Sabotage::ALL.into_iter().zip([0, 1, 2].into_iter().cycle()) {
        let sabotage_of = Some((witness, sabotage));
        let (_, violation, _) =
            run(&Plan { clients: 30, seconds: 20, sabotage: sabotage_of, ..Plan::default() });
        let violation = violation.unwrap_or_else(|| panic!("{name} went unseen"));
        let expected = match sabotage {
            Sabotage::Lose => "and missed",
            Sabotage::Repeat => "came again",
            Sabotage::Swap => "came too late",
            Sabotage::Corrupt => "not as it was sent",
            Sabotage::Forget => "not recognised",
            Sabotage::Overhear => "no member of its room",
        };
        assert!(violation.contains(expected), "{name}: {violation}");
        assert!(violation.contains("it last\n"), "the story is told: {violation}");
    }
}

#[test]
fn the_checker_sees_a_server_that_is_broken() {
    for (flaw, expected) in [
        (Flaw::AcknowledgesTooSoon, &["never heard it", "not recognised", "is that of", "came"][..]),
        (Flaw::ReplaysWithAHole, &["and missed"]),
        (Flaw::ForgetsSockets, &["not recognised"]),
        (Flaw::SwallowsAPoll, &["and missed", "never heard it"]),
        (Flaw::TwoLogs, &["never heard it", "not recognised", "is that of", "came", "in the log twice"]),
    ] {
        let servers = if flaw == Flaw::TwoLogs { 2 } else { 1 };
        let plan = Plan { clients: 40, seconds: 12, servers, flaw: Some(flaw), ..Plan::default() };
        let (_, violation, _) = run(&plan);
        let violation = violation.unwrap_or_else(|| panic!("{flaw:?} went unseen"));
        assert!(expected.iter().any(|expected| violation.contains(expected)), "{flaw:?}: {violation}");
    }
}

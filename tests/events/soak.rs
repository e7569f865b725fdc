//! The soak in virtual time: a hundred clients join, talk, break off in every way and return, on lossy lines to a server
//! that crashes, and the checker of `benches/soak` watches. And the proof that this checker can fail: servers that are
//! broken on purpose, and observers that are.
//!
//! All machines are the real ones, from WebSocket's bytes to the hub; sockets, clock and disk are played. A run is its
//! seed: it can be repeated to the byte.

#[path = "../../benches/soak/checker.rs"]
#[allow(dead_code, reason = "the bench uses all of it")]
mod checker;
#[path = "../../benches/soak/talker.rs"]
#[allow(dead_code, reason = "the bench uses all of it")]
mod talker;

mod disk;
mod world;

use checker::Counts;
use disk::Flaw;
use talker::Sabotage;
use world::{Plan, World};

/// Plays a run and gives what the checker says.
fn run(plan: &Plan) -> (Counts, Option<String>, world::Faults) {
    let mut world = World::new(plan);
    world.play();
    let faults = world.faults;
    (world.checker.counts(), world.checker.violation().map(str::to_owned), faults)
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
fn the_same_seed_gives_the_same_run() {
    let small = || Plan { clients: 20, seconds: 6, ..Plan::default() };
    assert_eq!(run(&small()), run(&small()));
    assert_ne!(run(&small()).0, run(&Plan { seed: 8, ..small() }).0);
}

#[test]
fn the_checker_sees_whatever_goes_wrong_with_a_delivery() {
    // One who polls, one who polls and upgrades, and one on WebSocket.
    for ((name, sabotage), witness) in Sabotage::ALL.into_iter().zip([5, 6, 3].into_iter().cycle()) {
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
    ] {
        let (_, violation, _) = run(&Plan { clients: 40, seconds: 12, flaw: Some(flaw), ..Plan::default() });
        let violation = violation.unwrap_or_else(|| panic!("{flaw:?} went unseen"));
        assert!(expected.iter().any(|expected| violation.contains(expected)), "{flaw:?}: {violation}");
    }
}

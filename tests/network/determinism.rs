//! The simulator as its users see it: the same seed gives the same bytes, TCP survives what UDP does not.

use bytes::Bytes;
use netlayers::base::{Duration, Instant, Rng};
use netlayers::layers::transport::tcp;
use netlayers::sim::LinkConfig;
use netlayers::sim::scene::{self, Knobs};
use netlayers::trace::{Kind, Recorder, Run, Way, Wire};
use proptest::prelude::*;

fn play(way: Way, message: &Bytes, knobs: &Knobs) -> Run {
    scene::run(way, message, knobs, Recorder::on(way.name(), Wire::Sim))
}

fn noise(len: usize, seed: u64) -> Bytes {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.next_u32() as u8).collect()
}

#[test]
fn without_faults_every_way_delivers_the_message() {
    for len in [0, 1, 13, 1460, 1461, 10_000, 300_000] {
        let message = noise(len, 1);
        for way in Way::ALL {
            let run = play(way, &message, &Knobs::default());
            assert!(run.outcome.arrived_exactly(), "{way:?} with {len} bytes");
            assert_ne!(run.outcome.returned_exactly(), Some(false), "{way:?} with {len} bytes");
            assert_eq!(
                run.trace.count(|kind| matches!(kind, Kind::Retransmitted { .. })),
                0,
                "{way:?} {len}"
            );
            assert_eq!(run.trace.count(|kind| matches!(kind, Kind::Discarded { .. })), 0, "{way:?} {len}");
        }
    }
}

#[test]
fn the_first_byte_takes_half_a_round_trip_by_udp_and_one_and_a_half_by_tcp() {
    let knobs = Knobs { link: LinkConfig { rate: None, ..LinkConfig::default() }, ..Knobs::default() };
    let first_read = |way| {
        let run = play(way, &Bytes::from_static(b"hello"), &knobs);
        run.trace
            .events
            .iter()
            .find(|event| matches!(event.kind, Kind::MessageReceived { .. } | Kind::AppRead { .. }))
            .map(|event| event.at)
    };
    assert_eq!(first_read(Way::Udp), Some(Instant::from_millis(20)));
    assert_eq!(first_read(Way::Tcp), Some(Instant::from_millis(60)));
}

#[test]
fn the_same_seed_and_knobs_give_the_same_bytes_and_another_seed_does_not() {
    let message = noise(50_000, 2);
    let knobs =
        Knobs { loss: 0.1, reorder: 0.1, duplicate: 0.05, corrupt: 0.05, seed: 7, ..Knobs::default() };
    let json = |knobs: &Knobs| {
        let runs = scene::run_all(&message, knobs);
        runs.iter().map(|run| serde_json::to_string(&run.trace).expect("a trace is JSON")).collect::<String>()
    };
    let first = json(&knobs);
    assert_eq!(first, json(&knobs));
    assert_ne!(first, json(&Knobs { seed: 8, ..knobs }));
}

#[test]
fn udp_shows_exactly_what_was_lost() {
    let message = noise(100_000, 3);
    let run = play(Way::Udp, &message, &Knobs { loss: 0.2, seed: 3, ..Knobs::default() });
    let dropped = run.trace.count(|kind| matches!(kind, Kind::Dropped { .. }));
    let found = run.outcome.pieces();
    assert!(dropped > 0);
    assert_eq!(found.missing, dropped, "every datagram is one frame here");
    assert_eq!((found.repeated, found.foreign, found.late), (0, 0, 0));
    assert_eq!(run.outcome.sent.len(), run.outcome.received.len() + dropped);
}

#[test]
fn udp_waits_for_its_own_interface_and_loses_nothing_there() {
    let message = noise(3 << 20, 4);
    let run = play(Way::Udp, &message, &Knobs::default());
    assert!(run.outcome.pieces().is_exact());
}

#[test]
fn a_run_without_a_recorder_does_the_same_and_keeps_nothing() {
    let message = noise(20_000, 5);
    let knobs = Knobs { loss: 0.1, seed: 9, ..Knobs::default() };
    let run = scene::run(Way::Tcp, &message, &knobs, Recorder::off(Wire::Sim));
    assert!(run.outcome.arrived_exactly());
    assert!(run.trace.events.is_empty());
    let recorded = play(Way::Tcp, &message, &knobs);
    assert_eq!(run.outcome.received, recorded.outcome.received);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_of_faults_up_to_a_third_breaks_a_tcp_stream(
        seed in any::<u64>(),
        loss in 0.0..0.3,
        duplicate in 0.0..0.3,
        corrupt in 0.0..0.3,
        reorder in 0.0..0.3,
        jitter in 0u64..60,
        mtu in prop_oneof![Just(1500u16), 68u16..2000],
        rate in prop_oneof![Just(None), (1u64..1000).prop_map(Some)],
        len in 0usize..60_000,
    ) {
        let knobs = Knobs {
            loss, duplicate, corrupt, reorder, seed,
            link: LinkConfig {
                mtu,
                jitter: Duration::from_millis(jitter),
                rate: rate.map(netlayers::layers::physical::delay::Rate::mbit),
                ..LinkConfig::default()
            },
            // However long it takes.
            tcp: tcp::Config { user_timeout: None, ..tcp::Config::default() },
            ..Knobs::default()
        };
        // A small MTU makes many segments: fewer bytes keep the test short.
        let message = noise(if mtu < 600 { len / 16 } else { len }, seed);
        let run = scene::run(Way::Tcp, &message, &knobs, Recorder::off(Wire::Sim));
        prop_assert!(run.outcome.arrived_exactly(), "{} of {} bytes", run.outcome.received_bytes().len(), message.len());
        let run = scene::run(Way::WebSocket, &message, &knobs, Recorder::off(Wire::Sim));
        prop_assert!(run.outcome.arrived_exactly());
        prop_assert_eq!(run.outcome.returned_exactly(), Some(true));
    }
}

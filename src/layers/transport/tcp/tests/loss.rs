//! What is lost, late, doubled or damaged does no harm (RFC 9293 §3.8.1, RFC 6298).

use super::super::congestion::Algorithm;
use super::*;
use crate::base::Rng;
use proptest::prelude::*;

#[test]
fn a_lost_segment_goes_again_after_the_timeout_which_doubles() {
    let mut pipe = Pipe::open(&config()).with_rule(
        |from, n, _| {
            if from == A && n < 3 { Fate::Drop } else { Fate::Pass }
        },
    );
    let start = pipe.now;
    pipe.write(A, b"hello");
    pipe.run_until(|pipe| !pipe.ends[B].received.is_empty());
    // At 0, 1, 3 and 7 s.
    assert_eq!(pipe.now.since(start), ms(7_010));
    assert_eq!(pipe.info(A).retransmissions, 3);
    assert_eq!(pipe.ends[A].retransmitted(), 3);
}

#[test]
fn several_losses_in_one_window_cost_one_timeout_and_a_round_trip_each() {
    let mut pipe = Pipe::open(&config())
        .with_rule(|from, n, _| if from == A && [1, 4, 5].contains(&n) { Fate::Drop } else { Fate::Pass });
    let start = pipe.now;
    pipe.write(A, &[1; 20 * 1_460]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 20 * 1_460);
    assert_eq!(pipe.info(A).retransmissions, 3, "{}", pipe.ladder());
    let took = pipe.now.since(start);
    assert!(took < ms(1_150), "{took}");
}

#[test]
fn the_trace_tells_of_a_repetition_right_before_it() {
    let mut pipe = Pipe::open(&config());
    pipe.write(A, b"hello");
    pipe.wire.clear();
    let a = pipe.ends[A].connection.as_mut().unwrap();
    let now = pipe.now + ms(1_000);
    a.handle(now, Input::Wake);
    let outputs: Vec<_> = std::iter::from_fn(|| a.poll(now)).collect();
    let sent = outputs.iter().position(|output| matches!(output, Output::Send(_))).unwrap();
    let Output::Trace(trace::Kind::Retransmitted { segment, .. }) = &outputs[sent - 1] else {
        panic!("{outputs:?}");
    };
    assert_eq!((segment.seq, segment.len, segment.syn, segment.fin), (101, 5, false, false));
}

#[test]
fn a_segment_that_overtakes_is_acknowledged_at_once_and_kept() {
    let mut pipe = Pipe::open(&Config { delayed_ack: Some(ms(200)), ..config() })
        .with_rule(|from, n, _| if from == A && n == 0 { Fate::Late(ms(50)) } else { Fate::Pass });
    pipe.write(A, &[1; 3 * 1_460]);
    pipe.run_for(ms(15));
    let acks: Vec<_> =
        pipe.log.iter().filter(|(from, _)| *from == B).map(|(_, segment)| segment.header.ack.0).collect();
    assert_eq!(acks, [101, 101]);
    pipe.run_for(ms(60));
    assert_eq!(pipe.ends[B].received, [1; 3 * 1_460]);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

#[test]
fn the_user_timeout_ends_a_connection_that_hears_nothing() {
    let mut pipe = Pipe::open(&Config { user_timeout: Some(Duration::from_secs(30)), ..config() })
        .with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, b"hello?");
    pipe.run_to_the_end();
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
    // B has nothing to say and so notices nothing.
    assert_eq!(pipe.states()[B], State::Established);
}

#[test]
fn waking_early_late_and_in_vain_is_harmless() {
    let mut pipe = Pipe::open(&config()).with_rule(
        |from, n, _| {
            if from == A && n == 0 { Fate::Drop } else { Fate::Pass }
        },
    );
    pipe.write(A, b"hello");
    for _ in 0..50 {
        pipe.run_for(ms(7));
        for side in [A, B] {
            pipe.with(side, |end, now| end.handle(now, Input::Wake));
        }
    }
    assert_eq!(pipe.info(A).retransmissions, 0);
    pipe.run_for(ms(1_000));
    assert_eq!(pipe.info(A).retransmissions, 1);
    assert_eq!(pipe.ends[B].received, b"hello");
}

/// Counts what was sent again as an observer beside the sender would, from the segments alone: whatever comes
/// before the highest number seen. One byte exactly there, at a window last announced as closed, is a probe, and not
/// seen as sent (so Wireshark distinguishes them).
fn seen_again(pipe: &Pipe, side: usize) -> u64 {
    let (mut next, mut window, mut again) = (None, None, 0);
    for (from, segment) in &pipe.log {
        let header = &segment.header;
        if *from != side {
            window = Some(header.window);
        } else if segment.seq_len() > 0 {
            let end = header.seq + segment.seq_len();
            let highest = *next.get_or_insert(header.seq);
            let is_probe = segment.payload.len() == 1 && header.seq == highest && window == Some(0);
            again += u64::from(header.seq.is_before(highest));
            if !is_probe && highest.is_before(end) {
                next = Some(end);
            }
        }
    }
    again
}

/// How bad a path is, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) drop: u32,
    pub(super) twice: u32,
    pub(super) late: u32,
    pub(super) corrupt: u32,
}

pub(super) fn rough(seed: u64, path: Path) -> Rule {
    let mut rng = Rng::new(seed);
    Box::new(move |_, _, _| {
        let mut dice = |thousandths: u32| rng.below(1_000) < u64::from(thousandths);
        if dice(path.drop) {
            Fate::Drop
        } else if dice(path.twice) {
            Fate::Twice
        } else if dice(path.late) {
            Fate::Late(ms(rng.below(60)))
        } else if dice(path.corrupt) {
            Fate::Corrupt(rng.below(2_000) as usize)
        } else {
            Fate::Pass
        }
    })
}

pub(super) fn stream(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..len).map(|_| rng.next_u32() as u8).collect()
}

#[test]
fn a_path_that_loses_a_third_is_slow_but_true() {
    let mut pipe = Pipe::open(&config());
    pipe.rule = rough(1, Path { drop: 300, twice: 100, late: 200, corrupt: 30 });
    let text = stream(1, 100_000);
    pipe.write(A, &text);
    pipe.run_until(|pipe| pipe.ends[B].received.len() >= text.len());
    assert_eq!(pipe.ends[B].received, text);
    // 69 segments, of which a third is lost, and of their repetitions again a third.
    assert!((30..120).contains(&pipe.info(A).retransmissions), "{}", pipe.info(A).retransmissions);
}

proptest! {
    // 256, or as many as PROPTEST_CASES says: 20,000 are worth the time after a change of recovery.
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn any_path_leaves_the_stream_intact_both_ways(
        seed: u64,
        isn: [u32; 2],
        near_the_wrap: bool,
        path in (0u32..300, 0u32..300, 0u32..300, 0u32..100)
            .prop_map(|(drop, twice, late, corrupt)| Path { drop, twice, late, corrupt }),
        mss in prop::array::uniform2(1u16..1_460),
        recv_buffer in prop::array::uniform2(1usize..20_000),
        send_buffer in prop::array::uniform2(1usize..20_000),
        write_size in 1usize..3_000,
        kilobytes in prop::array::uniform2(0usize..20),
        appetite in prop_oneof![Just(usize::MAX), 1usize..2_000],
        flags: [bool; 6],
        congestion in prop::sample::select(Algorithm::ALL.to_vec()),
    ) {
        let [nodelay, delays, window_scale, sack, timestamps, rack] = flags;
        let config = Config {
            nodelay,
            window_scale,
            sack,
            timestamps,
            rack,
            delayed_ack: delays.then_some(ms(40)),
            congestion,
            trace: true,
            ..Config::bare()
        };
        let mut pipe = Pipe::new(&config);
        pipe.rule = rough(seed, path);
        let mut streams = [Vec::new(), Vec::new()];
        for side in [A, B] {
            // Streams of small segments that take too long teach nothing.
            let step = usize::from(mss[side]).min(recv_buffer[1 - side]).min(appetite);
            let len = (kilobytes[side] * 1_000).min(step * 100);
            streams[side] = stream(seed ^ side as u64, len);
            let end = &mut pipe.ends[side];
            end.isn = SeqNumber(if near_the_wrap { isn[side] | 0xffff_f000 } else { isn[side] });
            end.config.mss = mss[side];
            end.config.recv_buffer = recv_buffer[side];
            end.config.send_buffer = send_buffer[side];
            end.write_size = write_size;
            end.appetite = appetite;
            end.to_write = streams[side].clone();
            end.shutdown_when_written = true;
        }
        pipe.listen(B);
        pipe.connect(A);
        pipe.run_until(|pipe| pipe.ends.iter().all(|end| {
            end.connection.as_ref().is_some_and(Connection::at_end_of_stream)
        }));
        // An end still in LAST-ACK may get no answer, if the other's TIME-WAIT is over: fine.
        for side in [A, B] {
            prop_assert_eq!(&pipe.ends[1 - side].received, &streams[side]);
            if pipe.ends[side].events.contains(&Event::Closed(Reason::TimedOut)) {
                // A handshake that took longer than its end had patience: another connection was before this one, with a
                // count of its own.
                continue;
            }
            let info = pipe.info(side);
            prop_assert_eq!(info.retransmissions, pipe.ends[side].retransmitted() as u64);
            // The byte of a probe goes twice for one who looks on, and once for its sender.
            let persists = |kind: &trace::Kind| matches!(kind, trace::Kind::TimerFired { timer: "persist", .. });
            if !pipe.ends[side].traces.iter().any(persists) {
                prop_assert_eq!(info.retransmissions, seen_again(&pipe, side), "{}", pipe.ladder());
            }
        }
    }
}

#[test]
fn a_reason_says_no_more_than_an_end_can_know() {
    // The path is slower than the timer: nothing is lost, and everything goes again.
    let mut pipe = Pipe::new(&config());
    pipe.delay = Duration::from_secs(10);
    pipe.listen(B);
    pipe.connect(A);
    pipe.write(A, &[1; 5_000]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 5_000);
    pipe.run_for(Duration::from_secs(60));
    let reasons: std::collections::BTreeSet<String> = pipe
        .ends
        .iter()
        .flat_map(|end| &end.traces)
        .filter_map(|kind| match kind {
            trace::Kind::Retransmitted { why, .. } => Some(why.to_string()),
            _ => None,
        })
        .collect();
    let expected = [
        "a SYN came again",
        "an ACK stopped here: the segment may be lost too",
        "the retransmission timer went off",
    ];
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), expected);
}

//! Losses judged by time, and probes for a lost tail (RFC 8985).

use super::super::congestion::Algorithm;
use super::*;

const MSS: usize = 1_460;

fn with_rack() -> Config {
    Config {
        congestion: Algorithm::NEWRENO,
        sack: true,
        rack: true,
        send_buffer: 1 << 20,
        recv_buffer: 1 << 20,
        ..config()
    }
}

/// What becomes of A's transmissions of the byte at this offset of its stream, the first first; later ones pass.
fn fates(pipe: Pipe, plan: &'static [(usize, &'static [Fate])]) -> Pipe {
    let mut seen = vec![0; plan.len()];
    pipe.with_rule(move |from, _, segment| {
        let offset = segment.header.seq.0.wrapping_sub(101) as usize;
        let holds = |at: usize| from == A && (offset..offset + segment.payload.len()).contains(&at);
        let Some(index) = plan.iter().position(|(at, _)| holds(*at)) else { return Fate::Pass };
        seen[index] += 1;
        plan[index].1.get(seen[index] - 1).copied().unwrap_or(Fate::Pass)
    })
}

fn reasons(pipe: &Pipe) -> Vec<String> {
    let of = |kind: &trace::Kind| match kind {
        trace::Kind::Retransmitted { why, .. } => Some(why.to_string()),
        _ => None,
    };
    pipe.ends[A].traces.iter().filter_map(of).collect()
}

const OVERDUE: &str = "something sent later has arrived, and this is overdue";
const PROBE: &str = "no ACK came for two round trips: a probe for a lost tail";

/// How long it takes until five segments have arrived, and why what went again.
fn five_segments(config: &Config, plan: &'static [(usize, &'static [Fate])]) -> (Duration, Vec<String>) {
    let mut pipe = fates(Pipe::open(config), plan);
    let start = pipe.now;
    pipe.write(A, &[1; 5 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 5 * MSS);
    let took = pipe.now.since(start);
    pipe.run_for(ms(3_000));
    assert_eq!(pipe.info(A).unacked, 0);
    (took, reasons(&pipe))
}

#[test]
fn one_segment_that_arrives_later_shows_a_loss() {
    let lost = &[(3 * MSS, &[Fate::Drop] as &[Fate])];
    // Out and back, a quarter of a round trip for stragglers, and out again. Three duplicates never come.
    assert_eq!(five_segments(&with_rack(), lost), (ms(35), vec![OVERDUE.to_string()]));
    assert!(five_segments(&Config { rack: false, ..with_rack() }, lost).0 > ms(1_000));
}

#[test]
fn a_lost_tail_is_probed_for_after_two_round_trips() {
    let lost = &[(3 * MSS, &[Fate::Drop] as &[Fate]), (4 * MSS, &[Fate::Drop])];
    // Back after 20 ms, two round trips of silence, the probe out and back, and the other out.
    assert_eq!(
        five_segments(&with_rack(), lost),
        (ms(20 + 40 + 20 + 10), vec![PROBE.into(), OVERDUE.into()])
    );
    // The ACK of a single segment might be delayed.
    let last = &[(4 * MSS, &[Fate::Drop] as &[Fate])];
    assert_eq!(five_segments(&with_rack(), last), (ms(20 + 40 + 200 + 10), vec![PROBE.into()]));
}

#[test]
fn a_probe_carries_what_waits_to_be_sent() {
    // A whole window is lost, and more waits behind it.
    let mut pipe = Pipe::open(&with_rack());
    pipe.write(A, &[1; 10 * MSS]);
    pipe.run_for(ms(100));
    let window = (pipe.ends[A].connection.as_ref().unwrap().cwnd() / MSS as u64) as usize;
    let mut count = 0;
    let mut pipe = pipe.with_rule(move |from, _, segment| {
        count += usize::from(from == A && !segment.payload.is_empty());
        if from == A && count <= window { Fate::Drop } else { Fate::Pass }
    });
    pipe.write(A, &[2; 40 * MSS]);
    assert_eq!(pipe.info(A).unacked, (window * MSS) as u64);
    pipe.run_for(ms(41));
    assert_eq!(pipe.info(A).unacked, ((window + 1) * MSS) as u64, "one more than the congestion window");
    pipe.run_for(ms(500));
    assert_eq!(pipe.ends[B].received.len(), 50 * MSS);
    let other = |why: &String| why == PROBE || why.contains("timer");
    assert!(!reasons(&pipe).iter().any(other), "{:?}", reasons(&pipe));
}

#[test]
fn a_repetition_that_is_lost_too_goes_again_without_a_timeout() {
    let took = |rack| {
        let plan = &[(2 * MSS, &[Fate::Drop, Fate::Drop] as &[Fate])];
        let mut pipe = fates(Pipe::open(&Config { rack, ..with_rack() }), plan);
        let start = pipe.now;
        pipe.write(A, &[1; 40 * MSS]);
        pipe.run_until(|pipe| pipe.ends[B].received.len() == 40 * MSS);
        (pipe.now.since(start), reasons(&pipe))
    };
    let (by_time, why) = took(true);
    assert!(by_time < ms(150), "{by_time}");
    assert_eq!(why, [OVERDUE; 2]);
    assert!(took(false).0 > ms(1_000));
}

#[test]
fn where_segments_overtake_each_other_it_waits_for_stragglers() {
    const PLAN: &[(usize, &[Fate])] =
        &[(0, &[Fate::Late(Duration::from_millis(1))]), (5 * MSS, &[Fate::Late(Duration::from_millis(3))])];
    let again = |rack| {
        let mut pipe = fates(Pipe::open(&Config { rack, ..with_rack() }), PLAN);
        pipe.write(A, &[1; 3 * MSS]);
        pipe.run_for(ms(100));
        // The sixth segment is overtaken by four.
        pipe.write(A, &[1; 7 * MSS]);
        pipe.run_for(ms(500));
        assert_eq!(pipe.ends[B].received.len(), 10 * MSS);
        pipe.info(A).retransmissions
    };
    assert_eq!((again(true), again(false)), (0, 1));
}

#[test]
fn without_selective_acknowledgment_three_duplicates_tell() {
    let lost = &[(MSS, &[Fate::Drop] as &[Fate])];
    let (took, why) = five_segments(&Config { sack: false, ..with_rack() }, lost);
    assert_eq!((took, why), (ms(30), vec!["three duplicate ACKs: the segment may be lost".to_string()]));
}

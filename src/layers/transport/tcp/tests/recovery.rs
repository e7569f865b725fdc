//! Fast retransmit, fast recovery, limited transmit, NewReno and selective acknowledgment (RFC 5681, RFC 6582,
//! RFC 3042, RFC 2018, RFC 6675).

use super::super::congestion::{Ack, Algorithm, CongestionControl, Cubic};
use super::*;
use crate::base::Rng;
use proptest::prelude::*;

const MSS: usize = 1_460;

fn newreno() -> Config {
    Config { congestion: Algorithm::NEWRENO, send_buffer: 1 << 20, recv_buffer: 1 << 20, ..config() }
}

/// Loses the segments of A with these ordinals, counted from 0 among those with new data.
fn losing(pipe: Pipe, lost: &'static [usize]) -> Pipe {
    let (mut count, mut next) = (0, SeqNumber(101));
    pipe.with_rule(move |from, _, segment| {
        let seq = segment.header.seq;
        let new = from == A && !segment.payload.is_empty() && !seq.is_before(next);
        if new {
            (count, next) = (count + 1, seq + segment.seq_len());
        }
        if new && lost.contains(&(count - 1)) { Fate::Drop } else { Fate::Pass }
    })
}

fn reasons(pipe: &Pipe) -> Vec<String> {
    let of = |kind: &trace::Kind| match kind {
        trace::Kind::Retransmitted { why, .. } => Some(why.to_string()),
        _ => None,
    };
    pipe.ends[A].traces.iter().filter_map(of).collect()
}

fn windows(pipe: &Pipe) -> Vec<u64> {
    let of = |kind: &trace::Kind| match kind {
        trace::Kind::CwndChanged { cwnd, .. } => Some(*cwnd),
        _ => None,
    };
    pipe.ends[A].traces.iter().filter_map(of).collect()
}

#[test]
fn a_loss_is_repaired_in_a_round_trip_and_halves_the_window() {
    let mut pipe = losing(Pipe::open(&newreno()), &[2]);
    let start = pipe.now;
    pipe.write(A, &[1; 10 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 10 * MSS);
    // Out and back, and out again: no timeout.
    assert_eq!(pipe.now.since(start), ms(30));
    assert_eq!(reasons(&pipe), ["three duplicate ACKs: the segment may be lost"]);
    pipe.run_for(ms(50));
    // The first ACK opens the initial window of ten, the second no more: there is nothing left that would use it up.
    // Eight are in flight when the loss shows.
    assert_eq!(windows(&pipe), [14_600, 14_600 + 1_460, 4 * 1_460]);
}

#[test]
fn several_losses_in_one_window_are_repaired_one_a_round_trip_and_halve_it_once() {
    let mut pipe = losing(Pipe::open(&newreno()), &[1, 3, 5]);
    let start = pipe.now;
    pipe.write(A, &[1; 10 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 10 * MSS);
    assert_eq!(pipe.now.since(start), ms(70));
    assert_eq!(reasons(&pipe).len(), 3);
    assert_eq!(reasons(&pipe)[1..], ["an ACK stopped here: the segment may be lost too"; 2]);
    assert_eq!(pipe.ends[A].connection.as_ref().unwrap().congestion.ssthresh(), 9 * 1_460 / 2);
}

#[test]
fn two_segments_that_overtake_are_no_loss() {
    let mut pipe = Pipe::open(&newreno()).with_rule(|from, _, segment| {
        let first = from == A && segment.header.seq == SeqNumber(101);
        // After the two that leave with it, and no third.
        if first { Fate::Late(ms(1)) } else { Fate::Pass }
    });
    pipe.write(A, &[1; 3 * MSS]);
    pipe.run_for(ms(200));
    assert_eq!(pipe.ends[B].received.len(), 3 * MSS);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

/// Three segments and no more.
#[derive(Debug)]
struct Small;

impl CongestionControl for Small {
    fn window(&self) -> u64 {
        3 * MSS as u64
    }
}

#[test]
fn limited_transmit_keeps_the_acks_coming_when_the_window_is_small() {
    let small = Algorithm { name: "small", start: |_| Box::new(Small) };
    let mut pipe = losing(Pipe::open(&Config { congestion: small, ..newreno() }), &[0]);
    let start = pipe.now;
    pipe.write(A, &[1; 6 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 6 * MSS);
    // Two duplicates let two new segments go, whose ACKs bring the third: 40 ms, where the timer takes a second.
    assert!(pipe.now.since(start) < ms(100), "{}\n{}", pipe.now.since(start), pipe.ladder());
    assert_eq!(reasons(&pipe), ["three duplicate ACKs: the segment may be lost"]);
}

#[test]
fn slow_start_doubles_what_is_in_flight_with_every_round_trip() {
    let mut pipe = Pipe::open(&newreno());
    pipe.write(A, &[1; 200 * MSS]);
    let mut flights = Vec::new();
    for _ in 0..4 {
        pipe.run_for(ms(10));
        flights.push(pipe.info(A).unacked / MSS as u64);
        pipe.run_for(ms(10));
    }
    assert_eq!(flights, [10, 20, 40, 80]);
}

#[test]
fn after_a_timeout_what_is_lost_goes_again_in_slow_start() {
    // The whole first window is lost, and no ACK comes for it.
    let mut pipe = losing(Pipe::open(&newreno()), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    pipe.write(A, &[1; 30 * MSS]);
    pipe.run_for(ms(990));
    pipe.log.clear();
    let mut sent = Vec::new();
    for _ in 0..4 {
        pipe.run_for(ms(20));
        sent.push(
            pipe.log.iter().filter(|(from, segment)| *from == A && !segment.payload.is_empty()).count(),
        );
        pipe.log.clear();
    }
    // Ten were in flight, so from five on the window grows by a segment.
    assert_eq!(sent, [1, 2, 4, 5]);
    pipe.run_for(ms(1_000));
    assert_eq!(pipe.ends[B].received.len(), 30 * MSS);
    assert_eq!(pipe.info(A).retransmissions, 10);
}

#[test]
fn a_sender_that_fell_silent_begins_again_with_the_initial_window() {
    let mut pipe = Pipe::open(&newreno());
    pipe.write(A, &[1; 100 * MSS]);
    pipe.run_for(ms(500));
    assert!(windows(&pipe).last().is_some_and(|cwnd| *cwnd > 60_000));
    pipe.run_for(ms(2_000));
    pipe.write(A, &[1; 100 * MSS]);
    assert_eq!(pipe.info(A).unacked, 10 * MSS as u64);
}

#[test]
fn without_congestion_control_duplicate_acks_say_nothing() {
    let mut pipe = losing(Pipe::open(&config()), &[0]);
    pipe.write(A, &[1; 10 * MSS]);
    pipe.run_for(ms(900));
    assert_eq!(pipe.info(A).retransmissions, 0);
}

fn with_sack() -> Config {
    Config { sack: true, ..newreno() }
}

#[test]
fn selective_acknowledgment_needs_the_permission_of_both() {
    for both in [true, false] {
        let mut pipe = Pipe::new(&with_sack());
        pipe.ends[B].config.sack = both;
        pipe.listen(B);
        pipe.connect(A);
        pipe.run_for(ms(100));
        let permitted = |n: usize| pipe.log[n].1.header.options.sack_permitted();
        assert_eq!((permitted(0), permitted(1)), (true, both));
        let mut pipe = losing(pipe, &[1]);
        pipe.write(A, &[1; 4 * MSS]);
        pipe.run_for(ms(25));
        let told: Vec<_> = pipe.log.iter().flat_map(|(_, s)| s.header.options.sack().to_vec()).collect();
        let mss = MSS as u32;
        let block = |from: u32, to: u32| (SeqNumber(101 + from * mss), SeqNumber(101 + to * mss));
        assert_eq!(told, if both { vec![block(2, 3), block(2, 4)] } else { vec![] });
    }
}

#[test]
fn with_selective_acknowledgment_several_losses_cost_one_round_trip() {
    let mut pipe = losing(Pipe::open(&with_sack()), &[1, 3, 5]);
    let start = pipe.now;
    pipe.write(A, &[1; 10 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 10 * MSS);
    assert_eq!(pipe.now.since(start), ms(30), "{}", pipe.ladder());
    assert_eq!(pipe.info(A).retransmissions, 3);
    assert_eq!(reasons(&pipe), ["much that was sent later has arrived: it may be lost"; 3]);
}

#[test]
fn what_has_arrived_is_not_sent_again_after_holes() {
    // Every third of thirty segments is lost: just these go again, whatever else is between them.
    let mut pipe = losing(Pipe::open(&with_sack()), &[0, 3, 6, 9, 12, 15, 18, 21]);
    pipe.write(A, &[1; 60 * MSS]);
    pipe.run_until(|pipe| pipe.ends[B].received.len() == 60 * MSS);
    assert_eq!(pipe.info(A).retransmissions, 8, "{:?}", reasons(&pipe));
    assert!(!reasons(&pipe).contains(&"the retransmission timer went off".to_string()));
}

#[test]
fn blocks_that_cannot_be_are_ignored() {
    let mut pipe = Pipe::open(&with_sack()).with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, &[1; 4 * MSS]);
    for (start, end) in [(0, 50), (50, 101), (101, 1_000), (3_000, 2_000), (200, 900_000), (u32::MAX, 4)] {
        let mut ack = segment(B, 301, Some(101), Flags::NONE, b"");
        ack.header.options.push(TcpOption::Sack(vec![(SeqNumber(start), SeqNumber(end))]));
        pipe.with(A, |a, now| a.handle(now, Input::Segment(ack)));
        let a = pipe.ends[A].connection.as_ref().unwrap();
        assert_eq!(a.sender.in_flight(), 4 * MSS as u64, "{start} to {end}");
    }
}

#[test]
fn a_full_header_of_blocks_leaves_less_room_to_the_payload() {
    // B has something to say while A's stream has holes: its segments carry blocks, and are no longer for it (RFC
    // 6691).
    let mut pipe = losing(Pipe::open(&with_sack()), &[0, 2, 4, 6]);
    pipe.write(A, &[1; 9 * MSS]);
    pipe.run_for(ms(12));
    pipe.log.clear();
    pipe.write(B, &[2; 2 * MSS]);
    let (_, first) = &pipe.log[0];
    assert_eq!(first.header.options.sack().len(), 4);
    assert_eq!(first.len(), MSS + 20);
}

fn tahoe() -> Config {
    Config { congestion: Algorithm::TAHOE, ..newreno() }
}

#[test]
fn tahoe_repairs_a_loss_as_soon_as_newreno_and_then_begins_with_one_segment() {
    for sack in [false, true] {
        let mut pipe = losing(Pipe::open(&Config { sack, ..tahoe() }), &[2]);
        let start = pipe.now;
        pipe.write(A, &[1; 12 * MSS]);
        pipe.run_until(|pipe| pipe.ends[B].received.len() == 12 * MSS);
        assert_eq!(pipe.now.since(start), ms(30));
        assert_eq!(reasons(&pipe), ["three duplicate ACKs: the segment may be lost"]);
        // Two ACKs let the last two go. Ten are in flight when the loss shows.
        let mss = MSS as u64;
        assert_eq!(windows(&pipe)[1..], [11 * mss, 12 * mss, mss]);
        assert_eq!(pipe.ends[A].connection.as_ref().unwrap().congestion.ssthresh(), 5 * mss);
        pipe.write(A, &[1; 20 * MSS]);
        pipe.run_for(ms(10));
        assert_eq!(pipe.info(A).unacked, 2 * mss, "slow start");
    }
}

#[test]
fn tahoe_sends_all_again_from_the_lost_segment_on_and_skips_what_has_arrived() {
    let mut pipe = losing(Pipe::open(&tahoe()), &[1, 2]);
    pipe.write(A, &[1; 12 * MSS]);
    pipe.run_for(ms(400));
    assert_eq!(pipe.ends[B].received, [1; 12 * MSS]);
    // The ACK of the first opens the window to two. The second fills the hole, and its ACK leaps over all that had
    // arrived; the third was sent before it came.
    let [first, second, third] = [
        "three duplicate ACKs: the segment may be lost",
        "an ACK stopped here: the segment may be lost too",
        "three duplicate ACKs: from the lost segment on, all goes again",
    ];
    assert_eq!(reasons(&pipe), [first, second, third]);
}

#[test]
fn a_loss_brings_the_flight_down_to_the_threshold_without_a_pause() {
    for congestion in [Algorithm::NEWRENO, Algorithm::CUBIC] {
        let mut pipe = losing(Pipe::open(&Config { congestion, ..with_sack() }), &[40]);
        pipe.write(A, &[1; 400 * MSS]);
        let sender = |pipe: &Pipe| {
            let a = pipe.ends[A].connection.as_ref().unwrap();
            (a.sender.fast.is_recovering(), a.sender.in_flight(), a.congestion.ssthresh())
        };
        pipe.run_until(|pipe| sender(pipe).0);
        let flight = pipe.info(A).unacked;
        let from = pipe.log.len();
        // While the repaired segment is on its way the others are acknowledged.
        pipe.run_until(|pipe| !sender(pipe).0);
        let (_, in_flight, ssthresh) = sender(&pipe);
        assert!(ssthresh < flight);
        // The three ACKs that showed the loss let one go each.
        assert!(in_flight <= ssthresh && in_flight + 4 * MSS as u64 > ssthresh, "{in_flight} of {ssthresh}");
        let went = pipe.log[from..].iter().filter(|(from, s)| *from == A && !s.payload.is_empty()).count();
        let acks = pipe.log[from..].iter().filter(|(from, _)| *from == B).count();
        assert!(went * 10 > acks * 4 && went < acks, "{went} after {acks}");
        let told = pipe.ends[A].traces.iter().filter(|kind| match kind {
            trace::Kind::CwndChanged { why, .. } => why == "a loss is being repaired: less goes than arrives",
            _ => false,
        });
        assert!(told.count() > 10);
    }
}

/// CUBIC that looks at what leaves.
#[derive(Debug)]
struct Watched(Cubic);

impl CongestionControl for Watched {
    fn window(&self) -> u64 {
        self.0.window()
    }
    fn on_sent(&mut self, _: Instant, bytes: u64, in_flight: u64) {
        // A FIN after the last byte takes a number, but no byte of the window.
        assert!(in_flight <= self.window().max(bytes) + 1, "{in_flight} in a window of {}", self.window());
    }
    fn on_ack(&mut self, ack: &Ack) {
        self.0.on_ack(ack);
    }
    fn on_loss(&mut self, now: Instant, in_flight: u64) {
        self.0.on_loss(now, in_flight);
    }
    fn on_rto(&mut self, now: Instant, in_flight: u64) {
        self.0.on_rto(now, in_flight);
    }
    fn on_idle(&mut self) {
        self.0.on_idle();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn nothing_new_leaves_beyond_the_congestion_window_or_the_peers(
        seed: u64,
        loss in 0u64..100,
        segments in 1usize..200,
        sack: bool,
        timestamps: bool,
        recv_buffer in 3_000usize..300_000,
    ) {
        let watched = Algorithm { name: "watched", start: |mss| Box::new(Watched(Cubic::new(mss))) };
        let config = Config { congestion: watched, sack, timestamps, recv_buffer, ..newreno() };
        let mut rng = Rng::new(seed);
        let mut edge = None;
        let mut pipe = Pipe::open(&config).with_rule(move |from, _, segment| {
            let header = &segment.header;
            if from == A && let Some(edge) = edge {
                // Only the byte of a window probe may lie beyond what B has offered.
                let end = header.seq + segment.seq_len();
                assert!(!SeqNumber::is_before(edge, end) || segment.payload.len() == 1, "{end} beyond {edge}");
            }
            let lost = rng.below(1_000) < loss;
            if from == B && !lost {
                // What B offers arrives in order on this path, and its scale is that of its buffer.
                let shift = (0..14).find(|shift| recv_buffer >> shift <= 65_535).unwrap_or(14);
                let offered = header.ack + (u32::from(header.window) << shift);
                edge = Some(edge.filter(|edge| offered.is_before(*edge)).unwrap_or(offered));
            }
            if lost { Fate::Drop } else { Fate::Pass }
        });
        let text = vec![7; segments * 1_000];
        pipe.write(A, &text);
        pipe.shutdown(A);
        pipe.run_until(|pipe| pipe.ends[B].received.len() == text.len());
    }
}

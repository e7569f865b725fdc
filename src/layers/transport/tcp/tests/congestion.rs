//! What a congestion controller learns, and what it can hold back.

use super::super::congestion::{Ack, Algorithm, CongestionControl};
use super::super::sender::Sender;
use super::*;

/// A constant window of three segments. What it learned last is in ssthresh, so that the trace shows it.
#[derive(Debug)]
struct Three {
    mss: u64,
    told: u64,
}

impl CongestionControl for Three {
    fn window(&self) -> u64 {
        3 * self.mss
    }
    fn ssthresh(&self) -> u64 {
        self.told
    }
    fn on_ack(&mut self, ack: &Ack) {
        assert!(ack.in_flight <= self.window());
        if ack.rtt.is_some_and(|rtt| rtt >= ms(20)) {
            self.told = if ack.app_limited { 1 } else { 2 };
        }
    }
    fn on_rto(&mut self, _: Instant, in_flight: u64) {
        self.told = 10_000 + in_flight;
    }
    fn on_mss(&mut self, mss: u64) {
        self.mss = mss;
    }
}

const THREE: Algorithm = Algorithm { name: "three", start: |mss| Box::new(Three { mss, told: 0 }) };

fn three() -> Config {
    Config { congestion: THREE, ..config() }
}

fn told(pipe: &Pipe) -> Vec<(u64, u64)> {
    let of = |kind: &trace::Kind| match kind {
        trace::Kind::CwndChanged { cwnd, ssthresh, .. } => Some((*cwnd, *ssthresh)),
        _ => None,
    };
    pipe.ends[A].traces.iter().filter_map(of).collect()
}

#[test]
fn no_more_is_in_flight_than_the_controller_allows() {
    let mut pipe = Pipe::open(&three());
    pipe.write(A, &[7; 20 * 1_460]);
    pipe.run_for(ms(5));
    assert_eq!(pipe.info(A).unacked, 3 * 1_460);
    pipe.run_for(ms(500));
    assert_eq!(pipe.ends[B].received, [7; 20 * 1_460]);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

#[test]
fn a_controller_learns_whether_its_window_was_used_up() {
    let mut pipe = Pipe::open(&three());
    // The ACK of the SYN: nothing else was there to be sent.
    assert_eq!(told(&pipe), [(3 * 1_460, 0), (3 * 1_460, 1)]);
    pipe.write(A, &[7; 3 * 1_460]);
    pipe.run_for(ms(50));
    assert_eq!(told(&pipe)[2..], [(3 * 1_460, 2), (3 * 1_460, 1)]);
}

#[test]
fn a_controller_learns_what_was_in_flight_at_a_timeout_and_of_smaller_segments() {
    let mut pipe = Pipe::open(&three()).with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, &[7; 5_000]);
    pipe.run_for(ms(3_500));
    assert_eq!(told(&pipe)[2..], [(3 * 1_460, 10_000 + 3 * 1_460)]);
    let seq = SeqNumber(101);
    pipe.with(A, |a, now| a.handle(now, Input::Icmp { error: IcmpError::PacketTooBig(1_040), seq }));
    assert_eq!(told(&pipe).last().map(|told| told.0), Some(3_000));
}

#[test]
fn no_control_says_nothing() {
    let mut pipe = Pipe::open(&config());
    pipe.write(A, &[7; 20_000]);
    pipe.run_for(ms(500));
    assert!(told(&pipe).is_empty());
}

#[test]
fn what_options_take_is_missing_to_the_payload() {
    // RFC 6691 §2: the announced size counts no options, so a segment with twelve bytes of them carries twelve less.
    let mut sender = Sender::new(SeqNumber(0), 1_460, 10_000, false);
    let now = Instant::ZERO;
    assert!(sender.next(now, u64::MAX, 1_460).is_some_and(|piece| piece.syn));
    sender.acked(now, 1);
    sender.set_window(0, 1, 60_000);
    sender.write(Bytes::from(vec![7; 3_000]));
    let room = 1_460 - 12;
    let sizes: Vec<_> = std::iter::from_fn(|| sender.next(now, u64::MAX, room)).collect();
    assert_eq!(sizes.iter().map(|piece| piece.payload.len()).collect::<Vec<_>>(), [room, room]);
    sender.timed_out();
    assert_eq!(sender.next(now, u64::MAX, room).map(|piece| piece.payload.len()), Some(room));
}

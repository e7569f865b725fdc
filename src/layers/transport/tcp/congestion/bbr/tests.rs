//! BBR on a path that is a pipe: one bottleneck, one queue, no other flow.

use std::collections::VecDeque;

use super::*;

const MSS: u64 = 1_000;

/// 1000 segments a second, and 40 ms without a queue: 40 segments are in flight when the path is full.
const SEGMENT_TIME: Duration = Duration::from_millis(1);
const RTT: Duration = Duration::from_millis(40);
const BDP: f64 = 40_000.0;

/// A sender that always has something to send, and the path.
struct Path {
    bbr: Bbr,
    now: Instant,
    next_send: Instant,
    /// When the bottleneck has sent all that it has.
    busy_until: Instant,
    /// Segments on their way: when each was sent, and when its ACK comes.
    flight: VecDeque<(Instant, Instant)>,
    /// One in this many segments is lost; none for 0.
    loses: u64,
    sent: u64,
    longest_queue: Duration,
    states: Vec<State>,
    recovering_until: Instant,
}

impl Path {
    fn new(loses: u64) -> Self {
        let mut bbr = Bbr::new(MSS);
        let ack = Ack {
            now: Instant::ZERO + RTT,
            bytes: 1,
            rtt: Some(RTT),
            srtt: Some(RTT),
            in_flight: 0,
            app_limited: true,
            recovering: false,
        };
        bbr.on_ack(&ack);
        Path {
            bbr,
            now: Instant::ZERO + RTT,
            next_send: Instant::ZERO,
            busy_until: Instant::ZERO,
            flight: VecDeque::new(),
            loses,
            sent: 0,
            longest_queue: Duration::ZERO,
            states: vec![State::Startup],
            recovering_until: Instant::ZERO,
        }
    }

    fn in_flight(&self) -> u64 {
        self.flight.len() as u64 * MSS
    }

    /// Lets time pass, in steps of a fiftieth of a segment's time.
    fn run_until(&mut self, end: Instant) {
        while self.now < end {
            self.acks();
            while self.now >= self.next_send && self.in_flight() + MSS <= self.bbr.window() {
                self.send();
            }
            self.now += Duration::from_micros(20);
        }
    }

    fn send(&mut self) {
        let rate = self.bbr.pacing_rate().unwrap_or(1);
        self.next_send = self.next_send.max(self.now) + Duration::from_nanos(MSS * 1_000_000_000 / rate);
        self.sent += 1;
        let leaves = self.busy_until.max(self.now) + SEGMENT_TIME;
        self.longest_queue = self.longest_queue.max(leaves.since(self.now));
        self.busy_until = leaves;
        self.flight.push_back((self.now, leaves + RTT));
        self.bbr.on_sent(self.now, MSS, self.in_flight());
    }

    fn acks(&mut self) {
        while self.flight.front().is_some_and(|(_, back)| *back <= self.now) {
            let Some((sent_at, _)) = self.flight.pop_front() else { return };
            let lost = self.loses > 0 && self.sent.is_multiple_of(self.loses);
            if lost && self.now >= self.recovering_until {
                self.recovering_until = self.now + RTT;
                self.bbr.on_loss(self.now, self.in_flight());
            }
            self.bbr.on_delivery(&Delivery {
                now: self.now,
                bytes: if lost { 0 } else { MSS },
                lost: if lost { MSS } else { 0 },
                in_flight: self.in_flight(),
                sent_at: Some(sent_at),
                rtt: Some(self.now.since(sent_at)),
                app_limited: false,
                recovering: self.now < self.recovering_until,
            });
            if self.states.last() != Some(&self.bbr.state) {
                self.states.push(self.bbr.state);
            }
        }
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[test]
fn it_finds_bandwidth_and_round_trip_and_drains_the_queue_that_this_took() {
    let mut path = Path::new(0);
    path.run_until(at(2_000));
    assert_eq!(path.states[..3], [State::Startup, State::Drain, State::Down]);
    let bw = path.bbr.bandwidth();
    assert!((0.97e6..1.05e6).contains(&bw), "1000 segments a second: {bw}");
    assert!(path.bbr.min_rtt.rtt < Duration::from_millis(43), "{}", path.bbr.min_rtt.rtt);
    assert!(path.longest_queue > Duration::from_millis(20), "slow start found the end by a queue");
    path.longest_queue = Duration::ZERO;
    let before = path.sent;
    path.run_until(at(4_000));
    let share = (path.sent - before) as f64 / 2_000.0;
    assert!((0.95..1.02).contains(&share), "the link is busy: {share}");
    // A probe for more sends a quarter too fast for three round trips.
    assert!(path.longest_queue < RTT, "and less than a round trip waits: {}", path.longest_queue);
    assert!(path.bbr.window() as f64 <= 2.3 * BDP + 10_000.0);
}

#[test]
fn it_probes_for_more_every_few_seconds_and_measures_the_round_trip_every_five() {
    let mut path = Path::new(0);
    path.run_until(at(12_000));
    let times = |state| path.states.iter().filter(|there| **there == state).count();
    assert!((3..=8).contains(&times(State::Up)), "{:?}", path.states);
    assert!((1..=2).contains(&times(State::ProbeRtt)), "{:?}", path.states);
    for pair in path.states.windows(2).filter(|pair| pair[1] == State::Up) {
        assert_eq!(pair[0], State::Refill);
    }
}

#[test]
fn losses_of_one_percent_matter_little_and_of_ten_much() {
    let sent = |loses| {
        let mut path = Path::new(loses);
        path.run_until(at(10_000));
        path.sent
    };
    let (none, few, many) = (sent(0), sent(100), sent(10));
    // One percent in each of some forty round trips between two probes: (1 - 0.01)^40 at the end of it.
    assert!(few as f64 > 0.67 * none as f64, "{few} of {none}");
    assert!(many < few, "{many} and {few}");
}

#[test]
fn a_timeout_leaves_one_segment_and_one_that_was_none_the_window_of_before() {
    let mut path = Path::new(0);
    path.run_until(at(2_000));
    let before = path.bbr.window();
    path.bbr.on_rto(path.now, path.in_flight());
    assert_eq!(path.bbr.window(), MSS);
    path.bbr.undo(path.now, path.in_flight());
    assert_eq!(path.bbr.window(), before);
}

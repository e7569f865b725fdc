//! Timestamps and PAWS (RFC 7323).

use super::*;

fn stamped() -> Config {
    Config { timestamps: true, ..config() }
}

fn stamp(mut segment: Segment, value: u32, echo: u32) -> Segment {
    segment.header.options.push(TcpOption::Timestamps { value, echo });
    segment
}

#[test]
fn timestamps_are_on_every_segment_when_both_syns_have_them_and_cost_twelve_bytes() {
    for both in [true, false] {
        let mut pipe = Pipe::new(&stamped());
        pipe.ends[B].config.timestamps = both;
        pipe.listen(B);
        pipe.connect(A);
        pipe.run_for(ms(100));
        assert!(pipe.log[0].1.header.options.timestamps().is_some());
        pipe.log.clear();
        pipe.write(A, &[7; 4_000]);
        pipe.run_for(ms(100));
        assert!(pipe.log.iter().all(|(_, segment)| segment.header.options.timestamps().is_some() == both));
        let first = pipe.log[0].1.payload.len();
        assert_eq!(first, if both { 1_448 } else { 1_460 });
        assert_eq!(pipe.ends[B].received, [7; 4_000]);
    }
}

#[test]
fn what_was_sent_twice_is_measured_all_the_same() {
    let mut pipe = Pipe::open(&stamped())
        .with_rule(|from, n, _| if from == A && n == 0 { Fate::Drop } else { Fate::Pass });
    pipe.write(A, b"hello");
    pipe.run_for(ms(2_000));
    assert_eq!(pipe.info(A).retransmissions, 1);
    // The echo names the second transmission: 20 ms, and no longer the doubled timeout.
    assert_eq!((pipe.info(A).srtt, pipe.info(A).rto), (Some(ms(20)), ms(1_000)));
    // Without, Karn's algorithm keeps the estimate of the handshake and the back-off.
    let mut pipe = Pipe::open(&config())
        .with_rule(|from, n, _| if from == A && n == 0 { Fate::Drop } else { Fate::Pass });
    pipe.write(A, b"hello");
    pipe.run_for(ms(2_000));
    assert_eq!(pipe.info(A).rto, ms(2_000));
}

#[test]
fn an_old_duplicate_is_known_by_its_clock() {
    let mut pipe = Pipe::open(&stamped());
    pipe.run_for(ms(5_000));
    pipe.write(B, b"now");
    pipe.run_for(ms(50));
    pipe.log.clear();
    // A number that fits, and a clock of long ago: dropped, and answered.
    pipe.forge(B, stamp(segment(B, 304, Some(101), Flags::NONE, b"then"), 3, 0));
    pipe.run_for(ms(15));
    assert_eq!(pipe.ends[A].received, b"now");
    assert_eq!(pipe.log.len(), 2, "{}", pipe.ladder());
    // The same without any clock is dropped in silence, a RST is believed (RFC 7323 §3.2).
    pipe.forge(B, segment(B, 304, Some(101), Flags::NONE, b"then"));
    pipe.run_for(ms(15));
    assert_eq!((pipe.ends[A].received.len(), pipe.log.len()), (3, 3));
    pipe.forge(B, segment(B, 304, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.states()[A], State::Closed);
}

#[test]
fn three_blocks_fit_beside_timestamps() {
    let config = Config { sack: true, recv_buffer: 1 << 20, send_buffer: 1 << 20, ..stamped() };
    let mut count = 0;
    let mut pipe = Pipe::open(&config).with_rule(move |from, _, segment| {
        count += usize::from(from == A && !segment.payload.is_empty());
        if from == A && count % 2 == 1 { Fate::Drop } else { Fate::Pass }
    });
    pipe.write(A, &[1; 12 * 1_448]);
    pipe.run_for(ms(15));
    let last = &pipe.log.last().unwrap().1.header.options;
    assert_eq!((last.sack().len(), last.len()), (3, 40));
}

#[test]
fn every_second_full_segment_is_acknowledged_at_once_though_it_is_shorter() {
    let mut pipe = Pipe::open(&Config { delayed_ack: Some(ms(200)), ..stamped() });
    pipe.write(A, &[1; 4 * 1_448]);
    pipe.run_for(ms(15));
    assert_eq!(pipe.log.iter().filter(|(from, _)| *from == B).count(), 2);
}

//! What RFC 9293 asks in single sentences, and no other test shows: see `tests/network/rfc9293.txt`.

use super::*;

fn sizes_of(pipe: &Pipe, side: usize) -> Vec<usize> {
    pipe.log.iter().filter(|(from, _)| *from == side).map(|(_, segment)| segment.payload.len()).collect()
}

fn reports(pipe: &Pipe, side: usize) -> Vec<Report> {
    let report = |event: &Event| match event {
        Event::Report(report) => Some(*report),
        _ => None,
    };
    pipe.ends[side].events.iter().filter_map(report).collect()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// B says to A that all before `ack` has come, and has room for `window` more.
fn answer(pipe: &mut Pipe, ack: u32, window: u16) {
    let mut answer = segment(B, 301, Some(ack), Flags::NONE, b"");
    answer.header.window = window;
    pipe.with(A, |a, now| a.handle(now, Input::Segment(answer)));
}

/// MUST-1.
#[test]
fn a_window_beyond_32767_is_no_negative_number() {
    let mut pipe = Pipe::open(&Config { nodelay: true, ..config() });
    pipe.write(A, &[1; 60_000]);
    assert_eq!((pipe.info(A).snd_wnd, pipe.info(A).unacked), (65_535, 60_000));
}

/// SHLD-15, SHLD-16, MAY-7.
#[test]
fn behind_a_window_that_shrank_nothing_new_is_sent_but_the_old_again() {
    let mut pipe = Pipe::open(&config()).with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, &[1; 4 * 1_460]);
    answer(&mut pipe, 101, 2_920);
    pipe.write(A, &[2; 1_460]);
    pipe.run_for(ms(1_100));
    // The second is within what is left of the window, the third beyond it.
    answer(&mut pipe, 101 + 1_460, 1_460);
    answer(&mut pipe, 101 + 2_920, 0);
    let sent: Vec<u32> = pipe.log.iter().map(|(_, segment)| segment.header.seq.0).collect();
    assert_eq!(sent, [101, 1_561, 3_021, 4_481, 101, 1_561, 3_021]);
}

/// SHLD-29.
#[test]
fn a_closed_window_is_probed_first_after_a_retransmission_timeout() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 2_000]);
    // The window closes with the ACK after 20 ms, and the timeout is a second.
    pipe.run_for(ms(1_015));
    assert_eq!(sizes_of(&pipe, A), [1_000]);
    pipe.run_for(ms(10));
    assert_eq!(sizes_of(&pipe, A), [1_000, 1]);
}

/// MUST-40.
#[test]
fn an_ack_waits_for_less_than_half_a_second_whatever_is_asked_for() {
    let mut pipe = Pipe::open(&Config { delayed_ack: Some(secs(10)), ..config() });
    pipe.write(A, b"alone");
    pipe.run_for(ms(10 + 498));
    assert_eq!(pipe.log.len(), 1);
    pipe.run_for(ms(1));
    assert_eq!(pipe.log.len(), 2);
}

/// MUST-5, MUST-6, MUST-65.
#[test]
fn an_unknown_option_may_come_in_any_segment_and_the_segment_size_goes_out_in_syns_only() {
    let mut pipe = Pipe::opening(&config());
    pipe.run_for(ms(100));
    let mut strange = segment(A, 101, Some(301), Flags::NONE, b"hello");
    strange.header.options.push(TcpOption::Unknown { kind: 99, data: vec![1, 2, 3] });
    pipe.forge(A, strange);
    pipe.run_for(ms(50));
    assert_eq!(pipe.ends[B].received, b"hello");
    pipe.write(B, &[1; 5_000]);
    pipe.run_for(ms(200));
    pipe.shutdown(B);
    pipe.run_for(ms(200));
    assert!(pipe.log.len() > 8);
    for (_, segment) in &pipe.log {
        let header = &segment.header;
        assert_eq!(header.options.mss().is_some(), header.flags.has(Flags::SYN), "{}", pipe.ladder());
    }
}

/// MUST-69.
#[test]
fn behind_the_options_the_header_is_filled_with_zeros() {
    let mut options = Options::none();
    options.push(TcpOption::Unknown { kind: 99, data: vec![7, 7, 7] });
    let header = TcpHeader { options, ..TcpHeader::default() };
    let mut w = Writer::new();
    Segment { header, payload: Bytes::new() }.emit(ADDRESS[A], ADDRESS[B], &mut w);
    assert_eq!(w.as_slice()[MIN_HEADER_LEN..], [99, 5, 7, 7, 7, 0, 0, 0]);
}

/// MUST-15, for IPv6.
#[test]
fn a_syn_over_ipv6_without_a_segment_size_means_1220() {
    let ends = ["[2001:db8::1]:49152", "[2001:db8::2]:80"].map(|end| end.parse().unwrap());
    let mut a = Connection::connect(Instant::ZERO, ends[0], ends[1], ISN[A], config());
    while a.poll(Instant::ZERO).is_some() {}
    let syn_ack = segment(B, 300, Some(101), Flags::SYN, b"");
    a.handle(Instant::ZERO, Input::Segment(syn_ack));
    assert_eq!((a.state(), a.info().mss), (State::Established, 1_220));
}

/// SHLD-2.
#[test]
fn a_reset_may_have_data() {
    let mut pipe = Pipe::open(&config());
    pipe.forge(B, segment(B, 301, Some(101), Flags::RST, b"why it came to this"));
    pipe.run_for(ms(15));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::Reset)));
    assert!(pipe.ends[A].received.is_empty());
}

/// MUST-30, MUST-32, MUST-33, MUST-62.
#[test]
fn urgent_data_is_in_line_and_the_program_learns_where_it_ends() {
    let mut pipe = Pipe::open(&Config { nodelay: true, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, b"calm");
    let urgent = |bytes| move |a: &mut Connection, now| a.write_urgent(now, Bytes::from_static(bytes));
    assert_eq!(pipe.with(A, urgent(b"now")), Ok(3));
    pipe.write(A, b"later");
    let marks: Vec<(bool, u16)> =
        pipe.log.iter().map(|(_, s)| (s.header.flags.has(Flags::URG), s.header.urgent)).collect();
    assert_eq!(marks, [(false, 0), (true, 3), (false, 0)], "the number of the byte after it");
    pipe.run_for(ms(50));
    assert_eq!(reports(&pipe, B), [Report::Urgent]);
    assert_eq!(pipe.info(B).urgent, 7, "what comes before is to be read first");
    let read = |pipe: &mut Pipe| pipe.with(B, |b, now| b.read(now, 5)).unwrap();
    assert_eq!((read(&mut pipe), pipe.info(B).urgent), ("calm".into(), 3));
    assert_eq!((read(&mut pipe), pipe.info(B).urgent), ("now".into(), 0));
    assert_eq!((read(&mut pipe), pipe.info(B).urgent), ("later".into(), 0));
    // Each advance is reported, an old pointer and one of nothing are not.
    assert_eq!(pipe.with(A, urgent(b"!")), Ok(1));
    pipe.run_for(ms(50));
    assert_eq!((reports(&pipe, B).len(), pipe.info(B).urgent), (2, 1));
    for pointer in [0, 1] {
        let mut old = segment(A, 101, Some(301), Flags::URG, b"calm");
        old.header.urgent = pointer;
        pipe.forge(A, old);
    }
    pipe.run_for(ms(50));
    assert_eq!((reports(&pipe, B).len(), pipe.info(B).urgent), (2, 1));
}

/// MUST-31.
#[test]
fn urgent_data_may_be_longer_than_its_pointer_reaches() {
    let large = Config { send_buffer: 1 << 20, recv_buffer: 1 << 20, ..config() };
    let mut pipe = Pipe::open(&large);
    pipe.ends[B].reads = false;
    let bytes = Bytes::from(vec![1; 100_000]);
    assert_eq!(pipe.with(A, |a, now| a.write_urgent(now, bytes)), Ok(100_000));
    assert_eq!(pipe.log[0].1.header.urgent, 65_535);
    pipe.run_for(secs(1));
    assert_eq!((pipe.info(B).urgent, pipe.info(B).bytes_received), (100_000, 100_000));
    let ends: Vec<u32> = pipe
        .log
        .iter()
        .filter(|(from, _)| *from == A)
        .map(|(_, s)| s.header.seq.0 + u32::from(s.header.urgent))
        .collect();
    assert!(ends.is_sorted() && ends.last() == Some(&100_101), "{ends:?}");
}

/// MUST-66: RST has a test of its own.
#[test]
fn an_urgent_pointer_counts_although_the_window_is_closed() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 1_000]);
    pipe.run_for(ms(50));
    pipe.with(A, |a, now| a.write_urgent(now, Bytes::from_static(b"!"))).unwrap();
    pipe.run_for(secs(3));
    assert_eq!(pipe.info(A).snd_wnd, 0);
    assert_eq!((reports(&pipe, B), pipe.info(B).urgent), (vec![Report::Urgent], 1_001));
}

/// MUST-20, SHLD-9, SHLD-10, SHLD-11, SHLD-20.
#[test]
fn three_timeouts_are_reported_to_the_program_and_to_ip_and_end_nothing() {
    for wanted in [true, false] {
        let mut pipe = Pipe::open(&config()).with_rule(|_, _, _| Fate::Drop);
        pipe.with(A, |a, _| a.set_reports(wanted));
        pipe.write(A, b"hello?");
        // The timer goes off after one, three and seven seconds.
        pipe.run_for(ms(6_900));
        assert_eq!((reports(&pipe, A).len(), pipe.ends[A].advice), (0, 0));
        pipe.run_for(ms(200));
        let told = if wanted { vec![Report::Retransmissions] } else { vec![] };
        assert_eq!((reports(&pipe, A), pipe.ends[A].advice), (told, 1));
        pipe.run_for(secs(100));
        assert_eq!(pipe.states()[A], State::Established);
        // Once it was acknowledged, the count begins again.
        let mut pipe = pipe.with_rule(|_, _, _| Fate::Pass);
        pipe.run_for(secs(100));
        assert_eq!((pipe.info(A).unacked, pipe.ends[A].advice), (0, 1));
        let mut pipe = pipe.with_rule(|_, _, _| Fate::Drop);
        pipe.write(A, b"and now?");
        pipe.run_for(secs(1_000));
        assert_eq!(pipe.ends[A].advice, 2);
    }
}

/// MUST-22, MUST-23.
#[test]
fn a_syn_is_repeated_for_three_minutes_and_its_trouble_is_reported_likewise() {
    let mut pipe = Pipe::new(&config()).with_rule(|_, _, _| Fate::Drop);
    pipe.connect(A);
    pipe.run_for(ms(7_100));
    assert_eq!((reports(&pipe, A), pipe.ends[A].advice), (vec![Report::Retransmissions], 1));
    pipe.run_for(secs(173));
    let before = pipe.log.len();
    pipe.run_for(secs(60));
    assert_eq!((pipe.states()[A], pipe.log.len()), (State::SynSent, before + 1));
}

/// MUST-47, SHLD-25.
#[test]
fn a_soft_icmp_error_is_reported_and_can_be_looked_up() {
    for error in [IcmpError::Soft, IcmpError::Hard] {
        let mut pipe = Pipe::open(&config());
        pipe.write(A, b"x");
        pipe.with(A, |a, now| a.handle(now, Input::Icmp { error, seq: SeqNumber(101) }));
        assert_eq!(reports(&pipe, A), [Report::Icmp(error)]);
        assert_eq!((pipe.info(A).icmp_error, pipe.states()[A]), (Some(error), State::Established));
    }
}

/// MAY-5, MUST-24, MUST-25, MUST-28, SHLD-12.
#[test]
fn keep_alives_are_off_until_they_are_wanted_and_then_come_after_two_hours() {
    let mut pipe = Pipe::open(&config());
    pipe.run_for(secs(10_000));
    assert_eq!(pipe.log.len(), 0);
    pipe.with(A, |a, now| a.set_keep_alive(now, true));
    pipe.run_for(secs(7_199));
    assert_eq!(pipe.log.len(), 0);
    pipe.run_for(secs(2));
    pipe.assert_ladder(&["--> <SEQ=100><ACK=301><CTL=ACK>", "<-- <SEQ=301><ACK=101><CTL=ACK>"]);
    pipe.run_for(secs(72_000));
    assert_eq!((pipe.log.len(), pipe.states()), (2 * 11, [State::Established; 2]));
    pipe.with(A, |a, now| a.set_keep_alive(now, false));
    pipe.run_for(secs(10_000));
    assert_eq!(pipe.log.len(), 2 * 11);
}

/// MUST-26, MUST-27.
#[test]
fn a_keep_alive_comes_only_when_nothing_came_and_nothing_is_outstanding() {
    let often = Config { keep_alive: true, keep_alive_idle: secs(10), ..config() };
    let mut pipe = Pipe::open(&often);
    pipe.ends[B].connection.as_mut().unwrap().set_keep_alive(Instant::ZERO, false);
    for _ in 0..5 {
        pipe.run_for(secs(9));
        pipe.write(B, b"x");
        pipe.run_for(ms(50));
    }
    assert!(pipe.log.len() == 10 && sizes_of(&pipe, A) == [0; 5], "{}", pipe.ladder());
    let mut pipe = Pipe::open(&often).with_rule(|_, _, _| Fate::Drop);
    pipe.ends[B].connection = None;
    pipe.write(A, b"hello?");
    pipe.run_for(secs(600));
    assert!(pipe.log.len() > 8 && sizes_of(&pipe, A).iter().all(|size| *size == 6), "{}", pipe.ladder());
}

/// MUST-29.
#[test]
fn a_keep_alive_without_an_answer_ends_nothing_but_nine_do() {
    let often = Config { keep_alive: true, keep_alive_idle: secs(100), ..config() };
    let mut pipe = Pipe::open(&often);
    pipe.ends[B].connection = None;
    let mut pipe = pipe.with_rule(|_, _, _| Fate::Drop);
    pipe.run_for(secs(100 + 8 * 75 + 70));
    assert_eq!((pipe.log.len(), pipe.states()[A]), (9, State::Established));
    pipe.run_for(secs(10));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
    // An answer to the last of them is enough.
    let mut pipe = Pipe::open(&often).with_rule(|_, n, _| if n < 16 { Fate::Drop } else { Fate::Pass });
    pipe.run_for(secs(1_000));
    assert_eq!(pipe.states(), [State::Established; 2]);
}

/// SHLD-4.
#[test]
fn time_wait_makes_way_for_a_syn_with_a_later_clock_and_not_for_one_with_an_earlier() {
    let mut pipe = Pipe::open(&Config { timestamps: true, ..config() });
    pipe.run_for(secs(5));
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    pipe.shutdown(B);
    pipe.run_for(ms(50));
    assert_eq!(pipe.states(), [State::TimeWait, State::Closed]);
    let last = pipe.log.iter().rev().find(|(from, _)| *from == B).unwrap();
    let (clock, _) = last.1.header.options.timestamps().unwrap();
    let mut asks = |seq: u32, clock: Option<u32>| {
        let mut syn = segment(B, seq, None, Flags::SYN, b"");
        if let Some(value) = clock {
            syn.header.options.push(TcpOption::Timestamps { value, echo: 0 });
        }
        let a = pipe.ends[A].connection.as_mut().unwrap();
        a.make_way(pipe.now, &syn, || SeqNumber(7_000)).is_some()
    };
    // Below all that was received: only the clock can tell. B's next number is 302.
    assert!(!asks(250, None) && !asks(250, Some(clock)) && !asks(250, Some(clock - 1)));
    assert!(!asks(9_000, Some(clock - 1)), "an old duplicate, whatever its number");
    assert!(asks(250, Some(clock + 1)));
}

/// RFC 2883 §4.
#[test]
fn what_came_twice_is_in_the_first_block_of_one_ack() {
    let mut pipe = Pipe::open(&Config { sack: true, ..config() })
        .with_rule(|from, n, _| if from == A && n == 0 { Fate::Twice } else { Fate::Pass });
    pipe.write(A, b"hello");
    pipe.run_for(ms(50));
    pipe.write(A, b"again");
    pipe.run_for(ms(50));
    let blocks: Vec<Vec<(u32, u32)>> = pipe
        .log
        .iter()
        .filter(|(from, _)| *from == B)
        .map(|(_, s)| s.header.options.sack().iter().map(|(start, end)| (start.0, end.0)).collect())
        .collect();
    assert_eq!(blocks, [vec![], vec![(101, 106)], vec![]]);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

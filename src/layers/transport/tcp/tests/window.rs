//! Flow: segmentation, Nagle, silly windows, closed windows and their probes, delayed ACKs (RFC 9293 §3.7, §3.8.6).

use super::*;

/// Sizes of what one side sent.
fn sizes(pipe: &Pipe, side: usize) -> Vec<usize> {
    let data = pipe.log.iter().filter(|(from, segment)| *from == side && !segment.payload.is_empty());
    data.map(|(_, segment)| segment.payload.len()).collect()
}

/// Handed to the connection itself: the program of the pipe would gather small writes into one.
fn write_each(pipe: &mut Pipe, side: usize, pieces: &[&'static [u8]]) {
    for piece in pieces {
        pipe.with(side, |end, now| end.write(now, Bytes::from_static(piece)).unwrap());
    }
}

#[test]
fn a_long_write_is_cut_into_full_segments_and_only_the_last_is_pushed() {
    let mut pipe = Pipe::open(&config());
    pipe.write(A, &[1; 4_000]);
    pipe.run_for(ms(100));
    assert_eq!(sizes(&pipe, A), [1460, 1460, 1080]);
    let pushed: Vec<_> =
        pipe.log.iter().filter(|(from, _)| *from == A).map(|(_, s)| s.header.flags).collect();
    assert_eq!(pushed, [Flags::ACK, Flags::ACK, Flags::ACK | Flags::PSH]);
    assert_eq!(pipe.ends[B].received, [1; 4_000]);
}

#[test]
fn nagle_gathers_small_writes_while_one_is_unacknowledged() {
    let words: [&[u8]; 4] = [b"a", b"b", b"c", b"d"];
    let mut pipe = Pipe::open(&config());
    write_each(&mut pipe, A, &words);
    pipe.run_for(ms(100));
    assert_eq!(sizes(&pipe, A), [1, 3]);
    let mut pipe = Pipe::open(&Config { nodelay: true, ..config() });
    write_each(&mut pipe, A, &words);
    pipe.run_for(ms(100));
    assert_eq!(sizes(&pipe, A), [1, 1, 1, 1]);
    assert_eq!(pipe.ends[B].received, b"abcd");
}

#[test]
fn nagle_does_not_hold_back_the_end_of_the_stream() {
    let mut pipe = Pipe::open(&config());
    write_each(&mut pipe, A, &[b"a", b"b"]);
    pipe.shutdown(A);
    pipe.run_for(ms(5));
    assert_eq!(sizes(&pipe, A), [1, 1]);
    assert!(pipe.log[1].1.header.flags.has(Flags::FIN));
}

#[test]
fn an_ack_may_wait_for_company_but_not_for_a_second_full_segment() {
    let mut pipe = Pipe::open(&Config { delayed_ack: Some(ms(200)), ..config() });
    pipe.write(A, b"alone");
    pipe.run_for(ms(209));
    assert_eq!(pipe.log.len(), 1);
    pipe.run_for(ms(2));
    assert_eq!(pipe.log.len(), 2);
    pipe.run_for(ms(100));
    pipe.log.clear();
    pipe.write(A, &[1; 4 * 1460]);
    pipe.run_for(ms(15));
    assert_eq!(pipe.log.iter().filter(|(from, _)| *from == B).count(), 2);
    // With data the other way, the ACK travels along.
    pipe.run_for(ms(100));
    pipe.log.clear();
    pipe.write(A, b"ping");
    pipe.run_for(ms(15));
    pipe.write(B, b"pong");
    pipe.run_for(ms(15));
    assert_eq!(pipe.log.len(), 2);
}

#[test]
fn a_closed_window_is_probed_ever_more_rarely_until_it_opens() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 5_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 12_000]);
    // Three full segments, and after the override timeout what else fits.
    pipe.run_for(ms(1_500));
    assert_eq!(sizes(&pipe, A), [1_460, 1_460, 1_460, 620]);
    assert_eq!((pipe.info(A).snd_wnd, pipe.info(A).unacked), (0, 0));
    pipe.log.clear();
    pipe.run_for(Duration::from_secs(64));
    assert_eq!(sizes(&pipe, A), [1; 6], "{}", pipe.ladder());
    // The same byte each time, each answered, and none counted as sent again.
    assert!(pipe.log.iter().all(|(from, s)| *from == B || s.header.seq == SeqNumber(101 + 5_000)));
    assert_eq!(pipe.log.len(), 12);
    assert_eq!(pipe.info(A).retransmissions, 0);
    pipe.ends[B].reads = true;
    pipe.drain(B);
    pipe.run_for(ms(500));
    assert_eq!(pipe.ends[B].received, [9; 12_000]);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

#[test]
fn a_lost_window_update_is_found_out_by_a_probe() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 4_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 6_000]);
    pipe.run_for(ms(1_500));
    let mut pipe =
        pipe.with_rule(
            |from, _, segment| {
                if from == B && segment.header.window > 0 { Fate::Drop } else { Fate::Pass }
            },
        );
    pipe.ends[B].reads = true;
    pipe.drain(B);
    pipe.run_for(ms(100));
    assert_eq!(pipe.info(A).snd_wnd, 0);
    let mut pipe = pipe.with_rule(|_, _, _| Fate::Pass);
    pipe.run_for(ms(3_000));
    assert_eq!(pipe.ends[B].received, [9; 6_000]);
    assert_eq!(pipe.info(A).retransmissions, 0);
}

#[test]
fn probes_that_are_answered_never_give_up_and_unanswered_ones_do() {
    let mut pipe =
        Pipe::open(&Config { recv_buffer: 1_000, user_timeout: Some(Duration::from_secs(100)), ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 2_000]);
    pipe.run_for(Duration::from_secs(3_600));
    assert_eq!(pipe.states(), [State::Established; 2]);
    let mut pipe = pipe.with_rule(|_, _, _| Fate::Drop);
    pipe.run_for(Duration::from_secs(200));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
}

#[test]
fn a_fin_gets_through_to_a_program_that_does_not_read() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 1_000]);
    pipe.shutdown(A);
    pipe.run_for(Duration::from_secs(30));
    pipe.ends[B].reads = true;
    pipe.drain(B);
    pipe.run_for(Duration::from_secs(60));
    assert_eq!(pipe.states(), [State::FinWait2, State::CloseWait], "{}", pipe.ladder());
    assert_eq!(pipe.ends[B].received.len(), 1_000);
}

#[test]
fn the_right_edge_of_the_window_never_moves_back() {
    for (recv_buffer, piece) in [(3_000, 100), (65_535, 1_460), (200_000, 7), (1 << 20, 333)] {
        let mut pipe = Pipe::open(&Config { recv_buffer, send_buffer: 1 << 20, nodelay: true, ..config() });
        pipe.ends[A].write_size = piece;
        pipe.write(A, &vec![1; 30_000]);
        pipe.run_for(ms(2_000));
        assert_eq!(pipe.ends[B].received.len(), 30_000);
        let shift = pipe.ends[A].connection.as_ref().unwrap().sender.shift;
        let mut edge = SeqNumber(101);
        for (_, segment) in pipe.log.iter().filter(|(from, _)| *from == B) {
            let next = segment.header.ack + (u32::from(segment.header.window) << shift);
            assert!(!next.is_before(edge), "{edge} to {next} with a buffer of {recv_buffer}");
            edge = next;
        }
    }
}

#[test]
fn a_slow_reader_is_not_fed_with_silly_segments() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 4_000, ..config() });
    pipe.ends[B].reads = false;
    pipe.write(A, &[9; 40_000]);
    while pipe.ends[B].received.len() < 40_000 {
        if let Some(bytes) = pipe.with(B, |b, now| b.read(now, 50)) {
            pipe.ends[B].received.extend_from_slice(&bytes);
        }
        pipe.run_for(ms(5));
    }
    let small = sizes(&pipe, A).into_iter().filter(|size| *size < 1_000).count();
    assert!(small <= 3, "{:?}", sizes(&pipe, A));
}

#[test]
fn a_short_write_is_followed_by_word_of_room() {
    let mut pipe = Pipe::open(&Config { send_buffer: 1_000, ..config() });
    let taken = pipe.with(A, |a, now| a.write(now, Bytes::from(vec![1; 1_500])).unwrap());
    assert_eq!(taken, 1_000);
    assert_eq!(pipe.ends[A].connection.as_ref().unwrap().send_space(), 0);
    assert!(!pipe.ends[A].events.contains(&Event::Writable));
    pipe.run_for(ms(50));
    assert_eq!(pipe.ends[A].events, [Event::Connected, Event::Writable]);
}

#[test]
fn an_ack_beyond_what_was_sent_is_answered_and_its_window_not_believed() {
    let mut pipe = Pipe::open(&config());
    pipe.forge(B, segment(B, 301, Some(5_000), Flags::NONE, b"unwanted"));
    pipe.run_for(ms(15));
    pipe.assert_ladder(&["<-- <SEQ=301><ACK=5000><DATA=8><CTL=ACK>", "--> <SEQ=101><ACK=301><CTL=ACK>"]);
    assert!(pipe.ends[A].received.is_empty());
}

#[test]
fn an_old_segment_does_not_bring_back_an_old_window() {
    let mut pipe = Pipe::open(&config());
    let window = |seq, window| {
        let mut segment = segment(B, seq, Some(101), Flags::NONE, b"abcd");
        segment.header.window = window;
        segment
    };
    // The second overtakes the first, which says less and is older.
    pipe.forge(B, window(305, 9_000));
    pipe.forge(B, window(301, 4_000));
    pipe.run_for(ms(15));
    assert_eq!(pipe.ends[A].received, b"abcdabcd");
    assert_eq!(pipe.info(A).snd_wnd, 9_000);
}

#[test]
fn the_ack_of_a_segment_that_finds_the_window_closed_still_counts() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
    pipe.ends[A].reads = false;
    pipe.write(B, &[9; 1_000]);
    pipe.run_for(ms(50));
    assert_eq!(pipe.info(A).rcv_wnd, 0);
    let mut pipe = pipe.with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, b"hello");
    assert_eq!(pipe.info(A).unacked, 5);
    let probe = segment(B, 1_301, Some(106), Flags::NONE, b"x");
    pipe.with(A, |a, now| a.handle(now, Input::Segment(probe)));
    assert_eq!((pipe.info(A).unacked, pipe.info(A).bytes_received), (0, 1_000));
    assert_eq!(pipe.log.last().unwrap().1.header.ack, SeqNumber(1_301));
}

#[test]
fn a_router_that_says_too_big_makes_segments_smaller_at_once() {
    let mut pipe = Pipe::open(&config()).with_rule(|from, _, segment| {
        if from == A && segment.payload.len() > 960 { Fate::Drop } else { Fate::Pass }
    });
    pipe.write(A, &[3; 20_000]);
    let seq = SeqNumber(101 + 1_460);
    pipe.with(A, |a, now| a.handle(now, Input::Icmp { error: IcmpError::PacketTooBig(1_000), seq }));
    assert_eq!(pipe.info(A).mss, 960);
    pipe.run_for(ms(900));
    assert_eq!(pipe.ends[B].received, [3; 20_000]);
}

#[test]
fn a_window_that_closes_over_data_in_flight_or_before_a_lone_fin_is_waited_for() {
    let timeout = Some(Duration::from_secs(100));
    // The peer takes its window back while 5 bytes are in flight, and says so each time it is asked.
    let mut pipe = Pipe::open(&Config { user_timeout: timeout, ..config() });
    pipe.ends[B].connection = None;
    let closed = |pipe: &mut Pipe| {
        let mut answer = segment(B, 301, Some(101), Flags::NONE, b"");
        answer.header.window = 0;
        pipe.with(A, |a, now| a.handle(now, Input::Segment(answer)));
    };
    pipe.rule = Box::new(|_, _, _| Fate::Drop);
    pipe.write(A, b"hello");
    for _ in 0..60 {
        closed(&mut pipe);
        pipe.run_for(Duration::from_secs(60));
    }
    assert_eq!((pipe.states()[A], pipe.info(A).unacked), (State::Established, 5));
    // The same for a FIN that waits alone.
    let mut pipe = Pipe::open(&Config { user_timeout: timeout, ..config() });
    pipe.rule = Box::new(|_, _, _| Fate::Drop);
    closed(&mut pipe);
    pipe.shutdown(A);
    for _ in 0..60 {
        pipe.run_for(Duration::from_secs(60));
        closed(&mut pipe);
    }
    assert_eq!((pipe.states()[A], pipe.info(A).unacked), (State::FinWait1, 1));
    // One that falls silent is given up nevertheless.
    pipe.run_for(Duration::from_secs(101));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
}

#[test]
fn nagle_and_the_user_timeout_are_switches_of_one_connection() {
    let mut pipe = Pipe::open(&config());
    write_each(&mut pipe, A, &[b"a", b"b"]);
    assert_eq!(sizes(&pipe, A), [1]);
    pipe.with(A, |a, _| a.set_nodelay(true));
    assert_eq!(sizes(&pipe, A), [1, 1], "what was held back leaves at once");
    pipe.run_for(ms(50));
    let mut pipe = pipe.with_rule(|_, _, _| Fate::Drop);
    pipe.write(A, b"c");
    pipe.run_for(Duration::from_secs(300));
    pipe.with(A, |a, now| a.set_user_timeout(now, Some(Duration::from_secs(20))));
    pipe.run_for(Duration::from_secs(19));
    assert_eq!(pipe.states()[A], State::Established);
    pipe.with(A, |a, now| a.set_user_timeout(now, None));
    pipe.run_for(Duration::from_secs(300));
    assert_eq!(pipe.states()[A], State::Established);
    pipe.with(A, |a, now| a.set_user_timeout(now, Some(Duration::from_secs(20))));
    pipe.run_for(Duration::from_secs(21));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
}

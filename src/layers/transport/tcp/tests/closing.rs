//! Closing: RFC 9293 §3.6 and its figures, half-closes, resets and TIME-WAIT.

use super::*;

#[test]
fn figure_12_one_end_closes_after_the_other() {
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    assert_eq!(pipe.states(), [State::FinWait2, State::CloseWait]);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::PeerClosed));
    pipe.shutdown(B);
    assert_eq!(pipe.states()[B], State::LastAck);
    pipe.run_for(ms(50));
    pipe.assert_ladder(&[
        "--> <SEQ=101><ACK=301><CTL=FIN,ACK>",
        "<-- <SEQ=301><ACK=102><CTL=ACK>",
        "<-- <SEQ=301><ACK=102><CTL=FIN,ACK>",
        "--> <SEQ=102><ACK=302><CTL=ACK>",
    ]);
    assert_eq!(pipe.states(), [State::TimeWait, State::Closed]);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Normal)));
    pipe.run_to_the_end();
    assert_eq!(pipe.states(), [State::Closed; 2]);
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::Normal)));
    // The FIN of B came at 170 ms, and TIME-WAIT lasts 2 MSL.
    assert_eq!(pipe.now, Instant::from_millis(60_160));
}

#[test]
fn figure_13_both_ends_close_at_the_same_time() {
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    pipe.shutdown(B);
    pipe.run_for(ms(11));
    assert_eq!(pipe.states(), [State::Closing; 2]);
    pipe.run_for(ms(50));
    pipe.assert_ladder(&[
        "--> <SEQ=101><ACK=301><CTL=FIN,ACK>",
        "<-- <SEQ=301><ACK=101><CTL=FIN,ACK>",
        "<-- <SEQ=302><ACK=102><CTL=ACK>",
        "--> <SEQ=102><ACK=302><CTL=ACK>",
    ]);
    assert_eq!(pipe.states(), [State::TimeWait; 2]);
    pipe.run_to_the_end();
    for side in [A, B] {
        assert_eq!(pipe.ends[side].events.last(), Some(&Event::Closed(Reason::Normal)));
    }
}

#[test]
fn a_half_closed_connection_still_carries_data_the_other_way() {
    let mut pipe = Pipe::open(&config());
    pipe.write(A, b"question");
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    assert_eq!(pipe.ends[B].received, b"question");
    assert!(pipe.ends[B].connection.as_ref().unwrap().at_end_of_stream());
    pipe.write(B, &[5; 10_000]);
    pipe.run_for(ms(200));
    assert_eq!(pipe.states(), [State::FinWait2, State::CloseWait]);
    assert_eq!(pipe.ends[A].received, [5; 10_000]);
}

#[test]
fn nothing_is_written_after_a_shutdown_or_the_end() {
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    let write = |connection: &mut Connection, now| connection.write(now, Bytes::from_static(b"x"));
    assert_eq!(pipe.with(A, write), Err(Misuse::Closing));
    pipe.with(B, Connection::abort);
    assert_eq!(pipe.with(B, write), Err(Misuse::NotConnected));
}

#[test]
fn a_lost_fin_is_sent_again_and_so_is_the_ack_of_one() {
    // Segments of the close, in the order of figure 12.
    for lost in 0..4 {
        let mut pipe =
            Pipe::open(&config()).with_rule(move |_, n, _| if n == lost { Fate::Drop } else { Fate::Pass });
        pipe.shutdown(A);
        pipe.run_until(|pipe| pipe.ends[B].state() == State::CloseWait);
        pipe.run_for(ms(20));
        pipe.shutdown(B);
        pipe.run_to_the_end();
        for side in [A, B] {
            assert_eq!(pipe.ends[side].events.last(), Some(&Event::Closed(Reason::Normal)), "lost {lost}");
        }
    }
}

#[test]
fn a_repeated_fin_starts_time_wait_anew() {
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    pipe.shutdown(B);
    pipe.run_for(ms(30_000));
    assert_eq!(pipe.states()[A], State::TimeWait);
    // B is gone already, and would answer the ACK with a RST that ends TIME-WAIT (RFC 1337 §1): keep it away.
    let mut pipe = pipe.with_rule(|from, _, _| if from == A { Fate::Drop } else { Fate::Pass });
    pipe.forge(B, segment(B, 301, Some(102), Flags::FIN, b""));
    pipe.run_for(ms(50_000));
    assert_eq!(pipe.states()[A], State::TimeWait);
    pipe.run_for(ms(11_000));
    assert_eq!(pipe.states()[A], State::Closed);
}

#[test]
fn an_abort_resets_the_other_end() {
    let mut pipe = Pipe::open(&config());
    pipe.write(B, b"lost");
    pipe.with(A, Connection::abort);
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::Reset)));
    pipe.run_for(ms(50));
    assert_eq!(pipe.states(), [State::Closed; 2]);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Reset)));
}

#[test]
fn time_wait_can_be_cut_short_by_a_reset() {
    // The hazard of RFC 1337 §1, which RFC 9293 §3.10.7.4 leaves as it is.
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    pipe.shutdown(B);
    pipe.run_for(ms(50));
    pipe.forge(B, segment(B, 302, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.states()[A], State::Closed);
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::Normal)));
}

#[test]
fn data_for_a_program_that_has_closed_for_good_is_answered_by_a_reset() {
    let mut pipe = Pipe::open(&config());
    pipe.with(A, Connection::close);
    pipe.run_for(ms(50));
    assert_eq!(pipe.states(), [State::FinWait2, State::CloseWait]);
    pipe.write(B, b"are you still there?");
    pipe.run_for(ms(50));
    assert_eq!(pipe.states(), [State::Closed; 2]);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Reset)));
}

#[test]
fn closing_with_unread_data_is_a_reset() {
    let mut pipe = Pipe::open(&config());
    pipe.ends[B].reads = false;
    pipe.write(A, b"never read");
    pipe.run_for(ms(50));
    pipe.with(B, Connection::close);
    pipe.run_for(ms(50));
    assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::Reset)));
}

#[test]
fn a_reset_counts_only_at_exactly_the_next_number() {
    let mut pipe = Pipe::open(&config());
    // Outside the window: not even answered. Inside: a challenge ACK (RFC 5961 §3.2).
    pipe.forge(B, segment(B, 300, None, Flags::RST, b""));
    pipe.forge(B, segment(B, 302, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    pipe.assert_ladder(&[
        "<-- <SEQ=300><CTL=RST>",
        "<-- <SEQ=302><CTL=RST>",
        "--> <SEQ=101><ACK=301><CTL=ACK>",
    ]);
    assert_eq!(pipe.states()[A], State::Established);
    pipe.forge(B, segment(B, 301, None, Flags::RST, b"a comment"));
    pipe.run_for(ms(15));
    assert_eq!(pipe.states()[A], State::Closed);
}

#[test]
fn a_syn_in_an_open_connection_is_challenged_but_not_without_end() {
    let mut pipe = Pipe::open(&config());
    for _ in 0..30 {
        pipe.forge(B, segment(B, 305, None, Flags::SYN, b""));
    }
    pipe.run_for(ms(15));
    assert_eq!(pipe.states()[A], State::Established);
    let answers = pipe.log.iter().filter(|(from, _)| *from == A).count();
    assert_eq!(answers, 10);
}

#[test]
fn a_connection_that_only_began_is_forgotten_by_a_shutdown() {
    let mut pipe = Pipe::new(&config());
    pipe.connect(A);
    pipe.shutdown(A);
    assert_eq!(pipe.ends[A].events, [Event::Closed(Reason::Normal)]);
}

#[test]
fn a_reset_takes_unread_data_with_it_unless_the_stream_was_complete() {
    for complete in [false, true] {
        let mut pipe = Pipe::open(&config());
        pipe.ends[B].reads = false;
        pipe.write(A, b"last words");
        if complete {
            pipe.shutdown(A);
            pipe.run_for(ms(50));
            pipe.shutdown(B);
        }
        pipe.run_for(ms(if complete { 5 } else { 15 }));
        pipe.wire.clear();
        let reset = segment(A, if complete { 112 } else { 111 }, None, Flags::RST, b"");
        pipe.with(B, |b, now| b.handle(now, Input::Segment(reset)));
        assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Reset)));
        let unread = pipe.ends[B].connection.as_ref().unwrap().readable();
        assert_eq!(unread, if complete { 10 } else { 0 });
    }
}

#[test]
fn what_has_come_in_order_can_still_be_read_after_the_end() {
    let mut pipe = Pipe::open(&config());
    pipe.ends[B].reads = false;
    pipe.write(A, b"last words");
    pipe.shutdown(A);
    pipe.run_for(ms(50));
    pipe.shutdown(B);
    pipe.run_to_the_end();
    assert_eq!(pipe.states(), [State::Closed; 2]);
    let words = pipe.with(B, |b, now| b.read(now, 100)).unwrap();
    assert_eq!(words, "last words");
    assert!(pipe.ends[B].connection.as_ref().unwrap().at_end_of_stream());
}

#[test]
fn a_peer_that_never_closes_is_waited_for_only_as_long_as_the_program_reads() {
    // Closed for good: FIN-WAIT-2 ends by itself.
    for shut_down_before in [false, true] {
        let mut pipe = Pipe::open(&config());
        if shut_down_before {
            pipe.shutdown(A);
            pipe.run_for(ms(50));
        }
        pipe.with(A, Connection::close);
        pipe.run_for(ms(59_000));
        assert_eq!(pipe.states()[A], State::FinWait2);
        pipe.run_for(ms(2_000));
        assert_eq!(pipe.states()[A], State::Closed);
        assert_eq!(pipe.ends[A].events.last(), Some(&Event::Closed(Reason::TimedOut)));
    }
    // Half-closed: the answer may take its time.
    let mut pipe = Pipe::open(&config());
    pipe.shutdown(A);
    pipe.run_for(Duration::from_secs(24 * 60 * 60));
    assert_eq!(pipe.states()[A], State::FinWait2);
}

#[test]
fn a_reset_at_the_right_edge_is_outside_of_the_window() {
    let mut pipe = Pipe::open(&config());
    pipe.forge(B, segment(B, 301 + 65_535, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.log.len(), 1, "no challenge: {}", pipe.ladder());
    pipe.forge(B, segment(B, 301 + 65_534, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.log.len(), 3, "a challenge: {}", pipe.ladder());
}

#[test]
fn a_reset_of_a_closed_window_counts_at_its_edge() {
    let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
    pipe.ends[A].reads = false;
    pipe.write(B, &[9; 1_000]);
    pipe.run_for(ms(50));
    assert_eq!(pipe.info(A).rcv_wnd, 0);
    pipe.forge(B, segment(B, 1_301, None, Flags::RST, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.states()[A], State::Closed);
}

#[test]
fn an_abort_after_a_probe_resets_a_peer_that_took_the_probe_and_one_that_did_not() {
    for taken in [true, false] {
        let mut pipe = Pipe::open(&Config { recv_buffer: 1_000, ..config() });
        pipe.ends[B].reads = false;
        pipe.write(A, &[9; 2_000]);
        pipe.run_for(ms(500));
        assert_eq!(pipe.info(A).snd_wnd, 0);
        // From here on nothing of B's arrives.
        let mut pipe =
            pipe.with_rule(move |from, _, _| if from == B && taken { Fate::Drop } else { Fate::Pass });
        if taken {
            pipe.ends[B].reads = true;
            pipe.drain(B);
        }
        pipe.log.clear();
        pipe.run_until(|pipe| {
            pipe.log.iter().any(|(from, segment)| *from == A && segment.payload.len() == 1)
        });
        pipe.run_for(ms(50));
        pipe.with(A, Connection::abort);
        let reset = &pipe.log.last().unwrap().1;
        assert_eq!(reset.header.seq, SeqNumber(1_101 + u32::from(taken)), "taken: {taken}");
        pipe.run_for(ms(50));
        assert_eq!(pipe.states()[B], State::Closed, "taken: {taken}");
    }
}

#[test]
fn no_forger_makes_a_connection_answer_without_end() {
    // Each kind of segment that is not acceptable and carries no data: RFC 5961 §7.
    let kinds: [(&str, Segment); 5] = [
        ("a SYN in the window", segment(B, 305, None, Flags::SYN, b"")),
        ("a RST in the window", segment(B, 305, None, Flags::RST, b"")),
        ("an ACK before the window", segment(B, 200, Some(101), Flags::NONE, b"")),
        ("an ACK of what was never sent", segment(B, 301, Some(9_999), Flags::NONE, b"data")),
        ("an ACK from long ago", segment(B, 301, Some(101u32.wrapping_sub(70_000)), Flags::NONE, b"data")),
    ];
    for (name, forged) in kinds {
        let mut pipe = Pipe::open(&config());
        for _ in 0..30 {
            pipe.forge(B, forged.clone());
        }
        pipe.run_for(ms(15));
        let answers = |pipe: &Pipe| pipe.log.iter().filter(|(from, _)| *from == A).count();
        assert_eq!(answers(&pipe), 10, "{name}");
        assert_eq!(pipe.states()[A], State::Established, "{name}");
        pipe.run_for(ms(5_000));
        pipe.forge(B, forged);
        pipe.run_for(ms(15));
        assert_eq!(answers(&pipe), 11, "{name}: after five seconds an answer again");
    }
}

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

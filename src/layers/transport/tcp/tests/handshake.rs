//! Opening: RFC 9293 §3.5 and its figures, refusals, and half-open connections.

use super::*;

#[test]
fn figure_6_the_three_way_handshake() {
    let mut pipe = Pipe::opening(&config());
    pipe.run_for(ms(100));
    pipe.assert_ladder(&[
        "--> <SEQ=100><CTL=SYN>",
        "<-- <SEQ=300><ACK=101><CTL=SYN,ACK>",
        "--> <SEQ=101><ACK=301><CTL=ACK>",
    ]);
    assert_eq!(pipe.states(), [State::Established; 2]);
    assert_eq!(pipe.ends[A].states(), ["CLOSED", "SYN-SENT", "ESTABLISHED"]);
    assert_eq!(pipe.ends[B].states(), ["LISTEN", "SYN-RECEIVED", "ESTABLISHED"]);
    assert_eq!(pipe.ends[A].events, [Event::Connected]);
    assert_eq!(pipe.ends[B].events, [Event::Connected]);
    assert_eq!(pipe.info(A).srtt, Some(ms(20)));
}

#[test]
fn figure_7_both_ends_open_at_the_same_time() {
    let mut pipe = Pipe::new(&config());
    pipe.connect(A);
    pipe.connect(B);
    pipe.run_for(ms(100));
    pipe.assert_ladder(&[
        "--> <SEQ=100><CTL=SYN>",
        "<-- <SEQ=300><CTL=SYN>",
        "<-- <SEQ=300><ACK=101><CTL=SYN,ACK>",
        "--> <SEQ=100><ACK=301><CTL=SYN,ACK>",
    ]);
    assert_eq!(pipe.states(), [State::Established; 2]);
    assert_eq!(pipe.ends[A].states(), ["CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"]);
    pipe.write(A, b"hello");
    pipe.write(B, b"there");
    pipe.run_for(ms(100));
    assert_eq!((&pipe.ends[A].received[..], &pipe.ends[B].received[..]), (&b"there"[..], &b"hello"[..]));
}

#[test]
fn figure_8_an_old_duplicate_syn_is_undone_by_a_reset() {
    let mut pipe = Pipe::new(&config());
    pipe.listen(B);
    pipe.forge(A, segment(A, 90, None, Flags::SYN, b""));
    pipe.delay = ms(11);
    pipe.connect(A);
    pipe.run_for(ms(200));
    pipe.assert_ladder(&[
        "--> <SEQ=90><CTL=SYN>",
        "--> <SEQ=100><CTL=SYN>",
        "<-- <SEQ=300><ACK=91><CTL=SYN,ACK>",
        // The new SYN finds B in SYN-RECEIVED and inside the window: B returns to LISTEN (§3.10.7.4, fourth).
        "--> <SEQ=91><CTL=RST>",
    ]);
    // The SYN is sent again after its timeout, and now all goes well.
    pipe.log.clear();
    pipe.run_for(ms(1_100));
    pipe.assert_ladder(&[
        "--> <SEQ=100><CTL=SYN>",
        "<-- <SEQ=300><ACK=101><CTL=SYN,ACK>",
        "--> <SEQ=101><ACK=301><CTL=ACK>",
    ]);
    assert_eq!(pipe.states(), [State::Established; 2]);
}

#[test]
fn figure_8_as_drawn_with_the_reset_before_the_new_syn() {
    let mut pipe = Pipe::new(&config());
    pipe.listen(B);
    pipe.forge(A, segment(A, 90, None, Flags::SYN, b""));
    let mut pipe = pipe.with_rule(
        |from, number, _| {
            if from == A && number == 1 { Fate::Late(ms(30)) } else { Fate::Pass }
        },
    );
    pipe.connect(A);
    pipe.run_for(ms(200));
    pipe.assert_ladder(&[
        "--> <SEQ=90><CTL=SYN>",
        "--> <SEQ=100><CTL=SYN>",
        "<-- <SEQ=300><ACK=91><CTL=SYN,ACK>",
        "--> <SEQ=91><CTL=RST>",
        "<-- <SEQ=300><ACK=101><CTL=SYN,ACK>",
        "--> <SEQ=101><ACK=301><CTL=ACK>",
    ]);
    assert_eq!(pipe.states(), [State::Established; 2]);
}

#[test]
fn figure_9_a_crashed_end_that_opens_anew_finds_the_half_open_connection() {
    let mut pipe = Pipe::open(&config());
    pipe.ends[A].connection = None;
    pipe.ends[A].isn = SeqNumber(400);
    pipe.ends[B].listener = None;
    pipe.connect(A);
    pipe.run_for(ms(100));
    pipe.assert_ladder(&[
        "--> <SEQ=400><CTL=SYN>",
        "<-- <SEQ=301><ACK=101><CTL=ACK>",
        "--> <SEQ=101><CTL=RST>",
    ]);
    assert_eq!(pipe.states(), [State::SynSent, State::Closed]);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Reset)));
    // "Send SYN again": with B listening, the handshake goes through.
    pipe.listen(B);
    pipe.ends[B].isn = SeqNumber(500);
    pipe.run_for(ms(1_100));
    assert_eq!(pipe.states(), [State::Established; 2]);
}

#[test]
fn figure_10_data_to_a_crashed_end_is_answered_by_a_reset() {
    let mut pipe = Pipe::open(&config());
    pipe.ends[A].connection = None;
    pipe.write(B, b"anyone there?");
    pipe.run_for(ms(100));
    pipe.assert_ladder(&["<-- <SEQ=301><ACK=101><DATA=13><CTL=ACK>", "--> <SEQ=101><CTL=RST>"]);
    assert_eq!(pipe.ends[B].state(), State::Closed);
    assert_eq!(pipe.ends[B].events.last(), Some(&Event::Closed(Reason::Reset)));
}

#[test]
fn figure_11_an_old_syn_between_two_listeners_leaves_both_listening() {
    let mut pipe = Pipe::new(&config());
    pipe.listen(A);
    pipe.listen(B);
    pipe.forge(A, segment(A, 90, None, Flags::SYN, b""));
    pipe.run_for(ms(100));
    pipe.assert_ladder(&[
        "--> <SEQ=90><CTL=SYN>",
        "<-- <SEQ=300><ACK=91><CTL=SYN,ACK>",
        "--> <SEQ=91><CTL=RST>",
    ]);
    assert_eq!(pipe.ends[B].state(), State::Closed);
}

#[test]
fn a_closed_port_refuses() {
    let mut pipe = Pipe::new(&config());
    pipe.connect(A);
    pipe.run_for(ms(100));
    pipe.assert_ladder(&["--> <SEQ=100><CTL=SYN>", "<-- <SEQ=0><ACK=101><CTL=RST,ACK>"]);
    assert_eq!(pipe.ends[A].events, [Event::Closed(Reason::Refused)]);
}

#[test]
fn each_lost_segment_of_the_handshake_is_made_good() {
    for lost in 0..3 {
        let mut pipe = Pipe::opening(&config());
        // The SYN of `opening` is on the wire already: lose it by hand.
        if lost == 0 {
            pipe.wire.clear();
        }
        let mut pipe = pipe.with_rule(move |_, n, _| if n == lost { Fate::Drop } else { Fate::Pass });
        pipe.run_for(ms(5_000));
        assert_eq!(pipe.states(), [State::Established; 2], "segment {lost}\n{}", pipe.ladder());
        let again = pipe.ends[A].retransmitted() + pipe.ends[B].retransmitted();
        assert!(again >= 1, "segment {lost}");
        assert_eq!(again as u64, pipe.info(A).retransmissions + pipe.info(B).retransmissions);
        assert_eq!(pipe.ends[A].events, [Event::Connected]);
    }
}

#[test]
fn after_a_lost_syn_the_timeout_starts_from_three_seconds() {
    let mut pipe = Pipe::opening(&config());
    pipe.wire.clear();
    pipe.run_for(ms(1_500));
    assert_eq!(pipe.states(), [State::Established; 2]);
    assert_eq!(pipe.info(A).rto, Duration::from_secs(3));
    assert_eq!(pipe.info(A).srtt, None);
}

#[test]
fn the_smaller_segment_size_counts_for_both() {
    let mut pipe = Pipe::new(&config());
    pipe.ends[A].config.mss = 1000;
    pipe.ends[B].config.mss = 700;
    pipe.listen(B);
    pipe.connect(A);
    pipe.run_for(ms(100));
    assert_eq!((pipe.info(A).mss, pipe.info(B).mss), (700, 700));
    pipe.write(A, &[1; 5_000]);
    pipe.run_for(ms(500));
    assert!(pipe.log.iter().all(|(_, segment)| segment.payload.len() <= 700));
    assert_eq!(pipe.ends[B].received.len(), 5_000);
}

#[test]
fn a_syn_without_a_segment_size_means_536() {
    let mut pipe = Pipe::new(&config());
    pipe.listen(B);
    pipe.forge(A, segment(A, 100, None, Flags::SYN, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.info(B).mss, 536);
    let (_, syn_ack) = pipe.log.last().unwrap();
    assert_eq!((syn_ack.header.options.mss(), syn_ack.header.options.window_scale()), (Some(1460), None));
}

#[test]
fn windows_are_scaled_only_when_both_ends_offer_it() {
    for both in [true, false] {
        let mut pipe = Pipe::new(&Config { recv_buffer: 1 << 20, send_buffer: 1 << 20, ..config() });
        pipe.ends[B].config.window_scale = both;
        pipe.listen(B);
        pipe.connect(A);
        pipe.run_for(ms(100));
        pipe.write(A, &vec![7; 900_000]);
        // The window of a SYN is never scaled, so the first flight is small; the ACKs of it tell the true window.
        pipe.run_for(ms(5));
        assert!(pipe.info(A).unacked <= 65_535);
        pipe.run_for(ms(20));
        let in_flight = pipe.info(A).unacked;
        assert_eq!(in_flight > 65_535, both, "{in_flight}");
        pipe.run_for(ms(5_000));
        assert_eq!(pipe.ends[B].received.len(), 900_000);
        assert_eq!(pipe.info(A).retransmissions, 0);
    }
}

#[test]
fn data_in_a_syn_waits_for_the_handshake() {
    let mut pipe =
        Pipe::new(&config()).with_rule(|from, _, _| if from == B { Fate::Drop } else { Fate::Pass });
    pipe.listen(B);
    pipe.forge(A, segment(A, 100, None, Flags::SYN, b"early"));
    pipe.run_for(ms(15));
    assert_eq!(pipe.ends[B].connection.as_ref().unwrap().readable(), 0);
    // The five bytes are acknowledged, and have taken their part of the window.
    let (_, syn_ack) = pipe.log.last().unwrap();
    assert_eq!((syn_ack.header.ack, syn_ack.header.window), (SeqNumber(106), 65_530));
    pipe.forge(A, segment(A, 106, Some(301), Flags::NONE, b""));
    pipe.run_for(ms(15));
    assert_eq!(pipe.ends[B].events, [Event::Connected, Event::Readable]);
    assert_eq!(pipe.ends[B].received, b"early");
}

#[test]
fn what_is_written_before_the_handshake_follows_it() {
    let mut pipe = Pipe::opening(&config());
    pipe.write(A, b"GET /");
    pipe.shutdown(A);
    pipe.run_for(ms(100));
    assert_eq!(pipe.ends[B].received, b"GET /");
    assert_eq!(pipe.states(), [State::FinWait2, State::CloseWait]);
}

#[test]
fn an_ack_of_what_was_never_sent_does_not_open() {
    let mut pipe = Pipe::opening(&config());
    pipe.run_for(ms(15));
    pipe.forge(A, segment(A, 101, Some(999), Flags::NONE, b""));
    pipe.run_for(ms(1));
    pipe.wire.retain(|_, (to, _)| *to == B);
    pipe.run_for(ms(12));
    assert_eq!(pipe.log.last().unwrap().1.header.seq, SeqNumber(999));
    assert!(pipe.log.last().unwrap().1.header.flags.has(Flags::RST));
    assert_ne!(pipe.ends[B].state(), State::Closed);
}

#[test]
fn the_user_timeout_ends_a_handshake_that_nobody_answers() {
    let mut pipe = Pipe::new(&Config { user_timeout: Some(Duration::from_secs(20)), ..config() });
    pipe.rule = Box::new(|_, _, _| Fate::Drop);
    pipe.connect(A);
    pipe.run_to_the_end();
    let told = [Event::Report(Report::Retransmissions), Event::Closed(Reason::TimedOut)];
    assert_eq!(pipe.ends[A].events, told);
    assert_eq!(pipe.now, Instant::from_millis(20_000));
    // At 0, 1, 3, 7 and 15 s.
    assert_eq!(pipe.log.len(), 5);
}

#[test]
fn the_user_timeout_of_a_handshake_ends_with_it_also_for_a_program_that_wrote_early() {
    let mut pipe = Pipe::new(&config());
    pipe.listen(B);
    pipe.write(B, b"welcome");
    pipe.connect(A);
    // The handshake is done, and after it nothing of B's arrives for five minutes.
    pipe.rule = Box::new(|from, n, _| if from == B && n > 1 { Fate::Drop } else { Fate::Pass });
    pipe.run_for(Duration::from_secs(300));
    assert_eq!(pipe.states(), [State::Established; 2]);
    assert!(pipe.ends[A].received.is_empty() && pipe.info(B).retransmissions > 5, "{}", pipe.ladder());
    pipe.rule = Box::new(|_, _, _| Fate::Pass);
    pipe.run_to_the_end();
    assert_eq!(pipe.ends[A].received, b"welcome");
}

#[test]
fn icmp_errors_end_a_handshake_only_when_hard_and_about_what_is_in_flight() {
    let mut pipe = Pipe::opening(&config());
    let icmp = |error, seq| Input::Icmp { error, seq: SeqNumber(seq) };
    pipe.with(A, |a, now| a.handle(now, icmp(IcmpError::Soft, 100)));
    assert_eq!(pipe.info(A).icmp_error, Some(IcmpError::Soft));
    pipe.with(A, |a, now| a.handle(now, icmp(IcmpError::Hard, 99)));
    assert_eq!(pipe.ends[A].state(), State::SynSent);
    pipe.with(A, |a, now| a.handle(now, icmp(IcmpError::Hard, 100)));
    let told = [Event::Report(Report::Icmp(IcmpError::Soft)), Event::Closed(Reason::Unreachable)];
    assert_eq!(pipe.ends[A].events, told);
}

#[test]
fn a_syn_that_came_again_starts_the_timer_of_its_answer_anew() {
    let mut pipe =
        Pipe::new(&config()).with_rule(|from, _, _| if from == B { Fate::Drop } else { Fate::Pass });
    pipe.listen(B);
    let syn = || segment(A, 100, None, Flags::SYN, b"");
    pipe.forge(A, syn());
    // The answer of B leaves at 10 ms, so its timer is due at 1010 ms: just after the answer to the second SYN.
    pipe.run_for(ms(999));
    pipe.forge(A, syn());
    pipe.run_for(ms(1_000));
    assert_eq!(pipe.log.iter().filter(|(from, _)| *from == B).count(), 2, "{}", pipe.ladder());
    pipe.run_for(ms(20));
    assert_eq!(pipe.log.iter().filter(|(from, _)| *from == B).count(), 3, "the timer counts from the second");
}

#[test]
fn a_syn_right_behind_a_repeated_answer_is_not_answered_again() {
    let mut pipe =
        Pipe::new(&config()).with_rule(|from, _, _| if from == B { Fate::Drop } else { Fate::Pass });
    pipe.listen(B);
    pipe.forge(A, segment(A, 100, None, Flags::SYN, b""));
    pipe.run_for(ms(1_001));
    for _ in 0..50 {
        pipe.forge(A, segment(A, 100, None, Flags::SYN, b""));
    }
    pipe.run_for(ms(15));
    // At 10 ms, and at 1010 ms by the timer.
    assert_eq!(pipe.log.iter().filter(|(from, _)| *from == B).count(), 2, "{}", pipe.ladder());
}

#[test]
fn a_peer_cannot_ask_for_segments_of_a_byte() {
    for (asked, taken) in [(0, 48), (1, 48), (47, 48), (48, 48), (100, 100)] {
        let mut pipe = Pipe::new(&config());
        pipe.listen(B);
        let mut syn = segment(A, 100, None, Flags::SYN, b"");
        syn.header.options.push(TcpOption::MaximumSegmentSize(asked));
        pipe.forge(A, syn);
        pipe.run_for(ms(15));
        assert_eq!(pipe.info(B).mss, taken, "{asked}");
    }
}

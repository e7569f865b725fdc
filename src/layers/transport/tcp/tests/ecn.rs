//! Explicit congestion notification (RFC 3168 §6.1).

use super::super::congestion::Algorithm;
use super::*;

fn ecn() -> Config {
    Config { ecn: true, congestion: Algorithm::NEWRENO, ..config() }
}

/// ECE and CWR of what an end has sent.
fn marks(pipe: &Pipe, side: usize) -> Vec<(bool, bool)> {
    let has = |segment: &Segment, flag| segment.header.flags.has(flag);
    let sent = pipe.log.iter().filter(|(from, _)| *from == side);
    sent.map(|(_, segment)| (has(segment, Flags::ECE), has(segment, Flags::CWR))).collect()
}

#[test]
fn both_syns_say_that_marks_are_understood_and_by_default_neither_does() {
    let none = (false, false);
    for (a, b, answer) in [(true, true, (true, false)), (true, false, none), (false, true, none)] {
        let mut pipe = Pipe::new(&config());
        (pipe.ends[A].config.ecn, pipe.ends[B].config.ecn) = (a, b);
        pipe.listen(B);
        pipe.connect(A);
        pipe.run_for(ms(100));
        assert_eq!(marks(&pipe, A), [(a, a), none]);
        assert_eq!(marks(&pipe, B), [answer]);
        pipe.log.clear();
        pipe.write(A, b"hello");
        let [(_, data)] = &pipe.log[..] else { panic!("{}", pipe.ladder()) };
        assert_eq!(pipe.ends[A].connection.as_ref().unwrap().may_be_marked(data), a && b);
    }
    assert!(!Config::default().ecn);
}

#[test]
fn a_mark_makes_the_window_smaller_once_and_is_echoed_until_that_is_known() {
    const MSS: usize = 1_460;
    let ssthresh = |pipe: &Pipe| pipe.ends[A].connection.as_ref().unwrap().congestion.ssthresh();
    let mut pipe = Pipe::open(&ecn());
    pipe.rule = Box::new(|from, n, _| if from == A && n == 0 { Fate::Drop } else { Fate::Pass });
    pipe.write(A, &[1; 10 * MSS]);
    // The first one arrives, before the others, with a mark.
    let marked = pipe.log[0].1.clone();
    pipe.with(B, |b, now| b.handle(now, Input::Marked(marked)));
    pipe.run_for(ms(100));
    assert_eq!(marks(&pipe, B), [(true, false); 10], "each ACK says it");
    assert_eq!(marks(&pipe, A), [(false, false); 10]);
    // Ten were in flight when the first ACK came.
    assert_eq!(ssthresh(&pipe), 5 * MSS as u64);
    pipe.log.clear();
    pipe.rule = Box::new(|_, _, _| Fate::Pass);
    pipe.write(A, &[2; 3 * MSS]);
    pipe.run_for(ms(100));
    assert_eq!(marks(&pipe, A), [(false, true), (false, false), (false, false)], "the first new data");
    assert_eq!(marks(&pipe, B), [(false, false); 3]);
    assert_eq!((ssthresh(&pipe), pipe.info(A).retransmissions), (5 * MSS as u64, 0));
    assert_eq!(pipe.ends[B].received.len(), 13 * MSS);
}

#[test]
fn what_is_sent_again_a_bare_ack_and_a_probe_may_not_be_marked() {
    let mut pipe = Pipe::open(&ecn()).with_rule(|_, _, _| Fate::Drop);
    let may =
        |pipe: &Pipe| pipe.ends[A].connection.as_ref().unwrap().may_be_marked(&pipe.log.last().unwrap().1);
    pipe.write(A, b"hello");
    assert!(may(&pipe));
    pipe.run_for(ms(1_100));
    assert!(pipe.log.len() == 2 && !may(&pipe));
    pipe.with(A, |a, now| a.handle(now, Input::Segment(segment(B, 301, Some(101), Flags::NONE, b"x"))));
    assert!(pipe.log.len() == 3 && !may(&pipe));
    let mut closed = segment(B, 302, Some(106), Flags::NONE, b"");
    closed.header.window = 0;
    pipe.with(A, |a, now| a.handle(now, Input::Segment(closed)));
    pipe.write(A, b"more");
    pipe.run_for(ms(9_000));
    assert!(pipe.log.last().unwrap().1.payload == "m" && !may(&pipe), "{}", pipe.ladder());
}

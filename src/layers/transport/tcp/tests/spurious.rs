//! Repairs that were not needed are undone.

use super::*;
use crate::layers::transport::tcp::congestion::Algorithm;

fn newreno() -> Config {
    Config {
        congestion: Algorithm::NEWRENO,
        frto: true,
        send_buffer: 1 << 20,
        recv_buffer: 1 << 20,
        ..config()
    }
}

/// What cwnd was, and why it changed.
fn windows(pipe: &Pipe) -> Vec<(u64, String)> {
    let of = |kind: &trace::Kind| match kind {
        trace::Kind::CwndChanged { cwnd, why, .. } => Some((*cwnd, why.to_string())),
        _ => None,
    };
    pipe.ends[A].traces.iter().filter_map(of).collect()
}

/// Fourteen segments on a path that has become slow: the timer goes off after a second, and the ACKs come after 1.4 s.
fn late(config: &Config) -> Pipe {
    let mut pipe = Pipe::open(config);
    pipe.write(A, &[7; 10_000]);
    pipe.run_for(ms(100));
    pipe.delay = ms(700);
    pipe.write(A, &[7; 20_000]);
    pipe.run_for(Duration::from_secs(20));
    assert_eq!(pipe.ends[B].received.len(), 30_000);
    pipe
}

#[test]
fn a_timeout_that_came_too_soon_shows_in_the_echo_of_the_first_ack() {
    let pipe = late(&Config { timestamps: true, ..newreno() });
    assert_eq!(pipe.info(A).retransmissions, 1, "the rest was in flight");
    let windows = windows(&pipe);
    let undone = windows.iter().position(|(_, why)| why.contains("for the first transmission"));
    let undone = undone.unwrap_or_else(|| panic!("{windows:?}"));
    assert!(windows[undone].0 > windows[undone - 1].0 && windows[undone].0 >= 14_600, "{windows:?}");
}

#[test]
fn without_timestamps_two_acks_that_advance_show_it() {
    for sack in [false, true] {
        let pipe = late(&Config { sack, ..newreno() });
        let windows = windows(&pipe);
        assert!(windows.iter().any(|(_, why)| why.contains("two ACKs advanced")), "sack {sack}: {windows:?}");
        assert!(pipe.info(A).retransmissions <= 2, "{}", pipe.info(A).retransmissions);
    }
}

#[test]
fn a_timeout_for_a_loss_stays_what_it_is() {
    for timestamps in [false, true] {
        let mut pipe = Pipe::open(&Config { timestamps, ..newreno() });
        pipe.write(A, &[7; 10_000]);
        pipe.run_for(ms(100));
        let mut lost = 0;
        // A whole flight is lost, and nothing of it shows before the timer.
        pipe.rule = Box::new(move |from, _, segment| {
            let loses = from == A && !segment.payload.is_empty() && lost < 5;
            lost += usize::from(loses);
            if loses { Fate::Drop } else { Fate::Pass }
        });
        pipe.write(A, &[7; 5 * 1_400]);
        pipe.run_for(Duration::from_secs(20));
        assert_eq!(pipe.ends[B].received.len(), 17_000);
        let windows = windows(&pipe);
        assert!(windows.iter().all(|(_, why)| !why.contains("nothing was lost")), "{windows:?}");
        assert!(pipe.info(A).retransmissions >= 5);
    }
}

#[test]
fn a_timeout_because_all_acks_were_lost_is_not_taken_back() {
    // RFC 3522 §3.3: the repetition is a duplicate, and what the receiver echoes is older than it.
    for sack in [false, true] {
        let mut pipe = Pipe::open(&Config { timestamps: true, sack, ..newreno() });
        pipe.write(A, &[7; 10_000]);
        pipe.run_for(ms(100));
        let mut lost = 0;
        pipe.rule = Box::new(move |from, _, _| {
            let loses = from == B && lost < 5;
            lost += usize::from(loses);
            if loses { Fate::Drop } else { Fate::Pass }
        });
        pipe.write(A, &[7; 5 * 1_400]);
        pipe.run_for(Duration::from_secs(20));
        assert_eq!(pipe.ends[B].received.len(), 17_000);
        let windows = windows(&pipe);
        assert!(windows.iter().any(|(cwnd, _)| *cwnd <= 1_460), "sack {sack}: a timeout: {windows:?}");
        assert!(windows.iter().all(|(_, why)| !why.contains("nothing was lost")), "sack {sack}: {windows:?}");
    }
}

#[test]
fn a_segment_that_was_overtaken_by_three_is_no_loss_after_all() {
    for timestamps in [false, true] {
        let config = Config { timestamps, sack: true, nodelay: true, ..newreno() };
        let mut pipe = Pipe::open(&config);
        pipe.write(A, &[7; 14_600]);
        pipe.run_for(ms(500));
        let mut count = 0;
        pipe.rule = Box::new(move |from, _, segment| {
            count += usize::from(from == A && !segment.payload.is_empty());
            // 15 ms late: after the third duplicate has left, before the repetition arrives.
            if from == A && count == 1 && !segment.payload.is_empty() {
                Fate::Late(ms(15))
            } else {
                Fate::Pass
            }
        });
        pipe.write(A, &[7; 14_600]);
        pipe.run_for(Duration::from_secs(5));
        assert_eq!(pipe.ends[B].received.len(), 29_200);
        let windows = windows(&pipe);
        assert!(windows.iter().any(|(_, why)| why.contains("nothing was lost")), "{timestamps} {windows:?}");
        assert_eq!(pipe.info(A).retransmissions, 1);
        let highest = windows.iter().map(|(cwnd, _)| *cwnd).max();
        assert_eq!(windows.last().map(|(cwnd, _)| *cwnd), highest, "back where it was: {windows:?}");
    }
}

#[test]
fn reno_repairs_one_loss_in_a_window_quickly_and_two_less_so() {
    let time = |congestion, lost: &'static [usize]| {
        let mut pipe = Pipe::open(&Config { congestion, ..newreno() });
        let mut count = 0;
        pipe.rule = Box::new(move |from, _, segment| {
            if from == B || segment.payload.is_empty() {
                return Fate::Pass;
            }
            count += 1;
            if lost.contains(&(count - 1)) { Fate::Drop } else { Fate::Pass }
        });
        pipe.write(A, &[7; 30 * 1_460]);
        let began = pipe.now;
        pipe.run_until(|pipe| pipe.ends[B].received.len() == 30 * 1_460);
        pipe.now.since(began)
    };
    assert_eq!(time(Algorithm::RENO, &[2]), time(Algorithm::NEWRENO, &[2]));
    let (reno, newreno) = (time(Algorithm::RENO, &[2, 4, 6]), time(Algorithm::NEWRENO, &[2, 4, 6]));
    assert!(reno > newreno, "{reno} and {newreno}");
}

#[test]
fn paced_segments_leave_one_after_the_other() {
    let spread = |pacing| {
        let mut pipe = Pipe::open(&Config { pacing, ..newreno() });
        pipe.write(A, &[7; 10 * 1_460]);
        pipe.run_for(ms(4));
        pipe.info(A).unacked
    };
    // Ten segments, at twice the window in a round trip of 20 ms: one each ms.
    assert_eq!(spread(false), 10 * 1_460);
    let after_4_ms = spread(true);
    assert!((4 * 1_460..=6 * 1_460).contains(&after_4_ms), "{after_4_ms}");
    let mut pipe = Pipe::open(&Config { pacing: true, ..newreno() });
    pipe.write(A, &[7; 100 * 1_460]);
    pipe.run_for(Duration::from_secs(2));
    assert_eq!((pipe.ends[B].received.len(), pipe.info(A).retransmissions), (146_000, 0));
}

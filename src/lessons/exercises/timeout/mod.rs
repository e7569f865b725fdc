//! Exercise of lesson 10: the retransmission timeout.
//!
//! Read first: RFC 6298 §2 (the averages), §3 (Karn's algorithm), §5 (the timer). Left out: a SYN that was lost (§5.7).

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "timeout",
    lesson: "loss",
    title: "how long to wait for an ACK",
    task: "A sender measures round trips and sets its retransmission timer by them. Say how long the timeout is after \
           each measurement and after each time the timer expires, in whole milliseconds. The clock has a granularity \
           of 1 ms; the timeout is at least a second and at most a minute (RFC 6298 §2, §5).",
    hints: &[
        "The first measurement R sets both averages: SRTT = R and RTTVAR = R / 2. Then RTO = SRTT + 4 * RTTVAR.",
        "However short the round trip is, RTO is at least 1000: a timeout that is too short sends again what is only \
         late.",
        "Every later measurement R: RTTVAR = 3/4 * RTTVAR + 1/4 * |SRTT - R|, and after that SRTT = 7/8 * SRTT + 1/8 * R. \
         The order matters. Then RTO as before.",
        "Each time the timer expires, RTO doubles, up to 60000. It stays so until the next measurement.",
        "An ACK for a segment that was sent twice measures nothing: it may answer either of them. Leave everything as \
         it is (Karn's algorithm).",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What a sender knows of the round trip. All times are in milliseconds.
pub trait Timeout {
    /// Before anything was measured.
    fn begin() -> Self;

    /// An ACK came for a segment that was sent once, `rtt` after it was sent.
    fn measured(&mut self, rtt: f64);

    /// An ACK came for a segment that was sent twice, `rtt` after it was sent the second time.
    fn ambiguous(&mut self, rtt: f64);

    /// The timer expired.
    fn expired(&mut self);

    /// How long the timer is set to.
    fn rto(&self) -> f64;
}

/// The timer under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<T>(Option<T>);

impl<T: Timeout> Session<T> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin`, `measured MS`, `ambiguous MS` or `expired`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin    and then: measured 800", |words| {
            let time = |word: &str| word.parse::<u32>().ok().map(f64::from);
            match (words, &mut self.0) {
                (["begin"], state) => *state = Some(T::begin()),
                (["measured", rtt], Some(timer)) => timer.measured(time(rtt)?),
                (["ambiguous", rtt], Some(timer)) => timer.ambiguous(time(rtt)?),
                (["expired"], Some(timer)) => timer.expired(),
                _ => return None,
            }
            Some(vec![Fact::new("rto", self.0.as_ref()?.rto() as u64)])
        })
    }
}

fn cases() -> Vec<Case> {
    const BEGIN: &str = "Before a round trip was measured the timeout is one second (RFC 6298 §2.1).";
    const FIRST: &str = "The first one sets SRTT to R and RTTVAR to R/2 (RFC 6298 §2.2).";
    const LATER: &str = "RTTVAR moves by a quarter, then SRTT by an eighth (RFC 6298 §2.3).";
    const LEAST: &str = "Less than a second is rounded up to a second (RFC 6298 §2.4).";
    const EXPIRED: &str = "The timer backs off: each wait is twice as long (RFC 6298 §5.5).";
    const MOST: &str =
        "There may be an upper bound of a minute or more; here it is a minute (RFC 6298 §2.5).";
    const KARN: &str = "It may answer the first or the second sending, so it is no measurement (RFC 6298 §3, Karn's algorithm).";
    const AGAIN: &str = "A measurement of new data ends the back-off (RFC 6298 §5, the note at its end).";
    let case = |hint, title, story: &[(&str, u64, &'static str)]| Case {
        title,
        hint,
        steps: std::iter::once(("begin", 1000, BEGIN))
            .chain(story.iter().copied())
            .map(|(input, rto, why)| line(input, vec![Fact::new("rto", rto)], why))
            .collect(),
    };
    vec![
        case(0, "nothing is measured yet", &[]),
        case(0, "the first round trip", &[("measured 800", 2400, FIRST)]),
        case(1, "a short one", &[("measured 100", 1000, LEAST)]),
        case(
            2,
            "always the same",
            &[("measured 800", 2400, FIRST), ("measured 800", 2000, LATER), ("measured 800", 1700, LATER)],
        ),
        case(2, "one that is longer", &[("measured 800", 2400, FIRST), ("measured 1600", 2900, LATER)]),
        case(2, "one that is shorter", &[("measured 1600", 4800, FIRST), ("measured 800", 4700, LATER)]),
        case(
            3,
            "the timer expires",
            &[("measured 800", 2400, FIRST), ("expired", 4800, EXPIRED), ("expired", 9600, EXPIRED)],
        ),
        case(3, "before anything was measured", &[("expired", 2000, EXPIRED), ("expired", 4000, EXPIRED)]),
        case(
            3,
            "up to a minute",
            &[("measured 8000", 24_000, FIRST), ("expired", 48_000, EXPIRED), ("expired", 60_000, MOST)],
        ),
        case(
            4,
            "an ACK for what was sent twice",
            &[("measured 800", 2400, FIRST), ("expired", 4800, EXPIRED), ("ambiguous 700", 4800, KARN)],
        ),
        case(
            4,
            "and then one for what was sent once",
            &[
                ("measured 800", 2400, FIRST),
                ("expired", 4800, EXPIRED),
                ("ambiguous 700", 4800, KARN),
                ("measured 800", 2000, AGAIN),
            ],
        ),
    ]
}

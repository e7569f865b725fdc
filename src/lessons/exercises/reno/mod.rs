//! Exercise of lesson 13: a congestion window of your own.
//!
//! Read first: RFC 5681 §3.1 (slow start, congestion avoidance) and §3.2, RFC 6928 §2 (the first window). Left out: how
//! cwnd is inflated while a loss is being repaired: what counts is its value after it.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "reno",
    lesson: "congestion",
    title: "a congestion window of your own",
    task: "ACKs come, losses show, timers expire. Say cwnd and ssthresh in bytes after each line, with the formulas \
           of RFC 5681 §3.1; fractions are cut off. The first window is that of RFC 6928 §2. After three duplicate \
           ACKs give the window that is left when the loss is repaired; from ssthresh on it is congestion avoidance.",
    hints: &[
        "The first window is min(10 * MSS, max(2 * MSS, 14600)); ssthresh is none before the first loss.",
        "In slow start, below ssthresh, each ACK opens the window by what it acknowledges, but by at most one MSS \
         (equation 2).",
        "At a loss ssthresh becomes half of what was in flight, but at least 2 * MSS (equation 4). After three \
         duplicate ACKs cwnd is ssthresh, after a timeout it is one MSS.",
        "From ssthresh on each ACK opens the window by MSS * MSS / cwnd, which is about one MSS in each round trip \
         (equation 3).",
        "With a large window and small segments that formula gives 0. Then it is 1 byte, or the window would never \
         grow again.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A sender's judgement of the network. All numbers are bytes.
pub trait Control {
    /// A connection whose full segments have `mss` bytes.
    fn begin(mss: u32) -> Self;

    /// An ACK for this many new bytes arrives.
    fn ack(&mut self, bytes: u32);

    /// Three duplicate ACKs have come while this many bytes were in flight.
    fn duplicates(&mut self, in_flight: u32);

    /// The retransmission timer expired while this many bytes were in flight.
    fn timeout(&mut self, in_flight: u32);

    /// The congestion window.
    fn cwnd(&self) -> u32;

    /// Where slow start ends; nothing before the first loss.
    fn ssthresh(&self) -> Option<u32>;
}

/// The control under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<C>(Option<C>);

impl<C: Control> Session<C> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin MSS`, `ack BYTES`, `duplicates IN_FLIGHT` or `timeout IN_FLIGHT`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 1000    and then: ack 1000", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [mss @ 1..=9000], state) => {
                    let control = state.insert(C::begin(*mss));
                    facts(control.cwnd(), control.ssthresh())
                }
                (event, [bytes @ 0..=1_000_000], Some(control)) => {
                    match event {
                        "ack" => control.ack(*bytes),
                        "duplicates" => control.duplicates(*bytes),
                        "timeout" => control.timeout(*bytes),
                        _ => return None,
                    }
                    facts(control.cwnd(), control.ssthresh())
                }
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn facts(cwnd: u32, ssthresh: Option<u32>) -> Vec<Fact> {
    let ssthresh = ssthresh.map_or("none".to_owned(), |bytes| bytes.to_string());
    vec![Fact::new("cwnd", cwnd), Fact::new("ssthresh", ssthresh)]
}

fn cases() -> Vec<Case> {
    const FIRST: &str = "The first window is min(10 MSS, max(2 MSS, 14600)) bytes (RFC 6928 §2).";
    const SLOW: &str =
        "Slow start: by what is acknowledged, at most one MSS an ACK (RFC 5681 §3.1, equation 2).";
    const HALF: &str =
        "Half of what was in flight, and not less than two segments (RFC 5681 §3.1, equation 4).";
    const LOST: &str = "A timeout: ssthresh as before, and the window is one segment (RFC 5681 §3.1).";
    const AVOID: &str = "Congestion avoidance: MSS * MSS / cwnd an ACK (RFC 5681 §3.1, equation 3).";
    const LEAST: &str = "When the formula gives 0, it is one byte (RFC 5681 §3.1).";
    type Told<'a> = (&'a str, u32, Option<u32>, &'static str);
    let case = |hint, title, story: &[Told<'_>]| Case {
        title,
        hint,
        steps: story
            .iter()
            .map(|(input, cwnd, ssthresh, why)| line(*input, facts(*cwnd, *ssthresh), why))
            .collect(),
    };
    let begin = ("begin 1000", 10_000, None, FIRST);
    vec![
        case(0, "the first window", &[begin]),
        case(0, "with large segments", &[("begin 8960", 17_920, None, FIRST)]),
        case(
            1,
            "slow start",
            &[
                begin,
                ("ack 1000", 11_000, None, SLOW),
                ("ack 2000", 12_000, None, SLOW),
                ("ack 500", 12_500, None, SLOW),
            ],
        ),
        case(2, "three duplicate ACKs", &[begin, ("duplicates 10000", 5000, Some(5000), HALF)]),
        case(2, "with little in flight", &[begin, ("duplicates 3000", 2000, Some(2000), HALF)]),
        case(2, "a timeout", &[begin, ("timeout 10000", 1000, Some(5000), LOST)]),
        case(
            3,
            "congestion avoidance",
            &[
                begin,
                ("duplicates 10000", 5000, Some(5000), HALF),
                ("ack 1000", 5200, Some(5000), AVOID),
                ("ack 1000", 5392, Some(5000), AVOID),
            ],
        ),
        case(
            3,
            "slow start, and its end",
            &[
                begin,
                ("timeout 6000", 1000, Some(3000), LOST),
                ("ack 1000", 2000, Some(3000), SLOW),
                ("ack 1000", 3000, Some(3000), SLOW),
                ("ack 1000", 3333, Some(3000), AVOID),
            ],
        ),
        case(
            4,
            "small segments and a large window",
            &[
                ("begin 100", 1000, None, FIRST),
                ("duplicates 40000", 20_000, Some(20_000), HALF),
                ("ack 100", 20_001, Some(20_000), LEAST),
            ],
        ),
    ]
}

//! Exercise of lesson 12: which ACK may wait.
//!
//! Read first: RFC 9293 §3.8.6.3, RFC 5681 §4.2. Left out: several gaps at a time, numbers that wrap around.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "delayed",
    lesson: "nagle",
    title: "which ACK may wait",
    task: "Segments arrive at times in milliseconds: data TIME SEQ LEN. Say the number of the ACK that leaves now, or \
           none, and until when one waits, or -. Also when our own data leaves (sends TIME) and when time has passed \
           (time TIME): RFC 9293 §3.8.6.3.",
    hints: &[
        "What comes in order may be acknowledged later: set due to now + delay, and say none. When the time has come, \
         the ACK leaves and nothing is due.",
        "The clock runs from the first segment that waits. A second one does not start it again, or a steady trickle \
         would never be acknowledged.",
        "When the bytes that came in order since the last ACK are two full segments or more, the ACK leaves at once, \
         however small the pieces were.",
        "A segment that leaves a gap, one that fills it, and one that was there before are acknowledged at once: the \
         sender is to learn quickly what is missing.",
        "Our own segments carry an ACK. After one of them nothing is due.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A receiver that acknowledges. Bytes are counted from 1, times in milliseconds.
pub trait Acknowledge {
    /// Full segments have `mss` bytes, and an ACK may wait for `delay`.
    fn begin(mss: u32, delay: u32) -> Self;

    /// A segment arrives. Gives the number of the ACK that leaves now, if one does.
    fn data(&mut self, now: u32, seq: u32, len: u32) -> Option<u32>;

    /// A segment with data of our own leaves. Gives the number that it acknowledges.
    fn sends(&mut self, now: u32) -> Option<u32>;

    /// Time has passed. Gives the number of the ACK that leaves now, if one does.
    fn time(&mut self, now: u32) -> Option<u32>;

    /// Until when an ACK waits, if one does.
    fn due(&self) -> Option<u32>;
}

/// The receiver under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<R>(Option<R>);

impl<R: Acknowledge> Session<R> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin MSS DELAY`, `data TIME SEQ LEN`, `sends TIME` or `time TIME`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 1000 200    and then: data 0 1 5", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [mss, delay], state) => facts(None, state.insert(R::begin(*mss, *delay)).due()),
                ("data", [now, seq, len], Some(receiver)) => {
                    let ack = receiver.data(*now, *seq, *len);
                    facts(ack, receiver.due())
                }
                ("sends", [now], Some(receiver)) => {
                    let ack = receiver.sends(*now);
                    facts(ack, receiver.due())
                }
                ("time", [now], Some(receiver)) => {
                    let ack = receiver.time(*now);
                    facts(ack, receiver.due())
                }
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn facts(ack: Option<u32>, due: Option<u32>) -> Vec<Fact> {
    let word = |number: Option<u32>, none: &str| number.map_or(none.to_owned(), |number| number.to_string());
    vec![Fact::new("ack", word(ack, "none")), Fact::new("due", word(due, "-"))]
}

fn cases() -> Vec<Case> {
    const BEGIN: &str = "Nothing has come yet.";
    const WAITS: &str =
        "It came in order, and is less than two full segments: its ACK may wait (RFC 9293 §3.8.6.3).";
    const YET: &str = "The time has not come.";
    const DUE: &str = "The time has come, and it must be less than half a second (RFC 9293 §3.8.6.3).";
    const FIRST: &str = "The clock runs since the first one that waits: an ACK must not be delayed too long (RFC 9293 §3.8.6.3).";
    const TWO: &str = "Two full segments' worth has come since the last ACK (RFC 9293 §3.8.6.3).";
    const GAP: &str = "It leaves a gap: the sender is to learn that at once (RFC 5681 §4.2).";
    const FILLS: &str = "It fills a gap: the sender is to learn that at once (RFC 5681 §4.2).";
    const OLD: &str = "It was here before: the ACK for it may have been lost (RFC 9293 §3.10.7.4).";
    const RIDES: &str = "Every segment carries an ACK, so none is owed after it (RFC 9293 §3.4).";
    type Told<'a> = (&'a str, Option<u32>, Option<u32>, &'static str);
    let case = |hint, title, story: &[Told<'_>]| Case {
        title,
        hint,
        steps: std::iter::once(("begin 1000 200", None, None, BEGIN))
            .chain(story.iter().copied())
            .map(|(input, ack, due, why)| line(input, facts(ack, due), why))
            .collect(),
    };
    let small = ("data 0 1 5", None, Some(200), WAITS);
    vec![
        case(
            0,
            "one small segment",
            &[small, ("time 100", None, Some(200), YET), ("time 200", Some(6), None, DUE)],
        ),
        case(
            1,
            "two small ones",
            &[small, ("data 150 6 5", None, Some(200), FIRST), ("time 200", Some(11), None, DUE)],
        ),
        case(
            2,
            "two full ones",
            &[("data 0 1 1000", None, Some(200), WAITS), ("data 1 1001 1000", Some(2001), None, TWO)],
        ),
        case(
            2,
            "four full ones",
            &[
                ("data 0 1 1000", None, Some(200), WAITS),
                ("data 1 1001 1000", Some(2001), None, TWO),
                ("data 2 2001 1000", None, Some(202), WAITS),
                ("data 3 3001 1000", Some(4001), None, TWO),
            ],
        ),
        case(
            2,
            "small ones add up",
            &[
                ("data 0 1 700", None, Some(200), WAITS),
                ("data 1 701 700", None, Some(200), WAITS),
                ("data 2 1401 700", Some(2101), None, TWO),
            ],
        ),
        case(
            3,
            "out of order",
            &[("data 0 1001 1000", Some(1), None, GAP), ("data 5 1 1000", Some(2001), None, FILLS)],
        ),
        case(
            3,
            "one comes twice",
            &[small, ("time 200", Some(6), None, DUE), ("data 300 1 5", Some(6), None, OLD)],
        ),
        case(
            4,
            "data of our own",
            &[
                small,
                ("sends 50", Some(6), None, RIDES),
                ("time 200", None, None, "Nothing is owed any more."),
            ],
        ),
    ]
}

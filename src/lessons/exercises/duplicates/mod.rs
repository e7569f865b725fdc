//! Exercise of lesson 10: which ACK shows a loss.
//!
//! Read first: RFC 5681 §2 (what a duplicate ACK is) and §3.2 (fast retransmit). Left out: what congestion control does
//! about it, selective acknowledgment, sequence numbers that wrap around.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "duplicates",
    lesson: "loss",
    title: "three ACKs that say the same",
    task: "ACKs come in. Each line has the acknowledgment number, how many bytes of data came with it, and the window. \
           Say from which byte on a segment is to be sent again now, or nothing: fast retransmit (RFC 5681 §2, §3.2).",
    hints: &[
        "Keep the highest acknowledgment number. An ACK with a higher one is news: remember it, and begin to count \
         duplicates at 0.",
        "One or two duplicates may come from segments that overtook each other. The third means a loss; the fourth says \
         only that one more segment has arrived, so nothing is sent again for it.",
        "An ACK with data is a segment of the other direction, and one with another window is about the window. Neither \
         is a duplicate. They do not end the count either: only a higher number does.",
        "When all that was sent is acknowledged, nothing can be missing. Compare the number with that of `sent`.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What an ACK says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The number of the byte that is expected next.
    pub number: u32,
    /// Bytes of data in the same segment.
    pub len: u32,
    /// The window that it announces.
    pub window: u32,
}

/// A sender, as far as fast retransmit is concerned.
pub trait FastRetransmit {
    /// Nothing is in flight; the receiver expects byte `acked` and announces this window.
    fn begin(acked: u32, window: u32) -> Self;

    /// All bytes before number `end` have been sent.
    fn sent(&mut self, end: u32);

    /// An ACK arrives. Gives the number of the byte from which a segment is to be sent again, if one is.
    fn ack(&mut self, ack: Ack) -> Option<u32>;
}

/// The sender under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<S>(Option<S>);

impl<S: FastRetransmit> Session<S> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin ACKED WINDOW`, `sent END` or `ack NUMBER LEN WINDOW`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 1001 5000    and then: sent 6001", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let mut again = None;
            match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [acked, window], state) => *state = Some(S::begin(*acked, *window)),
                ("sent", [end], Some(sender)) => sender.sent(*end),
                ("ack", [number, len, window], Some(sender)) => {
                    again = sender.ack(Ack { number: *number, len: *len, window: *window });
                }
                _ => return None,
            }
            Some(vec![fact(again)])
        })
    }
}

fn fact(again: Option<u32>) -> Fact {
    again.map_or_else(|| Fact::new("again", "nothing"), |from| Fact::new("again", from))
}

fn cases() -> Vec<Case> {
    const BEGIN: &str = "Nothing was sent yet.";
    const SENT: &str = "What leaves for the first time is nothing that is sent again.";
    const NEWS: &str = "It acknowledges something new: all is well up to there.";
    const EARLY: &str = "One or two may be due to segments that overtook each other (RFC 5681 §3.2).";
    const THIRD: &str = "The third duplicate in a row means that the segment is lost (RFC 5681 §3.2).";
    const MORE: &str =
        "What it reports was dealt with by the third: the segment is under way (RFC 5681 §3.2).";
    const DATA: &str = "It carries data, so it is no duplicate ACK (RFC 5681 §2).";
    const WINDOW: &str = "It announces another window, so it is no duplicate ACK (RFC 5681 §2).";
    const IDLE: &str = "Nothing is in flight, so nothing can be missing (RFC 5681 §2).";
    let (sent, ack) = (format!("sent {}", 8001), |number: u32| format!("ack {number} 0 5000"));
    let case = |hint, title, story: Vec<(String, Option<u32>, &'static str)>| Case {
        title,
        hint,
        steps: std::iter::once(("begin 1001 5000".to_owned(), None, BEGIN))
            .chain(story)
            .map(|(input, again, why)| line(input, vec![fact(again)], why))
            .collect(),
    };
    let begun = |more: &[(String, Option<u32>, &'static str)]| {
        let mut story = vec![(sent.clone(), None, SENT), (ack(2001), None, NEWS)];
        story.extend_from_slice(more);
        story
    };
    let same = |again, why| (ack(2001), again, why);
    vec![
        case(0, "in order", begun(&[(ack(3001), None, NEWS), (ack(4001), None, NEWS)])),
        case(1, "one overtook another", begun(&[same(None, EARLY), (ack(4001), None, NEWS)])),
        case(1, "three", begun(&[same(None, EARLY), same(None, EARLY), same(Some(2001), THIRD)])),
        case(
            1,
            "and a fourth",
            begun(&[same(None, EARLY), same(None, EARLY), same(Some(2001), THIRD), same(None, MORE)]),
        ),
        case(
            0,
            "two, news, and one more",
            begun(&[same(None, EARLY), same(None, EARLY), (ack(4001), None, NEWS), (ack(4001), None, EARLY)]),
        ),
        case(
            2,
            "some carry data",
            begun(&[
                same(None, EARLY),
                ("ack 2001 10 5000".into(), None, DATA),
                ("ack 2001 10 5000".into(), None, DATA),
                same(None, EARLY),
                same(Some(2001), THIRD),
            ]),
        ),
        case(
            2,
            "the window opens",
            begun(&[
                same(None, EARLY),
                ("ack 2001 0 6000".into(), None, WINDOW),
                ("ack 2001 0 7000".into(), None, WINDOW),
                ("ack 2001 0 7000".into(), None, EARLY),
                ("ack 2001 0 7000".into(), Some(2001), THIRD),
            ]),
        ),
        case(
            3,
            "nothing is in flight",
            begun(&[
                (ack(8001), None, NEWS),
                (ack(8001), None, IDLE),
                (ack(8001), None, IDLE),
                (ack(8001), None, IDLE),
            ]),
        ),
        case(
            0,
            "a second loss",
            begun(&[
                same(None, EARLY),
                same(None, EARLY),
                same(Some(2001), THIRD),
                (ack(5001), None, NEWS),
                (ack(5001), None, EARLY),
                (ack(5001), None, EARLY),
                (ack(5001), Some(5001), THIRD),
            ]),
        ),
    ]
}

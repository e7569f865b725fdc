//! Exercise of lesson 11: how much may be sent now.
//!
//! Read first: RFC 9293 §3.8.6 (the window) and §3.8.6.2.1 (the usable window). Left out: the congestion window, small
//! segments, numbers that wrap around.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "usable",
    lesson: "flow",
    title: "how much may be sent now",
    task: "A receiver announces windows, a sender sends. Say how many bytes may leave now, after each line. Bytes are \
           counted from 0, without a SYN (RFC 9293 §3.8.6).",
    hints: &[
        "A window counts from the acknowledgment number that came with it. Keep the number of bytes that have left, \
         too: what may leave ends at ack + window, and what has left is gone.",
        "ACKs can overtake each other. One with a lower number than the highest so far is old, and so is its window: \
         leave everything as it is.",
        "A receiver should not take back room that it has announced, but a sender must bear it: when more has left \
         than the window allows now, the answer is 0.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A sender, as far as flow control is concerned. Bytes are counted from 0.
pub trait Sender {
    /// Nothing is in flight, and this window was announced.
    fn begin(window: u32) -> Self;

    /// This many bytes leave, after those that have left.
    fn sent(&mut self, bytes: u32);

    /// An ACK arrives: all bytes before `number` have arrived, and there is room for `window` more.
    fn ack(&mut self, number: u32, window: u32);

    /// How many bytes may leave now.
    fn may_send(&self) -> u32;
}

/// The sender under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<S>(Option<S>);

impl<S: Sender> Session<S> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin WINDOW`, `sent BYTES` or `ack NUMBER WINDOW`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 4000    and then: sent 1000", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [window], state) => vec![fact(state.insert(S::begin(*window)).may_send())],
                ("sent", [bytes], Some(sender)) => {
                    sender.sent(*bytes);
                    vec![fact(sender.may_send())]
                }
                ("ack", [number, window], Some(sender)) => {
                    sender.ack(*number, *window);
                    vec![fact(sender.may_send())]
                }
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn fact(may: u32) -> Fact {
    Fact::new("may", may)
}

fn cases() -> Vec<Case> {
    const OPEN: &str = "Nothing is in flight: the whole window may be used (RFC 9293 §3.8.6).";
    const SENT: &str = "What is in flight takes up its part of the window (RFC 9293 §3.8.6.2.1).";
    const ACKED: &str = "The window counts from the number beside it (RFC 9293 §3.8.6).";
    const OLD: &str = "It was overtaken: a higher number has come before it (RFC 9293 §3.8.6).";
    const SHRUNK: &str =
        "More is in flight than the window allows now: nothing new may leave (RFC 9293 §3.8.6).";
    let case = |hint, title, story: &[(&str, u32, &'static str)]| Case {
        title,
        hint,
        steps: story.iter().map(|(input, may, why)| line(*input, vec![fact(*may)], why)).collect(),
    };
    vec![
        case(
            0,
            "a window is used up",
            &[("begin 4000", 4000, OPEN), ("sent 1000", 3000, SENT), ("sent 3000", 0, SENT)],
        ),
        case(
            0,
            "acknowledged, and not read",
            &[
                ("begin 4000", 4000, OPEN),
                ("sent 2000", 2000, SENT),
                ("ack 1000 3000", 2000, ACKED),
                ("ack 2000 2000", 2000, ACKED),
            ],
        ),
        case(
            0,
            "read",
            &[
                ("begin 4000", 4000, OPEN),
                ("sent 4000", 0, SENT),
                ("ack 4000 0", 0, ACKED),
                ("ack 4000 2500", 2500, ACKED),
            ],
        ),
        case(
            1,
            "one ACK overtakes another",
            &[
                ("begin 4000", 4000, OPEN),
                ("sent 2000", 2000, SENT),
                ("ack 2000 4000", 4000, ACKED),
                ("ack 1000 3000", 4000, OLD),
            ],
        ),
        case(
            2,
            "the window shrinks",
            &[
                ("begin 4000", 4000, OPEN),
                ("sent 3000", 1000, SENT),
                ("ack 1000 500", 0, SHRUNK),
                ("ack 3000 4000", 4000, ACKED),
            ],
        ),
    ]
}

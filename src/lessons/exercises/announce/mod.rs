//! Exercise of lesson 11: when more room is worth telling.
//!
//! Read first: RFC 9293 §3.8.6.2.2. Left out: data that comes out of order, scaled windows, when an ACK leaves at all.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "announce",
    lesson: "flow",
    title: "when more room is worth telling",
    task: "Bytes arrive in a buffer, and a program reads them. Say which window an ACK would announce after each \
           line, without silly windows (RFC 9293 §3.8.6.2.2).",
    hints: &[
        "Keep the window that you have announced. What arrives makes it smaller by as much: its right edge stays.",
        "More room is free after a read. Announce it, all of it, only when it is at least a full segment more than \
         the window says now.",
        "Of a small buffer a full segment may be more than there is. Then half of the buffer is enough: the lesser of \
         the two counts.",
        "After an arrival there may be room worth announcing, too: look after each line, not only after reads.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A receiver's buffer, and what was announced of it.
pub trait Receiver {
    /// An empty buffer of this size, all of it announced; full segments have `mss` bytes.
    fn begin(buffer: u32, mss: u32) -> Self;

    /// This many bytes arrive in order, within the window.
    fn arrives(&mut self, bytes: u32);

    /// The program reads this many of them.
    fn reads(&mut self, bytes: u32);

    /// The window that an ACK would announce now.
    fn window(&self) -> u32;
}

/// The receiver under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<R>(Option<R>);

impl<R: Receiver> Session<R> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin BUFFER MSS`, `arrives BYTES` or `reads BYTES`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 4000 1000    and then: arrives 500", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [buffer, mss], state) => vec![fact(state.insert(R::begin(*buffer, *mss)).window())],
                ("arrives", [bytes], Some(receiver)) => {
                    receiver.arrives(*bytes);
                    vec![fact(receiver.window())]
                }
                ("reads", [bytes], Some(receiver)) => {
                    receiver.reads(*bytes);
                    vec![fact(receiver.window())]
                }
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn fact(window: u32) -> Fact {
    Fact::new("window", window)
}

fn cases() -> Vec<Case> {
    const EMPTY: &str = "The buffer is empty, and all of it is announced (RFC 9293 §3.8.6.2.2).";
    const COMES: &str =
        "The right edge stays, so the window shrinks by what has arrived (RFC 9293 §3.8.6.2.2).";
    const CRUMB: &str = "That is less than a segment more: not worth telling (RFC 9293 §3.8.6.2.2).";
    const WORTH: &str = "Now it is worth a segment, so all that is free is announced (RFC 9293 §3.8.6.2.2).";
    const HALF: &str = "Half of the buffer is less than a segment, and enough (RFC 9293 §3.8.6.2.2).";
    let case = |hint, title, story: &[(&str, u32, &'static str)]| Case {
        title,
        hint,
        steps: story.iter().map(|(input, window, why)| line(*input, vec![fact(*window)], why)).collect(),
    };
    let begin = ("begin 4000 1000", 4000, EMPTY);
    vec![
        case(0, "bytes arrive", &[begin, ("arrives 1000", 3000, COMES), ("arrives 3000", 0, COMES)]),
        case(1, "one large read", &[begin, ("arrives 4000", 0, COMES), ("reads 4000", 4000, WORTH)]),
        case(
            1,
            "small reads",
            &[
                begin,
                ("arrives 4000", 0, COMES),
                ("reads 100", 0, CRUMB),
                ("reads 800", 0, CRUMB),
                ("reads 100", 1000, WORTH),
                ("reads 100", 1000, CRUMB),
            ],
        ),
        case(
            2,
            "a buffer smaller than a segment",
            &[
                ("begin 1000 1460", 1000, EMPTY),
                ("arrives 1000", 0, COMES),
                ("reads 400", 0, CRUMB),
                ("reads 100", 500, HALF),
            ],
        ),
        case(
            3,
            "reads and arrivals in turn",
            &[
                begin,
                ("arrives 2000", 2000, COMES),
                ("reads 500", 2000, CRUMB),
                ("arrives 1000", 1000, COMES),
                ("reads 500", 2000, WORTH),
            ],
        ),
    ]
}

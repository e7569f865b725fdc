//! Exercise of lesson 12: gather small writes.
//!
//! Read first: RFC 9293 §3.7.4. Left out: the windows, the end of the stream, Minshall's change of the rule.

use super::{Case, Exercise, Fact, Program, answer_to, line};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "gather",
    lesson: "nagle",
    title: "gather small writes",
    task: "A program writes, ACKs come. Say the sizes of the segments that leave after each line, joined by +, or \
           nothing: Nagle's algorithm (RFC 9293 §3.7.4). An ack line acknowledges all that was sent.",
    hints: &[
        "What is written goes into a buffer. When nothing is in flight, all of it leaves at once, in segments of at \
         most MSS bytes.",
        "While something is in flight, a rest that is smaller than a segment waits in the buffer. Later writes are \
         added to it, and an ACK lets it go.",
        "Full segments leave in any case: as soon as the buffer holds MSS bytes. What is left over is small, and a \
         full segment has just left, so something is in flight.",
        "With TCP_NODELAY nothing waits. When the program sets it, what waits leaves at once.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// A sender, as far as small segments are concerned. Each method gives the sizes of the segments that leave now.
pub trait Gather {
    /// Nothing was written yet; full segments have `mss` bytes.
    fn begin(mss: usize) -> Self;

    /// The program writes this many bytes.
    fn write(&mut self, bytes: usize) -> Vec<usize>;

    /// All that was sent is acknowledged.
    fn ack(&mut self) -> Vec<usize>;

    /// The program sets TCP_NODELAY.
    fn nodelay(&mut self) -> Vec<usize>;
}

/// The sender under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<S>(Option<S>);

impl<S: Gather> Session<S> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin MSS`, `write BYTES`, `ack` or `nodelay`.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 1000    and then: write 5", |words| {
            let (word, numbers) = words.split_first()?;
            let numbers: Vec<u32> = numbers.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let facts = match (*word, numbers.as_slice(), &mut self.0) {
                ("begin", [mss @ 1..=65_535], state) => {
                    *state = Some(S::begin(*mss as usize));
                    vec![fact(&[])]
                }
                ("write", [bytes], Some(sender)) => vec![fact(&sender.write(*bytes as usize))],
                ("ack", [], Some(sender)) => vec![fact(&sender.ack())],
                ("nodelay", [], Some(sender)) => vec![fact(&sender.nodelay())],
                _ => return None,
            };
            Some(facts)
        })
    }
}

fn fact(sizes: &[usize]) -> Fact {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    Fact::new("sends", if sizes.is_empty() { "nothing".into() } else { sizes.join("+") })
}

fn cases() -> Vec<Case> {
    const BEGIN: &str = "Nothing was written yet.";
    const IDLE: &str = "Nothing is in flight, so it leaves at once (RFC 9293 §3.7.4).";
    const WAITS: &str =
        "Something is not acknowledged, and this is no full segment: it waits (RFC 9293 §3.7.4).";
    const FREED: &str = "What was in flight is acknowledged: what waits leaves together (RFC 9293 §3.7.4).";
    const FULL: &str = "A full segment never waits (RFC 9293 §3.7.4).";
    const REST: &str =
        "The full ones leave. The rest waits, for something is in flight now (RFC 9293 §3.7.4).";
    const NONE: &str = "Nothing waits.";
    const OFF: &str = "A program can switch the algorithm off, and then nothing waits (RFC 9293 §3.7.4).";
    let case = |hint, title, story: &[(&str, &[usize], &'static str)]| Case {
        title,
        hint,
        steps: std::iter::once(("begin 1000", &[][..], BEGIN))
            .chain(story.iter().copied())
            .map(|(input, sizes, why)| line(input, vec![fact(sizes)], why))
            .collect(),
    };
    let first = ("write 5", &[5][..], IDLE);
    vec![
        case(0, "one small write", &[first]),
        case(
            1,
            "three small writes",
            &[first, ("write 5", &[], WAITS), ("write 5", &[], WAITS), ("ack", &[10], FREED)],
        ),
        case(1, "slower than the ACKs", &[first, ("ack", &[], NONE), first, ("ack", &[], NONE), first]),
        case(
            2,
            "small ones add up",
            &[first, ("write 995", &[], WAITS), ("write 5", &[1000], FULL), ("ack", &[], NONE)],
        ),
        case(2, "one large write", &[("write 2500", &[1000, 1000], REST), ("ack", &[500], FREED)]),
        case(
            2,
            "exactly two segments",
            &[("write 2000", &[1000, 1000], FULL), ("write 5", &[], WAITS), ("ack", &[5], FREED)],
        ),
        case(
            3,
            "TCP_NODELAY",
            &[first, ("write 5", &[], WAITS), ("nodelay", &[5], OFF), ("write 5", &[5], OFF)],
        ),
    ]
}

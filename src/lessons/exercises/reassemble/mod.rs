//! Exercise of lesson 9: make a stream of segments again.
//!
//! Read first: RFC 9293 §3.4 (sequence numbers) and §3.10.7.4, seventh (segments that come early). Left out: the
//! window, which bounds how much must be held; two versions of the same byte; FIN.

use super::check::ANSWER;
use super::{Case, Exercise, Fact, Program, Shown, Step, bytes, hex, not_understood};
use crate::layers::transport::tcp::SeqNumber;

pub(super) const EXERCISE: Exercise = Exercise {
    id: "reassemble",
    lesson: "segmentation",
    title: "make a stream of segments again",
    task: "Segments arrive as the network likes: late, early, twice, overlapping. Hand on the bytes in order, each \
           once, as soon as their turn has come, and say which byte you expect next: that is TCP's acknowledgment \
           (RFC 9293 \u{a7}3.4).",
    hints: &[
        "Keep `next`, the number of the byte you expect. A segment that begins there can be handed on at once, and \
         `next` moves on by its length.",
        "A segment that begins behind `next` came early: keep it, hand on nothing, and leave `next` as it is. When \
         the gap is filled, what was kept may be due, too: look again after each segment.",
        "Of a segment that begins before `next`, some was handed on already: skip as many bytes as you know. It may \
         be all of them.",
        "Sequence numbers wrap around: after 4294967295 comes 0. So do not compare them with < or >. How far seq is \
         ahead of next is their difference modulo 2^32; when that is more than half the circle, it is behind.",
        "In Rust seq.wrapping_sub(next) as i32 is how far a segment is ahead, negative when it is behind; in JavaScript \
         (seq - next) | 0; in Python (seq - next) % 2**32, less 2**32 if that is 2**31 or more. Keep the pieces with \
         their numbers in a list; after each arrival go over them until none begins at or before `next`.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// One direction of a connection, as its receiver sees it.
pub trait Reassemble {
    /// A stream whose SYN has the number `isn`: its first byte is the one after it.
    fn begin(isn: u32) -> Self;

    /// Takes a segment whose first byte has the number `seq`. Gives the bytes whose turn has come, in order.
    fn receive(&mut self, seq: u32, bytes: &[u8]) -> Vec<u8>;

    /// The number of the byte that is expected next.
    fn ack(&self) -> u32;
}

/// The stream under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<R>(Option<R>);

impl<R: Reassemble> Session<R> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line, which is `begin ISN` or `segment SEQ BYTES`, the bytes in hexadecimal.
    pub fn answer(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| word.parse::<u32>().ok();
        let delivered = match words.as_slice() {
            ["begin", isn] => number(isn).map(|isn| {
                self.0 = Some(R::begin(isn));
                Vec::new()
            }),
            ["segment", seq, data] => match (self.0.as_mut(), number(seq), bytes(data)) {
                (Some(stream), Some(seq), Some(data)) => Some(stream.receive(seq, &data)),
                _ => None,
            },
            _ => None,
        };
        match (&self.0, delivered) {
            (Some(stream), Some(delivered)) => {
                format!("{ANSWER}delivers={} ack={}", text(&delivered), stream.ack())
            }
            _ => not_understood("begin 1000    and then: segment 1001 6869"),
        }
    }
}

/// The bytes of a stream as one word: text, for all streams of the check are text.
fn text(bytes: &[u8]) -> String {
    match bytes.is_empty() {
        true => "nothing".into(),
        false => format!("\"{}\"", bytes.escape_ascii().to_string().replace(' ', "_")),
    }
}

/// A stream that the cases cut up. No blanks in it, so that a word of an answer can show it.
const STREAM: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

fn cases() -> Vec<Case> {
    const IN_ORDER: &str = "It begins at the byte that was expected: its bytes are due at once.";
    const EARLY: &str =
        "Bytes before it are missing, so it must wait; the acknowledgment stays where it was (§3.4).";
    const FILLS: &str = "It fills the gap, so what waited after it is due, too.";
    const TWICE: &str =
        "Its bytes were handed on before. The acknowledgment is said again, nothing is delivered.";
    const OVERLAP: &str = "Some of its bytes are known already. Each byte is handed on once.";
    const WRAP: &str = "After 4294967295 comes 0: sequence numbers are counted modulo 2^32 (§3.4).";
    let case =
        |hint, title, isn, arrivals: &[(usize, usize, &'static str)]| story(hint, title, isn, arrivals);
    vec![
        case(0, "in order", 1000, &[(0, 5, IN_ORDER), (5, 10, IN_ORDER)]),
        case(1, "the second comes first", 1000, &[(5, 10, EARLY), (0, 5, FILLS)]),
        case(1, "from the last to the first", 1000, &[(8, 12, EARLY), (4, 8, EARLY), (0, 4, FILLS)]),
        case(2, "one comes twice", 1000, &[(0, 5, IN_ORDER), (0, 5, TWICE), (5, 8, IN_ORDER)]),
        case(2, "one that waits comes twice", 1000, &[(5, 10, EARLY), (5, 10, EARLY), (0, 5, FILLS)]),
        case(2, "cut in another way the second time", 1000, &[(0, 6, IN_ORDER), (3, 12, OVERLAP)]),
        case(2, "one covers what waits", 1000, &[(4, 8, EARLY), (0, 12, OVERLAP), (12, 14, IN_ORDER)]),
        case(2, "pieces that wait overlap", 1000, &[(4, 9, EARLY), (7, 14, EARLY), (0, 4, FILLS)]),
        case(1, "two gaps", 1000, &[(3, 6, EARLY), (9, 12, EARLY), (0, 3, FILLS), (6, 9, FILLS)]),
        case(
            0,
            "an empty segment",
            1000,
            &[(0, 0, "Nothing in it, so nothing to hand on: a bare ACK."), (0, 4, IN_ORDER)],
        ),
        case(
            3,
            "the numbers wrap around",
            u32::MAX - 4,
            &[(0, 4, IN_ORDER), (4, 8, WRAP), (8, 12, IN_ORDER)],
        ),
        case(3, "early, across the wrap", u32::MAX - 4, &[(6, 10, EARLY), (2, 6, EARLY), (0, 2, WRAP)]),
    ]
}

/// A case: pieces of the stream, each with the first byte in it and the first one after it, in the order they come.
fn story(hint: usize, title: &'static str, isn: u32, arrivals: &[(usize, usize, &'static str)]) -> Case {
    let mut here = [false; STREAM.len()];
    let mut due = 0;
    let seq = |offset: usize| SeqNumber::of_offset(SeqNumber(isn), 1 + offset as u64).0;
    let begin = Step {
        input: format!("begin {isn}"),
        told: format!("SYN seq={isn}"),
        shown: Shown::Lines(Vec::new()),
        expected: vec![Fact::new("delivers", "nothing"), Fact::new("ack", seq(0))],
        why: "A SYN takes one number, so the first byte has the next one (§3.4).",
    };
    let mut steps = vec![begin];
    for (from, to, why) in arrivals {
        let shown = map(&here, due, (*from, *to), seq);
        here[*from..*to].fill(true);
        let start = due;
        due += here[due..].iter().take_while(|here| **here).count();
        steps.push(Step {
            input: format!("segment {} {}", seq(*from), hex(&STREAM[*from..*to])),
            told: format!("segment seq={} len={} {}", seq(*from), to - from, text(&STREAM[*from..*to])),
            shown: Shown::Lines(shown),
            expected: vec![Fact::new("delivers", text(&STREAM[start..due])), Fact::new("ack", seq(due))],
            why,
        });
    }
    Case { title, hint, steps }
}

/// The stream before a segment arrives, one column a byte: what was handed on, what waits, and where this one belongs.
fn map(here: &[bool], due: usize, (from, to): (usize, usize), seq: impl Fn(usize) -> u32) -> Vec<String> {
    let column = |pick: &dyn Fn(usize) -> bool| {
        let text: String =
            (0..STREAM.len()).map(|at| if pick(at) { char::from(STREAM[at]) } else { '.' }).collect();
        text
    };
    let segment = if from == to { " ".repeat(from) + "|" } else { column(&|at| (from..to).contains(&at)) };
    vec![
        format!("handed on  {}", column(&|at| at < due)),
        format!("waits      {}", column(&|at| at >= due && here[at])),
        format!("arrives    {segment}"),
        format!("           {}^ seq={}", " ".repeat(from), seq(from)),
    ]
}

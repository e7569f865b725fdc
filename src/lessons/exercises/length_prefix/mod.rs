//! Exercise of lesson 15: messages with a length in front.
//!
//! Left out: types of messages, and what the peer learns when a message is refused.

use super::{Case, Exercise, Fact, Program, Shown, Step, answer_to, bytes, hex};
use crate::layers::application::framing::{Deframer, Framing};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "length_prefix",
    lesson: "framing",
    title: "messages with a length in front",
    task: "A stream comes in reads, cut anywhere. Each message has its length in front, in two bytes, the more significant \
           first. Say after each read which messages are complete and how many bytes you keep; refuse a message that is \
           longer than the limit as soon as you know, and all that comes after it.",
    hints: &[
        "Put what comes behind what you kept. While the buffer holds a whole message, take it off the front; what is left \
         is kept.",
        "With fewer than two bytes there is no length yet. With fewer than 2 + length bytes there is no message yet. Both are \
         no error: wait.",
        "One read can complete several messages, and a message can be empty: use a loop, and do not stop at a length of 0.",
        "Refuse when the length is above the limit, before you wait for a byte of the message. The messages before it were \
         complete: hand them over first. After that every read is refused, and nothing is kept.",
        "Kept are the bytes of the message that have come and, only while there is one byte of a length, that byte. A length \
         that is whole is a number, and counts as no byte.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// What came of a read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Got {
    /// The messages that are complete with it.
    pub messages: Vec<Vec<u8>>,
    /// How many bytes are kept for the next one.
    pub kept: usize,
    /// Whether a message was too long, now or before.
    pub refused: bool,
}

/// A reader of a stream.
pub trait Reader {
    /// Nothing has come yet; messages have at most `limit` bytes.
    fn begin(limit: usize) -> Self;
    /// A read gave these bytes.
    fn read(&mut self, bytes: &[u8]) -> Got;
}

/// The reader under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<R>(Option<R>);

impl<R: Reader> Session<R> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin LIMIT`, or `read` and bytes in hexadecimal.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin 100    and then: read 00026869", |words| match (words, &mut self.0) {
            (["begin", limit], state) => {
                *state = Some(R::begin(limit.parse().ok()?));
                Some(facts(&Got::default()))
            }
            (["read", word], Some(reader)) => Some(facts(&reader.read(&bytes(word)?))),
            _ => None,
        })
    }
}

fn facts(got: &Got) -> Vec<Fact> {
    let messages: Vec<String> = got.messages.iter().map(|message| hex(message)).collect();
    let messages = if messages.is_empty() { "none".into() } else { messages.join("+") };
    let refused = if got.refused { "yes" } else { "no" };
    vec![Fact::new("messages", messages), Fact::new("kept", got.kept), Fact::new("refused", refused)]
}

const LIMIT: usize = 100;

fn cases() -> Vec<Case> {
    const WHOLE: &str = "A length of 2, and two bytes: that is a message.";
    const SEVERAL: &str = "One read may hold several messages: take them off one by one.";
    const HALF: &str = "Not all of it has come. That is no error: what has come is kept.";
    const REST: &str = "What was kept, and this, are a whole message.";
    const LENGTH: &str = "One byte of the length has come: which length it is, is not known yet.";
    const EMPTY: &str = "A length of 0 is a message without bytes.";
    const LONG: &str = "101 is above the limit of 100: the length alone says so.";
    const BEFORE: &str = "The message before the one that is too long was complete.";
    const AFTER: &str = "Where the next message begins can no longer be told.";
    const MOST: &str = "A message of exactly the limit is taken.";
    let case = |hint, title, reads: &[(&[u8], &'static str)]| Case { title, hint, steps: steps(reads) };
    let most = [&[0, 100][..], &[b'x'; 100]].concat();
    vec![
        case(0, "one message", &[(b"\0\x02hi", WHOLE)]),
        case(2, "two and a half", &[(b"\0\x02hi\0\x03you\0\x04by", SEVERAL), (b"e!", REST)]),
        case(1, "cut in the message", &[(b"\0\x05he", HALF), (b"ll", HALF), (b"o", REST)]),
        case(
            4,
            "cut in the length",
            &[(b"\0", LENGTH), (b"\x02", HALF), (b"hi\0", LENGTH), (b"\x01!", REST)],
        ),
        case(2, "empty messages", &[(b"\0\0\0\0\0\x01x", EMPTY)]),
        case(2, "an empty one at the end", &[(b"\0\x01x\0\0", EMPTY)]),
        case(1, "the longest", &[(&most, MOST)]),
        case(3, "too long", &[(b"\0\x65", LONG), (b"\0\x02hi", AFTER)]),
        case(3, "a good one before it", &[(b"\0\x02hi\xff\xffab", BEFORE), (b"cd", AFTER)]),
        case(4, "a delimiter is a byte like others", &[(b"\0\x03a\nb\0\x02\0\x01", SEVERAL)]),
    ]
}

fn steps(reads: &[(&[u8], &'static str)]) -> Vec<Step> {
    let begin = Step {
        input: format!("begin {LIMIT}"),
        told: format!("begin {LIMIT}"),
        shown: Shown::Lines(Vec::new()),
        expected: facts(&Got::default()),
        why: "Nothing has come yet.",
    };
    let mut ours = Ours(Deframer::new(Framing::Length, LIMIT));
    let read = reads.iter().map(|(bytes, why)| Step {
        input: format!("read {}", hex(bytes)),
        told: format!("{} more", bytes.len()),
        shown: Shown::Bytes(bytes[..bytes.len().min(32)].to_vec()),
        expected: facts(&ours.read(bytes)),
        why,
    });
    std::iter::once(begin).chain(read).collect()
}

/// Our own reader.
struct Ours(Deframer);

impl Reader for Ours {
    fn begin(limit: usize) -> Self {
        Ours(Deframer::new(Framing::Length, limit))
    }

    fn read(&mut self, bytes: &[u8]) -> Got {
        let mut messages = Vec::new();
        let refused = self.0.read(bytes, &mut messages).is_err();
        Got { messages, kept: self.0.kept(), refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_reader_gives_the_expected_answers() {
        let mut session = Session::<Ours>::new();
        assert_eq!(session.answer("begin 100"), "answer: messages=none kept=0 refused=no");
        assert_eq!(session.answer("read 00026869000161ff"), "answer: messages=6869+61 kept=1 refused=no");
        assert_eq!(session.answer("read ff"), "answer: messages=none kept=0 refused=yes");
        assert!(session.answer("read x").starts_with("not understood"));
    }
}

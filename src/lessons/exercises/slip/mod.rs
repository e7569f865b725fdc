//! Exercise of lesson 15: a delimiter, and an escape for it.
//!
//! Read first: RFC 1055, PROTOCOL: four bytes with a meaning, and nothing else. Left out: a byte behind an escape that is
//! neither of the two that may stand there, and messages that are too long.

use super::{Case, Exercise, Fact, Program, Shown, Step, answer_to, bytes, hex};

pub(super) const EXERCISE: Exercise = Exercise {
    id: "slip",
    lesson: "framing",
    title: "a delimiter, and an escape for it",
    task: "SLIP (RFC 1055) sends packets over a serial line, which is a stream of bytes, too. Write a message as SLIP has it \
           on the wire, and read messages from what comes, cut anywhere. The four special bytes are at the top of the file.",
    hints: &[
        "To write: END inside a message becomes ESC, ESC_END; ESC becomes ESC, ESC_ESC; every other byte stays. Then one END.",
        "To read, look at one byte at a time. END hands over what was gathered. Two ENDs in a row have nothing between them, \
         which is no message.",
        "After ESC, ESC_END means END and ESC_ESC means ESC. Without an ESC before them the two are bytes like all others.",
        "A read may end just behind an ESC. Keep that you have seen it, in the reader, for the next read.",
    ],
    programs: [
        Program { starter: include_str!("starter.rs"), solution: include_str!("solution.rs") },
        Program { starter: include_str!("starter.py"), solution: include_str!("solution.py") },
        Program { starter: include_str!("starter.mjs"), solution: include_str!("solution.mjs") },
    ],
    cases,
};

/// Ends a message.
pub const END: u8 = 0xc0;
/// The next byte is meant otherwise.
pub const ESC: u8 = 0xdb;
/// Behind an escape: an END that belongs to the message.
pub const ESC_END: u8 = 0xdc;
/// Behind an escape: an ESC that belongs to the message.
pub const ESC_ESC: u8 = 0xdd;

/// One end of a line.
pub trait Slip {
    /// Nothing has come yet.
    fn begin() -> Self;
    /// A message as it is on the wire.
    fn write(&self, message: &[u8]) -> Vec<u8>;
    /// A read gave these bytes. Gives the messages that are complete with them.
    fn read(&mut self, bytes: &[u8]) -> Vec<Vec<u8>>;
}

/// The end under way while lines of the check come in.
#[derive(Debug, Default)]
pub struct Session<S>(Option<S>);

impl<S: Slip> Session<S> {
    /// Before the first line.
    pub fn new() -> Self {
        Session(None)
    }

    /// The answer to a line: `begin`, or `write` or `read` and bytes in hexadecimal.
    pub fn answer(&mut self, line: &str) -> String {
        answer_to(line, "begin    and then: write 6869c0", |words| match (words, &mut self.0) {
            (["begin"], state) => {
                *state = Some(S::begin());
                Some(vec![messages(&[])])
            }
            (["write", word], Some(end)) => Some(vec![wire(&end.write(&bytes(word)?))]),
            (["read", word], Some(end)) => Some(vec![messages(&end.read(&bytes(word)?))]),
            _ => None,
        })
    }
}

fn wire(bytes: &[u8]) -> Fact {
    Fact::new("wire", hex(bytes))
}

fn messages(messages: &[Vec<u8>]) -> Fact {
    let all: Vec<String> = messages.iter().map(|message| hex(message)).collect();
    Fact::new("messages", if all.is_empty() { "none".into() } else { all.join("+") })
}

/// A line of the check: what is written and what it becomes, or what is read and what is complete with it.
enum Line {
    Write(&'static [u8], &'static [u8], &'static str),
    Read(&'static [u8], &'static [&'static [u8]], &'static str),
}

fn cases() -> Vec<Case> {
    use Line::{Read, Write};
    const PLAIN: &str = "Nothing special is in it: the bytes, and END (RFC 1055).";
    const HAS_END: &str =
        "An END inside is written ESC, ESC_END, so that END is an end and nothing else (RFC 1055).";
    const HAS_ESC: &str = "An ESC inside is written ESC, ESC_ESC (RFC 1055).";
    const ALONE: &str = "Only behind an ESC do these two mean something else (RFC 1055).";
    const WHOLE: &str = "All up to END is the message.";
    const BACK: &str = "What was written for END and ESC is taken back.";
    const NOTHING: &str = "No END has come: nothing is complete.";
    const REST: &str = "What was kept from the read before belongs to it.";
    const EMPTY: &str =
        "Between two ENDs is nothing. Some begin a message with an END, too, against noise (RFC 1055).";
    let case = |hint, title, lines: Vec<Line>| Case { title, hint, steps: steps(lines) };
    vec![
        case(0, "write plain bytes", vec![Write(b"hi", b"hi\xc0", PLAIN)]),
        case(0, "write an END", vec![Write(b"a\xc0b", b"a\xdb\xdcb\xc0", HAS_END)]),
        case(0, "write an ESC", vec![Write(b"\xdb\xc0", b"\xdb\xdd\xdb\xdc\xc0", HAS_ESC)]),
        case(0, "write what only looks special", vec![Write(b"\xdc\xdd", b"\xdc\xdd\xc0", ALONE)]),
        case(
            1,
            "read one message, and two",
            vec![Read(b"hi\xc0", &[b"hi"], WHOLE), Read(b"a\xc0b\xc0", &[b"a", b"b"], WHOLE)],
        ),
        case(1, "read empty ones", vec![Read(b"\xc0\xc0hi\xc0", &[b"hi"], EMPTY), Read(b"\xc0", &[], EMPTY)]),
        case(
            2,
            "read escapes",
            vec![
                Read(b"a\xdb\xdcb\xdb\xdd\xc0", &[b"a\xc0b\xdb"], BACK),
                Read(b"\xdc\xdd\xc0", &[b"\xdc\xdd"], ALONE),
            ],
        ),
        case(
            3,
            "cut in the middle",
            vec![Read(b"he", &[], NOTHING), Read(b"llo", &[], NOTHING), Read(b"\xc0", &[b"hello"], REST)],
        ),
        case(
            3,
            "cut behind an ESC",
            vec![Read(b"a\xdb", &[], NOTHING), Read(b"\xdc\xc0", &[b"a\xc0"], REST)],
        ),
        case(
            3,
            "an ESC, escaped, and then an ESC_END",
            vec![Read(b"\xdb\xdd", &[], NOTHING), Read(b"\xdc\xc0", &[b"\xdb\xdc"], REST)],
        ),
    ]
}

fn steps(lines: Vec<Line>) -> Vec<Step> {
    let begin = Step {
        input: "begin".into(),
        told: "begin".into(),
        shown: Shown::Lines(Vec::new()),
        expected: vec![messages(&[])],
        why: "Nothing has come yet.",
    };
    let step = |word: &str, bytes: &[u8], expected, why| Step {
        input: format!("{word} {}", hex(bytes)),
        told: format!("{word} {}", hex(bytes)),
        shown: Shown::Bytes(bytes.to_vec()),
        expected: vec![expected],
        why,
    };
    let lines = lines.into_iter().map(|line| match line {
        Line::Write(message, on_the_wire, why) => step("write", message, wire(on_the_wire), why),
        Line::Read(bytes, complete, why) => {
            let complete: Vec<Vec<u8>> = complete.iter().map(|message| message.to_vec()).collect();
            step("read", bytes, messages(&complete), why)
        }
    });
    std::iter::once(begin).chain(lines).collect()
}
